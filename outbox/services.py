import logging
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import formatdate
from functools import lru_cache
from time import monotonic, time
from uuid import UUID

from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core import signing
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_noop
from kombu.exceptions import OperationalError as BrokerError

from . import bounces, kinds
from .bounce_reports import return_path
from .kinds import Later, Letter, Unwanted
from .lines import Handed, Lines, Problem
from .links import link, signed
from .mail_server import LineBroke, Refused, ServerAway, Unsendable
from .message import Message
from .models import SENDER_LOCKS, Email

logger = logging.getLogger(__name__)

BATCH = 100
BIGGEST_BATCH = 800
FRESH = 2  # seconds: batches grow while they are sent so soon after their facts were looked at
MOST_ATTEMPTS = 12  # in six hours or more
LONGEST_WAIT = timedelta(minutes=60)
MOST_DOUBTS = 3  # rather one mail too few than many too many
STUCK_AFTER = timedelta(minutes=5)  # well past the time limit of a task
BROKER_REST = 10  # seconds
UNSUBSCRIBE_SALT = "outbox.unsubscribe"

_broker_away_until = 0.0


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
    """Ask a worker to deliver now. Nothing is lost if the broker is away: the next tick finds the rows.

    Somebody waits for their page meanwhile: a broker that does not answer at once is left alone for a while.
    """
    global _broker_away_until
    if monotonic() < _broker_away_until:
        return
    patience = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2, "max_retries": 0}
    try:
        with current_app.connection_for_write(transport_options=patience) as broker:
            current_app.send_task("outbox.tasks.deliver_outbox", connection=broker, expires=55, retry=False)
    except (BrokerError, OSError):
        _broker_away_until = monotonic() + BROKER_REST
        logger.warning("broker away: mail waits for the next tick")


def deliver(*, seconds: float = 60) -> int:
    """Send what is due until nothing is left or the time is up. Returns how many were sent. Safe beside other senders.

    A row is claimed (and committed) before it is sent and marked right after the server took it: a sender that dies
    leaves at most one message on each of its lines in doubt. Where much is due, others are woken.
    """
    stop_at = monotonic() + seconds
    sent = 0
    Email.objects.end_stuck_senders(STUCK_AFTER)
    Email.objects.release_claims_of_dead_senders()
    with sender() as sender_id, closing(Lines(settings.MAIL_LINES)) as lines:
        try:
            batch = Email.objects.claim(sender_id, BATCH)
            if len(batch) == BATCH and Email.objects.senders() < settings.MAIL_SENDERS:
                wake_senders()
            while batch:
                looked_at = monotonic()
                for handed in lines.hand_over(_messages(batch, stop_at), about=len(batch)):
                    sent += _note(handed, sender_id)
                if monotonic() >= stop_at:
                    wake_senders()
                    break
                is_quick = monotonic() - looked_at < FRESH / 2
                size = min(max(BATCH, 2 * len(batch)), BIGGEST_BATCH) if is_quick else BATCH
                batch = Email.objects.claim(sender_id, size)
        except ServerAway as away:
            logger.warning("mail server away, mail waits for the next tick: %s", away)
    return sent


@contextmanager
def sender() -> Iterator[int]:
    """A sender's number, for as long as its database session lives: the lock on it tells others it is alive.

    What it had claimed and not got to is queued again at the end.
    """
    sender_id = secrets.randbelow(2**31)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [SENDER_LOCKS, sender_id])
    Email.objects.prepare_to_mark()
    is_interrupted = True
    try:
        yield sender_id
        is_interrupted = False
    finally:
        Email.objects.release_claims([sender_id], is_interrupted=is_interrupted)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [SENDER_LOCKS, sender_id])


