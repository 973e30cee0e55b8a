"""From a series to dated meetings, and what the people concerned are told when something changes."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.utils import timezone

from meetings import services
from meetings.models import Meeting, MeetingSeries
from outbox.models import Email
from tests import make

NEW_YORK = ZoneInfo("America/New_York")
# PostgreSQL keeps its own clock, so the tests travel ahead: to two weeks before the clocks change in next year's March.
MARCH = date(datetime.now(NEW_YORK).year + 1, 3, 1)
CLOCKS_CHANGE = MARCH + timedelta(days=(6 - MARCH.weekday()) % 7 + 7)
MONDAY = CLOCKS_CHANGE - timedelta(days=13)
NOW = datetime.combine(MONDAY, time(12), NEW_YORK)


@pytest.fixture
def tuesdays(cast, clock):
    """Willow meets on Tuesdays at half past six, twelve weeks over the change of clocks in March."""
    cast.willow_meeting.series.delete()
    series = make.series(cast.willow, weekdays=[1], from_on=MONDAY - timedelta(weeks=8))
    services.extend_series()
    return series


def meetings_of(series):
    return list(Meeting.objects.filter(series=series).in_order())


def test_series_makes_its_meetings_at_the_same_wall_time_over_a_change_of_clocks(tuesdays):
    made = meetings_of(tuesdays)

    assert len(made) == 12
    assert {meeting.local_start.strftime("%a %H:%M") for meeting in made} == {"Tue 18:30"}
    assert {meeting.local_time.strftime("%H:%M") for meeting in made} == {"18:30"}
    assert sorted({meeting.starts_at.strftime("%H:%M") for meeting in made}) == ["22:30", "23:30"]
    assert {meeting.minutes for meeting in made} == {90}


def test_extending_again_makes_nothing(tuesdays):
    assert services.extend_series() == 0


def test_a_week_later_the_next_meeting_is_made(tuesdays, clock):
    clock.shift(timedelta(weeks=1))

    assert services.extend_series(MeetingSeries.objects.filter(pk=tuesdays.pk)) == 1


def test_date_of_today_is_made_only_while_it_is_to_come(cast, clock):
    morning, evening = (make.series(cast.cedar, weekdays=[0], start_time=time(at)) for at in (9, 18))

    services.extend_series()

    assert (meetings_of(morning)[0].local_date, len(meetings_of(morning))) == (MONDAY + timedelta(weeks=1), 11)
    assert (meetings_of(evening)[0].local_date, len(meetings_of(evening))) == (MONDAY, 12)


def test_extend_series_by_hand_says_how_many(tuesdays, capsys):
    Meeting.objects.filter(series=tuesdays).delete()

    call_command("extend_series")

    assert capsys.readouterr().out == "12 made\n"


def test_extending_costs_the_same_for_few_and_many_series(cast, clock, django_assert_num_queries):
    for how_many in (1, 10):
        for _each in range(how_many):
            make.series(make.group())
        with django_assert_num_queries(7):
            services.extend_series()


def test_cancelled_meeting_is_not_made_again_and_those_coming_are_told_once(cast, tuesdays):
    first = meetings_of(tuesdays)[0]
    services.answer_going(first, by=cast.mia)

    assert services.cancel_meeting(first, by=cast.carol, reason="Snow") is True
    assert services.cancel_meeting(first, by=cast.carol, reason="Snow") is False
    assert services.extend_series() == 0
    assert list(Email.objects.values_list("kind", "recipient", "about_id")) == [("cancelled", cast.mia.pk, first.pk)]


def test_declined_people_are_not_told_of_a_cancellation(cast, tuesdays):
    first = meetings_of(tuesdays)[0]
    services.answer_declined(first, by=cast.mia)

    services.cancel_meeting(first, by=cast.carol, reason="")

    assert not Email.objects.exists()


def test_changed_hour_moves_every_coming_meeting_and_tells_those_coming(cast, tuesdays):
    meetings = meetings_of(tuesdays)
    services.answer_going(meetings[0], by=cast.mia)
    tuesdays.start_time = "19:00"
    tuesdays.save()

    assert services.follow_series(tuesdays, by=cast.carol) == 12
    assert services.follow_series(tuesdays, by=cast.carol) == 0
    assert [meeting.pk for meeting in meetings_of(tuesdays)] == [meeting.pk for meeting in meetings]
    assert {meeting.local_start.strftime("%a %H:%M") for meeting in meetings_of(tuesdays)} == {"Tue 19:00"}
    assert {meeting.sequence for meeting in meetings_of(tuesdays)} == {1}
    assert list(Email.objects.values_list("kind", "recipient", "about_id")) == [("moved", cast.mia.pk, meetings[0].pk)]


def test_changed_weekday_moves_each_meeting_within_its_week_and_keeps_the_answers(cast, tuesdays):
    meetings = meetings_of(tuesdays)
    services.answer_going(meetings[0], by=cast.mia)
    tuesdays.weekdays = [3]
    tuesdays.save()

    services.follow_series(tuesdays, by=cast.carol)

    meetings[0].refresh_from_db()
    assert meetings[0].local_date == MONDAY + timedelta(days=3)
    assert meetings[0].participations.get().rsvp == "going"
    assert {meeting.local_date.weekday() for meeting in meetings_of(tuesdays)} == {3}


def test_shortened_series_drops_meetings_nobody_answered_and_cancels_the_others(cast, tuesdays):
    meetings = meetings_of(tuesdays)
    services.answer_going(meetings[-1], by=cast.mia)
    tuesdays.until_on = meetings[3].local_date
    tuesdays.save()

    services.follow_series(tuesdays, by=cast.carol)

    assert [meeting.status for meeting in meetings_of(tuesdays)] == ["scheduled"] * 4 + ["cancelled"]
    assert list(Email.objects.values_list("kind", "recipient")) == [("cancelled", cast.mia.pk)]


def test_suspended_series_rests_and_takes_up_again(cast, tuesdays):
    meetings = meetings_of(tuesdays)
    services.answer_going(meetings[1], by=cast.mia)

    services.suspend_series(tuesdays, by=cast.carol, from_on=meetings[1].local_date, until_on=meetings[2].local_date)

    resting = Meeting.objects.filter(series=tuesdays, status="cancelled").in_order()
    assert list(resting) == meetings[1:3]
    assert services.extend_series() == 0

    assert services.resume_series(tuesdays, by=cast.carol, on=meetings[1].local_date) is True
    assert services.resume_series(tuesdays, by=cast.carol, on=meetings[1].local_date) is False
    assert [meeting.local_date for meeting in meetings_of(tuesdays)] == [meeting.local_date for meeting in meetings]
    assert {meeting.status for meeting in meetings_of(tuesdays)} == {"scheduled"}


def test_closed_place_moves_the_meetings_online(cast, tuesdays):
    meetings = meetings_of(tuesdays)

    services.suspend_series(tuesdays, by=cast.carol, from_on=meetings[1].local_date, place_only=True)

    assert [meeting.mode for meeting in meetings_of(tuesdays)] == ["in-person"] + ["online"] * 11


def test_past_meetings_stay_as_they_were(cast):
    series = make.series(cast.willow)
    past = make.meeting(cast.willow, series=series, starts_at=timezone.now() - timedelta(days=7), status="held")
    services.extend_series()
    series.start_time = "08:00"
    series.save()

    services.follow_series(series, by=cast.carol)

    as_now = Meeting.objects.get(pk=past.pk)
    assert (as_now.starts_at, as_now.status, as_now.sequence) == (past.starts_at, "held", 0)


def test_meeting_in_the_hour_the_clock_skips_is_made_once(cast, clock):
    series = make.series(cast.willow, weekdays=[6], start_time="02:30", from_on=MONDAY)
    services.extend_series(MeetingSeries.objects.filter(pk=series.pk))

    meeting = Meeting.objects.get(series=series, series_date=CLOCKS_CHANGE)
    assert meeting.local_start.strftime("%a %H:%M %Z") == "Sun 03:30 EDT"
    assert meeting.minutes == 90


def test_meeting_never_moves_onto_a_date_that_is_cancelled(cast):
    series = make.series(cast.willow, weekdays=[0, 2])
    services.extend_series()
    monday = next(meeting for meeting in meetings_of(series) if meeting.series_date.weekday() == 0)
    wednesday = Meeting.objects.get(series=series, series_date=monday.series_date + timedelta(days=2))
    services.cancel_meeting(monday, by=cast.carol, reason="closed")
    series.weekdays = [0]
    series.save()

    services.follow_series(series, by=cast.carol)

    assert Meeting.objects.get(pk=monday.pk).status == "cancelled"
    assert not Meeting.objects.filter(pk=wednesday.pk).exists()
    assert {meeting.series_date.weekday() for meeting in meetings_of(series)} == {0}


def test_meeting_cancelled_a_second_time_is_told_a_second_time(cast):
    series = make.series(cast.willow)
    services.extend_series()
    meeting = meetings_of(series)[2]
    make.participation(meeting, cast.mia)

    for _time in range(2):
        services.suspend_series(series, by=cast.carol, from_on=meeting.series_date, until_on=meeting.series_date)
        services.resume_series(series, by=cast.carol, on=meeting.series_date)

    assert Email.objects.filter(kind="cancelled", recipient=cast.mia).count() == 2


def test_meeting_on_again_is_told_and_a_place_free_goes_to_the_next_in_line(cast):
    series = make.series(cast.willow)
    services.extend_series()
    meeting = meetings_of(series)[2]
    make.participation(meeting, cast.mia)
    make.participation(meeting, cast.max, rsvp="waitlisted")
    services.suspend_series(series, by=cast.carol, from_on=meeting.series_date, until_on=meeting.series_date)

    services.resume_series(series, by=cast.carol, on=meeting.series_date)

    told = Email.objects.filter(about_id=meeting.pk).values_list("kind", "recipient")
    assert set(told) >= {("on_again", cast.mia.pk), ("on_again", cast.max.pk), ("offer", cast.max.pk)}


def test_offer_ends_with_the_start_when_the_meeting_moves_forward(cast):
    series = make.series(cast.willow, start_time="23:00")
    services.extend_series()
    meeting = meetings_of(series)[1]
    make.participation(meeting, cast.mia, rsvp="offered", offer_expires_at=meeting.starts_at)
    series.start_time = "22:00"
    series.save()

    services.follow_series(series, by=cast.carol)

    meeting.refresh_from_db()
    assert meeting.participations.get().offer_expires_at == meeting.starts_at


def test_series_in_no_time_zone_does_not_stop_the_others(cast):
    lost, other = make.series(cast.willow), make.series(cast.cedar)
    MeetingSeries.objects.filter(pk=lost.pk).update(time_zone="Mars/Base")

    services.extend_series()

    assert meetings_of(lost) == []
    assert meetings_of(other) != []
