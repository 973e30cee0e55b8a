from datetime import timedelta

import pytest
from django.utils import timezone

from lab.services import try_words, write_words
from outbox import kinds
from outbox.models import Email, Wording, WordingPeriod
from outbox.wordings import Words
from tests import make

WORDS = Words("Soon: {when_short}", "New words on {when}.", "Take care.")


@pytest.fixture
def olga(cast, sign_in):
    """The browser of Olga, who coordinates."""
    return sign_in(cast.olga)


@pytest.fixture
def written(cast):
    """Write words for a mail, as Olga did."""

    def written(name: str = "moved", language: str = "en", words: Words = WORDS, *, by=None):
        letter = kinds.editable_letters()[name]
        after = Wording.objects.of(name, language).last_number()
        return write_words(letter, language, words, after=after, by=by or cast.olga)

    return written


@pytest.fixture
def tested(cast, written):
    """A test of new words beside the mail's own, with so many mails of A and B sent about a meeting that is over.

    Each is sent to somebody of their own; `came` of them came, the others were not there.
    """

    def tested(a: int, b: int, *, came: tuple[int, int] = (0, 0), name: str = "reminder-going", ended: bool = False):
        letter = kinds.editable_letters()[name]
        assert try_words(letter, "en", written(name), beside=None, by=cast.olga)
        period = WordingPeriod.objects.open().of(name, "en").get()
        now = timezone.now()
        meeting = make.meeting(cast.willow, starts_at=now - timedelta(days=3), capacity=10_000, status="held")
        for variant, how_many, present in (("A", a, came[0]), ("B", b, came[1])):
            for n, person in enumerate(make.members(how_many)):
                make.participation(meeting, person, attendance="present" if n < present else "absent")
                sent(period, variant, person, meeting)
        if ended:
            WordingPeriod.objects.filter(pk=period.pk).update(ended_at=now)
            period.refresh_from_db()
        return period

    return tested


def sent(period, variant, person, meeting, **fields) -> Email:
    now = timezone.now()
    fields = {"state": "sent", "sent_at": now, "kind": "reminder"} | fields
    return Email.objects.create(
        key=f"{period.pk}/{variant}/{person.pk}/{meeting.pk}",
        recipient=person,
        about_id=meeting.pk,
        fact="x",
        expires_at=now,
        wording_period=period,
        variant=variant,
        **fields,
    )
