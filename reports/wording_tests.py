"""Tests of two wordings, as read from the database: who was sent which, and how many of them came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from outbox import kinds
from outbox.models import WordingPeriod

from . import chance, small_cells
from .measures import PEOPLE, PERCENT

ENOUGH = 30  # people in each half: fewer say nothing, however far they are apart

OVER = "meeting.status = 'held'"
CAME = f"{OVER} AND participation.attendance IN ('present', 'late', 'left_early')"

MAILS = _("mails")


@dataclass(frozen=True)
class Figure:
    """What is counted of the mails of one variant. `source` is counted; without one it is a share, in percent."""

    name: str
    label: Promise
    definition: Promise
    unit: Promise
    source: str = ""
    is_for_all: bool = False  # may be shown to those who see sums only
    of_any_mail: bool = False  # also where a mail is about no meeting


FIGURES = (
    Figure(
        "sent",
        _("Mails sent"),
        _("Mails with these words that left and did not come back."),
        MAILS,
        "count(*)",
        of_any_mail=True,
    ),
    Figure(
        "people",
        _("People"),
        _("Different people they went to."),
        PEOPLE,
        "count(DISTINCT email.recipient_id)",
        is_for_all=True,
        of_any_mail=True,
    ),
    Figure(
        "declined",
        _("Answered: can’t make it"),
        _("Of the mails sent: their reader’s last answer for that meeting is “I can’t make it”."),
        MAILS,
        "count(*) FILTER (WHERE participation.rsvp = 'declined')",
    ),
    Figure(
        "over",
        _("Meeting is over"),
        _("Of the mails sent: about a meeting of which somebody noted who came. All below is of these."),
        MAILS,
        f"count(*) FILTER (WHERE {OVER})",
        is_for_all=True,
    ),
    Figure(
        "came",
        _("Came"),
        _("Their reader was noted as present, late or left early at that meeting."),
        MAILS,
        f"count(*) FILTER (WHERE {CAME})",
        is_for_all=True,
    ),
    Figure(
        "not_there",
        _("Going, not there"),
        _("Their reader’s last answer was “going”, and they were noted as not there."),
        MAILS,
        f"count(*) FILTER (WHERE {OVER} AND participation.rsvp = 'going' AND participation.attendance = 'absent')",
    ),
    Figure("came_percent", _("Share that came"), _("“Came” divided by “Meeting is over”."), PERCENT, is_for_all=True),
)
# Of mail that is about no single meeting: whether people came to any, in the days after it.
FIGURES_OF_DAYS = (
    *(figure for figure in FIGURES if figure.of_any_mail),
    Figure(
        "over",
        _("Time is over"),
        _("Of the mails sent: %(days)s days have passed. All below is of these."),
        MAILS,
        "count(*) FILTER (WHERE mail.until <= %(now)s)",
        is_for_all=True,
    ),
    Figure(
        "came",
        _("Came"),
        _("Their reader was noted as present, late or left early at a meeting in the %(days)s days after the mail."),
        MAILS,
        "count(*) FILTER (WHERE mail.until <= %(now)s AND visit.came)",
        is_for_all=True,
    ),
    Figure("came_percent", _("Share that came"), _("“Came” divided by “Time is over”."), PERCENT, is_for_all=True),
)
FIGURES_OF_MAIL = tuple(figure for figure in FIGURES if figure.of_any_mail)

# Not shown, but what is small or uncertain depends on them: different people, and what is still to come.
BEHIND = {
    "people_over": f"count(DISTINCT email.recipient_id) FILTER (WHERE {OVER})",
    "people_came": f"count(DISTINCT email.recipient_id) FILTER (WHERE {CAME})",
    "to_come": "count(*) FILTER (WHERE meeting.status = 'scheduled')",
}
BEHIND_DAYS = {
    "people_over": "count(DISTINCT email.recipient_id) FILTER (WHERE mail.until <= %(now)s)",
    "people_came": "count(DISTINCT email.recipient_id) FILTER (WHERE mail.until <= %(now)s AND visit.came)",
    "to_come": "count(*) FILTER (WHERE mail.until > %(now)s)",
}

BY_VARIANT = """
SELECT email.wording_period_id, email.variant, {counts}
FROM outbox_email AS email
LEFT JOIN meetings_meeting AS meeting ON meeting.id = email.about_id
LEFT JOIN meetings_participation AS participation
       ON participation.meeting_id = meeting.id AND participation.member_id = email.recipient_id
