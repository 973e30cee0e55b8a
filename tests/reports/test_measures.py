"""Each figure, counted by hand."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from meetings.models import Meeting, Participation
from reports import figures, measures
from tests import make

NONE = dict.fromkeys((count.name for count in measures.COUNTS), 0)


@pytest.fixture
def counted(cast):
    """One meeting held with 12 places and everything that can be noted about a person, once; 2 without a name.

    Beside it an open roster, a cancelled meeting and one that did not take place, each with people in it.
    """
    long_ago = timezone.now() - timedelta(days=10)
    held = make.meeting(cast.willow, starts_at=long_ago, status=Meeting.Status.HELD, headcount=2)
    everything = [(rsvp, attendance) for rsvp in RSVPS for attendance in ATTENDANCES]
    for (rsvp, attendance), member in zip(everything, make.members(len(everything)), strict=True):
        make.participation(held, member, rsvp=rsvp, attendance=attendance)
    others = (Meeting.Status.SCHEDULED, Meeting.Status.CANCELLED, Meeting.Status.DID_NOT_MEET)
    for days, status in enumerate(others, start=1):
        other = make.meeting(cast.willow, starts_at=long_ago + timedelta(hours=days), status=status, headcount=3)
        make.participation(other, cast.mia, attendance=Participation.Attendance.PRESENT)
    return figures.exact([cast.willow.pk], date(2000, 1, 1), timezone.now().date()).total


RSVPS = [None, "going", "declined", "waitlisted"]
ATTENDANCES = [None, "present", "late", "left_early", "absent", "excused"]


def test_every_count_is_as_counted_by_hand(counted):
    assert counted == {
        "held": 1,
        "roster_open": 1,
        "places": 12,
        "said_going": 6,  # with each attendance, and none
        "came": 12,  # 3 ways of coming, whatever was answered
        "going_and_came": 3,
        "not_there": 1,
        "excused": 1,
        "not_noted": 1,
        "walk_ins": 9,  # 3 ways of coming, without the answer “going”
        "no_name": 2,
    }


def test_those_going_came_were_not_there_were_excused_or_not_noted(counted):
    parts = ("going_and_came", "not_there", "excused", "not_noted")

    assert counted["said_going"] == sum(counted[part] for part in parts)
    assert counted["came"] == counted["going_and_came"] + counted["walk_ins"]


def test_shares_divide_what_they_say(counted):
    assert measures.CAME_OF_GOING.of(counted) == 50  # 3 of 6
    assert measures.CAME_OF_PLACES.of(counted) == 100  # 12 of 12


@pytest.mark.parametrize(
    ("came", "going", "percent"),
    [(0, 7, 0), (1, 3, 33), (2, 3, 67), (1, 8, 13), (1, 200, 1), (1, 201, 0), (7, 7, 100), (3, 0, None), (0, 0, None)],
)
def test_percent_is_whole_rounds_half_up_and_is_nothing_without_a_denominator(came, going, percent):
    assert measures.CAME_OF_GOING.of(NONE | {"going_and_came": came, "said_going": going}) == percent


def test_nothing_adds_up_to_zero():
    assert measures.total([]) == NONE


def test_total_adds_each_count():
    assert measures.total([NONE | {"came": 3, "held": 1}, NONE | {"came": 4}]) == NONE | {"came": 7, "held": 1}


def test_every_measure_says_what_it_means():
    for measure in measures.ATTENDANCE:
        assert measure.label
        assert str(measure.definition).endswith(".")
        assert measure.unit


def test_what_sums_only_show_cannot_be_subtracted_to_find_who_was_not_there():
    parts = {"going_and_came", "not_there", "excused", "not_noted", "walk_ins", "no_name", "came_of_going_percent"}

    assert not parts & {measure.name for measure in measures.ATTENDANCE_OF_ALL}
