"""Staff show their second factor in the session they work in, and nothing less takes it away."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.urls import reverse

from tests import make


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time() // 30)))


@pytest.fixture
def roster(cast) -> str:
    return reverse("meetings:meeting_roster", args=[cast.willow_meeting.pk])


@pytest.fixture
def with_password(cast, client):
    """Carol, signed in by password before she had a second factor."""
    client.post(reverse("account_login"), {"login": cast.carol.email, "password": make.PASSWORD})
    return client


def test_session_from_before_the_factor_shows_it_once_and_lands_where_it_wanted(cast, with_password, roster):
    secret = generate_totp_secret()
    TOTP.activate(cast.carol, secret)

    asked = with_password.get(roster)
    answered = with_password.post(asked.url, {"code": code_of(secret)})

    assert asked.url == reverse("mfa_reauthenticate", query={"next": roster})
    assert answered.url == roster
    assert with_password.get(roster).status_code == 200


def test_adding_the_factor_here_then_showing_it_opens_the_page(cast, with_password, roster):
    add = reverse("mfa_activate_totp")
    assert with_password.get(roster).url == reverse("mfa_index")
    with_password.post(reverse("account_reauthenticate"), {"password": make.PASSWORD})

    secret = with_password.get(add).context["form"].secret
    added = with_password.post(add, {"code": code_of(secret)})
    asked = with_password.get(roster)
    answered = with_password.post(asked.url, {"code": code_of(secret)}, follow=True)

    assert added.url == reverse("mfa_view_recovery_codes")
    assert with_password.get(added.url).status_code == 200
    assert answered.request["PATH_INFO"] == roster
    assert answered.status_code == 200


def test_password_alone_neither_confirms_nor_removes_the_factor(cast, with_password, roster):
    TOTP.activate(cast.carol, generate_totp_secret())

    confirmed = with_password.post(reverse("account_reauthenticate"), {"password": make.PASSWORD})
    removed = with_password.post(reverse("mfa_deactivate_totp"), follow=True)

    assert confirmed.url == reverse("mfa_reauthenticate")
    assert removed.request["PATH_INFO"] == reverse("mfa_reauthenticate")
    assert Authenticator.objects.filter(user=cast.carol, type="totp").exists()
    assert with_password.get(roster).status_code == 302


def test_factor_of_somebody_else_in_the_same_browser_does_not_count(cast, sign_in, roster):
    client = sign_in(cast.olga)
    TOTP.activate(cast.carol, generate_totp_secret())

    client.force_login(cast.carol)

    assert client.get(roster).url.startswith(reverse("mfa_reauthenticate"))


def test_staff_without_factor_can_still_sign_out_and_leave(cast, with_password, settings):
    assert with_password.post(reverse("members:leave_page")).url == settings.LEAVE_URL

    with_password.force_login(cast.carol)
    with_password.post(reverse("account_logout"))

    assert with_password.get(reverse("my_week")).url.startswith(reverse("account_login"))


def test_no_second_factor_is_asked_for_where_it_is_switched_off(cast, with_password, roster, settings):
    settings.STAFF_MFA_REQUIRED = False

    assert with_password.get(roster).status_code == 200


def test_members_need_none(cast, client):
    client.force_login(cast.mia)

    assert client.get(reverse("my_week")).status_code == 200
