"""The demonstration: enough to look at, believable, the same a second time, and never among real people."""

from collections import Counter
from datetime import timedelta
from importlib import import_module
from io import StringIO

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, F, Q
from django.utils import timezone

from groups.models import Acceptance, Group, Invitation, Membership
from meetings import demo
from meetings.log_models import SessionLog
from meetings.models import Meeting, MeetingSeries, Participation
from meetings.services import count_due_reminders, extend_series, fill_all_standing_places, resume_series
from members.models import Consent, Member
from outbox.models import WordingPeriod
from reports import wording_tests
from tests import make


@pytest.fixture(autouse=True)
def _local(settings):
    settings.LOCAL = True


def run(*words):
    out = StringIO()
    call_command("demo", *words, stdout=out)
    return out.getvalue()


def row_counts():
    return {model._meta.label: model.objects.count() for model in apps.get_models()}


@pytest.fixture
def made(db):
    run()


# --- When it runs -----------------------------------------------------------------------------------------------------


def test_second_run_changes_nothing(made):
    before = row_counts()

    assert run() == "The demonstration is there already.\n"
    assert row_counts() == before


def test_there_is_a_test_of_two_wordings_to_look_at(made):
    (test,) = wording_tests.exact(list(WordingPeriod.objects.tests().with_words()))

    for counts in (test.a, test.b):
        assert counts["people"] > 4  # of 39 or so, by chance
        assert counts["over"] == counts["sent"] > 20
        assert counts["came"] > counts["over"] / 2
    assert not test.is_open


def test_two_machines_get_the_same(db):
    def story():
        rows = Participation.objects.values_list("meeting__starts_at", "member__email", "rsvp", "attendance")
        return sorted(rows, key=str)

    with time_machine.travel("2026-11-21T18:00Z", tick=False):
        run()
        first = story()
        with connection.cursor() as cursor:  # signed logs are for good: nothing else takes them away
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("TRUNCATE groups_group, members_member CASCADE")
        import_module("groups.migrations.0002_add_house_rules_and_topics").add(apps, None)
        run()

    assert story() == first


def test_a_meeting_runs_and_logs_of_the_past_are_signed(made):
    counselor = Member.objects.get(email="counselor@example.org")
    running = Meeting.objects.get(run__isnull=False)

    assert running.starts_at < timezone.now() < running.ends_at
    assert running.participations.attended().count() == 4
    assert Member.objects.get(email="member@example.org") in [one.member for one in running.participations.all()]
    mine = Meeting.objects.visible_to(counselor)
    assert mine.log_overdue().count() < 5
    assert SessionLog.objects.signed().count() > 100


def test_other_people_keep_it_out_unless_forced(db):
    make.member("Vera")
    before = row_counts()

    with pytest.raises(CommandError, match="Members here that the demonstration did not make: 1"):
        run()
    assert row_counts() == before

    run("--force")
    assert demo.is_there()


def test_if_empty_leaves_anybody_in_peace_without_a_word(db):
    make.member("Vera")
    before = row_counts()

    assert run("--if-empty") == ""
    assert row_counts() == before


def test_if_empty_fills_an_empty_installation(db):
    run("--if-empty")

    assert demo.is_there()


@pytest.mark.parametrize("words", [[], ["--force"], ["--if-empty"], ["--accounts"]])
def test_never_where_others_can_reach_it(db, settings, words):
    settings.LOCAL = False
    before = row_counts()

    with pytest.raises(CommandError, match="LOCAL is off"):
        run(*words)
    assert row_counts() == before


# --- Who one can sign in as -------------------------------------------------------------------------------------------


def test_accounts_are_shown_and_work(rf, made):
    shown = run("--accounts")

    assert [line.split() for line in shown.splitlines()[1:-1]] == [
        [role, f"{role}@example.org", demo.PASSWORD] for role in ("member", "counselor", "coordinator", "reports")
    ]
    for role, email, _name in demo.ACCOUNTS:
        assert authenticate(rf.post("/"), email=email, password=demo.PASSWORD).role == role


def test_nobody_else_can_sign_in_with_a_password(made):
    accounts = [email for _role, email, _name in demo.ACCOUNTS]

    assert not [one for one in Member.objects.exclude(email__in=accounts) if one.has_usable_password()]


def test_no_accounts_are_shown_where_there_are_none(db):
    assert run("--accounts") == "There are no demonstration accounts here.\n"


