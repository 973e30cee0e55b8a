"""When a series meets: pure rules, no database. Wall time and IANA zone in, UTC out (EML-12)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import MO, MONTHLY, WEEKLY, rrule, weekday


def dates(
    *,
    weekdays: Sequence[int],
    every_n_weeks: int = 1,
    nth_of_month: int | None = None,
    since: date,
    first: date,
    last: date,
) -> list[date]:
    """The dates from `first` to `last`, both included, on which a rule in force since `since` meets.

    Weekdays count from Monday = 0. With `nth_of_month` (1 to 4, or -1 for the last) the rule is monthly and
    `every_n_weeks` is not looked at; otherwise weeks are counted from the one that holds `since`.
    """
    if not weekdays:
        return []
    start = datetime.combine(since, time.min)
    if nth_of_month:
        rule = rrule(MONTHLY, byweekday=[weekday(day, nth_of_month) for day in weekdays], dtstart=start)
    else:
        rule = rrule(WEEKLY, interval=every_n_weeks, byweekday=list(weekdays), wkst=MO, dtstart=start)
    found = rule.between(datetime.combine(max(first, since), time.min), datetime.combine(last, time.min), inc=True)
    return [moment.date() for moment in found]


def starts_at(on: date, at: time, zone: str) -> datetime:
    """The moment, in UTC, of a wall time. A time the clock skips is read with the offset before the change, one that
    comes twice is the first (RFC 5545 §3.3.5).
    """
    return datetime.combine(on, at, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def minutes_between(start: time, end: time) -> int:
    """How long a meeting lasts by the clock on the wall; an end before the start is on the next day."""
    day = date(2000, 1, 1)
    length = datetime.combine(day, end) - datetime.combine(day, start)
    return int((length % timedelta(days=1)).total_seconds() // 60)
