"""The mail of the week: when somebody meets, and neither with whom nor why. Facts are looked at when it leaves."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from groups.models import Membership
from members.models import Consent, ReminderSettings
from members.time_zones import is_time_zone
from outbox import kinds
from outbox.kinds import Kind, Later, Letter, Unwanted
from outbox.letters import WordsInUse, letter
from outbox.models import Email
from outbox.services import unsubscribe_url
from outbox.wordings import EditableLetter

from .. import wording
from ..access import answer_token
from ..models import Meeting, Participation
from ..services.week import DAYS_TOLD
from ..ways_out import stop_reminders
from .examples import EVENING, link
from .readers import Readers

WEEK = EditableLetter(
    name="week",
    template="meetings/mail/week",
    title=_("One e-mail a week"),
    readers=_("People who asked for all their times in one e-mail a week."),
    example=lambda: {
        "when": wording.moment(EVENING),
        "lines": [
            {"when": wording.moment(EVENING), "has_place": True, "answer_url": link("/m/…/")},
            {"when": wording.moment(EVENING + timedelta(days=2)), "has_place": False, "answer_url": link("/m/…/")},
        ],
        "unsubscribe_url": link("/u/…/"),
    },
    placeholders={"when": _("day and time of the first one, with the zone")},
    required=["when"],
    days_to_come=7,
)


def register() -> None:
    # It is one way of being reminded: who stops it gets no single reminders in its place.
    kinds.register(Kind("week", _prepare, unsubscribe=stop_reminders, letters=(WEEK,)))


Coming = list[tuple[Meeting, Participation | None]]


def _prepare(emails: Sequence[Email]) -> dict[UUID, Letter | Later | Unwanted]:
    readers, in_use, coming = Readers(emails), WordsInUse([WEEK]), _coming(emails)

    def answer(email: Email) -> Letter | Later | Unwanted:
        last = date.fromisoformat(email.fact) + timedelta(days=DAYS_TOLD)
        mine = [one for one in coming[email.recipient_id] if one[0].local_date <= last]
        if readers.wish(email).lead != ReminderSettings.Lead.WEEKLY:
            return Unwanted(gettext_noop("they want single reminders"))
        if not mine:
            return Unwanted(gettext_noop("there is nothing to tell"))
        own = email.recipient.time_zone
        zone = ZoneInfo(own) if is_time_zone(own) else mine[0][0].zone
        return readers.refusal(email, zone, consent=Consent.Kind.REMINDERS) or _write(email, mine, in_use)

    return {email.pk: answer(email) for email in emails}


def _coming(emails: Sequence[Email]) -> dict[UUID, Coming]:
    """By person: the meetings they have a place in, and those they could answer for, in order."""
    people = {email.recipient_id for email in emails}
    groups: dict[int, list[UUID]] = defaultdict(list)
    theirs = Membership.objects.active().filter(member__in=people, is_muted=False)
    for group_id, member_id in theirs.values_list("group", "member"):
        groups[group_id].append(member_id)
    until = timezone.now() + timedelta(days=DAYS_TOLD + 2)
    meetings = list(
        Meeting.objects.filter(
            group__in=groups, status=Meeting.Status.SCHEDULED, starts_at__gt=timezone.now(), starts_at__lte=until
        ).in_order()
    )
    answered = {
        (row.meeting_id, row.member_id): row
        for row in Participation.objects.filter(meeting__in=meetings, member__in=people, rsvp__isnull=False)
    }
    found: dict[UUID, Coming] = defaultdict(list)
    for meeting in meetings:
        for member_id in groups[meeting.group_id]:
            mine = answered.get((meeting.pk, member_id))
            if mine.rsvp == Participation.Rsvp.GOING if mine else meeting.places_left:
                found[member_id].append((meeting, mine))
    return found


def _write(email: Email, coming: Coming, in_use: WordsInUse) -> Letter:
    language = email.recipient.language
    chosen = in_use.for_person(WEEK, email.recipient_id, language)
    with translation.override(language):
        lines = [
            {
                "when": wording.when(meeting),
                "has_place": mine is not None,
                "answer_url": settings.SITE_URL
                + reverse("meetings:answer_from_mail", args=[answer_token(meeting.pk, email.recipient_id)]),
            }
            for meeting, mine in coming
        ]
        context = {"when": lines[0]["when"], "lines": lines, "unsubscribe_url": unsubscribe_url(email)}
        return letter(WEEK.template, context, chosen)
