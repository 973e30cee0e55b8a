from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from .wordings import Words

COMPLAINT = "complaint"  # stands where a status stands: its reader called our mail unwanted
OWN = 0  # the number of the words a letter comes with
SENDER_LOCKS = 7_301  # class of the advisory locks that senders hold

# The rows are locked first and once (MATERIALIZED); SKIP LOCKED and the state keep two senders from taking the same.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM outbox_email WHERE state = 'queued' AND send_after <= statement_timestamp()
    ORDER BY send_after LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE outbox_email SET state = 'claimed', claimed_by = %(sender)s
FROM due WHERE outbox_email.id = due.id
RETURNING outbox_email.id::text
"""


# The order in which a sender hands over what it claimed: of a dead sender's mails, all but the first, one for each of
# its lines, are still with us.
IN_ORDER = ("send_after", "id")

RELEASE = f"""
WITH place AS (
    SELECT id, row_number() OVER (PARTITION BY claimed_by ORDER BY {", ".join(IN_ORDER)}) AS number
    FROM outbox_email WHERE state = 'claimed' AND claimed_by = ANY(%(senders)s))
UPDATE outbox_email SET state = 'queued', claimed_by = NULL,
    doubts = doubts + (%(is_interrupted)s AND id IN (SELECT id FROM place WHERE number <= %(lines)s))::int
WHERE state = 'claimed' AND claimed_by = ANY(%(senders)s)
"""

# What is known of a claimed mail: thousands are read in a second, and moments take long to read.
READ_TO_SEND = (
    *("kind", "about_id", "fact", "attempts", "doubts", "claimed_by", "sent_at", "reason", "recipient"),
    *(f"recipient__{name}" for name in ("email", "role", "is_active", "language", "time_zone")),
    "recipient__bounced_address__works_since",
)

# Prepared for as long as a sender sends: to plan it takes longer than to do it.
MARK_SENT = b"""
UPDATE outbox_email SET state = 'sent', reason = '', claimed_by = NULL, attempts = attempts + 1,
    sent_at = statement_timestamp(), wording_period_id = $3::bigint, variant = $4::varchar
WHERE id = ANY($1::uuid[]) AND state = 'claimed' AND claimed_by = $2::bigint
"""

SENDERS = """
SELECT objid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND classid = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def any_of(ids: Iterable[UUID | str]) -> RawSQL:
    """For `…__in=` with hundreds of ids: they are said as one value, which takes a tenth of the time to say."""
    return RawSQL("SELECT unnest(%s::uuid[])", ["{" + ",".join(map(str, ids)) + "}"])


