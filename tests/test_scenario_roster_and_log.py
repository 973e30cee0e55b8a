"""A counselor's evening on a phone: roster, log, signature. Then what is another group's, by every way one could come.

Dan's group has everything there is to find: names, a signed log, a note, an incident, a letter.
"""

from datetime import timedelta

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from audit.models import AuditEvent
from groups.models import Facilitator, Phase, Topic
from meetings.log_models import SessionLog
from meetings.models import Participation
from meetings.services import draft_log, save_log, sign_log
from tests import make
from tests.browser import accessibility_faults, is_wider_than_the_window, press, shot
from tests.members.test_second_factor import code_of
from tests.test_admin_isolation import NOT_YOURS, everything

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAMES = ["Ada", "Ben", "Cleo", "Dora", "Eli", "Finn", "Gus", "Hana", "Ivo"]
PATIENCE = 15_000  # milliseconds


@pytest.fixture
def evening(cast):
    """Willow meets: nine have a place, and Vera comes without one."""
    Facilitator.objects.filter(group=cast.willow).update(credential="peer specialist")
    Topic.objects.create(group=cast.willow, name="Quiet evenings", prompts="What helps you rest?")
    meeting = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=20))
    for name in NAMES:
        make.participation(meeting, make.member(name))
    return meeting


@pytest.fixture
def theirs(cast):
    """Cedar, where Dan works: a meeting that was, with all that is kept of one."""
    past = make.meeting(cast.cedar, starts_at=timezone.now() - timedelta(days=2))
    place = make.participation(past, cast.nora, attendance="present")
    log = draft_log(past)
    log = save_log(past, by=cast.dan, mode=log.mode, started_at=log.started_at, ended_at=log.ended_at, headcount=1)
    sign_log(log, by=cast.dan, credential="counselor", as_of=log.saved_at)
    cast.past, cast.place = past, place
    cast.note, cast.incident = make.note(past, by=cast.dan), make.incident(past, by=cast.dan)
    _own, cast.part = (
        Phase.objects.create(group=one, position=1, kind="sharing", minutes=5) for one in (cast.willow, cast.cedar)
    )
    cast.letter = make.letter(cast.cedar, cast.nora, days_ago=(20,))
    return cast


@pytest.fixture
def phone(cast, live_server, browser):
    """Carol's phone, signed in by password and second factor."""
    secret = generate_totp_secret()
    TOTP.activate(cast.carol, secret)
    page = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, locale="en", has_touch=True
    ).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(reverse("account_login"))
    page.locator("[name=login]").fill(cast.carol.email)
    page.locator("[name=password]").fill(make.PASSWORD)
    press(page.locator("main form:has([name=password]) button[type=submit]"))
    page.locator("[name=code]").fill(code_of(secret))
    press(page.locator("main form:has([name=code]) button").first)
    return page


def see(page, name):
    shot(page, f"roster-and-log-{name}-390")
    assert accessibility_faults(page) == [], name
    assert not is_wider_than_the_window(page), name


def denials(staff) -> list[tuple]:
    found = AuditEvent.objects.filter(action="access.denied", actor_id=staff.pk).order_by("pk")
    return list(found.values_list("details__way", "object_type", "object_id"))


def test_counselor_takes_attendance_and_signs_and_finds_nothing_of_another_group(cast, evening, theirs, phone):
    _take_attendance(phone, cast, evening)
    _write_and_sign(phone, cast, evening)

    before = everything()
    noted = denials(cast.carol)
    for way, row, ask in _ways(theirs, phone):
        ask()
        noted.append((way, row._meta.label_lower, str(row.pk)))
        assert denials(cast.carol) == noted, way
        assert [word for word in ("Nora", "Cedar") if word in phone.locator("body").inner_text()] == [], way

    assert everything() == before


def _take_attendance(phone, cast, evening):
    """Each with one tap, in any order; Vera gives her code."""
    phone.goto(reverse("meetings:meeting_roster", args=[evening.pk]))
    for name in NAMES:
        phone.get_by_role("button", name=f"{name} is here", exact=True).tap()
    expect(phone.locator("[data-unmarked]")).to_be_hidden()
    expect(phone.locator(".count")).to_have_text("9 people here", use_inner_text=True)
    phone.locator("[name=code]").fill(cast.vera.code)
    press(phone.locator("[name=walk_in]"))
    expect(phone.locator(".count")).to_have_text("10 people here", use_inner_text=True)
    see(phone, "1-roster")

    came = Participation.objects.filter(meeting=evening, attendance="present", recorded_by=cast.carol)
    assert set(came.values_list("member__display_name", flat=True)) == {*NAMES, "Vera"}
    assert came.get(member=cast.vera).rsvp is None


