"""A town with many groups, each meeting once a week for twelve weeks, and somebody who is signed in."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from random import Random
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from groups.models import Acceptance, Agreement, Group, Membership
from meetings.models import Meeting, MeetingSeries, Participation
from members import session_limits
from members.models import Member
from members.services import open_calendar

WEEKS = 12
ZONES = ["America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York"]
NAMES = ["Harbor", "Garden", "Lantern", "Willow", "Cedar", "River", "Bridge", "Morning", "Evening", "Quiet"]
FORM_KEY = "k" * 32
AREAS = ["Old Town", "Riverside", "North Side", "Mill District", "West End"]


def build(upcoming: int) -> None:
    """So many coming meetings, in groups of every kind. The same for each run but for the day it begins on."""
    chance = Random("a town by the river")
    groups = Group.objects.bulk_create(_group(number, chance) for number in range(-(-upcoming // WEEKS)))
    today = timezone.now().date() + timedelta(days=1)
    last = today + timedelta(weeks=WEEKS, days=-1)
    series = MeetingSeries.objects.bulk_create(
        MeetingSeries(
            group=group,
            weekdays=[(today + timedelta(days=chance.randrange(7))).weekday()],
            start_time=time(chance.randrange(6, 23), chance.choice([0, 15, 30])),
            time_zone=group.time_zone,
            from_on=today,
        )
        for group in groups
    )
    meetings = [_meeting(one, on, chance) for one in series for on in one.dates(today, last)]
    Meeting.objects.bulk_create(meetings[:upcoming], batch_size=2000)
    settle()


def settle() -> None:
    """As the database is after a quiet night: its statistics and what is visible to everybody are up to date.

    In the transaction of a test, which cannot do that, the statistics alone.
    """
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.in_atomic_block else "VACUUM ANALYZE")


def _group(number: int, chance: Random) -> Group:
    return Group(
        name=f"{chance.choice(NAMES)} {chance.choice(NAMES)} {number}",
        slug=f"group-{number}",
        description="A calm round. We check in, take up one topic, and everyone who wants to shares.",
        kind=chance.choice(Group.Kind.values),
        audience=chance.choice(Group.Audience.values),
        mode=chance.choice(Group.Mode.values),
        language=chance.choice([code for code, _ in settings.LANGUAGES]),
        time_zone=chance.choice(ZONES),
        area=chance.choice(AREAS),
        place="Community house",
        is_wheelchair_accessible=chance.random() < 0.5,
        capacity=12,
    )


def _meeting(series: MeetingSeries, on, chance: Random) -> Meeting:
    start = datetime.combine(on, series.start_time, tzinfo=ZoneInfo(series.time_zone))
    return Meeting(
        group=series.group,
        series=series,
        series_date=on,
        starts_at=start,
        ends_at=start + timedelta(minutes=90),
        local_date=on,
        local_time=series.start_time,
        time_zone=series.time_zone,
        mode=series.group.mode,
        capacity=12,
        places_taken=chance.randrange(13),
    )


def sign_in() -> tuple[Member, dict[str, str]]:
    """A member, and the headers their browser sends."""
    ((member, headers),) = sign_in_many(["Heron"])
    return member, headers


def sign_in_many(names: Iterable[str]) -> list[tuple[Member, dict[str, str]]]:
    """Members who signed in a moment ago, each with the headers of their browser, the key of its forms included."""
    members = Member.objects.bulk_create(
        Member(email=f"{name.lower()}@example.org", display_name=name, password=make_password(None)) for name in names
    )
    sessions = [_session(member) for member in members]
    Session.objects.bulk_create(sessions)
    return [
        (member, {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.pk}; {settings.CSRF_COOKIE_NAME}={FORM_KEY}"})
        for member, session in zip(members, sessions, strict=True)
    ]


def _session(member: Member) -> Session:
    store = SessionStore()
    store[SESSION_KEY] = str(member.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = member.get_session_auth_hash()
    session_limits.begin(store)
    store._session_key = store._get_new_session_key()  # type: ignore[attr-defined]  # the stubs leave it out
    return cast(Session, store.create_model_instance(dict(store.items())))


def calendar_of(member: Member, *, meetings: int) -> str:
    """Give a member places at so many coming meetings; returns the address of their calendar."""
    now = timezone.now()
    free = Meeting.objects.upcoming().filter(places_taken__lt=F("capacity")).in_order()[:meetings]
    Participation.objects.bulk_create(
        Participation(meeting=meeting, member=member, rsvp=Participation.Rsvp.GOING, rsvp_at=now) for meeting in free
    )
    open_calendar(member)
    member.refresh_from_db()
    settle()
    return reverse("meetings:calendar_feed", args=[member.calendar_token])


def hot_meeting(members: Iterable[Member], *, capacity: int) -> Meeting:
    """The one meeting that all of these want to come to, in a group of theirs whose ground rules they know."""
    meeting = Meeting.objects.upcoming().in_order()[0]
    Meeting.objects.filter(pk=meeting.pk).update(capacity=capacity, places_taken=0)
    rules = Agreement.objects.current_for(meeting.group)
    now = timezone.now()
    Membership.objects.bulk_create(
        Membership(group=meeting.group, member=member, status=Membership.Status.ACTIVE, joined_at=now)
        for member in members
    )
    if rules:
        Acceptance.objects.bulk_create(Acceptance(agreement=rules, member=member) for member in members)
    settle()
    return meeting


# --- Reminders: a whole town that meets tomorrow ----------------------------------------------------------------------

IN_GROUP = 10

# In SQL: Django would take longer to make these people than to write to them.
PEOPLE = """
INSERT INTO members_member (id, code, email, display_name, role, language, time_zone, text_size, password, is_active,
    is_superuser, joined_at)
