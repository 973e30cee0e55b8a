from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.services import record
from groups.models import Group
from outbox import kinds
from outbox.models import WordingPeriod

from . import access, figures, wording
from . import wording_tests as tests
from .exports import NOTICE, csv_response
from .figures import Report
from .forms import NOT_ALLOWED, AttendanceForm
from .measures import ROSTER_OPEN

TESTS_ON_A_PAGE = 10
MOST_LINES = 400  # on one page; beyond, one line a group, and the file has them all


@require_safe
def report_list(request):
    scope = access.get_scope(request)
    return render(request, "reports/report_list.html", {"scope": scope})


@require_safe
def attendance(request):
    """Attendance by group and week, as a page or as a file; what one may see depends on one's role."""
    scope = access.get_scope(request)
    form = AttendanceForm(request.GET, scope=scope)
    if not form.is_valid():
        status = 403 if form.has_error("group", NOT_ALLOWED) else 400
        return render(request, "reports/attendance.html", {"form": form, "scope": scope}, status=status)
    asked = form.cleaned_data
    report = _report(scope, asked)
    if asked["format"] == "csv":
        record(
            "report.exported",
            request.user,
            by=request.user,
            report="attendance",
            first=str(report.first),
            last=str(report.last),
            group=asked["group"].pk if asked["group"] else None,
            lines=report.lines,
        )
        return csv_response(_file(report, asked["group"], by_group=scope.exact), first=report.first, last=report.last)
    return render(request, "reports/attendance.html", {"scope": scope, **_page(report, form)})


def _report(scope: access.Scope, asked: dict[str, Any]) -> Report:
    if not scope.exact:
        return figures.of_all(scope.groups.values_list("pk", flat=True), asked["first"], asked["last"])
    group_ids = [asked["group"].pk] if asked["group"] else scope.groups.values_list("pk", flat=True)
    return figures.exact(group_ids, asked["first"], asked["last"])


@require_safe
def wording_tests(request):
    """Tests of two wordings of a mail: how many came with each, as a page or as a file."""
    scope = access.get_scope_of_whole_house(request)
    periods = WordingPeriod.objects.tests().with_people()
    count = tests.exact if scope.exact else tests.of_all
    if request.GET.get("format") == "csv":
        found = count(list(periods))
        record("report.exported", request.user, by=request.user, report="wording", lines=2 * len(found))
        began_on = min((test.period.began_at for test in found), default=timezone.now()).date()
        return csv_response(_wording_file(found, is_exact=scope.exact), first=began_on, last=timezone.now().date())
    page = Paginator(periods, TESTS_ON_A_PAGE).get_page(request.GET.get("page"))
    sections = [_wording_test(test, is_exact=scope.exact) for test in count(list(page))]
    context = {"scope": scope, "page": page, "sections": sections, "enough": tests.ENOUGH, "notice": NOTICE}
    return render(request, "reports/wording_tests.html", context)


# --- The page ---------------------------------------------------------------------------------------------------------


def _page(report: Report, form: AttendanceForm) -> dict[str, Any]:
    is_folded = report.lines > MOST_LINES and len(report.sections) > 1
    group = form.cleaned_data["group"]
    slug = group.slug if group else ""
    return {
        "form": form.showing(report.first, report.last),
        "report": report,
        "first": wording.day(report.first),
        "last": wording.day(report.last),
        "sentences": wording.sentences(report),
        "open_rosters": ROSTER_OPEN.of(report.total) if report.total else 0,
        "is_folded": is_folded,
        "sections": [_section(report, section, is_folded=is_folded) for section in report.sections],
        "total": wording.cells(report, report.total) if report.total else None,
        "has_hidden": any(line.sums is None for section in report.sections for line in section.lines),
        "columns": len(report.measures),
        "spans": [
            (label, _address(form.latest - timedelta(weeks=weeks - 1), form.latest, slug)) for weeks, label in _spans()
        ],
        "file": _address(report.first, max(report.first, report.last), slug, format="csv"),
        "notice": NOTICE,
    }


