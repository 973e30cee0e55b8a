"""What this site knows about me: whole, mine alone, in plain words, and to take along."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone, translation

import outbox.services as outbox
from audit.models import AuditEvent
from audit.services import record
from groups.models import Invitation
from meetings.models import LetFirst, Meeting, Outreach, Participation
from meetings.services import raise_hand, share, start_run
from meetings.shared_models import Shared
from members import data_parts, devices
from members.data_parts import Theme
from members.models import Consent, Member
from members.services import change_display_name, give_consent, open_calendar, pause_reminders, withdraw_consent
from outbox import kinds
from outbox.models import BouncedAddress, Email
from tests import make

CHECKOUT = Path(__file__).resolve().parents[2]
# Permission rows: there are none here, for anybody (docs/architecture.md).
NOT_USED = {"members.Member_groups.member", "members.Member_user_permissions.member"}

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1 Version/19.1 Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
)


def show_again(client, member) -> None:
    """As if they had just entered their password once more."""
    request = HttpRequest()
    request.session = client.session
    record_authentication(request, member, "password", reauthenticated=True)
    request.session.save()


@pytest.fixture
def mia(cast, sign_in):
    """Mia's browser; she has something in every part that is not about work, and others have things beside hers."""
    make.agreement(cast.willow)
    make.disclosure(make.letter(cast.willow, cast.mia), by=cast.carol)
    share(Shared.Kind.PHONE, "555 0100 123", by=cast.mia)
    there = timezone.now() - timedelta(days=8)
    make.participation(cast.willow_meeting, cast.mia)
    make.participation(cast.willow_meeting, cast.max)
    past = make.meeting(cast.willow, starts_at=there)
    make.participation(past, cast.mia, attendance="present", recorded_by=cast.carol)
    now = make.meeting(cast.willow, starts_at=timezone.now())
    make.participation(now, cast.mia)
    start_run(now, by=cast.carol)
    raise_hand(now, by=cast.mia)
    record("attendance.recorded", past, by=cast.carol, member=str(cast.mia.pk), attendance="present")
    record("attendance.recorded", past, by=cast.carol, member=str(cast.max.pk), attendance="present")
    change_display_name(cast.mia, "Mia R.")
    change_display_name(cast.max, "Maximilian")
    Invitation.objects.create(
        group=cast.cedar,
        token_hash="x",
        invited_by=cast.dan,
        used_by=cast.mia,
        used_at=there,
        expires_at=timezone.now(),
    )
    Outreach.objects.create(meeting=past, member=cast.mia, contacted_by=cast.carol)
    LetFirst.objects.create(meeting=past, member=cast.mia, let_by=cast.carol, was_number=3, reason="It was her turn.")
    give_consent(cast.mia, Consent.Kind.REMINDERS)
    withdraw_consent(cast.mia.pk, Consent.Kind.REMINDERS)
    pause_reminders(cast.mia, until=timezone.now().date())
    open_calendar(cast.mia)
    TOTP.activate(cast.mia, generate_totp_secret())
    outbox.queue(
        "reminder",
        [cast.mia.pk],
        about_id=cast.willow_meeting.pk,
        fact="x",
        expires_at=timezone.now() + timedelta(days=1),
    )
    BouncedAddress.objects.create(member=cast.mia, address=cast.mia.email, status="5.1.1")
    client = sign_in(cast.mia)
    UserSession.objects.create(user=cast.mia, ip="192.0.2.7", session_key="elsewhere", user_agent=ANDROID)
    return client


def take(client) -> dict:
    return json.loads(client.post(reverse("members:my_data_take")).content)


def test_every_link_to_a_member_belongs_to_a_part():
    covered = frozenset().union(*(part.covers for part in data_parts.every_part()))

    links = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is Member
    }
    columns = {f"members.Member.{field.name}" for field in Member._meta.concrete_fields}

    assert covered - links - columns == {"audit.AuditEvent.actor_id"}
    assert (links | columns) - covered == NOT_USED