def test_counselor_has_an_open_roster_and_requests_to_answer(made):
    groups = Group.objects.facilitated_by(Member.objects.get(email="counselor@example.org"))

    (meeting,) = Meeting.objects.roster_open().filter(group__in=groups)
    assert timezone.now() - meeting.starts_at < timedelta(hours=48)
    assert meeting.local_date == demo_today() - timedelta(days=1)
    assert meeting.participations.holding_a_place().count() >= 3
    assert not meeting.participations.exclude(attendance=None).exists()
    assert Membership.objects.requested().filter(group__in=groups).count() == 3


def test_member_has_a_place_tomorrow_and_a_meeting_to_answer(made):
    member = Member.objects.get(email="member@example.org")
    coming = Meeting.objects.upcoming().of_members_groups(member).in_order()

    assert coming[0].local_date == demo_today() + timedelta(days=1)
    assert coming[0].participations.get(member=member).rsvp == "going"
    assert coming.exclude(participations__member=member).exists()
    assert Consent.objects.standing().filter(member=member).exists()


@pytest.fixture
def heron(made, client):
    """The member one signs in as, on their way through the site."""
    heron = Member.objects.get(email="member@example.org")
    client.force_login(heron)
    client.member = heron
    return client


def page_of(client, slug):
    return client.get(f"/groups/{slug}/").content.decode()


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("evening-circle", "There are new ground rules."),
        ("steps-at-noon", "I come every week"),
        ("skills-for-hard-days", "You asked to join on "),
        ("family-and-friends", "Right now this group has no place for you."),
        ("morning-coffee", "You can join now"),
        ("round-table", "You are in this group."),
    ],
)
def test_every_state_of_a_groups_page_is_to_be_seen(heron, client, slug, words):
    assert words in page_of(heron, slug)


def test_closed_group_says_so_to_others_and_lets_one_in_by_the_link_that_is_shown(heron, client):
    robin = Member.objects.get(display_name="Robin")
    client.force_login(robin)
    link = run("--accounts").split()[-1]

    assert "by invitation only" in page_of(client, "round-table")
    assert "You are invited to Round Table" in client.get(link).content.decode()
    assert sorted(one.state for one in Invitation.objects.all()) == ["expired", "revoked", "usable", "used"]


def test_every_answer_is_to_be_seen(heron):
    mine = Participation.objects.filter(member=heron.member, meeting__in=Meeting.objects.upcoming())
    pages = {row.rsvp: heron.get(row.meeting.get_absolute_url()).content.decode() for row in mine}

    assert pages.keys() == {"going", "waitlisted", "offered", "declined"}
    assert "You have a place." in pages["going"]
    assert "on the waiting list." in pages["waitlisted"]
    assert "A place is kept for you." in pages["offered"]
    assert "You can’t make it this time." in pages["declined"]


def test_groups_with_parts_of_their_own_fill_the_time_they_meet(made):
    for slug, minutes in (("steps-at-noon", 60), ("morning-coffee", 90)):
        group = Group.objects.get(slug=slug)
        assert sum(phase.minutes for phase in group.phases.all()) == minutes == group.series.get().minutes


def test_who_comes_every_week_has_an_answer_for_every_coming_date(made):
    assert Membership.objects.filter(standing_rsvp=True).count() >= 5
    assert fill_all_standing_places() == 0


def demo_today():
    return timezone.now().astimezone(Meeting.objects.first().zone).date()


# --- What is there ----------------------------------------------------------------------------------------------------


def test_one_house_seven_groups_four_counselors_sixty_members(made):
    groups = Group.objects.all()

    assert Counter(Member.objects.values_list("role", flat=True)) == {
        "member": 60,
        "counselor": 4,
        "coordinator": 1,
        "reports": 1,
    }
    assert groups.count() == 7
    assert set(groups.values_list("kind", flat=True)) == set(Group.Kind.values)
    assert set(groups.values_list("mode", flat=True)) == set(Group.Mode.values)
    assert Counter(groups.values_list("language", flat=True)) == {"en": 6, "es": 1}
    assert EmailAddress.objects.filter(verified=True, primary=True, user__email=F("email")).count() == 66


def test_half_a_year_of_meetings_and_twelve_weeks_ahead(made):
    status = Counter(Meeting.objects.values_list("status", flat=True))

    assert status == {
        "held": 7 * 26 - 5 + 1,  # and the one that runs
        "cancelled": 3,
        "did_not_meet": 1,
        "scheduled": 1 + 6 * 12,
    }
    assert Meeting.objects.upcoming().count() == 6 * 12
    assert extend_series() == 0


