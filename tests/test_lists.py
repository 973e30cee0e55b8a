"""What is shown costs the same, however much there is: every list of the site, with 3 and with 300 rows."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import outbox.services as outbox
from audit.services import record
from centre.models import Question
from groups.models import Agreement, Facilitator, Group, Membership, Topic
from meetings.letter_models import AttendanceLetter
from meetings.log_models import SessionLog
from meetings.models import Meeting, MeetingSeries, Outreach, Participation
from outbox.models import Email, Wording, WordingPeriod
from tests import make

FIND = reverse("meetings:meeting_list")

# Whose page, its address and how many statements it takes.
PAGES = {
    "home": ("visitor", "/", 2),
    "home of a member": ("mia", "/", 3),
    "find": ("visitor", FIND, 2),
    "find of a member": ("mia", FIND, 3),
    "find, filtered": ("mia", f"{FIND}?q=group&mode=in-person&places=1", 4),
    "find, nothing": ("mia", f"{FIND}?q=group&kind=family&mode=online&language=es", 5),
    "week as a table": ("mia", f"{FIND}?view=week", 4),
    "group": ("visitor", "/groups/willow/", 7),
    "group of a member": ("mia", "/groups/willow/", 12),
    "group of its counselor": ("carol", "/groups/willow/", 11),
    "my week": ("mia", "/my/", 10),
    "my attendance": ("mia", "/my/attendance/", 4),
    "my reminders": ("mia", "/my/reminders/", 10),
    "settings": ("mia", "/my/settings/", 2),
    "reports": ("olga", "/reports/", 2),
    "attendance": ("olga", "/reports/attendance/", 5),
    "tests of wordings": ("olga", "/reports/wording/", 5),
    "tests of wordings, sums only": ("rita", "/reports/wording/", 5),
    "wording": ("olga", "/admin/wording/", 3),
    "wording of a mail": ("olga", "/admin/wording/moved/en/", 6),
    "wording, to write": ("olga", "/admin/wording/moved/en/write/", 4),
    "wording, to look at": ("olga", "/admin/wording/moved/en/3/", 7),
    "admin": ("olga", "/admin/", 14),
    "admin of a counselor": ("carol", "/admin/", 14),
    "admin, contacts": ("olga", "/admin/meetings/outreach/", 6),
    "admin, groups": ("olga", "/admin/groups/group/", 5),
    "admin, memberships": ("olga", "/admin/groups/membership/", 7),
    "admin, participations": ("olga", "/admin/meetings/participation/", 5),
    "admin, schedules": ("olga", "/admin/meetings/meetingseries/", 6),
    "admin, logs": ("olga", "/admin/meetings/sessionlog/", 7),
    "admin, letters": ("olga", "/admin/meetings/attendanceletter/", 7),
    "admin, topics": ("olga", "/admin/groups/topic/", 5),
    "admin, ground rules": ("olga", "/admin/groups/agreement/", 5),
    "admin, meetings": ("olga", "/admin/meetings/meeting/", 7),
    "admin, members": ("olga", "/admin/members/member/", 4),
    "admin, questions": ("olga", "/admin/centre/question/", 5),
    "admin, mail": ("olga", "/admin/outbox/email/", 6),
    "admin, what was done": ("sam", "/admin/audit/auditevent/", 4),
}


def fill(cast, how_many: int) -> None:
    """So many of everything: groups that meet now and soon, people in Willow, dates of Willow, questions, mail."""
    now = timezone.now().replace(microsecond=0)
    groups = Group.objects.bulk_create(
        Group(name=f"Group {n}", slug=f"many-{n}", time_zone="America/New_York", area="Riverside")
        for n in range(how_many)
    )
    MeetingSeries.objects.bulk_create(
        MeetingSeries(
            group=group,
            weekdays=[0],
            start_time="18:30",
            minutes=90,
            time_zone=group.time_zone,
            from_on=now.date() - timedelta(weeks=20),
        )
        for group in [*groups, cast.willow]
    )
    series = {one.group_id: one for one in MeetingSeries.objects.all()}

    def date(group, n, *, ago=timedelta(), **fields):
        starts_at = now + timedelta(days=1, minutes=n) - ago
        return Meeting(
            group=group,
            series=series[group.pk],
            series_date=(now - timedelta(days=n)).date() if ago else (now + timedelta(days=n + 4)).date(),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=90),
            local_date=starts_at.date(),
            local_time=starts_at.time(),
            time_zone=group.time_zone,
            mode=group.mode,
            capacity=12,
            **fields,
        )

    begun = timedelta(days=1, minutes=10 + how_many)  # every one of them has just begun
    coming = Meeting.objects.bulk_create(
        [
            *(date(group, n) for n, group in enumerate(groups)),
            *(date(group, n % 5, ago=begun - timedelta(minutes=how_many)) for n, group in enumerate(groups)),
            *(date(cast.willow, n, changed_at=now) for n in range(how_many)),
        ]
    )
    held = Meeting.objects.bulk_create(
        date(cast.willow, n, ago=timedelta(days=3 + n), status="held") for n in range(how_many)
    )
    people = make.members(how_many)
    for group in groups:
        Membership(group=group, member=cast.mia)
    Membership.objects.bulk_create(
        [
            *(Membership(group=cast.willow, member=one, status="active", joined_at=now) for one in people),
            *(Membership(group=group, member=cast.mia, status="active", joined_at=now) for group in groups),
        ]
    )
    Facilitator.objects.bulk_create(Facilitator(group=cast.willow, member=one) for one in people[:6])
    Participation.objects.bulk_create(
        [
            *(Participation(meeting=one, member=cast.mia, rsvp="going", rsvp_at=now) for one in coming),
            *(Participation(meeting=one, member=cast.mia, attendance="present", recorded_at=now) for one in held),
        ]
    )
    Meeting.objects.filter(pk__in=[one.pk for one in held]).update(capacity=400)
    missed = {"rsvp": "going", "rsvp_at": now, "attendance": "absent", "recorded_at": now}
    Participation.objects.bulk_create(
        Participation(meeting=meeting, member=one, **missed) for one in people for meeting in held[:2]
    )
    SessionLog.objects.bulk_create(
        SessionLog(
            meeting=one,
            started_at=one.starts_at,
            ended_at=one.ends_at,
            mode="online",
            facilitators=["Carol"],
            headcount=3,
            saved_at=one.ends_at,
            written_by=cast.carol,
        )
        for one in held
    )
    AttendanceLetter.objects.bulk_create(
        AttendanceLetter(
            member=one, group=cast.willow, name="Kim", group_label="Tuesdays", facilitator="Carol", issued_at=now
        )
        for one in people
    )
    Outreach.objects.bulk_create(
        Outreach(meeting=held[-1], member=one, contacted_by=cast.carol, contacted_at=now) for one in people
    )
    Topic.objects.bulk_create(Topic(name=f"Topic {n}", group=group) for n, group in enumerate(groups))
    Agreement.objects.bulk_create(
        Agreement(group=group, version=9000 + n, text="Kind.") for n, group in enumerate(groups)
    )
    Question.objects.bulk_create(
        Question(token=f"t{n}", message="?", group=group, taken_by=cast.olga, taken_at=now)
        for n, group in enumerate(groups)
    )
    outbox.queue("x", [one.pk for one in people], about_id=cast.willow_meeting.pk, fact="1", expires_at=now)
    for one in people:
        record("member.role", one, by=cast.olga, role="member")
    words = Wording.objects.bulk_create(
        Wording(letter="moved", language="en", number=n, subject="x", opening="{when}", written_by=cast.olga)
        for n in range(1, how_many + 1)
    )
    periods = WordingPeriod.objects.bulk_create(
        WordingPeriod(
            letter="moved", language="en", b=one, is_test=True, began_by=cast.olga, ended_by=cast.olga, ended_at=now
        )
        for one in words
    )
    Email.objects.filter(kind="x").update(state="sent", sent_at=now, wording_period=periods[0], variant="A")


@pytest.mark.parametrize("how_many", [3, 300])
def test_lists_cost_the_same_whatever_there_is(cast, sign_in, how_many):
    fill(cast, how_many)
    clients = {name: sign_in(getattr(cast, name, None)) for name in {who for who, _, _ in PAGES.values()}}
    statements = {}

    for name, (who, address, _) in PAGES.items():
        clients[who].get(address)  # what is remembered for everybody
        for _again in range(2):
            with CaptureQueriesContext(connection) as asked:
                status = clients[who].get(address).status_code
            if not any('UPDATE "django_session"' in one["sql"] for one in asked.captured_queries):
                break  # else its session was a minute old by now, and was kept
        statements[name] = len(asked) if status == 200 else status

    wrong = {
        name: f"{statements[name]}, not {number}"
        for name, (_, _, number) in PAGES.items()
        if statements[name] != number
    }
    assert wrong == {}
