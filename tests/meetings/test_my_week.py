"""My week: what is next, what has changed, my groups; and the list of meetings I came to."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from groups.models import Agreement, Group, Membership
from meetings.models import Meeting
from members.models import Member
from tests import make

HOUR = timedelta(hours=1)


@pytest.fixture
def mia(cast, sign_in):
    Member.objects.update(joined_at=timezone.now() - timedelta(days=60))
    return sign_in(cast.mia)


def week(client):
    return client.get(reverse("my_week"))


def text(page):
    return page.content.decode()


def test_next_meeting_stands_with_place_time_here_and_answers(cast, mia):
    make.participation(cast.willow_meeting, cast.mia)
    mia.cookies["time_zone"] = ""
    Member.objects.filter(pk=cast.mia.pk).update(time_zone="America/Los_Angeles")

    page = week(mia)

    assert page.context["next_meeting"] == cast.willow_meeting
    for words in ("12 Hidden Lane", "Your time: ", "I can’t make it", "You have a place."):
        assert words in text(page)
    assert "hidden-room" not in text(page)


def test_link_of_the_next_meeting_shows_in_its_last_hour_to_those_with_a_place_alone(cast, sign_in):
    online = make.group(mode=Group.Mode.ONLINE)
    for member in (cast.mia, cast.max):
        make.membership(online, member)
    soon = make.meeting(online, starts_at=timezone.now() + 0.5 * HOUR)
    make.participation(soon, cast.mia)
    make.participation(soon, cast.max, "waitlisted")

    assert "hidden-room" in text(week(sign_in(cast.mia)))
    assert "hidden-room" not in text(week(sign_in(cast.max)))
    Meeting.objects.filter(pk=soon.pk).update(starts_at=timezone.now() + 2 * HOUR, ends_at=timezone.now() + 3 * HOUR)
    assert "hidden-room" not in text(week(sign_in(cast.mia)))


def test_news_tells_what_changed_and_stays_until_it_is_put_away(cast, mia):
    now = timezone.now()
    make.participation(make.meeting(cast.willow, status="cancelled", changed_at=now), cast.mia)
    make.participation(make.meeting(cast.willow, changed_at=now, starts_at=now + timedelta(days=3)), cast.mia)
    make.participation(make.meeting(cast.willow, changed_at=now, starts_at=now + timedelta(days=4)), cast.max)
    Membership.objects.filter(member=cast.mia).update(decided_at=now)
    make.agreement(cast.willow)

    page = week(mia)
    news = week(mia).context["news"]
    assert {name: len(rows) for name, rows in news.items()} == {"offers": 0, "changed": 2, "answered": 1, "rules": 1}
    assert Member.objects.get(pk=cast.mia.pk).week_seen_at is None

    mia.post(reverse("meetings:week_seen"), {"shown_at": page.context["shown_at"]})
    assert week(mia).context["news"] == {}
    assert "New ground rules to read" in text(week(mia))


def test_what_came_in_after_the_page_was_shown_is_still_new(cast, mia):
    shown_at = week(mia).context["shown_at"]
    make.participation(make.meeting(cast.willow, status="cancelled", changed_at=timezone.now()), cast.mia)

    mia.post(reverse("meetings:week_seen"), {"shown_at": shown_at})

    assert len(week(mia).context["news"]["changed"]) == 1


@pytest.mark.parametrize("shown_at", ["", "yesterday", "2026-01-01T00:00:00"])
def test_no_time_of_a_page_puts_nothing_away(cast, mia, shown_at):
    assert mia.post(reverse("meetings:week_seen"), {"shown_at": shown_at}).status_code == 400


def test_time_to_come_puts_nothing_away(cast, mia):
    mia.post(reverse("meetings:week_seen"), {"shown_at": (timezone.now() + HOUR).isoformat()})

    assert Member.objects.get(pk=cast.mia.pk).week_seen_at is None


def test_place_kept_for_somebody_stays_new_until_they_answer(cast, mia):
    now = timezone.now()
    make.participation(cast.willow_meeting, cast.mia, "offered", offer_expires_at=now + HOUR)
    mia.post(reverse("meetings:week_seen"), {"shown_at": now.isoformat()})

    assert len(week(mia).context["news"]["offers"]) == 1


def test_return_after_a_gap_is_warm_and_one_tap_from_a_place(cast, mia):
    make.participation(make.meeting(cast.willow, starts_at=timezone.now() - timedelta(weeks=6)), cast.mia)

    page = week(mia)

    assert "Good to see you again, Mia" in text(page)
    assert page.context["next_seat"] == cast.willow_meeting
    mia.post(reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": "going"})
    assert cast.willow_meeting.participations.get().rsvp == "going"
    assert "Hello, Mia" in text(week(mia))


def test_whoever_has_nothing_yet_sees_the_next_step(cast, sign_in):
    page = week(sign_in(cast.vera))

    assert "A good next step" in text(page)
    assert page.context["news"] == {}
    assert cast.vera.code in text(page)


def test_groups_say_what_stands_and_what_is_to_read(cast, mia):
    Membership.objects.filter(member=cast.mia).update(is_muted=True, standing_rsvp=True, standing_since=timezone.now())
    make.membership(cast.cedar, cast.mia, status="requested", joined_at=None)

    page = text(week(mia))

    for words in ("a place every week", "no reminders", "asked to join"):
        assert words in page
    assert "New ground rules" not in page


@pytest.mark.parametrize("how_many", [3, 300])
def test_week_costs_the_same_for_few_and_many(cast, mia, how_many, django_assert_num_queries):
    now = timezone.now()
    for n in range(how_many):
        meeting = make.meeting(cast.willow, starts_at=now + timedelta(hours=1, minutes=n), changed_at=now)
        make.participation(meeting, cast.mia)
        if n % 10 == 0:
            group = make.group()
            make.agreement(group)
            Membership.objects.create(group=group, member=cast.mia, status="active", joined_at=now)

    with django_assert_num_queries(10):
        week(mia)


def test_attendance_lists_only_what_i_came_to_by_month(cast, mia):
    def was(weeks, member, attendance):
        meeting = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(weeks=weeks), status="held")
        return make.participation(meeting, member, attendance=attendance, recorded_at=timezone.now())

    came = [was(1, cast.mia, "late"), was(6, cast.mia, "present")]
    was(2, cast.mia, "absent")
    was(3, cast.max, "present")

    page = mia.get(reverse("meetings:my_attendance"))

    assert list(page.context["page"]) == came
    assert "You came to 2 meetings." in text(page)
    assert "late" not in text(page).split("<main")[1].split("</main")[0].replace("Later", "")


@pytest.mark.parametrize("how_many", [3, 300])
def test_attendance_costs_the_same_for_few_and_many_and_shows_fifty(cast, mia, how_many, django_assert_num_queries):
    now = timezone.now()
    for n in range(how_many):
        meeting = make.meeting(cast.willow, starts_at=now - timedelta(hours=n + 3), status="held")
        make.participation(meeting, cast.mia, attendance="present", recorded_at=now)

    with django_assert_num_queries(4):
        page = mia.get(reverse("meetings:my_attendance"))

    assert len(page.context["page"]) == min(how_many, 50)


def test_nothing_attended_yet_is_said_gently(cast, mia):
    assert "Nothing here yet." in text(mia.get(reverse("meetings:my_attendance")))


def test_rules_for_each_group_are_those_for_one(db):
    """The question for many groups answers as the one for a single group does."""
    own, spanish, house = make.group(), make.group(language="es"), make.group()
    for group, language, version in [
        (None, "en", 7),
        (None, "es", 7),
        (None, "en", 8),
        (own, "es", 3),
        (own, "en", 1),
        (own, "en", 2),
    ]:
        make.agreement(group, language=language, version=version)
    groups = [own, spanish, house]

    found = Agreement.objects.current_for_each(groups)

    assert found == {group.pk: Agreement.objects.current_for(group) for group in groups}
