"""The feed for other sites: what is in it, what never is, and that we can read it ourselves."""

import json
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from groups.models import Group
from meetings import feed
from meetings.models import MeetingSeries, Suspension
from meetings.public_feed import AUDIENCE_TYPES, LANGUAGE_TYPES, Weekly, rows, types
from members.models import Consent
from members.services import give_consent
from tests import make


@pytest.fixture
def site(settings):
    settings.SITE_URL, settings.SITE_NAME = "https://meet.example", "Meetings"
    settings.CENTRE_AREA = "Springfield, IL, USA"
    settings.CENTRE_EMAIL = settings.CENTRE_PHONE = ""
    return settings


def read(client, **headers):
    answer = client.get(reverse("meetings:public_feed"), headers=headers)
    assert answer.status_code == 200
    return json.loads(answer.content)


def weekly(**fields):
    usual = {
        "id": 7,
        "slug": "willow",
        "name": "Willow",
        "weekdays": (1,),
        "start_time": time(18, 30),
        "minutes": 90,
        "time_zone": "America/Chicago",
        "mode": "in-person",
        "audience": "in-recovery",
        "language": "en",
        "is_cross_talk_welcome": False,
        "gives_attendance_letters": False,
        "is_wheelchair_accessible": False,
        "area": "Riverside",
        "description": "",
        "closure": "",
        "place": "",
        "address": "",
        "url": "https://meet.example/groups/willow/",
        "updated_at": datetime(2026, 11, 1, 12, 30, 5, tzinfo=UTC),
    }
    return Weekly(**(usual | fields))


def row_of(**fields):
    (row,) = rows([weekly(**fields)], around="Springfield, IL, USA", entity={})
    return row


def test_row_is_what_other_sites_expect(client, db, site):
    group = make.group(
        name="Willow", slug="willow", mode="hybrid", time_zone="America/Chicago", description="We listen."
    )
    Group.objects.filter(pk=group.pk).update(created_at=datetime(2026, 11, 1, 12, 30, 5, tzinfo=UTC))
    make.series(group, weekdays=[6], start_time="23:00", minutes=90)

    assert read(client) == [
        {
            "slug": "willow-sun",
            "day": 0,
            "name": "Willow",
            "time": "23:00",
            "end_time": "00:30",
            "timezone": "America/Chicago",
            "formatted_address": "Riverside, Springfield, IL, USA",
            "approximate": "yes",
            "types": ["C", "EN"],
            "url": "https://meet.example/groups/willow/",
            "updated": "2026-11-01 12:30:05",
            "regions": ["Riverside"],
            "notes": "We listen.",
            "conference_url": "https://meet.example/groups/willow/",
            "entity": "Meetings",
            "entity_url": "https://meet.example",
            "entity_website_url": "https://meet.example",
        }
    ]


def test_each_weekday_is_a_row_of_its_own():
    made = rows([weekly(weekdays=(0, 2, 6)), weekly(id=8, weekdays=(0,))], around="", entity={})

    assert [(row["slug"], row["day"]) for row in made] == [
        ("willow-mon", 1),
        ("willow-wed", 3),
        ("willow-sun", 0),
        ("willow-8-mon", 1),
    ]


def test_slugs_are_short_and_each_is_there_once():
    long = [weekly(id=n, slug="w" * 64, weekdays=(0, 1)) for n in range(3)]
    tricky = [weekly(id=3, slug="a-4"), weekly(id=4, slug="a"), weekly(id=4, slug="a")]
    slugs = [row["slug"] for row in rows(long + tricky, around="", entity={})]

    assert len(set(slugs)) == len(slugs) == 9
    assert max(map(len, slugs)) == 64


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        *(({"audience": audience}, [*codes, "EN"]) for audience, codes in AUDIENCE_TYPES.items()),
        ({"language": "es"}, ["C", "S"]),
        ({"is_cross_talk_welcome": True, "gives_attendance_letters": True}, ["C", "EN", "XT", "POA"]),
        ({"is_wheelchair_accessible": True}, ["C", "EN", "X"]),
        ({"is_wheelchair_accessible": True, "mode": "online"}, ["C", "EN"]),
        ({"closure": "all"}, ["C", "EN", "TC"]),
        ({"closure": "place", "mode": "hybrid"}, ["C", "EN", "TC"]),
    ],
)
def test_types_say_whom_a_group_is_for(fields, expected):
    assert types(weekly(**fields)) == expected


