"""What is mine: my week, and leaving a group."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

import groups.access
from groups.models import Acceptance, Agreement, Membership
from members.models import Consent, Member
from members.services import mark_week_seen
from outbox.bounces import sends_mail_back

from .. import access, services
from ..models import Meeting, Participation

ATTENDANCE_PER_PAGE = 50


@require_safe
def my_week(request):
    """What is next for me, what has changed, my groups, my reminders.

    Looking changes nothing: what is new stays on the page until its button is pressed (`week_seen`), so that neither a
    browser that fetches ahead nor a glance on the way makes news go away unread.
    """
    member = request.user
    me = _with_mail(member)
    coming = _coming(member)
    memberships = _memberships(member)
    next_meeting = next((meeting for meeting in coming if meeting.mine), None)
    returning = next_meeting is None and Participation.objects.is_back_after_a_gap(member)
    return render(
        request,
        "meetings/my_week.html",
        {
            "next_meeting": next_meeting,
            "may_see_place": next_meeting and access.may_see_place(member, next_meeting, next_meeting.mine),
            "may_see_link": next_meeting and access.may_see_link(member, next_meeting, next_meeting.mine),
            "next_in_my_zone": next_meeting and _in_zone(next_meeting, request.zone),
            "to_check_in": Meeting.objects.open_to_check_in(member).select_related("group").in_order(),
            "returning": returning,
            "next_seat": next((meeting for meeting in coming if meeting.places_left), None) if returning else None,
            "bounced": me.bounced_address if sends_mail_back(me) else None,
            "later": [meeting for meeting in coming if meeting is not next_meeting],
            "memberships": [one for one in memberships if one.status != Membership.Status.REMOVED],
            "news": _news(member, memberships),
            "shown_at": timezone.now().isoformat(),
            "reminders": me.is_reminded,  # type: ignore[attr-defined]  # annotated
        },
    )


@require_POST
def week_seen(request):
    """Put away what was new, as far as it was shown: what came in since stays."""
    shown_at = parse_datetime(request.POST.get("shown_at", ""))
    if shown_at is None or timezone.is_naive(shown_at):
        raise BadRequest("no time that a page was shown")
    mark_week_seen(request.user, until=shown_at)
    return redirect("my_week")


@require_safe
def my_attendance(request):
    """The meetings I came to, newest first. Only what was, for me alone: nothing counts what was not."""
    came = (
        Participation.objects.attended()
        .filter(member=request.user)
        .select_related("meeting__group")
        .order_by("-meeting__starts_at", "-pk")
    )
    page = Paginator(came, ATTENDANCE_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "meetings/my_attendance.html", {"page": page, "count": page.paginator.count})


def _with_mail(member: Member) -> Member:
    """With their address if mail came back from it, and whether they get reminders: one question for both."""
    reminders = Consent.objects.standing().filter(kind=Consent.Kind.REMINDERS, member=OuterRef("pk"))
    asked = Member.objects.select_related("bounced_address").annotate(is_reminded=Exists(reminders))
    return asked.get(pk=member.pk)


def _coming(member: Member) -> list:
    """The next two weeks of their groups, each with what they answered."""
    coming = Meeting.objects.upcoming().of_members_groups(member).within_days(14)
    meetings: list = list(coming.select_related("group", "topic").in_order())
    mine = Participation.objects.expecting_to_come().filter(member=member, meeting__in=meetings)
    answered = {row.meeting_id: row for row in mine}
    for meeting in meetings:
        meeting.mine = answered.get(meeting.pk)
    return meetings


def _memberships(member: Member) -> list:
    """Their groups, with the ground rules they have not accepted yet as `new_rules`, and refused requests."""
    answered = Q(status=Membership.Status.REMOVED, decided_at__isnull=False)
    memberships: list = list(
        Membership.objects.filter(
            Q(status__in=[Membership.Status.ACTIVE, Membership.Status.REQUESTED]) | answered, member=member
        )
        .select_related("group")
        .order_by("group__name", "pk")
    )
    rules = Agreement.objects.current_for_each([one.group for one in memberships])
    accepted = set(Acceptance.objects.filter(member=member).values_list("agreement", flat=True))
    for one in memberships:
        agreement = rules.get(one.group_id)
        is_new = one.status == Membership.Status.ACTIVE and agreement and agreement.pk not in accepted
        one.new_rules = agreement if is_new else None
    return memberships


def _news(member: Member, memberships: list) -> dict[str, list]:
    """What has happened since they last put the news away; a place that is kept for them stays until they answer."""
    since = member.week_seen_at or member.joined_at
    mine = (
        Participation.objects.expecting_to_come()
        .filter(member=member, meeting__starts_at__gt=timezone.now())
        .select_related("meeting__group")
        .order_by("meeting__starts_at")
    )
    rows = list(mine.filter(Q(meeting__changed_at__gt=since) | Q(rsvp=Participation.Rsvp.OFFERED)))
    news = {
        "offers": [row for row in rows if row.rsvp == Participation.Rsvp.OFFERED and row.meeting.is_open],
        "changed": [row.meeting for row in rows if row.meeting.changed_at and row.meeting.changed_at > since],
        "answered": [one for one in memberships if one.decided_at and one.decided_at > since],
        "rules": [one for one in memberships if one.new_rules and one.new_rules.published_at > since],
    }
    return news if any(news.values()) else {}


def _in_zone(meeting: Meeting, zone: ZoneInfo | None) -> datetime | None:
    """The start by the clock of whoever reads, unless it shows the same."""
    mine = meeting.starts_at.astimezone(zone) if zone else None
    return mine if mine and mine.utcoffset() != meeting.local_start.utcoffset() else None


@require_http_methods(["GET", "POST"])
def group_leave(request, slug):
    """Leave a group: one page that says what happens, one button, no question why."""
    if request.method == "POST":
        group = groups.access.get_group_to_leave(request, slug)
        if services.leave_group(group, by=request.user):
            messages.success(request, _("You have left the group. You can come back when you like."))
        return redirect("my_week")
    return render(request, "meetings/group_leave.html", {"group": groups.access.get_group(request, slug)})
