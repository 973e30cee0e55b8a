import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from groups import services
from groups.models import Acceptance, Agreement, Group, Membership
from meetings.services import cancel_meeting, leave_group
from members.models import Consent
from tests import make


def join_url(group, next_url=""):
    return reverse("groups:group_join", args=[group.slug]) + (f"?next={next_url}" if next_url else "")


def test_joining_an_open_group_records_which_rules_were_accepted(cast, sign_in):
    rules = make.agreement(cast.willow, text="Be kind to each other.")
    client = sign_in(cast.vera)
    meeting = cast.willow_meeting.get_absolute_url()

    page = client.get(join_url(cast.willow, meeting))
    response = client.post(
        join_url(cast.willow), {"accept": "on", "agreement": rules.pk, "reminders": "on", "next": meeting}
    )

    assert "Be kind to each other." in page.content.decode()
    assert response.url == meeting
    assert Membership.objects.get(member=cast.vera).status == "active"
    assert Acceptance.objects.get(member=cast.vera).agreement == rules
    assert Consent.objects.filter(member=cast.vera).exists()


@pytest.mark.parametrize(
    ("review", "words"),
    [
        ({}, "Nobody has reviewed this text yet."),
        ({"reviewed_by": "A. Lawyer", "reviewed_on": "2026-05-04"}, "Reviewed by A. Lawyer on May 4, 2026."),
    ],
)
def test_form_says_who_reviewed_the_rules_one_agrees_to(cast, sign_in, review, words):
    make.agreement(cast.willow, **review)

    assert words in sign_in(cast.vera).get(join_url(cast.willow)).content.decode()


def go_by_the_rules(client, meeting, rules, **sent):
    """Say “I'm going” where the ground rules come first, and send their form as the page has it."""
    join = client.post(reverse("meetings:meeting_rsvp", args=[meeting.pk]), {"answer": "going"}).url
    form = client.get(join).content.decode().split("<footer")[0]
    hidden = re.findall(r'<input type="hidden" name="(next|answer)" value="(.*?)">', form)
    return client.post(join, {"accept": "on", "agreement": rules.pk} | dict(hidden) | sent, follow=True)


def test_who_said_they_are_going_has_a_place_once_they_agreed(cast, sign_in):
    rules = make.agreement(cast.willow)

    for member in (cast.vera, cast.mia):  # new to the group; in it, and behind with its rules
        page = go_by_the_rules(sign_in(member), cast.willow_meeting, rules)

        assert page.redirect_chain[-1] == (cast.willow_meeting.get_absolute_url(), 302)
        assert "You have a place." in page.content.decode()
        assert cast.willow_meeting.participations.get(member=member).rsvp == "going"


def test_meeting_that_filled_up_while_the_rules_were_read_has_a_place_in_line(cast, sign_in):
    rules = make.agreement(cast.willow)
    type(cast.willow_meeting).objects.update(capacity=1)
    make.participation(cast.willow_meeting, cast.max)

    page = go_by_the_rules(sign_in(cast.vera), cast.willow_meeting, rules).content.decode()

    assert "You are in the group. Welcome." in page
    assert "You are on the waiting list, number 1." in page


