"""The schedule of a group in the admin: nothing changes before its page has shown what would."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from groups.models import Facilitator, Group, Room, Topic
from meetings import services
from meetings.models import Meeting, MeetingSeries, Suspension
from outbox.models import Email
from tests import make

from .test_series_edits import told


@pytest.fixture
def willow(cast):
    """Willow meets each week from tomorrow on; Mia comes to the second date."""
    MeetingSeries.objects.all().delete()
    tomorrow = (timezone.now() + timedelta(days=1)).date()
    cast.series = make.series(cast.willow, weekdays=[tomorrow.weekday()])
    services.extend_series()
    cast.dates = list(Meeting.objects.in_order())
    services.answer_going(cast.dates[1], by=cast.mia)
    return cast


def schedule(group) -> str:
    return reverse("admin:groups_group_schedule", args=[group.pk])


def page_of(name: str, *args) -> str:
    return reverse(f"admin:{name}", args=args)


def everything():
    return (
        list(MeetingSeries.objects.order_by("pk").values()),
        list(Suspension.objects.order_by("pk").values()),
        list(Meeting.objects.order_by("pk").values()),
        Email.objects.count(),
    )


def rule_of(series, **fields) -> dict:
    return {
        "since": "",
        "weekdays": series.weekdays,
        "start_time": series.start_time.strftime("%H:%M"),
        "minutes": series.minutes,
        "every_n_weeks": series.every_n_weeks,
        "nth_of_month": "",
        "until_on": "",
    } | fields


def date_of(meeting, **fields) -> dict:
    return {
        "scope": "this",
        "on": meeting.local_date.isoformat(),
        "at": meeting.local_time.strftime("%H:%M"),
        "minutes": meeting.minutes,
        "mode": meeting.mode,
        "room": "",
    } | fields


# --- What comes -------------------------------------------------------------------------------------------------------


def test_page_shows_twelve_dates_and_saves_their_topics_at_once(willow, sign_in):
    client = sign_in(willow.carol)
    own = Topic.objects.create(name="Walks", group=willow.willow)
    other = Topic.objects.create(name="Cedar secrets", group=willow.cedar)
    page = client.get(schedule(willow.willow))
    names = [f"topic-{meeting.pk}" for meeting in willow.dates]

    assert [row.meeting for row, _topic in page.context["rows"]] == willow.dates[:12]
    assert "Cedar secrets" not in page.content.decode()
    refused = client.post(schedule(willow.willow), dict.fromkeys(names, "") | {names[1]: other.pk})
    assert (refused.status_code, Meeting.objects.exclude(topic=None).count()) == (400, 0)

    client.post(schedule(willow.willow), dict.fromkeys(names, "") | {names[1]: own.pk, names[3]: own.pk})
    assert list(Meeting.objects.filter(topic=own).in_order()) == [willow.dates[1], willow.dates[3]]
    assert told() == []


def test_paused_and_left_out_dates_are_said_in_words(willow, sign_in):
    room = Room.objects.create(name="Mill Street 2")
    Group.objects.filter(pk=willow.willow.pk).update(room=room)
    Meeting.objects.filter(pk__in=[willow.dates[2].pk, willow.dates[3].pk]).delete()
    other = make.group(room=room)
    make.meeting(other, starts_at=willow.dates[2].starts_at)
    on = willow.dates[3].series_date
    Suspension.objects.create(series=willow.series, from_on=on, until_on=on, reason="Holiday")

    page = sign_in(willow.carol).get(schedule(willow.willow))

    rows = [row for row, _topic in page.context["rows"]]
    assert "the room is taken by another group" in rows[2].what
    assert (rows[2].tone, rows[3].what) == ("problem", "Paused: Holiday")


@pytest.mark.parametrize("how_many", [3, 300])
def test_page_costs_the_same_whatever_there_is(willow, sign_in, how_many, django_assert_num_queries):
    Topic.objects.bulk_create(Topic(name=f"Topic {n}", group=willow.willow) for n in range(how_many))
    for person in make.members(how_many):
        make.participation(willow.dates[1], person, "waitlisted")
    client = sign_in(willow.carol)
    client.get(schedule(willow.willow))

    with django_assert_num_queries(10):
        client.get(schedule(willow.willow))


# --- Changes: shown first, then saved ---------------------------------------------------------------------------------


def changes(willow) -> dict:
    """Each page with what is sent there."""
    second, group, series = willow.dates[1], willow.willow.pk, willow.series.pk
    on = second.local_date
    return {
        "all": (page_of("groups_group_series", group, series), rule_of(willow.series, start_time="20:00")),
        "later": (
            page_of("groups_group_series", group, series),
            rule_of(willow.series, start_time="20:00", since=second.series_date.isoformat()),
        ),
        "pause": (
            page_of("groups_group_pause", group, series),
            {"from_on": on.isoformat(), "until_on": on.isoformat(), "reason": "Snow"},
        ),
        "holiday": (
            page_of("groups_group_holiday"),
            {"groups": [group], "from_on": on.isoformat(), "until_on": on.isoformat(), "reason": "Holiday"},
        ),
        "this date": (page_of("meetings_meeting_move", second.pk), date_of(second, at="20:00")),
        "from this date": (page_of("meetings_meeting_move", second.pk), date_of(second, at="20:00", scope="later")),
        "every date": (page_of("meetings_meeting_move", second.pk), date_of(second, at="20:00", scope="all")),
    }


NAMES = ["all", "later", "pause", "holiday", "this date", "from this date", "every date"]


@pytest.mark.parametrize("name", NAMES)
def test_change_is_shown_first_and_saved_as_shown(willow, sign_in, name):
    client = sign_in(willow.carol)
    address, sent = changes(willow)[name]
    before = everything()

    assert client.get(address).status_code == 200
    shown = client.post(address, sent | {"preview": ""})
    assert everything() == before
    rows = {row.when: (row.what, row.told) for row in shown.context["rehearsal"].rows}
    saved = client.post(address, sent | {"save": ""})

    assert shown.context["rehearsal"].people_told == 1
    assert sum(told for _what, told in rows.values()) == 1
    assert saved.status_code == 302
    assert everything() != before
    assert len(told()) == 1
    as_shown = {row.when for row in services.upcoming_dates(willow.willow) if row.meeting}
    assert as_shown <= set(rows)


@pytest.mark.parametrize("name", NAMES)
def test_pages_of_another_group_look_like_none(willow, sign_in, name):
    address, sent = changes(willow)[name]
    before = everything()

    answers = [sign_in(person).post(address, sent | {"save": ""}).status_code for person in (willow.dan, willow.mia)]

    assert answers == [302 if name == "holiday" else 404, 302]
    assert everything() == before


def test_pages_of_ones_own_group_show_no_row_of_another(willow, sign_in):
    """The address names a group that one may change, and a schedule or pause that is not its."""
    client, own = sign_in(willow.carol), willow.willow.pk
    earlier, later = (make.series(willow.cedar, weekdays=[2], start_time=at) for at in ("09:00", "10:00"))
    MeetingSeries.objects.filter(pk=later.pk).update(came_from=earlier)
    pause = Suspension.objects.create(series=earlier, from_on=timezone.localdate(), reason="Rest")
    before = everything()

    for name, row, sent in (
        ("groups_group_series", later.pk, rule_of(later, start_time="20:00")),
        ("groups_group_pause", later.pk, {"from_on": timezone.localdate().isoformat(), "reason": "Rest"}),
        ("groups_group_undo_series", later.pk, {}),
        ("groups_group_resume", pause.pk, {}),
    ):
        address = page_of(name, own, row)
        assert client.get(address).status_code == 404, name
        assert client.post(address, sent | {"save": ""}).status_code == 404, name
    assert everything() == before


def test_page_of_a_date_that_cannot_change_any_more_says_so(willow, sign_in):
    client = sign_in(willow.carol)
    on, off = willow.dates[2:4]
    services.cancel_meeting(off, by=willow.carol, reason="The room is closed")
    before = everything()

    for name, meeting, sent in (
        ("meetings_meeting_move", off, date_of(off)),
        ("meetings_meeting_substitute", off, {"substitute": willow.dan.pk}),
        ("meetings_meeting_take_up", on, {}),
    ):
        page = client.post(page_of(name, meeting.pk), sent | {"save": ""}, follow=True)
        assert page.redirect_chain == [(schedule(willow.willow), 302)], name
        assert next(iter(page.context["messages"])).level_tag == "error", name
    assert everything() == before


def test_pause_ends_by_hand_and_one_date_is_held_after_all(willow, sign_in):
    client = sign_in(willow.carol)
    first, second = willow.dates[1:3]
    pause = services.suspend_series(
        willow.series, by=willow.carol, from_on=first.local_date, until_on=second.local_date, reason="Rest"
    )

    client.post(page_of("meetings_meeting_take_up", first.pk), {"save": ""})
    assert Meeting.objects.get(pk=first.pk).status == "scheduled"
    pause = Suspension.objects.get()
    client.post(page_of("groups_group_resume", willow.willow.pk, pause.pk), {"save": ""})
    assert Meeting.objects.filter(status="cancelled").count() == 0
    assert client.get(page_of("groups_group_resume", willow.willow.pk, pause.pk)).status_code == 404


def test_change_of_later_dates_is_taken_back(willow, sign_in):
    client = sign_in(willow.carol)
    address, sent = changes(willow)["later"]
    client.post(address, sent | {"save": ""})
    new = MeetingSeries.objects.get(came_from=willow.series)

    client.post(page_of("groups_group_undo_series", willow.willow.pk, new.pk), {"save": ""})

    assert MeetingSeries.objects.get() == willow.series
    assert [one.starts_at for one in Meeting.objects.in_order()] == [one.starts_at for one in willow.dates]


# --- Bad input --------------------------------------------------------------------------------------------------------

RULES = [
    ({"weekdays": []}, "weekdays", "Choose at least one day."),
    ({"minutes": "0"}, "minutes", "A meeting lasts 5 minutes or more."),
    ({"minutes": "1500"}, "minutes", "A meeting lasts 12 hours (720 minutes) at most."),
    ({"start_time": "25:00"}, "start_time", "Enter a valid time."),
    (
        {"until_on": "2020-01-01"},
        "until_on",
        "The last day is before the first. Choose a later one, or leave it empty.",
    ),
    ({"nth_of_month": "5"}, "nth_of_month", "Some months have no such day. Choose first to fourth, or the last."),
    ({"every_n_weeks": "0"}, "every_n_weeks", "Ensure this value is greater than or equal to 1."),
]


@pytest.mark.parametrize(("fields", "name", "words"), RULES)
@pytest.mark.parametrize("button", ["preview", "save"])
def test_schedule_that_cannot_be_is_refused_with_a_sentence(willow, sign_in, fields, name, words, button):
    before = everything()
    address = page_of("groups_group_series", willow.willow.pk, willow.series.pk)

    response = sign_in(willow.carol).post(address, rule_of(willow.series, **fields) | {button: ""})

    assert response.status_code == 400
    assert response.context["form"].errors == {name: [words]}
    assert everything() == before


@pytest.mark.parametrize(
    ("name", "fields", "where", "words"),
    [
        ("pause", {"until_on": "2020-01-01"}, "until_on", "The last day is before the first. Choose a later one."),
        ("holiday", {"until_on": "2020-01-01"}, "until_on", "The last day is before the first. Choose a later one."),
        (
            "holiday",
            {"from_on": "2020-01-01", "until_on": "2020-01-02"},
            "until_on",
            "This day is over. Choose a later one.",
        ),
        ("holiday", {"from_on": "0000-13-40"}, "from_on", "Enter a valid date."),
        (
            "pause",
            {"place_only": "on"},
            "place_only",
            "This group has no meeting link. Add one on its page first.",
        ),
        ("pause", {"reason": ""}, "reason", "Write a short reason, such as: The room is closed."),
        ("holiday", {"groups": []}, "groups", "Choose at least one group."),
    ],
)
def test_pause_that_cannot_be_is_refused_with_a_sentence(willow, sign_in, name, fields, where, words):
    Group.objects.update(link="")
    address, sent = changes(willow)[name]
    before = everything()

    response = sign_in(willow.carol).post(address, sent | fields | {"save": ""})

    assert response.status_code == 400
    assert response.context["form"].errors == {where: [words]}
    assert everything() == before


def test_date_that_cannot_be_is_refused_with_a_sentence(willow, sign_in):
    client, meeting = sign_in(willow.carol), willow.dates[1]
    address = page_of("meetings_meeting_move", meeting.pk)
    next_week = (meeting.local_date + timedelta(days=7)).isoformat()
    before = everything()

    found = {}
    for fields in (
        {"on": "2020-01-01"},
        {"scope": "all", "on": next_week},
        {"scope": "later", "mode": "online"},
        {"minutes": "0"},
    ):
        response = client.post(address, date_of(meeting, **fields) | {"save": ""})
        found |= {name: (response.status_code, *words) for name, words in response.context["form"].errors.items()}

    assert {name: status for name, (status, *_words) in found.items()} == {"on": 400, "scope": 400, "minutes": 400}
    assert everything() == before


def test_taken_room_is_said_on_the_page_and_nothing_changes(willow, sign_in):
    room = Room.objects.create(name="Mill Street 2")
    Group.objects.filter(pk=willow.willow.pk).update(room=room)
    make.meeting(make.group(room=room), starts_at=willow.dates[1].starts_at + timedelta(hours=5), minutes=60)
    at = (willow.dates[1].local_start + timedelta(hours=5)).strftime("%H:%M")
    client = sign_in(willow.carol)
    before = everything()

    for button in ("preview", "save"):
        sent = date_of(willow.dates[1], at=at, on=(willow.dates[1].local_start + timedelta(hours=5)).date().isoformat())
        response = client.post(page_of("meetings_meeting_move", willow.dates[1].pk), sent | {button: ""})
        assert response.status_code == 400
        assert "the room is taken by another group" in str(response.context["form"].non_field_errors())
        assert everything() == before


# --- Who leads one date -----------------------------------------------------------------------------------------------


def test_substitute_is_chosen_among_counselors_who_are_free(willow, sign_in):
    client, meeting = sign_in(willow.carol), willow.dates[0]
    address = page_of("meetings_meeting_substitute", meeting.pk)
    Facilitator.objects.filter(group=willow.cedar).update(role="lead")

    assert client.post(address, {"substitute": willow.mia.pk, "save": ""}).status_code == 400
    assert client.post(address, {"substitute": willow.dan.pk, "save": ""}).status_code == 302
    assert Meeting.objects.get(pk=meeting.pk).substitute == willow.dan
    assert client.post(address, {"substitute": "", "save": ""}).status_code == 302
    make.meeting(willow.cedar, starts_at=meeting.starts_at)
    busy = client.post(address, {"substitute": willow.dan.pk, "save": ""})
    assert "the one who leads has another group then" in str(busy.context["form"].non_field_errors())
    assert Meeting.objects.get(pk=meeting.pk).substitute is None
