import re

import pytest
from django.core import mail
from django.urls import reverse

from members.models import Consent, Member
from tests import make


@pytest.fixture
def form():
    return {"email": "Kim@Example.org", "display_name": "  River   Stone ", "password1": "a long and quiet river"}


def code_from(message) -> str:
    return re.search(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$", message.body, re.MULTILINE).group()


def test_signing_up_takes_three_fields_and_a_code_from_the_mail(client, db, form):
    page = client.get(reverse("account_signup"))
    client.post(reverse("account_signup"), form)
    client.post(reverse("account_email_verification_sent"), {"code": code_from(mail.outbox[0])})

    member = Member.objects.get()
    assert [field.name for field in page.context["form"].visible_fields() if field.name != "website"] == [
        "email",
        "display_name",
        "password1",
    ]
    assert (member.email, member.display_name, member.role) == ("kim@example.org", "River Stone", "member")
    assert client.get(reverse("my_week")).status_code == 200


def test_sign_up_mail_says_nothing_about_what_this_is(client, db, form):
    client.post(reverse("account_signup"), form)

    message = mail.outbox[0]
    words = f"{message.subject} {message.body}".lower()
    assert message.subject == "Your code"
    assert not re.search("recovery|addiction|group|meeting|river|support", words)
    assert message.to == ["kim@example.org"]


def test_taken_address_answers_like_a_free_one(client, db, form):
    make.member("Kim", email="kim@example.org")

    taken = client.post(reverse("account_signup"), form)
    free = client.post(reverse("account_signup"), form | {"email": "other@example.org"})

    assert (taken.status_code, taken.url) == (free.status_code, free.url)
    assert Member.objects.filter(email="kim@example.org").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "no address"), ("display_name", ""), ("display_name", "kim@example.org"), ("password1", "short")],
)
def test_bad_entry_keeps_what_was_typed_and_makes_nobody(client, db, form, field, value):
    response = client.post(reverse("account_signup"), form | {field: value})

    assert Member.objects.count() == 0
    assert response.context["form"].errors.keys() == {field}
    assert "What you typed is still here" in response.content.decode()


def test_new_member_speaks_the_language_they_signed_up_in(client, db, form):
    client.post(reverse("account_signup"), form, headers={"accept-language": "es"})

    assert Member.objects.get().language == "es"


def test_reminders_are_a_consent_with_its_words(cast, sign_in):
    client = sign_in(cast.mia)

    client.post(reverse("members:reminders"), {"wanted": "yes"})
    client.post(reverse("members:reminders"), {"wanted": "yes"})
    given = Consent.objects.get(member=cast.mia)
    client.post(reverse("members:reminders"), {"wanted": "no"})

    assert given.text == "Send me a short e-mail before my meetings. It names no group and no reason."
    assert Consent.objects.get(member=cast.mia).withdrawn_at is not None


def test_leaving_the_page_ends_the_session_somewhere_plain(cast, sign_in, settings):
    client = sign_in(cast.mia)

    response = client.post(reverse("members:leave_page"))

    assert response.url == settings.LEAVE_URL
    assert client.get(reverse("my_week")).status_code == 302


def test_member_is_a_code_in_text(cast):
    assert re.fullmatch(r"M-[2-9A-HJ-NP-Z]{6}", str(cast.mia))
