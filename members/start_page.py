"""What the first page of the admin says about mail."""

from datetime import timedelta

from django.utils import timezone

from outbox.models import Email

from .models import Member
from .scoped_admin import COORDINATOR, SUPERUSER
from .start_parts import StartPart, register

LATELY = timedelta(days=14)
MOST = 1000  # counted


def register_parts() -> None:
    register(StartPart("mail", 70, frozenset({COORDINATOR, SUPERUSER}), "admin/_start_mail.html", _mail))


def _mail(staff: Member) -> dict:
    """How many mails did not get to their reader lately."""
    lately = Email.objects.visible_to(staff).in_trouble().filter(queued_at__gt=timezone.now() - LATELY)
    count = lately.order_by()[:MOST].count()
    return {"count": count, "is_more": count == MOST, "days": LATELY.days}
