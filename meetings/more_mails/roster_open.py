"""The note to counselors that a roster is still open. It says when, and neither which group nor who."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from groups.models import Facilitator
from members.services import choose_mail_at_work
from outbox import kinds
from outbox.kinds import Kind, Later, Letter, Unwanted
from outbox.letters import WordsInUse, letter
from outbox.models import Email
from outbox.services import unsubscribe_url
from outbox.wordings import EditableLetter

from .. import wording
from ..letters import WHEN
from ..models import Meeting
from .examples import EVENING, link
from .readers import Readers

ROSTER_OPEN = EditableLetter(
    name="roster-open",
    template="meetings/mail/roster_open",
    title=_("Nobody has noted who came"),
    readers=_("Those who run a meeting, the morning after and at most twice more."),
    example=lambda: {
        "when": wording.moment(EVENING),
        "when_short": wording.moment_short(EVENING),
        "roster_url": link("/meetings/…/roster/"),
        "unsubscribe_url": link("/u/…/"),
    },
    placeholders=WHEN,
    required=["when"],
)


def register() -> None:
    kinds.register(Kind("roster_open", _prepare, unsubscribe=_stop, letters=(ROSTER_OPEN,)))


def _stop(member_id: UUID) -> None:
    choose_mail_at_work(member_id, roster_nudges=False)


def _prepare(emails: Sequence[Email]) -> dict[UUID, Letter | Later | Unwanted]:
    readers, in_use = Readers(emails), WordsInUse([ROSTER_OPEN])
    meetings = Meeting.objects.roster_open().in_bulk({email.about_id for email in emails})
    run_by = set(
        Facilitator.objects.filter(group__meetings__in=meetings, member__in={email.recipient_id for email in emails})
        .values_list("group", "member")
        .distinct()
    )

    def answer(email: Email, meeting: Meeting | None) -> Letter | Later | Unwanted:
        if meeting is None:
            return Unwanted(gettext_noop("it is noted who came"))
        if (meeting.group_id, email.recipient_id) not in run_by or not email.recipient.is_staff:
            return Unwanted(gettext_noop("they do not run it any more"))
        if not readers.wish(email).roster_nudges:
            return Unwanted(gettext_noop("they do not want it any more"))
        return readers.refusal(email, meeting.zone) or _write(email, meeting, in_use)

    return {email.pk: answer(email, meetings.get(email.about_id)) for email in emails}


def _write(email: Email, meeting: Meeting, in_use: WordsInUse) -> Letter:
    language = email.recipient.language
    chosen = in_use.for_person(ROSTER_OPEN, email.recipient_id, language)
    with translation.override(language):
        context = {
            "when": wording.when(meeting),
            "when_short": wording.when_short(meeting),
            "roster_url": settings.SITE_URL + reverse("meetings:meeting_roster", args=[meeting.pk]),
            "unsubscribe_url": unsubscribe_url(email),
        }
        return letter(ROSTER_OPEN.template, context, chosen)
