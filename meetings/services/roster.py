"""Who came. Attendance never follows from an answer: somebody who runs the meeting says it (OPS-03)."""

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.services import record
from members.models import Member

from ..models import Meeting, Participation


@transaction.atomic
def record_attendance(meeting: Meeting, member_id: UUID, attendance: str, *, by: Member) -> bool:
    """Record how somebody on the roster came, or that they did not. False if they are not on it."""
    recorded = Participation.objects.filter(meeting=meeting, member=member_id).update(
        attendance=attendance, recorded_by=by, recorded_at=timezone.now()
    )
    if not recorded:
        return False
    _mark_held(meeting)
    record("attendance.recorded", meeting, by=by, member=str(member_id), attendance=attendance)
    return True


@transaction.atomic
def clear_attendance(meeting: Meeting, member_id: UUID, *, by: Member) -> bool:
    """Undo: nothing is recorded for this person any more. A walk-in who never answered leaves the roster."""
    mine = Participation.objects.filter(meeting=meeting, member=member_id).exclude(attendance=None)
    if not mine.update(attendance=None, recorded_by=None, recorded_at=None):
        return False
    Participation.objects.filter(meeting=meeting, member=member_id, rsvp=None).delete()
    record("attendance.cleared", meeting, by=by, member=str(member_id))
    return True


@transaction.atomic
def add_walk_in(meeting: Meeting, code: str, *, by: Member) -> Participation | None:
    """Record as present a member who came without a place and gave their code. None if no member has that code."""
    code = code.strip().upper().removeprefix("M-")
    member = Member.objects.filter(code=f"M-{code}", is_active=True).first()
    if member is None:
        return None
    participation, _created = Participation.objects.update_or_create(
        meeting=meeting,
        member=member,
        defaults={
            "attendance": Participation.Attendance.PRESENT,
            "recorded_by": by,
            "recorded_at": timezone.now(),
        },
    )
    _mark_held(meeting)
    record("attendance.walk_in", meeting, by=by, member=str(member.pk))
    return participation


@transaction.atomic
def add_anonymous_walk_in(meeting: Meeting, *, by: Member) -> None:
    """Count somebody who came and gave no name."""
    Meeting.objects.filter(pk=meeting.pk).update(headcount=F("headcount") + 1)
    _mark_held(meeting)
    record("attendance.headcount", meeting, by=by, change=1)


@transaction.atomic
def remove_anonymous_walk_in(meeting: Meeting, *, by: Member) -> bool:
    """Undo one. False if nobody is counted."""
    if not Meeting.objects.filter(pk=meeting.pk, headcount__gt=0).update(headcount=F("headcount") - 1):
        return False
    record("attendance.headcount", meeting, by=by, change=-1)
    return True


@transaction.atomic
def mark_did_not_meet(meeting: Meeting, *, by: Member) -> bool:
    """Say that a meeting that was due did not take place. False if it is no longer open."""
    open_roster = Meeting.objects.roster_open().filter(pk=meeting.pk)
    if not open_roster.update(status=Meeting.Status.DID_NOT_MEET):
        return False
    record("meeting.did_not_meet", meeting, by=by)
    return True


def _mark_held(meeting: Meeting) -> None:
    Meeting.objects.filter(pk=meeting.pk, status=Meeting.Status.SCHEDULED).update(status=Meeting.Status.HELD)
