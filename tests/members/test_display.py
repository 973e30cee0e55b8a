"""How the site looks to one person: language, time zone, size of the words."""

import re
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from members import time_zones
from tests import make

CHECKOUT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def choice():
    return {"language": "en", "time_zone": "America/Denver", "text_size": "large"}


def root_of(client) -> str:
    return re.search(r"<html[^>]*>", client.get("/help/").content.decode()).group()


def test_visitor_keeps_it_on_the_device(client, db, choice):
    response = client.post(reverse("members:display"), choice)
    page = client.get("/help/")

    assert response.url == reverse("members:display")
    assert 'class="text-large"' in root_of(client)
    assert page.wsgi_request.zone == ZoneInfo("America/Denver")
    cookie = response.cookies[settings.DISPLAY_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_member_keeps_it_on_every_device(cast, sign_in, choice):
    sign_in(cast.mia).post(reverse("members:display"), choice | {"language": "es"})

    cast.mia.refresh_from_db()
    elsewhere = sign_in(cast.mia)
    assert (cast.mia.language, cast.mia.time_zone, cast.mia.text_size) == ("es", "America/Denver", "large")
    assert root_of(elsewhere).startswith('<html lang="es" class="text-large"')


def test_what_a_visitor_chose_is_not_applied_to_whoever_signs_in_here(cast, sign_in, choice):
    client = sign_in(cast.mia)
    client.cookies[settings.DISPLAY_COOKIE_NAME] = "text=largest&zone=Asia%2FTokyo"

    assert client.get("/help/").wsgi_request.zone is None
    assert "text-largest" not in root_of(client)


def test_chosen_zone_comes_before_the_one_of_the_device(client, db, choice):
    client.cookies[settings.ZONE_COOKIE_NAME] = "Asia/Tokyo"
    client.post(reverse("members:display"), choice)
    chosen = client.get("/help/").wsgi_request.zone
    client.post(reverse("members:display"), choice | {"time_zone": ""})

    assert chosen == ZoneInfo("America/Denver")
    assert client.get("/help/").wsgi_request.zone == ZoneInfo("Asia/Tokyo")


def test_unknown_zone_is_said_plainly_and_kept_to_be_corrected(client, db, choice):
    response = client.post(reverse("members:display"), choice | {"time_zone": "Atlantis <b>"})

    assert response.status_code == 400
    assert 'value="Atlantis &lt;b&gt;"' in response.content.decode()
    assert "We do not know “Atlantis &lt;b&gt;”" in response.content.decode()
    assert settings.DISPLAY_COOKIE_NAME not in response.cookies


@pytest.mark.parametrize("field", ["language", "text_size"])
def test_what_is_not_on_offer_is_refused(client, db, choice, field):
    assert client.post(reverse("members:display"), choice | {field: "../x"}).status_code == 400


@pytest.mark.parametrize("cookie", ["%%%", "text=huge", "zone=../etc/passwd", "a=b&" * 50, "zone=Not/There"])
def test_spoilt_cookie_is_passed_over(client, db, cookie):
    client.cookies[settings.DISPLAY_COOKIE_NAME] = cookie
    page = client.get("/help/")

    assert page.status_code == 200
    assert page.wsgi_request.zone is None
    assert page.wsgi_request.text_size == "normal"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("America/New_York", "America/New_York"),
        ("america/new york", "America/New_York"),
        (" Eastern  time ", "America/New_York"),
        ("UTC", "UTC"),
        ("localtime", ""),
        ("", ""),
        ("New Amsterdam", ""),
    ],
)
def test_zone_is_found_as_people_write_it(words, name):
    assert time_zones.find_time_zone(words) == name


def test_every_zone_on_offer_is_one():
    names = [name for name, _words in time_zones.to_choose_from()]

    assert len(names) == len(set(names)) > 300
    assert [name for name in names if not time_zones.is_time_zone(name)] == []


def test_language_at_the_foot_of_the_page_is_also_that_of_the_mails(cast, sign_in):
    client = sign_in(cast.mia)
    client.post(reverse("set_language"), {"language": "es"})
    client.post(reverse("set_language"), {"language": "xx"})

    cast.mia.refresh_from_db()
    assert cast.mia.language == "es"


def test_script_and_site_call_the_cookie_of_the_zone_the_same():
    assert f'"{settings.ZONE_COOKIE_NAME}="' in (CHECKOUT / "static" / "site.js").read_text()


def test_name_is_changed_by_the_same_rules_as_at_sign_up(cast, sign_in):
    client = sign_in(cast.mia)
    refused = client.post(reverse("members:display_name"), {"display_name": "mia@example.org"})
    changed = client.post(reverse("members:display_name"), {"display_name": "  River  "})

    cast.mia.refresh_from_db()
    assert (refused.status_code, changed.url) == (400, reverse("members:settings"))
    assert cast.mia.display_name == "River"


def test_signing_out_everywhere_ends_every_session_of_mine_only(cast):
    here, phone, other = Client(), Client(), Client()
    for client, member in ((here, cast.mia), (phone, cast.mia), (other, cast.max)):
        client.post(reverse("account_login"), {"login": member.email, "password": make.PASSWORD})

    here.post(reverse("members:sign_out_everywhere"))

    assert [client.get(reverse("my_week")).status_code for client in (here, phone, other)] == [302, 302, 200]


@pytest.mark.parametrize(("language", "said"), [("en", "Jan. 5, 2026"), ("es", "5 de enero de 2026")])
def test_when_the_numbers_were_checked_is_said_as_people_say_it(client, db, settings, language, said):
    settings.HELP_CHECKED_ON = date(2026, 1, 5)

    page = client.get(reverse("members:help_now"), headers={"Accept-Language": language}).content.decode()

    assert f"{said}." in page