def test_nothing_is_told_twice():
    counted = [link for part in data_parts.every_part() for link in part.covers]

    assert len(counted) == len(set(counted))


def test_what_stands_in_the_record_and_what_mails_are_for_has_plain_words():
    code = [
        path
        for app in ("centre", "groups", "lab", "meetings", "members", "reports")
        for path in CHECKOUT.glob(f"{app}/**/*.py")
    ]
    recorded = re.compile(r"""record\((?:self\.\w+, )?(?:request, )?\s*"([a-z_.]+)"(?: if [^,]* else "([a-z_.]+)")?""")
    actions = {name for path in code for found in recorded.findall(path.read_text()) for name in found if name}
    names = actions | {f"mail.{name}" for name in kinds._kinds}

    assert {"membership.joined", "membership.requested", "facilitator.added", "report.exported"} <= actions
    assert [name for name in sorted(names) if not data_parts.has_words(name)] == []


def test_page_tells_every_part_of_a_members_life_here(mia):
    page = mia.get(reverse("members:my_data"))

    parts = {one["part"].name: one for theme in page.context["themes"] for one in theme["parts"]}
    assert set(parts) == {part.name for part in data_parts.every_part() if part.theme != Theme.WORK}
    assert [name for name, one in parts.items() if not one["rows"]] == []
    html = page.content.decode()
    for words in (
        "Mia R.",
        "Willow evening",
        "Chrome on Android",
        "555 0100 123",
        "noted whether somebody came",
        "192.0.2.7",
    ):
        assert words in html
    assert "no-store" in page["Cache-Control"]


def test_nothing_of_other_people_is_in_it(cast, mia):
    show_again(mia, cast.mia)

    told = mia.get(reverse("members:my_data")).content.decode() + json.dumps(take(mia))

    for other in (cast.max, cast.carol, cast.dan, cast.olga, Member.objects.get(pk=cast.max.pk)):
        for secret in (other.display_name, other.email, other.code, str(other.pk)):
            assert not re.search(rf"\b{re.escape(secret)}\b", told)


def test_secrets_are_not_in_it(cast, mia):
    show_again(mia, cast.mia)
    cast.mia.refresh_from_db()

    told = mia.get(reverse("members:my_data")).content.decode() + json.dumps(take(mia))

    keys = [session.session_key for session in UserSession.objects.filter(user=cast.mia)]
    for secret in (cast.mia.password, cast.mia.calendar_token, mia.session.session_key, *keys):
        assert secret not in told


def test_record_holds_what_others_did_with_mine_and_nothing_they_did_with_others(cast, mia):
    show_again(mia, cast.mia)

    told = {part["name"]: part["rows"] for part in take(mia)["parts"]}["record"]

    seen = [(row["done"], row["by"]) for row in told if row["done"].startswith("noted")]
    assert seen == [("noted whether somebody came", "somebody who works here")]
    assert ("changed the name here", "you") in [(row["done"], row["by"]) for row in told]


def test_a_counselor_also_reads_of_their_work(cast, sign_in):
    make.participation(make.meeting(cast.willow), cast.mia, attendance="present", recorded_by=cast.carol)

    page = sign_in(cast.carol).get(reverse("members:my_data")).content.decode()

    assert "Groups you lead" in page
    assert "Meetings in which you noted who came" in page
    assert "Mia" not in page


def test_file_is_given_only_after_showing_once_more_who_one_is(cast, mia):
    address = reverse("members:my_data_take")

    asked = [mia.get(address), mia.post(address)]
    show_again(mia, cast.mia)
    page, file = mia.get(address), mia.post(address)

    assert [answer.url.split("?")[0] for answer in asked] == [reverse("mfa_reauthenticate")] * 2
    assert page.status_code == 200
    assert file["Content-Type"] == "application/json"
    assert re.fullmatch(r'attachment; filename="my-data-[\d-]+\.json"', file["Content-Disposition"])
    assert {"no-store", "private"} <= set(file["Cache-Control"].split(", "))
    assert AuditEvent.objects.filter(action="member.data_taken", actor_id=cast.mia.pk).count() == 1