def _section(report: Report, section: figures.Section, *, is_folded: bool) -> dict[str, Any]:
    return {
        "name": section.name,
        "lines": [] if is_folded else [_line(report, line) for line in section.lines],
        "total": wording.cells(report, section.total) if section.total else None,
    }


def _line(report: Report, line: figures.Line) -> dict[str, Any]:
    return {
        "monday": line.week,
        "day": wording.day(line.week),
        "cells": wording.cells(report, line.sums) if line.sums else None,
        "why_hidden": "" if line.sums else wording.why_hidden(line),
    }


def _wording_test(test: tests.WordingTest, *, is_exact: bool) -> dict[str, Any]:
    period = test.period
    letter = kinds.editable_letters().get(period.letter)
    columns = [counts for counts in (test.a, test.b) if counts]
    shown = [figure for figure in tests.figures_of(period) if is_exact or figure.is_for_all]
    return {
        "period": period,
        "title": letter.title if letter else period.letter,
        "wordings": [("A", period.a), ("B", period.b)],
        "sentences": wording.compared(test),
        "rows": [
            (figure.label, wording.definition(figure, period), [wording.figure(figure, counts) for counts in columns])
            for figure in shown
            if columns
        ],
        "why_hidden": "" if columns else wording.why_test_hidden(test),
        "is_open": test.is_open,
    }


def _spans() -> list[tuple[int, str]]:
    return [(4, _("4 weeks")), (12, _("12 weeks")), (26, _("half a year")), (52, _("a year"))]


def _address(first, last, slug: str, **more: str) -> str:
    asked = {"from": first, "to": last} | ({"group": slug} if slug else {}) | more
    return f"{reverse('reports:attendance')}?{urlencode(asked)}"


# --- The file ---------------------------------------------------------------------------------------------------------


def _file(report: Report, group: Group | None, *, by_group: bool):
    """Names first, then a row a week, then an empty row and notes: what the figures mean, what the law says."""
    names = ["week_from", "week_to", *(measure.name for measure in report.measures)]
    yield ["group", *names] if by_group else [*names, "hidden"]
    for section in report.sections:
        for line in section.lines:
            week = [str(line.week), str(line.week + timedelta(days=6))]
            values = [measure.of(line.sums) if line.sums else None for measure in report.measures]
            if by_group:
                yield [section.name, *week, *values]
            else:
                yield [*week, *values, "" if line.sums else wording.why_hidden(line)]
    yield []
    yield [_("From %(first)s to %(last)s.") % {"first": report.first, "last": report.last}]
    yield [_("Group: %(group)s") % {"group": group.name if group else _("all you may see")}]
    yield [_("Rows: %(count)s") % {"count": report.lines}]
    yield [_("Made: %(when)s UTC") % {"when": f"{timezone.now():%Y-%m-%d %H:%M}"}]
    for measure in report.measures:
        yield [f"{measure.name}: {measure.definition} ({measure.unit})"]
    yield [NOTICE]


def _wording_file(found: list[tests.WordingTest], *, is_exact: bool):
    shown = [figure for figure in tests.FIGURES if is_exact or figure.is_for_all]
    names = [figure.name for figure in shown]
    yield ["mail", "language", "variant", "wording", "from", "until", "days", *names, "hidden"]
    for test in found:
        period = test.period
        told = {figure.name for figure in tests.figures_of(period)}
        for variant, counts in (("A", test.a), ("B", test.b)):
            values = [tests.value(figure, counts) if counts and figure.name in told else None for figure in shown]
            number = period.number_b if variant == "B" else period.number_a
            until = str(period.ended_at.date()) if period.ended_at else None
            hidden = "" if counts else wording.why_test_hidden(test)
            head = [period.letter, period.language, variant, number, str(period.began_at.date()), until]
            yield [*head, tests.days_of(period), *values, hidden]
    yield []
    yield [_("Wording 0: the words a mail comes with.")]
    yield [_("Days: where it is said, people count as come who were at a meeting so many days after the mail.")]
    yield [_("Made: %(when)s UTC") % {"when": f"{timezone.now():%Y-%m-%d %H:%M}"}]
    for figure in shown:
        yield [f"{figure.name}: {figure.definition} ({figure.unit})"]
    yield [NOTICE]
