"""Odd moments: a calm sentence, what to do next, nothing lost, the right status.

Here is what belongs to no single page. A meeting cancelled, begun or filled up while its form is open: see
tests/meetings/test_answering.py; a session that ended: tests/members/test_session_limits.py; invitations that do not
work: tests/groups/test_invitations.py; wrong filters of the list: tests/meetings/test_pages.py.
"""

import re
from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from groups.models import Membership
from meetings import services
from meetings.access import answer_token
from meetings.models import Meeting, MeetingSeries, Participation
from members.models import Member
from tests import make

# --- The clocks change between the answer and the meeting -------------------------------------------------------------


@pytest.mark.parametrize(
    ("answered", "on", "utc", "zone"),
    [
        ("2030-10-30T12:00Z", date(2030, 11, 5), "2030-11-05T23:30Z", "EST"),
        ("2030-03-06T12:00Z", date(2030, 3, 12), "2030-03-12T22:30Z", "EDT"),
    ],
)
def test_meeting_answered_before_the_clocks_change_stays_at_its_time_on_the_wall(
    cast, sign_in, answered, on, utc, zone
):
    starts_at = datetime.fromisoformat(utc)
    with time_machine.travel(answered, tick=False):
        weekly = {"weekdays": [on.weekday()], "start_time": "18:30", "time_zone": "America/New_York"}
        series = MeetingSeries.objects.create(group=cast.willow, minutes=90, from_on=on - timedelta(weeks=4), **weekly)
        series.refresh_from_db()
        services.extend_series(MeetingSeries.objects.filter(pk=series.pk))
        meeting = Meeting.objects.get(series=series, local_date=on)
        assert meeting.starts_at == starts_at
        address = reverse("meetings:meeting_rsvp", args=[meeting.pk])
        before = sign_in(cast.mia).post(address, {"answer": "going"}, follow=True).content.decode()

    with time_machine.travel(starts_at - timedelta(minutes=1), tick=False):
        after = sign_in(cast.mia).get(meeting.get_absolute_url()).content.decode()
        meeting.refresh_from_db()
        assert meeting.is_open
    with time_machine.travel(starts_at, tick=False):
        assert not meeting.is_open

    [[said_before, zone_before]] = re.findall(r'<h1 class="when">(.*?) <small>(.*?)</small>', before)
    assert "You have a place." in after
    [[said_after, zone_after]] = re.findall(r'<h1 class="when">(.*?) <small>(.*?)</small>', after)
    assert said_before == said_after
    assert said_after.endswith("6:30 pm")
    assert zone_before == zone_after == zone


# --- A form without its cookie, or from before somebody signed in -----------------------------------------------------


@pytest.fixture
def careful():
    """A browser whose forms are checked as those of real people are."""
    return Client(enforce_csrf_checks=True)


def token_of(response) -> str:
    return re.search(r'name="csrfmiddlewaretoken" value="(.*?)"', response.content.decode()).group(1)


def test_without_a_cookie_the_page_leads_back_and_says_what_to_do(careful, db):
    came_from = "http://testserver/accounts/login/?next=/my/"

    response = careful.post(reverse("account_login"), {"login": "kim@example.org"}, headers={"referer": came_from})

    page = response.content.decode()
    assert response.status_code == 403
    assert 'href="/accounts/login/?next=/my/"' in page
    for words in ("Nothing was saved", "Open that page again", "allow cookies for this site"):
        assert words in page
    assert "kim@example.org" not in page


@pytest.mark.parametrize(
    "came_from",
    [
        "",
        "https://evil.example/accounts/login/",
        "//evil.example/",
        "javascript:alert(1)",
        "http://testserver@evil.example/",
        "http://testserver.evil.example/",
        "/accounts/login/",
        "http://[",
    ],
)
def test_way_back_leads_to_no_other_site(careful, db, came_from):
    page = careful.post(reverse("account_login"), headers={"referer": came_from}).content.decode()

    assert "Go back. What you typed is often still there" in page
    assert "Open that page again" not in page
    assert "evil.example" not in page


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "///evil.example"])
def test_path_that_names_another_site_is_made_one_of_ours(careful, db, path):
    page = careful.post(reverse("account_login"), headers={"referer": f"http://testserver{path}"}).content.decode()

    assert re.findall(r'class="button main" href="([^"]*)"', page) in (["/evil.example/"], ["/evil.example"])


