from collections import defaultdict
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

import groups.access
from groups.models import Agreement, Group, Membership
from groups.services import has_accepted
from members.models import Consent

from . import access, services, wording
from .forms import FindForm, WalkInForm
from .models import Meeting, Participation

PER_PAGE = 50


@login_not_required
@require_safe
def home(request):
    meetings = Meeting.objects.upcoming().listed().with_places().select_related("group").in_order()[:3]
    return render(request, "home.html", {"meetings": meetings})


@login_not_required
@require_safe
def meeting_list(request):
    """Find a meeting: coming meetings by day, with filters that make a shareable address."""
    form = FindForm(request.GET)
    found = form.meetings().select_related("group").in_order()
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    filters = {name: value for name, value in form.cleaned_data.items() if value}
    return render(
        request,
        "meetings/meeting_list.html",
        {
            "form": form,
            "page": page,
            "days": _by_day(page.object_list),
            "filters": filters,
            "address": urlencode(filters),
        },
    )


def _by_day(meetings):
    days = defaultdict(list)
    for meeting in meetings:
        days[wording.day(meeting.local_start)].append(meeting)
    return dict(days)


@login_not_required
@require_safe
def meeting_detail(request, meeting_id):
    meeting = access.get_meeting(request, meeting_id)
    participation = membership = None
    if request.user.is_authenticated:
        participation = Participation.objects.filter(meeting=meeting, member=request.user).first()
        membership = Membership.objects.filter(group=meeting.group, member=request.user).first()
    return render(
        request,
        "meetings/meeting_detail.html",
        {
            "meeting": meeting,
            "participation": participation,
            "membership": membership,
            "offer_until": _offer_until(meeting, participation),
            "place_in_line": _place_in_line(participation),
            "may_see_place": access.may_see_place(request.user, meeting, participation),
            "may_see_link": access.may_see_link(request.user, meeting, participation),
            "runs_it": request.user.is_authenticated and groups.access.is_facilitator(request.user, meeting.group),
        },
    )


def _place_in_line(participation: Participation | None) -> int | None:
    if participation is None or participation.rsvp != Participation.Rsvp.WAITLISTED:
        return None
    return services.place_in_line(participation)


def _offer_until(meeting: Meeting, participation: Participation | None) -> str:
    if participation is None or participation.offer_expires_at is None:
        return ""
    return wording.moment(participation.offer_expires_at.astimezone(meeting.zone))


@require_http_methods(["GET", "POST"])
def meeting_rsvp(request, meeting_id):
    """Take or give back a place. Whoever is not in the group yet, or owes the ground rules a look, goes there first."""
    meeting = access.get_meeting(request, meeting_id)
    if request.method == "GET":  # after signing in on the way to a POST
        return redirect(meeting)
    if _answer(request) == "declined":
        had_a_place = _holds_a_place(meeting, request.user)
        if not services.answer_declined(meeting, by=request.user):
            messages.warning(request, _("This meeting takes no answers any more."))
        elif had_a_place:
            messages.success(request, _("Thank you for telling us. Your place is free for someone else."))
        else:
            messages.success(request, _("Thank you for telling us."))
        return redirect(meeting)
    if not _may_answer(request.user, meeting.group):
        join = reverse("groups:group_join", args=[meeting.group.slug])
        return redirect(f"{join}?{urlencode({'next': meeting.get_absolute_url()})}")
    _say_answer(request, services.answer_going(meeting, by=request.user))
    return redirect(meeting)


def _holds_a_place(meeting: Meeting, member) -> bool:
    return Participation.objects.holding_a_place().filter(meeting=meeting, member=member).exists()


def _answer(request) -> str:
    answer = request.POST.get("answer", "")
    if answer not in ("going", "declined"):
        raise BadRequest("an answer is “going” or “declined”")
    return answer


def _may_answer(member, group: Group) -> bool:
    return Membership.objects.active().filter(group=group, member=member).exists() and has_accepted(
        Agreement.objects.current_for(group), member
    )


def _say_answer(request, answer: str | None) -> None:
    if answer == Participation.Rsvp.GOING:
        messages.success(request, _("You have a place."))
    elif answer == Participation.Rsvp.WAITLISTED:
        messages.info(request, _("This meeting is full. You are on the waiting list."))
    else:
        messages.warning(request, _("This meeting takes no answers any more."))


@login_not_required
@csrf_exempt  # the token alone lets one answer, and only its bearer has it; a mail app may keep no cookies
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer_from_mail(request, token):
    """Answer for one meeting from a mail. Looking changes nothing, names no group; POST acts (EML-01, EML-03)."""
    meeting, member = access.get_meeting_by_token(token)
    answer = None
    had_a_place = _holds_a_place(meeting, member)
    if request.method == "POST":
        if _answer(request) == "declined":
            answer = "declined" if services.answer_declined(meeting, by=member) else "closed"
        elif has_accepted(Agreement.objects.current_for(meeting.group), member):
            answer = services.answer_going(meeting, by=member) or "closed"
        else:
            answer = "sign-in"
    response = render(
        request,
        "meetings/answer_from_mail.html",
        {"when": wording.when(meeting), "answer": answer, "had_a_place": had_a_place, "meeting": meeting},
    )
    response["X-Robots-Tag"] = "noindex"
    return response


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
            "reminder_words": Consent.WORDS[Consent.Kind.REMINDERS],
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


@require_http_methods(["GET", "POST"])
def meeting_roster(request, meeting_id):
    """Who is here: present or not in one tap, walk-ins by code or as a count, each with its undo."""
    meeting = access.get_meeting_as_facilitator(request, meeting_id)
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
    waiting = list(Participation.objects.filter(meeting=meeting).in_line().select_related("member"))
    return render(
        request,
        "meetings/meeting_roster.html",
        {
            "meeting": meeting,
            "rows": rows,
            "waiting": waiting,
            "here": sum(row.came for row in rows) + meeting.headcount,
            "walk_in": walk_in,
        },
        status=status,
    )


def _record_on_roster(request, meeting: Meeting) -> str:
    """Do what the tapped button says: `record=<member>:<attendance>`, `clear=<member>`, `headcount=±1`, `off`."""
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
    elif "did_not_meet" in request.POST and services.mark_did_not_meet(meeting, by=request.user):
        messages.success(request, _("Noted: this meeting did not take place."))
    return _roster_url(meeting, member)


def _is_on_roster(meeting: Meeting, member: str) -> bool:
    return member in {str(pk) for pk in Participation.objects.filter(meeting=meeting).values_list("member", flat=True)}


def _roster_url(meeting: Meeting, member=None) -> str:
    url = reverse("meetings:meeting_roster", args=[meeting.pk])
    return f"{url}#m-{member}" if member else url
