"""Running a meeting from a phone, and following it from a seat."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from .. import access, services
from ..models import Meeting, MeetingRun, Turn
from ..room import Room
from ..run_sheet import RunSheet

FOLLOWS = "X-Background"  # what the script of a page asks by itself: it gets the part of the page that changes


@require_http_methods(["GET", "POST"])
def meeting_run(request, meeting_id):
    """The run sheet: where the meeting stands, who shares and who is next. A tap names the version it saw."""
    meeting = access.get_meeting_to_run(request, meeting_id)
    if request.method == "GET":
        return _show_run(request, meeting)
    tap, whom = _read_tap(request)
    if tap == MeetingRun.Tap.START:
        done = services.start_run(meeting, by=request.user)
    else:
        done = services.tap_run(meeting, tap, whom=whom, seen=_read_version(request), by=request.user)
    if done:
        return redirect("meetings:meeting_run", meeting_id=meeting.pk)
    return _show_run(request, meeting, notice=_why_not(request, meeting, tap), status=409)


def _read_tap(request: HttpRequest) -> tuple[str, str]:
    """`speak:p12` or `pause`."""
    tap, _colon, whom = request.POST.get("tap", "").partition(":")
    if tap not in services.TAPS and tap != MeetingRun.Tap.START:
        raise BadRequest("There is no such button.")
    return tap, whom


def _read_version(request: HttpRequest) -> int:
    version = request.POST.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise BadRequest("A tap names the version it saw.")
    return int(version)


def _why_not(request: HttpRequest, meeting: Meeting, tap: str) -> str:
    """Why a tap changed nothing, in a sentence."""
    run = MeetingRun.objects.filter(meeting=meeting).select_related("changed_by").first()
    if run is None:
        return _("This meeting cannot be started now. You can start it from an hour before until its end.")
    if tap != MeetingRun.Tap.START and request.POST["version"] == str(run.version):
        return _("This does not fit any more, so nothing was changed. This is how it stands now.")
    if run.changed_by is None or run.changed_by == request.user:
        return _("Something was tapped before, so nothing was changed. This is how it stands now.")
    name = run.changed_by.display_name
    return _("%(name)s tapped before you, so nothing was changed. This is how it stands now.") % {"name": name}


def _show_run(request, meeting: Meeting, *, notice: str = "", status: int = 200) -> HttpResponse:
    run = MeetingRun.objects.filter(meeting=meeting).select_related("changed_by").first()
    meeting.refresh_from_db(fields=["status", "headcount"])
    page: dict[str, Any] = {"meeting": meeting, "run": run, "notice": notice, "may_start": services.may_start(meeting)}
    if run is None:
        page["parts"] = meeting.group.sequence(meeting.minutes)
    else:
        page["sheet"] = RunSheet.of(run, meeting, reader=request.user)
    tag = _tag(run and run.version, meeting.status, page["may_start"], *(page["sheet"].facts if run else ()))
    if status == 200:
        unchanged = get_conditional_response(request, etag=tag)
        if unchanged is not None:
            return unchanged
    page["tag"] = tag
    template = "meetings/_run.html" if FOLLOWS in request.headers else "meetings/meeting_run.html"
    response = render(request, template, page, status=status)
    if status == 200:
        response["ETag"] = tag
    return response


def _tag(*facts: object) -> str:
    return f'"{hashlib.sha256(repr((get_language(), *facts)).encode()).hexdigest()[:32]}"'


# --- The room ---------------------------------------------------------------------------------------------------------

_ROOM: dict[tuple[str, str], Callable[..., bool]] = {
    ("hand", "up"): services.raise_hand,
    ("hand", "down"): services.lower_hand,
    ("today", "pass"): services.pass_today,
    ("today", "share"): services.share_after_all,
    ("name", "show"): services.show_name,
    ("name", "hide"): services.hide_name,
    **{("milestone", one): partial(services.tell_milestone, milestone=one) for one in ("", *Turn.Milestone.values)},
}


@require_http_methods(["GET", "POST"])
def meeting_room(request, meeting_id):
    """Where the meeting stands and whether it is my turn; my hand, passing, the link. Never who else is there."""
    room = access.get_room(request, meeting_id)
    if request.method == "POST":
        return _act_in_room(request, meeting_id, room)
    tag = f'"{room.tag(get_language(), room.is_running and room.minutes_left)}"'  # its clock is written out
    response = get_conditional_response(request, etag=tag)
    if response is None:
        page = {
            "meeting_id": meeting_id,
            "room": room,
            "pass": access.room_pass(request.session, request.user, meeting_id, room),
            "tag": f'"{room.tag(get_language())}"',
        }
        response = render(request, "meetings/meeting_room.html", page)
    response["ETag"] = tag
    return response


def _act_in_room(request, meeting_id: UUID, room: Room) -> HttpResponse:
    act = next((act for (name, value), act in _ROOM.items() if request.POST.get(name) == value), None)
    if act is None:
        raise BadRequest("There is no such button.")
    if not act(Meeting(pk=meeting_id), by=request.user) and not room.is_running:
        messages.warning(request, _("The meeting is not running now, so nothing was changed."))
    return redirect("meetings:meeting_room", meeting_id=meeting_id)


@login_not_required  # the pass says who asks, and is good only while they are signed in where it was given out
@require_safe
def meeting_room_now(request, meeting_id):
    """The part of the room that changes, for the page that follows it: one question, and 304 when nothing is new."""
    room, language = access.get_room_by_pass(request.headers.get("X-Pass", ""), meeting_id)
    with translation.override(language):
        tag = f'"{room.tag(language)}"'
        response = get_conditional_response(request, etag=tag)
        if response is None:
            response = HttpResponse(render_to_string("meetings/_room.html", {"room": room}))
        response["ETag"] = tag
    return response
