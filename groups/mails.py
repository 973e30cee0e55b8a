"""The mail that says how a request to join was answered. It names no group: which one it is shows after signing in."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from outbox import kinds
from outbox.kinds import Letter, Unwanted
from outbox.letters import letter
from outbox.models import Email

from .models import Membership


def register() -> None:
    kinds.register(kinds.Kind("join_decision", _prepare))


def _prepare(emails: Sequence[Email]) -> dict[UUID, Letter | Unwanted]:
    memberships = Membership.objects.in_bulk([email.about_id.int for email in emails])
    return {email.pk: _answer(email, memberships.get(email.about_id.int)) for email in emails}


def _answer(email: Email, membership: Membership | None) -> Letter | Unwanted:
    if not email.recipient.is_active:
        return Unwanted("the account is closed")
    if membership is None or membership.decided_at is None or membership.decided_at.isoformat() != email.fact:
        return Unwanted("they have asked again or joined since")
    if membership.status == Membership.Status.ACTIVE:
        return _write(email, is_in=True)
    return _write(email, is_in=False) if membership.was_declined else Unwanted("they have left since")


def _write(email: Email, *, is_in: bool) -> Letter:
    with translation.override(email.recipient.language):
        find_url = settings.SITE_URL + reverse("meetings:meeting_list")
        return letter("groups/mail/join_decision", {"is_in": is_in, "find_url": find_url})