def test_leaving_works_from_a_page_that_is_older_than_signing_in_and_without_its_secret(cast, careful):
    """A refusal would keep the site on the screen, or the session open behind a page that looks plain."""
    old_page = token_of(careful.get(reverse("account_login")))
    for sent in ({"csrfmiddlewaretoken": old_page}, {}):
        careful.force_login(cast.mia)

        assert careful.post(reverse("members:leave_page"), sent).url == settings.LEAVE_URL
        assert "_auth_user_id" not in careful.session


def test_form_opened_before_signing_in_elsewhere_is_refused_and_the_page_opens_again(cast, careful):
    """Two tabs: signing in in one renews the secret of the other's form."""
    meeting = cast.willow_meeting.get_absolute_url()
    login = reverse("account_login")
    first_tab, second_tab = token_of(careful.get(login)), token_of(careful.get(login))
    sent = {"login": cast.mia.email, "password": make.PASSWORD}
    assert careful.post(login, sent | {"csrfmiddlewaretoken": second_tab}).status_code == 302

    refused = careful.post(
        reverse("set_language"),
        {"language": "es", "csrfmiddlewaretoken": first_tab},
        headers={"referer": f"http://testserver{meeting}"},
    )
    answer = {"answer": "going", "csrfmiddlewaretoken": token_of(careful.get(meeting))}
    taken = careful.post(reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), answer)

    assert refused.status_code == 403
    assert f'class="button main" href="{meeting}"' in refused.content.decode()
    assert taken.status_code == 302
    assert Participation.objects.get(member=cast.mia).rsvp == "going"


# --- Twice, back, and in two tabs -------------------------------------------------------------------------------------


def forms(cast):
    return {
        "going": ("meetings:meeting_rsvp", cast.willow_meeting.pk, {"answer": "going"}),
        "declined": ("meetings:meeting_rsvp", cast.willow_meeting.pk, {"answer": "declined"}),
        "every week": ("meetings:group_standing", "willow", {"every_week": "yes"}),
        "not every week": ("meetings:group_standing", "willow", {"every_week": "no"}),
        "free": ("meetings:group_standing", "willow", {"every_week": "free"}),
        "leave": ("meetings:group_leave", "willow", {}),
        "name": ("members:display_name", None, {"display_name": "River"}),
        "reminders": ("meetings:reminders", None, {"wanted": "on", "lead": "days", "wording": "neutral"}),
    }


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize(
    "name", ["going", "declined", "every week", "not every week", "free", "leave", "name", "reminders"]
)
def test_form_sent_twice_answers_twice_the_same_and_writes_once(cast, sign_in, name, is_listed):
    type(cast.willow).objects.filter(pk=cast.willow.pk).update(is_listed=is_listed)
    page, argument, sent = forms(cast)[name]
    address = reverse(page, args=[argument] if argument else [])
    client = sign_in(cast.mia)

    def rows():
        models = (Membership, Participation, Member)
        return [list(model.objects.order_by("pk").values()) for model in models]

    first = client.post(address, sent)
    written = rows()
    second = client.post(address, sent)

    assert (first.status_code, first.url) == (second.status_code, second.url)
    assert first.status_code == 302
    assert rows() == written


def test_joining_twice_is_one_membership_of_the_first_moment(cast, sign_in):
    rules = make.agreement(cast.willow)
    client = sign_in(cast.vera)
    join = reverse("groups:group_join", args=["willow"])

    first = client.post(join, {"accept": "on", "agreement": rules.pk})
    joined_at = Membership.objects.get(member=cast.vera).joined_at
    second = client.post(join, {"accept": "on", "agreement": rules.pk})

    assert first.url == second.url == cast.willow.get_absolute_url()
    assert Membership.objects.get(member=cast.vera).joined_at == joined_at


def test_back_button_after_an_answer_asks_the_site_how_it_stands(cast, sign_in):
    """No page of somebody who is signed in is kept by the browser, so none shows an answer that is not theirs."""
    client = sign_in(cast.mia)
    pages = [cast.willow_meeting.get_absolute_url(), cast.willow.get_absolute_url(), reverse("my_week")]
    pages.append(reverse("groups:group_join", args=["willow"]))
    token = answer_token(cast.willow_meeting.pk, cast.mia.pk)

    kept = [client.get(page)["Cache-Control"] for page in pages]
    kept.append(Client().get(reverse("meetings:answer_from_mail", args=[token]))["Cache-Control"])

    assert [value for value in kept if "no-store" not in value] == []


