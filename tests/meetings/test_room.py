"""The room: what somebody reads while a meeting runs, what it costs, and what nobody learns of the others."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from groups.models import Topic
from meetings import services
from meetings.models import Meeting, MeetingRun, Participation, Turn
from tests import make

NOW = datetime.fromisoformat("2030-05-07T22:30Z")


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def evening(cast, clock):
    """Willow meets now and runs: Mia, Max and Vera have a place, Mia and Max are here, Nora is not expected."""
    topic = Topic.objects.create(name="Quiet evenings", prompts="What helps you rest?\nWho can you call?")
    cast.evening = make.meeting(cast.willow, starts_at=timezone.now(), topic=topic, mode="online")
    for member in (cast.mia, cast.max, cast.vera):
        make.participation(cast.evening, member)
    cast.address = reverse("meetings:meeting_room", args=[cast.evening.pk])
    cast.follow = reverse("meetings:meeting_room_now", args=[cast.evening.pk])
    return cast


@pytest.fixture
def running(evening, tap):
    services.start_run(evening.evening, by=evening.carol)
    for member in (evening.mia, evening.max):
        tap("here", member)
    return evening


@pytest.fixture
def tap(evening):
    def tap(what, whom=None):
        row = whom and Participation.objects.get(meeting=evening.evening, member=whom)
        seen = MeetingRun.objects.get(meeting=evening.evening).version
        assert services.tap_run(evening.evening, what, whom=f"p{row.pk}" if row else "", seen=seen, by=evening.carol)

    return tap


@pytest.fixture
def read(evening, sign_in):
    """What somebody reads in the room, as one line of words."""

    def read(member):
        html = sign_in(member).get(evening.address).content.decode()
        return words(html)

    return read


def words(html: str) -> str:
    main = html.partition("<main")[2].partition("</main>")[0] or html
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def pass_of(page) -> str:
    return re.search(r'data-pass="([^"]+)"', page.content.decode()).group(1)


# --- What one reads ---------------------------------------------------------------------------------------------------


def test_before_the_meeting_runs_it_says_when_it_is(evening, read):
    said = read(evening.mia)

    assert "The meeting has not begun yet" in said
    assert "Tuesday, May 7, 6:30 pm (EDT)" in said
    assert "Raise my hand" not in said


def test_part_topic_and_turn_are_shown(running, read, tap, clock):
    clock.shift(timedelta(minutes=1, seconds=10))
    tap("speak", running.max)
    said = read(running.mia)

    assert "Part 1 of 6 Welcome and ground rules" in said
    assert "4 minutes left" in said
    assert "Somebody is sharing. You are next." in said
    assert "What helps you rest?" in said
    assert "It is your turn." in read(running.max)
    assert "has not marked you as here yet" in read(running.vera)


def test_how_many_are_before_me_is_said_in_words(running, read, tap):
    services.record_attendance(running.evening, running.vera.pk, "present", by=running.carol)
    services.add_anonymous_walk_in(running.evening, by=running.carol)

    assert "You are next." in read(running.mia)
    assert "1 person before you." in read(running.max)
    assert "2 people before you." in read(running.vera)
    tap("come_back", running.mia)
    assert "3 people before you. We come back to you." in read(running.mia)
    tap("speak", running.max)
    assert "You are next." in read(running.vera)


def test_meeting_that_has_ended_says_so(running, read, tap):
    tap("end")

    said = read(running.mia)
    assert "This meeting is over" in said
    assert "Raise my hand" not in said


def test_run_that_nobody_ended_is_over_two_hours_after_the_meeting(running, read, clock):
    clock.shift(timedelta(minutes=90 + 119))
    assert "Raise my hand" in read(running.mia)
    clock.shift(timedelta(minutes=2))
    assert "This meeting is over" in read(running.mia)


def test_cancelled_meeting_says_so(running, read):
    Meeting.objects.filter(pk=running.evening.pk).update(status="cancelled")

    assert "This meeting is cancelled." in read(running.mia)


@pytest.mark.parametrize(("minutes", "shown"), [(-61, False), (-60, True), (90, True), (91, False)])
def test_link_is_shown_by_its_rule(evening, sign_in, clock, minutes, shown):
    clock.shift(timedelta(minutes=minutes))

    html = sign_in(evening.mia).get(evening.address).content.decode()
    assert (evening.willow.link in html) is shown


# --- Nobody learns of the others (OPS-10) -----------------------------------------------------------------------------


def everything_sent(running, sign_in, member) -> str:
    """The page and the part that is followed, whole, as sent."""
    client = sign_in(member)
    page = client.get(running.address)
    followed = Client().get(running.follow, headers={"X-Pass": pass_of(page)})
    assert (page.status_code, followed.status_code) == (200, 200)
    return page.content.decode() + followed.content.decode()


@pytest.mark.parametrize("state", ["nobody", "speaks", "speaks with hand", "done", "hidden again", "ended"])
def test_nobody_reads_the_name_of_another(running, sign_in, tap, state):
    tap("here", running.vera)
    services.raise_hand(running.evening, by=running.max)
    if state != "nobody":
        tap("speak", running.max)
    if state == "speaks with hand":
        services.raise_hand(running.evening, by=running.max)
    if state == "done":
        services.show_name(running.evening, by=running.max)
        tap("done")
    if state == "hidden again":
        services.show_name(running.evening, by=running.max)
        services.hide_name(running.evening, by=running.max)
    if state == "ended":
        services.show_name(running.evening, by=running.max)
        tap("end")
        tap("undo")

    sent = everything_sent(running, sign_in, running.mia)

    for other in (running.max, running.vera, running.carol):
        assert other.display_name not in sent
        assert other.code not in sent
        assert str(other.pk) not in sent


def test_whoever_chose_so_is_named_while_they_share(running, read, tap):
    services.show_name(running.evening, by=running.max)
    tap("speak", running.max)

    assert "Max is sharing." in read(running.mia)


# --- Who may come in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rsvp", "attendance", "status"),
    [
        ("going", None, 200),
        ("declined", None, 403),
        ("waitlisted", None, 403),
        ("offered", None, 403),
        (None, "present", 200),
        (None, "absent", 403),
        ("going", "absent", 200),
    ],
)
def test_room_is_for_those_with_a_place_and_those_who_came(running, sign_in, rsvp, attendance, status):
    make.participation(running.evening, running.rita, rsvp=rsvp, attendance=attendance)

    assert sign_in(running.rita).get(running.address).status_code == status


# --- What one does there ----------------------------------------------------------------------------------------------


def test_hand_goes_up_and_down(running, sign_in):
    mia = sign_in(running.mia)
    up = mia.post(running.address, {"hand": "up"}, follow=True)
    raised_at = Turn.objects.get(participation__member=running.mia).hand_raised_at
    mia.post(running.address, {"hand": "up"})
    again = Turn.objects.get(participation__member=running.mia).hand_raised_at
    down = mia.post(running.address, {"hand": "down"}, follow=True)

    assert "Your hand is up." in up.content.decode()
    assert raised_at == again == NOW
    assert "Raise my hand" in down.content.decode()


def test_milestone_is_told_to_the_counselor_alone_and_ends_with_the_meeting(running, read, sign_in, tap):
    run_page = reverse("meetings:meeting_run", args=[running.evening.pk])
    mia, max_, carol = (sign_in(one) for one in (running.mia, running.max, running.carol))
    assert "milestone: months" not in words(carol.get(run_page).content.decode())

    mia.post(running.address, {"milestone": "months"})

    assert "milestone: months" in words(carol.get(run_page).content.decode())
    assert "The counselor knows: months." in words(mia.get(running.address).content.decode())
    assert "months." not in words(max_.get(running.address).content.decode())

    mia.post(running.address, {"milestone": ""})
    assert "milestone: months" not in words(carol.get(run_page).content.decode())

    mia.post(running.address, {"milestone": "years"})
    tap("end")
    assert not Turn.objects.exclude(milestone="").exists()
    assert services.tell_milestone(running.evening, "days", by=running.max) is False
    assert not Turn.objects.exclude(milestone="").exists()


def test_counselor_who_follows_the_run_learns_of_a_milestone(running, sign_in):
    carol = sign_in(running.carol)
    run_page = reverse("meetings:meeting_run", args=[running.evening.pk])
    tag = carol.get(run_page)["ETag"]
    assert carol.get(run_page, headers={"If-None-Match": tag, "X-Background": "1"}).status_code == 304

    sign_in(running.mia).post(running.address, {"milestone": "other"})

    assert carol.get(run_page, headers={"If-None-Match": tag, "X-Background": "1"}).status_code == 200


def test_hand_goes_down_when_the_turn_comes(running, tap):
    services.raise_hand(running.evening, by=running.mia)
    tap("speak", running.mia)

    assert Turn.objects.get(participation__member=running.mia).hand_raised_at is None


def test_passing_today_takes_one_out_of_the_order_and_can_be_taken_back(running, sign_in):
    mia = sign_in(running.mia)

    passed = words(mia.post(running.address, {"today": "pass"}, follow=True).content.decode())
    back = words(mia.post(running.address, {"today": "share"}, follow=True).content.decode())

    assert "You are not asked today. Just listen." in passed
    assert "You are next." in back


def test_whoever_shares_now_cannot_leave_the_order_by_themselves(running, tap):
    tap("speak", running.mia)

    assert not services.pass_today(running.evening, by=running.mia)
    assert Turn.objects.get(participation__member=running.mia).state == "speaking"


def test_what_members_do_makes_no_tap_of_a_counselor_stale(running):
    seen = MeetingRun.objects.get().version
    services.raise_hand(running.evening, by=running.mia)
    services.pass_today(running.evening, by=running.max)
    services.show_name(running.evening, by=running.vera)

    assert services.tap_run(running.evening, "next_part", seen=seen, by=running.carol)


@pytest.mark.parametrize("act", ["raise_hand", "lower_hand", "pass_today", "share_after_all", "show_name", "hide_name"])
@pytest.mark.parametrize("who", ["nora", "carol"])
def test_whoever_has_no_place_changes_nothing(running, act, who):
    before = list(Turn.objects.order_by("pk").values())

    assert not getattr(services, act)(running.evening, by=getattr(running, who))
    assert list(Turn.objects.order_by("pk").values()) == before


def test_before_and_after_the_meeting_nothing_is_taken_and_it_says_so(evening, sign_in):
    mia = sign_in(evening.mia)

    page = mia.post(evening.address, {"hand": "up"}, follow=True).content.decode()

    assert "The meeting is not running now, so nothing was changed." in page
    assert not Turn.objects.exists()


@pytest.mark.parametrize("data", [{}, {"hand": "both"}, {"name": "Max"}])
def test_unknown_button_is_refused(running, sign_in, data):
    assert sign_in(running.mia).post(running.address, data).status_code == 400


# --- Following --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how_many", [3, 60])
def test_following_costs_one_question_and_the_page_two(running, sign_in, how_many):
    for member in make.members(how_many):
        make.participation(running.evening, member, rsvp=None, attendance="present")
    mia = sign_in(running.mia)
    make.device(running.mia, mia)
    mia.get(running.address)

    with CaptureQueriesContext(connection) as of_page:
        page = mia.get(running.address)
    with CaptureQueriesContext(connection) as of_same_page:
        same_page = mia.get(running.address, headers={"If-None-Match": page["ETag"]})
    with CaptureQueriesContext(connection) as of_follow:
        followed = Client().get(running.follow, headers={"X-Pass": pass_of(page)})
    with CaptureQueriesContext(connection) as unchanged:
        again = Client().get(running.follow, headers={"X-Pass": pass_of(page), "If-None-Match": followed["ETag"]})

    assert (len(of_page), len(of_same_page)) == (2, 2)  # session with its member, and the room
    assert (len(of_follow), len(unchanged)) == (1, 1)
    assert (followed.status_code, again.status_code, again.content) == (200, 304, b"")
    assert (same_page.status_code, same_page.content) == (304, b"")


def test_pass_finds_its_session_by_an_index_however_many_are_signed_in(running, sign_in):
    Session.objects.bulk_create(
        Session(session_key=f"of-somebody-{n}", session_data="x", expire_date=NOW + timedelta(days=1))
        for n in range(3000)
    )
    page = sign_in(running.mia).get(running.address)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE django_session")
        with CaptureQueriesContext(connection) as asked:
            Client().get(running.follow, headers={"X-Pass": pass_of(page)})
        cursor.execute("EXPLAIN " + asked[0]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "session_by_hash" in plan
    assert "Seq Scan on django_session" not in plan


def test_nothing_new_is_304_and_what_is_news_to_me_is_not(running, sign_in, tap, clock):
    services.record_attendance(running.evening, running.vera.pk, "present", by=running.carol)
    page = sign_in(running.mia).get(running.address)
    client, headers = Client(), {"X-Pass": pass_of(page)}

    def status():
        answer = client.get(running.follow, headers=headers)
        headers["If-None-Match"] = answer["ETag"]
        return answer.status_code

    assert status() == 200
    assert status() == 304
    clock.shift(timedelta(seconds=90))  # the clock goes by itself
    assert status() == 304
    services.raise_hand(running.evening, by=running.vera)  # nothing that Mia would read
    services.pass_today(running.evening, by=running.vera)
    assert status() == 304
    for tapped in (
        ("next_part",),
        ("speak", running.max),
        ("minute",),
        ("pause",),
        ("done",),
        ("come_back", running.mia),
    ):
        tap(*tapped)
        assert (tapped, status(), status()) == (tapped, 304 if tapped == ("minute",) else 200, 304)


def test_whole_page_is_304_too_until_its_minute_is_another(running, sign_in, clock):
    mia = sign_in(running.mia)
    tag = mia.get(running.address)["ETag"]
    same = mia.get(running.address, headers={"If-None-Match": tag})
    clock.shift(timedelta(seconds=60))

    assert same.status_code == 304
    assert mia.get(running.address, headers={"If-None-Match": tag}).status_code == 200


def test_part_that_is_followed_speaks_the_language_of_its_page(running, sign_in):
    mia = sign_in(running.mia)
    english = Client().get(running.follow, headers={"X-Pass": pass_of(mia.get(running.address))})
    mia.cookies[settings.LANGUAGE_COOKIE_NAME] = "es"
    spanish = Client().get(running.follow, headers={"X-Pass": pass_of(mia.get(running.address))})

    assert "Topic: Quiet evenings" in english.content.decode()
    assert "Tema: Quiet evenings" in spanish.content.decode()
    assert english["ETag"] != spanish["ETag"]


@pytest.mark.parametrize(
    "lost", ["signed out", "everywhere", "closed", "password", "place", "time", "other meeting", "forged", "none"]
)
def test_pass_opens_nothing_once_its_owner_may_not(running, sign_in, clock, lost):
    mia = sign_in(running.mia)
    token, address = pass_of(mia.get(running.address)), running.follow
    assert Client().get(address, headers={"X-Pass": token}).status_code == 200

    match lost:
        case "signed out":
            mia.logout()
        case "everywhere":
            mia.post(reverse("members:sign_out_everywhere"))
            sign_in(running.mia).get(running.address)  # another session of hers is no help
        case "closed":
            running.mia.is_active = False
            running.mia.save()
        case "password":
            running.mia.set_password("another long and quiet river")
            running.mia.save()
        case "place":
            Participation.objects.filter(member=running.mia).update(rsvp="declined", attendance=None)
        case "time":
            clock.shift(settings.MEMBER_IDLE + timedelta(seconds=1))
        case "other meeting":
            other = make.meeting(running.willow, starts_at=NOW + timedelta(hours=3))
            make.participation(other, running.mia)
            address = reverse("meetings:meeting_room_now", args=[other.pk])
        case "forged":
            token = token[:-1] + ("A" if token[-1] != "A" else "B")
        case "none":
            token = ""

    answer = Client().get(address, headers={"X-Pass": token})
    assert (answer.status_code, "Raise my hand" in answer.content.decode()) == (403, False)


def test_following_keeps_no_session_alive(running, sign_in):
    mia = sign_in(running.mia)
    token = pass_of(mia.get(running.address))

    answer = Client().get(running.follow, headers={"X-Pass": token})

    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]


def test_counselor_looks_in_without_a_seat(running, sign_in):
    sent = everything_sent(running, sign_in, running.carol)

    assert "Welcome and ground rules" in sent
    assert "Raise my hand" not in sent