def test_file_holds_every_part_with_its_reasons_and_times_that_programs_read(cast, mia):
    show_again(mia, cast.mia)

    parts = {part["name"]: part for part in take(mia)["parts"]}

    assert list(parts) == [part.name for part in data_parts.every_part()]
    assert [name for name, part in parts.items() if not (part["why"] and part["kept"] and part["heading"])] == []
    assert parts["account"]["rows"][0]["email"] == cast.mia.email
    assert parts["meetings"]["rows"][0]["starts_at"] == cast.willow_meeting.local_start.isoformat()
    assert parts["meetings"]["rows"][0]["offer_expires_at"] is None


def test_page_and_file_speak_spanish(cast, mia):
    Member.objects.filter(pk=cast.mia.pk).update(language="es")

    page = mia.get(reverse("members:my_data"), headers={"accept-language": "es"})

    assert page.status_code == 200
    with translation.override("es"):
        assert devices.in_words(IPHONE)


def fill(cast, rows: int) -> None:
    """So many answers, mails and lines in the record of Vera."""
    first = make.meeting(cast.willow)
    days = [timezone.now() - timedelta(days=n + 1) for n in range(rows)]
    facts = {"group": cast.willow, "series": first.series, "time_zone": "UTC", "mode": "online", "capacity": 9}
    meetings = Meeting.objects.bulk_create(
        Meeting(
            starts_at=day,
            ends_at=day + timedelta(hours=1),
            series_date=day.date(),
            local_date=day.date(),
            local_time=day.time(),
            **facts,
        )
        for day in days
    )
    Participation.objects.bulk_create(
        Participation(meeting=one, member=cast.vera, attendance="present", recorded_at=one.ends_at) for one in meetings
    )
    AuditEvent.objects.bulk_create(
        AuditEvent(actor_id=cast.vera.pk, action="membership.left", object_type="groups.group", object_id=str(n))
        for n in range(rows)
    )
    Email.objects.bulk_create(
        Email(key=f"{n}", kind="moved", recipient=cast.vera, about_id=first.pk, fact=f"{n}", expires_at=day)
        for n, day in enumerate(days)
    )


@pytest.mark.parametrize("rows", [3, 300])
def test_pages_ask_the_same_few_questions_however_much_there_is(cast, sign_in, rows, django_assert_num_queries):
    fill(cast, rows)
    client = sign_in(cast.vera)

    with django_assert_num_queries(39):
        page = client.get(reverse("members:my_data"))
    with django_assert_num_queries(4):
        part = client.get(reverse("members:my_data_part", args=["meetings"]))

    shown = {one["part"].name: one for theme in page.context["themes"] for one in theme["parts"]}
    for name in ("meetings", "mail", "record"):
        assert (len(shown[name]["rows"]), shown[name]["has_more"]) == (min(rows, 5), rows > 5)
    assert len(part.context["rows"]) == min(rows, 50)


@pytest.mark.parametrize("rows", [3, 300])
def test_file_asks_one_question_for_each_part(cast, sign_in, rows, django_assert_num_queries):
    fill(cast, rows)
    client = sign_in(cast.vera)
    show_again(client, cast.vera)

    with django_assert_num_queries(43):
        file = take(client)

    assert len({part["name"]: part for part in file["parts"]}["meetings"]["rows"]) == rows


def test_part_nobody_knows_is_not_found(cast, sign_in):
    assert sign_in(cast.mia).get(reverse("members:my_data_part", args=["nothing"])).status_code == 404


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (IPHONE, "Safari on iPhone"),
        (ANDROID, "Chrome on Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19.0 Safari/605.1.15", "Safari on Mac"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/142.0 Safari/537.36", "Chrome on Chromebook"),
        ("curl/8.5", "A device we do not know"),
        ("", "A device we do not know"),
    ],
)
def test_devices_are_called_as_people_call_them(user_agent, words):
    assert devices.in_words(user_agent) == words
