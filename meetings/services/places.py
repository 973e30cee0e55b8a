"""Who has a place at a meeting.

Every change of an answer takes the meeting's row first, so all changes at one meeting happen one after the other and
no two can deadlock. A trigger keeps `places_taken`; a CHECK keeps it within the capacity.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

import outbox.services as outbox
from audit.services import record
from groups.models import Group, Membership
from members.models import Member

from ..models import LetFirst, Meeting, Participation

# A place if there is one, else the waiting list, in one statement: the SELECT waits for the meeting's row and the
# membership's (somebody may just be leaving) and reads them as they are then. An answer that stands is kept, as after a
# double click; an offer is taken up. What the answer was before is read as the statement begins.
TAKE_A_PLACE = """
WITH earlier AS (
    SELECT rsvp, rsvp_at, offer_expires_at FROM meetings_participation
    WHERE meeting_id = %(meeting)s AND member_id = %(member)s
), taken AS (
    INSERT INTO meetings_participation AS mine (meeting_id, member_id, rsvp, rsvp_at)
    SELECT meeting.id, %(member)s,
           CASE WHEN meeting.places_taken < meeting.capacity THEN 'going' ELSE 'waitlisted' END,
           clock_timestamp()
    FROM meetings_meeting AS meeting
    JOIN groups_membership AS membership ON membership.group_id = meeting.group_id
    WHERE meeting.id = %(meeting)s AND meeting.status = 'scheduled' AND meeting.starts_at > now()
      AND membership.member_id = %(member)s AND membership.status = 'active'
    FOR NO KEY UPDATE OF meeting FOR SHARE OF membership
    ON CONFLICT (meeting_id, member_id) DO UPDATE SET
        rsvp = CASE
            WHEN mine.rsvp IN ('going', 'waitlisted') THEN mine.rsvp
            WHEN mine.rsvp = 'offered' THEN 'going'
            ELSE excluded.rsvp END,
        rsvp_at = CASE WHEN mine.rsvp IN ('going', 'waitlisted') THEN mine.rsvp_at ELSE excluded.rsvp_at END,
        let_first_at = CASE WHEN mine.rsvp IN ('going', 'waitlisted', 'offered') THEN mine.let_first_at END,
        offer_expires_at = NULL
    RETURNING rsvp, rsvp_at
)
SELECT taken.rsvp, taken.rsvp_at, earlier.rsvp, earlier.rsvp_at, earlier.offer_expires_at
FROM taken LEFT JOIN earlier ON true
"""


class Change(NamedTuple):
    """An answer as it stands now, and what it was before: all that is needed to take it back."""

    rsvp: str
    rsvp_at: datetime
    earlier_rsvp: str | None
    earlier_at: datetime | None
    earlier_offer_until: datetime | None

    @property
    def is_news(self) -> bool:
        """False after a double click: the answer was this one already."""
        return self.rsvp != self.earlier_rsvp


def answer_going(meeting: Meeting, *, by: Member) -> str | None:
    """Take a place, or a place in line when the meeting is full.

    Returns the answer that stands now: "going" or "waitlisted"; None if the meeting takes no answers any more or
    the person is not in the group. Accepts a standing offer. Safe under any concurrency and twice.
    """
    change = change_to_going(meeting, by=by)
    return change.rsvp if change else None


def change_to_going(meeting: Meeting, *, by: Member) -> Change | None:
    """As `answer_going`, with what the answer was before."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_A_PLACE, {"meeting": meeting.pk, "member": by.pk})
        row = cursor.fetchone()
    return Change(*row) if row else None


@transaction.atomic
def answer_declined(meeting: Meeting, *, by: Member) -> bool:
    """Say that one cannot come; a place held goes to the next in line.

    False once the meeting takes no answers, or if it is no business of theirs.
    """
    return change_to_declined(meeting, by=by) is not None


@transaction.atomic
def change_to_declined(meeting: Meeting, *, by: Member) -> Change | None:
    """As `answer_declined`, with what the answer was before."""
    if not _hold(meeting, starts_at__gt=timezone.now()) or not _is_concerned(meeting, by):
        return None
    change = _set_declined(meeting, by)
    offer_free_places(meeting)
    return change