WHERE email.wording_period_id = ANY(%(periods)s) AND email.state = 'sent'
GROUP BY email.wording_period_id, email.variant
"""

BY_VARIANT_IN_DAYS = """
SELECT email.wording_period_id, email.variant, {counts}
FROM unnest(%(periods)s::bigint[], %(days)s::int[]) AS test (period, days)
JOIN outbox_email AS email ON email.wording_period_id = test.period AND email.state = 'sent'
CROSS JOIN LATERAL (SELECT email.sent_at + test.days * interval '1 day' AS until) AS mail
LEFT JOIN LATERAL (
    SELECT true AS came
    FROM meetings_participation AS participation
    JOIN meetings_meeting AS meeting ON meeting.id = participation.meeting_id
    WHERE participation.member_id = email.recipient_id
      AND meeting.starts_at > email.sent_at AND meeting.starts_at <= mail.until AND {came}
    LIMIT 1
) AS visit ON true
GROUP BY email.wording_period_id, email.variant
"""

Counts = dict[str, int]


@dataclass
class WordingTest:
    """A test with the counts of each variant; None where they are hidden. `is_open`: more is still to be counted."""

    period: WordingPeriod
    a: Counts | None
    b: Counts | None
    is_open: bool

    @property
    def is_measured(self) -> bool:
        """Whether it is counted who came."""
        return figures_of(self.period) != FIGURES_OF_MAIL

    @property
    def difference(self) -> chance.Difference | None:
        """How many more came with B; None while too few people have had such a mail, or where that is hidden."""
        if not self.a or not self.b or min(self.a["people_over"], self.b["people_over"]) < ENOUGH:
            return None
        return chance.difference(_share(self.a), self.a["people_over"], _share(self.b), self.b["people_over"])


def value(figure: Figure, counts: Counts) -> int | None:
    """A count, or a share in whole percent, half rounded up; None if there is nothing to count or to divide by."""
    if figure.source:
        return counts.get(figure.name)
    return (200 * counts["came"] + counts["over"]) // (2 * counts["over"]) if counts["over"] else None


def days_of(period: WordingPeriod) -> int | None:
    """Within how many days after such a mail coming counts; None if the mail is about one meeting, or not measured."""
    letter = kinds.editable_letters().get(period.letter)
    return letter.days_to_come if letter else None


def figures_of(period: WordingPeriod) -> tuple[Figure, ...]:
    """What can be told of such a mail."""
    letter = kinds.editable_letters().get(period.letter)
    if letter is None or letter.counts_attendance:
        return FIGURES
    return FIGURES_OF_DAYS if letter.days_to_come is not None else FIGURES_OF_MAIL


def exact(periods: Sequence[WordingPeriod]) -> list[WordingTest]:
    """Each figure as it is."""
    days = {period.pk: found for period in periods if (found := days_of(period)) is not None}
    counts = _counts([period.pk for period in periods if period.pk not in days])
    if days:
        counts |= _counts_in_days(days)
    return [_test(period, counts) for period in periods]


def of_all(periods: Sequence[WordingPeriod]) -> list[WordingTest]:
    """For those who see sums only: a test is hidden as a whole while it is open or a number of people is small.

    Seen on two days, the figures of an open test would differ by one meeting. What is left over counts too: if all
    but three came, the three are known.
    """
    tests = exact(periods)
    for test in tests:
        people = [number for counts in (test.a, test.b) if counts for number in _people(counts)]
        if test.is_open or small_cells.is_small(people, settings.SMALLEST_COUNT_SHOWN):
            test.a = test.b = None
    return tests


def _people(counts: Counts) -> list[int]:
    over, came, people = counts["people_over"], counts["people_came"], counts["people"]
    return [
        people,
        over,
        came,
        over - came,
        people - over,
        counts["over"],
        counts["came"],
        counts["over"] - counts["came"],
    ]


def _share(counts: Counts) -> float:
    return counts["came"] / counts["over"]


def _test(period: WordingPeriod, counts: dict[tuple[int, str], Counts]) -> WordingTest:
    sources = FIGURES_OF_DAYS if days_of(period) is not None else FIGURES
    nothing = dict.fromkeys([*(figure.name for figure in sources if figure.source), *BEHIND], 0)
    a, b = (counts.get((period.pk, variant), nothing) for variant in "AB")
    return WordingTest(period, a, b, is_open=period.ended_at is None or a["to_come"] + b["to_come"] > 0)


def _counts(period_ids: list[int]) -> dict[tuple[int, str], Counts]:
    sources = {figure.name: figure.source for figure in FIGURES if figure.source} | BEHIND
    return _by_variant(BY_VARIANT, sources, {"periods": period_ids})


def _counts_in_days(days: dict[int, int]) -> dict[tuple[int, str], Counts]:
    sources = {figure.name: figure.source for figure in FIGURES_OF_DAYS if figure.source} | BEHIND_DAYS
    asked = {"periods": list(days), "days": list(days.values()), "now": timezone.now()}
    return _by_variant(BY_VARIANT_IN_DAYS, sources, asked)


def _by_variant(statement: str, sources: dict[str, str], asked: dict[str, Any]) -> dict[tuple[int, str], Counts]:
    counts = ", ".join(f"{source} AS {name}" for name, source in sources.items())
    with connection.cursor() as cursor:
        cursor.execute(statement.format(counts=counts, came=CAME), asked)
        return {
            (period, variant): dict(zip(sources, numbers, strict=True))
            for period, variant, *numbers in cursor.fetchall()
        }
