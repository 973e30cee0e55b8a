"""Messages from those who run a group to its people: one mail each, and no text kept that no mail needs."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

import outbox.services as outbox
from audit.services import record
from groups.models import Group, Membership
from members.models import Member, MemberQuerySet, ReminderSettings

from ..message_models import MESSAGE, GroupMessage
from ..models import Meeting, Participation
from .places import hold_group


class Readers(NamedTuple):
    """Who would get a message, and how many would not: mail does not reach them, or they want none."""

    ids: list[UUID]
    without_mail: int
    said_no: int


def people_of(group: Group, *, meeting: Meeting | None, audience: str) -> MemberQuerySet:
    """Whom an audience is: people who are in the group now."""
    people = Member.objects.filter(
        is_active=True, pk__in=Membership.objects.active().filter(group=group).values("member")
    )
    if meeting is None:
        return people
    line = [Participation.Rsvp.WAITLISTED, Participation.Rsvp.OFFERED]
    answers = {
        GroupMessage.Audience.GOING: [Participation.Rsvp.GOING],
        GroupMessage.Audience.WAITING: line,
        GroupMessage.Audience.COMING: [Participation.Rsvp.GOING, *line],
    }[GroupMessage.Audience(audience)]
    return people.filter(pk__in=Participation.objects.filter(meeting=meeting, rsvp__in=answers).values("member"))


def find_readers(group: Group, *, meeting: Meeting | None, audience: str) -> Readers:
    muted = Membership.objects.filter(group=group, member=OuterRef("pk"), is_muted=True)
    wants_none = ReminderSettings.objects.filter(member=OuterRef("pk"), group_messages=False)
    people = people_of(group, meeting=meeting, audience=audience).knowing_whether_mail_works()
    rows = list(people.annotate(said_no=Exists(muted) | Exists(wants_none)).values_list("pk", "mail_works", "said_no"))
    return Readers(
        ids=[pk for pk, mail_works, said_no in rows if mail_works and not said_no],
        without_mail=sum(not mail_works for _pk, mail_works, _said_no in rows),
        said_no=sum(mail_works and said_no for _pk, mail_works, said_no in rows),
    )


@transaction.atomic
def send_message(
    message_id: UUID, group: Group, *, by: Member, text: str, audience: str, meeting: Meeting | None = None
) -> GroupMessage | None:
    """Write to people of a group, once for each id. None if nobody would get it or too many were sent in this hour.

    The record says to how many, and nothing of what it says.
    """
    hold_group(group)
    if sent := GroupMessage.objects.filter(pk=message_id, group=group, sent_by=by).first():
        return sent
    readers = find_readers(group, meeting=meeting, audience=audience)
    if not readers.ids or may_send_from(group) is not None:
        return None
    expires_at = timezone.now() + timedelta(hours=settings.GROUP_MESSAGE_HOURS)
    message = GroupMessage.objects.create(
        pk=message_id,
        group=group,
        meeting=meeting,
        audience=audience,
        text=text,
        sent_by=by,
        expires_at=min(expires_at, meeting.ends_at) if meeting else expires_at,
        told=len(readers.ids),
        without_mail=readers.without_mail,
        said_no=readers.said_no,
    )
    outbox.queue(MESSAGE, readers.ids, about_id=message.pk, fact="", expires_at=message.expires_at)
    record("message.sent", meeting or group, by=by, audience=str(audience), count=message.told)
    return message


def may_send_from(group: Group):
    """When the next message may be written, if as many as may be were sent in the last hour; else nothing."""
    lately = list(GroupMessage.objects.of_the_last_hour().filter(group=group).values_list("sent_at", flat=True))
    if len(lately) < settings.GROUP_MESSAGES_PER_HOUR:
        return None
    return sorted(lately)[-settings.GROUP_MESSAGES_PER_HOUR] + timedelta(hours=1)


def forget_messages() -> int:
    """Erase the text of messages that no mail needs any more. Returns how many."""
    return GroupMessage.objects.done_with().update(text="")