SELECT gen_random_uuid(), 'M-' || n, 'heron' || n || '@example.org', 'Heron', 'member',
    CASE n %% 4 WHEN 0 THEN 'es' ELSE 'en' END, '', 'normal', '!', true, false, now() - interval '90 days'
FROM generate_series(1, %s) AS n
RETURNING id
"""
ADDRESSES = """
INSERT INTO account_emailaddress (user_id, email, verified, "primary")
SELECT id, email, true, true FROM members_member
"""
MEMBERSHIPS = """
INSERT INTO groups_membership (group_id, member_id, status, standing_rsvp, is_muted, requested_at, joined_at)
SELECT (%s::bigint[])[place %% array_length(%s::bigint[], 1) + 1], id, 'active', false, false, joined_at, joined_at
FROM unnest(%s::uuid[]) WITH ORDINALITY AS people (id, place) JOIN members_member USING (id)
"""
ANSWERS = """
INSERT INTO meetings_participation (meeting_id, member_id, rsvp, rsvp_at)
SELECT meeting.id, member_id, 'going', now() - interval '9 days'
FROM groups_membership JOIN meetings_meeting AS meeting USING (group_id)
WHERE groups_membership.id % 2 = 0
"""
CONSENTS = """
INSERT INTO members_consent (member_id, kind, text, text_hash, language, given_at)
SELECT id, 'reminders', 'yes', '0', 'en', now() FROM unnest(%s::uuid[]) AS id
"""


def with_reminders_due(people: int) -> list[UUID]:
    """So many people, ten in a group, each to be reminded of one meeting of tomorrow as soon as they agree to it; in
    four zones where it is about noon. Half have a place, a quarter read Spanish.
    """
    chance = Random("a town by the sea")
    zones = _zones_where_it_is_noon()
    groups = Group.objects.bulk_create(_group(number, chance) for number in range(-(-people // IN_GROUP)))
    tomorrow = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=26)
    series = []
    for number, group in enumerate(groups):
        zone = zones[number % len(zones)]
        start = (tomorrow + timedelta(minutes=15 * chance.randrange(80))).astimezone(ZoneInfo(zone))
        series.append(
            MeetingSeries(
                group=group,
                weekdays=[start.weekday()],
                start_time=start.time(),
                time_zone=zone,
                from_on=start.date(),
            )
        )
    MeetingSeries.objects.bulk_create(series)
    meetings = [_meeting(one, one.from_on, chance) for one in series]
    for meeting in meetings:
        meeting.places_taken = 0
    Meeting.objects.bulk_create(meetings, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [people])
        ids = [row[0] for row in cursor.fetchall()]
        group_ids = [group.pk for group in groups]
        cursor.execute(ADDRESSES)
        cursor.execute(MEMBERSHIPS, [group_ids, group_ids, ids])
        cursor.execute(ANSWERS)
    settle()
    return ids


def agree_to_reminders(people: list[UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CONSENTS, [people])
    settle()


def _zones_where_it_is_noon() -> list[str]:
    """Zones where it will not be evening before the measuring ends, whatever the hour is here."""
    hour = timezone.now().hour
    return [f"Etc/GMT{-ahead:+d}" for ahead in range(-12, 12) if (hour + ahead) % 24 in (11, 12, 13, 14)]


# What these groups did in other weeks and will do, everybody having a place each time.
OTHER_WEEKS = """
INSERT INTO meetings_meeting (id, group_id, series_id, series_date, starts_at, ends_at, local_date, local_time,
    time_zone, mode, status, capacity, places_taken, headcount, cancel_reason, sequence)
SELECT gen_random_uuid(), group_id, series_id, series_date + 7 * week, starts_at + 7 * week * interval '1 day',
    ends_at + 7 * week * interval '1 day', local_date + 7 * week, local_time, time_zone, mode, status, capacity, 0, 0,
    '', 0
FROM meetings_meeting CROSS JOIN generate_series(%s, %s) AS week
WHERE week <> 0
"""
ANSWERS_OF_ALL = """
INSERT INTO meetings_participation (meeting_id, member_id, rsvp, rsvp_at)
SELECT meeting.id, member_id, 'going', now() - interval '9 days'
FROM groups_membership JOIN meetings_meeting AS meeting USING (group_id)
ON CONFLICT DO NOTHING
"""


def through_the_years(*, weeks_before: int, weeks_after: int) -> int:
    """The same people at every meeting of so many weeks. Returns how many participations there are then."""
    with connection.cursor() as cursor:
        cursor.execute(OTHER_WEEKS, [-weeks_before, weeks_after])
        cursor.execute(ANSWERS_OF_ALL)
    return Participation.objects.count()
