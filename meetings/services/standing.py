"""Standing places: who comes every week has an answer for each coming date without giving it each time.

An answer somebody gave for a date always counts more. Whoever changes standing places, or leaves, takes the group's
row first and then its meetings: so nobody is given a place at a new date while they leave.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from audit.services import record
from groups.models import Agreement, Group, Membership
from members.models import Member

from ..models import Meeting, MeetingQuerySet, Participation
from .places import answer_declined, hold_group

# Places in the order in which people asked to come every week, then the waiting list in the same order. The meetings
# are held already, so what is counted here stays true.
FILL = """
INSERT INTO meetings_participation (meeting_id, member_id, rsvp, rsvp_at)
SELECT meeting_id, member_id, CASE WHEN turn <= free THEN 'going' ELSE 'waitlisted' END,
       clock_timestamp() + turn * interval '1 microsecond'
FROM (
    SELECT meeting.id AS meeting_id, membership.member_id, meeting.capacity - meeting.places_taken AS free,
           row_number() OVER (PARTITION BY meeting.id ORDER BY membership.standing_since, membership.id) AS turn
    FROM meetings_meeting AS meeting
    JOIN groups_membership AS membership ON membership.group_id = meeting.group_id
    JOIN members_member AS member ON member.id = membership.member_id
    WHERE meeting.group_id = %(group)s AND meeting.status = 'scheduled' AND meeting.starts_at > now()
      AND membership.standing_rsvp AND membership.status = 'active' AND member.is_active
      AND (%(agreement)s::bigint IS NULL OR EXISTS (
            SELECT FROM groups_acceptance AS acceptance
            WHERE acceptance.agreement_id = %(agreement)s AND acceptance.member_id = membership.member_id))
      AND NOT EXISTS (
            SELECT FROM meetings_participation AS there
            WHERE there.meeting_id = meeting.id AND there.member_id = membership.member_id)
) AS missing
ORDER BY meeting_id, turn
ON CONFLICT (meeting_id, member_id) DO NOTHING
"""


@transaction.atomic
def come_every_week(group: Group, *, by: Member) -> bool:
    """Take a place at every coming date, and at new ones as they appear. False if one is not in the group."""
    _hold(group)
    mine = Membership.objects.active().filter(group=group, member=by)
    if mine.filter(standing_rsvp=False).update(standing_rsvp=True, standing_since=timezone.now()):
        record("membership.every_week", group, by=by)
    fill_standing_places(group)
    return mine.exists()


@transaction.atomic
def come_now_and_then(group: Group, *, by: Member) -> bool:
    """Stop coming every week. Places already taken stay. False if nothing stood."""
    mine = Membership.objects.filter(group=group, member=by, standing_rsvp=True)
    if not mine.update(standing_rsvp=False, standing_since=None):
        return False
    record("membership.now_and_then", group, by=by)
    return True


@transaction.atomic
def free_coming_places(group: Group, *, by: Member) -> int:
    """Give back one's places, and places in line, at all coming dates of a group. Returns how many."""
    come_now_and_then(group, by=by)
    expected = Participation.objects.expecting_to_come().filter(member=by)
    coming = Meeting.objects.upcoming().filter(group=group, pk__in=expected.values("meeting")).order_by("pk")
    return sum(answer_declined(meeting, by=by) for meeting in coming)


@transaction.atomic
def fill_standing_places(group: Group) -> int:
    """Answer for those who come every week, where they have not. Returns how many answers were made.

    Who has not accepted the ground rules as they are now is left out until they have.
    """
    _hold(group)
    agreement = Agreement.objects.current_for(group)
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"group": group.pk, "agreement": agreement.pk if agreement else None})
        return cursor.rowcount


def fill_standing_places_of(group_ids: Iterable[int]) -> int:
    """The same for some groups, those first narrowed to where somebody comes every week and lacks an answer."""
    return _fill_lacking(Meeting.objects.filter(group__in=group_ids))


def fill_all_standing_places() -> int:
    """The same for every group that may lack some. Returns how many answers were made."""
    return _fill_lacking(Meeting.objects.all())


def _fill_lacking(meetings: MeetingQuerySet) -> int:
    answered = Participation.objects.filter(meeting=OuterRef("pk"), member=OuterRef("group__memberships__member"))
    lacking = meetings.upcoming().filter(
        ~Exists(answered),
        group__memberships__standing_rsvp=True,
        group__memberships__status=Membership.Status.ACTIVE,
    )
    groups = Group.objects.filter(pk__in=lacking.values("group")).order_by("pk")
    return sum(fill_standing_places(group) for group in groups)


def _hold(group: Group) -> None:
    """Take the group's row and then its coming meetings until the transaction ends."""
    hold_group(group)
    coming = Meeting.objects.upcoming().filter(group=group).select_for_update(no_key=True).order_by("pk")
    list(coming.values_list("pk"))
