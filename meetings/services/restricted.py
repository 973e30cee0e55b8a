"""Restricted notes and incidents: written sealed, read on the record, sealed anew when keys change."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from audit.services import record
from members.models import Member

from .. import sealed
from ..models import Meeting
from ..note_models import Incident, RestrictedNote, SealedText
from ..shared_models import Shared


@transaction.atomic
def write_note(meeting: Meeting, text: str, *, by: Member) -> RestrictedNote | None:
    """Keep a note that only its author and those who run the group with them read. None on a site without keys."""
    if not sealed.can_seal():
        return None
    note = RestrictedNote(meeting=meeting, author=by)
    note.seal(text)
    note.save()
    record("note.written", note, by=by)
    return note


def read_note(note: RestrictedNote, *, by: Member) -> str:
    """The text of a note; that it was read is on the record first. Raises `BrokenSeal` if it does not belong there."""
    record("note.read", note, by=by)
    return note.text


@transaction.atomic
def write_incident(
    meeting: Meeting, text: str, *, by: Member, kind: str, steps: list[str], told: list[str], follow_up_on: date | None
) -> Incident | None:
    """Keep what happened and what was done about it. None on a site without keys."""
    if not sealed.can_seal():
        return None
    incident = Incident(meeting=meeting, kind=kind, steps=steps, told=told, follow_up_on=follow_up_on, written_by=by)
    incident.seal(text)
    incident.save()
    record("incident.written", incident, by=by)
    return incident


def read_incident(incident: Incident, *, by: Member) -> str:
    """The text of an incident; that it was read is on the record first. Raises `BrokenSeal` as for a note."""
    record("incident.read", incident, by=by)
    return incident.text


@transaction.atomic
def follow_up_incident(incident: Incident, *, by: Member) -> bool:
    """Say that what was to be done later is done. False if somebody said so, or nothing was due."""
    due = Incident.objects.filter(pk=incident.pk, follow_up_on__isnull=False, followed_up_at=None)
    if not due.update(followed_up_at=timezone.now(), followed_up_by=by):
        return False
    record("incident.followed_up", incident, by=by)
    return True


def seal_all_again() -> tuple[int, int]:
    """Seal with the first key what another one sealed. How many, and how many no key here opens; safe at any moment."""
    done = broken = 0
    models: tuple[type[SealedText], ...] = (RestrictedNote, Incident, Shared)
    for model in models:
        rows = model._default_manager.order_by("pk").values_list("pk", "sealed")
        for pk, old in rows.iterator(chunk_size=500):
            if sealed.is_sealed_with_first_key(old):
                continue
            try:
                new = sealed.seal_again(old)
            except sealed.BrokenSeal:
                broken += 1
                continue
            done += model._default_manager.filter(pk=pk, sealed=old).update(sealed=new)
    return done, broken
