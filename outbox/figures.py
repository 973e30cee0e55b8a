"""How mail is doing, in figures: names no person, no group and no mail. Each is asked so that it costs the same with
millions of mails; those that were sent are therefore not counted (`rows` is PostgreSQL's own estimate of all)."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import Count
from django.db.models.functions import Now

from .models import BouncedAddress, Email
from .services import oldest_due_age

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Figures:
    oldest_due_seconds: int
    waiting: dict[str, int]  # by state, now
    stopped: dict[str, int]  # by state, in the last 24 hours
    in_doubt: int  # handed over more often than we heard that it was taken; of those queued in the last 24 hours
    addresses_flagged: int
    rows: int


def figures() -> Figures:
    return Figures(
        oldest_due_seconds=int(oldest_due_age().total_seconds()),
        waiting={
            state: Email.objects.filter(state=state).count() for state in (Email.State.QUEUED, Email.State.CLAIMED)
        },
        stopped=_stopped(),
        in_doubt=Email.objects.in_doubt().filter(queued_at__gt=Now() - A_DAY).count(),
        addresses_flagged=BouncedAddress.objects.standing().count(),
        rows=_rows(),
    )


def _stopped() -> dict[str, int]:
    counted = Email.objects.stopped().filter(stopped_at__gt=Now() - A_DAY).order_by()
    return dict.fromkeys(map(str, Email.STOPPED), 0) | dict(counted.values_list("state").annotate(Count("pk")))


def _rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'outbox_email'::regclass")
        return cursor.fetchone()[0]
