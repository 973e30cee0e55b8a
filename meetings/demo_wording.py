"""For the demonstration: a test of two wordings that has ended, with the reminders of its weeks.

Who got which follows from who they are, as always; whether they came was decided before. So the figures tell of chance.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from groups.models import Group
from lab.services import write_words
from members.models import Consent, Member
from outbox.models import Email, Wording, WordingPeriod
from outbox.wordings import Words, variant_for

from .letters import REMINDER_GOING
from .models import Meeting, Participation
from .services.reminders import reminder_fact

BEGAN, ENDED = timedelta(weeks=14), timedelta(weeks=2)  # ago
WORDS = Words(
    "See you {when_short}", "We look forward to you on {when}.", "You can come late, and you can leave early."
)


def make(groups: Iterable[Group], coordinator: Member, now: datetime) -> None:
    test = _test(coordinator, now)
    Email.objects.bulk_create(_reminder(test, answer) for answer in _reminded(groups, test))


def _test(coordinator: Member, now: datetime) -> WordingPeriod:
    last = Wording.objects.of(REMINDER_GOING.name, "en").last_number()
    wording = write_words(REMINDER_GOING, "en", WORDS, after=last, by=coordinator)
    return WordingPeriod.objects.create(
        letter=REMINDER_GOING.name,
        language="en",
        b=wording,
        is_test=True,
        began_at=now - BEGAN,
        began_by=coordinator,
        ended_at=now - ENDED,
        ended_by=coordinator,
    )


def _reminded(groups: Iterable[Group], test: WordingPeriod):
    """Who had a place in those weeks, reads English and asks for reminders."""
    asked = Consent.objects.standing().filter(kind=Consent.Kind.REMINDERS).values("member")
    return (
        Participation.objects.going()
        .filter(meeting__group__in=groups, meeting__status=Meeting.Status.HELD, member__in=asked, member__language="en")
        .filter(meeting__starts_at__gt=test.began_at + timedelta(days=1), meeting__starts_at__lt=test.ended_at)
        .select_related("meeting")
        .order_by("pk")
    )


def _reminder(test: WordingPeriod, answer: Participation) -> Email:
    fact, sent_at = reminder_fact(answer.meeting.starts_at), answer.meeting.starts_at - timedelta(days=1)
    return Email(
        key=f"reminder/{answer.meeting_id}/{answer.member_id}/{fact}",
        kind="reminder",
        recipient_id=answer.member_id,
        about_id=answer.meeting_id,
        fact=fact,
        state=Email.State.SENT,
        attempts=1,
        queued_at=sent_at,
        send_after=sent_at,
        expires_at=answer.meeting.starts_at,
        sent_at=sent_at,
        wording_period=test,
        variant=variant_for(test.pk, answer.member_id),
    )