def test_old_tab_of_a_group_one_left_in_another_says_so(cast, sign_in):
    client = sign_in(cast.mia)
    client.post(reverse("meetings:group_leave", args=["willow"]))

    page = client.post(reverse("meetings:group_standing", args=["willow"]), {"every_week": "yes"}, follow=True)

    assert "You are not in this group, so nothing was changed." in page.content.decode()
    assert not Membership.objects.filter(standing_rsvp=True).exists()


# --- Links that have ended, accounts that are closed ------------------------------------------------------------------


def begin(cast):
    Meeting.objects.update(starts_at=timezone.now() - timedelta(minutes=1))


def cancel(cast):
    services.cancel_meeting(cast.willow_meeting, by=cast.carol, reason="")


def leave(cast):
    services.leave_group(cast.willow, by=cast.mia)


def close(cast):
    Member.objects.filter(pk=cast.mia.pk).update(is_active=False)


@pytest.mark.parametrize("end", [begin, cancel, leave, close, None])
@pytest.mark.parametrize("method", ["get", "post"])
def test_link_of_a_mail_that_has_ended_says_so_and_what_is_next(cast, client, end, method):
    token = answer_token(cast.willow_meeting.pk, cast.mia.pk) if end else "never-one-of-ours"
    if end:
        end(cast)

    response = getattr(client, method)(reverse("meetings:answer_from_mail", args=[token]), {"answer": "going"})

    page = response.content.decode()
    assert response.status_code == 404
    assert response["X-Robots-Tag"] == "noindex"
    for words in ("This link has ended", "Nothing was changed", "My week", "Find a meeting"):
        assert words in page
    assert "Willow" not in page


def test_closed_account_signs_in_to_a_calm_page_and_only_with_its_password(cast, client):
    close(cast)

    right = client.post(reverse("account_login"), {"login": cast.mia.email, "password": make.PASSWORD}, follow=True)
    wrong = client.post(reverse("account_login"), {"login": cast.mia.email, "password": "not the password"})
    nobody = client.post(reverse("account_login"), {"login": "nobody@example.org", "password": "not the password"})

    assert right.redirect_chain == [(reverse("account_inactive"), 302)]
    assert "This account is closed at the moment." in right.content.decode()
    assert wrong.context["form"].errors == nobody.context["form"].errors


# --- What is typed into addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["999", "99999999999999999999", "0", "-1", "x", "%00", "1e9", "٣"])
def test_page_of_a_list_that_is_not_there_is_no_error(cast, sign_in, number):
    make.participation(cast.willow_meeting, cast.mia, attendance="present")
    mia, carol = sign_in(cast.mia), sign_in(cast.carol)

    statuses = [
        mia.get(f"{reverse('meetings:my_attendance')}?page={number}").status_code,
        carol.get(f"/admin/groups/invitation/?p={number}", follow=True).status_code,
        carol.get(f"/admin/groups/membership/?p={number}", follow=True).status_code,
    ]

    assert statuses == [200, 200, 200]


@pytest.mark.parametrize("zone", ["Nowhere/Land", "../../etc/passwd", "Europe/Berlin\0", "x" * 3000, "%F0%9F"])
def test_unknown_time_zone_of_a_device_is_passed_over(cast, client, zone):
    client.cookies[settings.ZONE_COOKIE_NAME] = zone

    for address in (reverse("home"), reverse("meetings:meeting_list"), cast.willow_meeting.get_absolute_url()):
        response = client.get(address)
        assert response.status_code == 200
        assert "Where you are:" not in response.content.decode()


def test_zone_that_a_member_has_and_this_machine_no_longer_knows_is_passed_over(cast, sign_in):
    Member.objects.filter(pk=cast.mia.pk).update(time_zone="Mars/Olympus")
    make.participation(cast.willow_meeting, cast.mia)
    client = sign_in(cast.mia)

    for address in (reverse("my_week"), cast.willow_meeting.get_absolute_url(), reverse("members:display")):
        assert client.get(address).status_code == 200


