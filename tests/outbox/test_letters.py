"""Words that coordinators chose, on their way into real mail: who gets which, at what cost, and what is noted."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

import outbox.services as outbox
from meetings.mails import preview_reminder
from meetings.services.reminders import reminder_fact
from members.models import Consent, Member, ReminderSettings
from members.services import give_consent
from outbox import kinds
from outbox.models import Email, Wording, WordingPeriod
from outbox.wordings import variant_for
from tests import make


def words_in_use(letter, language="en", *, subject="Soon: {when_short}", opening="New words on {when}.", **fields):
    """Words for a letter, given to everybody."""
    number = Wording.objects.of(letter, language).last_number() + 1
    wording = Wording.objects.create(
        letter=letter, language=language, number=number, subject=subject, opening=opening, closing="Take care."
    )
    return WordingPeriod.objects.create(letter=letter, language=language, **({"a": wording} | fields))


def words_on_trial(letter, language="en", **words):
    """New words for a letter, as B, beside its own."""
    period = words_in_use(letter, language, **words)
    WordingPeriod.objects.filter(pk=period.pk).update(ended_at=timezone.now())
    return WordingPeriod.objects.create(letter=letter, language=language, b=period.a, is_test=True)


@pytest.fixture
def willow(cast, settings):
    """Mia and Max have a place in the meeting and asked for reminders, at whatever hour."""
    settings.REMIND_HOURS = (0, 24)
    for member in (cast.mia, cast.max):
        give_consent(member, Consent.Kind.REMINDERS)
        make.participation(cast.willow_meeting, member)
    cast.meeting = cast.willow_meeting
    return cast


def remind(cast, *people):
    meeting = cast.meeting
    fact = reminder_fact(meeting.starts_at)
    outbox.queue("reminder", [one.pk for one in people], about_id=meeting.pk, fact=fact, expires_at=meeting.starts_at)


def opening(mail) -> str:
    return mail.get_body(["plain"]).get_content().split("\n")[0]


def test_chosen_words_stand_in_the_mail_and_the_row_says_so(willow, smtp):
    period = words_in_use("reminder-going")
    remind(willow, willow.mia)

    outbox.deliver()

    mail = smtp.mail_to(willow.mia.email)
    assert mail["Subject"].startswith("Soon: ")
    assert opening(mail).startswith("New words on ")
    assert "{" not in opening(mail)
    for part in ("plain", "html"):
        body = mail.get_body([part]).get_content()
        assert body.index("New words") < body.index("/m/") < body.index("Take care.") < body.index("/u/")
    row = Email.objects.get()
    assert (row.state, row.wording_period, row.variant) == ("sent", period, "A")


def test_mail_in_its_own_words_says_nothing_of_others(willow, smtp):
    ended = words_in_use("reminder-going")
    WordingPeriod.objects.filter(pk=ended.pk).update(ended_at=timezone.now())
    words_in_use("cancelled")
    remind(willow, willow.mia)

    outbox.deliver()

    assert opening(smtp.mail_to(willow.mia.email)).startswith("You have a meeting on ")
    assert Email.objects.values_list("wording_period", "variant").get() == (None, "")


def test_words_reach_readers_of_their_language_alone(willow, smtp):
    words_in_use("reminder-going", "es", subject="Pronto: {when_short}", opening="Palabras nuevas: {when}.")
    Member.objects.filter(pk=willow.max.pk).update(language="es")
    remind(willow, willow.mia, willow.max)

    outbox.deliver()

    assert opening(smtp.mail_to(willow.mia.email)).startswith("You have a meeting on ")
    assert opening(smtp.mail_to(willow.max.email)).startswith("Palabras nuevas: ")


def test_words_for_people_with_a_place_are_not_for_those_who_have_not_answered(willow, smtp):
    words_in_use("reminder-going")
    willow.meeting.participations.filter(member=willow.max).delete()
    remind(willow, willow.mia, willow.max)

    outbox.deliver()

    assert opening(smtp.mail_to(willow.mia.email)).startswith("New words on ")
    assert opening(smtp.mail_to(willow.max.email)).startswith("There is a meeting on ")


def test_who_asked_to_read_the_name_of_the_group_keeps_reading_it(willow, smtp):
    words_in_use("reminder-going")
    ReminderSettings.objects.create(member=willow.mia, wording=ReminderSettings.Wording.FULL)
    give_consent(willow.mia, Consent.Kind.FULL_WORDING)
    remind(willow, willow.mia)

    outbox.deliver()

    assert opening(smtp.mail_to(willow.mia.email)).startswith("You have a meeting of Willow evening on ")
    assert Email.objects.get().wording_period is None


def test_in_a_test_each_person_gets_their_variant_in_every_mail(willow, smtp):
    test = words_on_trial("reminder-going")
    people = [willow.mia, willow.max, *make.members(10)]
    for member in people[2:]:
        make.membership(willow.willow, member)
        give_consent(member, Consent.Kind.REMINDERS)
    meetings = [willow.meeting, make.meeting(willow.willow, capacity=20)]
    for willow.meeting in meetings:
        for member in people:
            make.participation(willow.meeting, member) if (
                member not in people[:2] or willow.meeting == meetings[1]
            ) else None
        remind(willow, *people)

    outbox.deliver()

    expected = {person.pk: variant_for(test.pk, person.pk) for person in people}
    rows = list(Email.objects.values_list("recipient", "variant", "wording_period"))
    assert sorted(rows) == sorted((person, variant, test.pk) for person, variant in expected.items() for _ in meetings)
    assert set(expected.values()) == {"A", "B"}
    said = {"A": "You have a meeting on ", "B": "New words on "}
    for taken in smtp.taken:
        (person,) = [one for one in people if [one.email] == taken.recipients]
        assert opening(taken.mail).startswith(said[expected[person.pk]])
    assert Counter(smtp.people.values()) == {2: len(people)}


def test_preview_for_a_member_shows_what_they_will_get(willow):
    words_in_use("reminder-going")
    participation = willow.meeting.participations.get(member=willow.mia)

    neutral, full = (preview_reminder(willow.meeting, participation, "en", full=full) for full in (False, True))

    assert neutral.text.startswith("New words on ")
    assert full.text.startswith("You have a meeting of Willow evening on ")


@pytest.mark.parametrize("kind", ["join_decision", "question"])
def test_other_kinds_ask_once_for_the_words_of_a_batch(kind, cast, django_assert_num_queries):
    for name in ("join-yes", "question"):
        words_in_use(name, opening="New words.")
    for how_many in (1, 30):
        for member in make.members(how_many):
            about = make.meeting(cast.willow).pk
            outbox.queue(kind, [member.pk], about_id=about, fact="x", expires_at=timezone.now() + timedelta(hours=1))
        emails = list(Email.objects.select_related("recipient"))
        with django_assert_num_queries(2):
            kinds.get(kind).prepare(emails)


def test_words_are_never_changed_and_never_erased(db):
    period = words_in_use("cancelled")
    ended = words_in_use("moved", ended_at=timezone.now())
    unused = Wording.objects.create(letter="moved", language="en", number=2, subject="x", opening="x")
    attempts = [
        (lambda: Wording.objects.filter(pk=unused.pk).update(opening="Others"), "words are only ever added"),
        (lambda: Wording.objects.filter(pk=unused.pk).delete(), "words are only ever added"),
        (lambda: WordingPeriod.objects.filter(pk=period.pk).update(a=unused), "is not changed later"),
        (lambda: WordingPeriod.objects.filter(pk=ended.pk).update(ended_at=None), "is not changed later"),
        (lambda: WordingPeriod.objects.filter(pk=ended.pk).delete(), "is not changed later"),
    ]

    for attempt, sentence in attempts:
        with pytest.raises(ProgrammingError, match=sentence), transaction.atomic():
            attempt()


def test_words_stay_when_the_account_of_who_wrote_them_goes(cast):
    wording = Wording.objects.create(
        letter="moved", language="en", number=1, subject="x", opening="x", written_by=cast.olga
    )
    period = WordingPeriod.objects.create(letter="moved", language="en", a=wording, began_by=cast.olga)

    cast.olga.delete()

    for row in (wording, period):
        row.refresh_from_db()
    assert (wording.written_by, period.began_by, wording.subject) == (None, None, "x")
