"""Attendance by group and week, as read from the database.

A meeting belongs to the week of its own local date, Monday to Sunday. Figures are of whole weeks, so that no two
answers differ by a few days only.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone

from . import measures, small_cells
from .measures import ATTENDANCE, ATTENDANCE_OF_ALL, COUNTS, COUNTS_OF_PARTICIPATIONS, Measure, Sums

# Each meeting is summed before anything is joined, and only those of the weeks asked for are read.
MEETINGS = """
WITH met AS (
    SELECT id, group_id, status, capacity, headcount,
           local_date - (extract(isodow FROM local_date)::int - 1) AS week
    FROM meetings_meeting
    WHERE group_id = ANY(%(groups)s) AND local_date BETWEEN %(first)s AND %(last)s
      AND (status = 'held' OR (status = 'scheduled' AND starts_at <= %(now)s))
),
people AS (
    SELECT meeting_id, {people}
    FROM meetings_participation AS participation
    WHERE meeting_id IN (SELECT id FROM met WHERE status = 'held')
    GROUP BY meeting_id
)
"""

BY_GROUP_AND_WEEK = """
{meetings}
SELECT groups_group.id, groups_group.name, met.week, {sums}
FROM met
JOIN groups_group ON groups_group.id = met.group_id
LEFT JOIN people ON people.meeting_id = met.id
GROUP BY groups_group.id, groups_group.name, met.week
ORDER BY groups_group.name, groups_group.id, met.week
"""

# Twelve visits can be one person's: whether a number is small is asked of different people as well.
BY_WEEK = """
{meetings},
persons AS (
    SELECT met.week,
           count(DISTINCT participation.member_id) FILTER (WHERE {going}) AS who_said_going,
           count(DISTINCT participation.member_id) FILTER (WHERE {came}) AS who_came
    FROM met JOIN meetings_participation AS participation ON participation.meeting_id = met.id
    WHERE met.status = 'held'
    GROUP BY met.week
)
SELECT met.week, COALESCE(min(persons.who_said_going), 0), COALESCE(min(persons.who_came), 0), {sums}
FROM met
LEFT JOIN people ON people.meeting_id = met.id
LEFT JOIN persons ON persons.week = met.week
GROUP BY met.week
ORDER BY met.week
"""


@dataclass
class Line:
    """One week. Without sums it is hidden: it holds too few people, or `is_open`, a meeting still to be noted."""

    week: date
    sums: Sums | None
    is_open: bool = False


@dataclass
class Section:
    """The weeks of one group, or (no name) of all groups together."""

    name: str
    lines: list[Line]
    total: Sums | None


@dataclass
class Report:
    first: date
    last: date
    measures: tuple[Measure, ...]
    sections: list[Section] = field(default_factory=list)
    total: Sums | None = None

    @property
    def lines(self) -> int:
        return sum(len(section.lines) for section in self.sections)


def whole_weeks(first: date, last: date) -> tuple[date, date]:
    """The Monday on or before the first day and the Sunday on or after the last."""
    return first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())


def today() -> date:
    return timezone.now().astimezone(ZoneInfo(settings.DEFAULT_TIME_ZONE)).date()


def last_day_of_finished_weeks() -> date:
    """The last Sunday that is over on all of the earth."""
    there = (timezone.now() - timedelta(hours=12)).date()
    return there - timedelta(days=there.weekday() + 1)


def exact(group_ids: Iterable[int], first: date, last: date) -> Report:
    """By group and week, each figure as it is: for those who run the groups."""
    lines = [
        (group_id, name, Line(week, _named(sums)))
        for group_id, name, week, *sums in _rows(BY_GROUP_AND_WEEK, group_ids, first, last)
    ]
    sections = []
    for (_group_id, name), found in groupby(lines, key=lambda line: line[:2]):
        weeks = [line for *_group, line in found]
        sections.append(Section(name, weeks, _total(weeks)))
    total = measures.total(section.total for section in sections if section.total)
    return Report(first, last, ATTENDANCE, sections, total)


def of_all(group_ids: Iterable[int], first: date, last: date) -> Report:
    """All groups together by week, without small numbers: for those who see sums only.

    Weeks that are not over, or of which a meeting is still to be noted, are left out or hidden too: seen on two days,
    the difference would be one meeting.
    """
    last = min(last, last_day_of_finished_weeks())
    rows = [
        (week, _named(sums), (who_said_going, who_came))
        for week, who_said_going, who_came, *sums in _rows(BY_WEEK, group_ids, first, last)
    ]
    shown = small_cells.hide_small(rows, people=_people, smallest=settings.SMALLEST_COUNT_SHOWN)
    lines = []
    for (week, sums, _persons), row in zip(rows, shown, strict=True):
        is_open = measures.ROSTER_OPEN.of(sums) > 0
        lines.append(Line(week, sums if row and not is_open else None, is_open))
    may_total = small_cells.may_total([line.sums for line in lines])
    total = _total(lines) if may_total else None
    sections = [Section("", lines, None)] if lines else []
    return Report(first, last, ATTENDANCE_OF_ALL, sections, total)


def _people(row: tuple[date, Sums, tuple[int, int]]) -> list[int]:
    """Every number about people that such a row shows or that tells how many different ones are behind it."""
    _week, sums, persons = row
    return [measures.SAID_GOING.of(sums), measures.CAME_IN_ALL.of(sums), *persons]


def _total(lines: Iterable[Line]) -> dict[str, int]:
    return measures.total(line.sums for line in lines if line.sums)


def _named(numbers: Iterable[int]) -> dict[str, int]:
    return {count.name: number for count, number in zip(COUNTS, numbers, strict=True)}


def _rows(statement: str, group_ids: Iterable[int], first: date, last: date) -> list[tuple[Any, ...]]:
    people = ", ".join(f"count(*) FILTER (WHERE {count.source}) AS {count.name}" for count in COUNTS_OF_PARTICIPATIONS)
    sums = (f"sum(people.{count.name})" if count.of_participations else count.source for count in COUNTS)
    statement = statement.format(
        meetings=MEETINGS.format(people=people),
        sums=", ".join(f"COALESCE({source}, 0)::bigint" for source in sums),
        going=measures.GOING,
        came=measures.CAME,
    )
    parameters: dict[str, Any] = {"groups": list(group_ids), "first": first, "last": last, "now": timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()