# --- An address that is taken -----------------------------------------------------------------------------------------


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is really hashed: what takes a third of a second with the hasher people have."""

    algorithm = "counting"
    count = 0

    def encode(self, password, salt):
        type(self).count += 1
        return super().encode(password, salt)


@pytest.fixture
def hashes(settings):
    """How many passwords a request hashes."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]

    def hashes(address, sent) -> int:
        before = CountingHasher.count
        assert Client().post(address, sent).status_code in (200, 302, 400)
        return CountingHasher.count - before

    return hashes


def sign_up_as(email: str) -> dict[str, str]:
    return {"email": email, "display_name": "River", "password1": "a long and quiet river"}


def without_tokens(response, email: str) -> str:
    """A page without what differs each time: the form's secret, and the address that was typed."""
    return re.sub(r'value="[^"]{64}"', "", response.content.decode()).replace(email, "…")


def test_signing_up_hashes_one_password_whether_the_address_is_taken_or_not(db, hashes):
    make.member("Kim", email="taken@example.org", joined_at=timezone.now() - timedelta(days=1))
    make.member("Jo", email="just-now@example.org")
    signup = reverse("account_signup")

    counts = {email: hashes(signup, sign_up_as(f"{email}@example.org")) for email in ("free", "taken", "just-now")}

    assert counts == {"free": 1, "taken": 1, "just-now": 1}


def test_signing_in_hashes_one_password_whoever_it_is(db, hashes):
    make.member("Kim", email="kim@example.org")
    make.member("Gone", email="gone@example.org", is_active=False)
    login = reverse("account_login")

    counts = {
        who: hashes(login, {"login": f"{who}@example.org", "password": "not their password"})
        for who in ("kim", "gone", "nobody")
    }

    assert counts == {"kim": 1, "gone": 1, "nobody": 1}


def test_taken_address_gets_the_same_pages_to_the_end_of_the_way(db):
    make.member("Kim", email="taken@example.org", joined_at=timezone.now() - timedelta(days=1))
    verify = reverse("account_email_verification_sent")

    def pages(email):
        client = Client()
        steps = [
            client.post(reverse("account_signup"), sign_up_as(email), follow=True),
            client.post(verify, {"code": "WRNG-CODE"}, follow=True),
            client.post(verify, {"action": "resend"}, follow=True),
            client.post(verify, {"action": "change", "email": "third@example.org"}, follow=True),
            client.get(verify),
        ]
        return [
            (step.status_code, getattr(step, "redirect_chain", None), without_tokens(step, email)) for step in steps
        ]

    taken, free = pages("taken@example.org"), pages("other@example.org")
    assert taken == free
    assert "Sign up again with the right one" in taken[-1][2]


@pytest.mark.parametrize(
    ("name", "field"),
    [("account_reset_password", "email"), ("account_request_login_code", "email"), ("account_login", "login")],
)
def test_who_has_an_account_is_told_by_no_page_that_asks_for_an_address(db, name, field):
    make.member("Kim", email="known@example.org")

    def pages(email):
        response = Client().post(reverse(name), {field: email, "password": "not the password"}, follow=True)
        return response.redirect_chain, response.status_code, without_tokens(response, email)

    assert pages("known@example.org") == pages("nobody@example.org")


def test_address_of_somebody_else_is_changed_to_like_any_other_until_the_code(cast, sign_in):
    def pages(email):
        client = sign_in(make.member("Kim"))
        client.post(reverse("account_reauthenticate"), {"password": make.PASSWORD})
        steps = [
            client.post(reverse("account_email"), {"action_add": "", "email": email}, follow=True),
            client.post(reverse("account_email_verification_sent"), {"code": "WRNG-CODE"}, follow=True),
        ]
        return [(step.redirect_chain, step.status_code, without_tokens(step, email)) for step in steps]

    taken, free = pages(cast.max.email), pages("free@example.org")
    assert taken == free
    assert taken[0][0] == [(reverse("account_email_verification_sent"), 302)]


def test_sign_up_says_the_limits_of_what_stays_private_and_from_which_age(client, db):
    page = client.get(reverse("account_signup")).content.decode()

    for words in ("the counselor gets help", "the law makes counselors report it", "A court can order", "18 or older"):
        assert words in page
    assert f'href="{reverse("groups:first_time")}#private"' in page
