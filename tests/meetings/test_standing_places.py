"""Who comes every week has a place at each coming date, in the order they asked, and never over the capacity."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from groups.models import Membership
from meetings import services
from meetings.models import Meeting, Participation
from meetings.services.standing import fill_standing_places
from tests import make


def answers(meeting):
    rows = Participation.objects.filter(meeting=meeting).order_by("rsvp", "rsvp_at")
    return [(row.member.display_name, row.rsvp) for row in rows.select_related("member")]


def come_every_week(cast, *people):
    for member in people:
        services.come_every_week(cast.willow, by=member)


def test_coming_every_week_answers_for_every_coming_date_at_once(cast):
    later = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9))
    begun = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=5))
    off = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=16), status="cancelled")

    come_every_week(cast, cast.mia)

    assert [answers(meeting) for meeting in (cast.willow_meeting, later)] == [[("Mia", "going")]] * 2
    assert [answers(meeting) for meeting in (begun, off)] == [[], []]


def test_places_go_in_the_order_people_asked_and_the_rest_wait(cast):
    make.membership(cast.willow, cast.vera)
    come_every_week(cast, cast.max, cast.vera, cast.mia)
    new = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9), capacity=1)

    services.fill_all_standing_places()

    assert answers(new) == [("Max", "going"), ("Vera", "waitlisted"), ("Mia", "waitlisted")]
    new.refresh_from_db()
    assert new.places_taken == 1


def test_an_answer_for_a_date_counts_more(cast):
    services.answer_declined(cast.willow_meeting, by=cast.mia)

    come_every_week(cast, cast.mia)
    services.fill_all_standing_places()

    assert answers(cast.willow_meeting) == [("Mia", "declined")]


def test_new_dates_of_a_series_have_the_answers_at_once(cast):
    come_every_week(cast, cast.mia)
    series = make.series(cast.willow)

    services.extend_series()

    made = Meeting.objects.filter(series=series)
    assert made.count() > 10
    assert Participation.objects.filter(meeting__in=made, member=cast.mia, rsvp="going").count() == made.count()


@pytest.mark.parametrize("status", ["left", "removed", "requested"])
def test_only_who_is_in_the_group_is_answered_for(cast, status):
    come_every_week(cast, cast.mia)
    Membership.objects.filter(member=cast.mia).update(status=status)
    new = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9))

    fill_standing_places(cast.willow)

    assert answers(new) == []


def test_who_closed_their_account_is_not_answered_for(cast):
    come_every_week(cast, cast.mia)
    type(cast.mia).objects.filter(pk=cast.mia.pk).update(is_active=False)
    new = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9))

    services.fill_all_standing_places()

    assert answers(new) == []


def test_new_ground_rules_come_before_the_next_place(cast, sign_in):
    client = sign_in(cast.mia)
    come_every_week(cast, cast.mia)
    rules = make.agreement(cast.willow, text="New rules.")
    new = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9))

    services.fill_all_standing_places()
    assert answers(new) == []
    assert "new ground rules" in client.get(cast.willow.get_absolute_url()).content.decode()
    assert "new ground rules" in client.get(new.get_absolute_url()).content.decode()

    client.post(reverse("groups:group_join", args=["willow"]), {"accept": "on", "agreement": rules.pk})
    services.fill_all_standing_places()
    assert answers(new) == [("Mia", "going")]


def test_stopping_keeps_the_places_and_a_second_button_frees_them(cast, sign_in):
    client, url = sign_in(cast.mia), reverse("meetings:group_standing", args=["willow"])
    client.post(url, {"every_week": "yes"})

    client.post(url, {"every_week": "no"})
    new = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9))
    services.fill_all_standing_places()
    assert (answers(cast.willow_meeting), answers(new)) == ([("Mia", "going")], [])

    client.post(url, {"every_week": "free"})
    assert answers(cast.willow_meeting) == [("Mia", "declined")]


def test_leaving_ends_it(cast):
    come_every_week(cast, cast.mia)

    services.leave_group(cast.willow, by=cast.mia)

    mine = Membership.objects.get(member=cast.mia)
    assert (mine.standing_rsvp, mine.standing_since) == (False, None)


def test_stranger_cannot_come_every_week(cast, sign_in):
    address = reverse("meetings:group_standing", args=["willow"])

    page = sign_in(cast.vera).post(address, {"every_week": "yes"}, follow=True).content.decode()

    assert "You are not in this group, so nothing was changed." in page
    assert answers(cast.willow_meeting) == []


@pytest.mark.django_db(transaction=True)
def test_ordinary_answers_at_the_same_moment_never_pass_the_capacity(cast):
    people = make.members(12)
    for number, member in enumerate(people):
        standing = {"standing_rsvp": True, "standing_since": timezone.now()} if number % 2 else {}
        make.membership(cast.willow, member, **standing)
    meetings = [
        make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=number), capacity=4)
        for number in range(3, 9)
    ]
    together = threading.Barrier(4)

    def run(action):
        together.wait(10)
        try:
            action()
        finally:
            connection.close()

    def answer(some):
        for meeting in meetings:
            for member in some:
                services.answer_going(meeting, by=member)

    with ThreadPoolExecutor(4) as pool:
        work = [
            services.fill_all_standing_places,
            services.fill_all_standing_places,
            lambda: answer(people[:6]),
            lambda: answer(people[6:]),
        ]
        for future in [pool.submit(run, action) for action in work]:
            future.result()

    for meeting in meetings:
        rows = Participation.objects.filter(meeting=meeting)
        meeting.refresh_from_db()
        assert (rows.holding_a_place().count(), meeting.places_taken, rows.in_line().count()) == (4, 4, 8)
