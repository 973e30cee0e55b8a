"""Who came. Attendance never follows from an answer: somebody who runs the meeting says it (OPS-03)."""

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from audit.services import record
from members.models import Member

from ..models import Meeting, Participation


@transaction.atomic
def record_attendance(
    meeting: Meeting, member_id: UUID, attendance: str, *, by: Member, seen: str | None = None
) -> bool:
    """Record how somebody on the roster came, or that they did not. False if they are not on it.

    With `seen`, what was noted when it was tapped (nothing: ""), it is written over nothing else: False too if
    somebody noted something else since. What is noted already is so once more.
    """
    theirs = Participation.objects.filter(meeting=meeting, member=member_id)
    if seen is not None and theirs.noted_as(attendance).exists():
        return True
    now = timezone.now()
    if not theirs.noted_as(seen).update(attendance=attendance, recorded_by=by, recorded_at=now):
        return False
    settle_meeting(meeting)
    record("attendance.recorded", meeting, by=by, member=str(member_id), attendance=attendance)
    return True


@transaction.atomic
def clear_attendance(meeting: Meeting, member_id: UUID, *, by: Member, seen: str | None = None) -> bool:
    """Undo: nothing is recorded for this person any more. A walk-in who never answered leaves the roster.

    False if nothing is, or (with `seen`) something else than when it was tapped.
    """
    mine = Participation.objects.filter(meeting=meeting, member=member_id).exclude(attendance=None)
    if not mine.noted_as(seen).update(attendance=None, recorded_by=None, recorded_at=None):
        return False
    Participation.objects.filter(meeting=meeting, member=member_id, rsvp=None).delete()
    settle_meeting(meeting)
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
    settle_meeting(meeting)
    record("attendance.walk_in", meeting, by=by, member=str(member.pk))
    return participation


@transaction.atomic
def add_anonymous_walk_in(meeting: Meeting, *, by: Member, seen: int | None = None) -> bool:
    """Count somebody who came and gave no name. False if the count is another than was `seen`."""
    if not Meeting.objects.filter(pk=meeting.pk).counting(seen).update(headcount=F("headcount") + 1):
        return False
    settle_meeting(meeting)
    record("attendance.headcount", meeting, by=by, change=1)
    return True


@transaction.atomic
def remove_anonymous_walk_in(meeting: Meeting, *, by: Member, seen: int | None = None) -> bool:
    """Undo one. False if nobody is counted, or the count is another than was `seen`."""
    counted = Meeting.objects.filter(pk=meeting.pk, headcount__gt=0).counting(seen)
    if not counted.update(headcount=F("headcount") - 1):
        return False
    settle_meeting(meeting)
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


@transaction.atomic
def undo_did_not_meet(meeting: Meeting, *, by: Member) -> bool:
    """Open the roster again. False if nobody had said that the meeting did not take place."""
    closed = Meeting.objects.filter(pk=meeting.pk, status=Meeting.Status.DID_NOT_MEET)
    if not closed.update(status=Meeting.Status.SCHEDULED):
        return False
    settle_meeting(meeting)
    record("meeting.did_meet", meeting, by=by)
    return True


def show_names_on_sheet(meeting: Meeting, *, by: Member) -> list[str]:
    """The names of those who have a place, for a sheet on paper; that they were shown goes on the record (SEC-12)."""
    going = Participation.objects.with_a_place(meeting).order_by("member__display_name", "pk")
    names = list(going.values_list("member__display_name", flat=True))
    record("attendance.names_on_sheet", meeting, by=by, count=len(names))
    return names


def settle_begun() -> int:
    """Count as held what has begun and had somebody noted before it began. Returns how many."""
    return Meeting.objects.roster_open().filter(_SOMEBODY_NOTED).update(status=Meeting.Status.HELD)


_SOMEBODY_NOTED = Q(headcount__gt=0) | Exists(
    Participation.objects.filter(meeting=OuterRef("pk"), attendance__isnull=False)
)


def settle_meeting(meeting: Meeting) -> None:
    """A meeting is held once it has begun and somebody is noted; with the last note undone it is open again."""
    this = Meeting.objects.filter(pk=meeting.pk)
    this.roster_open().filter(_SOMEBODY_NOTED).update(status=Meeting.Status.HELD)
    unsigned = this.exclude(log__signed_at__isnull=False)  # whoever signed a log said that it took place
    unsigned.filter(status=Meeting.Status.HELD).exclude(_SOMEBODY_NOTED).update(status=Meeting.Status.SCHEDULED)
