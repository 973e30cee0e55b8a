"""A town with many groups, each meeting once a week for twelve weeks, and somebody who is signed in."""

from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils import timezone

from groups.models import Group
from meetings.models import Meeting, MeetingSeries
from members.models import Member

WEEKS = 12
ZONES = ["America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York"]
NAMES = ["Harbor", "Garden", "Lantern", "Willow", "Cedar", "River", "Bridge", "Morning", "Evening", "Quiet"]
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
    """As the database is after a quiet night: its statistics and what is visible to everybody are up to date."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


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


def sign_in(**fields: object) -> tuple[Member, dict[str, str]]:
    """A member, and the headers their browser sends."""
    member = Member.objects.create(email="heron@example.org", display_name="Heron", **fields)
    member.set_unusable_password()
    member.save()
    session = SessionStore()
    session[SESSION_KEY] = str(member.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = member.get_session_auth_hash()
    session.save()
    return member, {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}
