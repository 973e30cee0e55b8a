"""Calendar files: what they hold, whom they tell what, and that an unchanged one is not made again."""

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from groups.models import Group
from meetings import services
from meetings.calendar_feed import find_calendar_feed
from meetings.calendar_file import Entry, calendar_file, escaped, line
from meetings.models import Meeting, MeetingSeries, Participation
from members.models import Consent, Member
from members.services import (
    close_calendar,
    name_groups_in_calendar,
    note_calendar_change,
    open_calendar,
    renew_calendar,
    stop_naming_groups_in_calendar,
    withdraw_consent,
)
from tests import make
from tests.plans import plans_inside

WILLOW = UUID("5a9d2c7e-1b7a-4a38-9f1d-0a4c6e2b8d10")
GOLDEN = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//meet.example//Calendar//EN
CALSCALE:GREGORIAN
METHOD:PUBLISH
REFRESH-INTERVAL;VALUE=DURATION:PT6H
X-PUBLISHED-TTL:PT6H
BEGIN:VEVENT
UID:{uid}@meet.example
DTSTAMP:20261001T080000Z
DTSTART:20261030T223000Z
DTEND:20261031T000000Z
SEQUENCE:0
STATUS:CONFIRMED
SUMMARY:Appointment
ORGANIZER:mailto:office@meet.example
CLASS:PRIVATE
END:VEVENT
BEGIN:VEVENT
UID:{uid}@meet.example
DTSTAMP:20261001T080000Z
DTSTART:20261106T233000Z
DTEND:20261107T010000Z
SEQUENCE:2
STATUS:CANCELLED
SUMMARY:Appointment
ORGANIZER:mailto:office@meet.example
CLASS:PRIVATE
END:VEVENT
END:VCALENDAR
""".replace("{uid}", "a5faa363c0d49d7d859f785856013584")


def file_of(entries, summary="Appointment"):
    return calendar_file(
        entries, summary=summary, host="meet.example", organizer="office@meet.example", refresh=timedelta(hours=6)
    )


def entry(starts_at, *, sequence=0, is_cancelled=False, id=WILLOW):
    stamp = datetime(2026, 10, 1, 8, tzinfo=UTC)
    return Entry(id, starts_at, starts_at + timedelta(minutes=90), sequence, stamp, is_cancelled)


def test_file_is_written_to_the_letter():
    """Half past six in New York on both sides of the change of 1 November."""
    evening = ZoneInfo("America/New_York")
    entries = [
        entry(datetime(2026, 10, 30, 18, 30, tzinfo=evening)),
        entry(datetime(2026, 11, 6, 18, 30, tzinfo=evening), sequence=2, is_cancelled=True),
    ]

    assert file_of(entries) == GOLDEN.replace("\n", "\r\n")


@pytest.mark.parametrize("change", [date(2026, 11, 1), date(2027, 3, 14)])
def test_wall_time_stays_over_a_change_of_the_clock(change, cast, sign_in):
    with time_machine.travel(datetime.combine(change - timedelta(days=10), datetime.min.time(), UTC), tick=False):
        series = make.series(cast.willow, weekdays=[change.weekday()], from_on=change - timedelta(days=60))
        services.extend_series(MeetingSeries.objects.filter(pk=series.pk))
        for meeting in Meeting.objects.filter(series=series):
            make.participation(meeting, cast.mia)
        answer = sign_in(None).get(feed_of(cast.mia))

    zone = ZoneInfo("America/New_York")
    starts = [event.start.astimezone(zone) for event in Calendar.from_ical(answer.content).events]
    assert [f"{start:%H:%M}" for start in starts] == ["18:30"] * 12
    assert {start.utcoffset() for start in starts} == {timedelta(hours=-5), timedelta(hours=-4)}


@given(st.text())
def test_any_text_comes_back_from_the_file(text):
    """Against the icalendar library; what is no text, such as a control character, is left out."""
    event = Calendar.from_ical(file_of([entry(datetime(2026, 12, 1, tzinfo=UTC))], summary=text)).events[0]

    wanted = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text.replace("\r\n", "\n").replace("\r", "\n"))
    assert str(event["SUMMARY"]) == wanted


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), max_size=400))
def test_folded_lines_are_short_and_unfold_to_what_they_were(text):
    raw = line("SUMMARY", escaped(text)).encode()

    assert max(len(part) for part in raw.split(b"\r\n")) <= 75
    assert raw.replace(b"\r\n ", b"").removesuffix(b"\r\n").decode() == f"SUMMARY:{escaped(text)}"
    assert all(part.decode() is not None for part in raw.split(b"\r\n"))


def test_five_hundred_entries_equal_what_the_icalendar_library_writes():
    from icalendar import Event, vCalAddress

    first = datetime(2026, 10, 1, 22, 30, tzinfo=UTC)
    entries = [
        entry(first + timedelta(hours=7 * n), sequence=n % 3, is_cancelled=n % 5 == 0, id=uuid4()) for n in range(500)
    ]
    ours = Calendar.from_ical(file_of(entries))

    theirs = Calendar()
    for name in ("VERSION", "PRODID", "CALSCALE", "METHOD", "X-PUBLISHED-TTL"):
        theirs.add(name, ours[name])
    theirs["REFRESH-INTERVAL"] = ours["REFRESH-INTERVAL"]
    for one, read in zip(entries, ours.events, strict=True):
        event = Event()
        event.add("UID", read["UID"])
        event.add("DTSTAMP", one.stamped_at)
        event.add("DTSTART", one.starts_at)
        event.add("DTEND", one.ends_at)
        event.add("SEQUENCE", one.sequence)
        event.add("STATUS", "CANCELLED" if one.is_cancelled else "CONFIRMED")
        event["ORGANIZER"] = vCalAddress("mailto:office@meet.example")
        event.add("SUMMARY", "Appointment")
        event.add("CLASS", "PRIVATE")
        theirs.add_component(event)

    assert Calendar.from_ical(theirs.to_ical()) == ours
    assert len({str(event["UID"]) for event in ours.events}) == 500


# --- Whose calendar holds what ----------------------------------------------------------------------------------------


@pytest.fixture
def willow(cast):
    """Willow, whose every field would give somebody away, with Mia and Max coming."""
    Group.objects.filter(pk=cast.willow.pk).update(name="Sober Willow", description="Relapse prevention with Olsen")
    make.participation(cast.willow_meeting, cast.mia)
    make.participation(cast.willow_meeting, cast.max)
    make.participation(cast.cedar_meeting, cast.nora)
    return cast


TELLING = re.compile(
    r"sober|willow|cedar|riverside|community|hidden|lane|meet\.example|relapse|olsen|mia|max|nora|carol|attendee|"
    r"description|location|http",
    re.IGNORECASE,
)


def feed_of(member: Member) -> str:
    open_calendar(member)
    member.refresh_from_db()
    return reverse("meetings:calendar_feed", args=[member.calendar_token])


def events(answer):
    return Calendar.from_ical(answer.content).events


@pytest.mark.parametrize("which", ["meeting", "group", "mine"])
def test_file_tells_a_time_and_nothing_else(willow, sign_in, which):
    url = {
        "meeting": reverse("meetings:meeting_calendar", args=[willow.willow_meeting.pk]),
        "group": reverse("meetings:group_calendar", args=["willow"]),
        "mine": feed_of(willow.mia),
    }[which]

    answer = sign_in(None).get(url)

    text = answer.content.decode()
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="calendar.ics"'
    assert TELLING.findall(text) == []
    assert str(willow.willow_meeting.pk) not in text
    (event,) = events(answer)
    assert (str(event["SUMMARY"]), str(event["CLASS"])) == ("Appointment", "PRIVATE")
    assert (event.start, event.end) == (willow.willow_meeting.starts_at, willow.willow_meeting.ends_at)


def test_calendar_speaks_the_language_of_its_owner(willow, sign_in):
    Member.objects.filter(pk=willow.mia.pk).update(language="es")
    Group.objects.filter(pk=willow.willow.pk).update(language="es")

    mine = events(sign_in(None).get(feed_of(willow.mia)))
    group = events(sign_in(None).get(reverse("meetings:group_calendar", args=["willow"])))

    with translation.override("es"):
        assert [str(event["SUMMARY"]) for event in mine + group] == [gettext("Appointment")] * 2


def test_only_meetings_with_a_place_are_in_my_calendar(willow, sign_in):
    for rsvp in ("declined", "waitlisted", "offered"):
        meeting = make.meeting(willow.willow, starts_at=timezone.now() + timedelta(days=3, hours=len(rsvp)))
        make.participation(meeting, willow.mia, rsvp=rsvp)
    long_ago = make.meeting(willow.willow, starts_at=timezone.now() - timedelta(days=40), status="held")
    make.participation(long_ago, willow.mia)

    found = events(sign_in(None).get(feed_of(willow.mia)))

    assert [event.start for event in found] == [willow.willow_meeting.starts_at]


def test_moved_and_cancelled_meetings_follow_under_one_uid(willow, sign_in):
    url = feed_of(willow.mia)
    planned = events(sign_in(None).get(url))[0]
    series = willow.willow_meeting.series
    series.start_time = (willow.willow_meeting.local_start + timedelta(minutes=-30)).time().replace(second=0)
    series.save()
    services.follow_series(series, by=willow.carol)
    moved = next(event for event in events(sign_in(None).get(url)) if event["UID"] == planned["UID"])
    services.cancel_meeting(Meeting.objects.get(pk=willow.willow_meeting.pk), by=willow.carol, reason="Flood")
    answer = sign_in(None).get(url)
    cancelled = next(event for event in events(answer) if event["UID"] == planned["UID"])

    assert [event["SEQUENCE"] for event in (planned, moved, cancelled)] == [0, 1, 2]
    assert [str(event["STATUS"]) for event in (planned, moved, cancelled)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert moved.start < planned.start
    assert b"Flood" not in answer.content


def test_giving_back_the_place_takes_the_meeting_out(willow, sign_in):
    url = feed_of(willow.mia)
    services.answer_declined(willow.willow_meeting, by=willow.mia)

    assert events(sign_in(None).get(url)) == []


# --- The private address ----------------------------------------------------------------------------------------------


def test_calendar_is_opt_in_with_the_words_that_were_shown(willow, sign_in):
    client = sign_in(willow.mia)
    page = client.get(reverse("meetings:my_calendar")).content.decode()
    before = Member.objects.get(pk=willow.mia.pk).calendar_token
    client.post(reverse("meetings:my_calendar"), {"calendar": "on"})

    consent = Consent.objects.standing().get(member=willow.mia, kind=Consent.Kind.CALENDAR)
    assert before is None
    assert consent.text in page
    assert Member.objects.get(pk=willow.mia.pk).calendar_token in (
        client.get(reverse("meetings:my_calendar")).content.decode()
    )


def test_new_address_kills_the_old_one(willow, sign_in):
    client = sign_in(willow.mia)
    old = feed_of(willow.mia)
    client.post(reverse("meetings:my_calendar"), {"calendar": "renew"})
    willow.mia.refresh_from_db()
    new = reverse("meetings:calendar_feed", args=[willow.mia.calendar_token])

    assert [sign_in(None).get(url).status_code for url in (old, new)] == [404, 200]


@pytest.mark.parametrize("how", ["switched off", "consent withdrawn", "inactive"])
def test_dead_address_is_as_if_it_had_never_been(how, willow, sign_in):
    url = feed_of(willow.mia)
    if how == "switched off":
        sign_in(willow.mia).post(reverse("meetings:my_calendar"), {"calendar": "off"})
        assert not Consent.objects.standing().filter(member=willow.mia).exists()
    elif how == "consent withdrawn":  # what else they agreed to, and what others did, does not keep it open
        name_groups_in_calendar(willow.mia)
        open_calendar(willow.max)
        withdraw_consent(willow.mia.pk, Consent.Kind.CALENDAR)
    else:
        Member.objects.filter(pk=willow.mia.pk).update(is_active=False)

    dead, unknown = sign_in(None).get(url), sign_in(None).get(reverse("meetings:calendar_feed", args=["x" * 43]))

    assert (dead.status_code, unknown.status_code) == (404, 404)
    assert len(dead.content) == len(unknown.content) - len("x" * 43) + len(willow.mia.calendar_token or "x" * 43)


def test_agreeing_again_gives_another_address(willow, sign_in):
    old = feed_of(willow.mia)
    withdraw_consent(willow.mia.pk, Consent.Kind.CALENDAR)
    new = feed_of(willow.mia)

    assert [sign_in(None).get(url).status_code for url in (old, new)] == [404, 200]


def test_switching_twice_changes_nothing(willow):
    answers = [
        open_calendar(willow.mia),
        open_calendar(willow.mia),
        close_calendar(willow.mia),
        close_calendar(willow.mia),
        renew_calendar(willow.mia),
    ]

    assert answers == [True, False, True, False, False]


def test_address_goes_to_no_other_page_and_no_cache(willow, sign_in):
    feed = sign_in(None).get(feed_of(willow.mia))
    page = sign_in(willow.mia).get(reverse("meetings:my_calendar"))

    assert [answer["Referrer-Policy"] for answer in (feed, page)] == ["no-referrer"] * 2
    assert [answer["X-Robots-Tag"] for answer in (feed, page)] == ["noindex"] * 2
    assert feed["Cache-Control"] == "private, no-cache"
    assert "no-store" in page["Cache-Control"]
    assert not feed.cookies


# --- Unchanged --------------------------------------------------------------------------------------------------------


def test_unchanged_calendar_is_not_made_again(willow, sign_in):
    url, client = feed_of(willow.mia), sign_in(None)
    etag = client.get(url)["ETag"]

    with CaptureQueriesContext(connection) as queries:
        again = client.get(url, headers={"if-none-match": etag})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert len(queries) == 1


def what_came_of(happenings, url, client):
    """After each: what a program hears that had the file before, and whether the file is another one."""
    found = {}
    for name, happens in happenings.items():
        before = client.get(url)
        happens()
        heard = client.get(url, headers={"if-none-match": before["ETag"]})
        found[name] = (heard.status_code, client.get(url).content != before.content)
    return found


def test_whatever_changes_a_calendar_changes_its_tag(willow, sign_in, settings):
    url = feed_of(willow.mia)
    meeting, mia = Meeting.objects.filter(pk=willow.willow_meeting.pk), Member.objects.filter(pk=willow.mia.pk)
    group = Group.objects.filter(pk=willow.willow.pk)
    place = Participation.objects.get(meeting=meeting.get(), member=willow.mia)
    places = Participation.objects.filter(pk=place.pk)
    other = make.meeting(willow.cedar, starts_at=willow.willow_meeting.starts_at)

    def swap():
        places.update(rsvp="declined")
        make.participation(other, willow.mia)

    happenings = {
        "another at the same time": swap,
        "both": lambda: places.update(rsvp="going"),
        "the other given back": lambda: services.answer_declined(other, by=willow.mia),
        "an hour sooner": lambda: meeting.update(starts_at=F("starts_at") - timedelta(hours=1)),
        "an hour longer": lambda: meeting.update(ends_at=F("ends_at") + timedelta(hours=1)),
        "counted on": lambda: meeting.update(sequence=F("sequence") + 1),
        "noted when": lambda: meeting.update(changed_at=timezone.now()),
        "off": lambda: services.cancel_meeting(meeting.get(), by=willow.carol, reason=""),
        "on again": lambda: meeting.update(status=Meeting.Status.SCHEDULED),
        "did not meet": lambda: meeting.update(status=Meeting.Status.DID_NOT_MEET),
        "place in line": lambda: places.update(rsvp="waitlisted"),
        "place taken again": lambda: places.update(rsvp="going"),
        "never changed": lambda: meeting.update(changed_at=None),
        "meetings made sooner": lambda: setattr(settings, "WEEKS_AHEAD", 50),
        "another host": lambda: setattr(settings, "SITE_HOST", "other.example"),
        "another sender": lambda: setattr(settings, "DEFAULT_FROM_EMAIL", "Other <other@meet.example>"),
        "another language": lambda: mia.update(language="es"),
        "with names": lambda: name_groups_in_calendar(willow.mia),
        "another name": lambda: group.update(name="Quiet Willow"),
        "another place": lambda: group.update(place="Library"),
        "another address": lambda: group.update(address="1 Main Street"),
        "online": lambda: meeting.update(mode=Group.Mode.ONLINE),
        "without names": lambda: stop_naming_groups_in_calendar(willow.mia),
        "meeting gone": lambda: meeting.delete(),
    }

    assert what_came_of(happenings, url, sign_in(None)) == dict.fromkeys(happenings, (200, True))


def test_whatever_leaves_a_calendar_as_it_is_leaves_its_tag(willow, sign_in):
    url = feed_of(willow.mia)
    meeting = Meeting.objects.filter(pk=willow.willow_meeting.pk)
    group = Group.objects.filter(pk=willow.willow.pk)
    declined = make.meeting(willow.willow, starts_at=timezone.now() + timedelta(days=9))
    make.participation(declined, willow.mia, rsvp="declined")

    happenings = {
        "somebody else comes": lambda: make.participation(meeting.get(), willow.vera),
        "somebody else does not": lambda: services.answer_declined(meeting.get(), by=willow.max),
        "a meeting I do not go to is off": lambda: services.cancel_meeting(declined, by=willow.carol, reason=""),
        "more places": lambda: meeting.update(capacity=99),
        "I was there": lambda: Participation.objects.filter(meeting=meeting.get(), member=willow.mia).update(
            attendance="present", recorded_at=timezone.now()
        ),
        "a group without a name here has another": lambda: group.update(name="Lantern house", place="Library"),
        "another name of mine": lambda: Member.objects.filter(pk=willow.mia.pk).update(display_name="Maria"),
    }

    assert what_came_of(happenings, url, sign_in(None)) == dict.fromkeys(happenings, (304, False))


def test_postgresql_plans_the_question_once_and_not_each_time(willow):
    feed_of(willow.mia)
    token = Member.objects.get(pk=willow.mia.pk).calendar_token

    plans = plans_inside(lambda: find_calendar_feed(token), again=10)

    assert len(plans) == 3  # whose it is, their places, their meetings
    assert [plan for plan in plans if token in plan or str(willow.mia.pk) in plan] == []


def test_meeting_that_is_over_for_long_leaves_the_calendar(willow, sign_in):
    """Nobody changes anything: only time passes."""
    url, client = feed_of(willow.mia), sign_in(None)
    found = []
    for over_for in (timedelta(days=-2), timedelta(days=29), timedelta(days=31)):
        with time_machine.travel(willow.willow_meeting.ends_at + over_for, tick=False):
            answer = client.get(url, headers={"if-none-match": found[-1]["ETag"]} if found else {})
        found.append(answer)

    assert [answer.status_code for answer in found] == [200, 304, 200]
    assert [len(events(found[0])), len(events(found[2]))] == [1, 0]


def test_calendar_of_a_group_changes_its_tag_too(willow, sign_in, settings):
    meeting, group = Meeting.objects.filter(pk=willow.willow_meeting.pk), Group.objects.filter(pk=willow.willow.pk)

    happenings = {
        "an hour sooner": lambda: meeting.update(starts_at=F("starts_at") - timedelta(hours=1)),
        "meetings made sooner": lambda: setattr(settings, "WEEKS_AHEAD", 50),
        "off": lambda: services.cancel_meeting(meeting.get(), by=willow.carol, reason=""),
        "one more": lambda: make.meeting(willow.willow, starts_at=timezone.now() + timedelta(days=9)),
        "another sender": lambda: setattr(settings, "DEFAULT_FROM_EMAIL", "Other <other@meet.example>"),
        "another language": lambda: group.update(language="es"),
    }
    url = reverse("meetings:group_calendar", args=["willow"])

    assert what_came_of(happenings, url, sign_in(None)) == dict.fromkeys(happenings, (200, True))


def test_program_that_goes_by_dates_hears_of_each_change_once(willow, sign_in):
    """It compares to the second, so a change within one is dated the next."""
    url, client = feed_of(willow.mia), sign_in(None)
    heard = []
    for rsvp in ("going", "declined", "going"):
        Participation.objects.filter(member=willow.mia).update(rsvp=rsvp)
        answer = client.get(url, headers={"if-modified-since": heard[-1]} if heard else {})
        again = client.get(url, headers={"if-modified-since": answer["Last-Modified"]})
        assert (answer.status_code, again.status_code) == (200, 304)
        heard.append(answer["Last-Modified"])

    moments = [parsedate_to_datetime(one) for one in heard]
    assert moments == sorted(set(moments))


def test_two_who_ask_at_once_note_one_change(cast):
    """Both find another tag than the one noted; the second does not date the change anew."""
    first = note_calendar_change(cast.mia.pk, "a" * 32)

    assert note_calendar_change(cast.mia.pk, "a" * 32) == first
    assert note_calendar_change(cast.mia.pk, "b" * 32) > first


# --- What an entry says -----------------------------------------------------------------------------------------------


def test_calendar_names_groups_only_for_whoever_agreed(willow, sign_in):
    url, client = feed_of(willow.mia), sign_in(willow.mia)
    page = client.get(reverse("meetings:my_calendar")).content.decode()
    client.post(reverse("meetings:my_calendar"), {"calendar": "names"})
    (named,) = events(sign_in(None).get(url))
    (single,) = events(client.get(reverse("meetings:meeting_calendar", args=[willow.willow_meeting.pk])))
    (of_max,) = events(sign_in(None).get(feed_of(willow.max)))

    consent = Consent.objects.standing().get(member=willow.mia, kind=Consent.Kind.FULL_CALENDAR)
    assert consent.text in unescape(page)
    assert (str(named["SUMMARY"]), str(named["LOCATION"])) == ("Sober Willow", "Community house, 12 Hidden Lane")
    assert [(str(one["SUMMARY"]), "LOCATION" in one) for one in (single, of_max)] == [("Appointment", False)] * 2


@pytest.mark.parametrize("how", ["no names", "off"])
def test_calendar_is_neutral_again_at_once(how, willow, sign_in):
    url, client = feed_of(willow.mia), sign_in(willow.mia)
    name_groups_in_calendar(willow.mia)
    etag = sign_in(None).get(url)["ETag"]
    client.post(reverse("meetings:my_calendar"), {"calendar": how})
    answer = sign_in(None).get(feed_of(willow.mia), headers={"if-none-match": etag})

    assert TELLING.findall(answer.content.decode()) == []
    assert [str(event["SUMMARY"]) for event in events(answer)] == ["Appointment"]


def test_another_name_of_a_group_is_news_only_where_it_is_named(willow, sign_in):
    urls, client = [feed_of(willow.mia), feed_of(willow.max)], sign_in(None)
    name_groups_in_calendar(willow.mia)
    etags = [client.get(url)["ETag"] for url in urls]
    Group.objects.filter(pk=willow.willow.pk).update(name="Lantern house")

    again = [client.get(url, headers={"if-none-match": etag}) for url, etag in zip(urls, etags, strict=True)]

    assert [answer.status_code for answer in again] == [200, 304]


@pytest.mark.parametrize("how_many", [3, 300])
def test_calendar_costs_the_same_however_long_it_is(how_many, willow, sign_in):
    series = willow.willow_meeting.series
    now = timezone.now().replace(microsecond=0)
    made = Meeting.objects.bulk_create(
        Meeting(
            group=willow.willow,
            series=series,
            series_date=(now + timedelta(days=n + 10)).date(),
            starts_at=now + timedelta(days=n + 10),
            ends_at=now + timedelta(days=n + 10, minutes=90),
            local_date=(now + timedelta(days=n + 10)).date(),
            local_time=now.time(),
            time_zone="America/New_York",
            mode="online",
            capacity=9,
        )
        for n in range(how_many)
    )
    Participation.objects.bulk_create(
        Participation(meeting=meeting, member=willow.mia, rsvp="going", rsvp_at=now) for meeting in made
    )
    url, client = feed_of(willow.mia), sign_in(None)

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)

    assert len(events(answer)) == how_many + 1
    assert len(queries) == 4  # whose it is, that it says something new, since when, and what
