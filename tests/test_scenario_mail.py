"""What becomes of a mail, with the whole site running: a scanner opens its links, a person answers from it, a mail
program unsubscribes with one click, and what changes afterwards reaches mails and calendars alike."""

import re
from datetime import timedelta
from http.client import HTTPResponse
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from django.db import connection
from django.utils import timezone
from icalendar import Calendar

from meetings import services
from meetings.models import Meeting, MeetingSeries, Participation
from members.models import Consent, Member
from members.services import open_calendar
from outbox.models import Email
from tests import make
from tests.site import Mail, Site, running_site, wait_until
from tests.test_walk import zone_where_it_is_day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSING = {"cache", "django_session"}  # tables that keep nothing of anybody


@pytest.fixture
def willow(transactional_db):
    """A group that meets in a day and a half, and a week later. Mia has the only place of each, and Max waits."""
    group = make.group(name="Willow evening", time_zone=zone_where_it_is_day().key, capacity=1)
    first = make.meeting(group, starts_at=(timezone.now() + timedelta(hours=36)).replace(second=0))
    later = make.meeting(group, starts_at=first.starts_at + timedelta(weeks=1), series=first.series)
    for name in ("Mia", "Max"):
        member = make.member(name, email=f"{name.lower()}@example.org", reminders=True)
        make.membership(group, member)
        make.participation(first, member, "going" if name == "Mia" else "waitlisted")
    make.participation(later, Member.objects.get(email="mia@example.org"))
    return first, later


@pytest.fixture
def site(tmp_path, willow):
    with running_site(tmp_path) as site:
        yield site


class _StayHere(HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def ask(method: str, url: str, body: bytes | None = None) -> HTTPResponse | HTTPError:
    """As a machine: no cookie, no form, no redirect followed."""
    try:
        return build_opener(_StayHere).open(Request(url, data=body, method=method), timeout=10)
    except HTTPError as answer:
        return answer


def everything() -> dict[str, tuple]:
    """How many rows each table has, and a fingerprint of them."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - PASSING):
            cursor.execute(f'SELECT count(*), bit_xor(hashtextextended(t::text, 0)) FROM "{table}" AS t')
            found[table] = cursor.fetchone()
    return found


def test_a_mail_is_scanned_then_answered_and_the_next_in_line_hears(site: Site, willow, browser):
    first, _later = willow
    reminder = site.wait_for_mail("mia@example.org", "Reminder")
    wait_until(lambda: not _unsent("mia@example.org"))
    before = everything()

    for link in sorted(reminder.links) * 2:
        assert [ask(method, link).status for method in ("GET", "HEAD")] in ([200, 200], [302, 302]), link
    assert everything() == before

    phone = browser.new_context(viewport={"width": 320, "height": 568}, java_script_enabled=False).new_page()
    phone.goto(reminder.answer_link)
    assert not re.search("Willow|Mia|recover|support", phone.content())
    phone.get_by_role("button", name="I can’t make it").click()
    phone.get_by_text("free for someone else").wait_for()
    offer = site.wait_for_mail("max@example.org", "A place for you")

    rsvps = dict(Participation.objects.filter(meeting=first).values_list("member__display_name", "rsvp"))
    assert rsvps == {"Mia": "declined", "Max": "offered"}
    assert not re.search("Willow|Mia|Max", f"{offer.subject} {offer.text}")
    assert [len(site.mails_to(f"{name}@example.org")) for name in ("mia", "max")] == [1, 1]


def test_one_click_of_a_mail_program_stops_reminders_and_nothing_else(site: Site, willow):
    first, _later = willow
    reminder = site.wait_for_mail("mia@example.org", "Reminder")
    mia = Member.objects.get(email="mia@example.org")

    for _again in range(2):
        answer = ask("POST", reminder.one_click, b"List-Unsubscribe=One-Click")
        assert (answer.status, answer.headers.get("Location")) == (200, None)
    unknown = ask("POST", reminder.one_click[:-4] + "abc/", b"List-Unsubscribe=One-Click")

    assert (unknown.status, b"It is done" in unknown.read()) == (200, True)
    assert not Consent.objects.standing().filter(member=mia, kind=Consent.Kind.REMINDERS).exists()
    assert Participation.objects.get(meeting=first, member=mia).rsvp == "going"
    assert Member.objects.get(pk=mia.pk).is_active


def test_a_date_that_moves_and_is_cancelled_reaches_mail_and_calendar(site: Site, willow):
    first, later = willow
    mia = Member.objects.get(email="mia@example.org")
    open_calendar(mia)
    mia.refresh_from_db()
    feed = f"{site.url}/my/calendar/{mia.calendar_token}.ics"
    site.wait_for_mail("mia@example.org", "Reminder")
    planned = _entries(ask("GET", feed))

    start = (first.local_start + timedelta(minutes=30)).time()
    MeetingSeries.objects.filter(pk=first.series_id).update(start_time=start)
    services.follow_series(first.series, by=None)
    moved_mails = [_wait_for(site, "mia@example.org", "Changed", 2)]
    moved = _entries(ask("GET", feed))
    services.cancel_meeting(Meeting.objects.get(pk=later.pk), by=None, reason="Flood")
    cancelled_mail = site.wait_for_mail("mia@example.org", "Cancelled")
    cancelled = _entries(ask("GET", feed))
    single = Calendar.from_ical(ask("GET", f"{site.url}/meetings/{later.pk}/calendar.ics").read())

    half_an_hour = timedelta(minutes=30)
    assert [uid for uid, *_rest in planned] == [uid for uid, *_rest in moved] == [uid for uid, *_rest in cancelled]
    assert [start for _uid, start, *_rest in moved] == [start + half_an_hour for _uid, start, *_rest in planned]
    assert [rest for _uid, _start, *rest in planned] == [[0, "CONFIRMED"]] * 2
    assert [rest for _uid, _start, *rest in moved] == [[1, "CONFIRMED"]] * 2
    assert [rest for _uid, _start, *rest in cancelled] == [[1, "CONFIRMED"], [2, "CANCELLED"]]
    assert (str(single["METHOD"]), str(single.events[0]["UID"])) == ("CANCEL", cancelled[1][0])
    assert len(moved_mails[0]) == 2
    assert "Flood" not in cancelled_mail.text


def _unsent(address: str) -> bool:
    return Email.objects.filter(recipient__email=address).exclude(state="sent").exists()


def _wait_for(site: Site, address: str, subject: str, how_many: int) -> list[Mail]:
    def found() -> list[Mail]:
        return [mail for mail in site.mails_to(address) if subject in mail.subject]

    wait_until(lambda: len(found()) == how_many)
    return found()


def _entries(answer: HTTPResponse | HTTPError) -> list[tuple]:
    events = Calendar.from_ical(answer.read()).events
    return [(str(one["UID"]), one.start, int(one["SEQUENCE"]), str(one["STATUS"])) for one in events]
