"""Finding a meeting: the home page, the list and the week as a table."""

from collections import defaultdict
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.db.models import Prefetch
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from .. import wording
from ..forms import FindForm
from ..models import Meeting, MeetingSeries, Participation

PER_PAGE = 50
LAST_PAGE = 200
IN_A_WEEK = 500  # as many as the table of a week takes


@login_not_required
@require_safe
def home(request):
    coming = Meeting.objects.upcoming().listed().with_places()
    meetings = _with_groups(coming.first_of_each_group()).in_order()[:3]
    now = Meeting.objects.happening_now().listed().select_related("group").in_order()[:3]
    return render(request, "home.html", {"meetings": meetings, "now": now})


@login_not_required
@require_safe
def meeting_list(request):
    """Find a meeting: each group once, at its next meeting that fits; the filters make an address to share."""
    form = FindForm(request.GET)
    wanted = form.wanted()
    context = {
        "form": form,
        "filters": wanted,
        "has_more_choices": any(name in wanted for name in form.MORE),
        "chips": [{"words": form.words(name), "without": _address(wanted, name)} for name in wanted],
        "address": _address(wanted),
    }
    coming = form.narrow(Meeting.objects.upcoming().listed())
    if request.GET.get("view") == "week":
        return render(request, "meetings/meeting_week.html", context | _week(request, coming))
    number = _page_number(request)
    found = list(_with_groups(coming.first_of_each_group()).in_order()[_part(number)]) if number else []
    meetings = found[:PER_PAGE]
    now = _now(form) if number == 1 else []
    _add_answers(request, [*meetings, *now])
    _add_further_dates(meetings)
    context |= {
        "days": _by_day(meetings),
        "now": now,
        "page": number,
        "has_next": len(found) > PER_PAGE,
        "is_beyond": not found and number != 1,
        "alternatives": _alternatives(form) if not found and not now and number == 1 else [],
    }
    return render(request, "meetings/meeting_list.html", context, status=404 if context["is_beyond"] else 200)


def _address(wanted: dict[str, str], without: str = "") -> str:
    return urlencode({name: value for name, value in wanted.items() if name != without})


def _page_number(request) -> int | None:
    """The page asked for; None for one that cannot be."""
    text = request.GET.get("page") or "1"
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return number if 1 <= number <= LAST_PAGE else None


def _part(number: int) -> slice:
    """A page and one more, to know whether another follows."""
    first = (number - 1) * PER_PAGE
    return slice(first, first + PER_PAGE + 1)


def _with_groups(meetings):
    running = Prefetch("group__series", MeetingSeries.objects.running().order_by("pk"))
    return meetings.select_related("group").prefetch_related(running)


def _now(form: FindForm) -> list[Meeting]:
    return list(form.narrow(Meeting.objects.happening_now().listed()).select_related("group").in_order()[:6])


def _add_answers(request, meetings: list[Any]) -> None:
    if request.user.is_authenticated:
        mine = Participation.objects.filter(member=request.user, meeting__in=meetings)
        answers = {answer.meeting_id: answer for answer in mine}
        for meeting in meetings:
            meeting.mine = answers.get(meeting.pk)


def _add_further_dates(meetings: list[Any]) -> None:
    """The next two dates of each group after the one that is shown."""
    coming = Meeting.objects.upcoming().filter(group__in=[meeting.group_id for meeting in meetings])
    by_group = defaultdict(list)
    for one in coming.next_of_each_group(4).in_order():
        by_group[one.group_id].append(one)
    for meeting in meetings:
        meeting.further = [one for one in by_group[meeting.group_id] if one.starts_at > meeting.starts_at][:2]


def _by_day(meetings):
    days = defaultdict(list)
    for meeting in meetings:
        days[wording.day(meeting.local_start)].append(meeting)
    return dict(days)


def _alternatives(form: FindForm) -> list[dict]:
    """What there is when one of the choices is let go: up to three, the soonest first."""
    wanted = form.wanted()
    found = []
    for name in wanted:
        meeting = form.narrow(Meeting.objects.upcoming().listed(), without=name).select_related("group").in_order()
        if first := meeting.first():
            found.append({"without": form.words(name), "address": _address(wanted, name), "meeting": first})
    return sorted(found, key=lambda one: one["meeting"].starts_at)[:3] if len(wanted) > 1 else found[:3]


def _week(request, coming) -> dict:
    """The coming seven days by time of day: columns of dates, rows of cells with meetings."""
    today = timezone.now().astimezone(request.zone).date() if request.zone else timezone.now().date()
    dates = [today + timedelta(days=n) for n in range(7)]
    meetings = list(
        coming.filter(local_date__range=(dates[0], dates[-1])).select_related("group").in_order()[:IN_A_WEEK]
    )
    cells = defaultdict(list)
    for meeting in meetings:
        cells[_time_of_day(meeting.local_time.hour), meeting.local_date].append(meeting)
    rows = [(name, [cells[time, date] for date in dates]) for time, name in FindForm.TIMES]
    return {"dates": dates, "rows": [(name, row) for name, row in rows if any(row)], "found": len(meetings)}


def _time_of_day(hour: int) -> str:
    for time, (first, last) in FindForm.HOURS.items():
        if first <= hour < last or (first > last and (hour >= first or hour < last)):
            return time
    raise ValueError(hour)
