"""“We missed you”: no lecture, no question why, and the next time if there is one."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Consent
from outbox import kinds
from outbox.kinds import Kind, Later, Letter, Unwanted
from outbox.letters import WordsInUse, letter
from outbox.models import Email
from outbox.services import unsubscribe_url
from outbox.wordings import EditableLetter

from .. import wording
from ..access import answer_token
from ..models import Meeting
from ..services.missed import still_missed
from ..ways_out import mute_group_of, stop_missed_you
from .examples import EVENING, link
from .readers import Readers

MISSED = EditableLetter(
    name="missed",
    template="meetings/mail/missed",
    title=_("We missed you"),
    readers=_("People who asked for it, once, after two meetings they had a place in and did not come to."),
    example=lambda: {"when": wording.moment(EVENING), "answer_url": link("/m/…/"), "unsubscribe_url": link("/u/…/")},
    days_to_come=28,
)


def register() -> None:
    kinds.register(
        Kind("missed", _prepare, unsubscribe=stop_missed_you, unsubscribe_there=mute_group_of, letters=(MISSED,))
    )


def _prepare(emails: Sequence[Email]) -> dict[UUID, Letter | Later | Unwanted]:
    readers, in_use = Readers(emails), WordsInUse([MISSED])
    about = {email.about_id for email in emails}
    still = still_missed(about, {email.recipient_id for email in emails})
    meetings = Meeting.objects.in_bulk(about)
    coming = _coming({meeting.group_id for meeting in meetings.values()})

    def answer(email: Email) -> Letter | Later | Unwanted:
        if (email.about_id, email.recipient_id) not in still:
            return Unwanted(gettext_noop("they came, left, or it is noted otherwise"))
        missed = meetings[email.about_id]
        if refusal := readers.refusal(email, missed.zone, consent=Consent.Kind.MISSED_YOU):
            return refusal
        return _write(email, coming.get(missed.group_id), in_use)

    return {email.pk: answer(email) for email in emails}


def _coming(groups: set[int]) -> dict[int, Meeting]:
    """The next meeting of each group that has one."""
    scheduled = Meeting.objects.filter(group__in=groups, status=Meeting.Status.SCHEDULED, starts_at__gt=timezone.now())
    return {meeting.group_id: meeting for meeting in scheduled.order_by("group_id", "starts_at").distinct("group_id")}


def _write(email: Email, meeting: Meeting | None, in_use: WordsInUse) -> Letter:
    language = email.recipient.language
    chosen = in_use.for_person(MISSED, email.recipient_id, language)
    with translation.override(language):
        context = {"when": "", "unsubscribe_url": unsubscribe_url(email)}
        if meeting:
            token = answer_token(meeting.pk, email.recipient_id)
            context["when"] = wording.when(meeting)
            context["answer_url"] = settings.SITE_URL + reverse("meetings:answer_from_mail", args=[token])
        return letter(MISSED.template, context, chosen)
