"""A session ends by itself, and what was just being sent is not lost."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import Member
from tests import make

NOW = timezone.now()


def at(**later):
    return time_machine.travel(NOW + timedelta(**later), tick=False)


@pytest.fixture
def signed_in(cast, sign_in):
    def signed_in(member):
        with at():
            return sign_in(member)

    return signed_in


@pytest.fixture
def timed_out(cast, signed_in):
    """Mia's browser. The tests look at it more than an hour later."""
    return signed_in(cast.mia)


def sign_in_again(client, member):
    return client.post(
        reverse("account_login"), {"login": member.email, "password": make.PASSWORD, "next": reverse("members:draft")}
    )


NAME = {"display_name": "River", "note": "two\nlines"}


def send(client, **fields):
    return client.post(reverse("members:display_name"), NAME | fields)


@pytest.mark.parametrize(
    ("who", "minutes", "status"), [("mia", 59, 200), ("mia", 61, 302), ("carol", 14, 200), ("carol", 16, 302)]
)
def test_session_ends_after_a_while_without_anybody(cast, signed_in, who, minutes, status):
    client = signed_in(getattr(cast, who))

    with at(minutes=minutes):
        assert client.get(reverse("my_week")).status_code == status


def test_acting_prolongs_a_session_up_to_its_longest(cast, signed_in, settings):
    settings.MEMBER_SESSION = timedelta(hours=2)
    client = signed_in(cast.mia)

    statuses = []
    for minutes in (50, 100, 119, 121):
        with at(minutes=minutes):
            statuses.append(client.get(reverse("my_week")).status_code)

    assert statuses == [200, 200, 200, 302]


def test_staff_sign_in_again_within_a_day(cast, signed_in, settings):
    settings.STAFF_IDLE = timedelta(days=2)
    client = signed_in(cast.carol)

    with at(hours=11, minutes=59):
        assert client.get(reverse("my_week")).status_code == 200
    with at(hours=12, minutes=1):
        assert client.get(reverse("my_week")).status_code == 302


@pytest.mark.parametrize("ask", ["head", "background"])
def test_what_a_script_asks_does_not_prolong_it(cast, signed_in, ask):
    client = signed_in(cast.mia)

    with at(minutes=50):
        if ask == "head":
            client.head(reverse("my_week"))
        else:
            client.get(reverse("members:stay"), headers={"x-background": "yes"})
    with at(minutes=61):
        assert client.get(reverse("my_week")).status_code == 302


def test_staying_is_one_action(cast, signed_in):
    client = signed_in(cast.mia)

    with at(minutes=58):
        asked = client.get(reverse("members:stay"), headers={"x-background": "yes"})
        stayed = client.post(reverse("members:stay"))
    with at(minutes=110):
        assert client.get(reverse("my_week")).status_code == 200
    assert 'data-seconds="120"' in asked.content.decode()
    assert stayed.status_code == 204


def test_times_are_written_once_a_minute_at_most(cast, signed_in):
    client = signed_in(cast.mia)

    written = []
    for seconds in (10, 59, 61, 100, 130):
        with at(seconds=seconds):
            response = client.get(reverse("members:settings"))
            written.append(response.wsgi_request.session.modified)

    assert written == [False, False, True, False, True]


def test_what_was_being_sent_waits_for_the_same_person(cast, timed_out):
    with at(minutes=70):
        ended = send(timed_out)
        landed = sign_in_again(timed_out, cast.mia)
        page = timed_out.get(landed.url)
        sent = timed_out.post(reverse("members:draft_send"), NAME, follow=True)
        after = timed_out.get(reverse("members:draft"))

    assert ended.url == reverse("account_login", query={"next": reverse("members:draft")})
    assert landed.url == reverse("members:draft")
    assert "You were signed out before this was sent. Nothing is lost." in page.content.decode()
    assert "two<br>lines" in page.content.decode()
    assert sent.redirect_chain[0] == (reverse("members:display_name"), 307)
    assert Member.objects.get(pk=cast.mia.pk).display_name == "River"
    assert after.context["draft"] is None


def test_somebody_else_signing_in_here_never_sees_it(cast, timed_out):
    with at(minutes=70):
        send(timed_out)
        sign_in_again(timed_out, cast.max)
        page = timed_out.get(reverse("members:draft"))
        sent = timed_out.post(reverse("members:draft_send"), NAME)

    assert page.context["draft"] is None
    assert "two" not in page.content.decode()
    assert "draft" not in timed_out.session
    assert sent.url == reverse("members:draft")


def test_it_can_be_thrown_away(cast, timed_out):
    with at(minutes=70):
        send(timed_out)
        sign_in_again(timed_out, cast.mia)
        timed_out.post(reverse("members:draft"))

        assert timed_out.get(reverse("members:draft")).context["draft"] is None


def test_it_waits_half_an_hour(cast, timed_out):
    with at(minutes=70):
        send(timed_out)
        sign_in_again(timed_out, cast.mia)
    with at(minutes=101):
        assert timed_out.get(reverse("members:draft")).context["draft"] is None


@pytest.mark.parametrize("fields", [{"note": "x" * 20_001}, {"file": SimpleUploadedFile("a.txt", b"x")}])
def test_what_cannot_be_kept_whole_is_not_kept(cast, timed_out, fields):
    with at(minutes=70):
        ended = send(timed_out, **fields)

    assert ended.url == reverse("account_login", query={"next": reverse("my_week")})
    assert "draft" not in timed_out.session


def test_secrets_are_not_kept(cast, timed_out):
    with at(minutes=70):
        send(timed_out, password1="hush", code="ABCD", csrfmiddlewaretoken="t", credential="c")

        assert timed_out.session["draft"]["fields"].keys() == {"display_name", "note"}


def test_account_pages_keep_nothing(cast, timed_out):
    with at(minutes=70):
        timed_out.post(reverse("account_change_password"), {"oldpassword": "x", "anything": "y"})

    assert "draft" not in timed_out.session


def test_public_pages_stay_open_when_a_session_has_ended(cast, timed_out):
    with at(minutes=70):
        assert timed_out.get(reverse("home")).status_code == 200
        assert timed_out.post(reverse("members:display"), {"language": "en", "text_size": "large"}).status_code == 302


def test_session_of_a_closed_account_ends_with_a_calm_page(cast, sign_in):
    client = sign_in(cast.mia)
    Member.objects.filter(pk=cast.mia.pk).update(is_active=False)

    ended = client.get(reverse("my_week"), follow=True)

    assert ended.redirect_chain == [(reverse("account_inactive"), 302)]
    assert "This account is closed at the moment." in ended.content.decode()
    assert "_auth_user_id" not in client.session


def test_script_of_another_site_keeps_nothing(cast, signed_in):
    """The check against forged forms comes first."""
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in(cast.mia).cookies

    with at(minutes=70):
        assert send(client).status_code == 403
        assert "draft" not in client.session
