"""Finding a meeting: each group once, at its next meeting that fits.

Written in SQL, because the list is the page that is asked for most and Django would take longer to put this together
than PostgreSQL to answer it. What people look for stands on the meeting itself (migration 0005), so a filter walks an
index in order of time and stops after a page.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from groups.words import Groups, listed_groups_with
from members.models import Member

from .cards import Card
from .models import Meeting

PER_PAGE = 50
ON_NOW = 6  # at most, under "Happening now"
FURTHER = 2  # dates of a group after the one that is shown
FEW_GROUPS = 400  # up to so many are asked one by one for their next meeting, instead of walking through time

# What can be wanted of a meeting `m`, by its name in the address.
CONDITIONS = {
    "day": "m.weekday = %(day)s::smallint",
    "time": "m.time_of_day = %(time)s",
    "kind": "m.kind = %(kind)s",
    "audience": "m.audience = %(audience)s",
    "language": "m.language = %(language)s",
    "access": "m.is_accessible",
    "places": "m.places_taken < m.capacity",
    # asked of each meeting on the way: without "+ 0" it would lead through all the meetings of these groups; without
    # a SELECT of its own PostgreSQL would weigh each of the groups while it plans
    "q": "m.group_id + 0 = ANY((SELECT %(groups)s::bigint[])::bigint[])",
}
MODES = {"online": "m.mode <> 'in-person'", "in-person": "m.mode <> 'online'"}
UPCOMING = "m.is_listed AND m.status = 'scheduled' AND m.starts_at > now()"
GOING_ON = """m.is_listed AND m.status IN ('scheduled', 'held') AND m.ends_at > now() AND m.starts_at <= now()
    AND m.starts_at > now() - interval '12 hours'"""

# Through time, each group where it comes first. OFFSET 0 keeps "did it come before?" one quick look into an index for
# each row; PostgreSQL would else look for all rows at once.
WALK = """
SELECT false AS is_on, m.* FROM meetings_meeting m
WHERE {fits} AND NOT EXISTS (
    SELECT FROM meetings_meeting AS earlier
    WHERE earlier.group_id = m.group_id AND earlier.starts_at <= m.starts_at
    AND (earlier.starts_at, earlier.id) < (m.starts_at, m.id) AND {earlier_fits} OFFSET 0
)
ORDER BY m.starts_at, m.id LIMIT %(limit)s OFFSET %(skip)s
"""

# A few groups, each asked for its next; if they fill more than a page, only for one that comes soon.
EACH = """
SELECT false AS is_on, m.* FROM unnest(%(groups)s::bigint[]) AS one (group_id)
CROSS JOIN LATERAL (
    SELECT * FROM meetings_meeting m WHERE m.group_id = one.group_id AND {fits} AND {soon}
    ORDER BY m.starts_at, m.id LIMIT 1
) AS m
ORDER BY m.starts_at, m.id LIMIT %(limit)s OFFSET %(skip)s
"""

SOON = "m.starts_at < now() + interval '1 day' * %(days)s"

NOW = """
SELECT true AS is_on, m.* FROM meetings_meeting m WHERE {fits} ORDER BY m.starts_at, m.id LIMIT %(now)s
"""

CARD = """found.is_on, found.id, found.starts_at, found.ends_at, found.time_zone, found.mode, found.status,
    greatest(found.capacity - found.places_taken, 0), g.name, g.kind, g.area"""

CARDS = """
SELECT {card}, {patterns}, {further}, {rsvp}
FROM (({coming}) UNION ALL ({now})) AS found
JOIN groups_group g ON g.id = found.group_id
ORDER BY found.is_on DESC, found.starts_at, found.id
"""
PATTERNS = """
CASE WHEN NOT found.is_on THEN (
    SELECT json_agg(json_build_array(s.weekdays, s.every_n_weeks, s.nth_of_month, s.start_time) ORDER BY s.id)::text
    FROM meetings_meetingseries s
    WHERE s.group_id = found.group_id AND (s.until_on IS NULL OR s.until_on >= current_date - 1)
) END
"""
AFTER = """
CASE WHEN NOT found.is_on THEN (
    SELECT json_agg(json_build_array(after.id, extract(epoch FROM after.starts_at)::bigint)
                    ORDER BY after.starts_at)::text
    FROM (
        SELECT m.id, m.starts_at FROM meetings_meeting m
        WHERE m.group_id = found.group_id AND m.starts_at > found.starts_at AND m.status = 'scheduled'
        ORDER BY m.starts_at LIMIT %(further)s
    ) AS after
) END
"""
OWN_ANSWER = """
(SELECT p.rsvp FROM meetings_participation p WHERE p.meeting_id = found.id AND p.member_id = %(member)s)
"""

WITHOUT = """
(SELECT '{name}' AS left_out, false AS is_on, m.* FROM meetings_meeting m
 WHERE {fits} ORDER BY m.starts_at, m.id LIMIT 1)
