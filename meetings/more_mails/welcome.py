"""What to expect, before somebody's first meeting: when, and neither with whom nor why."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from groups.models import Membership
from members.models import Consent
from outbox import kinds
from outbox.kinds import Kind, Later, Letter, Unwanted
from outbox.letters import WordsInUse, letter
from outbox.models import Email
from outbox.services import unsubscribe_url
from outbox.wordings import EditableLetter

from .. import wording
from ..access import answer_token
from ..letters import WHEN
from ..models import Meeting, Participation
from ..ways_out import mute_group_of, stop_reminders
from .examples import EVENING, link
from .readers import Readers

WELCOME = EditableLetter(
    name="welcome",
    template="meetings/mail/welcome",
    title=_("Before a first meeting"),
    readers=_("People who asked for reminders, once, when they have their first place."),
    example=lambda: {
        "when": wording.moment(EVENING),
        "when_short": wording.moment_short(EVENING),
        "minutes": 90,
        "first_time_url": link("/first-time/"),
        "answer_url": link("/m/…/"),
        "meeting_url": link("/meetings/…/"),
        "unsubscribe_url": link("/u/…/"),
    },
    placeholders=WHEN,
    required=["when"],
    days_to_come=14,
)


def register() -> None:
    kinds.register(
        Kind("welcome", _prepare, unsubscribe=stop_reminders, unsubscribe_there=mute_group_of, letters=(WELCOME,))
    )


def _prepare(emails: Sequence[Email]) -> dict[UUID, Letter | Later | Unwanted]:
    readers, in_use = Readers(emails), WordsInUse([WELCOME])
    people = {email.recipient_id for email in emails}
    first, been = _first_places(people), _have_been(people)

    def answer(email: Email) -> Letter | Later | Unwanted:
        meeting = first.get(email.recipient_id)
        if email.recipient_id in been:
            return Unwanted(gettext_noop("they have been there"))
        if meeting is None:
            return Unwanted(gettext_noop("they have no place any more"))
        return readers.refusal(email, meeting.zone, consent=Consent.Kind.REMINDERS) or _write(email, meeting, in_use)

    return {email.pk: answer(email) for email in emails}


def _first_places(people: set[UUID]) -> dict[UUID, Meeting]:
    """By person: the next meeting they have a place in, of a group they are in and want to hear of."""
    heard = set(Membership.objects.active().filter(member__in=people, is_muted=False).values_list("member", "group"))
    places = (
        Participation.objects.going()
        .filter(member__in=people, meeting__status=Meeting.Status.SCHEDULED, meeting__starts_at__gt=timezone.now())
        .select_related("meeting")
        .order_by("-meeting__starts_at")
    )
    return {row.member_id: row.meeting for row in places if (row.member_id, row.meeting.group_id) in heard}


def _have_been(people: set[UUID]) -> set[UUID]:
    came = Q(rsvp=Participation.Rsvp.GOING) | Q(attendance__in=Participation.CAME)
    begun = Participation.objects.filter(came, member__in=people, meeting__starts_at__lte=timezone.now())
    return set(begun.values_list("member", flat=True).distinct())


def _write(email: Email, meeting: Meeting, in_use: WordsInUse) -> Letter:
    language = email.recipient.language
    chosen = in_use.for_person(WELCOME, email.recipient_id, language)
    with translation.override(language):
        token = answer_token(meeting.pk, email.recipient_id)
        context = {
            "when": wording.when(meeting),
            "when_short": wording.when_short(meeting),
            "minutes": meeting.minutes,
            "first_time_url": settings.SITE_URL + reverse("groups:first_time"),
            "answer_url": settings.SITE_URL + reverse("meetings:answer_from_mail", args=[token]),
            "meeting_url": settings.SITE_URL + meeting.get_absolute_url(),
            "unsubscribe_url": unsubscribe_url(email),
        }
        return letter(WELCOME.template, context, chosen)