class EmailQuerySet(models.QuerySet["Email"]):
    def visible_to(self, staff):
        """Whether mail leaves is the business of coordinators and of the operator."""
        return self if staff.is_coordinator or staff.is_superuser else self.none()

    def sent_by_variant(self, period_id: int) -> dict[str, int]:
        """How many mails of each variant have left."""
        sent = self.filter(wording_period=period_id, state=Email.State.SENT)
        return dict(sent.order_by().values_list("variant").annotate(models.Count("pk")))

    def due(self):
        """What should leave, or is just leaving."""
        return self.filter(Q(state=Email.State.QUEUED) | Q(state=Email.State.CLAIMED), send_after__lte=Now())

    def waiting(self):
        """What has not left yet, or is just leaving."""
        return self.filter(state__in=Email.WAITING)

    def may_have_arrived(self):
        """What was handed over, or tried; what came back is known not to have."""
        closed = [Email.State.SENT, Email.State.FAILED, Email.State.EXPIRED, Email.State.SUPPRESSED]
        return self.filter(state__in=closed, attempts__gt=0)

    def in_trouble(self):
        """What did not get to its reader, and may not be known to them."""
        return self.filter(state__in=[Email.State.FAILED, Email.State.BOUNCED])

    def stopped(self):
        """What is closed and was not delivered, for whatever reason."""
        return self.filter(state__in=Email.STOPPED)

    def in_doubt(self):
        """What was handed over more often than we heard that it was taken: its reader may have it twice."""
        return self.filter(doubts__gt=0)

    def may_be_sent_again(self):
        """What was given up and would still help. What was not wanted any more is not."""
        given_up = [Email.State.FAILED, Email.State.BOUNCED, Email.State.EXPIRED]
        return self.filter(state__in=given_up, expires_at__gt=Now())

    def send_again(self) -> int:
        """Queue again what was given up and would still help, as if it had never been tried. Returns how many."""
        return self.may_be_sent_again().update(
            state=Email.State.QUEUED, reason="", attempts=0, send_after=Now(), sent_at=None, stopped_at=None
        )

    def claimed_by(self, senders: Iterable[int | None]):
        return self.filter(state=Email.State.CLAIMED, claimed_by__in=senders)

    def release_claims(self, senders: Sequence[int], *, is_interrupted: bool) -> int:
        """Queue again what these senders had claimed. Returns how many mails.

        One that was interrupted may have handed over the first of its mails, one on each line, without hearing or
        noting the answer: those are counted as in doubt.
        """
        facts = {"senders": list(senders), "is_interrupted": is_interrupted, "lines": settings.MAIL_LINES}
        with connection.cursor() as cursor:
            cursor.execute(RELEASE, facts)
            return cursor.rowcount

    def release_claims_of_dead_senders(self) -> int:
        """Queue again what a sender that is gone had claimed. Returns how many mails.

        A living sender's session holds a lock with its number; PostgreSQL lets go of it when the session ends. Numbers
        are not used twice and the lock comes before the first claim, so a claim without its lock is nobody's for good.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT claimed_by FROM outbox_email"
                f" WHERE state = 'claimed' AND claimed_by NOT IN ({SENDERS})",
                [SENDER_LOCKS],
            )
            dead = [row[0] for row in cursor.fetchall()]
        return self.release_claims(dead, is_interrupted=True) if dead else 0

    def senders(self) -> int:
        """How many are sending at present."""
        with connection.cursor() as cursor:
            cursor.execute(SENDERS, [SENDER_LOCKS])
            return cursor.rowcount

    def end_stuck_senders(self, silent_for: timedelta) -> int:
        """End the sessions of senders that have said nothing for so long. Returns how many.

        A sender speaks to the database after each message. One that does not hangs, or its machine is gone without a
        word; without its session it can neither claim nor mark anything, should it come back.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 1000))
                FROM pg_stat_activity
                WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
                  AND state_change < clock_timestamp() - make_interval(secs => %s)
                  AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %s)
                """,
                [silent_for.total_seconds(), SENDER_LOCKS],
            )
            return cursor.fetchone()[0]

    def claim(self, sender: int, limit: int) -> list["Email"]:
        """Give up to `limit` due rows to a sender, passing over those another sender is just claiming."""
        with transaction.atomic(), connection.cursor() as cursor:
            # Right after 100 000 were queued PostgreSQL believes that there are few, and would sort them at each claim.
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            cursor.execute(CLAIM, {"sender": sender, "limit": limit})
            ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return []
        claimed = self.filter(pk__in=any_of(ids)).select_related("recipient__bounced_address").order_by(*IN_ORDER)
        return list(claimed.only(*READ_TO_SEND).annotate(is_too_late=LessThanOrEqual(F("expires_at"), Now())))

    def prepare_to_mark(self) -> None:
        """Make `mark_sent` known to this session, unless it is."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_prepared_statements WHERE name = 'mark_sent'")
            if not cursor.rowcount:
                _check(_session().prepare(b"mark_sent", MARK_SENT))

    def mark_sent(self, ids: Sequence[UUID], sender: int, *, period_id: int | None, variant: str) -> None:
        """The server has taken them, in these words. It stands between any two mails, so it goes to PostgreSQL by the
        shortest way: Django's cursor would take as long as all else that we do about a mail.
        """
        period = None if period_id is None else b"%d" % period_id
        which = "{" + ",".join(map(str, ids)) + "}"
        facts = [which.encode(), b"%d" % sender, period, variant.encode()]
        _check(_session().exec_prepared(b"mark_sent", facts))  # type: ignore[arg-type]  # None is NULL, as libpq has it


def _session() -> PGconn:
    return connection.connection.pgconn


def _check(result: PGresult) -> None:
    """Raise what Django would raise if PostgreSQL did not do as it was told."""
    if result.status != ExecStatus.COMMAND_OK:
        with connection.wrap_database_errors:
            raise error_from_result(result)


