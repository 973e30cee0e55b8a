"""Figures as people read them, formatted once per row."""

import math
from datetime import date

from django.conf import settings
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outbox.models import WordingPeriod

from . import measures
from .figures import Line, Report
from .measures import Measure, Share, Sums
from .wording_tests import ENOUGH, Counts, Figure, WordingTest, days_of, value

NOTHING = "–"
NO_BREAK = "\u00a0"


def number(count: int) -> str:
    return number_format(count, use_l10n=True, force_grouping=True)


def cell(measure: Measure, sums: Sums) -> str:
    """`1,204`; `89 %`; a dash where there is nothing to divide by."""
    value = measure.of(sums)
    if value is None:
        return NOTHING
    return f"{number(value)}{NO_BREAK}%" if isinstance(measure, Share) else number(value)


def figure(figure: Figure, counts: Counts) -> str:
    """As `cell`, for a test of wordings."""
    found = value(figure, counts)
    if found is None:
        return NOTHING
    return number(found) if figure.source else f"{number(found)}{NO_BREAK}%"


def cells(report: Report, sums: Sums) -> list[str]:
    return [cell(measure, sums) for measure in report.measures]


def more_or_fewer(share: float, *, up: bool) -> str:
    """`8 more`, `3 fewer` or `none more` of a hundred, rounded away from the middle of an interval."""
    count = (math.ceil if up else math.floor)(round(share * 100, 6))
    if count == 0:
        return _("no more")
    words = _("%(count)s more") if count > 0 else _("%(count)s fewer")
    return words % {"count": number(abs(count))}


def definition(figure: Figure, period: WordingPeriod) -> str:
    return str(figure.definition) % {"days": days_of(period)}


def compared(test: WordingTest) -> list[str]:
    """What a test says so far, and how much of it chance alone could do."""
    if not test.a or not test.b or not test.is_measured:
        return []
    found = test.difference
    if found is None:
        return [
            _(
                "Too few to say. In each half it must be known of at least %(enough)s people whether they came. "
                "So far: %(a)s with A, %(b)s with B."
            )
            % {"enough": ENOUGH, "a": number(test.a["people_over"]), "b": number(test.b["people_over"])}
        ]
    seen = round(found.seen * 100)
    words = {"count": number(abs(seen))}
    if seen > 0:
        first = _("Of a hundred such mails, %(count)s more brought somebody with B than with A.") % words
    elif seen < 0:
        first = _("Of a hundred such mails, %(count)s fewer brought somebody with B than with A.") % words
    else:
        first = _("B brought as many as A.")
    bounds = {"low": more_or_fewer(found.low, up=False), "high": more_or_fewer(found.high, up=True)}
    second = _("With chance in play, the true difference lies between %(low)s and %(high)s.") % bounds
    if found.may_be_none:
        return [first, second, _("So it may be chance alone.")]
    return [first, second, _("So chance alone hardly explains it.")]


def day(on: date) -> str:
    """`Aug 31, 2026`, in one line."""
    return format_date(on, _("M j, Y")).replace(" ", NO_BREAK)


def why_hidden(line: Line) -> str:
    if line.is_open:
        return _("not complete yet")
    return _("fewer than %(count)s people") % {"count": settings.SMALLEST_COUNT_SHOWN}


def why_test_hidden(test: WordingTest) -> str:
    if test.is_open:
        return _("not complete yet")
    return _("fewer than %(count)s people") % {"count": settings.SMALLEST_COUNT_SHOWN}


def sentences(report: Report) -> list[str]:
    """The report in a few sentences. None if nothing was held or there is no total."""
    sums = report.total
    if not sums or not measures.HELD.of(sums):
        return []
    taken = measures.SAID_GOING.of(sums)
    words = {"places": number(measures.PLACES_OFFERED.of(sums)), "taken": number(taken)}
    if measures.GOING_AND_CAME not in report.measures:
        came = measures.CAME_IN_ALL.of(sums)
        first = ngettext(
            "Of %(places)s places, %(taken)s was taken.", "Of %(places)s places, %(taken)s were taken.", taken
        )
        second = ngettext("People came %(count)s time.", "People came %(count)s times.", came) % {"count": number(came)}
        return [first % words, second]
    words["used"] = number(measures.GOING_AND_CAME.of(sums))
    first = ngettext(
        "Of %(places)s places, %(taken)s was taken and %(used)s used.",
        "Of %(places)s places, %(taken)s were taken and %(used)s used.",
        taken,
    )
    return [
        first % words,
        _("Besides, %(walk_ins)s came without a place and %(no_name)s without a name.")
        % {"walk_ins": number(measures.WALK_INS.of(sums)), "no_name": number(measures.NO_NAME.of(sums))},
    ]
