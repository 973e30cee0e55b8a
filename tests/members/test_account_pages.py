"""The pages of signing in and of one's account, in our words: each as it is met, and sent wrong."""

import re
from pathlib import Path

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.urls import get_resolver, reverse

from tests import make
from tests.account_pages import account_pages, begun, code_in_last_mail, shown_again
from tests.test_access import ALLAUTH_PRIVATE, ALLAUTH_PUBLIC

CHECKOUT = Path(__file__).resolve().parents[2]
TEMPLATES = CHECKOUT / "templates"
# What the library's own pages say, and ours do not.
STOCK = re.compile(r"Sign In\b|Two-Factor|Authenticator|Security Key|Recovery|Successfully|Are you sure|Unable to")
# Answered by another page, or by a file.
NO_PAGE = {
    "account_set_password",  # nobody here is without one: it leads to changing it
    "mfa_login_webauthn",  # for the script of the sign-in page
    "mfa_download_recovery_codes",
}


@pytest.fixture
def all_pages(cast):
    return account_pages(cast) | {
        "sign-in": (None, reverse("account_login")),
        "sign-up": (None, reverse("account_signup")),
        "sign-in-code": (None, reverse("account_request_login_code")),
        "reset-password": (None, reverse("account_reset_password")),
        "e-mail-address": (cast.mia, reverse("account_email")),
    }


@pytest.fixture
def opened(all_pages, sign_in):
    """Every page by its name, after what was typed there was sent."""
    answers = {}
    for name, (person, address, *typed) in all_pages.items():
        client = sign_in(person)
        answers[name] = client.post(address, *typed) if typed else client.get(address)
    return answers


def main_of(response) -> str:
    return re.search(r"<main.*?</main>", response.content.decode(), re.DOTALL).group()


def test_every_address_of_the_library_is_among_them(all_pages):
    asked = {get_resolver().resolve(address).view_name for _, address, *_ in all_pages.values()}

    assert asked - {"members:my_data_take"} == (ALLAUTH_PUBLIC | ALLAUTH_PRIVATE) - NO_PAGE


def test_each_is_a_page_of_ours(opened):
    """In our words, by our templates; theirs only pass on to our layout."""
    passed_on = re.compile(r"base|layouts/|elements/|snippets/|\.txt$")
    used = {template.name for page in opened.values() for template in page.templates if template.name}
    account = {name for name in used if name.startswith(("account/", "mfa/", "usersessions/"))}

    assert {name: page.status_code for name, page in opened.items() if page.status_code != 200} == {}
    assert {name: found for name, page in opened.items() if (found := STOCK.findall(main_of(page)))} == {}
    assert [name for name, page in opened.items() if "placeholder=" in main_of(page)] == []
    assert {name for name in account if not (TEMPLATES / name).exists() and not passed_on.search(name)} == set()


def test_what_is_wrong_is_said_above_the_form_and_at_the_field(opened):
    wrong = {name: main_of(page) for name, page in opened.items() if name.endswith("-wrong")}
    silent = {name for name, page in wrong.items() if 'class="errors" role="alert"' not in page}
    unmarked = {name for name, page in wrong.items() if "is-invalid" not in page}

    assert silent == set()
    assert unmarked == {"sign-in-wrong"}  # it says of neither field that it is the wrong one


@pytest.mark.parametrize("prefix", ["account/email", "mfa/email"])
def test_mails_about_signing_in_are_ours_and_tell_nothing_outside(prefix):
    library = CHECKOUT / ".venv" / "lib"
    kinds = {path.name for path in library.glob(f"*/site-packages/allauth/templates/{prefix}/*_subject.txt")}
    not_sent = {  # no link to confirm, no mail to strangers
        "email_confirm_subject.txt",
        "email_confirmation_signup_subject.txt",
        "password_reset_key_subject.txt",
        "unknown_account_subject.txt",
    }
    ours = {path.name for path in (TEMPLATES / prefix).glob("*_subject.txt")}

    assert kinds - not_sent <= ours


@pytest.mark.parametrize(("ticked", "goes_with_the_browser"), [({}, True), ({"remember": "on"}, False)])
def test_staying_signed_in_is_asked_for(cast, ticked, goes_with_the_browser):
    client = begun("account_login", login=cast.mia.email, password=make.PASSWORD, **ticked)

    assert client.get(reverse("my_week")).status_code == 200
    assert client.session.get_expire_at_browser_close() == goes_with_the_browser


@pytest.mark.parametrize(("ticked", "goes_with_the_browser"), [({}, True), ({"remember": "on"}, False)])
def test_the_answer_also_holds_when_a_second_step_follows(cast, ticked, goes_with_the_browser):
    TOTP.activate(cast.mia, generate_totp_secret())
    code = RecoveryCodes.activate(cast.mia).get_unused_codes()[0]
    client = begun("account_login", login=cast.mia.email, password=make.PASSWORD, **ticked)

    client.post(reverse("mfa_authenticate"), {"code": code})

    assert client.get(reverse("my_week")).status_code == 200
    assert client.session.get_expire_at_browser_close() == goes_with_the_browser


def test_a_code_from_a_mail_signs_in_until_the_browser_is_closed(cast):
    client = begun("account_request_login_code", email=cast.mia.email)

    client.post(reverse("account_confirm_login_code"), {"code": code_in_last_mail()})

    assert client.get(reverse("my_week")).status_code == 200
    assert client.session.get_expire_at_browser_close()


def test_file_of_spare_codes_has_a_plain_name(cast):
    RecoveryCodes.activate(cast.mia)

    file = shown_again(cast.mia).get(reverse("mfa_download_recovery_codes"))

    assert file["Content-Disposition"] == 'attachment; filename="codes.txt"'
    assert len(file.content.split()) == 10


def test_devices_are_named_and_the_others_can_be_signed_out(cast, all_pages):
    client, address = all_pages["devices"]

    page = main_of(client.get(address))
    client.post(address)
    after = main_of(client.get(address))

    assert "Chrome on Android" in page
    assert "Chrome on Chromebook" in page
    assert page.count("this device") == 1
    assert "127.0.0.1" not in page
    assert "Chrome on Android" not in after
    assert "You are signed in on this device only." in after