class Email(models.Model):
    """One message to one person, queued together with the change it tells of.

    The row is the truth: Celery only wakes the senders, so a broker that loses everything loses no mail. `key` names
    the fact that would justify another mail; its uniqueness is what makes a second tick or a second worker harmless.
    No body is kept: it is rendered when it leaves.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        CLAIMED = "claimed"
        SENT = "sent"
        FAILED = "failed"
        BOUNCED = "bounced"
        EXPIRED = "expired"
        SUPPRESSED = "suppressed"

    WAITING = (State.QUEUED, State.CLAIMED)
    STOPPED = (State.FAILED, State.BOUNCED, State.EXPIRED, State.SUPPRESSED)

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="emails", db_index=False)
    about_id = models.UUIDField(help_text="the row the mail speaks of: a meeting")
    fact = models.CharField(max_length=60, help_text="what would justify another mail, such as the start time")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED, db_default=State.QUEUED)
    reason = models.CharField(
        _("reason"), max_length=200, blank=True, db_default="", help_text=_("Why it was not sent, or not yet.")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    doubts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="how often it may have been handed over without our knowing: repeats"
    )
    claimed_by = models.BigIntegerField(null=True)
    queued_at = models.DateTimeField(_("made ready"), db_default=Now())
    send_after = models.DateTimeField(_("due"), db_default=Now())
    expires_at = models.DateTimeField(
        _("helps until"), help_text=_("After this moment the mail helps nobody and is not sent.")
    )
    sent_at = models.DateTimeField(_("sent"), null=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True, help_text=_("When it was given up, or came back."))
    wording_period = models.ForeignKey(
        "WordingPeriod",
        models.PROTECT,
        null=True,
        related_name="emails",
        db_index=False,
        help_text="whose words it had",
    )
    variant = models.CharField(max_length=1, blank=True, db_default="", help_text="A or B, where words were chosen")

    _unsubscribe_url: str
    is_too_late: bool  # of a claimed one: whether it had expired, by the clock of the database

    objects = EmailQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        constraints = [
            models.UniqueConstraint(name="outbox_email_key_key", fields=["key"]),
            models.CheckConstraint(
                name="email_sent_has_time", condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent")
            ),
            models.CheckConstraint(
                name="email_claimed_has_sender",
                condition=Q(state="claimed", claimed_by__isnull=False) | ~Q(state="claimed"),
            ),
        ]
        indexes = [
            models.Index(fields=["send_after"], name="email_due", condition=Q(state="queued")),
            # By id and not by sender: to mark one mail would else mean to look through all its sender has claimed.
            models.Index(fields=["id"], name="email_being_sent", condition=Q(state="claimed")),
            models.Index(fields=["recipient"], name="email_of_recipient"),
            models.Index(fields=["queued_at"], name="email_by_time"),
            models.Index(fields=["queued_at"], name="email_in_doubt", condition=Q(doubts__gt=0)),
            models.Index(
                fields=["state", "stopped_at"],
                name="email_stopped",
                condition=Q(state__in=["failed", "bounced", "expired", "suppressed"]),
            ),
            models.Index(fields=["wording_period"], name="email_of_wording", condition=Q(wording_period__isnull=False)),
        ]

    def __str__(self):
        return f"{self.kind} {self.pk}"

    @property
    def message_id(self) -> str:
        """The same for every attempt, so that a repeat after a crash can be recognised."""
        return f"<{self.pk}@{settings.SITE_HOST}>"


class BouncedAddressQuerySet(models.QuerySet["BouncedAddress"]):
    def standing(self):
        """Those that stop mail, as `is_standing`."""
        return self.filter(address__iexact=F("member__email"), works_since=None)

    def open_to_news(self, address: str, left_at: datetime):
        """But not where this address was said to work after that mail had left."""
        return self.exclude(address__iexact=address, works_since__gt=left_at)


class BouncedAddress(models.Model):
    """An address that sent a mail of ours back for good. Nothing goes there until its member says that it works."""

    member = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="bounced_address")
    address = models.EmailField()
    status = models.CharField(max_length=12, help_text="what the report says, such as 5.1.1 (RFC 3463)")
    bounced_at = models.DateTimeField(db_default=Now())
    works_since = models.DateTimeField(null=True, help_text="when its member said that it works again")

    objects = BouncedAddressQuerySet.as_manager()

    def __str__(self):
        return f"{self.status} {self.pk}"

    @property
    def is_standing(self) -> bool:
        """Stops mail: the address is still its member's, and they have not said that it works."""
        return self.works_since is None and self.address.lower() == self.member.email.lower()

    @property
    def is_complaint(self) -> bool:
        return self.status == COMPLAINT


