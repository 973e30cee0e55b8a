"""Sessions that bring their member along: one question less, and nobody comes in who would not without it."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from members.models import Member
from tests import make

PAGE = reverse("members:display_name")


@pytest.fixture
def mia(cast, sign_in):
    """Mia's browser, as after the form of signing in."""
    client = sign_in(cast.mia)
    make.device(cast.mia, client)
    return client


def asked_for(client) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(PAGE).status_code == 200
    return [query["sql"] for query in queries]


def test_member_comes_along_with_their_session(mia):
    together = asked_for(mia)
    UserSession.objects.all().delete()
    apart = asked_for(mia)

    assert len(together) == len(apart) - 1
    assert ["members_member" in sql and "django_session" in sql for sql in together] == [True]


def test_form_of_signing_in_puts_the_session_on_the_list(cast):
    client = Client()
    client.post(reverse("account_login"), {"login": cast.mia.email, "password": make.PASSWORD})

    assert len(asked_for(client)) == 1


@pytest.mark.parametrize("why", ["closed", "password", "over", "deleted", "signed out"])
def test_nobody_comes_in_whose_session_is_no_good(cast, mia, why):
    match why:
        case "closed":
            Member.objects.filter(pk=cast.mia.pk).update(is_active=False)
        case "password":
            Member.objects.filter(pk=cast.mia.pk).update(password="another")
        case "over":
            Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        case "deleted":
            Session.objects.all().delete()
        case "signed out":
            key = mia.session.session_key
            mia.logout()
            mia.cookies["session"] = key

    assert mia.get(PAGE).status_code == 302


def test_session_says_who_it_is_whatever_the_list_says(cast, mia):
    UserSession.objects.update(user=cast.max)

    page = mia.get(PAGE)

    assert page.wsgi_request.user == cast.mia