def test_one_group_is_suspended_and_can_be_resumed(made):
    series = MeetingSeries.objects.get(group__slug="family-and-friends")

    assert not Meeting.objects.upcoming().filter(series=series).exists()
    assert resume_series(series, by=None, on=demo_today()) is True
    assert Meeting.objects.upcoming().filter(series=series).count() == 12


def test_coming_meetings_have_waiting_lists_only_where_they_are_full(made):
    waiting = Meeting.objects.upcoming().annotate(
        line=Count("participations", filter=Q(participations__rsvp="waitlisted"))
    )

    in_line = waiting.filter(line__gt=0)
    assert in_line.count() >= 3
    assert not in_line.filter(places_taken__lt=F("capacity")).exists()


def test_waiting_list_began_when_the_places_were_gone(made):
    for meeting in Meeting.objects.with_people_in_line():
        last_place = meeting.participations.filter(rsvp="going").latest("rsvp_at").rsvp_at
        assert meeting.participations.in_line().first().rsvp_at > last_place


def test_places_taken_are_those_held(made):
    for meeting in Meeting.objects.annotate(
        held=Count("participations", filter=Q(participations__rsvp__in=["going", "offered"]))
    ):
        assert meeting.places_taken == meeting.held


def test_attendance_is_believable(made):
    going = Participation.objects.filter(rsvp="going", meeting__status="held")
    came = going.attended().count() / going.count()
    kinds = set(Participation.objects.values_list("attendance", flat=True))

    assert 0.7 < came < 0.95
    assert kinds == {None, *Participation.Attendance.values}
    assert Participation.objects.attended().exclude(rsvp="going").count() > 10
    assert Meeting.objects.filter(headcount__gt=0).count() > 10
    assert not Participation.objects.exclude(attendance=None).exclude(meeting__status="held").exists()


def test_groups_grow_and_people_leave(made):
    held = Meeting.objects.filter(status="held")
    first, last = (
        Participation.objects.attended().filter(meeting__in=held.order_by(order)[:20]).count()
        for order in ("starts_at", "-starts_at")
    )

    assert last > 1.3 * first
    assert Membership.objects.filter(status="left").count() >= 10


def test_nobody_answers_or_comes_before_joining_or_after_leaving(made):
    for row in Participation.objects.select_related("meeting"):
        membership = Membership.objects.get(group=row.meeting.group_id, member=row.member_id)
        assert membership.joined_at <= (row.rsvp_at or row.recorded_at)
        assert membership.left_at is None or row.meeting.starts_at < membership.left_at


def test_no_answer_or_note_lies_in_the_future(made):
    now = timezone.now()

    assert not Participation.objects.filter(Q(rsvp_at__gt=now) | Q(recorded_at__gt=now)).exists()


def test_everybody_accepted_the_ground_rules_in_the_language_of_their_group(made):
    rules = dict(Acceptance.objects.values_list("member", "agreement__language"))
    members = Membership.objects.values_list("member", "group__language")

    assert {(member, rules[member]) for member, _language in members} == set(members)


def test_most_are_reminded_of_tomorrow(made):
    tomorrow = Meeting.objects.upcoming().in_order()[0]

    with time_machine.travel(tomorrow.starts_at - timedelta(hours=26), tick=False):
        assert count_due_reminders() > 3


def test_every_group_has_topics_in_its_language(made):
    spanish = Meeting.objects.filter(group__slug="en-compania").exclude(topic=None)

    assert set(spanish.values_list("topic__group__slug", flat=True)) == {"en-compania"}
    assert Meeting.objects.upcoming().exclude(topic=None).count() == 6 * 4


def test_words_put_the_person_first(made):
    avoid = (
        "addict",
        "alcoholic",
        "abuse",
        "clean",
        "dirty",
        "junkie",
        "sober",
        "slip",
        "failed",
        "patient",
        "no-show",
    )
    texts = [text for row in Group.objects.values_list("name", "description", "place", "place_notes") for text in row]
    texts += list(Meeting.objects.values_list("topic__name", flat=True)) + list(
        Meeting.objects.values_list("cancel_reason", flat=True)
    )

    assert not [text for text in texts for word in avoid if text and word in text.lower()]
