"""Mail that came back, or was refused for good: what it stops, and how its member has it go out again."""

import logging
from datetime import datetime
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from .bounce_reports import Bounce, is_about_the_address, read_bounce
from .mailboxes import Mailbox, NoMailbox, open_mailbox
from .models import COMPLAINT, BouncedAddress, Email

logger = logging.getLogger(__name__)


class Counts(NamedTuple):
    """What became of the mails in a mailbox."""

    noted: int = 0
    known: int = 0  # reports that say nothing new: taken away too
    left: int = 0


def process_bounces(mailbox: Mailbox, *, seconds: float = 60) -> Counts:
    """Note the reports in a mailbox and take them away, until the time is up. Safe beside another that does the same.

    Whatever else is there stays, for somebody to read.
    """
    stop_at = monotonic() + seconds
    noted = known = left = 0
    for key, raw in mailbox.mails():
        if monotonic() >= stop_at:
            break
        bounce = read_bounce(raw)
        if bounce is None or _may_still_leave(bounce.email_id):
            left += 1
            continue
        if note_bounce(bounce):
            noted += 1
        else:
            known += 1
        mailbox.take_away(key)
    return Counts(noted, known, left)


def process_bounces_at_home() -> Counts:
    """The same for the mailbox of this installation. A server that is away is asked again at the next tick."""
    try:
        with open_mailbox(settings.BOUNCE_MAILBOX) as mailbox:
            return process_bounces(mailbox)
    except NoMailbox as error:
        logger.warning("no reports of bounces: %s", error)
        return Counts()


def _may_still_leave(email_id: UUID) -> bool:
    """Whether a mail is not closed yet: a report can be quicker than the mark that says it was sent."""
    return Email.objects.waiting().filter(pk=email_id).exists()


@transaction.atomic
def note_bounce(bounce: Bounce) -> bool:
    """Note that a mail came back; one that came back for good stops further mail to that address.

    False if we sent no such mail there, or know already. An address its member has left since then stops nothing.
    """
    email = Email.objects.may_have_arrived().select_related("recipient").filter(pk=bounce.email_id).first()
    if email is None or not bounce.is_of(email.recipient.email):
        return False
    is_news = Email.objects.may_have_arrived().filter(pk=email.pk)
    if not is_news.update(state=Email.State.BOUNCED, reason=bounce.status, stopped_at=timezone.now()):
        return False
    flag_address(email, bounce.status)
    return True


def flag_address(email: Email, status: str) -> bool:
    """Stop further mail to the address a mail went to: see `flag_member`."""
    return flag_member(email.recipient, status, left_at=email.sent_at or timezone.now())


def flag_member(member: Any, status: str, *, left_at: datetime) -> bool:
    """Stop further mail to somebody's address, as a mail that left then came back, until they say that it works.

    False if the status is no reason to, or they have said so since the mail left.
    """
    if status != COMPLAINT and not is_about_the_address(status):
        return False
    what = {"address": member.email, "status": status}
    flag, is_new = BouncedAddress.objects.get_or_create(member=member, defaults=what)
    if is_new:
        return True
    known = BouncedAddress.objects.filter(pk=flag.pk).open_to_news(member.email, left_at)
    return bool(known.update(bounced_at=timezone.now(), works_since=None, **what))


def sends_mail_back(member: Any) -> bool:
    """Whether mail to somebody has to wait until they have another address, or say that theirs works."""
    flag: BouncedAddress | None = getattr(member, "bounced_address", None)
    return flag is not None and flag.is_standing


def try_address_again(member_id: UUID) -> bool:
    """Send mail again to an address that sent some back: its member says that it works. False if none did."""
    return bool(BouncedAddress.objects.standing().filter(member=member_id).update(works_since=timezone.now()))
