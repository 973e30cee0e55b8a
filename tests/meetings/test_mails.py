"""What the mails say, whom they still reach when things have changed, and that reading them changes nothing."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

import outbox.services as outbox
from meetings import mails, services
from meetings.models import Meeting
from meetings.services.reminders import reminder_fact
from members.models import Consent, Member
from members.services import give_consent
from outbox import kinds
from outbox.models import Email
from tests import make
from tests.smtp_server import smtp_server

from .test_reminders import EVENTS

WORDS_THAT_TELL = re.compile(
    r"\b(recover|sober|sobriety|addict|alcohol|drug|relapse|clean|craving|treatment|counsel|AA|NA|12-step|support|group)",
    re.IGNORECASE,
)


@pytest.fixture
def smtp(settings):
    settings.SITE_URL, settings.SITE_HOST = "http://testserver", "testserver"
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.REMIND_HOURS = (0, 24)
    with smtp_server(settings) as server:
        yield server


@pytest.fixture
def willow(cast):
    """Willow, whose every field would give somebody away, with a meeting Mia comes to and Max has not answered."""
    type(cast.willow).objects.filter(pk=cast.willow.pk).update(
        name="Sober Willow AA", description="Relapse prevention", place="Treatment house", kind="12-step"
    )
    cast.willow.refresh_from_db()
    cast.meeting = cast.willow_meeting
    for member in (cast.mia, cast.max):
        give_consent(member, Consent.Kind.REMINDERS)
    make.participation(cast.meeting, cast.mia)
    return cast


def remind(cast):
    """Queue what a tick in the window would have queued."""
    outbox.queue(
        "reminder",
        [cast.mia.pk, cast.max.pk],
        about_id=cast.meeting.pk,
        fact=reminder_fact(cast.meeting.starts_at),
        expires_at=cast.meeting.starts_at,
    )


def queue_one_of_each(cast):
    """A reminder to Mia and Max; Mia is told of a move and of a cancellation; Vera is offered a place."""
    remind(cast)
    outbox.deliver()
    meeting = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=3), capacity=1)
    services.answer_going(meeting, by=cast.mia)
    make.membership(cast.willow, cast.vera)
    services.answer_going(meeting, by=cast.vera)
    services.answer_declined(meeting, by=cast.mia)
    outbox.deliver()
    meeting.series.start_time = "06:15"
    meeting.series.save()
    services.answer_going(meeting, by=cast.vera)
    services.follow_series(meeting.series, by=cast.carol)
    outbox.deliver()
    services.cancel_meeting(cast.meeting, by=cast.carol, reason="Relapse of the counselor")
    outbox.deliver()


def parts(mail):
    return mail["Subject"], *(mail.get_body([kind]).get_content() for kind in ("plain", "html"))


def links(mail):
    found = set(re.findall(r"https?://[^\s\"<>]+", unescape("\n".join(parts(mail)))))
    return sorted(found | {str(mail["List-Unsubscribe"] or "").strip(" <>")} - {""})


@pytest.fixture
def letters(willow, smtp):
    queue_one_of_each(willow)
    return smtp


def test_each_kind_reaches_whom_it_is_for(willow, letters):
    rows = Email.objects.values_list("kind", "recipient__display_name", "state")

    assert sorted(rows) == [
        ("cancelled", "Mia", "sent"),
        ("moved", "Vera", "sent"),
        ("offer", "Vera", "sent"),
        ("reminder", "Max", "sent"),
        ("reminder", "Mia", "sent"),
    ]
    assert len(letters.taken) == 5


def test_no_mail_names_the_group_the_place_the_reason_or_anybody(willow, letters):
    """EML-05, PRV-06: on a lock screen, in a shared inbox, nothing tells what kind of meeting it is."""
    secrets = [
        *("Willow", "Relapse", "Treatment house", "Hidden Lane", "hidden-room", "Riverside", "Carol"),
        *(member.display_name for member in (willow.mia, willow.max, willow.vera)),
        *(member.code for member in (willow.mia, willow.max, willow.vera)),
    ]
    for taken in letters.taken:
        subject, text, html = parts(taken.mail)
        for shown in (subject, text, re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)):
            without_links = re.sub(r"https?://\S+", "", shown)
            assert [secret for secret in secrets if secret.lower() in without_links.lower()] == []
            assert WORDS_THAT_TELL.findall(without_links) == []
        assert "<img" not in html


def test_each_mail_is_to_one_person_alone(letters):
    for taken in letters.taken:
        assert taken.mail.get_all("To") == taken.recipients
        assert (taken.mail["Cc"], taken.mail["Bcc"]) == (None, None)


def test_first_line_says_what_and_when(willow, letters):
    first_lines = {
        (taken.mail["Subject"].split(":")[0], parts(taken.mail)[1].split("\n")[0]) for taken in letters.taken
    }

    for _subject, line in first_lines:
        assert re.search(r"\w+day, \w+ \d+, \d+:\d\d [ap]m \(E[SD]T\)", line), line
    assert sorted((subject, line.split(" on ")[0]) for subject, line in first_lines) == [
        ("A place for you", "A place is free for you"),
        ("Cancelled", "The meeting"),
        ("Changed", "Your meeting has changed. It is now"),
        ("Reminder", "There is a meeting"),
        ("Reminder", "You have a meeting"),
    ]


def test_only_reminders_say_how_to_stop_them(letters):
    by_subject = {taken.mail["Subject"].split(":")[0]: taken.mail for taken in letters.taken}

    assert {name for name, mail in by_subject.items() if mail["List-Unsubscribe"]} == {"Reminder"}
    assert {name for name, mail in by_subject.items() if "/u/" in parts(mail)[1]} == {"Reminder"}
    assert {name for name, mail in by_subject.items() if " 988" in parts(mail)[1]} == {"Cancelled"}


def test_scanner_that_follows_every_link_of_every_mail_changes_no_row(willow, letters):
    """EML-01: GET and HEAD on all of them, and not one row of any table is other than before."""
    followed = set()
    before = every_row()
    for taken in letters.taken:
        for link in links(taken.mail):
            for method in ("get", "head"):
                response = getattr(Client(), method)(link)
                assert response.status_code in (200, 302, 404), link
            followed.add(link.split("/")[3])

    assert followed == {"m", "u", "meetings", "my"}
    assert every_row() == before


def every_row():
    with connection.cursor() as cursor:
        rows = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT md5(string_agg(one::text, chr(10) ORDER BY one::text)) FROM "{table}" AS one')
            rows[table] = cursor.fetchone()[0]
    return rows


def answer_link(mail):
    (link,) = [link for link in links(mail) if "/m/" in link]
    return link


def test_answer_link_answers_for_one_person_and_one_meeting_without_signing_in(willow, smtp):
    remind(willow)
    outbox.deliver()
    browser = Client()

    response = browser.post(answer_link(smtp.mail_to(willow.mia.email)), {"answer": "declined"})

    assert response.status_code == 200
    assert list(willow.meeting.participations.values_list("member", "rsvp")) == [(willow.mia.pk, "declined")]
    assert browser.get("/my/").status_code == 302


def test_answer_link_dies_when_the_meeting_starts(willow, smtp):
    remind(willow)
    outbox.deliver()
    link = answer_link(smtp.mail_to(willow.mia.email))
    Meeting.objects.update(starts_at=timezone.now() - timedelta(seconds=1))

    assert [Client().get(link).status_code, Client().post(link, {"answer": "declined"}).status_code] == [404, 404]
    assert willow.meeting.participations.get().rsvp == "going"


def test_answer_link_with_one_letter_changed_opens_nothing(willow, smtp):
    remind(willow)
    outbox.deliver()
    link = answer_link(smtp.mail_to(willow.mia.email)).rstrip("/")

    assert Client().get(f"{link[:-1]}{'a' if link[-1] != 'a' else 'b'}/").status_code == 404


def test_guessed_answer_links_are_stopped_for_a_while_and_true_ones_are_not(willow, smtp):
    remind(willow)
    outbox.deliver()
    link = answer_link(smtp.mail_to(willow.mia.email))

    assert [Client().get(f"/m/guess-{number}/").status_code for number in range(61)] == [404] * 60 + [429]
    assert Client().post(link, {"answer": "declined"}).status_code == 200
    assert [Client().post(link, {"answer": "going"}).status_code for _press in range(30)] == [200] * 29 + [429]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__.strip("_"))
def test_what_happens_between_queueing_and_sending_still_counts(willow, smtp, event):
    remind(willow)
    event(willow)

    assert outbox.deliver() == 0
    assert set(Email.objects.filter(kind="reminder").values_list("state", flat=True)) == {"suppressed"}
    assert smtp.taken == []


def test_meeting_that_moved_is_not_reminded_of_at_its_old_time(willow, smtp):
    remind(willow)
    Meeting.objects.filter(pk=willow.meeting.pk).update(starts_at=willow.meeting.starts_at - timedelta(hours=1))

    assert outbox.deliver() == 0


def test_meeting_that_filled_up_reminds_only_those_with_a_place(willow, smtp):
    remind(willow)
    Meeting.objects.filter(pk=willow.meeting.pk).update(capacity=1)

    outbox.deliver()

    assert smtp.people == {willow.mia.email: 1}


def test_meeting_that_is_gone_stops_no_other_mail(willow, smtp):
    remind(willow)
    other = make.meeting(willow.willow)
    outbox.queue("cancelled", [willow.vera.pk], about_id=other.pk, fact="x", expires_at=other.ends_at)
    other.delete()

    assert outbox.deliver() == 2
    assert Email.objects.get(kind="cancelled").reason == "the meeting is gone"


def test_offer_taken_back_is_not_sent(willow, smtp):
    make.membership(willow.willow, willow.vera)
    Meeting.objects.filter(pk=willow.meeting.pk).update(capacity=1)
    services.answer_going(willow.meeting, by=willow.vera)
    services.answer_declined(willow.meeting, by=willow.mia)
    services.answer_declined(willow.meeting, by=willow.vera)

    assert outbox.deliver() == 0
    assert Email.objects.get(kind="offer").state == "suppressed"


def test_cancellation_reaches_even_those_who_want_no_reminders(willow, smtp):
    """EML-16: whoever was coming must not stand before a closed door."""
    Consent.objects.update(withdrawn_at=timezone.now())
    services.cancel_meeting(willow.meeting, by=willow.carol, reason="")

    assert outbox.deliver() == 1
    assert smtp.people == {willow.mia.email: 1}


def test_mail_speaks_the_language_of_its_reader(willow, smtp):
    Member.objects.filter(pk=willow.max.pk).update(language="es")
    remind(willow)

    outbox.deliver()

    assert '<html lang="en">' in parts(smtp.mail_to(willow.mia.email))[2]
    assert '<html lang="es">' in parts(smtp.mail_to(willow.max.email))[2]


def test_cost_of_writing_is_the_same_for_few_and_many(willow, django_assert_num_queries):
    remind(willow)
    for how_many in (1, 40):
        for member in make.members(how_many):
            make.membership(willow.willow, member)
            outbox.queue("reminder", [member.pk], about_id=willow.meeting.pk, fact="x", expires_at=timezone.now())
        emails = list(Email.objects.select_related("recipient"))
        with django_assert_num_queries(7):
            kinds.get("reminder").prepare(emails)


def test_meetings_at_the_same_moment_in_two_zones_share_no_letter(cast):
    """Letters are kept, and Python holds one moment in two zones to be equal."""
    meetings = Meeting.objects.filter(pk=cast.willow_meeting.pk)
    zones = ["America/Denver", "America/New_York", "America/Denver"]
    subjects = []
    for zone in zones:
        meetings.update(time_zone=zone)
        subjects.append(mails.preview_reminder(meetings.get(), None, "en", full=False).subject)

    assert subjects[0] == subjects[2] != subjects[1]
