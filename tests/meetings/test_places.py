"""Places at a meeting: never more than there are, one agreed order in line, whoever sends what how often."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from groups.models import Membership
from meetings import services
from meetings.models import Meeting, Participation
from meetings.services import places
from outbox.models import Email
from tests import make


@pytest.fixture
def full(cast):
    """Willow's meeting has two places and Mia and Max have them."""
    Meeting.objects.filter(pk=cast.willow_meeting.pk).update(capacity=2)
    for member in (cast.mia, cast.max):
        services.answer_going(cast.willow_meeting, by=member)
    cast.willow_meeting.refresh_from_db()
    return cast.willow_meeting


def test_going_takes_a_place(cast):
    assert services.answer_going(cast.willow_meeting, by=cast.mia) == "going"

    cast.willow_meeting.refresh_from_db()
    assert cast.willow_meeting.places_taken == 1


def test_going_twice_takes_one_place(cast):
    services.answer_going(cast.willow_meeting, by=cast.mia)

    assert services.answer_going(cast.willow_meeting, by=cast.mia) == "going"
    cast.willow_meeting.refresh_from_db()
    assert cast.willow_meeting.places_taken == 1


def test_full_meeting_puts_the_next_in_line(cast, full):
    make.membership(cast.willow, cast.vera)

    assert services.answer_going(full, by=cast.vera) == "waitlisted"
    assert services.place_in_line(Participation.objects.get(meeting=full, member=cast.vera)) == 1


def test_stranger_to_the_group_gets_no_place(cast):
    assert services.answer_going(cast.willow_meeting, by=cast.vera) is None
    assert not Participation.objects.filter(member=cast.vera).exists()


def test_removed_member_gets_no_place(cast):
    Membership.objects.filter(member=cast.mia).update(status=Membership.Status.REMOVED)

    assert services.answer_going(cast.willow_meeting, by=cast.mia) is None


def test_cancelled_or_begun_meeting_takes_no_answers(cast):
    begun = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=1))
    off = make.meeting(cast.willow, status=Meeting.Status.CANCELLED)

    assert [services.answer_going(one, by=cast.mia) for one in (begun, off)] == [None, None]
    assert [services.answer_declined(one, by=cast.mia) for one in (begun, off)] == [False, False]


def test_declining_offers_the_place_to_the_next_in_line_by_mail(cast, full):
    make.membership(cast.willow, cast.vera)
    services.answer_going(full, by=cast.vera)

    services.answer_declined(full, by=cast.mia)

    offered = Participation.objects.get(meeting=full, member=cast.vera)
    full.refresh_from_db()
    assert offered.rsvp == "offered"
    assert full.places_taken == 2
    assert list(Email.objects.values_list("kind", "recipient")) == [("offer", cast.vera.pk)]


def test_offer_never_outlasts_the_start(cast):
    soon = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(hours=3), capacity=1)
    services.answer_going(soon, by=cast.mia)
    services.answer_going(soon, by=cast.max)

    services.answer_declined(soon, by=cast.mia)

    assert Participation.objects.get(meeting=soon, member=cast.max).offer_expires_at == soon.starts_at


def test_offer_taken_up_becomes_a_place(cast, full):
    make.membership(cast.willow, cast.vera)
    services.answer_going(full, by=cast.vera)
    services.answer_declined(full, by=cast.mia)

    assert services.answer_going(full, by=cast.vera) == "going"
    full.refresh_from_db()
    assert full.places_taken == 2


def test_lapsed_offer_goes_to_the_next_in_line(cast, full):
    second, third = make.members(2)
    for member in (second, third):
        make.membership(cast.willow, member)
        services.answer_going(full, by=member)
    services.answer_declined(full, by=cast.mia)
    Participation.objects.filter(member=second).update(offer_expires_at=timezone.now() - timedelta(minutes=1))

    assert services.lapse_offers() == 1
    assert services.lapse_offers() == 0
    assert dict(Participation.objects.filter(meeting=full).values_list("member", "rsvp")) == {
        cast.mia.pk: "declined",
        cast.max.pk: "going",
        second.pk: None,
        third.pk: "offered",
    }


def test_more_places_are_offered_and_fewer_than_taken_refused(cast, full):
    make.membership(cast.willow, cast.vera)
    services.answer_going(full, by=cast.vera)

    assert services.change_capacity(full, 1, by=cast.carol) is False
    assert services.change_capacity(full, 3, by=cast.carol) is True
    assert Participation.objects.get(meeting=full, member=cast.vera).rsvp == "offered"


