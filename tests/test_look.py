"""Each page in a real browser: axe finds nothing, nothing scrolls sideways at 320 px, nothing comes from elsewhere.

Leaves a picture of each page at 360 and 1280 px, light and dark, in English and Spanish, under screenshots/.
"""

import json
import re
from datetime import timedelta
from functools import cache

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from groups.models import Group, Invitation, Membership
from groups.services import decline_request, invite
from lab.services import try_words, use_words, write_words
from meetings import services
from meetings.access import answer_token
from meetings.models import Meeting
from meetings.services import add_to_log, draft_log, save_log, sign_log
from meetings.shared_models import Shared
from members.services import name_groups_in_calendar, open_calendar
from outbox import kinds
from outbox.models import BouncedAddress
from outbox.wordings import Words
from tests import make, wrong_pages
from tests.account_pages import LOOKED_AT, account_pages
from tests.browser import accessibility_faults, is_wider_than_the_window, press, shot
from tests.keyboard import focus_faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


INVITED = "a-quiet-token"


def words_written(olga) -> None:
    """New words for two mails, one of them in use, and a third on trial."""
    for name in ("moved", "cancelled", "reminder-going"):
        letter = kinds.editable_letters()[name]
        words = Words("See you {when_short}", "We look forward to you on {when}.", "Come as you are!")
        wording = write_words(letter, "en", words, after=0, by=olga)
        if name == "cancelled":
            use_words(letter, "en", wording, instead_of=None, by=olga)
        elif name == "reminder-going":
            try_words(letter, "en", wording, beside=None, by=olga)


def log_signed(cast) -> Meeting:
    """Last week's meeting, with a log that is signed and was added to."""
    meeting = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(days=7))
    log = draft_log(meeting)
    facts = {name: getattr(log, name) for name in ("started_at", "ended_at", "mode", "first_timers")}
    more = {"topic": "Coping", "headcount": 7, "activities": ["check-in", "sharing"], "follow_ups": ["rides"]}
    saved = save_log(meeting, by=cast.carol, **facts, **more)
    assert saved is not None
    sign_log(saved, by=cast.carol, credential="certified peer specialist", as_of=saved.saved_at)
    make.note(meeting, by=cast.carol)
    make.incident(meeting, by=cast.carol)
    add_to_log(saved, "The heating did not work.", by=cast.carol, credential="certified peer specialist")
    return meeting


def run_meetings(cast, now) -> None:
    """One runs: Mia shares, Vera's hand is up, Max is not here yet, somebody gave no name. Another has ended."""
    services.start_run(now, by=cast.carol)
    seats = {row.member_id: f"p{row.pk}" for row in now.participations.all()}
    for tap, whom in (("next_part", ""), ("guest", ""), ("speak", seats[cast.mia.pk])):
        services.tap_run(now, tap, whom=whom, seen=now.run.version, by=cast.carol)
        now.run.refresh_from_db()
    services.raise_hand(now, by=cast.vera)
    cast.ended = make.meeting(make.group(), starts_at=timezone.now() - timedelta(minutes=50))
    make.participation(cast.ended, cast.mia, attendance="present")
    services.start_run(cast.ended, by=cast.olga)
    services.tap_run(cast.ended, "end", seen=1, by=cast.olga)


def waiting_list(cast) -> Meeting:
    """A full meeting of Willow's with four in line, one of whom was let go first."""
    meeting = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9), capacity=1)
    make.participation(meeting, make.member("Ash"))
    for member in (cast.max, cast.vera, make.member("Rowan who likes long names")):
        make.participation(meeting, member, "waitlisted")
    reason = "Came a long way last time and found it full."
    services.let_go_first(meeting, member.pk, by=cast.carol, reason=reason, instead_of=cast.max.pk)
    return meeting


