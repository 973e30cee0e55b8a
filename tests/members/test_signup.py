import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import Consent, Member
from tests import make
from tests.smtp_server import free_port


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
    make.member("Kim", email="kim@example.org", joined_at=timezone.now() - timedelta(days=1))

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

    choices = {"lead": "days", "wording": "neutral"}
    client.post(reverse("meetings:reminders"), choices | {"wanted": "on"})
    client.post(reverse("meetings:reminders"), choices | {"wanted": "on"})
    given = Consent.objects.get(member=cast.mia)
    client.post(reverse("meetings:reminders"), choices)

    assert given.text == "Send me a short e-mail before my meetings. It names no group and no reason."
    assert Consent.objects.get(member=cast.mia).withdrawn_at is not None


def test_leaving_the_page_ends_the_session_somewhere_plain(cast, sign_in, settings):
    client = sign_in(cast.mia)

    response = client.post(reverse("members:leave_page"))

    assert response.url == settings.LEAVE_URL
    assert client.get(reverse("my_week")).status_code == 302


def test_member_is_a_code_in_text(cast):
    assert re.fullmatch(r"M-[2-9A-HJ-NP-Z]{6}", str(cast.mia))


@pytest.mark.parametrize(
    "name",
    [
        "\u200b",
        "\u2060\u2060",
        "\u2800",
        "\u3164",
        "Ri\u202ever",
        "\u2067River",
        "Ri\u200bver",
        "River\x00",
        "…",
        "\ue000",
    ],
    ids=ascii,
)
def test_name_that_cannot_be_seen_or_turns_text_around_is_refused(client, db, form, name):
    response = client.post(reverse("account_signup"), form | {"display_name": name})

    assert response.context["form"].errors.keys() == {"display_name"}
    assert Member.objects.count() == 0


@pytest.mark.parametrize("name", ["Ñandú", "Zoë 🌻", "小川", "علي", "J", "7"])
def test_name_in_any_script_is_welcome(client, db, form, name):
    client.post(reverse("account_signup"), form | {"display_name": name})

    assert Member.objects.get().display_name == name


@pytest.mark.parametrize("attempt", range(5))
def test_two_sign_ups_at_once_make_one_member_and_no_error(transactional_db, form, attempt):
    cache.clear()  # its limits on mail per address outlive the test
    together = threading.Barrier(2)

    def sign_up(_):
        client = Client(raise_request_exception=False)
        together.wait()
        try:
            response = client.post(reverse("account_signup"), form)
            return response.status_code, response.headers.get("Location")
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(sign_up, range(2)))

    assert answers == [(302, reverse("account_email_verification_sent"))] * 2
    assert Member.objects.get().emailaddress_set.count() == 1


def test_second_tap_leaves_the_code_of_the_first_good(client, db, form):
    first = client.post(reverse("account_signup"), form)
    second = client.post(reverse("account_signup"), form)
    client.post(reverse("account_email_verification_sent"), {"code": code_from(mail.outbox[0])})

    assert (first.status_code, first.url) == (second.status_code, second.url)
    assert len(mail.outbox) == 1
    assert client.get(reverse("my_week")).status_code == 200


def test_mail_server_away_neither_fails_nor_tells_who_has_an_account(cast, form, settings, caplog):
    Member.objects.update(joined_at=timezone.now() - timedelta(days=1))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()

    def answers(email):
        sent = {
            "account_signup": form | {"email": email},
            "account_reset_password": {"email": email},
            "account_request_login_code": {"email": email},
        }
        found = [Client().post(reverse(name), fields) for name, fields in sent.items()]
        return [(answer.status_code, answer.headers.get("Location")) for answer in found]

    known, unknown = answers(cast.mia.email), answers("nobody@example.org")

    assert known == unknown
    assert {status for status, _ in known} == {302}
    said = [record.getMessage() for record in caplog.records if record.name == "members.adapter"]
    assert set(said) == {"account mail not sent: ConnectionRefusedError"}
