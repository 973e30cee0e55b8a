"""The way out: one click without signing in, safe to be looked at by any scanner (EML-01, EML-02, RFC 8058)."""

import re

import pytest
import time_machine
from django.core import signing
from django.test import Client

from groups.models import Membership
from meetings import services as meetings
from members.models import Consent
from members.services import give_consent
from outbox import services
from outbox.links import signed
from outbox.models import Email
from tests import make


@pytest.fixture
def link(cast):
    """Mia's way out of reminders; she has a place at Willow's meeting."""
    give_consent(cast.mia, Consent.Kind.REMINDERS)
    meetings.answer_going(cast.willow_meeting, by=cast.mia)
    return address_of(Email(recipient=cast.mia, kind="reminder", about_id=cast.willow_meeting.pk))


def address_of(email):
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


def muted(member):
    return set(Membership.objects.filter(member=member, is_muted=True).values_list("group__slug", flat=True))


def test_page_offers_to_stop_only_what_comes_from_one_group_and_does_not_name_it(cast, link):
    make.membership(cast.cedar, cast.mia)
    browser = Client()
    offered = browser.get(link).content.decode()

    answers = [browser.post(link, {"only": "there"}) for _click in range(2)]

    assert 'name="only" value="there"' in offered
    assert "Willow" not in offered + answers[0].content.decode()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "Reminders from other groups go on." in answers[1].content.decode()
    assert (muted(cast.mia), has_reminders(cast.mia)) == ({"willow"}, True)


def test_one_click_stops_the_kind_and_not_only_the_group(cast, link):
    Client().post(link, {"List-Unsubscribe": "One-Click"})

    assert (muted(cast.mia), has_reminders(cast.mia)) == (set(), False)


def test_link_says_whose_mail_and_stops_nobody_elses(cast, link):
    for chosen in ({"only": "there"}, {}):
        Client().post(address_of(Email(recipient=cast.nora, kind="reminder", about_id=cast.willow_meeting.pk)), chosen)

    assert (muted(cast.mia), muted(cast.nora), has_reminders(cast.mia)) == (set(), set(), True)


def test_link_of_a_meeting_that_is_gone_says_the_same(cast, link):
    cast.willow_meeting.delete()

    assert Client().post(link, {"only": "there"}).status_code == 200
    assert has_reminders(cast.mia)


def test_link_of_a_mail_from_before_groups_could_be_stopped_still_stops_all(cast, link):
    old = signing.dumps([str(cast.mia.pk), "reminder"], salt=services.UNSUBSCRIBE_SALT)
    offered = Client().get(f"/u/{old}/").content.decode()

    Client().post(f"/u/{old}/", {"only": "there"})

    assert 'value="there"' not in offered
    assert not has_reminders(cast.mia)


def test_what_is_signed_for_a_link_is_what_django_signs():
    words = ["Mía", "reminder", ""]

    with time_machine.travel("2026-11-22 10:00Z", tick=False):
        assert [signed(words, salt=salt) for salt in "ab"] == [signing.dumps(words, salt=salt) for salt in "ab"]


def test_tries_of_others_do_not_stop_the_one_click_of_anybody(cast, link):
    """Providers press the links of many from one address; only links that are not ours are counted by address."""
    tries = [Client().post(f"/u/guess-{number}/").status_code for number in range(61)]

    assert tries == [200] * 60 + [429]
    assert Client().get("/u/guess/").status_code == 429
    assert Client().get(link).status_code == 200
    assert Client().post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not has_reminders(cast.mia)


def test_one_link_pressed_without_end_rests_and_no_other_does(cast, link):
    other = address_of(Email(recipient=cast.max, kind="reminder", about_id=cast.willow_meeting.pk))

    assert [Client().post(link).status_code for _press in range(31)] == [200] * 30 + [429]
    assert Client().get(link).status_code == 200
    assert Client().post(other).status_code == 200


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

    assert Client().post(address_of(email)).status_code == 200
    assert has_reminders(cast.mia)


def test_token_of_someone_who_left_for_good_says_the_same(cast):
    gone = make.member("Gone", reminders=True)
    link = address_of(Email(recipient=gone, kind="reminder"))
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