@pytest.fixture
def scene(cast):
    """A week with something of everything in it."""
    make.agreement(cast.willow, text="What is said here stays here.\n\nYou can always pass.")
    online = make.group(name="Lantern online", mode=Group.Mode.ONLINE, kind=Group.Kind.SKILLS, description="We listen.")
    make.membership(online, cast.mia)
    full = make.meeting(online, capacity=2, starts_at=timezone.now() + timedelta(days=3))
    for member in make.members(2):
        make.participation(full, member)
    make.participation(full, cast.mia, rsvp="waitlisted")
    make.participation(cast.willow_meeting, cast.mia)
    now = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(minutes=10))
    make.participation(now, cast.mia, attendance="present")
    make.participation(now, cast.max)
    make.participation(now, cast.vera, rsvp=None, attendance="late")
    run_meetings(cast, now)
    open_calendar(cast.mia)
    open_calendar(cast.nora)
    name_groups_in_calendar(cast.nora)
    changed_at = timezone.now() + timedelta(minutes=1)
    make.participation(make.meeting(cast.willow, status="cancelled", changed_at=changed_at), cast.max)
    make.participation(make.meeting(cast.cedar, starts_at=timezone.now() - timedelta(weeks=6)), cast.nora)
    for member, status in ((cast.dan, "5.1.1"), (cast.rita, "complaint")):
        BouncedAddress.objects.create(member=member, address=member.email, status=status)
    services.open_check_in(now, by=cast.carol)
    cast.now, cast.full = now, full
    cast.long = waiting_list(cast)
    cast.given = make.disclosure(make.letter(cast.willow, cast.mia, days_ago=(20, 27)), by=cast.carol)
    cast.logged = log_signed(cast)
    cast.message = make.message(cast.willow, by=cast.carol)
    services.share(Shared.Kind.PHONE, "555 0100 123", by=cast.mia)
    services.share(Shared.Kind.NEEDS, "A way in without steps, and a seat near the door.", by=cast.mia)
    for name in ("Alder", "Birch who chose a long name"):
        unreached = make.member(name)
        make.membership(cast.willow, unreached)
        unreached.emailaddress_set.update(verified=False)
    services.share(Shared.Kind.PHONE, "+1 (555) 0100-124", by=unreached)
    words_written(cast.olga)
    cast.asking = make.group(name="Harbor circle", enrolment=Group.Enrolment.BY_REQUEST)
    asked = {"status": Membership.Status.REQUESTED, "joined_at": None}
    make.membership(cast.asking, cast.vera, **asked)
    decline_request(make.membership(cast.asking, cast.max, **asked), by=cast.carol)
    cast.closed = make.group(name="Inner circle", enrolment=Group.Enrolment.CLOSED, description="We listen.")
    make.series(cast.closed)
    invite(Invitation(group=cast.closed), by=cast.carol, token=INVITED, days=14)
    return cast