def _answers(batch: list[Email]) -> Iterator[tuple[Email, Letter | Later | Unwanted | None]]:
    """Each mail that still helps with what to send, in the order of `in_order`. What is too late is closed."""
    by_kind = defaultdict(list)
    for email in batch:
        if email.is_too_late:
            _close(
                email, Email.State.EXPIRED, f"too late: {email.reason}" if email.reason else gettext_noop("too late")
            )
        else:
            by_kind[email.kind].append(email)
    answers: dict[UUID, Letter | Later | Unwanted | None] = {}
    for name, emails in by_kind.items():
        answers |= _prepare(name, emails)
    return ((email, answers.get(email.pk)) for email in batch if not email.is_too_late)


def _prepare(name: str, emails: list[Email]) -> Mapping[UUID, Letter | Later | Unwanted | None]:
    """What to send, by e-mail id; None where it cannot be written. One that cannot never stops the others."""
    if not kinds.is_sent_here(name):
        return {email.pk: Unwanted(gettext_noop("not sent here any more")) for email in emails}
    try:
        return kinds.get(name).prepare(emails)
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):  # it is not the mail's fault
        raise
    except Exception:
        if len(emails) > 1:
            return {pk: answer for email in emails for pk, answer in _prepare(name, [email]).items()}
        logger.exception("cannot write %s", emails[0])
        return {}


def _messages(batch: list[Email], stop_at: float) -> Iterator[tuple[Email, Message]]:
    """What is to be handed over, until the time is up. What is not to be is closed or put off when its turn comes."""
    for email, answer in _answers(batch):
        if monotonic() >= stop_at:
            return
        if bounces.sends_mail_back(email.recipient):
            _close(email, Email.State.SUPPRESSED, gettext_noop("the address sends mail back"))
        elif isinstance(answer, Unwanted):
            _close(email, Email.State.SUPPRESSED, answer.reason)
        elif isinstance(answer, Later):
            _put_off(email, answer.at)
        elif answer is None:  # perhaps the next version of the program can
            _try_again(email, gettext_noop("cannot be written"))
        else:
            yield email, _message(email, answer)


def _note(handed: list[Handed], sender_id: int) -> int:
    """Note at once what became of mails that were handed over. Returns how many the server took."""
    taken = defaultdict(list)
    for mail in handed:
        if mail.problem is None:
            letter = mail.message.letter
            taken[letter.period_id, letter.variant].append(mail.email.pk)
    for (period_id, variant), ids in taken.items():
        Email.objects.mark_sent(ids, sender_id, period_id=period_id, variant=variant)
    for mail in handed:
        if mail.problem is not None:
            _note_problem(mail.email, mail.problem)
    return sum(map(len, taken.values()))


def _note_problem(email: Email, problem: Problem) -> None:
    match problem:
        case Refused(for_good=True):
            bounces.flag_address(email, problem.status)
            _close(email, Email.State.FAILED, f"refused ({problem.code})", tried=True)
        case Refused():
            _try_again(email, f"put off ({problem.code})")
        case Unsendable():
            _close(email, Email.State.FAILED, f"cannot be sent ({problem})", tried=True)
        case LineBroke():
            _try_again(email, f"line broke ({problem})", in_doubt=problem.in_doubt, until_too_late=True)


def _close(email: Email, state: Email.State, reason: str = "", *, tried: bool = False, in_doubt: bool = False) -> None:
    """Mark a claimed mail as done with, unsent."""
    Email.objects.filter(pk=email.pk).claimed_by([email.claimed_by]).update(
        state=state,
        reason=reason,
        claimed_by=None,
        attempts=F("attempts") + int(tried),
        doubts=F("doubts") + int(in_doubt),
        stopped_at=Now(),
    )


def _put_off(email: Email, until: datetime) -> None:
    """Queue a mail again for a better hour; nothing was tried, so nothing is counted."""
    Email.objects.filter(pk=email.pk).claimed_by([email.claimed_by]).update(
        state=Email.State.QUEUED, claimed_by=None, send_after=until
    )


