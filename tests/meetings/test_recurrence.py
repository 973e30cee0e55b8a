"""The rules of a series against dateutil and the calendar itself, and wall time against the clocks of the world."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from meetings.recurrence import dates, minutes_between, starts_at

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
some_day = st.dates(date(2020, 1, 1), date(2030, 12, 31))
some_weekdays = st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True)


def by_the_book(rule, since, first, last):
    """What RFC 5545 says, as dateutil reads it."""
    start = datetime.combine(since, time.min)
    found = rrulestr(rule, dtstart=start).between(
        datetime.combine(first, time.min), datetime.combine(last, time.min), inc=True
    )
    return [moment.date() for moment in found]


@given(
    since=some_day, ahead=st.integers(-40, 400), length=st.integers(0, 90), weekdays=some_weekdays, n=st.integers(1, 6)
)
def test_every_n_weeks_is_what_rfc_5545_says(since, ahead, length, weekdays, n):
    first = since + timedelta(days=ahead)
    last = first + timedelta(days=length)
    rule = f"FREQ=WEEKLY;WKST=MO;INTERVAL={n};BYDAY={','.join(DAYS[day] for day in weekdays)}"

    found = dates(weekdays=weekdays, every_n_weeks=n, since=since, first=first, last=last)

    assert found == by_the_book(rule, since, first, last)


@given(
    since=some_day,
    ahead=st.integers(-40, 400),
    length=st.integers(0, 200),
    weekdays=some_weekdays,
    nth=st.sampled_from([1, 2, 3, 4, -1]),
)
def test_nth_weekday_of_the_month_is_what_the_calendar_says(since, ahead, length, weekdays, nth):
    first = since + timedelta(days=ahead)
    last = first + timedelta(days=length)

    def fits(on):
        if on.weekday() not in weekdays or on < since:
            return False
        if nth == -1:
            return (on + timedelta(days=7)).month != on.month
        return (on.day - 1) // 7 + 1 == nth

    found = dates(weekdays=weekdays, nth_of_month=nth, since=since, first=first, last=last)

    assert found == [on for on in (first + timedelta(days=n) for n in range(length + 1)) if fits(on)]


@given(since=some_day, weekdays=some_weekdays, n=st.integers(1, 6), cut=st.integers(0, 100))
def test_asking_in_two_parts_finds_the_same_as_asking_once(since, weekdays, n, cut):
    """What makes it safe to make meetings ahead bit by bit."""
    middle, last = since + timedelta(days=cut), since + timedelta(days=100)
    rule = {"weekdays": weekdays, "every_n_weeks": n, "since": since}

    parts = dates(**rule, first=since, last=middle) + dates(**rule, first=middle + timedelta(days=1), last=last)

    assert parts == dates(**rule, first=since, last=last)


def test_rule_without_weekdays_has_no_dates():
    assert dates(weekdays=[], since=date(2026, 1, 1), first=date(2026, 1, 1), last=date(2026, 12, 31)) == []


@given(
    on=some_day,
    at=st.times().map(lambda moment: moment.replace(second=0, microsecond=0, fold=0)),
    zone=st.sampled_from(["America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
)
def test_wall_time_comes_back_from_utc_unless_the_clock_skips_it(on, at, zone):
    moment = starts_at(on, at, zone)
    local = moment.astimezone(ZoneInfo(zone))

    assert moment.tzinfo is UTC
    skipped = local.replace(tzinfo=None) - datetime.combine(on, at)
    assert skipped in (timedelta(), timedelta(minutes=30), timedelta(hours=1))
    if skipped:
        assert local.utcoffset() == ZoneInfo(zone).utcoffset(datetime.combine(on, at, ZoneInfo(zone))) + skipped


@pytest.mark.parametrize(
    ("on", "at", "zone", "utc"),
    [
        # 8 March 2026: two o'clock becomes three. Before, in the gap (the offset before it counts), after.
        ((2026, 3, 7), (18, 30), "America/New_York", "2026-03-07T23:30Z"),
        ((2026, 3, 8), (1, 30), "America/New_York", "2026-03-08T06:30Z"),
        ((2026, 3, 8), (2, 30), "America/New_York", "2026-03-08T07:30Z"),
        ((2026, 3, 8), (3, 30), "America/New_York", "2026-03-08T07:30Z"),
        ((2026, 3, 8), (18, 30), "America/New_York", "2026-03-08T22:30Z"),
        # 1 November 2026: two o'clock becomes one. What comes twice is the first.
        ((2026, 10, 31), (18, 30), "America/New_York", "2026-10-31T22:30Z"),
        ((2026, 11, 1), (1, 30), "America/New_York", "2026-11-01T05:30Z"),
        ((2026, 11, 1), (2, 30), "America/New_York", "2026-11-01T07:30Z"),
        ((2026, 11, 1), (18, 30), "America/New_York", "2026-11-01T23:30Z"),
        # Zones half an hour off, with a change of half an hour, and with none.
        ((2026, 3, 8), (18, 30), "Asia/Kolkata", "2026-03-08T13:00Z"),
        ((2026, 6, 1), (18, 30), "America/St_Johns", "2026-06-01T21:00Z"),
        ((2026, 10, 4), (2, 15), "Australia/Lord_Howe", "2026-10-03T15:45Z"),
        ((2026, 7, 1), (18, 30), "America/Phoenix", "2026-07-02T01:30Z"),
    ],
)
def test_meeting_starts_when_the_clock_on_the_wall_says(on, at, zone, utc):
    assert starts_at(date(*on), time(*at), zone) == datetime.fromisoformat(utc)


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [((18, 30), (20, 0), 90), ((23, 30), (0, 30), 60), ((18, 30), (18, 30), 0), ((0, 0), (23, 59), 1439)],
)
def test_minutes_between_go_past_midnight(start, end, minutes):
    assert minutes_between(time(*start), time(*end)) == minutes
