"""What the list of meetings finds, whatever wrote the rows, and when a browser may keep it."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from benchmarks.filters import rows_read
from groups.models import Group
from groups.words import MOST_WORDS, listed_groups_with
from meetings import find, services
from meetings.forms import FindForm
from meetings.models import Meeting
from tests import make
from tests.plans import plans_inside

LIST = reverse("meetings:meeting_list")


def in_days(days):
    return timezone.now() + timedelta(days=days)


def found(**wanted):
    _now, coming = find.groups_by_next_meeting(find.Search.of(wanted))
    return [card.name for card in coming]


def test_every_filter_answers_as_python_would(db):
    meetings = [
        make.meeting(
            make.group(
                kind=Group.Kind.values[n % 4],
                audience=Group.Audience.values[n % 7],
                mode=Group.Mode.values[n % 3],
                language="es" if n % 5 == 0 else "en",
                is_wheelchair_accessible=n % 2 == 0,
            ),
            starts_at=in_days(n % 9 + 1) + timedelta(hours=n),
            capacity=n % 3,
        )
        for n in range(30)
    ]
    hours = {"morning": range(5, 12), "afternoon": range(12, 17), "evening": range(17, 21)}
    rules = {
        "day": lambda meeting, value: meeting.local_date.weekday() == int(value),
        "time": lambda meeting, value: (
            value == next((name for name, span in hours.items() if meeting.local_time.hour in span), "night")
        ),
        "kind": lambda meeting, value: meeting.group.kind == value,
        "audience": lambda meeting, value: meeting.group.audience == value,
        "language": lambda meeting, value: meeting.group.language == value,
        "mode": lambda meeting, value: meeting.mode in (value, "hybrid"),
        "access": lambda meeting, value: meeting.group.is_wheelchair_accessible,
        "places": lambda meeting, value: meeting.capacity > 0,
    }

    for name, fits in rules.items():
        for value, _label in FindForm().fields[name].choices[1:]:
            expected = [one for one in meetings if fits(one, value)]
            in_order = [one.group.name for one in sorted(expected, key=lambda one: (one.starts_at, one.pk))]
            assert found(**{name: value}) == in_order, (name, value)


def test_words_of_many_groups_and_of_few_find_the_same(db, monkeypatch):
    for n in range(5):
        group = make.group(name=f"Harbor {n}")
        for week in (1, 8):
            make.meeting(group, starts_at=in_days(week + n))
    one_by_one = found(q="harbor")
    monkeypatch.setattr(find, "FEW_GROUPS", 2)

    assert one_by_one == found(q="harbor") == [f"Harbor {n}" for n in range(5)]


def test_words_that_are_nearly_right_find_nothing_else_while_some_group_has_them(db):
    for name in ("Lantern house", "Lantren house"):
        make.meeting(make.group(name=name))

    assert (found(q="lantern"), found(q="lantren")) == (["Lantern house"], ["Lantren house"])


def test_a_word_finds_what_begins_with_it_also_where_some_group_has_just_that(db):
    for name in ("Evening walk", "Walking together"):
        make.meeting(make.group(name=name))

    assert sorted(found(q="walk")) == ["Evening walk", "Walking together"]


def test_a_misspelled_word_finds_what_groups_are_called_now_whoever_wrote_it(db):
    group = make.group(name="Lantern house")
    make.meeting(group)
    assert found(q="lantren") == ["Lantern house"]

    Group.objects.filter(pk=group.pk).update(name="Evening circle")

    assert (found(q="evning circel"), found(q="lantren")) == (["Evening circle"], [])


def test_every_word_must_fit_though_one_is_misspelled(db):
    for name in ("Evening circle", "Evening walk", "Morning circle"):
        make.meeting(make.group(name=name))

    assert found(q="evning circ") == ["Evening circle"]
    assert found(q="evning cir") == ["Evening circle"]
    assert found(q="evning xyz") == []


def test_words_with_accents_and_signs_are_found_and_do_no_harm(db):
    name = "Café O'Neil & friends (new!): 12-step, niños"
    make.meeting(make.group(name=name))

    for words in (
        "cafe",
        "CAFÉ",
        "o'neil",
        "friends new",
        "frends",
        "12 step",
        "12-stepp",
        "12_step",
        "NIÑOS",
        "!!!",
        "_",
        "\0",
    ):
        assert found(q=words) == [name], words
    assert found(q="cafés nuevos") == []


def test_short_words_are_not_compared_and_long_questions_are_cut(db):
    make.meeting(make.group(name="Lantern walk"))

    assert [found(q=words) for words in ("walk", "walkk", "wak")] == [["Lantern walk"], ["Lantern walk"], []]
    assert found(q=f"{'lantern ' * MOST_WORDS} no more is read") == ["Lantern walk"]


def test_postgresql_plans_the_search_for_words_once_and_not_each_time(db):
    make.meeting(make.group(name="Lantern walk"))

    plans = plans_inside(lambda: listed_groups_with("lantren"), again=10)

    assert len(plans) == 3  # as it is written, what is spelled nearly so, and with that
    assert [plan for plan in plans if "lant" in plan] == []


def test_words_of_a_group_that_is_not_listed_find_nothing(db):
    make.meeting(make.group(name="Lantern house", is_listed=False))
    make.meeting(make.group(name="Evening walk"))

    assert [found(q=words) for words in ("lantern", "lantren", "lantern walk", "lantren walk")] == [[], [], [], []]
    assert [listed_groups_with(words).how_many for words in ("lantern", "lantren", "!!!")] == [0, 0, 1]

    make.meeting(make.group(name="Lantren garden"))  # is found as if no group were called Lantern
    assert found(q="lantern") == ["Lantren garden"]


def test_places_that_only_some_may_know_are_not_found(db):
    make.meeting(make.group(place="Lantern house", address="12 Harbor Road", link="https://meet.example.org/willow"))

    assert [found(q=words) for words in ("lantern", "lantren", "harbor", "harbro", "willow", "wilow")] == [[]] * 6


def test_whatever_comes_late_or_rarely_is_on_the_page_of_words(db, monkeypatch):
    monkeypatch.setattr(find, "PER_PAGE", 2)
    for days in range(1, 80, 10):
        for name in ("Harbor", "Garden"):
            make.meeting(make.group(name=f"{name} {days}"), starts_at=in_days(days))

    pages = [find.groups_by_next_meeting(find.Search.of({"q": "harbor"}), page=number)[1][:2] for number in range(1, 6)]

    assert [[card.name for card in page] for page in pages] == [
        ["Harbor 1", "Harbor 11"],
        ["Harbor 21", "Harbor 31"],
        ["Harbor 41", "Harbor 51"],
        ["Harbor 61", "Harbor 71"],
        [],
    ]


def test_words_read_only_what_comes_soon_if_that_fills_the_page(db, monkeypatch):
    monkeypatch.setattr(find, "PER_PAGE", 2)
    for n in range(40):
        make.meeting(make.group(name=f"Harbor {n}"), starts_at=in_days(n * 7 / 40 + 1 / 24))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # as it is with many rows
    if connection.pg_version < 180_000:
        pytest.skip("Before PostgreSQL 18, EXPLAIN rounds how many rows one of many looks finds.")

    assert rows_read({"q": "harbor"}) == (6, 2)


def test_the_meeting_shown_is_the_next_that_fits(db):
    group = make.group()
    tuesday = in_days(8 - timezone.now().weekday()).replace(hour=17)
    for days in (0, 1, 7):
        make.meeting(group, starts_at=tuesday + timedelta(days=days))

    _now, (card,) = find.groups_by_next_meeting(find.Search({"day": "2"}))

    assert card.local_start.weekday() == 2


def test_pages_follow_each_other_without_a_gap(db, monkeypatch):
    monkeypatch.setattr(find, "PER_PAGE", 2)
    at = in_days(1)
    for n in range(5):
        make.meeting(make.group(name=f"Group {n}"), starts_at=at)  # all at the same moment

    pages = [find.groups_by_next_meeting(find.Search({}), page=number)[1][:2] for number in (1, 2, 3, 4)]

    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert {card.name for page in pages for card in page} == {f"Group {n}" for n in range(5)}


def test_own_answer_is_on_the_card_and_nobody_elses(cast, sign_in):
    make.participation(cast.willow_meeting, cast.mia)

    assert "You have a place." in sign_in(cast.mia).get(LIST).content.decode()
    assert "You have a place." not in sign_in(cast.max).get(LIST).content.decode()


@pytest.mark.parametrize(
    ("wanted", "change"),
    [
        ({"kind": "skills"}, {"kind": "skills"}),
        ({"audience": "women"}, {"audience": "women"}),
        ({"language": "es"}, {"language": "es"}),
        ({"access": "1"}, {"is_wheelchair_accessible": True}),
        ({}, {"is_listed": True}),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_change_of_the_group_is_found_at_once_whoever_makes_it(db, wanted, change):
    group = make.group(name="Harbor", is_listed="is_listed" not in change)
    meeting = make.meeting(group)
    meeting.save()
    before = found(**wanted)
    Group.objects.filter(pk=group.pk).update(**change)

    assert (before, found(**wanted)) == ([], ["Harbor"])
    meeting.save()  # as it was read before the change
    assert found(**wanted) == ["Harbor"]


@pytest.mark.parametrize(
    ("wanted", "fact"),
    [
        ({"kind": "skills"}, {"kind": "skills"}),
        ({"audience": "women"}, {"audience": "women"}),
        ({"language": "es"}, {"language": "es"}),
        ({"access": "1"}, {"is_wheelchair_accessible": True}),
        ({}, {"is_listed": True}),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_new_meeting_and_one_given_to_another_group_are_found_by_the_facts_of_theirs(db, wanted, fact):
    other = make.group(name="Harbor", is_listed="is_listed" not in fact)
    meeting = make.meeting(other)
    its = make.group(name="Garden", **fact)
    make.meeting(its, starts_at=in_days(9))
    assert found(**wanted) == ["Garden"]

    meeting.group = its
    meeting.save()

    (card,) = find.groups_by_next_meeting(find.Search.of(wanted))[1]
    assert (card.meeting_id, card.name) == (meeting.pk, "Garden")
    meeting.group = other
    meeting.save()
    (card,) = find.groups_by_next_meeting(find.Search.of(wanted))[1]
    assert (card.meeting_id != meeting.pk, card.name) == (True, "Garden")


# Kept by a browser


@pytest.fixture
def visitor(client, cast):
    """Has the cookie of the forms already."""
    client.get(LIST)
    return client


def test_a_visitor_who_has_the_page_is_told_it_is_unchanged(visitor):
    for address in (LIST, reverse("home"), f"{LIST}?q=willow", f"{LIST}?view=week"):
        first = visitor.get(address)
        again = visitor.get(address, headers={"If-None-Match": first["ETag"]})

        assert (again.status_code, again.content) == (304, b"")
        assert first["Cache-Control"] == again["Cache-Control"] == "private, no-cache"
        assert {"Accept-Language", "Cookie"} <= {word.strip() for word in again["Vary"].split(",")}


@pytest.mark.parametrize(
    "change",
    [
        lambda cast: services.cancel_meeting(cast.willow_meeting, by=cast.carol, reason="snow"),
        lambda cast: services.answer_going(cast.willow_meeting, by=cast.mia),
        lambda cast: Group.objects.filter(pk=cast.willow.pk).update(name="Oak evening"),
        lambda cast: make.series(cast.willow),
        lambda cast: make.meeting(cast.willow, starts_at=in_days(1)),
        lambda cast: cast.willow_meeting.delete(),
        lambda cast: Meeting.objects.filter(pk=cast.willow_meeting.pk).update(capacity=3),
    ],
    ids=["cancelled", "place taken", "renamed", "schedule", "new date", "deleted", "capacity"],
)
def test_whatever_changes_the_list_changes_its_tag(visitor, cast, change, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    before = visitor.get(LIST)["ETag"]

    change(cast)

    again = visitor.get(LIST, headers={"If-None-Match": before})
    assert again.status_code == 200
    assert again["ETag"] != before


def test_tag_is_another_one_in_another_language_zone_size_or_minute(visitor, time_machine):
    now = timezone.now().replace(second=10)
    time_machine.move_to(now, tick=False)
    tags = {visitor.get(LIST)["ETag"], visitor.get(LIST, headers={"Accept-Language": "es"})["ETag"]}
    visitor.cookies[settings.ZONE_COOKIE_NAME] = "Europe/Berlin"
    tags.add(visitor.get(LIST)["ETag"])
    visitor.cookies[settings.DISPLAY_COOKIE_NAME] = "text=large"
    tags.add(visitor.get(LIST)["ETag"])
    time_machine.move_to(now + timedelta(minutes=1), tick=False)
    tags.add(visitor.get(LIST)["ETag"])

    assert len(tags) == 5


def test_a_meeting_that_begins_is_seen_by_who_had_the_page(visitor, cast, time_machine):
    Meeting.objects.filter(pk=cast.willow_meeting.pk).update(
        starts_at=timezone.now() + timedelta(seconds=1), ends_at=timezone.now() + timedelta(hours=1)
    )
    before = visitor.get(LIST)["ETag"]
    time_machine.move_to(timezone.now() + timedelta(minutes=1))

    assert visitor.get(LIST, headers={"If-None-Match": before}).status_code == 200


def test_signed_in_nothing_is_kept(cast, sign_in):
    client = sign_in(cast.mia)
    tag = f'"{find.version()}"'
    make.participation(cast.willow_meeting, cast.mia)

    for address in (LIST, reverse("home")):
        page = client.get(address, headers={"If-None-Match": tag})
        assert page.status_code == 200
        assert not page.has_header("ETag")
        assert {"no-store", "private"} <= set(page["Cache-Control"].split(", "))


def test_a_word_for_one_person_is_not_kept(visitor, cast):
    before = visitor.get(LIST)["ETag"]
    visitor.cookies["messages"] = "anything"

    page = visitor.get(LIST, headers={"If-None-Match": before})

    assert (page.status_code, page.has_header("ETag")) == (200, False)


# What it costs


@pytest.mark.parametrize("how_many", [3, 300])
@pytest.mark.parametrize(
    ("asked", "queries"), [({}, 3), ({"day": "1", "access": "1"}, 3), ({"q": "group"}, 4), ({"q": "groop"}, 4)]
)
def test_signed_in_the_list_costs_the_same_whatever_there_is(cast, sign_in, how_many, asked, queries):
    for n in range(how_many):
        make.meeting(make.group(is_wheelchair_accessible=True), starts_at=in_days(n % 7 + 1))
    client = sign_in(cast.mia)
    client.get(LIST)

    with CaptureQueriesContext(connection) as captured:
        client.get(LIST, asked)

    assert len(captured) == queries
