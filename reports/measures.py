"""What the figures mean. Pure: no models.

Each in words, which stand beside it on the page and in the file (OPS-22), and in SQL, which is what is counted. The SQL
speaks of `met`, the meetings of the weeks asked for that have begun, and of `participation`, one person at one of those
that were held. All counts add up over meetings: somebody who came to two meetings counts twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Sums = Mapping[str, int]  # the name of each count → how many

MEETINGS, PLACES, PEOPLE, PERCENT = _("meetings"), _("places"), _("people"), _("percent")

GOING = "participation.rsvp = 'going'"
CAME = "participation.attendance IN ('present', 'late', 'left_early')"


@dataclass(frozen=True)
class Count:
    """How many. `source` is what is summed over meetings or, if `of_participations`, which of these count."""

    name: str
    label: Promise
    definition: Promise
    unit: Promise
    source: str
    of_participations: bool = False

    def of(self, sums: Sums) -> int:
        return sums[self.name]


@dataclass(frozen=True)
class Share:
    """How many of a hundred: one count divided by another."""

    name: str
    label: Promise
    definition: Promise
    numerator: Count
    denominator: Count
    unit: Promise = PERCENT

    def of(self, sums: Sums) -> int | None:
        """In whole percent, half rounded up; None if there is nothing to divide by."""
        counted, out_of = self.numerator.of(sums), self.denominator.of(sums)
        return (200 * counted + out_of) // (2 * out_of) if out_of else None


Measure = Count | Share

HELD = Count(
    "held",
    _("Meetings held"),
    _("Meetings of which somebody noted who came. Meetings that were called off are not in any figure."),
    MEETINGS,
    "count(*) FILTER (WHERE met.status = 'held')",
)
ROSTER_OPEN = Count(
    "roster_open",
    _("Roster open"),
    _("Meetings that have begun and of which nobody has noted yet who came. They are in no other figure."),
    MEETINGS,
    "count(*) FILTER (WHERE met.status = 'scheduled')",
)
PLACES_OFFERED = Count(
    "places",
    _("Places"),
    _("The places of all meetings held, taken or not."),
    PLACES,
    "sum(met.capacity) FILTER (WHERE met.status = 'held')",
)
SAID_GOING = Count(
    "said_going",
    _("Said going"),
    _("People whose last answer was “going”: the places taken."),
    PEOPLE,
    GOING,
    of_participations=True,
)
CAME_IN_ALL = Count(
    "came",
    _("Came"),
    _(
        "People noted as present, late or left early, whatever they had answered. People counted without a name are "
        "not among them."
    ),
    PEOPLE,
    CAME,
    of_participations=True,
)
GOING_AND_CAME = Count(
    "going_and_came",
    _("Going and came"),
    _("Of those who said going: noted as present, late or left early. The places used."),
    PEOPLE,
    f"{GOING} AND {CAME}",
    of_participations=True,
)
NOT_THERE = Count(
    "not_there",
    _("Going, not there"),
    _("Of those who said going: noted as not there. People who cancelled before the meeting are not among them."),
    PEOPLE,
    f"{GOING} AND participation.attendance = 'absent'",
    of_participations=True,
)
EXCUSED = Count(
    "excused",
    _("Going, excused"),
    _("Of those who said going: noted as excused."),
    PEOPLE,
    f"{GOING} AND participation.attendance = 'excused'",
    of_participations=True,
)
NOT_NOTED = Count(
    "not_noted",
    _("Going, not noted"),
    _("Of those who said going: nothing is noted about whether they came."),
    PEOPLE,
    f"{GOING} AND participation.attendance IS NULL",
    of_participations=True,
)
WALK_INS = Count(
    "walk_ins",
    _("Came without a place"),
    _("People noted as present, late or left early who had not taken a place."),
    PEOPLE,
    f"participation.rsvp IS DISTINCT FROM 'going' AND {CAME}",
    of_participations=True,
)
NO_NAME = Count(
    "no_name",
    _("Came without a name"),
    _("People in the room who gave no name or code: the number noted at the meeting."),
    PEOPLE,
    "sum(met.headcount) FILTER (WHERE met.status = 'held')",
)
CAME_OF_GOING = Share(
    "came_of_going_percent",
    _("Came, of those going"),
    _("“Going and came” divided by “Said going”."),
    GOING_AND_CAME,
    SAID_GOING,
)
CAME_OF_PLACES = Share(
    "came_of_places_percent",
    _("Came, of all places"),
    _("“Came” divided by “Places”. It can pass 100 % when people come without a place."),
    CAME_IN_ALL,
    PLACES_OFFERED,
)

# For those who run the groups, exact; what matters most first, for narrow screens.
ATTENDANCE: tuple[Measure, ...] = (
    HELD,
    PLACES_OFFERED,
    SAID_GOING,
    CAME_IN_ALL,
    CAME_OF_GOING,
    CAME_OF_PLACES,
    GOING_AND_CAME,
    NOT_THERE,
    EXCUSED,
    NOT_NOTED,
    WALK_INS,
    NO_NAME,
    ROSTER_OPEN,
)

# For those who see sums only. Nothing here can be subtracted to find a part of it, such as who was not there.
ATTENDANCE_OF_ALL: tuple[Measure, ...] = (HELD, PLACES_OFFERED, SAID_GOING, CAME_IN_ALL, CAME_OF_PLACES)

COUNTS = tuple(measure for measure in ATTENDANCE if isinstance(measure, Count))
COUNTS_OF_PARTICIPATIONS = tuple(count for count in COUNTS if count.of_participations)


def total(rows: Iterable[Sums]) -> dict[str, int]:
    """Each count, added up; all zero without rows."""
    added = dict.fromkeys((count.name for count in COUNTS), 0)
    for sums in rows:
        for name in added:
            added[name] += sums[name]
    return added