def test_every_audience_and_language_has_its_codes():
    codes = {code for some in AUDIENCE_TYPES.values() for code in some} | set(LANGUAGE_TYPES.values())

    assert set(AUDIENCE_TYPES) == set(Group.Audience.values)
    assert codes <= feed.TYPE_CODES


@pytest.mark.parametrize(
    ("mode", "closure", "online"),
    [
        ("in-person", "", False),
        ("online", "", True),
        ("hybrid", "", True),
        ("hybrid", "place", True),
        ("hybrid", "all", False),
    ],
)
def test_online_groups_point_to_our_page(mode, closure, online):
    row = row_of(mode=mode, closure=closure)

    assert row.get("conference_url") == ("https://meet.example/groups/willow/" if online else None)


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        ("Riverside", "Riverside, Springfield, IL, USA"),
        ("", "Springfield, IL, USA"),
        ("North side, Springfield", "North side, Springfield, IL, USA"),
    ],
)
def test_address_is_rough_and_has_its_parts(area, expected):
    assert row_of(area=area)["formatted_address"] == expected


def test_only_groups_that_meet_every_week_now_are_in_the_feed(client, db, site):
    today = timezone.now().date()
    for name, rule in {
        "every-week": {},
        "every-two": {"every_n_weeks": 2},
        "first-of-month": {"nth_of_month": 1},
        "over": {"until_on": today - timedelta(days=3)},
        "later": {"from_on": today + timedelta(days=3)},
        "nowhere": {"time_zone": "Mars/Olympus"},
    }.items():
        make.series(make.group(slug=name), weekdays=[1], **rule)
    make.series(make.group(slug="hidden", is_listed=False), weekdays=[1])

    assert [row["slug"] for row in read(client)] == ["every-week-tue"]


def test_group_that_rests_is_marked_or_left_out(client, db, site):
    today = timezone.now().date() - timedelta(days=1)
    for mode in ("in-person", "online", "hybrid"):
        series = make.series(make.group(slug=mode, mode=mode), weekdays=[1])
        Suspension.objects.create(series=series, from_on=today, reason="Flood at 12 Hidden Lane")
    ended = make.series(make.group(slug="ended"), weekdays=[1])
    Suspension.objects.create(series=ended, from_on=today - timedelta(days=9), until_on=today - timedelta(days=2))

    made = {row["slug"]: (row["types"], "conference_url" in row) for row in read(client)}
    assert made == {
        "in-person-tue": (["C", "EN", "TC"], False),
        "hybrid-tue": (["C", "EN", "TC"], False),
        "ended-tue": (["C", "EN"], False),
    }


def test_feed_tells_nothing_that_only_people_with_a_place_know(client, cast, site):
    Group.objects.filter(pk=cast.willow.pk).update(mode="hybrid", place_notes="Ring at Olsen", place="Treatment house")
    give_consent(cast.mia, Consent.Kind.REMINDERS)
    make.participation(cast.willow_meeting, cast.mia)

    text = client.get(reverse("meetings:public_feed")).content.decode()
    pages = [client.get(reverse(f"meetings:{name}")).content.decode() for name in ("sitemap", "robots")]

    assert "Willow evening" in text
    for secret in ("Hidden Lane", "hidden-room", "Treatment house", "Olsen", "Mia", "Max", "Carol", "Cedar", "cedar"):
        assert secret not in "".join([text, *pages])
    assert cast.mia.code not in text


def test_group_that_shows_its_address_is_a_place_one_can_go_to(client, db, site):
    make.series(make.group(slug="open", is_address_public=True, time_zone="America/Chicago"), weekdays=[1])
    make.series(make.group(slug="online", is_address_public=True, mode="online"), weekdays=[1])

    rows = {row["slug"]: row for row in read(client)}

    place = {name: rows["open-tue"][name] for name in ("formatted_address", "approximate", "location", "regions")}
    assert place == {
        "formatted_address": "12 Hidden Lane, Riverside, Springfield, IL, USA",
        "approximate": "no",
        "location": "Community house",
        "regions": ["Riverside"],
    }
    assert "Hidden Lane" not in json.dumps(rows["online-tue"])
    assert "hidden-room" not in json.dumps(rows)


