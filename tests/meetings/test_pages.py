import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from groups.models import Group
from meetings import services, wording
from meetings.access import answer_token
from meetings.models import Participation
from tests import make


def names_found(client, **filters):
    page = client.get(reverse("meetings:meeting_list"), filters)
    return sorted({card.name for cards in page.context["days"].values() for card in cards})


@pytest.fixture
def town(db):
    monday = timezone.now() + timedelta(days=7 - timezone.now().weekday(), hours=0)
    at = monday.replace(hour=16, minute=0)  # noon in New York, give or take the hour of the clock change
    make.meeting(
        make.group(name="Garden", kind=Group.Kind.SKILLS, area="North side", is_wheelchair_accessible=True),
        starts_at=at,
    )
    harbor = make.meeting(
        make.group(
            name="Harbor",
            kind=Group.Kind.INFORMAL,
            mode=Group.Mode.ONLINE,
            language="es",
            description="Cerca del jardín",
        ),
        starts_at=at + timedelta(days=1, hours=7),
        capacity=1,
    )
    make.participation(harbor, make.member())
    make.meeting(
        make.group(name="Lantern", mode=Group.Mode.HYBRID, audience=Group.Audience.WOMEN),
        starts_at=at + timedelta(days=1),
    )
    make.meeting(make.group(name="Quiet", is_listed=False), starts_at=at)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["Garden", "Harbor", "Lantern"]),
        ({"day": "0"}, ["Garden"]),
        ({"kind": "skills"}, ["Garden"]),
        ({"mode": "online"}, ["Harbor", "Lantern"]),
        ({"mode": "in-person"}, ["Garden", "Lantern"]),
        ({"language": "es"}, ["Harbor"]),
        ({"time": "evening"}, ["Harbor"]),
        ({"q": "north gar"}, ["Garden"]),
        ({"q": "Quiet"}, []),
        ({"day": "0", "kind": "informal"}, []),
        ({"day": "someday", "kind": "x"}, ["Garden", "Harbor", "Lantern"]),
        ({"audience": "women"}, ["Lantern"]),
        ({"access": "1"}, ["Garden"]),
        ({"places": "1"}, ["Garden", "Lantern"]),
        ({"q": "gardn"}, ["Garden"]),
        ({"q": "lantren"}, ["Lantern"]),
        ({"q": "jardín"}, ["Harbor"]),
        ({"q": "JARDIN"}, ["Harbor"]),
        ({"q": "Hidden Lane"}, []),
        ({"q": "Community house"}, []),
        ({"q": "' & | ! :*"}, ["Garden", "Harbor", "Lantern"]),
    ],
)
def test_filters_find_what_fits(client, town, filters, expected):
    assert names_found(client, **filters) == expected


def test_empty_result_says_what_to_do(client, town):
    page = client.get(reverse("meetings:meeting_list"), {"q": "nothing like it"}).content.decode()

    assert "Show all meetings" in page


def test_a_choice_that_is_none_is_left_out_and_said(client, town):
    page = client.get(reverse("meetings:meeting_list"), {"day": "someday"})

    assert page.status_code == 200
    assert "We did not understand a choice, and left it out: Day." in page.content.decode()


@pytest.mark.parametrize("number", ["2", "999", "99999999999999999999", "0", "-1", "x"])
def test_a_page_that_is_not_there_says_so(client, town, number):
    page = client.get(reverse("meetings:meeting_list"), {"page": number, "mode": "in-person"})

    assert page.status_code == 404
    assert "There is no such page of meetings." in page.content.decode()
    assert 'href="?mode=in-person"' in page.content.decode()


def test_nothing_found_offers_what_is_close(client, town):
    page = client.get(reverse("meetings:meeting_list"), {"day": "0", "kind": "informal"})

    found = [(one["without"], one["card"].name) for one in page.context["alternatives"]]
    assert found == [("Monday", "Harbor"), ("informal", "Garden")] or found == [
        ("informal", "Garden"),
        ("Monday", "Harbor"),
    ]


def test_a_group_is_listed_once_with_its_pattern_and_further_dates(client, db):
    group = make.group(name="Garden")
    series = make.series(group, weekdays=[1], start_time="18:30")
    soon = timezone.now() + timedelta(days=1)
    meetings = [make.meeting(group, series=series, starts_at=soon + timedelta(weeks=n)) for n in range(4)]

    page = client.get(reverse("meetings:meeting_list"))

    (card,) = [card for cards in page.context["days"].values() for card in cards]
    assert card.starts_at == soon.replace(microsecond=0)
    further = page.content.decode().split('class="further"')[1].split("</p>")[0]
    assert re.findall('href="([^"]+)"', further) == [meetings[n].get_absolute_url() for n in (1, 2)]
    assert "Every Tuesday, 6:30 pm" in page.content.decode()


