"""Two people at one meeting at the same moment, the one half-way when the other begins."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.utils import timezone

from groups.models import Membership
from meetings import services
from meetings.models import Meeting, MeetingSeries, Participation
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def half_way(action):
    """`action` has done its work in a transaction of its own, which ends when the block does."""
    done, go_on = threading.Event(), threading.Event()

    def run():
        try:
            with transaction.atomic():
                action()
                done.set()
                assert go_on.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        assert done.wait(10)
        yield
        go_on.set()
        running.result()


def start(action):
    """Begin `action` in another thread and give it a moment to come as far as it can."""
    pool = ThreadPoolExecutor(1)

    def run():
        try:
            return action()
        finally:
            connection.close()

    future = pool.submit(run)
    threading.Event().wait(0.3)
    pool.shutdown(wait=False)
    return future


def test_nobody_takes_a_place_while_they_leave(cast):
    with half_way(lambda: services.leave_group(cast.willow, by=cast.mia)):
        answer = start(lambda: services.answer_going(cast.willow_meeting, by=cast.mia))

    assert answer.result(10) is None
    assert not Participation.objects.filter(member=cast.mia).exists()


def test_leaving_waits_for_the_meetings_before_it_touches_the_membership(cast):
    """Everybody takes rows in this order; the other way round, leaving and answering could wait for each other."""
    mine = Membership.objects.filter(group=cast.willow, member=cast.mia)
    with transaction.atomic():
        Meeting.objects.select_for_update(no_key=True).get(pk=cast.willow_meeting.pk)
        left = start(lambda: services.leave_group(cast.willow, by=cast.mia))

        assert mine.select_for_update(nowait=True).get().status == "active"

    assert left.result(10) is True


def test_place_taken_just_before_leaving_is_given_back(cast):
    with half_way(lambda: services.answer_going(cast.willow_meeting, by=cast.mia)):
        left = start(lambda: services.leave_group(cast.willow, by=cast.mia))

    assert left.result(10) is True
    assert Participation.objects.get(member=cast.mia).rsvp == "declined"
    assert Meeting.objects.get(pk=cast.willow_meeting.pk).places_taken == 0


def test_standing_places_count_a_place_that_is_just_being_taken(cast):
    Membership.objects.filter(member=cast.max).update(standing_rsvp=True, standing_since=timezone.now())
    Meeting.objects.filter(pk=cast.willow_meeting.pk).update(capacity=1)

    with half_way(lambda: services.answer_going(cast.willow_meeting, by=cast.mia)):
        filled = start(services.fill_all_standing_places)

    assert filled.result(10) == 1
    assert Participation.objects.get(member=cast.max).rsvp == "waitlisted"


def test_nobody_is_given_a_standing_place_while_they_leave(cast):
    Membership.objects.filter(member=cast.mia).update(standing_rsvp=True, standing_since=timezone.now())

    with half_way(lambda: services.leave_group(cast.willow, by=cast.mia)):
        filled = start(services.fill_all_standing_places)

    assert filled.result(10) == 0
    assert not Participation.objects.filter(member=cast.mia).exists()


def test_moving_a_series_leaves_a_date_cancelled_that_is_just_being_cancelled(cast):
    series = make.series(cast.willow)
    services.extend_series()
    meeting = Meeting.objects.filter(series=series).in_order()[2]
    MeetingSeries.objects.filter(pk=series.pk).update(start_time="20:15")

    with half_way(lambda: services.cancel_meeting(meeting, by=cast.carol, reason="closed")):
        moved = start(lambda: services.follow_series(series, by=cast.carol))

    assert moved.result(10) > 0
    as_now = Meeting.objects.get(pk=meeting.pk)
    assert (as_now.status, as_now.starts_at) == ("cancelled", meeting.starts_at)


def test_moving_a_series_keeps_the_count_of_places_while_people_answer(cast):
    people = make.members(30)
    for member in people:
        make.membership(cast.willow, member)
    series = make.series(cast.willow, weekdays=[0, 1, 2, 3, 4, 5, 6])
    services.extend_series()
    meetings = list(Meeting.objects.filter(series=series).order_by("-starts_at")[:6])
    stop = threading.Event()

    def answer(some):
        try:
            while not stop.is_set():
                for number, member in enumerate(some):
                    services.answer_going(meetings[number % len(meetings)], by=member)
                    services.answer_declined(meetings[number % len(meetings)], by=member)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(answer, people[number::2]) for number in range(2)]
        for hour in (17, 18, 19):
            MeetingSeries.objects.filter(pk=series.pk).update(start_time=f"{hour}:00")
            services.follow_series(series, by=None)
        stop.set()
        for future in running:
            future.result()

    counted = {
        meeting.pk: Participation.objects.filter(meeting=meeting).holding_a_place().count()
        for meeting in Meeting.objects.filter(series=series)
    }
    assert dict(Meeting.objects.filter(series=series).values_list("pk", "places_taken")) == counted
    assert Membership.objects.active().filter(group=cast.willow).count() == len(people) + 2
