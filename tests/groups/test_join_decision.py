"""Asking to join, and hearing what became of it."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from groups import services
from groups.models import Group, Membership
from meetings.services import leave_group
from outbox import kinds
from outbox.kinds import Letter, Unwanted
from outbox.models import Email
from tests.admin_pages import run_action

MEMBERSHIPS = "/admin/groups/membership/"
TELLS = re.compile(
    r"\b(recover|sober|addict|alcohol|relapse|craving|treatment|counsel|AA|NA|group|Cedar|Nora|Dan)\b", re.IGNORECASE
)


@pytest.fixture
def asked(cast):
    Group.objects.filter(pk=cast.cedar.pk).update(is_listed=True)
    return services.join_group(cast.cedar, by=cast.vera, agreement=None)


def letters() -> list[Letter | Unwanted]:
    emails = list(Email.objects.filter(kind="join_decision").order_by("queued_at").select_related("recipient"))
    answers = kinds.get("join_decision").prepare(emails)
    return [answers[email.pk] for email in emails]


def words_of(letter) -> str:
    return f"{letter.subject} {letter.text} {letter.html}"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (services.approve_request, "You asked to join. The answer is yes."),
        (services.decline_request, "You asked to join. Right now there is no place for you there."),
    ],
)
def test_who_asked_hears_the_answer_in_a_mail_that_tells_nothing(cast, asked, answer, words):
    assert answer(asked, by=cast.dan) is True
    assert answer(asked, by=cast.dan) is False

    [letter] = letters()
    assert Email.objects.get().recipient == cast.vera
    assert letter.subject.strip() == "An answer for you"
    assert words in letter.text
    assert words in letter.html
    assert not TELLS.search(re.sub(r"<style>.*?</style>", "", words_of(letter), flags=re.DOTALL))
    assert "/groups/" not in words_of(letter)


def test_no_is_said_with_other_meetings_and_somebody_to_talk_to(cast, asked):
    services.decline_request(asked, by=cast.dan)

    [letter] = letters()

    assert "/meetings/" in letter.text
    assert "Call or text 988" in letter.text


def test_answer_is_told_in_the_language_of_who_asked(cast, asked):
    type(cast.vera).objects.filter(pk=cast.vera.pk).update(language="es")
    services.approve_request(asked, by=cast.dan)

    [letter] = letters()

    assert '<html lang="es">' in letter.html


def test_who_asks_again_hears_again(cast, asked):
    services.decline_request(asked, by=cast.dan)
    services.join_group(cast.cedar, by=cast.vera, agreement=None)
    services.approve_request(asked, by=cast.dan)

    first, second = letters()

    assert first == Unwanted("they have asked again or joined since")
    assert "The answer is yes." in second.text


def test_answer_that_no_longer_holds_is_not_sent(cast, asked):
    services.approve_request(asked, by=cast.dan)
    leave_group(cast.cedar, by=cast.vera)
    assert letters() == [Unwanted("they have left since")]

    services.join_group(cast.cedar, by=cast.vera, agreement=None)
    assert letters() == [Unwanted("they have asked again or joined since")]


def test_closed_account_is_told_nothing(cast, asked):
    services.approve_request(asked, by=cast.dan)
    type(cast.vera).objects.filter(pk=cast.vera.pk).update(is_active=False)

    assert letters() == [Unwanted("the account is closed")]


def test_counselor_answers_in_the_admin_and_the_person_hears(cast, asked, sign_in):
    run_action(sign_in(cast.dan), MEMBERSHIPS, "decline_requests", asked, confirmed="yes")

    asked.refresh_from_db()
    assert asked.was_declined
    assert Email.objects.filter(kind="join_decision", recipient=cast.vera).count() == 1


def test_answer_is_news_in_my_week(cast, asked, sign_in):
    services.approve_request(asked, by=cast.dan)

    assert "You are in." in sign_in(cast.vera).get(reverse("my_week")).content.decode()


# The group's page


def page_of(client, group) -> str:
    return client.get(group.get_absolute_url()).content.decode()


def test_page_says_since_when_one_has_asked_by_the_clock_of_the_group(cast, asked, sign_in):
    Membership.objects.filter(pk=asked.pk).update(requested_at="2026-11-20T02:00Z")

    assert "You asked to join on Thursday, November 19." in page_of(sign_in(cast.vera), cast.cedar)


def test_page_says_no_kindly_and_what_to_do_next(cast, asked, sign_in):
    services.decline_request(asked, by=cast.dan)

    page = page_of(sign_in(cast.vera), cast.cedar)

    for words in ("Right now this group has no place for you.", "Find another meeting", "Ask once more"):
        assert words in page
    assert "You ask, and a counselor answers." not in page


def test_somebody_who_only_left_is_not_told_no(cast, asked, sign_in):
    services.approve_request(asked, by=cast.dan)
    leave_group(cast.cedar, by=cast.vera)

    page = page_of(sign_in(cast.vera), cast.cedar)

    assert "no place for you" not in page
    assert "You ask, and a counselor answers." in page


def test_asking_twice_keeps_the_first_place_in_the_line(cast, asked):
    earlier = timezone.now() - timedelta(days=3)
    Membership.objects.filter(pk=asked.pk).update(requested_at=earlier)

    again = services.join_group(cast.cedar, by=cast.vera, agreement=None)

    assert again.status == "requested"
    assert Membership.objects.get(pk=asked.pk).requested_at == earlier


def test_who_has_asked_is_not_asked_to_ask_again(cast, asked, sign_in):
    response = sign_in(cast.vera).get(reverse("groups:group_join", args=["cedar"]), follow=True)

    assert response.redirect_chain == [(cast.cedar.get_absolute_url(), 302)]
    assert "You have asked already. A counselor will answer." in response.content.decode()


def test_settings_and_the_page_of_ones_group_lead_to_the_reminders(cast, sign_in):
    client = sign_in(cast.mia)

    for page in (client.get(reverse("members:settings")).content.decode(), page_of(client, cast.willow)):
        assert f'href="{reverse("meetings:reminders")}"' in page


def test_open_group_needs_no_answer(cast):
    membership = services.join_group(cast.willow, by=cast.vera, agreement=None)

    assert membership.decided_at is None
    assert not Email.objects.exists()
