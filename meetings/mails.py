"""What the mails about meetings say. Facts are looked at again when a mail leaves; the words are made once for each
meeting, language and kind of reader, and only links are filled in per person."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext_noop

from groups.models import Membership
from members.models import Consent, ReminderSettings
from outbox import kinds
from outbox.kinds import Later, Letter, Unwanted
from outbox.letters import Chosen, WordsInUse, letter
from outbox.links import link
from outbox.models import Email, any_of
from outbox.services import unsubscribe_url

from . import wording
from .access import answer_token
from .letters import CANCELLED, MOVED, OFFER, ON_AGAIN, REMINDER_GOING, REMINDER_OPEN, editable_of
from .models import Meeting, Participation
from .sending_hours import not_now
from .services.reminders import reminder_fact
from .ways_out import mute_group_of, stop_reminders

# What stands in a letter until it is filled in for somebody.
ANSWER_URL = "https://answer.invalid/"
UNSUBSCRIBE_URL = "https://unsubscribe.invalid/"
MEETING_URL = "https://meeting.invalid/"

AS_BY_DEFAULT = ReminderSettings()
LETTERS_KEPT = 2048  # more than there are hours at which meetings begin, in two languages, with a place and without


def register() -> None:
    kinds.register(
        kinds.Kind(
            "reminder",
            _prepare_reminders,
            unsubscribe=stop_reminders,
            unsubscribe_there=mute_group_of,
            letters=(REMINDER_GOING, REMINDER_OPEN),
        )
    )
    kinds.register(kinds.Kind("cancelled", _prepare_cancelled, letters=(CANCELLED,)))
    kinds.register(kinds.Kind("moved", _prepare_moved, letters=(MOVED,)))
    kinds.register(kinds.Kind("on_again", _prepare_moved, letters=(ON_AGAIN,)))
    kinds.register(kinds.Kind("offer", _prepare_offers, letters=(OFFER,)))


class Answer(NamedTuple):
    """What somebody said to one meeting, and until when they are asked to take a place."""

    rsvp: str | None = None
    offer_expires_at: datetime | None = None


NO_ANSWER = Answer()


class _Facts:
    """What a batch of mails speaks of, fetched in a few queries whatever its size."""

    def __init__(self, emails: Sequence[Email]):
        meetings = any_of({email.about_id for email in emails})
        members = any_of({email.recipient_id for email in emails})
        self.meetings = {row.pk: row for row in Meeting.objects.select_related("group").filter(pk__in=meetings)}
        answers = Participation.objects.filter(meeting__in=meetings, member__in=members)
        self.answers = {
            (meeting, member): Answer(rsvp, offer_expires_at)
            for meeting, member, rsvp, offer_expires_at in answers.values_list(
                "meeting", "member", "rsvp", "offer_expires_at"
            )
        }
        self.groups = set(
            Membership.objects.active()
            .filter(member__in=members, group__meetings__in=meetings, is_muted=False)
            .values_list("group", "member")
        )
        self.consents = set(Consent.objects.standing().filter(member__in=members).values_list("kind", "member"))
        self.wishes = {wish.pk: wish for wish in ReminderSettings.objects.filter(pk__in=members)}
        self.confirmed = set(EmailAddress.objects.filter(user__in=members, verified=True).values_list("user", "email"))

    def answer(self, email: Email) -> "Answer":
        return self.answers.get((email.about_id, email.recipient_id), NO_ANSWER)

    def rsvp(self, email: Email) -> str | None:
        return self.answer(email).rsvp

    def wants_full_wording(self, email: Email) -> bool:
        """A reminder may name the group only while they ask for it and have agreed to it; other mail never does."""
        wish = self.wishes.get(email.recipient_id)
        return (
            email.kind == "reminder"
            and wish is not None
            and wish.wording == ReminderSettings.Wording.FULL
            and (Consent.Kind.FULL_WORDING, email.recipient_id) in self.consents
        )


def _prepare(
    emails: Sequence[Email], unwanted: Callable[[Email, Meeting, _Facts], str | Later]
) -> dict[UUID, Letter | Later | Unwanted]:
    """Letters by e-mail id. `unwanted` says why a mail must not go out, not now or not at all, or nothing."""
    facts = _Facts(emails)
    in_use = WordsInUse(kinds.get(emails[0].kind).letters)
    written: dict[tuple, Letter] = {}
    answers: dict[UUID, Letter | Later | Unwanted] = {}
    for email in emails:
        meeting = facts.meetings.get(email.about_id)
        reason = gettext_noop("the meeting is gone") if meeting is None else unwanted(email, meeting, facts)
        if isinstance(reason, Later):
            answers[email.pk] = reason
            continue
        if meeting is None or reason or not email.recipient.is_active:
            answers[email.pk] = Unwanted(reason or gettext_noop("the account is closed"))
            continue
        answer, language = facts.answer(email), email.recipient.language
        full = facts.wants_full_wording(email)
        editable = editable_of(email.kind, answer.rsvp)
        chosen = None if full else in_use.for_person(editable, email.recipient_id, language)
        key = (meeting.pk, language, full, answer, chosen)
        if key not in written:
            written[key] = _write(email.kind, meeting, answer, language, full=full, chosen=chosen)
        answers[email.pk] = _fill_in(written[key], email, meeting)
    return answers


def preview_reminder(meeting: Meeting, participation: Participation | None, language: str, *, full: bool) -> Letter:
    """The reminder of a meeting as it would be, its links leading nowhere."""
    chosen = None
    if participation and not full:
        editable = editable_of("reminder", participation.rsvp)
        chosen = WordsInUse([editable]).for_person(editable, participation.member_id, language)
    answer = Answer(participation.rsvp, participation.offer_expires_at) if participation else NO_ANSWER
    return _write("reminder", meeting, answer, language, full=full, chosen=chosen)


def _write(
    kind: str,
    meeting: Meeting,
    answer: Answer,
    language: str,
    *,
    full: bool = False,
    chosen: Chosen | None = None,
) -> Letter:
    """`full` names the group, and to somebody with a place also where it is; the link to join is in no mail. Words
    that coordinators chose name no group, so they are not for such letters.
    """
    place = ""
    if full and answer.rsvp == Participation.Rsvp.GOING:
        with translation.override(language):
            place = wording.place(meeting)
    group_name = meeting.group.name if full else ""
    where = (meeting.starts_at, meeting.time_zone, group_name, place)
    return _in_words(kind, language, *where, answer, chosen, (settings.SITE_URL, settings.SITE_NAME))


@lru_cache(LETTERS_KEPT)
def _in_words(
    kind: str,
    language: str,
    starts_at: datetime,
    time_zone: str,
    group_name: str,
    place: str,
    answer: Answer,
    chosen: Chosen | None,
    _site: tuple,
) -> Letter:
    """Meetings at the same hour share a letter. All it is made of is named here, so a kept one is never out of date."""
    zone = ZoneInfo(time_zone)
    start, offer_ends = starts_at.astimezone(zone), answer.offer_expires_at
    with translation.override(language):
        context = {
            "kind": kind,
            "when": wording.moment(start),
            "when_short": wording.moment_short(start),
            "group_name": group_name,
            "place": place,
            "rsvp": answer.rsvp,
            "offer_ends": wording.moment(offer_ends.astimezone(zone)) if offer_ends else "",
            "answer_url": ANSWER_URL,
            "unsubscribe_url": UNSUBSCRIBE_URL,
            "meeting_url": MEETING_URL,
        }
        return letter(f"meetings/mail/{kind}", context, chosen)


def _fill_in(letter: Letter, email: Email, meeting: Meeting) -> Letter:
    return letter.filled_in(
        {
            ANSWER_URL: link("meetings:answer_from_mail", answer_token(email.about_id, email.recipient_id)),
            UNSUBSCRIBE_URL: unsubscribe_url(email),
            MEETING_URL: link("meetings:meeting_detail", meeting.pk),
        }
    )


def _prepare_reminders(emails: Sequence[Email]) -> dict[UUID, Letter | Later | Unwanted]:
    def unwanted(email: Email, meeting: Meeting, facts: _Facts) -> str | Later:
        if meeting.status != Meeting.Status.SCHEDULED:
            return gettext_noop("the meeting is off")
        if email.fact != reminder_fact(meeting.starts_at):
            return gettext_noop("the meeting has moved")
        is_reminded = (Consent.Kind.REMINDERS, email.recipient_id) in facts.consents
        if not is_reminded or (meeting.group_id, email.recipient_id) not in facts.groups:
            return gettext_noop("reminders are off")
        if facts.rsvp(email) not in (None, Participation.Rsvp.GOING):
            return gettext_noop("not coming")
        if facts.rsvp(email) is None and not meeting.places_left:
            return gettext_noop("full")
        if (email.recipient_id, email.recipient.email) not in facts.confirmed:
            return gettext_noop("the address is not confirmed")
        wish = facts.wishes.get(email.recipient_id, AS_BY_DEFAULT)
        held = not_now(wish, timezone.now().astimezone(meeting.zone))
        return held.reason if isinstance(held, Unwanted) else held or ""

    return _prepare(emails, unwanted)


def _prepare_cancelled(emails: Sequence[Email]) -> dict[UUID, Letter | Later | Unwanted]:
    return _prepare(
        emails,
        lambda email, meeting, facts: (
            "" if meeting.status == Meeting.Status.CANCELLED else gettext_noop("the meeting is on again")
        ),
    )


def _prepare_moved(emails: Sequence[Email]) -> dict[UUID, Letter | Later | Unwanted]:
    def unwanted(email: Email, meeting: Meeting, facts: _Facts) -> str:
        if meeting.status != Meeting.Status.SCHEDULED:
            return gettext_noop("the meeting is off")
        return (
            "" if email.fact.startswith(meeting.starts_at.isoformat()) else gettext_noop("the meeting has moved again")
        )

    return _prepare(emails, unwanted)


def _prepare_offers(emails: Sequence[Email]) -> dict[UUID, Letter | Later | Unwanted]:
    return _prepare(
        emails,
        lambda email, meeting, facts: (
            "" if facts.rsvp(email) == Participation.Rsvp.OFFERED else gettext_noop("the offer is no longer open")
        ),
    )
