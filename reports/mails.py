"""The numbers of a week: sums over all groups without small numbers, whoever reads them: mail lies about on phones."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from groups.models import Group
from meetings.more_mails.readers import Readers
from members.services import choose_mail_at_work
from members.time_zones import is_time_zone
from outbox import kinds
from outbox.kinds import Kind, Later, Letter, Unwanted
from outbox.letters import WordsInUse, letter
from outbox.models import Email
from outbox.services import unsubscribe_url
from outbox.wordings import EditableLetter

from . import figures, measures, wording
from .figures import Line, Report
from .services import READERS

WEEKS = 4


def _example() -> Mapping[str, Any]:
    last = date(2026, 9, 27)
    sums = {count.name: 0 for count in measures.COUNTS} | {"held": 12, "places": 144, "said_going": 101, "came": 80}
    weeks = [Line(last - timedelta(days=6), sums), Line(last - timedelta(days=13), None)]
    report = Report(weeks[-1].week, last, measures.ATTENDANCE_OF_ALL, [figures.Section("", weeks[::-1], None)])
    return _facts(report, unsubscribe_url=settings.SITE_URL + "/u/…/")


FIGURES = EditableLetter(
    name="figures",
    template="reports/mail/figures",
    title=_("The numbers of the week"),
    readers=_("Coordinators and people who read reports, on Mondays, if they ask for it."),
    example=_example,
    placeholders={"day": _("the last day of the week")},
    required=["day"],
)


def register() -> None:
    kinds.register(Kind("figures", _prepare, unsubscribe=_stop, letters=(FIGURES,)))


def _stop(member_id: UUID) -> None:
    choose_mail_at_work(member_id, weekly_figures=False)


def _prepare(emails: Sequence[Email]) -> dict[UUID, Letter | Later | Unwanted]:
    readers, in_use = Readers(emails), WordsInUse([FIGURES])
    report_to = cache(_report)

    def answer(email: Email) -> Letter | Later | Unwanted:
        if email.recipient.role not in READERS:
            return Unwanted(gettext_noop("they do not read reports any more"))
        if not readers.wish(email).weekly_figures:
            return Unwanted(gettext_noop("they do not want it any more"))
        own = email.recipient.time_zone
        zone = ZoneInfo(own if is_time_zone(own) else settings.DEFAULT_TIME_ZONE)
        if refusal := readers.refusal(email, zone):
            return refusal
        return _write(email, report_to(date.fromisoformat(email.fact)), in_use)

    return {email.pk: answer(email) for email in emails}


def _report(last: date) -> Report:
    groups = Group.objects.values_list("pk", flat=True)
    return figures.of_all(groups, last - timedelta(days=7 * WEEKS - 1), last)


def _write(email: Email, report: Report, in_use: WordsInUse) -> Letter:
    language = email.recipient.language
    chosen = in_use.for_person(FIGURES, email.recipient_id, language)
    with translation.override(language):
        return letter(FIGURES.template, _facts(report, unsubscribe_url=unsubscribe_url(email)), chosen)


def _facts(report: Report, *, unsubscribe_url: str) -> Mapping[str, Any]:
    lines = [line for section in report.sections for line in section.lines]
    return {
        "day": date_format(report.last, "MONTH_DAY_FORMAT"),
        "weeks": [_week(report, line) for line in sorted(lines, key=lambda line: line.week, reverse=True)],
        "reports_url": settings.SITE_URL + reverse("reports:attendance"),
        "unsubscribe_url": unsubscribe_url,
    }


def _week(report: Report, line: Line) -> Mapping[str, Any]:
    cells = wording.cells(report, line.sums) if line.sums else []
    return {
        "from": date_format(line.week, "MONTH_DAY_FORMAT"),
        "figures": [(str(measure.label), cell) for measure, cell in zip(report.measures, cells, strict=False)],
        "why_hidden": "" if line.sums else wording.why_hidden(line),
    }