def pages(scene):
    """Name: (who looks, or None; address), and if a form is sent there by its main button: what is typed first."""
    roster = reverse("meetings:meeting_roster", args=[scene.now.pk])
    sheet = reverse("meetings:meeting_sheet", args=[scene.now.pk])
    waiting = reverse("meetings:meeting_waiting", args=[scene.long.pk])
    letter = [scene.given.consent.letter_id]
    token = answer_token(scene.willow_meeting.pk, scene.mia.pk)
    return {
        "home": (None, reverse("home")),
        "find": (None, reverse("meetings:meeting_list")),
        "find-week": (None, reverse("meetings:meeting_list") + "?view=week"),
        "find-nothing": (None, reverse("meetings:meeting_list") + "?q=nothing"),
        "meeting-visitor": (None, scene.willow_meeting.get_absolute_url()),
        "meeting-going": (scene.mia, scene.willow_meeting.get_absolute_url()),
        "meeting-waiting": (scene.mia, scene.full.get_absolute_url()),
        "group": (None, scene.willow.get_absolute_url()),
        "group-member": (scene.mia, scene.willow.get_absolute_url()),
        "group-asked": (scene.vera, scene.asking.get_absolute_url()),
        "group-declined": (scene.max, scene.asking.get_absolute_url()),
        "group-closed": (scene.vera, scene.closed.get_absolute_url()),
        "invitation": (scene.vera, reverse("groups:invitation", args=[INVITED])),
        "invitation-visitor": (None, reverse("groups:invitation", args=[INVITED])),
        "invitation-gone": (None, reverse("groups:invitation", args=["x"])),
        "first-time": (None, reverse("groups:first_time")),
        "join": (scene.vera, reverse("groups:group_join", args=["willow"])),
        "leave-group": (scene.mia, reverse("meetings:group_leave", args=["willow"])),
        "my-week": (scene.mia, reverse("my_week")),
        "my-week-new": (scene.vera, reverse("my_week")),
        "my-calendar": (scene.mia, reverse("meetings:my_calendar")),
        "my-calendar-off": (scene.max, reverse("meetings:my_calendar")),
        "my-calendar-names": (scene.nora, reverse("meetings:my_calendar")),
        "my-week-news": (scene.max, reverse("my_week")),
        "my-week-bounced": (scene.dan, reverse("my_week")),
        "my-week-complaint": (scene.rita, reverse("my_week")),
        "my-week-returning": (scene.nora, reverse("my_week")),
        "my-attendance": (scene.mia, reverse("meetings:my_attendance")),
        "my-attendance-new": (scene.max, reverse("meetings:my_attendance")),
        "reminders": (scene.mia, reverse("meetings:reminders")),
        "reminders-new": (scene.vera, reverse("meetings:reminders")),
        "reminders-coordinator": (scene.olga, reverse("meetings:reminders")),
        "roster": (scene.carol, roster),
        "check-in": (scene.mia, reverse("meetings:check_in")),
        "check-in-wrong": (scene.mia, reverse("meetings:check_in"), {"code": "nobody"}),
        "meeting-check-in": (scene.max, scene.now.get_absolute_url()),
        "sheet": (scene.carol, sheet + "?kind=sheet&names=on&lines=4"),
        "sheet-slips": (scene.carol, sheet + "?kind=slips&names=on&lines=3"),
        "sheet-blank": (scene.carol, sheet + "?kind=blank&lines=20"),
        "sheet-wrong": (scene.carol, sheet + "?kind=sheet&lines=900"),
        "calls": (scene.carol, reverse("meetings:group_calls", args=["willow"])),
        "calls-none": (scene.carol, reverse("meetings:meeting_calls", args=[scene.now.pk])),
        "sharing": (scene.mia, reverse("meetings:my_sharing")),
        "sharing-none": (scene.max, reverse("meetings:my_sharing")),
        "sharing-wrong": (scene.max, reverse("meetings:my_sharing"), {"keep": ""}),
        "message": (scene.carol, reverse("meetings:meeting_message", args=[scene.long.pk])),
        "message-group": (scene.carol, reverse("meetings:group_message", args=["willow"])),
        "message-wrong": (scene.carol, reverse("meetings:meeting_message", args=[scene.long.pk]), {"text": ""}),
        "message-sent": (scene.carol, reverse("meetings:message_sent", args=[scene.message.pk])),
        "message-over": (scene.carol, reverse("meetings:meeting_message", args=[scene.logged.pk])),
        "waiting": (scene.carol, waiting),
        "waiting-first": (scene.carol, f"{waiting}?person={scene.vera.pk}"),
        "waiting-first-wrong": (scene.carol, f"{waiting}?person={scene.vera.pk}", {"reason": ""}),
        "waiting-none": (scene.carol, reverse("meetings:meeting_waiting", args=[scene.now.pk])),
        "log": (scene.carol, reverse("meetings:meeting_log", args=[scene.now.pk])),
        "log-wrong": (scene.carol, reverse("meetings:meeting_log", args=[scene.now.pk]), {"first_timers": "90"}),
        "log-none": (scene.carol, reverse("meetings:meeting_log", args=[scene.willow_meeting.pk])),
        "log-signed": (scene.carol, reverse("meetings:meeting_log", args=[scene.logged.pk])),
        "run": (scene.carol, reverse("meetings:meeting_run", args=[scene.now.pk])),
        "run-not-yet": (scene.carol, reverse("meetings:meeting_run", args=[scene.willow_meeting.pk])),
        "run-ended": (scene.olga, reverse("meetings:meeting_run", args=[scene.ended.pk])),
        "room": (scene.mia, reverse("meetings:meeting_room", args=[scene.now.pk])),
        "room-listening": (scene.vera, reverse("meetings:meeting_room", args=[scene.now.pk])),
        "room-not-yet": (scene.mia, reverse("meetings:meeting_room", args=[scene.willow_meeting.pk])),
        "room-ended": (scene.mia, reverse("meetings:meeting_room", args=[scene.ended.pk])),
        "notes": (scene.carol, reverse("meetings:meeting_notes", args=[scene.logged.pk])),
        "notes-wrong": (scene.carol, reverse("meetings:meeting_notes", args=[scene.logged.pk]), {}),
        "incidents": (scene.carol, reverse("meetings:meeting_incidents", args=[scene.logged.pk])),
        "incident-new": (scene.carol, reverse("meetings:meeting_incident_new", args=[scene.logged.pk])),
        "incident-new-wrong": (scene.carol, reverse("meetings:meeting_incident_new", args=[scene.logged.pk]), {}),
        "letters": (scene.mia, reverse("meetings:my_letters")),
        "letters-none": (scene.max, reverse("meetings:my_letters")),
        "letters-wrong": (scene.mia, reverse("meetings:my_letters"), {"first": "2026-01-02", "last": "2026-01-01"}),
        "letter": (scene.mia, reverse("meetings:my_letter", args=letter)),
        "letter-share": (scene.mia, reverse("meetings:my_letter_share", args=letter)),
        "letter-share-wrong": (
            scene.mia,
            reverse("meetings:my_letter_share", args=letter),
            {},
        ),
        "letter-issued": (scene.carol, reverse("meetings:letter_detail", args=letter)),
        "letter-given": (scene.carol, reverse("meetings:letter_disclosed", args=[scene.given.pk])),
        "verify": (None, reverse("meetings:verify")),
        "verify-wrong": (None, reverse("meetings:verify"), {}),
        "answer-from-mail": (None, reverse("meetings:answer_from_mail", args=[token])),
        "unsubscribe": (None, reverse("outbox:unsubscribe", args=["x"])),
        "help": (None, reverse("members:help_now")),
        "display": (None, reverse("members:display")),
        "stay": (scene.mia, reverse("members:stay")),
        "settings": (scene.mia, reverse("members:settings")),
        "my-data": (scene.mia, reverse("members:my_data")),
        "my-data-counselor": (scene.carol, reverse("members:my_data")),
        "my-data-part": (scene.mia, reverse("members:my_data_part", args=["meetings"])),
        "display-name": (scene.mia, reverse("members:display_name")),
        "ask": (None, reverse("centre:contact") + "?group=willow"),
        "ask-sent": (None, reverse("centre:sent")),
        "sign-up": (None, reverse("account_signup")),
        "sign-in": (None, reverse("account_login")),
        "sign-in-code": (None, reverse("account_request_login_code")),
        "reset-password": (None, reverse("account_reset_password")),
        "find-misunderstood": (None, reverse("meetings:meeting_list") + "?day=someday&time=9&kind=support"),
        **{name: page for name, page in account_pages(scene).items() if name in LOOKED_AT},
        "join-wrong": (scene.vera, reverse("groups:group_join", args=["willow"]), {}),
        "ask-wrong": (None, reverse("centre:contact"), {}),
        "sign-in-code-wrong": (None, reverse("account_request_login_code"), {"email": "river"}),
        "reset-password-wrong": (None, reverse("account_reset_password"), {"email": "river"}),
        "e-mail-address-wrong": (scene.mia, reverse("account_email"), {"email": "river", "action_add": ""}),
        "display-name-wrong": (scene.mia, reverse("members:display_name"), {"display_name": ""}),
        "reminders-wrong": (scene.mia, reverse("meetings:reminders"), {"quiet_from": "22", "quiet_until": ""}),
        "roster-wrong": (scene.carol, roster, {"code": "nobody", "walk_in": ""}),
        "not-found": (None, "/nothing-here/"),
        **{f"wrong-{name}": (None, f"/wrong/{name}/") for name in wrong_pages.WRONG},
        "wrong-403-member": (scene.mia, "/wrong/403/"),
        "styleguide": (None, "/styleguide/shown/"),
        "second-factor": (scene.carol, reverse("mfa_index")),
        "e-mail-address": (scene.mia, reverse("account_email")),
        "wording": (scene.olga, reverse("lab:letter_list")),
        "wording-mail": (scene.olga, reverse("lab:letter_detail", args=["cancelled", "en"])),
        "wording-mail-test": (scene.olga, reverse("lab:letter_detail", args=["reminder-going", "en"])),
        "wording-words": (scene.olga, reverse("lab:letter_words", args=["moved", "en", 1])),
        "wording-write": (scene.olga, reverse("lab:letter_write", args=["offer", "es"])),
        "wording-write-wrong": (
            scene.olga,
            reverse("lab:letter_write", args=["moved", "en"]),
            {"subject": "Your group {whom}", "opening": "COME!"},
        ),
        "wording-tests": (scene.olga, reverse("reports:wording_tests")),
        "reports": (scene.olga, reverse("reports:report_list")),
        "attendance": (scene.olga, reverse("reports:attendance")),
    }


