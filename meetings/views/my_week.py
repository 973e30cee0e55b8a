"""What is mine: my week, and leaving a group."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

import groups.access
from groups.models import Membership
from members.models import Consent

from .. import services
from ..models import Meeting, Participation


@require_safe
def my_week(request):
    """What is next for me, my groups, my reminders."""
    member = request.user
    mine = Participation.objects.expecting_to_come().filter(member=member)
    answered = {row.meeting_id: row for row in mine}
    coming = list(
        Meeting.objects.upcoming().of_members_groups(member).within_days(14).select_related("group").in_order()
    )
    for meeting in coming:
        meeting.mine = answered.get(meeting.pk)
    memberships = (
        Membership.objects.filter(member=member, status__in=[Membership.Status.ACTIVE, Membership.Status.REQUESTED])
        .select_related("group")
        .order_by("group__name")
    )
    return render(
        request,
        "meetings/my_week.html",
        {
            "next_meeting": next((meeting for meeting in coming if meeting.mine), None),
            "coming": coming,
            "memberships": memberships,
            "reminders": Consent.objects.standing().filter(member=member, kind=Consent.Kind.REMINDERS).exists(),
        },
    )


@require_http_methods(["GET", "POST"])
def group_leave(request, slug):
    """Leave a group: one page that says what happens, one button, no question why."""
    group = groups.access.get_group(request, slug)
    if request.method == "POST":
        if services.leave_group(group, by=request.user):
            messages.success(request, _("You have left the group. You can come back when you like."))
        return redirect("my_week")
    return render(request, "meetings/group_leave.html", {"group": group})