def _write_and_sign(phone, cast, evening):
    """The log knows how many came. Whoever signs it shows once more who they are, here by a spare code."""
    press(phone.get_by_role("link", name="Session log", exact=True))
    expect(phone.get_by_label("People who came")).to_have_value("10")
    phone.get_by_label("Topic", exact=True).select_option("Quiet evenings")
    for tag in ("check-in round", "sharing round"):
        phone.get_by_role("checkbox", name=tag).check()
    see(phone, "2-log")
    press(phone.get_by_role("button", name="Save and go on to sign"))
    phone.locator("[name=code]").fill(RecoveryCodes.activate(cast.carol).get_unused_codes()[0])
    press(phone.locator("main form:has([name=code]) button").first)
    see(phone, "3-sign")
    press(phone.get_by_role("button", name="Sign", exact=True))
    expect(phone.locator(".signature")).to_contain_text("Signed by Carol, peer specialist")
    see(phone, "4-signed")

    log = SessionLog.objects.get(meeting=evening)
    assert (log.headcount, log.topic, sorted(log.activities)) == (10, "Quiet evenings", ["check-in", "sharing"])
    assert log.is_signed


def _ways(theirs, phone):
    """What she tries, each with the page on record and the row that it is noted for."""

    def is_not_there(address, *, status=404):
        def ask():
            assert phone.goto(address).status == status, address

        return ask

    def is_left_out(address):
        def ask():
            phone.goto(address)
            expect(phone.locator(".messagelist")).to_contain_text("doesn’t exist")

        return ask

    past, cedar = theirs.past, theirs.cedar
    pages = ("roster", "run", "log", "log_sign", "sheet", "notes", "incidents", "incident_new")
    for name in pages:  # by address
        address = reverse(f"meetings:meeting_{name}", args=[past.pk])
        yield f"meeting_{name}", cedar, is_not_there(address)
    yield "note_detail", cedar, is_not_there(reverse("meetings:note_detail", args=[theirs.note.pk]))
    yield "incident_detail", cedar, is_not_there(reverse("meetings:incident_detail", args=[theirs.incident.pk]))
    yield "letter_detail", cedar, is_not_there(reverse("meetings:letter_detail", args=[theirs.letter.pk]))
    for name, row in (("group", cedar), ("meeting", past), ("participation", theirs.place), ("sessionlog", past.log)):
        app = row._meta.app_label
        for what in ("change", "history"):
            yield f"{app}_{name}_{what}", row, is_left_out(reverse(f"admin:{app}_{name}_{what}", args=[row.pk]))

    def complete_a_name():
        for field in ("member&term=Nora", "meeting&term=Cedar"):  # what she may ask finds only her own
            asked = f"app_label=meetings&model_name=participation&field_name={field}"
            assert phone.goto(f"{reverse('admin:autocomplete')}?{asked}").json()["results"] == []
        asked = "app_label=meetings&model_name=turn&field_name=run&term=Cedar"
        assert phone.goto(f"{reverse('admin:autocomplete')}?{asked}").status == 403

    yield "autocomplete", theirs.carol, complete_a_name

    def filter_by_the_group():
        phone.goto(f"{reverse('admin:meetings_participation_changelist')}?meeting__group__id__exact={cedar.pk}")
        expect(phone.locator(".messagelist")).to_have_text(NOT_YOURS)

    yield "participation_filter", cedar, filter_by_the_group

    def choose_in_a_list():
        phone.goto(reverse("admin:meetings_meeting_changelist"))
        box = phone.locator("[name=_selected_action]").first
        box.evaluate("(box, id) => { box.value = id; box.checked = true; }", str(past.pk))
        phone.locator("select[name=action]").select_option("cancel_dates")
        press(phone.locator(".actions button"))
        expect(phone.locator(".messagelist")).to_have_text(NOT_YOURS)

    yield "meeting_action", past, choose_in_a_list

    def send_as_part_of_ones_own():
        phone.goto(reverse("admin:groups_group_change", args=[theirs.willow.pk]))
        part = phone.locator("input[type=hidden][name='phases-0-id']")
        part.evaluate("(field, id) => { field.value = id; }", str(theirs.part.pk))
        press(phone.locator("[name=_continue]"))
        expect(phone.locator(".messagelist")).to_have_text(NOT_YOURS)

    yield "group_part", theirs.part, send_as_part_of_ones_own
