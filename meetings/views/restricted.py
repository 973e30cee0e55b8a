"""Restricted notes and incidents: who reads one shows once more who they are."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from .. import access, sealed, services
from ..note_forms import IncidentForm, NoteForm
from ..note_models import Incident, RestrictedNote


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def meeting_notes(request, meeting_id):
    """That there are notes, and a place to write one. Nothing of what they say."""
    meeting = access.get_meeting_for_notes(request, meeting_id)
    form = NoteForm(request.POST if request.method == "POST" else None)
    status = 400 if form.is_bound else 200
    if form.is_valid():
        if services.write_note(meeting, form.cleaned_data["secret_text"], by=request.user):
            messages.success(request, _("Kept. Only you and those who run this group with you can read it."))
            return redirect("meetings:meeting_notes", meeting_id=meeting.pk)
        status = 409
    notes = access.notes_to_read(request.user, meeting).select_related("author", "meeting").defer("sealed")
    context = {"meeting": meeting, "notes": notes, "form": form, "can_seal": sealed.can_seal()}
    return render(request, "meetings/notes/meeting_notes.html", context, status=status)


@require_safe
def note_detail(request, note_id):
    """A note, to read: each reading is on the record."""
    return _read_note(request, access.get_note(request, note_id))


@reauthentication_required
@sensitive_variables("context")
def _read_note(request, note: RestrictedNote):
    try:
        context = {"note": note, "meeting": note.meeting, "text": services.read_note(note, by=request.user)}
    except sealed.BrokenSeal:
        return render(request, "meetings/notes/cannot_be_opened.html", {"meeting": note.meeting}, status=409)
    return render(request, "meetings/notes/note_detail.html", context)


@require_safe
def meeting_incidents(request, meeting_id):
    """The incidents of a meeting, by kind and what is left to do."""
    meeting = access.get_meeting_as_facilitator(request, meeting_id)
    incidents = Incident.objects.filter(meeting=meeting).select_related("meeting").defer("sealed")
    return render(request, "meetings/notes/meeting_incidents.html", {"meeting": meeting, "incidents": incidents})


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def meeting_incident_new(request, meeting_id):
    """Step by step: what it is, what was done, who was told, what is left to do, what happened."""
    meeting = access.get_meeting_as_facilitator(request, meeting_id)
    form = IncidentForm(request.POST if request.method == "POST" else None, meeting=meeting)
    status = 400 if form.is_bound else 200
    if form.is_valid():
        if services.write_incident(meeting, form.cleaned_data["secret_text"], by=request.user, **form.facts()):
            messages.success(request, _("Kept. Those who run this group and the coordinators can read it."))
            return redirect("meetings:meeting_incidents", meeting_id=meeting.pk)
        status = 409
    context = {"meeting": meeting, "form": form, "can_seal": sealed.can_seal()}
    return render(request, "meetings/notes/meeting_incident_new.html", context, status=status)


@require_http_methods(["GET", "POST"])
def incident_detail(request, incident_id):
    """An incident, to read, and to say that what was left to do is done."""
    return _read_incident(request, access.get_incident(request, incident_id))


@reauthentication_required
@sensitive_variables("context")
def _read_incident(request, incident: Incident):
    if request.method == "POST":
        if services.follow_up_incident(incident, by=request.user):
            messages.success(request, _("Noted as done."))
        return redirect("meetings:incident_detail", incident_id=incident.pk)
    meeting = incident.meeting
    try:
        context = {"incident": incident, "meeting": meeting, "text": services.read_incident(incident, by=request.user)}
    except sealed.BrokenSeal:
        return render(request, "meetings/notes/cannot_be_opened.html", {"meeting": meeting}, status=409)
    return render(request, "meetings/notes/incident_detail.html", context)