def test_what_is_happening_now_comes_first(client, town):
    make.meeting(make.group(name="Evening"), starts_at=timezone.now() - timedelta(minutes=20))
    make.meeting(make.group(name="Hidden", is_listed=False), starts_at=timezone.now() - timedelta(minutes=20))
    make.meeting(make.group(name="Over"), starts_at=timezone.now() - timedelta(hours=2), minutes=60)

    for address in (reverse("meetings:meeting_list"), reverse("home")):
        page = client.get(address)
        assert [card.name for card in page.context["now"]] == ["Evening"]
        assert "Happening now" in page.content.decode()


def test_times_are_shown_in_the_visitors_zone_too(client, db, settings):
    make.meeting(make.group(time_zone="America/New_York"), starts_at=timezone.now() + timedelta(days=1))
    here = client.get(reverse("meetings:meeting_list")).content.decode()
    client.cookies[settings.ZONE_COOKIE_NAME] = "America/New_York"
    same = client.get(reverse("meetings:meeting_list")).content.decode()
    client.cookies[settings.ZONE_COOKIE_NAME] = "Asia/Tokyo"
    away = client.get(reverse("meetings:meeting_list")).content.decode()

    assert "for you" not in here + same
    assert "(JST) for you" in away


def test_the_week_is_a_table(client, cast):
    page = client.get(reverse("meetings:meeting_list"), {"view": "week"})

    assert [name for _time, cells in page.context["rows"] for cell in cells for name in map(str, cell)] == [
        str(cast.willow_meeting)
    ]
    assert "Cedar morning" not in page.content.decode()
    assert page.content.decode().count('scope="col"') == 7


@pytest.mark.parametrize(
    ("group_meets", "date_meets", "shown"),
    [
        ("hybrid", "hybrid", True),
        ("hybrid", "online", False),
        ("in-person", "online", False),
        ("in-person", "in-person", True),
        ("online", "online", True),
    ],
)
def test_nobody_is_told_the_way_in_for_a_date_that_is_online_only(cast, sign_in, group_meets, date_meets, shown):
    Group.objects.filter(pk=cast.willow.pk).update(mode=group_meets, place_notes="Ring at the side door.")
    meeting = make.meeting(cast.willow, mode=date_meets, starts_at=timezone.now() + timedelta(days=3))
    make.participation(meeting, cast.mia)

    page = sign_in(cast.mia).get(meeting.get_absolute_url()).content.decode()

    assert ("Ring at the side door." in page) == shown
    assert ("12 Hidden Lane" in page) == (date_meets != "online")


@pytest.mark.parametrize("zone", ["", "America/New_York", "Europe/Madrid"])
def test_the_week_begins_with_the_meetings_of_tonight_whatever_day_it_is_elsewhere(client, db, zone, time_machine):
    time_machine.move_to("2030-06-11T02:00Z")  # Monday evening in California
    group = make.group(name="Tonight", time_zone="America/Los_Angeles")
    for hours in (1, 24 * 6 + 1, 24 * 7 + 1):  # tonight, Sunday, and a week later
        make.meeting(group, starts_at=timezone.now() + timedelta(hours=hours))
    client.cookies[settings.ZONE_COOKIE_NAME] = zone

    page = client.get(reverse("meetings:meeting_list"), {"view": "week"})

    [(_time, cells)] = page.context["rows"]
    assert [[f"{meeting.local_date:%a}" for meeting in cell] for cell in cells] == [["Mon"], *[[]] * 5, ["Sun"]]
    assert [f"{date:%a}" for date in page.context["dates"]] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


@pytest.mark.parametrize("how_many", [3, 300])
def test_week_costs_the_same_whatever_there_is(client, db, how_many):
    for n in range(how_many):
        make.meeting(make.group(), starts_at=timezone.now() + timedelta(days=1, minutes=n))

    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("meetings:meeting_list"), {"view": "week"})

    assert len(queries) == 3


@pytest.mark.parametrize("how_many", [3, 300])
def test_list_costs_the_same_whatever_there_is(client, db, how_many):
    for n in range(how_many):
        make.meeting(make.group(), starts_at=timezone.now() + timedelta(days=1, minutes=n))

    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("meetings:meeting_list"))

    assert len(queries) == 2


def test_answering_from_the_page_and_undoing_it(cast, sign_in):
    client = sign_in(cast.mia)
    url = reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk])

    going = client.post(url, {"answer": "going"}, follow=True).content.decode()
    declined = client.post(url, {"answer": "declined"}, follow=True).content.decode()

    assert "You have a place." in going
    assert "Your place is free for someone else" in declined
    assert Participation.objects.get(member=cast.mia).rsvp == "declined"


