from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.services import record
from groups.models import Group

from . import access, figures, wording
from .exports import NOTICE, csv_response
from .figures import Report
from .forms import NOT_ALLOWED, AttendanceForm
from .measures import ROSTER_OPEN

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
