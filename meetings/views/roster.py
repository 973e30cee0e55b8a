"""Taking attendance, from a phone."""

from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from groups.access import is_facilitator

from .. import access, services
from ..forms import WalkInForm
from ..models import CheckInCode, Meeting, Participation
from ..qr_code import qr_code


@require_http_methods(["GET", "POST"])
def meeting_roster(request, meeting_id):
    """Who is here: present or not in one tap, walk-ins by code or as a count, each with its undo."""
    meeting = access.get_meeting_to_run(request, meeting_id)
    walk_in = WalkInForm()
    status = 200
    if request.method == "POST":
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
        status = 400
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
            "walk_in": walk_in,
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


def _is_on_roster(meeting: Meeting, member: str) -> bool:
    return member in {str(pk) for pk in Participation.objects.filter(meeting=meeting).values_list("member", flat=True)}


def _roster_url(meeting: Meeting, member=None) -> str:
    url = reverse("meetings:meeting_roster", args=[meeting.pk])
    return f"{url}#m-{member}" if member else url
