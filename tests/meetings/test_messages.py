"""Writing to the people of a meeting or a group: who gets it, once, in a mail that tells nothing on a locked phone."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from groups.models import Membership
from meetings import services
from meetings.message_models import GroupMessage
from meetings.models import Meeting
from members.models import Member, ReminderSettings
from outbox import kinds
from outbox.kinds import Later, Letter
from outbox.models import BouncedAddress, Email
from tests import make
from tests.outbox.test_unsubscribe import address_of

TEXT = "Please come in by the door on the left.\n\nSee you <then>."


@pytest.fixture
def willow(cast):
    """Mia has a place, Max and Kim wait, Vera is in the group and did not answer. Nora is in Cedar."""
    cast.kim = make.member("Kim")
    for member in (cast.vera, cast.kim):
        make.membership(cast.willow, member)
    make.participation(cast.willow_meeting, cast.mia)
    make.participation(cast.willow_meeting, cast.max, "waitlisted")
    make.participation(cast.willow_meeting, cast.kim, "offered")
    return cast


def of_meeting(meeting: Meeting) -> str:
    return reverse("meetings:meeting_message", args=[meeting.pk])


def of_group(group) -> str:
    return reverse("meetings:group_message", args=[group.slug])


def look(client, address: str, **facts):
    """What the page before sending says."""
    stamp = client.get(address).context["form"].initial["stamp"]
    return client.post(address, {"text": TEXT, "stamp": stamp, "audience": "members"} | facts)


def send(client, address: str, **facts):
    shown = look(client, address, **facts)
    sent = shown.context["form"].cleaned_data if "form" in shown.context else {}
    return client.post(address, sent | {"send": "yes"})


def told(kind="message") -> set[str]:
    return set(Email.objects.filter(kind=kind).values_list("recipient__display_name", flat=True))


def letters() -> dict:
    emails = list(Email.objects.filter(kind="message").select_related("recipient"))
    answers = kinds.get("message").prepare(emails) if emails else {}
    return {email.recipient.display_name: answers[email.pk] for email in emails}


@pytest.mark.parametrize(
    ("audience", "names"),
    [("going", {"Mia"}), ("waiting", {"Max", "Kim"}), ("coming", {"Mia", "Max", "Kim"})],
)
def test_message_goes_to_those_chosen(willow, sign_in, audience, names):
    response = send(sign_in(willow.carol), of_meeting(willow.willow_meeting), audience=audience)

    assert (response.status_code, told()) == (302, names)
    assert GroupMessage.objects.get().told == len(names)


def test_message_goes_to_everybody_in_the_group_and_nobody_else(willow, sign_in):
    make.membership(willow.willow, make.member("Left"), status="left")

    send(sign_in(willow.olga), of_group(willow.willow))

    assert told() == {"Mia", "Max", "Kim", "Vera"}


def test_mail_says_nothing_where_others_look_and_holds_the_text(willow):
    make.message(willow.willow, by=willow.carol, text=TEXT)

    letter = letters()["Mia"].as_read

    assert letter.subject == "A message for you"
    assert letter.first_line == "Here is a message from the people who run your meetings."
    assert TEXT in letter.text
    assert "See you &lt;then&gt;." in letter.html
    assert "Willow" not in letter.text + letter.html
    assert address_of(Email.objects.get(recipient=willow.mia)) in letter.text


def test_page_before_says_how_many_and_shows_the_mail_and_sends_none(willow, sign_in):
    Member.objects.get(pk=willow.max.pk).emailaddress_set.update(verified=False)
    BouncedAddress.objects.create(member=willow.kim, address=willow.kim.email, status="5.1.1")
    ReminderSettings.objects.create(member=willow.vera, group_messages=False)

    page = look(sign_in(willow.carol), of_group(willow.willow))

    readers = page.context["readers"]
    assert (readers.ids, readers.without_mail, readers.said_no) == ([willow.mia.pk], 2, 1)
    html = page.content.decode()
    for words in ("1 person gets this e-mail.", "2 people have no e-mail that works.", "1 person wants no such"):
        assert words in html
    assert "See you &lt;then&gt;." in html
    assert not Email.objects.exists()
    assert not GroupMessage.objects.exists()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("The addict in room 2", "We do not say “addict”."),
        ("Bring your sobriety chip", "may tell others what kind of meeting it is"),
        ("See you at Willow evening", "is the name of a group"),
        ("COME EARLY!", "exclamation mark"),
    ],
)
def test_words_that_tell_or_blame_are_warned_of_and_can_be_sent(willow, sign_in, text, warning):
    client = sign_in(willow.carol)

    page = look(client, of_group(willow.willow), text=text)
    response = send(client, of_group(willow.willow), text=text)

    assert warning in " ".join(page.context["advice"])
    assert response.status_code == 302


def test_press_sent_twice_sends_once(willow, sign_in):
    client = sign_in(willow.carol)
    sent = look(client, of_group(willow.willow)).context["form"].cleaned_data | {"send": "yes"}

    answers = [client.post(of_group(willow.willow), sent) for _ in range(2)]

    assert answers[0].url == answers[1].url
    assert (GroupMessage.objects.count(), Email.objects.count()) == (1, 4)


def test_too_many_in_an_hour_wait(willow, sign_in, settings):
    settings.GROUP_MESSAGES_PER_HOUR = 2
    client = sign_in(willow.carol)
    sent = [send(client, of_group(willow.willow)).status_code for _ in range(2)]

    third = send(client, of_group(willow.willow))
    GroupMessage.objects.update(sent_at=timezone.now() - timedelta(minutes=61))

    assert (sent, third.status_code) == ([302, 302], 429)
    assert "has to wait until" in third.content.decode()
    assert GroupMessage.objects.count() == 2
    assert send(client, of_group(willow.willow)).status_code == 302


def test_limit_is_of_each_group(willow, sign_in, settings):
    settings.GROUP_MESSAGES_PER_HOUR = 1
    client = sign_in(willow.olga)

    answers = [send(client, of_group(group)).status_code for group in (willow.willow, willow.cedar, willow.willow)]

    assert answers == [302, 302, 429]


def test_nothing_is_sent_where_nobody_gets_it(willow, sign_in):
    Member.objects.exclude(pk=willow.carol.pk).update(is_active=False)
    client = sign_in(willow.carol)

    response = send(client, of_group(willow.willow))

    assert response.status_code == 409
    assert "No mail reaches any of these people." in response.content.decode()
    assert not GroupMessage.objects.exists()


@pytest.mark.parametrize(
    "facts",
    [{"text": " "}, {"text": "x" * 1001}, {"text": "nul\0"}, {"audience": "everybody"}, {"audience": "members"}],
)
def test_what_makes_no_sense_is_refused(willow, sign_in, facts):
    client = sign_in(willow.carol)

    response = client.post(
        of_meeting(willow.willow_meeting), {"text": TEXT, "audience": "going", "send": "yes"} | facts
    )

    assert response.status_code == 400
    assert not Email.objects.exists()


def test_meeting_that_is_over_takes_none(willow, sign_in):
    past = make.meeting(willow.willow, starts_at=timezone.now() - timedelta(days=1))

    response = sign_in(willow.carol).post(of_meeting(past), {"text": TEXT, "audience": "going", "send": "yes"})

    assert (response.status_code, Email.objects.count()) == (409, 0)


def test_record_says_to_how_many_and_nothing_of_the_text(willow):
    make.message(willow.willow, by=willow.carol, text=TEXT)

    event = AuditEvent.objects.get(action="message.sent")
    assert (event.actor_id, event.object_id) == (willow.carol.pk, str(willow.willow.pk))
    assert event.details == {"audience": "members", "count": 4}


def test_facts_are_asked_again_when_it_leaves(willow):
    make.message(willow.willow, by=willow.carol)
    services.leave_group(willow.willow, by=willow.mia)
    Membership.objects.filter(member=willow.max).update(is_muted=True)
    ReminderSettings.objects.create(member=willow.kim, group_messages=False)

    reasons = {name: getattr(answer, "reason", "") for name, answer in letters().items()}

    assert reasons == {
        "Mia": "they are not among its readers any more",
        "Max": "they do not want it any more",
        "Kim": "they do not want it any more",
        "Vera": "",
    }


def test_whoever_gives_the_place_back_hears_no_more_of_the_meeting(willow):
    message = services.send_message(
        uuid4(), willow.willow, by=willow.carol, text=TEXT, audience="going", meeting=willow.willow_meeting
    )
    services.answer_declined(willow.willow_meeting, by=willow.mia)

    assert message.told == 1
    assert letters()["Mia"].reason == "they are not among its readers any more"


def test_quiet_hours_of_its_reader_are_kept(willow):
    hour = timezone.now().astimezone(willow.willow.zone).hour
    ReminderSettings.objects.create(member=willow.mia, quiet_from=hour, quiet_until=(hour + 1) % 24)
    make.message(willow.willow, by=willow.carol)

    answers = letters()

    assert isinstance(answers["Mia"], Later)
    assert isinstance(answers["Max"], Letter)


def test_text_is_erased_once_every_mail_has_left(willow):
    message = make.message(willow.willow, by=willow.carol)
    kept = services.forget_messages()
    Email.objects.exclude(recipient=willow.mia).update(state="sent", sent_at=timezone.now())
    still_kept = services.forget_messages()
    Email.objects.update(state="failed", sent_at=None)

    erased = services.forget_messages()

    message.refresh_from_db()
    assert (kept, still_kept, erased, message.text) == (0, 0, 1, "")
    assert letters()["Mia"].reason == "its text is erased"


def test_text_is_erased_when_it_helps_nobody_any_more(willow):
    message = make.message(willow.willow, by=willow.carol)
    GroupMessage.objects.update(expires_at=timezone.now())

    assert services.forget_messages() == 1
    message.refresh_from_db()
    assert (message.text, message.told) == ("", 4)


def test_link_in_the_mail_stops_messages_or_those_of_this_group(willow, client):
    make.message(willow.willow, by=willow.carol)
    mails = {email.recipient: email for email in Email.objects.select_related("recipient")}

    client.post(address_of(mails[willow.mia]))
    client.post(address_of(mails[willow.max]), {"only": "there"})

    assert not ReminderSettings.objects.get(member=willow.mia).group_messages
    assert Membership.objects.get(member=willow.max).is_muted
    assert services.find_readers(willow.willow, meeting=None, audience="members").said_no == 2


def test_member_chooses_on_the_page_of_reminders(willow, sign_in):
    client = sign_in(willow.mia)
    address = reverse("meetings:reminders")
    before = client.get(address).context["form"].initial["group_messages"]

    client.post(address, {"lead": "days", "wording": "neutral"})

    assert before is True
    assert not ReminderSettings.objects.get(member=willow.mia).group_messages


def test_another_groups_counselor_is_refused_on_the_record(willow, sign_in):
    client, message = sign_in(willow.dan), make.message(willow.willow, by=willow.carol)
    Email.objects.all().delete()
    sent = {"text": TEXT, "audience": "members", "send": "yes"}

    answers = [
        client.post(of_group(willow.willow), sent),
        client.post(of_meeting(willow.willow_meeting), sent | {"audience": "going"}),
        client.get(reverse("meetings:message_sent", args=[message.pk])),
    ]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert not Email.objects.exists()
    denied = AuditEvent.objects.filter(action="access.denied", actor_id=willow.dan.pk, object_id=str(willow.willow.pk))
    ways = ["group_message", "meeting_message", "message_sent"]
    assert list(denied.order_by("pk").values_list("details__way", flat=True)) == ways


@pytest.mark.parametrize("how_many", [3, 300])
def test_pages_and_planning_cost_the_same_whatever_there_is(willow, sign_in, how_many):
    people = make.members(how_many)
    Membership.objects.bulk_create(
        Membership(group=willow.willow, member=one, status="active", joined_at=timezone.now()) for one in people
    )
    client, numbers = sign_in(willow.carol), []
    sent = look(client, of_group(willow.willow)).context["form"].cleaned_data
    for more in ({}, {"send": "yes"}):
        with CaptureQueriesContext(connection) as asked:
            client.post(of_group(willow.willow), sent | more)
        numbers.append(len(asked))
    emails = list(Email.objects.filter(kind="message").select_related("recipient"))
    with CaptureQueriesContext(connection) as asked:
        answers = kinds.get("message").prepare(emails)

    assert len(answers) == how_many + 4
    assert [*numbers, len(asked)] == [7, 13, 7]