# Width and language. Each page is loaded once and looked at in the light and in the dark.
SCREENS = [(360, "en"), (1280, "es")]


@pytest.fixture
def open_browser(sign_in, live_server, browser):
    """A browser of this person for this screen; the same one when asked again."""

    def open_browser(person, width, language="en"):
        context = browser.new_context(
            viewport={"width": width, "height": 780}, locale=language, reduced_motion="reduce", color_scheme="light"
        )
        cookies = {settings.LANGUAGE_COOKIE_NAME: language}
        if person:
            cookies[settings.SESSION_COOKIE_NAME] = sign_in(person).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": key, "value": value, "url": live_server.url} for key, value in cookies.items()])
        page = context.new_page()
        return page, listen(page, live_server.url)

    return cache(open_browser)


@pytest.fixture(autouse=True)
def _with_wrong_pages(settings):
    settings.ROOT_URLCONF = wrong_pages.UrlConf


@pytest.fixture(autouse=True)
def _nobody_is_signed_out_meanwhile(settings):
    """All of it is made ready first. On a busy machine a page's turn comes when a code is no good any more (3 minutes)
    or somebody was idle for too long (15)."""
    settings.STAFF_IDLE = settings.MEMBER_IDLE = hours = timedelta(hours=6)
    waits = ("LOGIN_BY_CODE", "PASSWORD_RESET_BY_CODE", "EMAIL_VERIFICATION_BY_CODE", "REAUTHENTICATION", "LOGIN")
    for what in waits:
        setattr(settings, f"ACCOUNT_{what}_TIMEOUT", hours.total_seconds())


