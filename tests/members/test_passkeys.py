"""A passkey in a real browser, whose authenticator is one of the browser's own: added, used alone, removed."""

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.urls import reverse

from tests import make
from tests.account_pages import shown_again
from tests.browser import press
from tests.test_look import listen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

KNOWS_ITS_OWNER = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def phone(browser, live_server):
    """A page, and how to say whether the phone knows who holds it."""
    context = browser.new_context(base_url=live_server.url, locale="en-US")
    context.set_default_timeout(10_000)
    page = context.new_page()
    tools = context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    added = tools.send("WebAuthn.addVirtualAuthenticator", {"options": KNOWS_ITS_OWNER})

    def knows(yes: bool) -> None:
        tools.send("WebAuthn.setUserVerified", {"authenticatorId": added["authenticatorId"], "isUserVerified": yes})

    page.knows = knows
    return page


def test_passkey_is_added_signs_in_alone_and_is_removed(phone, live_server):
    mia = make.member("Mia")
    cookie = shown_again(mia).cookies[settings.SESSION_COOKIE_NAME].value
    phone.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    heard = listen(phone, live_server.url)

    phone.goto(reverse("mfa_index"))
    phone.get_by_role("link", name="Add a passkey").click()
    phone.get_by_label("Name of this device").fill("My phone")
    phone.get_by_role("button", name="Add a passkey").click()
    phone.get_by_role("heading", name="Spare codes").wait_for()
    with phone.expect_download() as codes:
        phone.get_by_role("link", name="Keep them as a file").click()
    key = Authenticator.objects.get(user=mia, type=Authenticator.Type.WEBAUTHN)
    phone.goto(reverse("account_logout"))
    press(phone.get_by_role("button", name="Sign out"))

    phone.goto(reverse("account_login"))
    phone.get_by_role("button", name="Sign in with a passkey").click()
    phone.wait_for_url(f"**{reverse('my_week')}")
    used = Authenticator.objects.get(pk=key.pk)

    phone.goto(reverse("mfa_remove_webauthn", args=[key.pk]))
    phone.get_by_role("link", name="Use my passkey").click()
    phone.get_by_role("button", name="Use my passkey").click()
    phone.get_by_role("button", name="Remove it").click()
    phone.get_by_text("You have no passkey.").wait_for()

    assert codes.value.suggested_filename == "codes.txt"
    assert len(codes.value.path().read_text().split()) == 10
    assert key.wrap().name == "My phone"
    assert used.last_used_at is not None
    assert not Authenticator.objects.filter(pk=key.pk).exists()
    assert heard == []


def test_passkey_that_is_refused_leaves_a_calm_sentence(phone):
    phone.knows(False)

    phone.goto(reverse("account_login"))
    phone.get_by_role("button", name="Sign in with a passkey").click()

    phone.get_by_text("Nothing has changed. Try again, or choose another way.").wait_for()
    assert phone.url.endswith(reverse("account_login"))
