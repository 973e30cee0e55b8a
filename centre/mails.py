"""The mail that says to coordinators that something waits. It says neither what nor from whom."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from outbox import kinds
from outbox.kinds import Letter, Unwanted
from outbox.letters import letter
from outbox.models import Email

from .models import Question


def register() -> None:
    kinds.register(kinds.Kind("question", _prepare))


def _prepare(emails: Sequence[Email]) -> dict[UUID, Letter | Unwanted]:
    waiting = set(
        Question.objects.open().filter(pk__in={email.about_id for email in emails}).values_list("pk", flat=True)
    )
    return {email.pk: _write(email) if not (why := _unwanted(email, waiting)) else Unwanted(why) for email in emails}


def _unwanted(email: Email, waiting: set[UUID]) -> str:
    if email.about_id not in waiting:
        return "somebody has taken it"
    coordinates = email.recipient.is_active and email.recipient.is_coordinator
    return "" if coordinates else "no longer a coordinator"


def _write(email: Email) -> Letter:
    with translation.override(email.recipient.language):
        queue_url = settings.SITE_URL + reverse("admin:centre_question_changelist")
        return letter("centre/mail/question", {"queue_url": queue_url})
