"""The first page of the admin: the work of today for each role, and nothing of other people's groups."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from groups.models import Membership
from meetings import services
from meetings.models import Outreach
from outbox.models import Email
from tests import make
from tests.admin_pages import messages_of

CONTACTED = "/admin/meetings/outreach/contacted/"


def parts(client) -> dict:
    return {part.name: part.facts for part in client.get("/admin/").context["parts"]}


def ago(**time):
    return timezone.now() - timedelta(**time)


def held(group, days: int, **attendance):
    """A meeting so many days ago, with who was noted how."""
    meeting = make.meeting(group, starts_at=ago(days=days), status="held")
    for member, how in attendance.values():
        make.participation(meeting, member, attendance=how)
    return meeting


def missed_twice(group, member):
    return [held(group, days, one=(member, "absent")) for days in (14, 7)]


def test_each_role_has_its_parts(cast, sign_in):
    work = ["week", "rosters", "logs", "requests", "outreach", "nearly-full"]

    assert list(parts(sign_in(cast.carol))) == work
    assert list(parts(sign_in(cast.olga))) == [*work, "mail"]
    assert list(parts(sign_in(cast.sam))) == ["week", "mail"]


def test_incidents_with_a_step_still_due_are_shown_to_those_who_run_the_group(cast, sign_in):
    due = make.incident(cast.willow_meeting, by=cast.carol)
    make.incident(cast.cedar_meeting, by=cast.dan)
    done = make.incident(cast.willow_meeting, by=cast.carol)
    services.follow_up_incident(done, by=cast.carol)

    carol = sign_in(cast.carol)

    assert parts(carol)["incidents"]["rows"] == [due]
    assert f"/incidents/{due.pk}/" in carol.get("/admin/").content.decode()
    assert len(parts(sign_in(cast.olga))["incidents"]["rows"]) == 2
    assert "incidents" not in parts(sign_in(cast.sam))
    services.follow_up_incident(due, by=cast.carol)
    assert "incidents" not in parts(carol)


def test_everything_is_said_when_there_is_nothing(db, sign_in):
    page = sign_in(make.member("Olga", role="coordinator")).get("/admin/").content.decode()

    for words in (
        "No meeting this week.",
        "None. Who came is noted for every meeting.",
        "None is late.",
        "Nobody waits for an answer.",
        "Nobody at the moment.",
        "None. The next meetings have places left.",
        "None in the last 14 days.",
    ):
        assert words in page


def test_week_shows_ones_own_meetings_with_how_many_come(cast, sign_in):
    make.participation(cast.willow_meeting, cast.mia)
    make.participation(cast.willow_meeting, cast.max, "waitlisted")
    make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=8))
    page = sign_in(cast.carol).get("/admin/")
    days = {part.name: part.facts for part in page.context["parts"]}["week"]["days"]

    assert [[row["meeting"] for row in day["rows"]] for day in days] == [[cast.willow_meeting]]
    assert (days[0]["rows"][0]["going"], days[0]["rows"][0]["waiting"], days[0]["is_today"]) == (1, 1, False)
    assert f"/meetings/{cast.willow_meeting.pk}/roster/" in page.content.decode()
    assert "Cedar" not in page.content.decode()


def test_today_is_the_day_where_the_group_meets(cast, sign_in, time_machine):
    time_machine.move_to("2026-11-22T04:30:00Z", tick=False)  # still Saturday, half past eleven in New York
    this_morning = make.meeting(cast.willow, starts_at=ago(hours=14), status="held")
    make.meeting(cast.willow, starts_at=ago(hours=26), status="held")

    days = parts(sign_in(cast.carol))["week"]["days"]

    assert [(day["is_today"], [row["meeting"] for row in day["rows"]]) for day in days][:1] == [(True, [this_morning])]


def test_superuser_finds_no_way_to_a_roster(cast, sign_in):
    page = sign_in(cast.sam).get("/admin/").content.decode()

    assert "Willow evening" in page
    assert "/roster/" not in page


def test_rosters_requests_and_full_groups_are_ones_own(cast, sign_in):
    for group in (cast.willow, cast.cedar):
        make.membership(group, cast.vera, status=Membership.Status.REQUESTED)
    open_rosters = [make.meeting(group, starts_at=ago(days=1)) for group in (cast.willow, cast.cedar)]
    for meeting in (cast.willow_meeting, cast.cedar_meeting):
        meeting.capacity = 1
        meeting.save()
    make.participation(cast.willow_meeting, cast.mia)
    make.participation(cast.cedar_meeting, cast.nora)

    said = parts(sign_in(cast.carol))
    every = parts(sign_in(cast.olga))

    assert [row["meeting"] for row in said["rosters"]["rows"]] == open_rosters[:1]
    assert [row.group for row in said["requests"]["rows"]] == [cast.willow]
    assert [row["meeting"] for row in said["nearly-full"]["rows"]] == [cast.willow_meeting]
    assert [len(every[name]["rows"]) for name in ("rosters", "requests", "nearly-full")] == [2, 2, 2]


def test_group_with_places_left_does_not_fill_up(cast, sign_in, settings):
    cast.willow_meeting.capacity = 2
    cast.willow_meeting.save()
    make.participation(cast.willow_meeting, cast.mia)

    assert parts(sign_in(cast.carol))["nearly-full"]["rows"] == []
    settings.NEARLY_FULL_PERCENT = 50
    assert len(parts(sign_in(cast.carol))["nearly-full"]["rows"]) == 1


def test_log_not_signed_in_three_business_days_is_to_be_signed_by_ones_own_counselors(cast, sign_in):
    late = make.meeting(cast.willow, starts_at=ago(days=8), status="held")
    make.meeting(cast.willow, starts_at=ago(hours=3), status="held")
    make.meeting(cast.cedar, starts_at=ago(days=8), status="held")

    assert [row["meeting"] for row in parts(sign_in(cast.carol))["logs"]["rows"]] == [late]


def test_mail_that_did_not_arrive_is_counted_for_coordinators(cast, sign_in):
    facts = {"recipient": cast.mia, "kind": "x", "about_id": cast.willow_meeting.pk, "fact": "1"}
    for key, state in enumerate(["failed", "bounced", "sent"]):
        times = {"sent_at": timezone.now()} if state == "sent" else {}
        Email.objects.create(key=str(key), state=state, expires_at=timezone.now(), **times, **facts)

    assert parts(sign_in(cast.olga))["mail"]["count"] == 2


# --- People to reach out to -------------------------------------------------------------------------------------------


def to_reach(staff) -> list:
    return [(one.display_name, one.times) for one in services.people_to_reach(staff, most=10)]


def test_who_missed_two_in_a_row_is_to_be_reached_by_their_counselors(cast):
    missed_twice(cast.willow, cast.mia)
    held(cast.willow, 3, one=(cast.max, "absent"))
    missed_twice(cast.cedar, cast.nora)

    assert to_reach(cast.carol) == [("Mia", 2)]
    assert sorted(to_reach(cast.olga)) == [("Mia", 2), ("Nora", 2)]
    assert to_reach(cast.sam) == to_reach(cast.rita) == []


@pytest.mark.parametrize("how", ["present", "late", "left_early"])
def test_who_came_since_is_not_to_be_reached(cast, how):
    missed_twice(cast.willow, cast.mia)
    held(cast.willow, 2, one=(cast.mia, how))

    assert to_reach(cast.carol) == []


def test_excused_or_declined_is_neither_miss_nor_visit(cast):
    held(cast.willow, 21, one=(cast.mia, "absent"))
    held(cast.willow, 14, one=(cast.mia, "excused"))
    make.participation(make.meeting(cast.willow, starts_at=ago(days=10), status="held"), cast.mia, "declined")
    assert to_reach(cast.carol) == []

    held(cast.willow, 7, one=(cast.mia, "absent"))
    assert to_reach(cast.carol) == [("Mia", 2)]


def test_two_groups_do_not_add_up(cast):
    make.membership(cast.cedar, cast.mia)
    held(cast.willow, 7, one=(cast.mia, "absent"))
    held(cast.cedar, 6, one=(cast.mia, "absent"))

    assert to_reach(cast.olga) == []


@pytest.mark.parametrize("left", ["left", "removed"])
def test_who_left_is_left_in_peace(cast, left):
    missed_twice(cast.willow, cast.mia)
    Membership.objects.filter(member=cast.mia).update(status=left)

    assert to_reach(cast.carol) == []


def test_how_many_in_a_row_is_a_setting(cast, settings):
    missed_twice(cast.willow, cast.mia)
    settings.OUTREACH_AFTER_MISSED = 3

    assert to_reach(cast.carol) == []


def test_contacted_in_one_tap_and_back_after_another_miss_only(cast, sign_in):
    _first, second = missed_twice(cast.willow, cast.mia)
    client = sign_in(cast.carol)
    sent = {"meeting": second.pk, "member": cast.mia.pk}

    response = client.post(CONTACTED, sent, follow=True)
    again = client.post(CONTACTED, sent, follow=True)

    assert messages_of(response) == ["Noted: Mia was contacted."]
    assert messages_of(again) == ["Somebody noted this before you."]
    assert [(one.member, one.contacted_by) for one in Outreach.objects.all()] == [(cast.mia, cast.carol)]
    assert to_reach(cast.carol) == []
    assert [one.member for one in parts(client)["outreach"]["contacted"]] == [cast.mia]
    assert parts(sign_in(cast.dan))["outreach"]["contacted"] == []

    held(cast.willow, 1, one=(cast.mia, "absent"))
    assert to_reach(cast.carol) == [("Mia", 3)]


def test_contact_is_undone_and_both_are_on_the_record(cast, sign_in):
    _first, second = missed_twice(cast.willow, cast.mia)
    client = sign_in(cast.carol)
    sent = {"meeting": second.pk, "member": cast.mia.pk}
    client.post(CONTACTED, sent, follow=True)

    undone = client.post(CONTACTED, sent | {"undo": "on"}, follow=True)
    client.post(CONTACTED, sent | {"undo": "on"})

    assert messages_of(undone) == ["Mia is on the list again."]
    assert to_reach(cast.carol) == [("Mia", 2)]
    recorded = AuditEvent.objects.filter(action__startswith="outreach.").order_by("pk")
    assert [(one.action, one.details) for one in recorded] == [
        ("outreach.contacted", {"member": str(cast.mia.pk)}),
        ("outreach.undone", {"member": str(cast.mia.pk)}),
    ]


def test_contact_with_somebody_elses_person_is_refused(cast, sign_in):
    _first, second = missed_twice(cast.cedar, cast.nora)
    mine = missed_twice(cast.willow, cast.mia)[1]
    client = sign_in(cast.carol)
    foreign = ["Not all of this is among yours. Nothing was changed."]
    not_missed = ["This person is not among those to reach out to. Nothing was noted."]

    for meeting, member in ((second, cast.nora), (mine, cast.nora), (second, cast.mia)):
        response = client.post(CONTACTED, {"meeting": meeting.pk, "member": member.pk}, follow=True)
        assert messages_of(response) == foreign
    sent = {"meeting": mine.pk, "member": cast.max.pk}
    assert messages_of(client.post(CONTACTED, sent, follow=True)) == not_missed
    assert messages_of(client.post(CONTACTED, {"meeting": "x"}, follow=True)) == foreign
    assert [sign_in(cast.sam).post(CONTACTED).status_code, client.get(CONTACTED).status_code] == [403, 405]
    assert not Outreach.objects.exists()
