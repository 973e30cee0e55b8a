"""When something is wrong: each page says what happened and where help is, and asks the database nothing."""

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests import make, wrong_pages

NUMBERS = [line["call"] for line in settings.HELP_LINES]


def shows_help(response: HttpResponse) -> bool:
    return all(f'href="tel:{number}"' in response.content.decode() for number in NUMBERS)


@pytest.fixture
def visitor():
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


WRONG = {
    "400": ({"HTTP_HOST": "elsewhere.example"}, "GET", "/", 400, "What was sent was not complete"),
    "403": ({}, "GET", "/wrong/403/", 403, "This page is not open to you"),
    "404": ({}, "GET", "/nothing-here/", 404, "There is nothing here"),
    "csrf": ({}, "POST", "/accounts/login/", 403, "Nothing was saved, and nothing you had before was lost."),
    "500": ({}, "GET", "/wrong/500/", 500, "Something went wrong on our side"),
}


@pytest.mark.parametrize("name", WRONG)
def test_page_says_what_happened_without_a_query(name, visitor, db, settings):
    settings.ROOT_URLCONF = wrong_pages.UrlConf
    headers, method, address, status, words = WRONG[name]

    with CaptureQueriesContext(connection) as asked:
        response = visitor.generic(method, address, **headers)

    assert response.status_code == status
    assert words in response.content.decode()
    assert shows_help(response)
    assert [query["sql"] for query in asked] == []


def test_forgery_page_says_how_to_go_on(visitor, db):
    page = visitor.post("/accounts/login/").content.decode()

    for words in ("Go back.", "send once more", "allow cookies"):
        assert words in page


def test_too_many_tries_are_answered_in_our_own_words(client, db):
    member = make.member("Mia")
    EmailAddress.objects.get_or_create(user=member, email=member.email, defaults={"verified": True, "primary": True})

    for _ in range(40):
        response = client.post(reverse("account_reset_password"), {"email": member.email})
        if response.status_code == 429:
            break

    assert response.status_code == 429
    assert "Your account and your places are safe." in response.content.decode()
    assert shows_help(response)


@pytest.mark.parametrize("name", ["500.html", "503.html"])
def test_page_in_no_chosen_language_speaks_both(name):
    text = (settings.BASE_DIR / "templates" / name).read_text()

    assert 'lang="es"' in text


# Maintenance


@pytest.fixture
def away(settings):
    settings.MAINTENANCE = True


@pytest.mark.parametrize(("method", "address"), [("GET", "/"), ("GET", "/my/"), ("POST", "/accounts/login/")])
def test_site_being_looked_after_says_so_without_a_query(away, sign_in, cast, method, address):
    member = sign_in(cast.mia)

    with CaptureQueriesContext(connection) as asked:
        response = member.generic(method, address)

    assert response.status_code == 503
    assert response["Retry-After"] == "600"
    assert "no-store" in response["Cache-Control"]
    assert "We will be back soon" in response.content.decode()
    assert "Volvemos pronto" in response.content.decode()
    assert shows_help(response)
    assert [query["sql"] for query in asked] == []


@pytest.mark.parametrize("address", ["/help/", "/healthz"])
def test_help_and_the_sign_of_life_stay_open_without_a_query(away, sign_in, cast, address):
    member = sign_in(cast.mia)

    with CaptureQueriesContext(connection) as asked:
        response = member.get(address)

    assert response.status_code == 200
    assert [query["sql"] for query in asked] == []
    assert settings.SESSION_COOKIE_NAME not in response.cookies  # still signed in when the site is back


def test_language_can_be_chosen_while_the_site_is_looked_after(away, client, db):
    response = client.post("/language/", {"language": "es", "next": "/help/"})

    assert response.status_code == 302
    assert "Ayuda ahora" in client.get("/help/").content.decode()


def test_leaving_works_while_the_site_is_looked_after_and_there_is_no_way_back(away, sign_in, cast):
    member = sign_in(cast.mia)

    with CaptureQueriesContext(connection) as asked:
        response = member.post("/leave/")

    assert response.url == settings.LEAVE_URL
    assert [query["sql"] for query in asked] == []
    assert not response.cookies[settings.SESSION_COOKIE_NAME].value
    assert response.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 0


def test_site_is_open_otherwise(client, db):
    assert client.get("/").status_code == 200
