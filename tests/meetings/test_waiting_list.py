"""Letting somebody go first on a waiting list: who gets the next place, for what reason, and who reads it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from meetings import services
from meetings.models import LetFirst, Meeting, Participation
from outbox.models import Email
from tests import make

REASON = "Came a long way last time and found it full."


@pytest.fixture
def full(cast):
    """Mia has the one place; Max, Vera and Kim wait, in this order."""
    cast.kim = make.member("Kim")
    cast.full = make.meeting(cast.willow, capacity=1)
    for member in (cast.vera, cast.kim):
        make.membership(cast.willow, member)
    for member in (cast.mia, cast.max, cast.vera, cast.kim):
        services.answer_going(cast.full, by=member)
    return cast


def address(meeting: Meeting) -> str:
    return reverse("meetings:meeting_waiting", args=[meeting.pk])


def line(meeting: Meeting) -> list[str]:
    waiting = Participation.objects.filter(meeting=meeting).in_line().select_related("member")
    numbers = [services.place_in_line(one) for one in waiting]
    assert numbers == list(range(1, len(numbers) + 1))
    return [one.member.display_name for one in waiting]


def let_first(full, member, *, instead_of, by=None) -> bool:
    return services.let_go_first(full.full, member.pk, by=by or full.carol, reason=REASON, instead_of=instead_of.pk)


def send(client, full, person, *, instead_of, changed=None):
    sent = {"person": person.pk, "instead_of": instead_of.pk, "reason": REASON} | (changed or {})
    return client.post(address(full.full), sent)


def test_whoever_is_let_go_first_gets_the_next_place(full, sign_in):
    response = send(sign_in(full.carol), full, full.kim, instead_of=full.max)
    order = line(full.full)
    services.answer_declined(full.full, by=full.mia)

    assert (response.status_code, order) == (302, ["Kim", "Max", "Vera"])
    assert [(mail.kind, mail.recipient) for mail in Email.objects.all()] == [("offer", full.kim)]
    assert line(full.full) == ["Max", "Vera"]


def test_the_last_one_let_go_first_is_first(full):
    assert let_first(full, full.vera, instead_of=full.max) is True
    assert let_first(full, full.kim, instead_of=full.vera) is True

    assert line(full.full) == ["Kim", "Vera", "Max"]


def test_reason_is_kept_for_staff_and_the_record_has_none_of_its_words(full, sign_in):
    let_first(full, full.kim, instead_of=full.max)

    event = AuditEvent.objects.get(action="waiting.let_first")
    assert (event.actor_id, event.object_id) == (full.carol.pk, str(full.full.pk))
    assert event.details == {"member": str(full.kim.pk), "was_number": 3}
    assert [(one.member, one.let_by, one.was_number, one.reason) for one in LetFirst.objects.all()] == [
        (full.kim, full.carol, 3, REASON)
    ]
    assert REASON in sign_in(full.olga).get(address(full.full)).content.decode()


def test_members_see_their_own_number_and_no_reason(full, sign_in):
    let_first(full, full.kim, instead_of=full.max)

    pages = {one: sign_in(one).get(full.full.get_absolute_url()).content.decode() for one in (full.kim, full.max)}

    assert ("number 1 on" in pages[full.kim], "number 2 on" in pages[full.max]) == (True, True)
    told = "".join([*pages.values(), sign_in(full.kim).get(reverse("members:my_data")).content.decode()])
    assert REASON not in told
    assert "Kim" not in pages[full.max]


def test_second_press_and_an_older_page_change_nothing(full, sign_in):
    client = sign_in(full.carol)
    send(client, full, full.kim, instead_of=full.max)

    again = send(client, full, full.kim, instead_of=full.max)
    older = send(sign_in(full.olga), full, full.vera, instead_of=full.max)

    assert (again.status_code, older.status_code) == (302, 409)
    assert "The list has changed since you opened this page." in older.content.decode()
    assert REASON in older.content.decode()  # what was typed is still there
    assert (line(full.full), LetFirst.objects.count()) == (["Kim", "Max", "Vera"], 1)


def test_whoever_lets_the_place_go_and_asks_again_waits_like_everybody(full):
    let_first(full, full.kim, instead_of=full.max)

    services.answer_declined(full.full, by=full.kim)
    services.answer_going(full.full, by=full.kim)

    assert line(full.full) == ["Max", "Vera", "Kim"]


def test_taking_an_answer_back_keeps_the_number_somebody_was_given(full):
    let_first(full, full.kim, instead_of=full.max)
    change = services.change_to_declined(full.full, by=full.kim)

    services.undo_answer(full.full, change, by=full.kim)

    assert line(full.full) == ["Kim", "Max", "Vera"]


@pytest.mark.parametrize(
    ("facts", "status", "words"),
    [
        ({"reason": " "}, 400, "Write a short reason"),
        ({"reason": "x" * 201}, 400, "at most 200 characters"),
        ({"instead_of": "nobody"}, 400, "Enter a valid UUID"),
        ({"person": "nobody"}, 404, ""),
        ({"person": ""}, 404, ""),
    ],
)
def test_what_makes_no_sense_is_refused(full, sign_in, facts, status, words):
    response = send(sign_in(full.carol), full, full.kim, instead_of=full.max, changed=facts)

    assert (response.status_code, words in response.content.decode()) == (status, True)
    assert line(full.full) == ["Max", "Vera", "Kim"]


def test_nothing_is_changed_for_who_does_not_wait_or_once_it_has_begun(full, sign_in):
    client = sign_in(full.carol)
    answers = [send(client, full, one, instead_of=full.max).status_code for one in (full.mia, full.nora)]
    Meeting.objects.filter(pk=full.full.pk).update(starts_at=timezone.now() - timedelta(minutes=1))

    begun = send(client, full, full.kim, instead_of=full.max)

    assert (answers, begun.status_code) == ([302, 404], 302)
    assert let_first(full, full.kim, instead_of=full.max) is False
    assert (line(full.full), LetFirst.objects.count()) == (["Max", "Vera", "Kim"], 0)


def test_another_groups_counselor_is_refused_on_the_record(full, sign_in):
    client = sign_in(full.dan)

    answers = [client.get(address(full.full)), send(client, full, full.kim, instead_of=full.max)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert line(full.full) == ["Max", "Vera", "Kim"]
    denied = AuditEvent.objects.get(action="access.denied")
    assert (denied.actor_id, denied.object_id) == (full.dan.pk, str(full.willow.pk))


def test_substitute_reads_the_list_on_the_roster_and_changes_no_order(full, sign_in):
    soon = timezone.now() + timedelta(hours=5)
    of_today = {"starts_at": soon, "ends_at": soon + timedelta(hours=1)}
    Meeting.objects.filter(pk=full.full.pk).update(substitute=full.dan, **of_today)
    link = "Change who goes first"

    roster = reverse("meetings:meeting_roster", args=[full.full.pk])
    pages = {one: sign_in(one).get(roster).content.decode() for one in (full.dan, full.carol)}

    assert ("Kim" in pages[full.dan], link in pages[full.dan], link in pages[full.carol]) == (True, False, True)
    assert sign_in(full.dan).get(address(full.full)).status_code == 404


@pytest.mark.parametrize("how_many", [3, 300])
def test_list_costs_the_same_whatever_there_is(full, sign_in, how_many):
    now = timezone.now()
    people = make.members(how_many)
    Participation.objects.bulk_create(
        Participation(meeting=full.full, member=one, rsvp="waitlisted", rsvp_at=now) for one in people
    )
    LetFirst.objects.bulk_create(LetFirst(meeting=full.full, member=one, was_number=2, reason="x") for one in people)
    client = sign_in(full.carol)
    client.get(address(full.full))

    with CaptureQueriesContext(connection) as asked:
        page = client.get(address(full.full))

    assert (len(page.context["line"]), len(asked)) == (how_many + 3, 6)
