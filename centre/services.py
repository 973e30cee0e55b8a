import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation

import outbox.services as outbox
from audit.models import AuditEvent
from audit.services import record
from groups.models import Group
from members.models import Member

from .models import Question

logger = logging.getLogger(__name__)

SAME_WITHIN = timedelta(days=1)
TOLD_WITHIN = timedelta(days=1)  # a question that nobody took in a day no longer keeps the next from being told


def was_sent(token: str) -> bool:
    """Whether the form with this token has brought a question already: a second tap, or the back button."""
    return Question.objects.filter(token=token).exists()


@transaction.atomic
def ask_centre(
    *, token: str, message: str, name: str, reach: str, good_time: str, may_leave_message: bool, group: Group | None
) -> bool:
    """Keep a question and tell the coordinators. False if it was sent before, by this form or in the same words.

    It does not matter who is signed in: nobody is noted.
    """
    said = {"message": message, "name": name, "reach": reach, "group": group}
    if Question.objects.asked_within(SAME_WITHIN).filter(answered_at=None, **said).exists():
        return False
    language = translation.get_language() or settings.LANGUAGE_CODE
    question, is_new = Question.objects.get_or_create(
        token=token,
        defaults=said
        | {
            "good_time": good_time,
            "may_leave_message": may_leave_message and bool(reach),
            "language": language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE,
        },
    )
    if is_new:
        _tell_coordinators(question)
    return is_new


def _tell_coordinators(question: Question) -> None:
    """One mail each, unless another question waits of which they have just been told: there is one place to look."""
    if Question.objects.open().asked_within(TOLD_WITHIN).exclude(pk=question.pk).exists():
        return
    told = outbox.queue(
        "question",
        Member.objects.coordinators().values_list("pk", flat=True),
        about_id=question.pk,
        fact="asked",
        expires_at=question.asked_at + TOLD_WITHIN,
    )
    if not told:
        logger.warning("a question waits and there is no coordinator to tell")


@transaction.atomic
def take_question(question: Question, *, by: Member) -> bool:
    """Say that one will answer. False if somebody else took it first, or it is answered."""
    if not Question.objects.open().filter(pk=question.pk).update(taken_by=by, taken_at=timezone.now()):
        return False
    record("question.taken", question, by=by)
    return True


@transaction.atomic
def mark_answered(question: Question, *, by: Member) -> bool:
    """Say that it has been answered. False if it was already. Nobody had taken it: then `by` did."""
    now = timezone.now()
    waiting = Question.objects.filter(pk=question.pk, answered_at=None)
    if not waiting.open().update(taken_by=by, taken_at=now, answered_at=now) and not waiting.update(answered_at=now):
        return False
    record("question.answered", question, by=by)
    return True


@transaction.atomic
def reopen_question(question: Question, *, by: Member) -> bool:
    """Put it back for everybody. False if it was open."""
    closed = Question.objects.filter(Q(taken_at__isnull=False) | Q(answered_at__isnull=False), pk=question.pk)
    if not closed.update(taken_by=None, taken_at=None, answered_at=None):
        return False
    record("question.opened", question, by=by)
    return True


@transaction.atomic
def erase_old_questions() -> int:
    """Erase questions whose time is over. Returns how many. The audit record keeps that there was one, by its id."""
    old = list(Question.objects.old().select_for_update().values_list("pk", flat=True))
    Question.objects.filter(pk__in=old).delete()
    AuditEvent.objects.bulk_create(
        AuditEvent(action="question.erased", object_type=Question._meta.label_lower, object_id=str(pk)) for pk in old
    )
    return len(old)