def test_leaving_the_group_frees_the_places(cast, full):
    assert services.leave_group(cast.willow, by=cast.mia) is True
    assert services.leave_group(cast.willow, by=cast.mia) is False

    full.refresh_from_db()
    assert full.places_taken == 1


def test_deleting_a_person_frees_the_place(cast, full):
    cast.mia.delete()

    full.refresh_from_db()
    assert full.places_taken == 1


def test_database_refuses_one_too_many(cast, full):
    with pytest.raises(IntegrityError, match="meeting_never_over_capacity"):
        make.participation(full, make.member())


def test_database_refuses_a_second_row_for_a_pair(cast, full):
    with pytest.raises(IntegrityError, match="participation_once"):
        make.participation(full, cast.mia, rsvp=None)


# --- Everybody at once ------------------------------------------------------------------------------------------------

PEOPLE, PLACES, AT_ONCE = 500, 10, 32


@pytest.fixture
def rush(transactional_db):
    """A meeting with ten places and five hundred people in its group."""
    group = make.group(capacity=PLACES)
    people = make.members(PEOPLE)
    Membership.objects.bulk_create(
        Membership(group=group, member=one, status="active", joined_at=timezone.now()) for one in people
    )
    return make.meeting(group), people


def everybody_twice(action, meeting, people):
    """Each person sends twice, 32 at a time, each sender with a connection of its own."""

    def send(member):
        try:
            return action(meeting, by=member)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(send, [member for member in people for _ in range(2)]))


# The same statement, taking its time between reading the places and writing the answer: a race has room to happen.
LOCKS = "FOR NO KEY UPDATE OF meeting FOR SHARE OF membership"
PAUSE = "AND pg_sleep(0.02) IS NOT NULL "
SLOWLY = places.TAKE_A_PLACE.replace(LOCKS, PAUSE + LOCKS)


@pytest.mark.parametrize("statement", [places.TAKE_A_PLACE, SLOWLY], ids=["as it is", "slowly"])
def test_five_hundred_people_sending_twice_get_ten_places_in_one_agreed_order(rush, monkeypatch, statement):
    meeting, people = rush
    monkeypatch.setattr(places, "TAKE_A_PLACE", statement)

    answers = everybody_twice(services.answer_going, meeting, people)

    meeting.refresh_from_db()
    rows = Participation.objects.filter(meeting=meeting)
    assert Counter(answers) == {"going": 2 * PLACES, "waitlisted": 2 * (PEOPLE - PLACES)}
    assert Counter(rows.values_list("rsvp", flat=True)) == {"going": PLACES, "waitlisted": PEOPLE - PLACES}
    assert meeting.places_taken == PLACES
    line = list(rows.in_line())
    assert [services.place_in_line(row) for row in line[:20]] == list(range(1, 21))
    last_going = max(rows.filter(rsvp="going").values_list("rsvp_at", flat=True))
    assert last_going < line[0].rsvp_at


def test_without_lock_and_check_the_same_rush_overbooks(rush, monkeypatch):
    """The negative control: what the test above would see if nothing guarded the places."""
    meeting, people = rush
    monkeypatch.setattr(places, "TAKE_A_PLACE", places.TAKE_A_PLACE.replace(LOCKS, PAUSE))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE meetings_meeting DROP CONSTRAINT meeting_never_over_capacity")
    try:
        everybody_twice(services.answer_going, meeting, people[:100])

        assert Participation.objects.filter(meeting=meeting, rsvp="going").count() > PLACES
    finally:
        Participation.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE meetings_meeting ADD CONSTRAINT meeting_never_over_capacity "
                "CHECK (places_taken >= 0 AND places_taken <= capacity)"
            )


def test_cancelling_and_coming_at_once_leaves_no_seat_free_while_someone_waits(rush):
    meeting, people = rush
    for member in people[:60]:
        services.answer_going(meeting, by=member)

    def mixed(meeting, *, by):
        if people.index(by) % 3 == 0:
            return services.answer_declined(meeting, by=by)
        return services.answer_going(meeting, by=by)

    everybody_twice(mixed, meeting, people[:120])

    meeting.refresh_from_db()
    rows = Participation.objects.filter(meeting=meeting)
    assert rows.holding_a_place().count() == meeting.places_taken == PLACES
    offers = rows.filter(rsvp="offered").values_list("member", flat=True)
    assert set(offers) <= set(Email.objects.filter(kind="offer").values_list("recipient", flat=True))