def test_meeting_cancelled_while_the_rules_were_read_is_said_and_one_is_in_the_group(cast, sign_in):
    rules = make.agreement(cast.willow)
    client = sign_in(cast.vera)
    join = client.post(reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": "going"}).url
    cancel_meeting(cast.willow_meeting, by=cast.carol, reason="")
    sent = {"accept": "on", "agreement": rules.pk, "answer": "going", "next": parse_qs(urlsplit(join).query)["next"][0]}

    page = client.post(join, sent, follow=True)

    assert page.status_code == 409
    assert "This meeting was cancelled in the meantime." in page.content.decode()
    assert Membership.objects.get(member=cast.vera).status == "active"


def test_group_by_request_takes_no_place_before_the_answer(cast, sign_in):
    Group.objects.filter(pk=cast.cedar.pk).update(is_listed=True)
    rules = make.agreement(cast.cedar)

    page = go_by_the_rules(sign_in(cast.vera), cast.cedar_meeting, rules)

    assert page.redirect_chain == [(cast.cedar.get_absolute_url(), 302)]
    assert not cast.cedar_meeting.participations.exists()


@pytest.mark.parametrize("name", ["meetings:group_leave", "meetings:group_standing"])
def test_form_is_sent_on_to_no_other_page(cast, sign_in, name):
    """Else a link could make somebody leave a group, or sign out, by agreeing to its rules."""
    rules = make.agreement(cast.willow)
    elsewhere = reverse(name, args=["willow"])

    sent = {"accept": "on", "agreement": rules.pk, "answer": "going", "next": elsewhere}
    response = sign_in(cast.mia).post(join_url(cast.willow), sent)

    assert (response.status_code, response.url) == (302, elsewhere)
    assert Membership.objects.get(member=cast.mia).status == "active"


def test_joining_without_agreeing_changes_nothing(cast, sign_in):
    make.agreement(cast.willow)

    response = sign_in(cast.vera).post(join_url(cast.willow), {"reminders": "on"})

    assert response.status_code == 400
    assert "please read the ground rules" in response.content.decode()
    assert not Membership.objects.filter(member=cast.vera).exists()
    assert not Consent.objects.filter(member=cast.vera).exists()


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example", "home", "x"])
def test_joining_leads_nowhere_else(cast, sign_in, next_url):
    rules = make.agreement(cast.willow)

    response = sign_in(cast.vera).post(join_url(cast.willow), {"accept": "on", "agreement": rules.pk, "next": next_url})

    assert response.url == cast.willow.get_absolute_url()


def test_rules_that_changed_while_being_read_are_shown_again(cast, sign_in):
    shown = make.agreement(cast.willow, text="As they were.")
    newer = make.agreement(cast.willow, text="As they are.")

    response = sign_in(cast.vera).post(join_url(cast.willow), {"accept": "on", "agreement": shown.pk})

    assert response.status_code == 400
    assert "As they are." in response.content.decode()
    assert not Acceptance.objects.filter(agreement__in=[shown, newer]).exists()


def test_group_by_request_waits_for_a_counselor(cast):
    cast.cedar.is_listed = True

    membership = services.join_group(cast.cedar, by=cast.vera, agreement=None)

    assert membership.status == "requested"
    assert services.approve_request(membership, by=cast.dan) is True
    assert services.approve_request(membership, by=cast.dan) is False
    assert Membership.objects.get(pk=membership.pk).status == "active"


def test_closed_group_takes_nobody_who_asks(cast):
    closed = make.group(enrolment=Group.Enrolment.CLOSED)

    assert services.join_group(closed, by=cast.vera, agreement=None) is None
    assert not Membership.objects.filter(group=closed).exists()


def test_somebody_removed_asks_again_even_where_joining_is_open(cast):
    now = timezone.now()
    Membership.objects.filter(member=cast.mia).update(status=Membership.Status.REMOVED, removed_at=now)

    assert services.join_group(cast.willow, by=cast.mia, agreement=None).status == "requested"
    leave_group(cast.willow, by=cast.mia)
    again = services.join_group(cast.willow, by=cast.mia, agreement=None)
    assert again.status == "requested"
    services.approve_request(again, by=cast.carol)
    leave_group(cast.willow, by=cast.mia)
    assert services.join_group(cast.willow, by=cast.mia, agreement=None).status == "active"


def test_request_to_a_group_that_is_not_listed_can_be_taken_back(cast, sign_in):
    make.membership(cast.cedar, cast.vera, status=Membership.Status.REQUESTED, joined_at=None)

    sign_in(cast.vera).post(reverse("meetings:group_leave", args=["cedar"]))

    assert Membership.objects.get(member=cast.vera).status == "left"


def test_new_version_asks_again_before_the_next_answer(cast, sign_in):
    rules = make.agreement(cast.willow, text="New rules.")
    client = sign_in(cast.mia)

    response = client.post(reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": "going"})

    assert response.url.startswith(reverse("groups:group_join", args=["willow"]))
    client.post(join_url(cast.willow), {"accept": "on", "agreement": rules.pk})
    response = client.post(reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": "going"})
    assert response.url == cast.willow_meeting.get_absolute_url()


def test_groups_own_rules_come_before_the_house_rules_and_its_language_first(cast):
    Acceptance.objects.all().delete()
    Agreement.objects.all().delete()
    make.agreement(language="en", text="house")
    spanish = make.agreement(language="es", text="casa")
    own = make.agreement(cast.cedar, text="own")
    grupo = make.group(language="es")

    assert Agreement.objects.current_for(cast.cedar) == own
    assert Agreement.objects.current_for(grupo) == spanish
