"""The cast everybody knows, and the real services the tests run on.

One house, two groups, people in each. A test that says somebody must not see a thing has the thing there to be seen.
"""

import os
from importlib import import_module
from types import SimpleNamespace

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.http import HttpRequest
from django.test import Client
from django.utils import translation

from groups.models import Agreement, Facilitator, Group
from members.models import Member

from . import make
from .smtp_server import smtp_server

# Playwright's sync interface runs a loop in the thread of the test, which Django takes for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def house_rules(db) -> None:
    """What every house begins with. A test that commits leaves its tables empty, and so without them."""
    if not Agreement.objects.filter(group=None).exists():
        import_module("groups.migrations.0002_add_house_rules_and_topics").add(apps, None)


@pytest.fixture
def cast(house_rules) -> SimpleNamespace:
    """Willow (open) is run by Carol and has Mia and Max in it; Cedar (by request) is run by Dan and has Nora.

    Olga coordinates, Rita reads reports, Sam is the superuser, Vera has an account and is in no group.
    """
    willow = make.group(name="Willow evening", slug="willow")
    cedar = make.group(name="Cedar morning", slug="cedar", enrolment=Group.Enrolment.BY_REQUEST, is_listed=False)
    people = SimpleNamespace(
        willow=willow,
        cedar=cedar,
        mia=make.member("Mia"),
        max=make.member("Max"),
        nora=make.member("Nora"),
        vera=make.member("Vera"),
        carol=make.member("Carol", role=Member.Role.COUNSELOR),
        dan=make.member("Dan", role=Member.Role.COUNSELOR),
        olga=make.member("Olga", role=Member.Role.COORDINATOR),
        rita=make.member("Rita", role=Member.Role.REPORTS),
        sam=make.member("Sam", is_superuser=True),
    )
    Facilitator.objects.create(group=willow, member=people.carol)
    Facilitator.objects.create(group=cedar, member=people.dan)
    for group, member in ((willow, people.mia), (willow, people.max), (cedar, people.nora)):
        make.membership(group, member)
    people.willow_meeting = make.meeting(willow)
    people.cedar_meeting = make.meeting(cedar)
    return people


def show_second_factor(client: Client, member: Member) -> None:
    request = HttpRequest()
    request.session = client.session
    record_authentication(request, member, "mfa", type="totp")
    request.session.save()


@pytest.fixture
def sign_in():
    """A browser's worth of Django: signs a member in, staff with their second factor shown in this session.

    Given a browser, it is the browser.
    """

    def sign_in(member: Member | Client | None) -> Client:
        if isinstance(member, Client):
            return member
        client = Client()
        if member is not None:
            if member.works_here and not member.authenticator_set.exists():
                TOTP.activate(member, generate_totp_secret())
            client.force_login(member)
            if member.works_here:
                show_second_factor(client, member)
        return client

    return sign_in


@pytest.fixture
def smtp(settings):
    """The mail server of this site: it takes every mail, and shows what came."""
    with smtp_server(settings) as server:
        yield server


@pytest.fixture(autouse=True)
def _english():
    """A page in Spanish leaves its language behind in the thread of the test."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _plain_static_files(settings):
    """Pages under test name static files without the hash that only collectstatic knows; sign-ins hash quickly."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STAFF_MFA_REQUIRED = True


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Debian's Chromium (`./dev test` names it), as it also runs for root."""
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    chromium = {"executable_path": os.environ["CHROMIUM"]} if os.environ.get("CHROMIUM") else {}
    return browser_type_launch_args | chromium | {"args": quiet}


def pytest_terminal_summary(terminalreporter):
    _say_how_hard_to_read(terminalreporter)
    _say_what_faults_did(terminalreporter)


def _say_what_faults_did(terminalreporter):
    """What was lost and doubled under each fault, and in the same run without the guard."""
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, [])]
    found = [
        value for report in reports if report.when == "call" for key, value in report.user_properties if key == "fault"
    ]
    if found and (os.environ.get("CI") or terminalreporter.config.option.verbose > 0):
        terminalreporter.section("mail under faults")
        for line in sorted(found):
            terminalreporter.write_line(line)


def _say_how_hard_to_read(terminalreporter):
    """How hard each page, mail and promise is to read: English in school years, Spanish in points of INFLESZ."""
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, [])]
    found = {}
    for name, language, figure, words in (
        value
        for report in reports
        if report.when == "call"
        for key, value in report.user_properties
        if key == "reading"
    ):
        found.setdefault(name, {})[language] = f"{figure:6.1f} ({words:3} words)"
    if found and (os.environ.get("CI") or terminalreporter.config.option.verbose > 0):
        terminalreporter.section("how hard it is to read: school year in English, INFLESZ in Spanish")
        for name, figures in sorted(found.items()):
            terminalreporter.write_line(f"{name:45} {figures.get('en', ''):19} {figures.get('es', '')}")