def test_visitor_is_asked_to_sign_up_and_comes_back_to_the_meeting(client, cast):
    page = client.get(cast.willow_meeting.get_absolute_url()).content.decode()

    assert f"{reverse('account_signup')}?next={cast.willow_meeting.get_absolute_url()}" in page


def test_nobody_sees_who_else_comes(cast, sign_in):
    make.participation(cast.willow_meeting, cast.max)

    for address in (cast.willow_meeting.get_absolute_url(), cast.willow.get_absolute_url(), reverse("my_week")):
        page = sign_in(cast.mia).get(address).content.decode()
        assert "Max" not in page
        assert cast.max.code not in page


def test_waiting_list_shows_only_ones_own_place_in_line(cast, sign_in):
    cast.willow_meeting.capacity = 1
    cast.willow_meeting.save()
    make.participation(cast.willow_meeting, cast.max)
    client = sign_in(cast.mia)

    page = client.post(
        reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": "going"}, follow=True
    ).content.decode()

    assert "You are number 1 on the waiting list" in page


def test_giving_up_a_place_in_line_promises_nobody_a_place(cast, sign_in):
    make.participation(cast.willow_meeting, cast.mia, rsvp="waitlisted")
    url = reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk])

    page = sign_in(cast.mia).post(url, {"answer": "declined"}, follow=True).content.decode()

    assert "Thank you for telling us." in page
    assert "free for someone else" not in page


def test_link_is_shown_from_an_hour_before_to_those_with_a_place(cast, sign_in):
    online = make.group(mode=Group.Mode.ONLINE)
    make.membership(online, cast.mia)
    soon = make.meeting(online, starts_at=timezone.now() + timedelta(minutes=50))
    later = make.meeting(online, starts_at=timezone.now() + timedelta(minutes=90))
    for meeting in (soon, later):
        make.participation(meeting, cast.mia)

    client = sign_in(cast.mia)

    assert "hidden-room" in client.get(soon.get_absolute_url()).content.decode()
    assert "hidden-room" not in client.get(later.get_absolute_url()).content.decode()


def test_pages_load_nothing_from_elsewhere_and_say_so(cast, sign_in, settings):
    for address in (reverse("home"), reverse("meetings:meeting_list"), cast.willow_meeting.get_absolute_url()):
        response = sign_in(cast.mia).get(address)
        assert "default-src 'self'" in response["Content-Security-Policy"].split("; ")
        assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
        page = response.content.decode()
        assert 'src="http' not in page
        assert 'rel="stylesheet" href="/static/' in page


def test_titles_tell_nothing(cast, sign_in):
    for address in (cast.willow_meeting.get_absolute_url(), cast.willow.get_absolute_url()):
        page = sign_in(None).get(address).content.decode()
        title = page.split("<title>")[1].split("</title>")[0]
        assert "Willow" not in title


@pytest.mark.parametrize("answer", ["", "perhaps"])
def test_answer_that_is_none_changes_nothing(cast, sign_in, answer):
    make.participation(cast.willow_meeting, cast.mia)
    token = answer_token(cast.willow_meeting.pk, cast.mia.pk)

    from_page = sign_in(cast.mia).post(
        reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": answer}
    )
    from_mail = sign_in(None).post(reverse("meetings:answer_from_mail", args=[token]), {"answer": answer})

    assert (from_page.status_code, from_mail.status_code) == (400, 400)
    assert "nothing was changed" in from_page.content.decode()
    assert Participation.objects.get(member=cast.mia).rsvp == "going"


def test_stranger_to_the_group_declines_nothing(cast, sign_in):
    sign_in(cast.vera).post(reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": "declined"})

    assert not Participation.objects.filter(member=cast.vera).exists()


def test_address_is_no_longer_shown_when_the_meeting_is_over(cast, sign_in):
    over = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(days=30), status="held")
    make.participation(over, cast.mia)

    assert "12 Hidden Lane" not in sign_in(cast.mia).get(over.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("America/Los_Angeles", "Los Angeles time"),
        ("America/Indiana/Knox", "Knox time"),
        ("UTC", "UTC"),
        ("Etc/UTC", "Etc/UTC"),
    ],
)
def test_zone_is_named_by_its_place(zone, name):
    assert wording.zone_name(zone) == name


def test_group_shows_its_dates_once_each_and_what_i_answered(client, cast, sign_in):
    make.participation(cast.willow_meeting, cast.mia)
    off = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9))
    services.cancel_meeting(off, by=cast.carol, reason="")

    page = sign_in(cast.mia).get(cast.willow.get_absolute_url()).content.decode()
    dates = page.split('<ul class="card dates">')[1].split("</ul>")[0]

    assert [dates.count(words) for words in ("You have a place.", "Cancelled", "places left")] == [1, 1, 0]
