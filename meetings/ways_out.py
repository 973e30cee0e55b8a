"""What a link in a mail stops: reminders at all, or of the group the mail was about."""

from uuid import UUID

from groups.models import Group
from groups.services import mute_group
from members.models import Consent
from members.services import withdraw_consent


def stop_reminders(member_id: UUID) -> None:
    withdraw_consent(member_id, Consent.Kind.REMINDERS)


def stop_missed_you(member_id: UUID) -> None:
    withdraw_consent(member_id, Consent.Kind.MISSED_YOU)


def mute_group_of(member_id: UUID, meeting_id: UUID) -> None:
    if group := Group.objects.filter(meetings=meeting_id).first():
        mute_group(group, member_id=member_id)
