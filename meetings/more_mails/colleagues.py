"""Mail between those who run meetings: who leads a date for somebody, and what a colleague changed. It says when, and
neither which group nor who.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from groups.models import Facilitator
from outbox import kinds
from outbox.kinds import Kind, Letter, Unwanted
from outbox.letters import WordsInUse, letter
from outbox.models import Email
from outbox.wordings import EditableLetter

from .. import wording
from ..letters import WHEN
from ..models import Meeting
from ..services.colleagues import OFF
from .examples import EVENING, link


def _example() -> Mapping[str, Any]:
    return {
        "when": wording.moment(EVENING),
        "when_short": wording.moment_short(EVENING),
        "is_off": False,
        "meeting_url": link("/meetings/…/"),
    }


SUBSTITUTE = EditableLetter(
    name="substitute",
    template="meetings/mail/substitute",
    title=_("You lead a date for somebody"),
    readers=_("A counselor who was asked to lead one date, once."),
    example=_example,
    placeholders=WHEN,
    required=["when"],
)
COLLEAGUES = EditableLetter(
    name="colleagues",
    template="meetings/mail/colleagues",
    title=_("A colleague changed a date"),
    readers=_("The others who run the meetings, once for all that was changed at the same time."),
    example=_example,
    placeholders=WHEN,
    required=["when"],
)


def register() -> None:
    kinds.register(Kind("substitute", _prepare_substitutes, letters=(SUBSTITUTE,)))
    kinds.register(Kind("colleagues", _prepare_colleagues, letters=(COLLEAGUES,)))


def _prepare_substitutes(emails: Sequence[Email]) -> dict[UUID, Letter | Unwanted]:
    def why_not(email: Email, meeting: Meeting) -> str:
        if not meeting.is_open:
            return gettext_noop("the meeting is off")
        leads = meeting.substitute_id == email.recipient_id and email.recipient.is_counselor
        return gettext_noop("who leads that date has changed since") if leads == _is_taken_back(email) else ""

    return _prepare(emails, SUBSTITUTE, why_not)


def _is_taken_back(email: Email) -> bool:
    return email.fact.startswith(OFF)


def _prepare_colleagues(emails: Sequence[Email]) -> dict[UUID, Letter | Unwanted]:
    run_by = set(
        Facilitator.objects.filter(
            group__meetings__in={email.about_id for email in emails},
            member__in={email.recipient_id for email in emails},
        ).values_list("group", "member")
    )

    def why_not(email: Email, meeting: Meeting) -> str:
        runs_it = (meeting.group_id, email.recipient_id) in run_by or meeting.substitute_id == email.recipient_id
        return "" if runs_it and email.recipient.is_staff else gettext_noop("they do not run it any more")

    return _prepare(emails, COLLEAGUES, why_not)


def _prepare(
    emails: Sequence[Email], editable: EditableLetter, why_not: Callable[[Email, Meeting], str]
) -> dict[UUID, Letter | Unwanted]:
    meetings, in_use = Meeting.objects.in_bulk({email.about_id for email in emails}), WordsInUse([editable])

    def answer(email: Email, meeting: Meeting | None) -> Letter | Unwanted:
        if meeting is None:
            return Unwanted(gettext_noop("the meeting is gone"))
        if not email.recipient.is_active:
            return Unwanted(gettext_noop("the account is closed"))
        refusal = why_not(email, meeting)
        return Unwanted(refusal) if refusal else _write(email, meeting, editable, in_use)

    return {email.pk: answer(email, meetings.get(email.about_id)) for email in emails}


def _write(email: Email, meeting: Meeting, editable: EditableLetter, in_use: WordsInUse) -> Letter:
    language = email.recipient.language
    chosen = in_use.for_person(editable, email.recipient_id, language)
    with translation.override(language):
        context = {
            "when": wording.when(meeting),
            "when_short": wording.when_short(meeting),
            "is_off": _is_taken_back(email) or meeting.status == Meeting.Status.CANCELLED,
            "meeting_url": settings.SITE_URL + reverse("meetings:meeting_detail", args=[meeting.pk]),
        }
        return letter(editable.template, context, chosen)