class WordingQuerySet(models.QuerySet["Wording"]):
    def of(self, letter: str, language: str):
        return self.filter(letter=letter, language=language)

    def last_number(self) -> int:
        """The number of the last that was written; 0 if there is none."""
        return self.aggregate(last=models.Max("number"))["last"] or 0


class Wording(models.Model):
    """Words for a letter in one language, as somebody wrote them. Never changed and never erased: editing adds one.

    So what a mail said can be told later, and two people who write at the same time lose nothing.
    """

    letter = models.CharField(_("mail"), max_length=40)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    number = models.PositiveIntegerField(_("number"))
    subject = models.CharField(_("subject"), max_length=200)
    opening = models.CharField(_("opening"), max_length=400)
    closing = models.TextField(_("closing"), blank=True)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("written by")
    )
    written_at = models.DateTimeField(_("written"), db_default=Now())

    objects = WordingQuerySet.as_manager()

    class Meta:
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(name="wording_number_is_used_once", fields=["letter", "language", "number"]),
            models.CheckConstraint(name="wording_says_something", condition=~Q(subject="") & ~Q(opening="")),
            models.CheckConstraint(name="wording_number_is_above_own", condition=Q(number__gte=1)),
            models.CheckConstraint(
                name="wording_is_one_line", condition=~Q(subject__regex=r"[\r\n]") & ~Q(opening__regex=r"[\r\n]")
            ),
        ]

    def __str__(self):
        return f"{self.letter} {self.language} {self.number}"

    @property
    def words(self) -> Words:
        return Words(self.subject, self.opening, self.closing)

    @staticmethod
    def number_of(wording: "Wording | None") -> int:
        return wording.number if wording else OWN


class WordingPeriodQuerySet(models.QuerySet["WordingPeriod"]):
    def open(self):
        return self.filter(ended_at=None)

    def of(self, letter: str, language: str):
        return self.filter(letter=letter, language=language)

    def of_letters(self, names: Iterable[str]):
        return self.filter(letter__in=names)

    def tests(self):
        return self.filter(is_test=True)

    def with_words(self):
        return self.select_related("a", "b")

    def with_people(self):
        return self.select_related("a", "b", "began_by", "ended_by")


class WordingPeriod(models.Model):
    """From when until when a letter in one language had chosen words: `a` for all, or in a test `a` for one half of
    the people and `b` for the other. No wording stands for the template's own words. With no open period, everybody
    gets these.
    """

    letter = models.CharField(_("mail"), max_length=40)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    a = models.ForeignKey(Wording, models.PROTECT, null=True, related_name="+", db_index=False)
    b = models.ForeignKey(Wording, models.PROTECT, null=True, related_name="+", db_index=False)
    is_test = models.BooleanField(_("test"), default=False)
    began_at = models.DateTimeField(_("from"), db_default=Now())
    began_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(_("until"), null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = WordingPeriodQuerySet.as_manager()

    class Meta:
        verbose_name = _("words in use")
        verbose_name_plural = _("words in use")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="wording_period_open_once", fields=["letter", "language"], condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="wording_period_has_words",
                condition=Q(is_test=False, a__isnull=False, b=None)
                | Q(is_test=True, a__isnull=False)
                | Q(is_test=True, b__isnull=False),
            ),
            models.CheckConstraint(
                name="wording_test_has_two_wordings", condition=Q(a=None) | Q(b=None) | ~Q(a=F("b"))
            ),
        ]

    def __str__(self):
        return f"{self.letter} {self.language} {self.pk}"

    def wording(self, variant: str) -> Wording | None:
        return self.b if variant == "B" else self.a

    @property
    def number_a(self) -> int:
        return Wording.number_of(self.a)

    @property
    def number_b(self) -> int:
        return Wording.number_of(self.b)

    def words_of(self, variant: str) -> Words | None:
        """Those of a variant; None for the template's own."""
        wording = self.wording(variant)
        return wording.words if wording else None
