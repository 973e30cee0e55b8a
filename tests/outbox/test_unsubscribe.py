"""The way out: one click without signing in, safe to be looked at by any scanner (EML-01, EML-02, RFC 8058)."""

import re

import pytest
from django.test import Client

from meetings import services as meetings
from members.models import Consent
from members.services import give_consent
from outbox import services
from outbox.models import Email
from tests import make


@pytest.fixture
def link(cast):
    """Mia's way out of reminders; she has a place at Willow's meeting."""
    give_consent(cast.mia, Consent.Kind.REMINDERS)
    meetings.answer_going(cast.willow_meeting, by=cast.mia)
    email = Email(recipient=cast.mia, kind="reminder")
    return services.unsubscribe_url(email).removeprefix("http://localhost:8000")


def has_reminders(member):
    return Consent.objects.standing().filter(member=member, kind=Consent.Kind.REMINDERS).exists()


def read(response):
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(cast, link, method):
    response = getattr(Client(), method)(link)

    assert response.status_code == 200
    assert has_reminders(cast.mia)


def test_one_click_post_works_without_cookie_sign_in_or_form_token(cast, link):
    stranger = Client(enforce_csrf_checks=True)

    response = stranger.post(link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")

    assert response.status_code == 200
    assert not has_reminders(cast.mia)


def test_second_click_says_the_same(cast, link):
    answers = [Client().post(link, {"List-Unsubscribe": "One-Click"}) for _click in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert read(answers[0]) == read(answers[1])


def test_place_and_account_stay(cast, link):
    Client().post(link)

    assert cast.willow_meeting.participations.get(member=cast.mia).rsvp == "going"
    cast.mia.refresh_from_db()
    assert cast.mia.is_active


def test_token_that_is_not_ours_gets_the_same_answer_and_changes_nothing(cast, link):
    true = Client().get(link)
    for token in ("x", "x:y:z", link.split("/")[-2][:-1] + "!"):
        looked, posted = Client().get(f"/u/{token}/"), Client().post(f"/u/{token}/")

        assert (looked.status_code, posted.status_code) == (200, 200)
        assert looked.content.count(b"<button") == true.content.count(b"<button")
    assert has_reminders(cast.mia)


def test_token_of_a_mail_that_cannot_be_switched_off_changes_nothing(cast, link):
    email = Email(recipient=cast.mia, kind="cancelled")

    services.unsubscribe(services.unsubscribe_url(email).split("/")[-2])

    assert has_reminders(cast.mia)


def test_token_of_someone_who_left_for_good_says_the_same(cast):
    gone = make.member("Gone", reminders=True)
    link = services.unsubscribe_url(Email(recipient=gone, kind="reminder")).removeprefix("http://localhost:8000")
    gone.delete()

    assert Client().post(link).status_code == 200


def test_page_names_nobody_and_is_kept_by_nobody(cast, link):
    for response in (Client().get(link), Client().post(link)):
        shown = response.content.decode()

        assert [word for word in ("Mia", cast.mia.email, cast.mia.code, "Willow") if word in shown] == []
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "same-origin"


def test_link_cannot_sign_anybody_in(cast, link):
    browser = Client()
    browser.post(link)

    assert browser.get("/my/").status_code == 302
