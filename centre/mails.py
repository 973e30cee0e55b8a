"""The mail that says to coordinators that something waits. It says neither what nor from whom."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from outbox import kinds
from outbox.kinds import Letter, Unwanted
from outbox.letters import WordsInUse, letter
from outbox.models import Email
from outbox.wordings import EditableLetter

from .models import Question


def register() -> None:
    kinds.register(kinds.Kind("question", _prepare, letters=(QUESTION,)))


QUESTION = EditableLetter(
    "question",
    "centre/mail/question",
    _("A question waits"),
    _("Coordinators."),
    example=lambda: {"queue_url": _queue_url()},
)


def _queue_url() -> str:
    return settings.SITE_URL + reverse("admin:centre_question_changelist")


def _prepare(emails: Sequence[Email]) -> dict[UUID, Letter | Unwanted]:
    waiting = set(
        Question.objects.open().filter(pk__in={email.about_id for email in emails}).values_list("pk", flat=True)
    )
    in_use = WordsInUse([QUESTION])
    return {
        email.pk: _write(email, in_use) if not (why := _unwanted(email, waiting)) else Unwanted(why) for email in emails
    }


def _unwanted(email: Email, waiting: set[UUID]) -> str:
    if email.about_id not in waiting:
        return gettext_noop("somebody has taken it")
    coordinates = email.recipient.is_active and email.recipient.is_coordinator
    return "" if coordinates else gettext_noop("no longer a coordinator")


def _write(email: Email, in_use: WordsInUse) -> Letter:
    language = email.recipient.language
    with translation.override(language):
        chosen = in_use.for_person(QUESTION, email.recipient_id, language)
        return letter("centre/mail/question", {"queue_url": _queue_url()}, chosen)