"""
ALTERNATIVES = """
SELECT found.left_out, {card} FROM ({each}) AS found
JOIN groups_group g ON g.id = found.group_id ORDER BY found.starts_at, found.id LIMIT %(limit)s
"""

MEETINGS = """
SELECT m.* FROM meetings_meeting m WHERE {fits} AND m.local_date BETWEEN %(first)s AND %(last)s
ORDER BY m.starts_at, m.id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Search:
    """What is looked for, by its name in the address; for words, the groups that have them, or else nearly have."""

    wanted: Mapping[str, str]
    groups: Groups | None = None

    @classmethod
    def of(cls, wanted: Mapping[str, str]) -> "Search":
        return cls(wanted, listed_groups_with(wanted["q"]) if "q" in wanted else None)

    @property
    def values(self) -> dict[str, Any]:
        return {**self.wanted, "groups": self.groups.ids if self.groups else None}

    @property
    def is_for_few_groups(self) -> bool:
        return self.groups is not None and self.groups.how_many <= FEW_GROUPS

    def days_for(self, how_many: int) -> float | None:
        """In how many days about twice so many of a few groups meet, if each meets weekly and nothing but words is
        looked for. None if that cannot be said, or is not worth it: then all that is to come is looked at.
        """
        if self.groups is None or self.groups.how_many <= 2 * how_many or len(self.wanted) > 1:
            return None
        return 7 * 2 * how_many / self.groups.how_many

    def fits(self, *, without: str = "") -> str:
        """The condition on a coming meeting `m`, or all of it but one choice."""
        return " AND ".join([UPCOMING, *self._conditions(without)])

    def fits_now(self) -> str:
        return " AND ".join([GOING_ON, *self._conditions()])

    def _conditions(self, without: str = "") -> list[str]:
        wanted = {name: value for name, value in self.wanted.items() if name != without}
        return [MODES[value] if name == "mode" else CONDITIONS[name] for name, value in wanted.items()]


def groups_by_next_meeting(
    search: Search, *, member: Member | None = None, page: int = 1
) -> tuple[list[Card], list[Card]]:
    """What is happening now (on the first page), and a page of groups by when they meet next, each with its schedule,
    further dates and the member's own answer. One card more than a page tells that another page follows.
    """
    rsvp = OWN_ANSWER if member else "NULL"
    now = NOW.format(fits=search.fits_now())
    shown = {"now": ON_NOW if page == 1 else 0, "further": FURTHER, "member": member.pk if member else None}
    for coming, values in next_meetings(search, page=page):
        statement = CARDS.format(card=CARD, coming=coming, now=now, patterns=PATTERNS, further=AFTER, rsvp=rsvp)
        found = _cards(statement, values | shown)
        if len(found[1]) > PER_PAGE:
            break
    return found


def next_with_a_place(how_many: int) -> tuple[list[Card], list[Card]]:
    """What is happening now, and the groups that meet next and have a place: so many of each at most."""
    ((coming, values),) = next_meetings(Search({"places": "1"}))
    values |= {"limit": how_many, "now": how_many}
    now = NOW.format(fits=GOING_ON)
    nothing = dict.fromkeys(("patterns", "further", "rsvp"), "NULL")
    return _cards(CARDS.format(card=CARD, coming=coming, now=now, **nothing), values)


def next_meetings(search: Search, *, page: int = 1) -> list[tuple[str, dict[str, Any]]]:
    """The statement for each group's next meeting that fits, and its values: a page of them, and one more.

    If there are two, the first looks only at what comes soon; the second is needed if that is less than a page.
    """
    values = search.values | {"limit": PER_PAGE + 1, "skip": (page - 1) * PER_PAGE}
    if search.is_for_few_groups:
        fits = search.fits(without="q")
        later = (EACH.format(fits=fits, soon="true"), values)
        days = search.days_for(page * PER_PAGE + 1)
        return [(EACH.format(fits=fits, soon=SOON), values | {"days": days}), later] if days else [later]
    # an earlier meeting is of the same group: its words need not be looked for again
    earlier_fits = re.sub(r"\bm\.", "earlier.", search.fits(without="q"))
    return [(WALK.format(fits=search.fits(), earlier_fits=earlier_fits), values)]


def alternatives(search: Search, *, limit: int) -> list[tuple[str, Card]]:
    """What there is when one of the choices is let go: its name with the next meeting then, the soonest first."""
    if not search.wanted:
        return []
    each = [WITHOUT.format(name=name, fits=search.fits(without=name)) for name in search.wanted]
    statement = ALTERNATIVES.format(card=CARD, each=" UNION ALL ".join(each))
    return [(name, Card(*card)) for name, *card in _rows(statement, search.values | {"limit": limit})]


def meetings(search: Search, *, limit: int, first: date, last: date) -> list[Any]:
    """The coming meetings between two dates, both included, the next first, each with its `time_of_day`."""
    values = search.values | {"limit": limit, "first": first, "last": last}
    return list(Meeting.objects.raw(MEETINGS.format(fits=search.fits()), values).prefetch_related("group"))


def version() -> int:
    """Another number after any change of what the list shows."""
    return int(_rows("SELECT last_value FROM meetings_list_changes", {})[0][0])


def _cards(statement: str, values: Mapping[str, Any]) -> tuple[list[Card], list[Card]]:
    found = [Card._make(row) for row in _rows(statement, values)]
    return [card for card in found if card.is_on], [card for card in found if not card.is_on]


def _rows(statement: str, values: Mapping[str, Any]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
