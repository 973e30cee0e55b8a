"""How somebody is reminded is theirs to say: what they save holds when mail is planned and again when it leaves."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

import outbox.services as outbox
from groups.models import Membership
from meetings import services
from meetings.models import Meeting
from members.models import Consent, ReminderSettings
from members.services import choose_reminders, give_consent, withdraw_consent
from outbox.models import Email
from tests import make

from .test_reminders import DAY, MONDAY, NEW_YORK, reminded

NOW = MONDAY

CHOICES = {"wanted": "on", "lead": "days", "wording": "neutral"}


def wish(member, **fields):
    ReminderSettings.objects.update_or_create(member=member, defaults=fields)


def save(client, **choices):
    return client.post(reverse("meetings:reminders"), {k: v for k, v in (CHOICES | choices).items() if v is not None})


# --- When mail is planned ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("today", "is_due"), [(-1, True), (0, True), (1, False), (30, False)])
def test_pause_ends_on_its_day_where_the_group_meets(willow, today, is_due):
    wish(willow.mia, paused_until=MONDAY.date() + timedelta(days=today))

    assert services.count_due_reminders() == (2 if is_due else 1)
    services.queue_due_reminders()
    assert reminded() == ({"Mia", "Max"} if is_due else {"Max"})


def test_day_on_which_a_pause_ends_is_that_of_the_groups_zone(willow, clock):
    """At ten in the morning of Tuesday in Auckland it is still Monday in London and New York."""
    now = datetime(2026, 12, 1, 10, tzinfo=ZoneInfo("Pacific/Auckland"))
    clock.move_to(now)
    Meeting.objects.update(starts_at=now + 1.5 * DAY, ends_at=now + 2 * DAY, time_zone="Pacific/Auckland")
    Membership.objects.update(joined_at=now - 30 * DAY)
    wish(willow.mia, paused_until=date(2026, 12, 1))
    wish(willow.max, paused_until=date(2026, 12, 2))

    services.queue_due_reminders()

    assert reminded() == {"Mia"}


@pytest.mark.parametrize(
    ("quiet", "hour", "is_due"),
    [
        ((9, 12), 11, False),
        ((9, 12), 12, True),
        ((12, 15), 12, False),
        ((12, 15), 11, True),
        ((17, 11), 10, False),
        ((17, 11), 11, True),
        ((17, 11), 16, True),
        ((17, 11), 17, False),
        ((0, 12), 11, False),
        ((23, 0), 12, True),
        ((None, None), 12, True),
    ],
)
def test_no_reminder_is_planned_in_quiet_hours(willow, clock, quiet, hour, is_due):
    clock.move_to(MONDAY.replace(hour=hour))
    wish(willow.mia, quiet_from=quiet[0], quiet_until=quiet[1])

    assert services.count_due_reminders() == (2 if is_due else 1)
    services.queue_due_reminders()
    assert reminded() == ({"Mia", "Max"} if is_due else {"Max"})


def test_quiet_hours_say_the_same_on_the_page_and_in_the_question(willow, clock):
    Meeting.objects.update(starts_at=MONDAY + 2 * DAY, ends_at=MONDAY + 3 * DAY)
    for quiet_from, quiet_until in [(9, 12), (12, 9), (18, 10), (10, 18), (10, 10)]:
        wish(willow.mia, quiet_from=quiet_from, quiet_until=quiet_until)
        for hour in range(9, 19):
            clock.move_to(MONDAY.replace(hour=hour) + DAY)
            is_quiet = ReminderSettings(quiet_from=quiet_from, quiet_until=quiet_until).is_quiet_at(hour)
            assert services.count_due_reminders() == (1 if is_quiet else 2), (quiet_from, quiet_until, hour)


def sent_at(starts_at, **fields):
    """When reminders of a meeting are planned for one person who is asked about every hour."""
    Meeting.objects.all().delete()
    Email.objects.all().delete()
    group = make.group()
    member = make.member(reminders=True)
    wish(member, **fields)
    make.membership(group, member, joined_at=starts_at - 30 * DAY)
    make.meeting(group, starts_at=starts_at)
    times = []
    for hours in range(25, 0, -1):
        with time_machine.travel(starts_at.astimezone(UTC) - timedelta(hours=hours), tick=False):
            times += [timezone.now().astimezone(NEW_YORK)] * services.queue_due_reminders()
    return times


@pytest.mark.parametrize("day", ["2026-11-30", "2026-11-01", "2027-03-14"])
def test_on_the_day_means_once_by_day_and_not_long_before_whenever_the_meeting_is(db, day):
    """On a plain day and on both days the clocks change, for early, late and middle starts."""
    for start in ["00:30", "09:00", "11:00", "11:30", "12:00", "18:30", "23:00"]:
        starts_at = datetime.fromisoformat(f"{day}T{start}").replace(tzinfo=NEW_YORK)
        [sent] = sent_at(starts_at, lead="same-day")
        assert 9 <= sent.hour < 19, start
        assert sent.date() == starts_at.date() or starts_at.hour < 12, start
        assert timedelta(hours=2) < starts_at.astimezone(UTC) - sent.astimezone(UTC) <= timedelta(hours=18), start


def test_whoever_changes_how_long_before_gets_no_second_reminder(willow, clock):
    services.queue_due_reminders()
    wish(willow.mia, lead="same-day")
    clock.move_to(MONDAY + timedelta(hours=22))

    assert services.queue_due_reminders() == 0

    wish(willow.max, lead="same-day")
    wish(willow.mia, lead="days")
    assert services.queue_due_reminders() == 0


def test_whoever_goes_from_the_day_to_days_before_is_caught_up_once(willow, clock):
    wish(willow.mia, lead="same-day")
    services.queue_due_reminders()
    assert reminded() == {"Max"}

    wish(willow.mia, lead="days")
    assert (services.queue_due_reminders(), services.queue_due_reminders()) == (1, 0)


# --- When mail leaves -------------------------------------------------------------------------------------------------


def test_pause_and_mute_after_planning_hold_a_reminder_back(willow, smtp):
    services.queue_due_reminders()
    wish(willow.mia, paused_until=MONDAY.date() + DAY)
    Membership.objects.filter(member=willow.max).update(is_muted=True)

    outbox.deliver()

    assert smtp.taken == []
    assert dict(Email.objects.values_list("recipient__display_name", "reason")) == {
        "Mia": "reminders are paused",
        "Max": "reminders are off",
    }


def test_reminder_held_up_into_quiet_hours_waits_for_their_end(willow, smtp, clock):
    services.queue_due_reminders()
    wish(willow.mia, quiet_from=11, quiet_until=14)
    clock.move_to(MONDAY + timedelta(minutes=30))

    outbox.deliver()
    assert smtp.people == {willow.max.email: 1}
    waiting = Email.objects.get(recipient=willow.mia)
    assert (waiting.state, waiting.attempts, waiting.send_after) == ("queued", 0, MONDAY.replace(hour=14))

    Email.objects.update(send_after=datetime(2020, 1, 1, tzinfo=UTC))  # the outbox asks the database's clock
    clock.move_to(MONDAY.replace(hour=14))
    outbox.deliver()
    assert smtp.people == {willow.max.email: 1, willow.mia.email: 1}


def test_full_words_name_group_and_place_only_with_consent_and_never_the_link(willow, smtp):
    for member in (willow.mia, willow.max):
        wish(member, wording="full")
    give_consent(willow.mia, Consent.Kind.FULL_WORDING)
    give_consent(willow.carol, Consent.Kind.FULL_WORDING)
    services.queue_due_reminders()

    outbox.deliver()

    full, neutral = smtp.mail_to(willow.mia.email), smtp.mail_to(willow.max.email)
    assert full["Subject"] == "Reminder: Willow evening, Tue 6:00 pm (EST)"
    text = full.get_body(["plain"]).get_content()
    assert text.splitlines()[0] == "You have a meeting of Willow evening on Tuesday, December 1, 6:00 pm (EST)."
    assert "Where: Community house, 12 Hidden Lane" in text
    assert "hidden-room" not in full.as_string()
    assert neutral["Subject"] == "Reminder: Tue 6:00 pm (EST)"
    assert "Willow" not in neutral.as_string()
    assert "Hidden Lane" not in neutral.as_string()


def test_full_words_tell_the_place_only_to_those_with_a_place(willow, smtp):
    wish(willow.max, wording="full")
    give_consent(willow.max, Consent.Kind.FULL_WORDING)
    services.queue_due_reminders()

    outbox.deliver()

    mail = smtp.mail_to(willow.max.email)
    assert mail["Subject"] == "Reminder: Willow evening, Tue 6:00 pm (EST)"
    assert "Hidden Lane" not in mail.as_string()


# --- The page ---------------------------------------------------------------------------------------------------------


def test_page_saves_everything_and_shows_it_again(cast, sign_in):
    client = sign_in(cast.mia)

    response = save(
        client,
        lead="same-day",
        wording="full",
        agree="on",
        quiet_from="21",
        quiet_until="8",
        pause="2",
        group_messages="on",
        muted=[cast.willow.pk],
    )

    assert response.url == reverse("meetings:reminders")
    page = client.get(response.url)
    assert page.context["form"].initial == {
        "wanted": True,
        "missed_you": False,
        "group_messages": True,
        "lead": "same-day",
        "week_day": 6,
        "wording": "full",
        "agree": True,
        "quiet_from": 21,
        "quiet_until": 8,
        "muted": [cast.willow.pk],
    }
    assert page.context["paused_until"] == timezone.localdate() + timedelta(weeks=2)
    assert Membership.objects.get(member=cast.mia).is_muted
    assert not Membership.objects.get(member=cast.max).is_muted


def test_saving_again_without_a_pause_leaves_it_and_starting_again_ends_it(cast, sign_in):
    client = sign_in(cast.mia)
    save(client, pause="8")
    save(client)
    assert ReminderSettings.objects.get().paused_until == timezone.localdate() + timedelta(weeks=8)

    client.post(reverse("meetings:reminders"), {"start_again": "yes"})

    assert ReminderSettings.objects.get().paused_until is None


def test_full_words_are_a_consent_that_ends_with_them(cast, sign_in):
    client = sign_in(cast.mia)
    consents = Consent.objects.filter(member=cast.mia, kind="full-wording")

    assert save(client, wording="full").status_code == 400
    assert not consents.exists()
    save(client, wording="full", agree="on")
    assert consents.standing().count() == 1
    save(client, wording="neutral", agree="on")
    assert (consents.standing().count(), consents.count()) == (0, 1)


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"quiet_from": "21"}, "quiet_until"),
        ({"quiet_until": "8"}, "quiet_from"),
        ({"quiet_from": "8", "quiet_until": "8"}, "quiet_until"),
        ({"quiet_from": "9", "quiet_until": "19"}, "quiet_until"),
        ({"quiet_from": "24", "quiet_until": "8"}, "quiet_from"),
        ({"lead": "weeks"}, "lead"),
        ({"pause": "52"}, "pause"),
        ({"wording": None}, "wording"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_saved(cast, sign_in, choices, field):
    response = save(sign_in(cast.mia), **choices)

    assert response.status_code == 400
    assert set(response.context["form"].errors) == {field}
    assert not ReminderSettings.objects.exists()
    assert not Consent.objects.exists()


def test_groups_of_others_cannot_be_muted(cast, sign_in):
    assert save(sign_in(cast.mia), muted=[cast.cedar.pk]).status_code == 400
    assert not Membership.objects.filter(is_muted=True).exists()


def test_previews_are_the_letters_themselves(cast, sign_in):
    make.participation(cast.willow_meeting, cast.mia)

    (_, neutral, neutral_line), (_, full, full_line) = (
        sign_in(cast.mia).get(reverse("meetings:reminders")).context["previews"]
    )

    assert "Willow" not in neutral + neutral_line
    assert neutral_line.startswith("You have a meeting on ")
    assert full.startswith("Reminder: Willow evening, ")
    assert full_line.startswith("You have a meeting of Willow evening on ")


def test_unsubscribing_from_a_mail_turns_off_the_page_too(cast, sign_in):
    choose_reminders(cast.mia, wanted=True, lead="days", wording="neutral", quiet_from=None, quiet_until=None)
    withdraw_consent(cast.mia.pk, Consent.Kind.REMINDERS)

    assert not sign_in(cast.mia).get(reverse("meetings:reminders")).context["form"].initial["wanted"]
