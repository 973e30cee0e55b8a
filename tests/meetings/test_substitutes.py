"""A substitute opens the pages of the one date they lead, from a day before until a day after, and nothing else."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

import outbox.services as outbox
from groups.models import Facilitator
from meetings import services
from meetings.log_models import SessionLog
from meetings.models import Meeting
from outbox import kinds
from outbox.models import Email
from tests import make
from tests.meetings.test_session_log import FACTS


@pytest.fixture
def lent(cast):
    """Dan, who runs Cedar, leads one date of Willow."""
    cast.next = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9))
    cast.lent = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=4))
    make.participation(cast.lent, cast.mia)
    services.choose_substitute(cast.lent, cast.dan, by=cast.carol)
    return cast


PAGES = [
    "meetings:meeting_roster",
    "meetings:meeting_run",
    "meetings:meeting_sheet",
    "meetings:meeting_log",
    "meetings:meeting_notes",
]


def statuses(client, meeting: Meeting) -> set[int]:
    return {client.get(reverse(name, args=[meeting.pk])).status_code for name in PAGES}


@pytest.mark.parametrize(
    ("hours", "found"), [(-25, {404}), (-23, {200}), (0, {200}), (25, {200}), (26, {404})], ids=lambda one: str(one)
)
def test_roster_opens_to_the_substitute_around_that_date(lent, sign_in, hours, found):
    with time_machine.travel(lent.lent.starts_at + timedelta(hours=hours), tick=False):
        assert statuses(sign_in(lent.dan), lent.lent) == found


def test_substitute_finds_nothing_else_of_the_group(lent, sign_in):
    lent.willow.is_listed = False
    lent.willow.save()
    with time_machine.travel(lent.lent.starts_at, tick=False):
        client = sign_in(lent.dan)

        assert client.get(lent.lent.get_absolute_url()).status_code == 200
        assert statuses(client, lent.next) == {404}
        assert client.get(reverse("meetings:meeting_incidents", args=[lent.lent.pk])).status_code == 404
        assert client.get(lent.next.get_absolute_url()).status_code == 404
        assert client.get(f"/admin/meetings/meeting/{lent.lent.pk}/change/").status_code == 302
        assert client.get(f"/admin/groups/group/{lent.willow.pk}/schedule/").status_code == 404
        assert client.get("/admin/meetings/meeting/", {"when": "all"}).content.decode().count("Willow") == 0


def test_only_counselors_are_substitutes_whatever_the_row_says(lent, sign_in):
    """Somebody may have lost that role since."""
    with time_machine.travel(lent.lent.starts_at, tick=False):
        Meeting.objects.filter(pk=lent.lent.pk).update(substitute=lent.vera)

        assert statuses(sign_in(lent.vera), lent.lent) == {404}
        assert statuses(sign_in(lent.dan), lent.lent) == {404}


def test_choosing_twice_is_choosing_once_and_a_date_that_has_begun_keeps_who_leads(lent):
    assert services.choose_substitute(lent.lent, lent.dan, by=lent.carol) is False
    assert services.choose_substitute(lent.lent, None, by=lent.carol) is True
    begun = make.meeting(lent.willow, starts_at=timezone.now() - timedelta(minutes=5))
    assert services.choose_substitute(begun, lent.dan, by=lent.carol) is False


def test_substitute_takes_the_roster_and_writes_and_signs_the_log_of_that_date(lent, sign_in):
    others = make.note(lent.lent, by=lent.carol)
    with time_machine.travel(lent.lent.ends_at, tick=False):
        client = sign_in(lent.dan)
        own = make.note(lent.lent, by=lent.dan)

        sent = {"record": f"{lent.mia.pk}:present"}
        client.post(reverse("meetings:meeting_roster", args=[lent.lent.pk]), sent)
        assert lent.lent.participations.get().attendance == "present"
        client.post(reverse("meetings:meeting_log", args=[lent.lent.pk]), FACTS)
        log = SessionLog.objects.get()
        assert (log.written_by, log.facilitators) == (lent.dan, ["Carol (lead)", "Dan (substitute)"])
        assert services.sign_log(log, by=lent.dan, credential="CPS", as_of=log.saved_at)
        page = client.get(reverse("meetings:meeting_log", args=[lent.lent.pk])).content.decode()
        assert "Dan" in page
        assert reverse("meetings:meeting_incidents", args=[lent.lent.pk]) not in page
        notes = client.get(reverse("meetings:meeting_notes", args=[lent.lent.pk])).content.decode()
        assert (str(own.pk) in notes, str(others.pk) in notes) == (True, False)
        assert client.get(reverse("meetings:note_detail", args=[others.pk])).status_code == 404


def test_all_of_it_ends_when_somebody_else_leads(lent, sign_in):
    with time_machine.travel(lent.lent.starts_at - timedelta(hours=1), tick=False):
        client = sign_in(lent.dan)
        page = client.get(reverse("meetings:meeting_room", args=[lent.lent.pk]))
        follow = {"HTTP_X_PASS": page.context["pass"]}
        now = reverse("meetings:meeting_room_now", args=[lent.lent.pk])
        assert (statuses(client, lent.lent), client.get(now, **follow).status_code) == ({200}, 200)
        assert "You lead for somebody" in client.get("/admin/").content.decode()

        assert services.choose_substitute(lent.lent, None, by=lent.carol)

        assert (statuses(client, lent.lent), client.get(now, **follow).status_code) == ({404}, 403)
        assert "You lead for somebody" not in client.get("/admin/").content.decode()


def test_first_page_leads_to_that_date_once_its_pages_are_open(lent, sign_in):
    roster = reverse("meetings:meeting_roster", args=[lent.lent.pk])

    before = sign_in(lent.dan).get("/admin/").content.decode()
    with time_machine.travel(lent.lent.starts_at - timedelta(hours=20), tick=False):
        near = sign_in(lent.dan).get("/admin/").content.decode()
        of_another = sign_in(lent.carol).get("/admin/").content.decode()

    assert ("Its pages open to you a day before." in before, roster in before) == (True, False)
    assert (roster in near, reverse("meetings:meeting_run", args=[lent.lent.pk]) in near) == (True, True)
    assert "You lead for somebody" not in of_another


# --- The mail ---------------------------------------------------------------------------------------------------------


def subjects(kind: str, to) -> list[str]:
    """What would leave now, of this kind, to somebody."""
    mails = list(Email.objects.filter(kind=kind, recipient=to).order_by("queued_at").select_related("recipient"))
    answers = kinds.get(kind).prepare(mails) if mails else {}
    return [getattr(answers[one.pk], "subject", "") or answers[one.pk].reason for one in mails]


def test_substitute_is_told_once_and_told_when_it_is_taken_back(lent):
    assert [one.partition(":")[0] for one in subjects("substitute", lent.dan)] == ["You lead"]
    services.choose_substitute(lent.lent, lent.dan, by=lent.carol)
    assert len(subjects("substitute", lent.dan)) == 1

    services.choose_substitute(lent.lent, None, by=lent.carol)

    assert [one.partition(":")[0] for one in subjects("substitute", lent.dan)] == [
        "who leads that date has changed since",
        "You need not lead",
    ]


def test_mail_to_the_substitute_names_no_group_and_leads_to_the_date(lent, smtp):
    outbox.deliver()

    mail = smtp.taken[-1].mail
    text = mail.get_body(("plain",)).get_content()
    assert mail["To"] == lent.dan.email
    assert "Willow" not in f"{mail['Subject']}{text}"
    assert lent.lent.get_absolute_url() in text


# --- Colleagues -------------------------------------------------------------------------------------------------------


@pytest.fixture
def together(lent):
    """Carol and Rosa run Willow together; Dan leads one date."""
    lent.rosa = make.member("Rosa", role="counselor")
    Facilitator.objects.create(group=lent.willow, member=lent.rosa, role="co")
    Email.objects.all().delete()
    return lent


def told(together) -> dict[str, int]:
    people = (together.carol, together.rosa, together.dan, together.olga)
    counted = {one.display_name: Email.objects.filter(kind="colleagues", recipient=one).count() for one in people}
    return {name: count for name, count in counted.items() if count}


def cancel(together):
    services.cancel_meeting(together.next, by=together.carol, reason="The room is closed.")


def cancel_two(together):
    services.cancel_meetings([together.next, together.lent], by=together.carol, reason="The room is closed.")


def move(together):
    together.next.starts_at += timedelta(hours=1)
    together.next.ends_at += timedelta(hours=1)
    services.schedule.save_moved(together.next, ["starts_at", "ends_at"], by=together.carol)


def suspend(together):
    Meeting.objects.filter(pk=together.lent.pk).update(series=together.next.series)
    services.suspend_series(together.next.series, by=together.carol, from_on=timezone.localdate())


@pytest.mark.parametrize(
    ("change", "reached"),
    [
        (cancel, {"Rosa": 1}),
        (cancel_two, {"Rosa": 1, "Dan": 1}),
        (move, {"Rosa": 1}),
        (suspend, {"Rosa": 1, "Dan": 1}),
    ],
)
def test_colleagues_are_told_once_of_what_one_of_them_changes(together, change, reached):
    change(together)

    assert told(together) == reached
    words = {"Cancelled"} if change is not move else {"Changed"}
    assert {one.partition(":")[0] for one in subjects("colleagues", together.rosa)} == words


def test_what_the_site_does_by_itself_tells_no_colleague(together):
    services.cancel_meeting(together.next, by=None, reason="")

    assert told(together) == {}


def test_mail_to_a_colleague_who_left_does_not_leave(together):
    cancel(together)
    Facilitator.objects.filter(member=together.rosa).delete()

    assert subjects("colleagues", together.rosa) == ["they do not run it any more"]
