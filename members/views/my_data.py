"""What this site knows about me: to read part by part, and to take along as a file."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.decorators import reauthentication_required
from django.core.paginator import Paginator
from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from .. import services, wording
from ..data_parts import Part, Theme, Value, every_part, find_part
from ..models import Member

FIRST_ROWS = 5
ROWS_PER_PAGE = 50


@require_safe
def my_data(request):
    """Every part with its first rows. Of work, only what there is: most people do none here."""
    shown: dict[Theme, list] = {}
    for part in every_part():
        rows = list(part.rows(request.user)[: FIRST_ROWS + 1])
        if rows or part.theme != Theme.WORK:
            told = _told(part, rows[:FIRST_ROWS], request)
            shown.setdefault(part.theme, []).append({"part": part, "rows": told, "has_more": len(rows) > FIRST_ROWS})
    themes = [{"name": _theme_name(theme), "parts": parts} for theme, parts in shown.items()]
    return render(request, "members/my_data.html", {"themes": themes})


def _theme_name(theme: Theme) -> str:
    return {
        Theme.YOU: _("You"),
        Theme.MEETINGS: _("Groups and meetings"),
        Theme.MAIL: _("Mail"),
        Theme.SIGNING_IN: _("Signing in"),
        Theme.WORK: _("Your work here"),
        Theme.RECORD: _("The record"),
    }[theme]


@require_safe
def my_data_part(request, name):
    """One part in full, page by page."""
    part = find_part(name)
    if part is None:
        raise Http404
    page = Paginator(part.rows(request.user), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    rows = _told(part, page.object_list, request)
    return render(request, "members/my_data_part.html", {"part": part, "page": page, "rows": rows})


@never_cache
@require_http_methods(["GET", "POST"])
@reauthentication_required
def my_data_take(request):
    """Everything in one file, after showing once more who one is. The GET says what the file is; the POST gives it."""
    if request.method == "GET":
        return render(request, "members/my_data_take.html")
    services.note_data_taken(request.user)
    file = {"made_at": timezone.now(), "parts": [_in_file(part, request.user) for part in every_part()]}
    response = JsonResponse(file, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="my-data-{timezone.now():%Y-%m-%d}.json"'
    return response


def _in_file(part: Part, member: Member) -> dict[str, Any]:
    return {
        "name": part.name,
        "heading": str(part.heading),
        "why": str(part.why),
        "kept": str(part.kept),
        "columns": {key: str(words) for key, words in part.columns.items()},
        "rows": [part.told(row, member) for row in part.rows(member)],
    }


def _told(part: Part, rows: Iterable[Any], request) -> list[list[tuple[str, str]]]:
    """Each row as pairs of a heading and words; what is empty is left out."""
    told = (part.told(row, request.user) for row in rows)
    return [
        [
            (part.columns[key], _in_words(value, request.zone))
            for key, value in row.items()
            if value is not None and value != ""
        ]
        for row in told
    ]


def _in_words(value: Value, zone: ZoneInfo | None) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return wording.moment(value, zone)
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    return str(value)
