"""The session log: look at what is filled in, check, sign; after that only add to it."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from groups.access import is_facilitator
from groups.models import Facilitator

from .. import access, services
from ..log_forms import AddendumForm, SessionLogForm, SignLogForm
from ..log_models import SessionLog
from ..models import Meeting


@require_http_methods(["GET", "POST"])
def meeting_log(request, meeting_id):
    """The log of a meeting: to fill in, or, once it is signed, to read, print and add to."""
    meeting = access.get_meeting_to_run(request, meeting_id)
    log = SessionLog.objects.filter(meeting=meeting).first()
    if log and log.is_signed:
        return _signed(request, log)
    if not meeting.takes_log:
        return render(request, "meetings/log/no_log.html", {"meeting": meeting}, status=_refused_if_sent(request))
    if "did_not_meet" in request.POST:
        return _did_not_meet(request, meeting)
    form = SessionLogForm(request.POST if request.method == "POST" else None, log=log or services.draft_log(meeting))
    if form.is_valid():
        services.save_log(meeting, by=request.user, **form.facts())
        return redirect("meetings:meeting_log_sign", meeting_id=meeting.pk)
    context = {"meeting": meeting, "log": log, "form": form, **_apart(request, meeting)}
    return render(request, "meetings/log/meeting_log.html", context, status=400 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
def meeting_log_sign(request, meeting_id):
    """Read once more what was filled in, and sign it."""
    meeting = access.get_meeting_to_run(request, meeting_id)
    return _sign(request, meeting)


@reauthentication_required
def _sign(request, meeting: Meeting):
    """After showing once more who one is: a signature stands for a person, not for a phone that was left open."""
    log = SessionLog.objects.filter(meeting=meeting).select_related("meeting__group").first()
    if log is None or log.is_signed or not meeting.takes_log:
        return redirect("meetings:meeting_log", meeting_id=meeting.pk)
    initial = {"as_of": log.saved_at.isoformat(), "credential": _credential(request.user, meeting)}
    form = SignLogForm(request.POST if request.method == "POST" else None, initial=initial)
    status = 400 if form.is_bound else 200
    if form.is_valid():
        if services.sign_log(log, by=request.user, **form.cleaned_data):
            messages.success(request, _("Signed. Nobody can change this log any more."))
            return redirect("meetings:meeting_log", meeting_id=meeting.pk)
        messages.warning(request, _("Somebody changed this log a moment ago. Read it again, then sign."))
        log.refresh_from_db()
        form, status = SignLogForm(initial=initial | {"as_of": log.saved_at.isoformat()}), 409
    return render(
        request, "meetings/log/meeting_log_sign.html", {"meeting": meeting, "log": log, "form": form}, status=status
    )


def _signed(request, log: SessionLog):
    """To read and print; what is sent here is an addendum, and anything else is refused."""
    meeting, status = log.meeting, 200
    form = AddendumForm(
        request.POST if "add" in request.POST else None,
        meeting=meeting,
        initial={"credential": _credential(request.user, meeting)},
    )
    if form.is_valid():
        services.add_to_log(log, by=request.user, **form.cleaned_data)
        messages.success(request, _("Added to the log, with your name and the date."))
        return redirect("meetings:meeting_log", meeting_id=meeting.pk)
    if form.is_bound:
        status = 400
    elif request.method == "POST":
        services.refuse_change_of_log(log, by=request.user)
        messages.warning(request, _("This log is signed, so nothing was changed. You can add to it below."))
        status = 409
    context = {"meeting": meeting, "log": log, "addenda": log.addenda.all(), "form": form, **_apart(request, meeting)}
    return render(request, "meetings/log/meeting_log_signed.html", context, status=status)


def _apart(request, meeting: Meeting) -> dict:
    """What is kept apart from the log is linked for those who may open it."""
    return {"may_see_incidents": is_facilitator(request.user, meeting.group)}


def _did_not_meet(request, meeting: Meeting):
    if services.mark_did_not_meet(meeting, by=request.user):
        messages.success(request, _("Noted: this meeting did not take place. It needs no log."))
    else:
        messages.warning(request, _("Somebody is noted as here, so it took place. Undo that on the roster first."))
    return redirect("meetings:meeting_log", meeting_id=meeting.pk)


def _credential(member, meeting: Meeting) -> str:
    return Facilitator.objects.credential_of(member, meeting.group)


def _refused_if_sent(request) -> int:
    return 409 if request.method == "POST" else 200