def _hold(meeting: Meeting, **still: object) -> bool:
    """Take the meeting's row until the transaction ends. False if it is no longer scheduled, or not `still` so."""
    held = Meeting.objects.select_for_update(no_key=True).filter(
        pk=meeting.pk, status=Meeting.Status.SCHEDULED, **still
    )
    return held.values_list("pk").first() is not None


def _is_concerned(meeting: Meeting, member: Member) -> bool:
    return (
        Membership.objects.active().filter(group=meeting.group_id, member=member).exists()
        or Participation.objects.filter(meeting=meeting, member=member).exists()
    )


def _set_declined(meeting: Meeting, member: Member) -> Change:
    participation, _created = Participation.objects.get_or_create(meeting=meeting, member=member)
    earlier = (participation.rsvp, participation.rsvp_at, participation.offer_expires_at)
    if participation.rsvp == Participation.Rsvp.DECLINED and participation.rsvp_at:
        return Change(participation.rsvp, participation.rsvp_at, *earlier)
    now = timezone.now()
    _answer(participation, Participation.Rsvp.DECLINED, now)
    return Change(Participation.Rsvp.DECLINED, now, *earlier)


def _answer(
    participation: Participation, rsvp: str | None, at: datetime | None, offer_until: datetime | None = None
) -> None:
    participation.rsvp, participation.rsvp_at, participation.offer_expires_at = rsvp, at, offer_until
    participation.save(update_fields=["rsvp", "rsvp_at", "offer_expires_at"])


@transaction.atomic
def undo_answer(meeting: Meeting, change: Change, *, by: Member) -> Participation | None:
    """Put an answer back to what it was, with the same place in line.

    A place that somebody else has by now cannot be had back: then one is first in line. None if the meeting takes no
    answers any more, the answer is not the one of `change` any more, or the person is no longer in the group.
    """
    is_in = Membership.objects.active().filter(group=meeting.group_id, member=by)
    if not _hold(meeting, starts_at__gt=timezone.now()) or not is_in.exists():
        return None
    mine = Participation.objects.filter(meeting=meeting, member=by, rsvp=change.rsvp, rsvp_at=change.rsvp_at).first()
    if mine is None:
        return None
    _restore(mine, change)
    offer_free_places(meeting)
    mine.refresh_from_db()
    return mine


def _restore(mine: Participation, change: Change) -> None:
    had_a_place = change.earlier_rsvp in (Participation.Rsvp.GOING, Participation.Rsvp.OFFERED)
    holds_a_place = mine.rsvp == Participation.Rsvp.GOING
    has_lapsed = change.earlier_offer_until is not None and change.earlier_offer_until <= timezone.now()
    if had_a_place and has_lapsed:
        _answer(mine, None, None)
    elif had_a_place and not holds_a_place and not Meeting.objects.get(pk=mine.meeting_id).places_left:
        _answer(mine, Participation.Rsvp.WAITLISTED, change.earlier_at)
        _put_first(mine)
    else:
        _answer(mine, change.earlier_rsvp, change.earlier_at, change.earlier_offer_until)


def _put_first(mine: Participation) -> None:
    """Before all in line. The meeting's row is held: nobody else is put first at the same moment."""
    others = Participation.objects.filter(meeting=mine.meeting_id, let_first_at__isnull=False)
    last = others.aggregate(last=Max("let_first_at"))["last"]
    now = timezone.now()
    mine.let_first_at = max(now, last + timedelta(microseconds=1)) if last else now
    mine.save(update_fields=["let_first_at"])


@transaction.atomic
def let_go_first(meeting: Meeting, member_id: UUID, *, by: Member, reason: str, instead_of: UUID) -> bool:
    """Put somebody before all others on the waiting list: the next free place is offered to them.

    Only staff read the reason, and no mail is sent. False if the meeting takes no answers any more, they do not wait,
    or somebody else than `instead_of` is first by now: then it should be looked at again.
    """
    if not _hold(meeting, starts_at__gt=timezone.now()):
        return False
    line = list(Participation.objects.filter(meeting=meeting).in_line())
    number, mine = next(((n, one) for n, one in enumerate(line, 1) if one.member_id == member_id), (0, None))
    if mine is None or number == 1 or line[0].member_id != instead_of:
        return False
    _put_first(mine)
    LetFirst.objects.create(meeting=meeting, member_id=member_id, let_by=by, reason=reason, was_number=number)
    record("waiting.let_first", meeting, by=by, member=str(member_id), was_number=number)
    return True