def _try_again(email: Email, reason: str, *, in_doubt: bool = False, until_too_late: bool = False) -> None:
    """Queue a mail again for later: after 1, 2, 4, … and at last every 60 minutes, and up to half as long again, so
    that not all come back at once.

    After so many attempts it has failed; so has one that may well have arrived. `until_too_late`: it was not this mail
    that was at fault.
    """
    attempts = email.attempts + 1
    if in_doubt and email.doubts + 1 >= MOST_DOUBTS:
        _close(email, Email.State.FAILED, f"may have arrived: {reason}", tried=True, in_doubt=True)
        return
    if attempts >= MOST_ATTEMPTS and not until_too_late:
        _close(email, Email.State.FAILED, reason, tried=True)
        return
    wait = min(timedelta(minutes=2 ** min(attempts - 1, 10)), LONGEST_WAIT)
    Email.objects.filter(pk=email.pk).claimed_by([email.claimed_by]).update(
        state=Email.State.QUEUED,
        reason=reason,
        claimed_by=None,
        attempts=attempts,
        doubts=F("doubts") + int(in_doubt),
        send_after=Now() + wait * (1 + secrets.randbelow(500) / 1000),
    )


def _message(email: Email, letter: Letter) -> Message:
    headers = {
        "From": settings.REMINDERS_FROM_EMAIL,
        "Message-ID": email.message_id,
        "Date": _date(int(time())),
        "Auto-Submitted": "auto-generated",
    }
    if kinds.get(email.kind).unsubscribe:  # EML-08, RFC 8058
        headers |= {
            "List-Id": f"<reminders.{settings.SITE_HOST}>",
            "List-Unsubscribe": f"<{unsubscribe_url(email)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return Message(
        letter,
        to=email.recipient.email,
        return_to=_return_path(email) or settings.REMINDERS_FROM_EMAIL,
        headers=headers,
    )


@lru_cache(1)
def _date(second: int) -> str:
    return formatdate(second)


def _return_path(email: Email) -> str:
    """Where its report goes if it cannot be delivered; nothing where no mailbox takes reports."""
    return settings.BOUNCE_ADDRESS and return_path(settings.BOUNCE_ADDRESS, email.pk, email.recipient.email)


def unsubscribe_url(email: Email) -> str:
    """Where the mail's reader can stop mail like it. The same in its text and its headers, so made once."""
    if not hasattr(email, "_unsubscribe_url"):
        told = [str(email.recipient_id), email.kind, str(email.about_id or "")]
        email._unsubscribe_url = link("outbox:unsubscribe", signed(told, salt=UNSUBSCRIBE_SALT))
    return email._unsubscribe_url


@dataclass(frozen=True)
class WayOut:
    """Where a link to stop mail leads out of: one person's mail of a kind, and what that mail was about."""

    kind: kinds.Kind
    recipient_id: UUID
    about_id: UUID | None

    def stop(self) -> None:
        if self.kind.unsubscribe:
            self.kind.unsubscribe(self.recipient_id)

    def stop_there(self) -> None:
        """Stop it only for the place the mail was about; all of it if that kind knows no places."""
        if self.kind.unsubscribe_there and self.about_id:
            self.kind.unsubscribe_there(self.recipient_id, self.about_id)
        else:
            self.stop()


def find_way_out(token: str) -> WayOut | None:
    """What a token stops; None for one that is not ours. Those of earlier mail do not say what it was about."""
    try:
        recipient_id, kind, *about = signing.loads(token, salt=UNSUBSCRIBE_SALT)
        return WayOut(kinds.get(kind), UUID(recipient_id), UUID(about[0]) if any(about) else None)
    except (signing.BadSignature, KeyError):
        return None


def oldest_due_age() -> timedelta:
    """How long the oldest mail that should have left has been waiting; zero when none is."""
    oldest = (
        Email.objects.due().order_by("send_after").annotate(age=Now() - F("send_after")).values_list("age", flat=True)
    )
    return oldest.first() or timedelta()
