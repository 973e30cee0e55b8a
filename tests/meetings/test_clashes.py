"""One room, one link, one lead at a time: refused by the database, whoever asks, and said in words."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from groups.models import Facilitator, Group, Room
from meetings import services
from meetings.models import Meeting
from tests import make

SOON = timedelta(days=9)


@pytest.fixture
def soon():
    return (timezone.now() + SOON).replace(microsecond=0)


def two_groups(**fields) -> tuple[Group, Group]:
    return make.group(**fields), make.group(**fields)


def refused(group, starts_at, **fields) -> str:
    """The constraint that stands in the way, or "" if the date can be made."""
    try:
        with transaction.atomic():
            make.meeting(group, starts_at=starts_at, **fields)
    except IntegrityError as error:
        return error.__cause__.diag.constraint_name
    return ""


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"room": "Mill Street 2"}, "meeting_room_is_free"),
        ({"room": "Mill Street 2", "mode": "hybrid", "link": ""}, "meeting_room_is_free"),
        ({"mode": "online", "link": "https://meet.example.org/one"}, "meeting_link_is_free"),
    ],
)
def test_what_one_group_holds_no_other_has_at_once(db, soon, fields, constraint):
    if "room" in fields:
        fields = fields | {"room": Room.objects.create(name=fields["room"])}
    one, other = two_groups(**fields)
    make.meeting(one, starts_at=soon)

    assert refused(one, soon - timedelta(minutes=30)) == ""  # a group is in the way of others, not of itself
    assert refused(other, soon + timedelta(minutes=30), status="cancelled") == ""
    assert refused(other, soon + timedelta(minutes=89)) == constraint
    assert refused(other, soon + timedelta(minutes=90)) == ""  # as one ends the other begins


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "in-person"},  # the same house and address, no room: a house has many
        {"mode": "in-person", "link": "https://meet.example.org/one"},
        {"mode": "online", "link": ""},
    ],
)
def test_same_house_or_an_unused_link_is_no_conflict(db, soon, fields):
    one, other = two_groups(**fields)
    make.meeting(one, starts_at=soon)

    assert refused(other, soon) == ""


def test_online_date_leaves_its_room_free(db, soon):
    one, other = two_groups(room=Room.objects.create(name="Mill Street 2"))
    make.meeting(one, starts_at=soon, mode="online")

    assert refused(other, soon) == ""


def test_groups_of_a_feed_share_links_as_they_please(db, soon):
    link = "https://meet.example.org/one"
    for slug in ("one", "two"):
        assert refused(make.group(mode="online", link=link, feed_slug=slug), soon) == ""


@pytest.mark.parametrize("written", ["HTTP://meet.example.org/j/12/", " https://meet.example.org/j/12?pwd=abc"])
def test_link_is_the_same_however_it_is_written(db, soon, written):
    make.meeting(make.group(mode="online", link="https://meet.example.org/j/12"), starts_at=soon)

    assert refused(make.group(mode="online", link=written), soon) == "meeting_link_is_free"
    assert refused(make.group(mode="online", link="https://meet.example.org/j/12?room=3"), soon) == ""


def test_nobody_leads_two_groups_at_once_but_two_leads_can_share(cast, soon):
    second = make.group()
    Facilitator.objects.create(group=second, member=cast.carol)
    make.meeting(cast.willow, starts_at=soon)

    assert refused(second, soon) == "meeting_lead_is_free"
    Facilitator.objects.create(group=second, member=cast.dan)
    assert refused(second, soon) == ""


def test_new_lead_is_never_refused_and_the_date_is_found(cast, soon):
    second = make.group()
    make.meeting(cast.willow, starts_at=soon)
    meeting = make.meeting(second, starts_at=soon)

    Facilitator.objects.create(group=second, member=cast.carol)

    assert services.find_taken(second, [meeting]) == [("lead", cast.willow.pk)]


def test_date_that_has_begun_is_in_nobodys_way_when_it_is_noted(cast):
    """Whatever is noted of what was, nothing refuses it."""
    ago = timezone.now() - timedelta(hours=1)
    second = make.group()
    Facilitator.objects.create(group=second, member=cast.carol)
    meetings = [make.meeting(group, starts_at=ago) for group in (cast.willow, second)]

    for meeting in meetings:
        assert services.mark_did_not_meet(meeting, by=cast.carol) is True
        assert services.undo_did_not_meet(meeting, by=cast.carol) is True


def test_taken_dates_are_left_out_of_a_new_schedule_and_come_when_they_are_free(cast):
    room = Room.objects.create(name="Mill Street 2")
    for meeting in (cast.willow_meeting, cast.cedar_meeting):  # whose schedules are at whatever hour it is now
        meeting.series.delete()
    Group.objects.filter(pk__in=[cast.willow.pk, cast.cedar.pk]).update(room=room)
    tomorrow = (timezone.now() + timedelta(days=1)).date()
    series = make.series(cast.willow, weekdays=[tomorrow.weekday()])
    services.extend_series()
    third = Meeting.objects.filter(series=series).in_order()[2]
    Meeting.objects.filter(series=series).exclude(pk=third.pk).delete()

    other = make.series(cast.cedar, weekdays=[tomorrow.weekday()], start_time="19:00")
    made = services.extend_series(type(other).objects.filter(pk=other.pk))

    left_out = services.dates_left_out(other)
    assert made == Meeting.objects.filter(series=other).count()
    assert [slot.series_date for slot in left_out] == [third.series_date]
    assert services.find_taken(cast.cedar, left_out) == [("room", cast.willow.pk)]

    services.cancel_meeting(third, by=cast.carol, reason="")
    assert services.extend_series(type(other).objects.filter(pk=other.pk)) == 1
    with pytest.raises(services.Clash, match="the room is taken by another group"):
        services.take_up_meeting(Meeting.objects.get(pk=third.pk), by=cast.carol)


def test_end_of_a_pause_leaves_off_the_date_whose_room_somebody_else_has_by_now(cast, soon):
    room = Room.objects.create(name="Mill Street 2")
    cast.cedar_meeting.delete()
    Group.objects.filter(pk__in=[cast.willow.pk, cast.cedar.pk]).update(room=room)
    day = soon.date()
    series = make.series(cast.willow, weekdays=[day.weekday()], start_time="08:00")
    services.extend_series()
    first, second = Meeting.objects.filter(series=series).in_order()[1:3]
    pause = services.suspend_series(series, by=cast.carol, from_on=first.local_date, until_on=second.local_date)
    make.meeting(cast.cedar, starts_at=first.starts_at, minutes=60)

    assert services.end_suspension(pause, by=cast.carol, on=timezone.localdate()) is True

    statuses = Meeting.objects.filter(pk__in=[first.pk, second.pk]).in_order().values_list("status", flat=True)
    assert list(statuses) == ["cancelled", "scheduled"]


def test_change_that_meets_a_taken_room_is_refused_as_a_whole(cast, soon):
    room = Room.objects.create(name="Mill Street 2")
    cast.cedar_meeting.delete()  # at the same hour as Willow's
    Group.objects.filter(pk__in=[cast.willow.pk, cast.cedar.pk]).update(room=room)
    day = soon.astimezone(timezone.get_fixed_timezone(0)).date()
    series = make.series(cast.willow, weekdays=[day.weekday()], start_time="08:00")
    services.extend_series()
    there = Meeting.objects.filter(series=series).in_order()[1]
    make.meeting(cast.cedar, starts_at=there.starts_at + timedelta(hours=4), minutes=60)
    before = list(Meeting.objects.order_by("pk").values())

    with pytest.raises(services.Clash, match="the room is taken by another group"):
        services.change_all_dates(series, by=cast.carol, start_time="12:00")

    series.refresh_from_db()
    assert (list(Meeting.objects.order_by("pk").values()), f"{series.start_time:%H:%M}") == (before, "08:00")


def test_taking_a_place_rewrites_no_index(cast):
    """What a date holds is in an index; an answer must not touch it."""
    room = Room.objects.create(name="Mill Street 2")
    Group.objects.filter(pk=cast.willow.pk).update(room=room)
    services.answer_going(cast.willow_meeting, by=cast.mia)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'meetings_meeting' AND indexdef ~ 'places_taken'"
        )
        assert cursor.fetchall() == []
