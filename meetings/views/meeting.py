"""One meeting, and answering whether one comes."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from groups.models import Agreement, Group, Membership
from groups.services import has_accepted
from outbox.link_limits import too_many

from .. import access, services, wording
from ..models import Meeting, Participation

UNDO_FOR = timedelta(minutes=10)
UNDO_KEY = "undo_answer"


@login_not_required
@require_safe
def meeting_detail(request, meeting_id):
    meeting = access.get_meeting(request, meeting_id)
    return _show(request, meeting)


def _show(request, meeting: Meeting, *, notice: str = "", status: int = 200):
    """The page of a meeting; with a `notice` when what somebody just tried did not change anything."""
    participation = membership = None
    if request.user.is_authenticated:
        participation = Participation.objects.filter(meeting=meeting, member=request.user).first()
        membership = Membership.objects.filter(group=meeting.group, member=request.user).first()
    return render(
        request,
        "meetings/meeting_detail.html",
        {
            "meeting": meeting,
            "notice": notice,
            "participation": participation,
            "membership": membership,
            "offer_until": _offer_until(meeting, participation),
            "place_in_line": _place_in_line(participation),
            "can_undo": _change_to_undo(request, meeting) is not None,
            "own_time": wording.own_time(meeting, request.zone),
            "owes_agreement": _owes_agreement(meeting.group, membership),
            "may_see_place": access.may_see_place(request.user, meeting, participation),
            "may_see_link": access.may_see_link(request.user, meeting, participation),
            "may_check_in": _may_check_in(request, meeting),
            "runs_it": request.user.is_authenticated and access.runs_meeting(request.user, meeting),
        },
        status=status,
    )


def _may_check_in(request, meeting: Meeting) -> bool:
    """Whether the room has a code now by which they can say that they are here. Outside its hours nothing is asked."""
    if not (request.user.is_authenticated and meeting.takes_check_in):
        return False
    return Meeting.objects.open_to_check_in(request.user).filter(pk=meeting.pk).exists()


def _owes_agreement(group: Group, membership: Membership | None) -> bool:
    """Whether somebody in the group has not read its ground rules as they are now."""
    if membership is None or membership.status != Membership.Status.ACTIVE:
        return False
    return not has_accepted(Agreement.objects.current_for(group), membership.member)


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
    """Take or give back a place. Whoever is not in the group yet, or owes the ground rules a look, goes there first,
    and is sent back here with the same answer."""
    meeting = access.get_meeting(request, meeting_id)
    if request.method == "GET":  # after signing in on the way to a POST
        return redirect(meeting)
    answer = _answer(request, "undo")
    if answer == "undo":
        return _undo(request, meeting)
    if answer == "going" and not _may_answer(request.user, meeting.group):
        join = reverse("groups:group_join", args=[meeting.group.slug])
        return redirect(f"{join}?{urlencode({'next': request.path})}")
    if answer == "going":
        change = services.change_to_going(meeting, by=request.user)
    else:
        change = services.change_to_declined(meeting, by=request.user)
    if change is None:
        return _refuse(request, meeting)
    if change.is_news:
        _remember(request, meeting, change)
    messages.success(request, _words(meeting, request.user, change))
    return redirect(meeting)


def _undo(request, meeting: Meeting):
    change = _change_to_undo(request, meeting)
    request.session.pop(UNDO_KEY, None)
    restored = services.undo_answer(meeting, change, by=request.user) if change else None
    if change is None or restored is None:
        messages.info(request, _("There is nothing to take back any more. This is how it stands."))
    elif restored.rsvp == Participation.Rsvp.WAITLISTED and change.earlier_rsvp != Participation.Rsvp.WAITLISTED:
        messages.info(request, _("Somebody else has the place by now. You are first on the waiting list."))
    else:
        messages.success(request, _("Taken back. Your answer is what it was before."))
    return redirect(meeting)


def _remember(request, meeting: Meeting, change: services.Change) -> None:
    request.session[UNDO_KEY] = {
        "meeting": str(meeting.pk),
        "until": (timezone.now() + UNDO_FOR).isoformat(),
        "change": [value.isoformat() if isinstance(value, datetime) else value for value in change],
    }


def _change_to_undo(request, meeting: Meeting) -> services.Change | None:
    """The last change of an answer, if it was at this meeting and a short while ago."""
    kept = request.session.get(UNDO_KEY)
    if not kept or kept["meeting"] != str(meeting.pk) or not meeting.is_open:
        return None
    if datetime.fromisoformat(kept["until"]) < timezone.now():
        return None
    rsvp, rsvp_at, earlier, earlier_at, until = kept["change"]
    return services.Change(
        rsvp,
        datetime.fromisoformat(rsvp_at),
        earlier,
        datetime.fromisoformat(earlier_at) if earlier_at else None,
        datetime.fromisoformat(until) if until else None,
    )


def _refuse(request, meeting: Meeting):
    """Nothing was changed: the page of the meeting as it is now, and why."""
    meeting.refresh_from_db(fields=["status", "starts_at", "ends_at", "places_taken"])
    return _show(request, meeting, notice=_why_not(meeting), status=409)


def _why_not(meeting: Meeting) -> str:
    if meeting.status == Meeting.Status.CANCELLED:
        return _("This meeting was cancelled in the meantime. Nothing was changed; you need not do anything.")
    if meeting.is_open:
        return _("You are not in this group, so there is nothing to change.")
    return _("This meeting has begun, so it takes no answers any more. Nothing was changed.")


def _words(meeting: Meeting, member, change: services.Change) -> str:
    """What the answer came to."""
    if change.rsvp == Participation.Rsvp.GOING:
        return _("You have a place.")
    if change.rsvp == Participation.Rsvp.WAITLISTED:
        mine = Participation.objects.get(meeting=meeting, member=member)
        if mine.rsvp != Participation.Rsvp.WAITLISTED:
            return _("This meeting is full. You are on the waiting list.")
        number = services.place_in_line(mine)
        return _("This meeting is full. You are on the waiting list, number %(number)s.") % {"number": number}
    if change.earlier_rsvp in (Participation.Rsvp.GOING, Participation.Rsvp.OFFERED):
        return _("Thank you for telling us. Your place is free for someone else.")
    return _("Thank you for telling us.")


def _answer(request, *more: str) -> str:
    answer = request.POST.get("answer", "")
    if answer not in ("going", "declined", *more):
        raise BadRequest("an answer is “going” or “declined”")
    return answer


def _may_answer(member, group: Group) -> bool:
    return Membership.objects.active().filter(group=group, member=member).exists() and has_accepted(
        Agreement.objects.current_for(group), member
    )


@login_not_required
@csrf_exempt  # the token alone lets one answer, and only its bearer has it; a mail app may keep no cookies
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer_from_mail(request, token):
    """Answer for one meeting from a mail. Looking changes nothing, names no group; POST acts (EML-01, EML-03)."""
    if stopped := too_many(request, token, is_ours=access.is_answer_token(token)):
        return stopped
    try:
        meeting, member = access.get_meeting_by_token(token)
    except Http404:
        return _link_has_ended(request)
    answer = words = None
    if request.method == "POST":
        answer, words = _answer_by_mail(meeting, member, _answer(request))
    mine = Participation.objects.filter(meeting=meeting, member=member).first()
    response = render(
        request,
        "meetings/answer_from_mail.html",
        {
            "when": wording.when(meeting),
            "answer": answer,
            "words": words,
            "mine": mine,
            "place_in_line": _place_in_line(mine),
            "offer_until": _offer_until(meeting, mine),
            "meeting": meeting,
        },
        status=409 if answer == "closed" else 200,
    )
    response["X-Robots-Tag"] = "noindex"
    return response


def _link_has_ended(request):
    """One page for a link whose meeting has begun or is off, of somebody who left, or that never was one of ours."""
    response = render(request, "meetings/answer_from_mail.html", {"answer": "ended"}, status=404)
    response["X-Robots-Tag"] = "noindex"
    return response


def _answer_by_mail(meeting: Meeting, member, answer: str) -> tuple[str, str]:
    """What became of it (the answer, "sign-in" or "closed"), and in words."""
    if answer == "declined":
        change = services.change_to_declined(meeting, by=member)
    elif has_accepted(Agreement.objects.current_for(meeting.group), member):
        change = services.change_to_going(meeting, by=member)
    else:
        return "sign-in", ""
    if change is None:
        return "closed", ""
    return change.rsvp, _words(meeting, member, change)