def test_feed_is_another_once_an_address_is_shown(client, db, site):
    group = make.group()
    make.series(group)
    before = client.get(reverse("meetings:public_feed"))["ETag"]

    Group.objects.filter(pk=group.pk).update(is_address_public=True)

    assert client.get(reverse("meetings:public_feed"))["ETag"] != before


def test_empty_feed_is_an_empty_list(client, db, site):
    answer = client.get(reverse("meetings:public_feed"))

    assert (answer.content, answer["Content-Type"]) == (b"[]", "application/json; charset=utf-8")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert not answer.cookies


def test_our_own_import_reads_the_feed_back(client, db, site, tmp_path):
    for n, rule in enumerate(
        [
            {"weekdays": [0, 3], "start_time": "07:15", "minutes": 45},
            {"weekdays": [6], "start_time": "23:00", "minutes": 120},
            {"weekdays": [5], "start_time": "12:00", "minutes": 60},
            {"weekdays": [2], "start_time": "20:00", "minutes": 75},
        ]
    ):
        mode = ["online", "in-person", "in-person", "hybrid"][n]
        audience = ["men", "anyone", "young", "women"][n]
        language = ["en", "es", "en", "es"][n]
        group = make.group(mode=mode, language=language, audience=audience, is_address_public=mode == "hybrid")
        make.series(group, **rule)
    before = patterns()
    file = tmp_path / "meetings.json"
    file.write_bytes(client.get(reverse("meetings:public_feed")).content)
    Group.objects.all().delete()

    call_command("import_meetings", str(file))

    assert patterns() == before
    assert feed.parse(json.loads(file.read_text())).skipped == []


def patterns():
    return sorted(
        (weekday, one.start_time, one.minutes, one.time_zone, one.group.mode, one.group.language, one.group.audience)
        for one in MeetingSeries.objects.select_related("group")
        for weekday in one.weekdays
    )


# --- Unchanged --------------------------------------------------------------------------------------------------------


def test_unchanged_feed_is_not_made_again(client, db, site):
    make.series(make.group())
    url = reverse("meetings:public_feed")
    etag = client.get(url)["ETag"]

    with CaptureQueriesContext(connection) as queries:
        again = client.get(url, headers={"if-none-match": etag})

    assert (again.status_code, again.content, again["Access-Control-Allow-Origin"]) == (304, b"", "*")
    assert len(queries) == 3  # time zones, schedules with their groups, suspensions


@pytest.mark.parametrize("change", ["name", "description", "time", "suspended", "unlisted", "one more"])
def test_every_change_gives_the_feed_another_tag(change, client, db, site):
    group = make.group()
    series = make.series(group)
    url = reverse("meetings:public_feed")
    etag = client.get(url)["ETag"]
    if change == "time":
        MeetingSeries.objects.update(start_time="10:00")
    elif change == "suspended":
        Suspension.objects.create(series=series, from_on=timezone.now().date())
    elif change == "unlisted":
        Group.objects.update(is_listed=False)
    elif change == "one more":
        make.series(make.group())
    else:
        Group.objects.update(**{change: "Something else"})

    assert client.get(url, headers={"if-none-match": etag}).status_code == 200


@pytest.mark.parametrize("how_many", [3, 300])
def test_feed_costs_the_same_whatever_there_is(how_many, client, db, site):
    for _n in range(how_many):
        make.series(make.group())

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(reverse("meetings:public_feed"))

    assert len(json.loads(answer.content)) == how_many
    assert len(queries) == 8


@pytest.mark.parametrize("page", ["home", "meetings:meeting_list"])
def test_pages_say_where_the_feed_is(page, client, db, site):
    tag = (
        '<link rel="alternate" type="application/json" title="Meetings Feed" href="https://meet.example/meetings.json">'
    )

    assert tag in client.get(reverse(page)).content.decode()


def test_search_engines_are_shown_public_pages_only(client, cast, site):
    robots = client.get(reverse("meetings:robots")).content.decode()
    sitemap = client.get(reverse("meetings:sitemap")).content.decode()

    assert robots == (
        "User-agent: *\nAllow: /$\nAllow: /meetings/\nAllow: /groups/\nAllow: /help/\nAllow: /static/\nDisallow: /\n"
        "Sitemap: https://meet.example/sitemap.xml\n"
    )
    assert sitemap.count("<loc>") == 4
    assert "<loc>https://meet.example/groups/willow/</loc>" in sitemap
