from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now

SENDER_LOCKS = 7_301  # class of the advisory locks that senders hold


class EmailQuerySet(models.QuerySet):
    def due(self):
        return self.filter(state=Email.State.QUEUED, send_after__lte=Now())

    def release_claims_of_dead_senders(self) -> int:
        """Queue again what a sender that is gone had claimed: its session held a lock, and PostgreSQL let it go."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE outbox_email SET state = 'queued', claimed_by = NULL
                WHERE state = 'claimed' AND NOT EXISTS (
                    SELECT FROM pg_locks
                    WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = claimed_by
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
                """,
                [SENDER_LOCKS],
            )
            return cursor.rowcount

    def claim(self, sender: int, limit: int) -> list["Email"]:
        """Give up to `limit` due rows to a sender, passing over those another sender is just claiming."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE outbox_email SET state = 'claimed', claimed_by = %s, attempts = attempts + 1
                WHERE id IN (
                    SELECT id FROM outbox_email WHERE state = 'queued' AND send_after <= now()
                    ORDER BY send_after FOR UPDATE SKIP LOCKED LIMIT %s)
                RETURNING id
                """,
                [sender, limit],
            )
            ids = [row[0] for row in cursor.fetchall()]
        return list(self.filter(pk__in=ids).select_related("recipient"))


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
        EXPIRED = "expired"
        SUPPRESSED = "suppressed"

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=40)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="emails")
    about_id = models.UUIDField(help_text="the row the mail speaks of: a meeting")
    fact = models.CharField(max_length=60, help_text="what would justify another mail, such as the start time")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED, db_default=State.QUEUED)
    reason = models.CharField(max_length=200, blank=True, db_default="", help_text="why it was not sent")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    claimed_by = models.BigIntegerField(null=True)
    queued_at = models.DateTimeField(db_default=Now())
    send_after = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(help_text="after this moment the mail helps nobody and is not sent")
    sent_at = models.DateTimeField(null=True)

    objects = EmailQuerySet.as_manager()

    class Meta:
        constraints = [
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
            models.Index(fields=["claimed_by"], name="email_claimed", condition=Q(state="claimed")),
            models.Index(fields=["recipient"], name="email_of_recipient"),
        ]

    def __str__(self):
        return f"{self.kind} {self.pk}"

    @property
    def message_id(self) -> str:
        """The same for every attempt, so that a repeat after a crash can be recognised."""
        return f"<{self.pk}@{settings.SITE_HOST}>"
