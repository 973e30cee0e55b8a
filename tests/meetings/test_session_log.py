"""The session log: filled in from what is known, checked, signed, locked, and then only added to."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.models import AuditEvent
from groups.models import Facilitator
from meetings import services
from meetings.log_models import Addendum, SessionLog
from meetings.models import DAYS_TO_SIGN, Meeting
from meetings.services.session_log import names_in
from tests import make
from tests.members.test_my_data import show_again

FACTS = {
    "started": "18:30",
    "ended": "20:00",
    "mode": "in-person",
    "topic": "",
    "headcount": "5",
    "first_timers": "1",
    "activities": ["check-in", "coping"],
    "follow_ups": ["rides"],
}
START = datetime(2026, 11, 17, 18, 30, tzinfo=ZoneInfo("America/New_York"))  # a Tuesday


@pytest.fixture
def over(cast):
    """A meeting of Willow that has just ended: Mia came, Max did not, one gave no name."""
    with time_machine.travel(START + timedelta(hours=2), tick=False):
        meeting = make.meeting(cast.willow, starts_at=START, headcount=1)
        make.participation(meeting, cast.mia, attendance="late")
        make.participation(meeting, cast.max, attendance="absent")
        yield meeting


def address(meeting, name="meeting_log"):
    return reverse(f"meetings:{name}", args=[meeting.pk])


def save(meeting, by, **changed) -> SessionLog:
    facts = {
        "started_at": meeting.starts_at,
        "ended_at": meeting.ends_at,
        "mode": "in-person",
        "topic": "Coping",
        "headcount": 3,
        "first_timers": 0,
        "activities": ["check-in"],
        "follow_ups": [],
    }
    log = services.save_log(meeting, by=by, **(facts | changed))
    assert log is not None
    return log


def sign(meeting, by, credential="peer specialist") -> SessionLog:
    log = save(meeting, by)
    assert services.sign_log(log, by=by, credential=credential, as_of=log.saved_at)
    log.refresh_from_db()
    return log


def test_form_comes_filled_in_with_what_is_known(cast, sign_in, over):
    form = sign_in(cast.carol).get(address(over)).context["form"]

    assert {name: str(form[name].value()) for name in ("started", "ended", "headcount", "first_timers", "mode")} == {
        "started": "18:30:00",
        "ended": "20:00:00",
        "headcount": "2",
        "first_timers": "1",
        "mode": "in-person",
    }


def test_who_came_before_is_not_new(cast, over):
    earlier = make.meeting(cast.willow, starts_at=START - timedelta(weeks=1))
    make.participation(earlier, cast.mia, attendance="present")

    assert services.draft_log(over).first_timers == 0


def test_log_is_filled_in_read_once_more_and_signed(cast, sign_in, over):
    carol = sign_in(cast.carol)
    Facilitator.objects.filter(member=cast.carol).update(credential="peer specialist")

    saved = carol.post(address(over), FACTS)
    show_again(carol, cast.carol)
    page = carol.get(saved.url)
    signed = carol.post(
        saved.url, {"credential": "counselor in training", "as_of": page.context["form"]["as_of"].value()}
    )

    log = SessionLog.objects.get(meeting=over)
    assert page.context["form"]["credential"].value() == "peer specialist"
    assert signed.url == address(over)
    assert (log.started_at, log.minutes, log.headcount, log.activities) == (START, 90, 5, ["check-in", "coping"])
    assert (log.signed_by, log.signed_name, log.credential) == (cast.carol, "Carol", "counselor in training")
    assert log.facilitators == ["Carol, counselor in training (lead)"]
    assert Facilitator.objects.get(member=cast.carol).credential == "counselor in training"
    assert [event.action for event in AuditEvent.objects.filter(object_type="meetings.sessionlog")] == [
        "log.signed",
        "log.saved",
    ]
    text = carol.get(address(over)).content.decode()
    assert "Check-in round, practice of a coping skill" in text
    assert "Mia" not in text


def test_meeting_past_midnight_ends_the_next_day(cast, sign_in, over):
    sign_in(cast.carol).post(address(over), FACTS | {"started": "23:00", "ended": "00:30"})

    log = SessionLog.objects.get(meeting=over)
    assert (log.minutes, log.ended_local.date()) == (90, date(2026, 11, 18))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("ended", "18:00", "The end is before the start"),
        ("ended", "25:00", "Enter a valid time"),
        ("started", "", "required"),
        ("headcount", "-1", "greater than or equal to 0"),
        ("headcount", "9999999999999999999999", "less than or equal to 500"),
        ("first_timers", "6", "more than all who came"),
        ("activities", ["gossip"], "not one of the available choices"),
        ("topic", "Mia and Max", "not one of the available choices"),
        ("mode", "elsewhere", "not one of the available choices"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(cast, sign_in, over, field, value, sentence):
    answer = sign_in(cast.carol).post(address(over), FACTS | {field: value})

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not SessionLog.objects.exists()


def test_who_signs_shows_once_more_who_they_are(cast, sign_in, over):
    carol = sign_in(cast.carol)
    log = save(over, cast.carol)

    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        asked = carol.get(address(over, "meeting_log_sign"))
        sent = carol.post(address(over, "meeting_log_sign"), {"credential": "x", "as_of": log.saved_at.isoformat()})

    assert {answer.url.split("?")[0] for answer in (asked, sent)} == {reverse("mfa_reauthenticate")}
    log.refresh_from_db()
    assert not log.is_signed


def test_what_was_changed_meanwhile_is_not_signed_unread(cast, sign_in, over):
    Facilitator.objects.create(group=cast.willow, member=cast.dan, role="co")
    read = save(over, cast.carol)
    with time_machine.travel(timezone.now() + timedelta(seconds=1), tick=False):
        save(over, cast.dan, headcount=9)

        carol = sign_in(cast.carol)
        show_again(carol, cast.carol)
        answer = carol.post(address(over, "meeting_log_sign"), {"credential": "x", "as_of": read.saved_at.isoformat()})

    assert answer.status_code == 409
    assert "Somebody changed this log a moment ago" in answer.content.decode()
    assert not SessionLog.objects.signed().exists()


def test_signed_log_is_changed_by_nobody_and_nothing(cast, over):
    log = sign(over, cast.carol)
    addendum = services.add_to_log(log, "The room was locked.", by=cast.carol, credential="x")
    changes = [
        lambda: SessionLog.objects.filter(pk=log.pk).update(headcount=99),
        lambda: SessionLog.objects.filter(pk=log.pk).update(
            signed_at=None, signed_by=None, credential="", signed_name=""
        ),
        lambda: SessionLog.objects.filter(pk=log.pk)._raw_delete(SessionLog.objects.db),
        lambda: Addendum.objects.filter(pk=addendum.pk).update(text="It was open."),
        lambda: addendum.delete(),
    ]

    for change in changes:
        with pytest.raises(IntegrityError, match="only added to"), transaction.atomic():
            change()
    assert services.save_log(over, by=cast.carol, mode="online") is None
    assert not services.sign_log(log, by=cast.dan, credential="x", as_of=log.saved_at)
    log.refresh_from_db()
    assert (log.headcount, log.signed_by) == (3, cast.carol)


def test_signed_log_sent_again_is_refused_with_a_sentence_and_on_the_record(cast, sign_in, over):
    log = sign(over, cast.carol)

    answer = sign_in(cast.carol).post(address(over), FACTS)

    assert answer.status_code == 409
    assert "This log is signed, so nothing was changed." in answer.content.decode()
    assert AuditEvent.objects.filter(action="log.change_refused", object_id=log.pk, actor_id=cast.carol.pk).exists()


def test_signed_log_is_not_changed_through_the_admin(cast, sign_in, over):
    log = sign(over, cast.carol)
    change = reverse("admin:meetings_sessionlog_change", args=[log.pk])

    answers = {
        name: sign_in(person).post(change, {"headcount": "99", "_save": "1"})
        for name, person in (("carol", cast.carol), ("olga", cast.olga), ("dan", cast.dan), ("sam", cast.sam))
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "carol": 403,
        "olga": 403,
        "dan": 403,
        "sam": 403,
    }
    assert "Nothing was changed" in answers["carol"].content.decode()
    log.refresh_from_db()
    assert log.headcount == 3
    tried = AuditEvent.objects.filter(action="log.change_refused", object_id=log.pk)
    assert {event.actor_id for event in tried} == {cast.carol.pk, cast.olga.pk}
    assert sign_in(cast.carol).post(reverse("admin:meetings_sessionlog_delete", args=[log.pk])).status_code == 403


def test_addendum_has_author_credential_and_time(cast, sign_in, over):
    Facilitator.objects.create(group=cast.willow, member=cast.dan, role="co")
    sign(over, cast.carol)

    sign_in(cast.dan).post(address(over), {"add": "yes", "text": "We ended late.", "credential": "peer"})

    page = sign_in(cast.carol).get(address(over)).content.decode()
    for words in ("Added on Tuesday, November 17, 8:30 pm (EST)", "We ended late.", "Dan, peer"):
        assert words in page


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("MIA left early.", "Mia"),
        ("Talked with Zoë.", "Zoé K."),
        ("Nora, who came once, called.", "Nora"),
        ("See m-7f3k2p about a ride.", "m-7f3k2p"),
    ],
)
def test_text_that_names_a_member_is_refused(cast, sign_in, over, text, named):
    make.membership(cast.willow, make.member("Zoé K."))
    make.participation(over, cast.nora, rsvp=None, attendance="present")
    sign(over, cast.carol)

    answer = sign_in(cast.carol).post(address(over), {"add": "yes", "text": text, "credential": "x"})

    assert answer.status_code == 400
    assert f"“{named}” would tell who comes here" in answer.content.decode()
    assert not Addendum.objects.exists()


def test_words_that_only_hold_a_name_are_fine(cast, over):
    """Max is in “maximum”; Carol runs the group, and everybody may know."""
    assert names_in("At maximum ten. Carol was late. Vera is in no group of ours.", over) == []


def test_addendum_needs_a_signed_log(cast, over):
    log = save(over, cast.carol)

    assert services.add_to_log(log, "Late.", by=cast.carol, credential="x") is None


def test_no_log_before_the_start_nor_of_a_meeting_that_was_not(cast, sign_in, over):
    carol = sign_in(cast.carol)
    show_again(carol, cast.carol)
    off = make.meeting(cast.willow, starts_at=START - timedelta(days=1), status="cancelled")
    coming = make.meeting(cast.willow, starts_at=START + timedelta(days=1))

    for meeting, sentence in ((off, "This meeting is cancelled."), (coming, "as soon as the meeting has begun")):
        assert sentence in carol.get(address(meeting)).content.decode()
        assert carol.post(address(meeting), FACTS).status_code == 409
        assert carol.get(address(meeting, "meeting_log_sign")).url == address(meeting)
        assert services.save_log(meeting, by=cast.carol, mode="online") is None
    assert not SessionLog.objects.exists()


def test_did_not_meet_stands_instead_of_a_log(cast, sign_in):
    carol = sign_in(cast.carol)
    empty, somebody_came = (make.meeting(cast.willow, starts_at=timezone.now() - timedelta(hours=n)) for n in (2, 5))
    services.add_anonymous_walk_in(somebody_came, by=cast.carol)

    carol.post(address(empty), {"did_not_meet": "yes"})
    told = carol.post(address(somebody_came), {"did_not_meet": "yes"}, follow=True).content.decode()

    empty.refresh_from_db()
    somebody_came.refresh_from_db()
    assert (empty.status, somebody_came.status) == (Meeting.Status.DID_NOT_MEET, Meeting.Status.HELD)
    assert "It needs no log." in carol.get(address(empty)).content.decode()
    assert "Somebody is noted as here, so it took place." in told


def test_signing_says_that_the_meeting_took_place(cast):
    meeting = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(hours=2))

    sign(meeting, cast.carol)
    services.add_anonymous_walk_in(meeting, by=cast.carol)
    services.remove_anonymous_walk_in(meeting, by=cast.carol)

    meeting.refresh_from_db()
    assert meeting.status == Meeting.Status.HELD


# Unsigned for three business days (OPS-16)


def last_day(on: date) -> date:
    """The third day from Monday to Friday after a date, counted one by one."""
    left = 3
    while left:
        on += timedelta(days=1)
        left -= on.weekday() < 5
    return on


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)))
@settings(max_examples=60)
def test_days_to_sign_are_three_from_monday_to_friday(on):
    assert on + timedelta(days=DAYS_TO_SIGN[on.isoweekday()]) == last_day(on)


@pytest.mark.parametrize("on", [date(2026, 11, day) for day in range(9, 16)], ids=lambda on: f"{on:%A}")
def test_log_is_overdue_when_its_last_day_is_past_where_the_group_is(cast, on):
    zone = ZoneInfo("America/New_York")
    meeting = make.meeting(cast.willow, starts_at=datetime(on.year, on.month, on.day, 18, 30, tzinfo=zone))
    over = datetime(on.year, on.month, on.day, tzinfo=zone).replace(hour=0)
    midnight = datetime.combine(last_day(on) + timedelta(days=1), over.timetz())
    overdue = {}

    for name, moment in (("before", midnight - timedelta(seconds=1)), ("after", midnight + timedelta(seconds=1))):
        with time_machine.travel(moment, tick=False):
            overdue[name] = Meeting.objects.log_overdue().filter(pk=meeting.pk).exists()

    assert overdue == {"before": False, "after": True}


def test_only_meetings_that_need_a_log_are_chased(cast, over):
    signed = make.meeting(cast.willow, starts_at=START - timedelta(days=7))
    sign(signed, cast.carol)
    saved = make.meeting(cast.willow, starts_at=START - timedelta(days=8))
    save(saved, cast.carol)
    make.meeting(cast.willow, starts_at=START - timedelta(days=9), status="did_not_meet")
    make.meeting(cast.willow, starts_at=START - timedelta(days=10), status="cancelled")
    make.meeting(cast.willow, starts_at=START - timedelta(days=100), status="held")

    with time_machine.travel(START.astimezone(UTC), tick=False):
        assert list(Meeting.objects.log_overdue()) == [saved]


@pytest.mark.parametrize("rows", [3, 300])
def test_list_of_logs_in_the_admin_costs_the_same_however_many(cast, sign_in, rows, django_assert_num_queries):
    series = make.series(cast.willow)
    starts = [START - timedelta(days=n) for n in range(rows)]
    meetings = [make.meeting(cast.willow, starts_at=start, series=series) for start in starts]
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
        for one in meetings
    )
    olga = sign_in(cast.olga)
    olga.get("/")

    with django_assert_num_queries(7):
        page = olga.get(reverse("admin:meetings_sessionlog_changelist"))

    assert page.content.count(b'field-group">Willow evening') == min(rows, 50)


def test_a_substitute_stands_in_the_log(cast, over):
    Meeting.objects.filter(pk=over.pk).update(substitute=cast.dan)
    over.refresh_from_db()

    assert save(over, cast.carol).facilitators == ["Carol (lead)", "Dan (substitute)"]
