"""Members who say in the room, by its code, that they are here. A counselor lets them, and can undo each (OPS-03)."""

from django.db import transaction
from django.utils import timezone

from audit.services import record
from groups.models import Membership
from members.models import Member

from ..check_in_models import CheckInCode
from ..models import Meeting, Participation
from .roster import settle_meeting


@transaction.atomic
def open_check_in(meeting: Meeting, *, by: Member) -> bool:
    """Let members check in themselves. False if they can already, or it is too early or too late."""
    if not meeting.takes_check_in:
        return False
    CheckInCode.objects.over().delete()
    _code, is_new = CheckInCode.objects.get_or_create(meeting=meeting)
    if is_new:
        record("check_in.opened", meeting, by=by)
    return is_new


@transaction.atomic
def close_check_in(meeting: Meeting, *, by: Member) -> bool:
    """From now on its code opens nothing; who checked in stays here. False if there was none."""
    deleted, _kinds = CheckInCode.objects.filter(meeting=meeting).delete()
    if not deleted:
        return False
    record("check_in.closed", meeting, by=by)
    return True


@transaction.atomic
def check_in(code: str, *, by: Member) -> Participation | None:
    """Mark oneself as here, with or without a place. What a counselor has noted stays.

    None, whatever the reason: no such code, an old one, one of a group one is not in.
    """
    groups = Membership.objects.active().filter(member=by).values("group")
    found = CheckInCode.objects.usable().filter(code=code, meeting__group__in=groups).select_related("meeting").first()
    if found is None:
        return None
    mine, _is_new = Participation.objects.get_or_create(meeting=found.meeting, member=by)
    unmarked = Participation.objects.filter(pk=mine.pk, attendance=None)
    here = {"attendance": Participation.Attendance.PRESENT, "recorded_by": by, "recorded_at": timezone.now()}
    if unmarked.update(**here):
        settle_meeting(found.meeting)
        record("attendance.checked_in", found.meeting, by=by)
    mine.refresh_from_db()
    return mine
