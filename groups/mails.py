"""The mail that says how a request to join was answered. It names no group: which one it is shows after signing in."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Member
from outbox import kinds
from outbox.kinds import Letter, Unwanted
from outbox.letters import WordsInUse, letter
from outbox.models import Email
from outbox.wordings import EditableLetter

from .models import Membership


def register() -> None:
    kinds.register(kinds.Kind("join_decision", _prepare, letters=(JOIN_YES, JOIN_NO)))


def _editable(name: str, title, readers, *, is_in: bool) -> EditableLetter:
    return EditableLetter(
        name,
        "groups/mail/join_decision",
        title,
        readers,
        example=lambda: {"is_in": is_in, "find_url": _find_url()},
        days_to_come=28,
    )


JOIN_YES = _editable("join-yes", _("Asked to join: yes"), _("People who asked to join and were let in."), is_in=True)
JOIN_NO = _editable(
    "join-no", _("Asked to join: no place"), _("People who asked to join and were not let in."), is_in=False
)


def _find_url() -> str:
    return settings.SITE_URL + reverse("meetings:meeting_list")


def preview(reader: Member, *, is_in: bool) -> Letter:
    """The mail of a yes or a no, in the language that is switched on."""
    language = translation.get_language() or "en"
    return _write(reader.pk, language, WordsInUse([JOIN_YES, JOIN_NO]), is_in=is_in)


def _prepare(emails: Sequence[Email]) -> dict[UUID, Letter | Unwanted]:
    memberships = Membership.objects.in_bulk([email.about_id.int for email in emails])
    in_use = WordsInUse([JOIN_YES, JOIN_NO])
    return {email.pk: _answer(email, memberships.get(email.about_id.int), in_use) for email in emails}


def _answer(email: Email, membership: Membership | None, in_use: WordsInUse) -> Letter | Unwanted:
    if not email.recipient.is_active:
        return Unwanted(gettext_noop("the account is closed"))
    if membership is None or membership.decided_at is None or membership.decided_at.isoformat() != email.fact:
        return Unwanted(gettext_noop("they have asked again or joined since"))
    if membership.status == Membership.Status.ACTIVE:
        return _write(email.recipient_id, email.recipient.language, in_use, is_in=True)
    return (
        _write(email.recipient_id, email.recipient.language, in_use, is_in=False)
        if membership.was_declined
        else Unwanted(gettext_noop("they have left since"))
    )


def _write(reader_id: UUID, language: str, in_use: WordsInUse, *, is_in: bool) -> Letter:
    chosen = in_use.for_person(JOIN_YES if is_in else JOIN_NO, reader_id, language)
    with translation.override(language):
        return letter("groups/mail/join_decision", {"is_in": is_in, "find_url": _find_url()}, chosen)
