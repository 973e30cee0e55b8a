"""What each button says came of it, also when things changed while the page was open; and taking an answer back."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from meetings import services
from meetings.access import answer_token
from meetings.models import Meeting, Participation
from tests import make


def rsvp(client, meeting, answer):
    response = client.post(reverse("meetings:meeting_rsvp", args=[meeting.pk]), {"answer": answer}, follow=True)
    return response.content.decode()


def mine(cast):
    return Participation.objects.get(meeting=cast.willow_meeting, member=cast.mia)


def fill_up(cast, *people):
    Meeting.objects.filter(pk=cast.willow_meeting.pk).update(capacity=1)
    for member in people:
        services.answer_going(cast.willow_meeting, by=member)


def test_taking_back_the_first_answer_leaves_none(cast, sign_in):
    client = sign_in(cast.mia)

    going = rsvp(client, cast.willow_meeting, "going")
    undone = rsvp(client, cast.willow_meeting, "undo")

    assert 'value="undo"' in going
    assert "Your answer is what it was before." in undone
    assert mine(cast).rsvp is None
    assert Meeting.objects.get(pk=cast.willow_meeting.pk).places_taken == 0


def test_taking_back_leaving_the_line_gives_back_the_place_in_line(cast, sign_in):
    make.membership(cast.willow, cast.vera)
    fill_up(cast, cast.max, cast.mia, cast.vera)
    since = mine(cast).rsvp_at
    client = sign_in(cast.mia)
    rsvp(client, cast.willow_meeting, "declined")

    page = rsvp(client, cast.willow_meeting, "undo")

    assert "You are number 1 on the waiting list" in page
    assert mine(cast).rsvp_at == since


def test_taking_back_when_somebody_else_has_the_place_is_first_in_line(cast, sign_in):
    for member in (cast.vera, cast.nora):
        make.membership(cast.willow, member)
    fill_up(cast, cast.mia, cast.max, cast.vera)
    client = sign_in(cast.mia)
    rsvp(client, cast.willow_meeting, "declined")

    page = rsvp(client, cast.willow_meeting, "undo")

    assert "Somebody else has the place by now. You are first on the waiting list." in page
    assert "You are number 1 on the waiting list" in page
    assert Participation.objects.get(member=cast.max).rsvp == "offered"


def test_taking_back_a_taken_offer_keeps_the_offer(cast, sign_in):
    offered = make.participation(cast.willow_meeting, cast.mia, rsvp="offered")
    client = sign_in(cast.mia)
    rsvp(client, cast.willow_meeting, "going")

    page = rsvp(client, cast.willow_meeting, "undo")

    assert "A place is kept for you." in page
    assert mine(cast).offer_expires_at == offered.offer_expires_at


def test_nothing_can_be_taken_back_after_ten_minutes(cast, sign_in):
    client = sign_in(cast.mia)
    rsvp(client, cast.willow_meeting, "going")

    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        page = client.get(cast.willow_meeting.get_absolute_url()).content.decode()
        said = rsvp(client, cast.willow_meeting, "undo")

    assert 'value="undo"' not in page
    assert "nothing to take back any more" in said
    assert mine(cast).rsvp == "going"


def test_second_click_on_undo_changes_nothing(cast, sign_in):
    client = sign_in(cast.mia)
    rsvp(client, cast.willow_meeting, "going")
    rsvp(client, cast.willow_meeting, "declined")
    rsvp(client, cast.willow_meeting, "undo")

    page = rsvp(client, cast.willow_meeting, "undo")

    assert "This is how it stands." in page
    assert mine(cast).rsvp == "going"


def test_answer_given_elsewhere_since_is_not_taken_back(cast, sign_in):
    client = sign_in(cast.mia)
    rsvp(client, cast.willow_meeting, "going")
    services.answer_declined(cast.willow_meeting, by=cast.mia)

    rsvp(client, cast.willow_meeting, "undo")

    assert mine(cast).rsvp == "declined"


def test_double_click_still_takes_back_to_before_the_first(cast, sign_in):
    client = sign_in(cast.mia)
    for _click in range(2):
        rsvp(client, cast.willow_meeting, "going")

    rsvp(client, cast.willow_meeting, "undo")

    assert mine(cast).rsvp is None


def test_meeting_that_filled_up_says_the_place_in_line(cast, sign_in):
    fill_up(cast, cast.max)

    page = rsvp(sign_in(cast.mia), cast.willow_meeting, "going")

    assert "You are on the waiting list, number 1." in page
    assert "You have a place." not in page


@pytest.mark.parametrize("answer", ["going", "declined"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "cancelled"}, "This meeting was cancelled in the meantime."),
        ({"starts_at": timezone.now() - timedelta(minutes=1)}, "This meeting has begun"),
    ],
)
def test_meeting_that_is_off_or_has_begun_answers_calmly_and_changes_nothing(cast, sign_in, change, words, answer):
    make.participation(cast.willow_meeting, cast.mia, rsvp="waitlisted")
    Meeting.objects.filter(pk=cast.willow_meeting.pk).update(**change)

    response = sign_in(cast.mia).post(
        reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": answer}
    )

    assert response.status_code == 409
    assert words in response.content.decode()
    assert mine(cast).rsvp == "waitlisted"


def test_group_left_meanwhile_is_said(cast, sign_in):
    services.leave_group(cast.willow, by=cast.mia)

    response = sign_in(cast.mia).post(
        reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": "declined"}
    )

    assert response.status_code == 409
    assert "You are not in this group" in response.content.decode()


def test_closed_account_answers_nothing_by_mail(cast):
    token = answer_token(cast.willow_meeting.pk, cast.mia.pk)
    type(cast.mia).objects.filter(pk=cast.mia.pk).update(is_active=False)

    response = Client().post(reverse("meetings:answer_from_mail", args=[token]), {"answer": "going"})

    assert response.status_code == 404
    assert not Participation.objects.exists()


def test_answer_by_mail_says_the_place_in_line_and_can_be_changed(cast):
    fill_up(cast, cast.max)
    url = reverse("meetings:answer_from_mail", args=[answer_token(cast.willow_meeting.pk, cast.mia.pk)])

    waiting = Client().post(url, {"answer": "going"}).content.decode()
    off = Client().post(url, {"answer": "declined"}).content.decode()

    assert "You are number 1 on the waiting list" in waiting
    assert "Leave the list" in waiting
    assert "Thank you for telling us." in off
    assert mine(cast).rsvp == "declined"


def test_meeting_shows_ones_own_clock_beside_its_own(cast, client, settings):
    client.cookies[settings.ZONE_COOKIE_NAME] = "Europe/Berlin"

    assert "Where you are:" in client.get(cast.willow_meeting.get_absolute_url()).content.decode()
