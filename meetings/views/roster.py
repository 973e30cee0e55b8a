"""Taking attendance, from a phone."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from groups.access import is_facilitator
from members.models import Member

from .. import access, services
from ..forms import WalkInForm
from ..models import CheckInCode, Meeting, Participation
from ..qr_code import qr_code


@require_http_methods(["GET", "POST"])
def meeting_roster(request, meeting_id):
    """Who is here: present or not in one tap, walk-ins by code or as a count, each with its undo."""
    meeting = access.get_meeting_to_run(request, meeting_id)
    if request.method == "GET":
        return _show_roster(request, meeting)
    if "seen" in request.POST:
        return _record_as_seen(request, meeting)
    if "did_meet" in request.POST:
        services.undo_did_not_meet(meeting, by=request.user)
        return redirect("meetings:meeting_roster", meeting_id=meeting.pk)
    if not meeting.roster_is_open:
        messages.warning(request, _("The roster opens an hour before the meeting."))
        return redirect("meetings:meeting_roster", meeting_id=meeting.pk)
    if "walk_in" not in request.POST:
        return redirect(_record_on_roster(request, meeting))
    walk_in = WalkInForm(request.POST)
    if walk_in.is_valid():
        if participation := services.add_walk_in(meeting, walk_in.cleaned_data["code"], by=request.user):
            return redirect(_roster_url(meeting, participation.member_id))
        walk_in.add_error("code", _("No member has this code. Look again, or count the person without a name."))
    return _show_roster(request, meeting, walk_in=walk_in, status=400)


def _show_roster(request, meeting: Meeting, *, walk_in=None, notice: str = "", about: str = "", status: int = 200):
    """The page; `notice` is said beside the person (their id) or the count ("guests") it is `about`."""
    rows = list(
        Participation.objects.on_roster(meeting).select_related("member").order_by("member__display_name", "pk")
    )
    before = Participation.objects.came_before(meeting, [row.member_id for row in rows])
    for row in rows:
        row.is_first_ever = row.member_id not in before
        row.is_first_here = not before.get(row.member_id, True)
    code = CheckInCode.objects.usable().filter(meeting=meeting).first()
    waiting = list(Participation.objects.filter(meeting=meeting).in_line().select_related("member"))
    return render(
        request,
        "meetings/meeting_roster.html",
        {
            "meeting": meeting,
            "rows": rows,
            "waiting": waiting,
            "may_order_line": len(waiting) > 1 and meeting.is_open and is_facilitator(request.user, meeting.group),
            "here": sum(row.came for row in rows) + meeting.headcount,
            "unmarked": sum(row.attendance is None for row in rows),
            "new": sum(row.came and (row.is_first_ever or row.is_first_here) for row in rows),
            "walk_in": walk_in or WalkInForm(),
            "needs": services.needs_in_group(meeting.group, [row.member_id for row in rows], read_by=request.user),
            "notice": notice,
            "about": about,
            **(_to_show(code) if code else {}),
        },
        status=status,
    )


def _to_show(code: CheckInCode) -> dict:
    """The code of the room, in letters and for a camera."""
    address = settings.SITE_URL + reverse("meetings:check_in")
    label = _("A square code for the camera. The letters under it say the same.")
    picture = qr_code(f"{address}?code={code.code}", label)
    return {"room_code": code.code, "room_qr": picture, "check_in_address": address}


def _record_on_roster(request, meeting: Meeting) -> str:
    """Do what the tapped button says: `record=<member>:<attendance>`, `clear=<member>`, `headcount=±1`, ...

    ... `check_in=on` or `off`, `did_not_meet`.
    """
    member = None
    if "record" in request.POST:
        member, _colon, attendance = request.POST["record"].partition(":")
        if attendance not in Participation.Attendance.values or not _is_on_roster(meeting, member):
            messages.warning(request, _("This person is not on the roster any more."))
        else:
            services.record_attendance(meeting, member, attendance, by=request.user)
    elif "clear" in request.POST:
        member = request.POST["clear"]
        if _is_on_roster(meeting, member):
            services.clear_attendance(meeting, member, by=request.user)
    elif request.POST.get("headcount") == "+1":
        services.add_anonymous_walk_in(meeting, by=request.user)
    elif request.POST.get("headcount") == "-1":
        services.remove_anonymous_walk_in(meeting, by=request.user)
    elif request.POST.get("check_in") == "on":
        if not services.open_check_in(meeting, by=request.user):
            messages.warning(request, _("Members can check in from half an hour before the start until the end."))
    elif request.POST.get("check_in") == "off":
        services.close_check_in(meeting, by=request.user)
    elif "did_not_meet" in request.POST and services.mark_did_not_meet(meeting, by=request.user):
        messages.success(request, _("Noted: this meeting did not take place."))
    return _roster_url(meeting, member)


def _record_as_seen(request, meeting: Meeting):
    """A tap that may come late, as `static/roster.js` sends it: with what its page showed when it was tapped (`seen`).

    Nothing is written over what somebody else noted meanwhile: the page as it stands now, with 409, says so.
    """
    tap = next((name for name in ("record", "clear", "headcount") if name in request.POST), None)
    if tap is None:
        raise BadRequest("There is no such button.")
    about, _colon, wanted = request.POST[tap].partition(":")
    if tap == "headcount":
        about, wanted = "guests", request.POST[tap]
    if not meeting.roster_is_open:
        notice = _("The roster is closed now, so your tap changed nothing.")
    elif _write_as_seen(meeting, tap, about, wanted, seen=request.POST["seen"], by=request.user):
        notice = ""
    else:
        notice = _who_was_faster(meeting, about)
    meeting.refresh_from_db(fields=["status", "headcount"])
    return _show_roster(request, meeting, notice=notice, about=about, status=409 if notice else 200)


def _write_as_seen(meeting: Meeting, tap: str, about: str, wanted: str, *, seen: str, by: Member) -> bool:
    if tap == "headcount":
        change = {"+1": services.add_anonymous_walk_in, "-1": services.remove_anonymous_walk_in}.get(wanted)
        if change is None or not (seen.isascii() and seen.isdigit() and len(seen) < 5):
            raise BadRequest("A count goes up or down by one, from the one that was seen.")
        return change(meeting, by=by, seen=int(seen))
    if not _is_on_roster(meeting, about):
        return tap == "clear"  # whoever came without a place leaves the roster with their mark
    member_id = UUID(about)
    if tap == "clear":
        undone = services.clear_attendance(meeting, member_id, by=by, seen=seen)
        return undone or Participation.objects.filter(meeting=meeting, member=member_id).noted_as("").exists()
    if wanted not in Participation.Attendance.values:
        raise BadRequest("There is no such mark.")
    return services.record_attendance(meeting, member_id, wanted, by=by, seen=seen)


def _who_was_faster(meeting: Meeting, about: str) -> str:
    """Why a tap changed nothing, in a sentence."""
    if about == "guests":
        return _("Somebody else changed this number meanwhile, so your tap changed nothing. Please look at it again.")
    if not _is_on_roster(meeting, about):
        return _("This person is not on the roster any more.")
    row = Participation.objects.select_related("recorded_by").get(meeting=meeting, member=UUID(about))
    if row.attendance is None:
        return _("Somebody took the mark back meanwhile, so your tap changed nothing.")
    if row.recorded_by_id == row.member_id:
        return _("They checked in themselves meanwhile, so your tap changed nothing.")
    by_whom = row.recorded_by.display_name if row.recorded_by else _("Somebody")
    return _("%(name)s noted “%(mark)s” meanwhile, so your tap changed nothing.") % {
        "name": by_whom,
        "mark": row.get_attendance_display(),
    }


def _is_on_roster(meeting: Meeting, member: str) -> bool:
    return member in {str(pk) for pk in Participation.objects.filter(meeting=meeting).values_list("member", flat=True)}


def _roster_url(meeting: Meeting, member=None) -> str:
    url = reverse("meetings:meeting_roster", args=[meeting.pk])
    return f"{url}#m-{member}" if member else url