@transaction.atomic
def offer_free_places(meeting: Meeting) -> int:
    """Offer each free place to the next in line, for a day, never past the start, and tell them. Returns how many."""
    now = timezone.now()
    if not _hold(meeting, starts_at__gt=now):
        return 0
    meeting = Meeting.objects.get(pk=meeting.pk)
    expires_at = min(now + timedelta(hours=settings.OFFER_HOURS), meeting.starts_at)
    next_in_line = Participation.objects.filter(meeting=meeting).in_line()[: meeting.places_left]
    offered = {participation.pk: participation.member_id for participation in next_in_line}
    Participation.objects.filter(pk__in=offered).update(rsvp=Participation.Rsvp.OFFERED, offer_expires_at=expires_at)
    outbox.queue("offer", offered.values(), about_id=meeting.pk, fact=expires_at.isoformat(), expires_at=expires_at)
    return len(offered)


def lapse_offers() -> int:
    """Take back the offers nobody took up in time and pass the places on. Returns how many offers lapsed."""
    lapsed = 0
    for meeting in Meeting.objects.filter(pk__in=Participation.objects.lapsed().values("meeting")).order_by("pk"):
        with transaction.atomic():
            Meeting.objects.select_for_update(no_key=True).get(pk=meeting.pk)
            lapsed += (
                Participation.objects.lapsed()
                .filter(meeting=meeting)
                .update(rsvp=None, rsvp_at=None, offer_expires_at=None)
            )
            offer_free_places(meeting)
    return lapsed


@transaction.atomic
def change_capacity(meeting: Meeting, capacity: int, *, by: Member) -> bool:
    """Set the number of places and offer new ones to those in line. False if more places are taken than that."""
    enough = Meeting.objects.filter(pk=meeting.pk, places_taken__lte=capacity)
    if not enough.update(capacity=capacity):
        return False
    record("meeting.capacity", meeting, by=by, capacity=capacity)
    offer_free_places(meeting)
    return True


def place_in_line(participation: Participation) -> int:
    """How many are before this person on the waiting list, and themselves: 1 is next."""
    return Participation.objects.in_line().before(participation).count() + 1


def hold_group(group: Group) -> None:
    """Take the group's row until the transaction ends: who comes every week, and who leaves, one after the other."""
    Group.objects.select_for_update(no_key=True).values_list("pk").get(pk=group.pk)


@transaction.atomic
def leave_group(group: Group, *, by: Member) -> bool:
    """Leave a group and free one's places at its coming meetings. False if one was not in it."""
    coming = _hold_coming(group)
    membership = Membership.objects.filter(
        group=group, member=by, status__in=[Membership.Status.ACTIVE, Membership.Status.REQUESTED]
    )
    gone = {"status": Membership.Status.LEFT, "left_at": timezone.now(), "standing_rsvp": False, "standing_since": None}
    if not membership.update(**gone):
        return False
    record("membership.left", group, by=by)
    _free_places_of(by, coming)
    return True


@transaction.atomic
def remove_member(membership: Membership, *, by: Member, reason: str) -> bool:
    """Take somebody out of a group and free their places at its coming meetings. False if they are not in it any more.

    Only staff read the reason, and no mail is sent. To come back they ask, and a counselor answers.
    """
    coming = _hold_coming(membership.group)
    now = timezone.now()
    gone = {"status": Membership.Status.REMOVED, "left_at": now, "standing_rsvp": False, "standing_since": None}
    in_it = Membership.objects.active().filter(pk=membership.pk)
    if not in_it.update(**gone, removed_at=now, decided_at=None, removal_reason=reason):
        return False
    record("membership.removed", membership.group, by=by, member=str(membership.member_id))
    _free_places_of(membership.member, coming)
    return True


def _hold_coming(group: Group) -> list[Meeting]:
    """The group and its meetings first, as everybody does who changes answers or makes dates: then nobody takes a
    place, and none is taken for them at a new date, while somebody leaves."""
    hold_group(group)
    return list(Meeting.objects.upcoming().filter(group=group).select_for_update(no_key=True).order_by("pk"))


def _free_places_of(member: Member, coming: list[Meeting]) -> None:
    expected_at = set(Participation.objects.expecting_to_come().filter(member=member).values_list("meeting", flat=True))
    for meeting in coming:
        if meeting.pk in expected_at:
            answer_declined(meeting, by=member)
