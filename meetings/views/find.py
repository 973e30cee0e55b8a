"""Finding a meeting: the home page, the list and the week as a table."""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache, wraps
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.http import condition, require_safe

from .. import cards, find
from ..find import PER_PAGE, Search
from ..forms import FindForm

LAST_PAGE = 200
IN_A_WEEK = 500  # as many as the table of a week takes
PERSONAL_COOKIES = {settings.SESSION_COOKIE_NAME, "messages"}


def _seen_by_visitor(request: HttpRequest, *args: object, **kwargs: object) -> str | None:
    """Another text whenever a visitor would see another page. None where a page may say something about a person.

    The minute is in it because meetings begin and end, and because a change is counted a moment before it can be seen.
    """
    if PERSONAL_COOKIES & request.COOKIES.keys() or request.user.is_authenticated:
        return None
    asked = [request.headers.get(name, "") for name in ("Cookie", "Accept-Language")]
    same = "\n".join([*asked, f"{timezone.now():%Y-%m-%d %H:%M}", str(find.version())])
    return f'W/"{hashlib.sha256(same.encode()).hexdigest()[:32]}"'


def unchanged_for_visitors(view: Callable) -> Callable:
    """A visitor's browser asks each time, and is told in a word if nothing has changed."""
    answer = condition(etag_func=_seen_by_visitor)(view)

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = answer(request, *args, **kwargs)
        if response.has_header("ETag"):
            patch_cache_control(response, private=True, no_cache=True)
            patch_vary_headers(response, ["Cookie", "Accept-Language"])
        return response

    return answered


@login_not_required
@require_safe
@unchanged_for_visitors
def home(request):
    now, coming = find.next_with_a_place(3)
    return render(request, "home.html", {"meetings": coming, "now": now})


@login_not_required
@require_safe
@unchanged_for_visitors
def meeting_list(request):
    """Find a meeting: each group once, at its next meeting that fits; the filters make an address to share."""
    form = FindForm(request.GET)
    wanted = form.wanted()
    context = {
        "form": form,
        "choices": _choices(form),
        "filters": wanted,
        "chips": [{"words": form.words(name), "without": _address(wanted, name)} for name in wanted],
        "address": _address(wanted),
    }
    if request.GET.get("view") == "week":
        return render(request, "meetings/meeting_week.html", context | _week(request, Search.of(wanted)))
    number = _page_number(request)
    member = request.user if request.user.is_authenticated else None
    search = Search.of(wanted if number else {})
    now, found = find.groups_by_next_meeting(search, member=member, page=number) if number else ([], [])
    context |= {
        "days": cards.by_day(found[:PER_PAGE]),
        "shown": len(found[:PER_PAGE]),
        "now": now,
        "page": number,
        "has_next": len(found) > PER_PAGE,
        "is_beyond": not found and number != 1,
        "alternatives": _alternatives(form, search) if not found and not now and number == 1 else [],
    }
    return render(request, "meetings/meeting_list.html", context, status=404 if context["is_beyond"] else 200)


def _choices(form: FindForm) -> SafeString:
    """The fields but for the words; as they are the same for everybody who chose the same, they are kept."""
    if form.errors:
        return _render_choices(form)
    chosen = {name: value for name, value in form.wanted().items() if name != "q"}
    return _kept_choices(tuple(chosen.items()), get_language())


@lru_cache(maxsize=500)
def _kept_choices(chosen: tuple[tuple[str, str], ...], language: str) -> SafeString:
    return _render_choices(FindForm(dict(chosen)))


def _render_choices(form: FindForm) -> SafeString:
    has_more = any(name in form.wanted() for name in form.MORE)
    return render_to_string("meetings/_find_choices.html", {"form": form, "has_more_choices": has_more})


def _address(wanted: dict[str, str], without: str = "") -> str:
    return urlencode({name: value for name, value in wanted.items() if name != without})


def _page_number(request) -> int | None:
    """The page asked for; None for one that cannot be."""
    text = request.GET.get("page") or "1"
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return number if 1 <= number <= LAST_PAGE else None


def _alternatives(form: FindForm, search: Search) -> list[dict]:
    return [
        {"without": form.words(name), "address": _address(form.wanted(), name), "card": card}
        for name, card in find.alternatives(search, limit=3)
    ]


def _week(request, search: Search) -> dict:
    """The coming seven days by time of day: columns of dates, rows of cells with meetings.

    They begin with the day it is where people meet next: for who reads it may be tomorrow there already.
    """
    now = timezone.now()
    today = now.astimezone(request.zone).date() if request.zone else now.date()
    around = {"first": today - timedelta(days=1), "last": today + timedelta(days=6)}
    meetings = find.meetings(search, limit=IN_A_WEEK, **around)
    first = min([today, *(meeting.local_date for meeting in meetings)])
    dates = [first + timedelta(days=n) for n in range(7)]
    cells = defaultdict(list)
    for meeting in meetings:
        cells[meeting.time_of_day, meeting.local_date].append(meeting)
    rows = [(name, [cells[time, date] for date in dates]) for time, name in FindForm.TIMES]
    return {"dates": dates, "rows": [(name, row) for name, row in rows if any(row)]}
