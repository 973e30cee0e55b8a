"""The outbox asks the clock of the database, which does not travel with the test."""

from django.db import connection
from django.db.models import DateTimeField, ExpressionWrapper, F
from django.utils import timezone

import outbox.services as outbox
from outbox.models import Email


def deliver_travelling() -> list[tuple[str, str, str]]:
    """Send what waits as if the database too had the time of the test. Returns kind, state and reason of all mail."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [there] = cursor.fetchone()
    expires_at = ExpressionWrapper(F("expires_at") + (there - timezone.now()), DateTimeField())
    Email.objects.filter(state="queued").update(send_after=timezone.now(), expires_at=expires_at)
    outbox.deliver()
    return list(Email.objects.order_by("queued_at", "kind").values_list("kind", "state", "reason"))


def deliver() -> list[tuple[str, str]]:
    """The same where all mail is of one kind: state and reason of each."""
    return [(state, reason) for _kind, state, reason in deliver_travelling()]
