import logging
import secrets
import smtplib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from . import kinds
from .kinds import Letter, Unwanted
from .models import SENDER_LOCKS, Email

logger = logging.getLogger(__name__)

BATCH = 100
MOST_ATTEMPTS = 6
UNSUBSCRIBE_SALT = "outbox.unsubscribe"


def queue(kind: str, recipients: Iterable[UUID], *, about_id: UUID, fact: str, expires_at: datetime) -> int:
    """Queue one mail per recipient in the caller's transaction; those already told of this fact get none.

    Returns how many were offered to the queue. `fact` is what would justify another mail, such as a start time.
    """
    emails = [
        Email(
            key=f"{kind}/{about_id}/{recipient}/{fact}",
            kind=kind,
            recipient_id=recipient,
            about_id=about_id,
            fact=fact,
            expires_at=expires_at,
        )
        for recipient in recipients
    ]
    Email.objects.bulk_create(emails, ignore_conflicts=True)
    if emails:
        transaction.on_commit(wake_senders)
    return len(emails)


def wake_senders() -> None:
    """Ask a worker to deliver now. Nothing is lost if the broker is away: the next tick finds the rows."""
    try:
        current_app.send_task("outbox.tasks.deliver_outbox", expires=55, retry=False)
    except (OperationalError, OSError):
        logger.warning("broker away: mail waits for the next tick")


def deliver(*, seconds: float = 60) -> int:
    """Send what is due until nothing is left or the time is up. Returns how many were sent. Safe beside other senders.

    A row is claimed (and committed) before it is sent and marked right after the server took it, one by one: a sender
    that dies leaves at most the one message it had just handed over in doubt.
    """
    stop_at = monotonic() + seconds
    sent = 0
    smtp = get_connection()
    with sender() as sender_id:
        Email.objects.release_claims_of_dead_senders()
        try:
            while monotonic() < stop_at and (batch := Email.objects.claim(sender_id, BATCH)):
                sent += _deliver_batch(batch, smtp)
        finally:
            smtp.close()
    return sent


@contextmanager
def sender() -> Iterator[int]:
    """A sender's number, for as long as its database session lives: the lock on it tells others it is alive."""
    sender_id = secrets.randbelow(2**31)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [SENDER_LOCKS, sender_id])
    try:
        yield sender_id
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [SENDER_LOCKS, sender_id])


def _deliver_batch(batch: list[Email], smtp: BaseEmailBackend) -> int:
    by_kind = defaultdict(list)
    for email in batch:
        by_kind[email.kind].append(email)
    sent = 0
    for name, emails in by_kind.items():
        answers = _prepare(name, emails)
        for email in emails:
            sent += _deliver_one(email, answers[email.pk], smtp)
    return sent


def _prepare(kind: str, emails: list[Email]) -> dict[UUID, Letter | Unwanted | None]:
    """What to send, by e-mail id; None where it cannot be written. One that cannot never stops the others."""
    prepare = kinds.get(kind).prepare
    try:
        return dict(prepare(emails))
    except Exception:
        logger.exception("cannot write %s mail %s", kind, emails[0].pk if len(emails) == 1 else "in one go")
        if len(emails) == 1:
            return {emails[0].pk: None}
        return {pk: answer for email in emails for pk, answer in _prepare(kind, [email]).items()}


def _deliver_one(email: Email, answer: Letter | Unwanted | None, smtp: BaseEmailBackend) -> bool:
    if email.expires_at <= timezone.now():
        return _close(email, Email.State.EXPIRED, "too late")
    if answer is None:
        return _close(email, Email.State.FAILED, "cannot be written")
    if isinstance(answer, Unwanted):
        return _close(email, Email.State.SUPPRESSED, answer.reason)
    try:
        smtp.open()  # does nothing while the connection stands
        smtp.send_messages([_message(email, answer)])
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
        code = _smtp_code(error)
        if code >= 500:
            return _close(email, Email.State.FAILED, f"refused ({code})")
        return _try_again(email, f"put off ({code})")
    except OSError as error:  # also smtplib's own: no connection, cut off, timed out, sender not accepted
        smtp.close()
        return _try_again(email, type(error).__name__)
    return _close(email, Email.State.SENT)


def _close(email: Email, state: Email.State, reason: str = "") -> bool:
    """Mark a claimed mail as done with. True if that means it was sent."""
    sent = state == Email.State.SENT
    Email.objects.filter(pk=email.pk, claimed_by=email.claimed_by).update(
        state=state, reason=reason, claimed_by=None, sent_at=timezone.now() if sent else None
    )
    return sent


def _try_again(email: Email, reason: str) -> bool:
    if email.attempts >= MOST_ATTEMPTS:
        return _close(email, Email.State.FAILED, reason)
    wait = timedelta(minutes=2 ** (email.attempts - 1), seconds=secrets.randbelow(30))
    Email.objects.filter(pk=email.pk, claimed_by=email.claimed_by).update(
        state=Email.State.QUEUED, reason=reason, claimed_by=None, send_after=timezone.now() + wait
    )
    return False


def _smtp_code(error: smtplib.SMTPDataError | smtplib.SMTPRecipientsRefused) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))[0]
    return error.smtp_code


def _message(email: Email, letter: Letter) -> EmailMultiAlternatives:
    headers = {"Message-ID": email.message_id, "Auto-Submitted": "auto-generated"}
    if kinds.get(email.kind).unsubscribe:  # EML-08, RFC 8058
        headers |= {
            "List-Id": f"<reminders.{settings.SITE_HOST}>",
            "List-Unsubscribe": f"<{unsubscribe_url(email)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    message = EmailMultiAlternatives(
        subject=" ".join(letter.subject.split()),
        body=letter.text,
        from_email=settings.REMINDERS_FROM_EMAIL,
        to=[email.recipient.email],
        headers=headers,
    )
    message.attach_alternative(letter.html, "text/html")
    return message


def unsubscribe_url(email: Email) -> str:
    token = signing.dumps([str(email.recipient_id), email.kind], salt=UNSUBSCRIBE_SALT)
    return settings.SITE_URL + reverse("outbox:unsubscribe", args=[token])


def unsubscribe(token: str) -> None:
    """Switch off the kind of mail a token names. A token that is not ours changes nothing and says nothing."""
    try:
        recipient_id, kind = signing.loads(token, salt=UNSUBSCRIBE_SALT)
        switch_off = kinds.get(kind).unsubscribe
    except (signing.BadSignature, KeyError):
        return
    if switch_off:
        switch_off(UUID(recipient_id))


def oldest_due_age() -> timedelta:
    """How long the oldest mail that should have left has been waiting; zero when none is."""
    oldest = Email.objects.due().order_by("send_after").values_list("send_after", flat=True).first()
    return timezone.now() - oldest if oldest else timedelta()
