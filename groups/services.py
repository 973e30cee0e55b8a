from collections.abc import Collection
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

import outbox.services as outbox
from audit.services import record
from members.models import Member

from .models import Acceptance, Agreement, Facilitator, Group, Invitation, Membership

DECISION_HELPS_FOR = timedelta(days=14)  # a mail about it that could not leave until then is not sent any more


@transaction.atomic
def create_group(group: Group, *, by: Member) -> Group:
    """Save a new group and make the counselor who made it its lead."""
    group.save()
    if by.is_counselor:
        Facilitator.objects.create(group=group, member=by, role=Facilitator.Role.LEAD)
    record("group.created", group, by=by)
    return group


@transaction.atomic
def change_group(group: Group, *, by: Member, fields: list[str]) -> Group:
    """Save a changed group; the record says which fields changed, not to what."""
    group.save()
    record("group.changed", group, by=by, fields=fields)
    return group


@transaction.atomic
def publish_agreement(agreement: Agreement, *, by: Member) -> Agreement:
    """Save new ground rules of a group, or of the house, as the next version in their language."""
    earlier = Agreement.objects.filter(group=agreement.group, language=agreement.language)
    agreement.version = (earlier.aggregate(newest=Max("version"))["newest"] or 0) + 1
    agreement.save()
    record("agreement.published", agreement, by=by)
    return agreement


@transaction.atomic
def join_group(group: Group, *, by: Member, agreement: Agreement | None) -> Membership | None:
    """Accept the ground rules and join, or ask to. None if the group takes people by invitation only.

    Somebody who was removed asks again, whatever the enrolment: a counselor answers.
    """
    membership = Membership.objects.select_for_update().filter(group=group, member=by).first()
    if membership and membership.status == Membership.Status.ACTIVE:
        accept_agreement(agreement, by=by)
        return membership
    if group.enrolment == Group.Enrolment.CLOSED:
        return None
    accept_agreement(agreement, by=by)
    at_once = group.enrolment == Group.Enrolment.OPEN and not _was_removed(membership)
    if membership and membership.status == Membership.Status.REQUESTED and not at_once:
        return membership
    return _admit_or_ask(group, by=by, at_once=at_once)


def _was_removed(membership: Membership | None) -> bool:
    return membership is not None and membership.removed_at is not None


def _admit_or_ask(group: Group, *, by: Member, at_once: bool) -> Membership:
    now = timezone.now()
    membership, _created = Membership.objects.update_or_create(
        group=group,
        member=by,
        defaults={
            "status": Membership.Status.ACTIVE if at_once else Membership.Status.REQUESTED,
            "requested_at": now,
            "joined_at": now if at_once else None,
            "decided_at": None,
            "left_at": None,
        },
    )
    record("membership.joined" if at_once else "membership.requested", group, by=by)
    return membership


@transaction.atomic
def mute_groups(groups: Collection[Group], *, by: Member) -> None:
    """No reminders from these groups of theirs, and reminders from all the others."""
    theirs = Membership.objects.active().filter(member=by)
    theirs.filter(group__in=groups, is_muted=False).update(is_muted=True)
    theirs.exclude(group__in=groups).filter(is_muted=True).update(is_muted=False)


def mute_group(group: Group, *, member_id: UUID) -> bool:
    """No reminders from this one of theirs any more. False if it was so already, or is none of theirs."""
    theirs = Membership.objects.active().filter(group=group, member=member_id, is_muted=False)
    return bool(theirs.update(is_muted=True))


def accept_agreement(agreement: Agreement | None, *, by: Member) -> None:
    if agreement:
        Acceptance.objects.get_or_create(agreement=agreement, member=by)


def has_accepted(agreement: Agreement | None, member: Member) -> bool:
    """Whether there is nothing left for them to accept."""
    return agreement is None or Acceptance.objects.filter(agreement=agreement, member=member).exists()


@transaction.atomic
def approve_request(membership: Membership, *, by: Member) -> bool:
    """Let somebody who asked into the group, and tell them. False if nothing was asked any more."""
    requested = Membership.objects.requested().filter(pk=membership.pk)
    now = timezone.now()
    if not requested.update(
        status=Membership.Status.ACTIVE,
        joined_at=now,
        decided_at=now,
        left_at=None,
        removed_at=None,
        removal_reason="",
    ):
        return False
    _tell(membership, decided_at=now)
    record("membership.approved", membership.group, by=by, member=str(membership.member_id))
    return True


@transaction.atomic
def decline_request(membership: Membership, *, by: Member, reason: str = "") -> bool:
    """Say no to a request, and tell them; only staff read the reason. False if nothing was asked any more."""
    requested = Membership.objects.requested().filter(pk=membership.pk)
    now = timezone.now()
    gone = {"status": Membership.Status.REMOVED, "decided_at": now, "left_at": now, "removed_at": now}
    if not requested.update(**gone, removal_reason=reason):
        return False
    _tell(membership, decided_at=now)
    record("membership.declined", membership.group, by=by, member=str(membership.member_id))
    return True


def _tell(membership: Membership, *, decided_at: datetime) -> None:
    """One mail for each decision: somebody who asks again hears again."""
    outbox.queue(
        "join_decision",
        [membership.member_id],
        about_id=UUID(int=membership.pk),  # memberships are numbered
        fact=decided_at.isoformat(),
        expires_at=decided_at + DECISION_HELPS_FOR,
    )


@transaction.atomic
def invite(invitation: Invitation, *, by: Member, token: str, days: int) -> Invitation:
    """Save an invitation for whoever bears the token, until the end of the day in so many days where the group is.

    The same token again, from the same counselor for the same group, is the same invitation: a form that was sent
    twice, even at once. If it is another's, or works no more, there is a new one under a new token.
    """
    zone = ZoneInfo(invitation.group.time_zone)
    last_day = timezone.now().astimezone(zone).date() + timedelta(days=days)
    made, is_new = Invitation.objects.get_or_create(
        token_hash=Invitation.hash_of(token),
        defaults={
            "group": invitation.group,
            "invited_by": by,
            "expires_at": datetime.combine(last_day + timedelta(days=1), time.min, tzinfo=zone),
        },
    )
    if is_new:
        record("invitation.made", made, by=by, group=made.group_id)
    elif (made.invited_by, made.group, made.state) != (by, invitation.group, Invitation.State.USABLE):
        return invite(invitation, by=by, token=Invitation.new_token(), days=days)
    made.token = token
    return made


@transaction.atomic
def accept_invitation(invitation: Invitation, *, by: Member, agreement: Agreement | None) -> Membership | None:
    """Let its bearer into the group, once. None if it was used, taken back or is too old by now.

    Who is in the group already leaves it for somebody else. Somebody who was removed uses it up and asks: a counselor
    answers, for the link may have been meant for another.
    """
    membership = Membership.objects.select_for_update().filter(group=invitation.group_id, member=by).first()
    if membership and membership.status == Membership.Status.ACTIVE:
        accept_agreement(agreement, by=by)
        return membership
    if not Invitation.objects.usable().filter(pk=invitation.pk).update(used_by=by, used_at=timezone.now()):
        return None
    accept_agreement(agreement, by=by)
    record("invitation.used", invitation, by=by)
    return _admit_or_ask(invitation.group, by=by, at_once=not _was_removed(membership))


@transaction.atomic
def revoke_invitation(invitation: Invitation, *, by: Member) -> bool:
    """Take an invitation back. False if it was used or taken back before."""
    if not Invitation.objects.unanswered().filter(pk=invitation.pk).update(revoked_at=timezone.now()):
        return False
    record("invitation.revoked", invitation, by=by)
    return True