MISTAKE = ".errors, .errorlist, .invalid-feedback, [aria-invalid=true]"


def visit(page, home: str, address: str, typed: dict | None = None) -> None:
    """Open a page, and if something is to be typed there, send it: by the button of that name, or the main one."""
    page.goto(home + address)
    if typed is None:
        return
    button = "main form button.main"
    for name, words in typed.items():
        field = page.locator(f"main [name={name}]:not([type=hidden])").first
        assert field.count(), f"{address} has no {name}: {page.url}, {page.title()}"
        match field.evaluate("field => field.localName"):
            case "button":
                button = f"main button[name={name}]"
            case "select":
                field.select_option(words)
            case _:
                field.fill(words)
    press(page.locator(button).first)


@pytest.mark.parametrize(("width", "language"), SCREENS)
def test_every_page_is_at_ease(scene, open_browser, live_server, width, language):
    faults = {}
    for name, (person, address, *typed) in pages(scene).items():
        page, heard = open_browser(person, width, language)
        heard.clear()
        visit(page, live_server.url, address, *typed)
        found = [words for words in heard if "Failed to load resource: the server responded" not in words]
        if typed and not page.locator(MISTAKE).count():
            found.append("shows no mistake")
        found += [*focus_faults(page), *accessibility_faults(page)]
        shot(page, f"{name}-{width}-light-{language}")
        page.emulate_media(color_scheme="dark")
        found += [f"in the dark, {fault}" for fault in accessibility_faults(page, of_colour=True)]
        shot(page, f"{name}-{width}-dark-{language}")
        page.set_viewport_size({"width": 320, "height": 640})
        if is_wider_than_the_window(page):
            found.append("scrolls sideways at 320 px")
        page.evaluate("document.documentElement.classList.add('text-largest')")
        if is_wider_than_the_window(page):
            found.append("scrolls sideways at 320 px with very large words")
        page.set_viewport_size({"width": width, "height": 780})
        page.emulate_media(color_scheme="light")
        if found:
            faults[name] = found

    assert faults == {}


def test_data_for_search_engines_is_within_the_policy(scene, open_browser, live_server):
    """The group's page has a block of data that no policy allows to run, and none has to; a script there is stopped."""
    page, heard = open_browser(None, 360)

    page.goto(live_server.url + scene.willow.get_absolute_url())
    data = json.loads(page.locator("script[type='application/ld+json']").inner_text())

    assert {event["@type"] for event in data["@graph"]} == {"Event"}
    assert heard == []
    with page.expect_console_message(lambda message: message.text.startswith("policy: script-src")):  # it does listen
        page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    assert page.evaluate("window.ran") is None


A4 = 718  # pixels between the margins
PAINTED = "element => getComputedStyle(element).backgroundColor"
WITHOUT_EDGE = """buttons => buttons
  .filter((button) => { const style = getComputedStyle(button);
    return style.borderTopStyle === "none" || parseFloat(style.borderTopWidth) < 1; })
  .map((button) => button.outerHTML.slice(0, 100))"""


