"""Rows for tests, each valid as it stands: `make.meeting(group)` is a scheduled meeting in two days."""

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import count
from uuid import uuid4
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.utils import timezone

from groups.models import Agreement, Group, Membership
from groups.services import accept_agreement
from meetings.letter_models import AttendanceLetter, Disclosure
from meetings.message_models import GroupMessage
from meetings.models import Meeting, MeetingSeries, Participation
from meetings.note_models import Incident, RestrictedNote
from meetings.services import allow_disclosure, disclose_letter, issue_letter, send_message, write_incident, write_note
from members.models import Consent, Member, new_code
from members.services import give_consent

number = count(100)  # above what migrations number
version = count(100)  # of agreements: a column that ends at 32 767
PASSWORD = "a long and quiet river"


def member(name: str = "Kim", *, email: str = "", reminders: bool = False, **fields) -> Member:
    email = email or f"{name.lower()}{next(number)}@example.org"
    made = Member.objects.create_user(email, PASSWORD, display_name=name, **fields)
    EmailAddress.objects.create(user=made, email=email, verified=True, primary=True)
    if reminders:
        give_consent(made, Consent.Kind.REMINDERS)
    return made


def device(member: Member, client) -> UserSession:
    """Puts the session of this client in their list of devices, as signing in by the form does."""
    return UserSession.objects.create(
        user=member, session_key=client.session.session_key, ip="192.0.2.7", user_agent="A phone"
    )


def members(how_many: int) -> list[Member]:
    """Many at once, without passwords."""
    codes: set[str] = set()
    while len(codes) < how_many:  # among 10 000 two would be the same every twentieth time
        codes.add(new_code())
    made = Member.objects.bulk_create(
        Member(email=f"person{next(number)}@example.org", display_name=f"Person {n}", password="!", code=code)
        for n, code in enumerate(codes)
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=one, email=one.email, verified=True, primary=True) for one in made
    )
    return made


def group(**fields) -> Group:
    n = next(number)
    fields = {
        "name": f"Group {n}",
        "slug": f"group-{n}",
        "time_zone": "America/New_York",
        "area": "Riverside",
        "place": "Community house",
        "address": "12 Hidden Lane",
        "link": f"https://meet.example.org/hidden-room-{n}",
    } | fields
    return Group.objects.create(**fields)


def agreement(group: Group | None = None, **fields) -> Agreement:
    return Agreement.objects.create(group=group, **({"version": next(version), "text": "Be kind."} | fields))


def membership(group: Group, member: Member, **fields) -> Membership:
    fields = {"status": Membership.Status.ACTIVE, "joined_at": timezone.now() - timedelta(days=30)} | fields
    made = Membership.objects.create(group=group, member=member, **fields)
    accept_agreement(Agreement.objects.current_for(group), by=member)
    return made


def series(group: Group, **fields) -> MeetingSeries:
    today = timezone.now().astimezone(ZoneInfo(group.time_zone)).date()
    fields = {
        "weekdays": [today.weekday()],
        "start_time": "18:30",
        "minutes": 90,
        "time_zone": group.time_zone,
        "from_on": today - timedelta(weeks=26),
    } | fields
    made = MeetingSeries.objects.create(group=group, **fields)
    made.refresh_from_db()
    return made


def meeting(
    group: Group, *, starts_at: datetime | None = None, minutes: int = 90, series: MeetingSeries | None = None, **fields
) -> Meeting:
    starts_at = (starts_at or timezone.now() + timedelta(days=2)).replace(microsecond=0)
    local = starts_at.astimezone(ZoneInfo(group.time_zone))
    series = series or _series_for(group, local)
    return Meeting.objects.create(
        **{
            "group": group,
            "series": series,
            "series_date": local.date(),
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=minutes),
            "local_date": local.date(),
            "local_time": local.time(),
            "time_zone": group.time_zone,
            "mode": group.mode,
            "capacity": group.capacity,
        }
        | fields
    )


def _series_for(group: Group, local: datetime) -> MeetingSeries:
    return MeetingSeries.objects.create(
        group=group,
        weekdays=[local.weekday()],
        start_time=local.time(),
        minutes=90,
        time_zone=group.time_zone,
        from_on=local.date() - timedelta(weeks=26),
    )


def participation(meeting: Meeting, member: Member, rsvp: str | None = "going", **fields) -> Participation:
    now = timezone.now()
    fields = {"rsvp": rsvp, "rsvp_at": now if rsvp else None} | fields
    if rsvp == Participation.Rsvp.OFFERED:
        fields.setdefault("offer_expires_at", now + timedelta(hours=24))
    if fields.get("attendance"):
        fields.setdefault("recorded_at", now)
    return Participation.objects.create(meeting=meeting, member=member, **fields)


def letter(group: Group, member: Member, *, days_ago: Collection[int] = (7, 14)) -> AttendanceLetter:
    """A letter about meetings so many days ago, the first of which they came to late."""
    Group.objects.filter(pk=group.pk).update(gives_attendance_letters=True)
    now = timezone.now()
    for n, days in enumerate(days_ago):
        there = meeting(group, starts_at=now - timedelta(days=days))
        participation(there, member, attendance="present" if n else "late")
    made = issue_letter(group, by=member, first=now.date() - timedelta(days=300), last=now.date())
    assert made is not None
    return made


def disclosure(letter: AttendanceLetter, *, by: Member) -> Disclosure:
    """A letter that its member let go to a court, made ready for it."""
    consent = allow_disclosure(
        letter,
        by=letter.member,
        recipient="County court",
        purpose="to show that I came",
        expires_at=timezone.now() + timedelta(days=30),
    )
    made = disclose_letter(letter, consent.pk, by=by)
    assert made is not None
    return made


def message(group: Group, *, by: Member, text: str = "Please come in by the door on the left.") -> GroupMessage:
    made = send_message(uuid4(), group, by=by, text=text, audience="members")
    assert made is not None
    return made


def note(meeting: Meeting, *, by: Member, text: str = "A quiet word about the lanterns.") -> RestrictedNote:
    made = write_note(meeting, text, by=by)
    assert made is not None
    return made


def incident(meeting: Meeting, *, by: Member, text: str = "Two people shouted about the lanterns.") -> Incident:
    made = write_incident(
        meeting,
        text,
        by=by,
        kind="conflict",
        steps=["paused", "talked"],
        told=["coordinator"],
        follow_up_on=meeting.local_date + timedelta(days=3),
    )
    assert made is not None
    return made
