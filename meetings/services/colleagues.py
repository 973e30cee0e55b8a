"""Those who run a group together hear what one of them changes, once for all that is changed at once."""

from uuid import UUID

from django.db import connection
from django.utils import timezone

import outbox.services as outbox
from groups.models import Facilitator
from members.models import Member
from outbox.models import Email

from ..models import Meeting

OFF = "off"  # how the fact of a mail begins that takes back an earlier one


def tell_colleagues(meeting: Meeting, *, by: Member | None) -> None:
    """Queue a mail to the others who run this date: the group's facilitators, and whoever leads it instead.

    In one transaction each of them gets one, about the first date that changed: a pause of three months is one piece of
    news. Nobody is told of what the site does by itself.
    """
    if by is None:
        return
    run_by = Facilitator.objects.filter(group=meeting.group_id, member__is_active=True)
    colleagues = set(run_by.values_list("member", flat=True)) - {by.pk}
    if meeting.substitute_id and meeting.substitute_id != by.pk:
        colleagues.add(meeting.substitute_id)
    fact = f"{meeting.group_id}/{_this_change()}"
    told = Email.objects.filter(recipient__in=colleagues, kind="colleagues", fact=fact)
    colleagues -= set(told.values_list("recipient", flat=True))
    outbox.queue("colleagues", colleagues, about_id=meeting.pk, fact=fact, expires_at=meeting.ends_at)


def tell_substitute(meeting: Meeting, substitute_id: UUID, *, leads: bool) -> None:
    """Queue a mail to whoever is to lead one date, or need not any more. To be chosen again is news again."""
    fact = f"{'on' if leads else OFF}/{timezone.now().isoformat()}"
    outbox.queue("substitute", [substitute_id], about_id=meeting.pk, fact=fact, expires_at=meeting.starts_at)


def _this_change() -> int:
    """The number of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        return int(cursor.fetchone()[0])
