"""One meeting, and answering whether one comes."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

import groups.access
from groups.models import Agreement, Group, Membership
from groups.services import has_accepted

from .. import access, services, wording
from ..models import Meeting, Participation


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
