"""Who has a place at a meeting.

Every change of an answer takes the meeting's row first, so all changes at one meeting happen one after the other and
no two can deadlock. A trigger keeps `places_taken`; a CHECK keeps it within the capacity.
"""

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

import outbox.services as outbox
from audit.services import record
from groups.models import Group, Membership
from members.models import Member

from ..models import Meeting, Participation

# A place if there is one, else the waiting list, in one statement: the SELECT waits for the meeting's row and then
# reads it as it is now, and an answer that stands (a double click, an offer being taken up) is kept or taken up.
TAKE_A_PLACE = """
INSERT INTO meetings_participation AS mine (meeting_id, member_id, rsvp, rsvp_at)
SELECT meeting.id, %(member)s,
       CASE WHEN meeting.places_taken < meeting.capacity THEN 'going' ELSE 'waitlisted' END,
       clock_timestamp()
FROM meetings_meeting AS meeting
WHERE meeting.id = %(meeting)s AND meeting.status = 'scheduled' AND meeting.starts_at > now()
  AND EXISTS (
      SELECT FROM groups_membership AS membership
      WHERE membership.group_id = meeting.group_id AND membership.member_id = %(member)s
        AND membership.status = 'active')
FOR NO KEY UPDATE OF meeting
ON CONFLICT (meeting_id, member_id) DO UPDATE SET
    rsvp = CASE
        WHEN mine.rsvp IN ('going', 'waitlisted') THEN mine.rsvp
        WHEN mine.rsvp = 'offered' THEN 'going'
        ELSE excluded.rsvp END,
    rsvp_at = CASE WHEN mine.rsvp IN ('going', 'waitlisted') THEN mine.rsvp_at ELSE excluded.rsvp_at END,
    offer_expires_at = NULL
RETURNING rsvp
"""


def answer_going(meeting: Meeting, *, by: Member) -> str | None:
    """Take a place, or a place in line when the meeting is full.

    Returns the answer that stands now: "going" or "waitlisted"; None if the meeting takes no answers any more or
    the person is not in the group. Accepts a standing offer. Safe under any concurrency and twice.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE_A_PLACE, {"meeting": meeting.pk, "member": by.pk})
        row = cursor.fetchone()
    return row[0] if row else None


@transaction.atomic
def answer_declined(meeting: Meeting, *, by: Member) -> bool:
    """Say that one cannot come; a place held goes to the next in line. False once the meeting takes no answers."""
    if not _hold(meeting, starts_at__gt=timezone.now()):
        return False
    _set_declined(meeting, by)
    offer_free_places(meeting)
    return True


def _hold(meeting: Meeting, **still: object) -> bool:
    """Take the meeting's row until the transaction ends. False if it is no longer scheduled, or not `still` so."""
    held = Meeting.objects.select_for_update(no_key=True).filter(
        pk=meeting.pk, status=Meeting.Status.SCHEDULED, **still
    )
    return held.values_list("pk").first() is not None


def _set_declined(meeting: Meeting, member: Member) -> None:
    participation, _created = Participation.objects.get_or_create(meeting=meeting, member=member)
    if participation.rsvp != Participation.Rsvp.DECLINED:
        participation.rsvp = Participation.Rsvp.DECLINED
        participation.rsvp_at = timezone.now()
        participation.offer_expires_at = None
        participation.save(update_fields=["rsvp", "rsvp_at", "offer_expires_at"])


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
    before = Participation.objects.filter(
        Q(rsvp_at__lt=participation.rsvp_at) | Q(rsvp_at=participation.rsvp_at, pk__lt=participation.pk),
        meeting=participation.meeting_id,
        rsvp=Participation.Rsvp.WAITLISTED,
    )
    return before.count() + 1


@transaction.atomic
def leave_group(group: Group, *, by: Member) -> bool:
    """Leave a group and free one's places at its coming meetings. False if one was not in it."""
    membership = Membership.objects.filter(
        group=group, member=by, status__in=[Membership.Status.ACTIVE, Membership.Status.REQUESTED]
    )
    if not membership.update(status=Membership.Status.LEFT, left_at=timezone.now()):
        return False
    record("membership.left", group, by=by)
    kept = Participation.objects.expecting_to_come().filter(member=by).values("meeting")
    for meeting in Meeting.objects.upcoming().filter(group=group, pk__in=kept).order_by("pk"):
        answer_declined(meeting, by=by)
    return True
