"""Every page of signing in and of one's account, in the state in which people meet it, and sent wrong."""

import re
from base64 import urlsafe_b64encode

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from members.models import Member
from tests import make

PHONE = "Mozilla/5.0 (Linux; Android 14; K) Chrome/142.0.0.0 Mobile Safari/537.36"
LAPTOP = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/142.0.0.0 Safari/537.36"
# What a browser's own authenticator gave when a key was added: a public key, and no secret.
ATTESTED = (
    "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVikSZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2NFAAAAAQECAwQFBgcI"
    "AQIDBAUGBwgAIPCIXub9gTsBbg2DAeida2YPNt64pFzpseT2raaQ9rSQpQECAyYgASFYIPunqK6DCxkHuR73UPl96lbpQdyArC-"
    "vEzzNi2omQ1VnIlggYvM-uiyfNg94v8onlQpMO-ftEXokRJr_hP8SXH5sYXo"
)
CLIENT_DATA = (
    b'{"type":"webauthn.create","challenge":"9pIChgnoLuOVMNuOdirDSW5Tuy1YmsHGxlGwrLnBCro","origin":"http://localhost"}'
)
A_KEY = {
    "name": "My phone",
    "credential": {
        "id": "8Ihe5v2BOwFuDYMB6J1rZg823rikXOmx5PatppD2tJA",
        "rawId": "8Ihe5v2BOwFuDYMB6J1rZg823rikXOmx5PatppD2tJA",
        "type": "public-key",
        "response": {
            "attestationObject": ATTESTED,
            "clientDataJSON": urlsafe_b64encode(CLIENT_DATA).decode().rstrip("="),
        },
        "clientExtensionResults": {"credProps": {"rk": True}},
    },
}
# One of each kind is looked at in a browser; test_account_pages.py opens and sends them all.
LOOKED_AT = {
    "sign-in-wrong",
    "sign-up-wrong",
    "sign-up-code",
    "sign-in-code-typed-wrong",
    "second-step",
    "reset-new",
    "account-closed",
    "sign-out",
    "is-it-you",
    "is-it-you-passkey",
    "password-wrong",
    "safely",
    "app-codes",
    "passkeys",
    "passkey-add",
    "passkey-remove",
    "spare-codes",
    "spare-codes-seen",
    "devices",
    "my-data-take",
}


def signed_in(member: Member, user_agent: str) -> Client:
    """A browser that says what it is, in which they signed in by password."""
    client = Client(headers={"user-agent": user_agent})
    client.post(reverse("account_login"), {"login": member.email, "password": make.PASSWORD})
    return client


def shown_again(member: Member, client: Client | None = None) -> Client:
    """A browser in which they have just shown once more who they are."""
    if client is None:
        client = Client()
        client.force_login(member)
    request = HttpRequest()
    request.session = client.session
    record_authentication(request, member, "password", reauthenticated=True)
    request.session.save()
    return client


def code_in_last_mail() -> str:
    return re.search(r"^\s*([A-Z0-9-]{6,9})\s*$", mail.outbox[-1].body, re.MULTILINE).group(1)


def begun(name: str, **fields) -> Client:
    """A browser in which a form of the account pages has been sent, and the next page waits."""
    client = Client()
    client.post(reverse(name), fields)
    return client