def test_pages_in_the_persons_own_colours(scene, open_browser, live_server):
    """What a wash of colour says is said by an edge: of every button, and of whoever is marked as here."""
    for name in ("home", "find", "group-member", "meeting-going", "my-week", "help", "roster", "reminders"):
        person, address = pages(scene)[name]
        page, _ = open_browser(person, 360)
        page.emulate_media(forced_colors="active", color_scheme="dark")
        visit(page, live_server.url, address)
        shot(page, f"{name}-360-forced-colors")
        assert page.locator(".button:visible, button:not(.plain):visible").evaluate_all(WITHOUT_EDGE) == [], name

    page, _ = open_browser(scene.carol, 360)
    visit(page, live_server.url, pages(scene)["roster"][1])
    pressed, other = (
        page.locator(f".roster [aria-pressed={yes}]").first.evaluate(PAINTED) for yes in ("true", "false")
    )
    assert pressed != other


def test_nothing_moves_for_whoever_asked_for_stillness(live_server, browser):
    moving = "['button', 'html'].map((name) => getComputedStyle(document.querySelector(name)))"
    look = f"{moving}.map((style, n) => n ? style.scrollBehavior : style.transitionDuration)"
    found = {}
    for motion in ("no-preference", "reduce"):
        page = browser.new_context(reduced_motion=motion).new_page()
        page.goto(live_server.url + reverse("members:display"))
        found[motion] = page.evaluate(look)

    assert found == {"no-preference": ["0.12s, 0.12s", "smooth"], "reduce": ["0s", "auto"]}


def test_pages_on_paper(scene, open_browser, live_server):
    """Printed from a device in the dark: black on white, what is read, nothing to press, no address of a link."""
    on_paper = {}
    for name in ("home", "find", "find-week", "group-member", "meeting-going", "my-week", "help", "roster"):
        person, address = pages(scene)[name]
        page, _ = open_browser(person, A4)
        page.emulate_media(media="print", color_scheme="dark")
        visit(page, live_server.url, address)
        shot(page, f"{name}-print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
        pressable = "main button:not([aria-pressed=true]):visible, main input:visible, main select:visible"
        assert page.locator(f"{pressable}, header.top:visible, footer.foot:visible").count() == 0, name
        assert "http" not in page.locator("main").inner_text()
        assert not is_wider_than_the_window(page), name
        on_paper[name] = page.locator("main").inner_text()

    assert [line["call"] for line in settings.HELP_LINES if line["call"] not in on_paper["help"]] == []
    assert re.search(r"Mia.*Here", on_paper["roster"], re.DOTALL)


def test_help_and_leaving_stand_in_one_place_on_every_page(scene, open_browser, live_server):
    """A person in a bad minute finds them without looking, at 320 px too (WCAG 2.2, 3.2.6)."""
    places: dict[tuple, set] = {}
    everywhere = pages(scene)
    chosen = ("home", "find", "my-week", "settings", "roster", "reports", "wrong-403-member", "help", "sign-up")
    for width in (320, 1280):
        for name in chosen:
            person, address = everywhere[name]
            page, _ = open_browser(person, width)
            visit(page, live_server.url, address)
            for thing in (".help-link", ".leave-button"):
                for box in [found.bounding_box() for found in page.locator(thing).all()]:
                    places.setdefault((width, thing), set()).add((round(box["x"]), round(box["y"])))
                    assert box["height"] >= 44

    assert {key: found for key, found in places.items() if len(found) > 1} == {}


POLICY = """addEventListener('securitypolicyviolation', (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});"""


def listen(page, home: str) -> list[str]:
    """Fills with what the browser complains of (a content policy, a missing file) and what it asks of other hosts."""
    heard: list[str] = []

    def on_request(request):
        if not request.url.startswith((home, "data:")):
            heard.append(f"asked elsewhere: {request.url}")

    page.add_init_script(POLICY)
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("request", on_request)
    return heard


EDGES = """
() => [...document.querySelectorAll("main :is(input, select, textarea)")]
  .filter(field => !["hidden", "checkbox", "radio"].includes(field.type))
  .filter(field => field.checkVisibility() && !field.closest("[aria-hidden=true]"))
  .map(field => [field.name, getComputedStyle(field).borderTopColor, getComputedStyle(field).borderTopWidth])
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_field_has_an_edge_that_can_be_seen(scene, sign_in, live_server, browser, scheme):
    """Bootstrap's own edges are too pale: a field of its classes must have ours."""
    context = browser.new_context(color_scheme=scheme)
    session = sign_in(scene.mia).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()

    edges = {}
    for name in ("centre:contact", "meetings:reminders", "meetings:meeting_list", "members:display"):
        page.goto(live_server.url + reverse(name))
        edges |= {f"{name} {field}": (colour, width) for field, colour, width in page.evaluate(EDGES)}

    assert len(edges) >= 10
    assert len(set(edges.values())) == 1, edges