def account_pages(scene) -> dict:
    """Name: who (a member, or a browser in some state), address, and what is typed before sending."""
    cache.clear()  # what was asked for a moment ago, in another test, counts against the same machine
    robin = make.member("Robin")  # has everything set up
    key = Authenticator.objects.create(user=robin, type=Authenticator.Type.WEBAUTHN, data=A_KEY)
    TOTP.activate(robin, generate_totp_secret())
    RecoveryCodes.activate(robin)
    lee, river = make.member("Lee"), f"river{next(make.number)}@example.org"
    other = make.member("Uma")  # has her codes and has seen them
    TOTP.activate(other, generate_totp_secret())
    RecoveryCodes.activate(other).mark_as_viewed()
    signed_in(scene.vera, PHONE)
    again, new = shown_again(robin), shown_again(scene.vera, signed_in(scene.vera, LAPTOP))
    changing = shown_again(scene.nora)
    changing.post(reverse("account_email"), {"action_add": "yes", "email": "nora.new@example.org"})
    second_step = begun("account_login", login=robin.email, password=make.PASSWORD)
    resetting = begun("account_reset_password", email=lee.email)
    reset = begun("account_reset_password", email=lee.email)
    reset.post(reverse("account_confirm_password_reset_code"), {"code": code_in_last_mail()})
    by_code = begun("account_request_login_code", email=lee.email)
    signing_up = begun("account_signup", email=river, display_name="River", password1=make.PASSWORD)
    return {
        "sign-in-wrong": (None, reverse("account_login"), {"login": "river@example.org", "password": "not this one"}),
        "sign-up-wrong": (None, reverse("account_signup"), {"email": "river", "password1": "short"}),
        "sign-up-code": (signing_up, reverse("account_email_verification_sent")),
        "sign-up-code-wrong": (signing_up, reverse("account_email_verification_sent"), {"code": "AAAA-AAAA"}),
        "sign-in-code-wrong": (None, reverse("account_request_login_code"), {"email": "river"}),
        "sign-in-code-typed": (by_code, reverse("account_confirm_login_code")),
        "sign-in-code-typed-wrong": (by_code, reverse("account_confirm_login_code"), {"code": "AAAA-AAAA"}),
        "second-step": (second_step, reverse("mfa_authenticate")),
        "second-step-wrong": (second_step, reverse("mfa_authenticate"), {"code": "000000"}),
        "reset-password-wrong": (None, reverse("account_reset_password"), {"email": "river"}),
        "reset-code": (resetting, reverse("account_confirm_password_reset_code")),
        "reset-code-wrong": (resetting, reverse("account_confirm_password_reset_code"), {"code": "AAAA-AAAA"}),
        "reset-new": (reset, reverse("account_complete_password_reset")),
        "reset-new-wrong": (reset, reverse("account_complete_password_reset"), {"password1": "short"}),
        "reset-done": (None, reverse("account_password_reset_completed")),
        "account-closed": (None, reverse("account_inactive")),
        "sign-out": (scene.mia, reverse("account_logout")),
        "is-it-you": (scene.mia, reverse("account_reauthenticate")),
        "is-it-you-wrong": (scene.mia, reverse("account_reauthenticate"), {"password": "not this one"}),
        "is-it-you-code": (robin, reverse("mfa_reauthenticate")),
        "is-it-you-code-wrong": (robin, reverse("mfa_reauthenticate"), {"code": "000000"}),
        "is-it-you-passkey": (robin, reverse("mfa_reauthenticate_webauthn")),
        "password": (scene.mia, reverse("account_change_password")),
        "password-wrong": (scene.mia, reverse("account_change_password"), {"oldpassword": "not this one"}),
        "e-mail-address-wrong": (new, reverse("account_email"), {"action_add": "yes", "email": "river"}),
        "e-mail-address-code": (changing, reverse("account_email_verification_sent")),
        "safely": (again, reverse("mfa_index")),
        "safely-new": (new, reverse("mfa_index")),
        "app-codes": (new, reverse("mfa_activate_totp")),
        "app-codes-wrong": (new, reverse("mfa_activate_totp"), {"code": "000000"}),
        "app-codes-off": (again, reverse("mfa_deactivate_totp")),
        "passkeys": (again, reverse("mfa_list_webauthn")),
        "passkeys-none": (new, reverse("mfa_list_webauthn")),
        "passkey-add": (new, reverse("mfa_add_webauthn")),
        "passkey-rename": (again, reverse("mfa_edit_webauthn", args=[key.pk])),
        "passkey-rename-wrong": (again, reverse("mfa_edit_webauthn", args=[key.pk]), {"name": ""}),
        "passkey-remove": (again, reverse("mfa_remove_webauthn", args=[key.pk])),
        "spare-codes": (again, reverse("mfa_view_recovery_codes")),
        "spare-codes-seen": (shown_again(other), reverse("mfa_view_recovery_codes")),
        "spare-codes-new": (shown_again(other), reverse("mfa_generate_recovery_codes")),
        "devices": (new, reverse("usersessions_list")),
        "devices-one": (scene.mia, reverse("usersessions_list")),
        "my-data-take": (new, reverse("members:my_data_take")),
    }
