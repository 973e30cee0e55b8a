"""Invitations: a link that lets one person into a group, once, and tells nobody else anything."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from groups import services
from groups.models import Group, Invitation, Membership
from tests import make

TOKEN = "a-long-and-quiet-token-that-nobody-can-guess"


@pytest.fixture
def harbor(cast):
    """A closed group nobody finds, run by Carol, with ground rules and one open invitation."""
    cast.harbor = make.group(
        name="Harbor circle",
        slug="harbor",
        enrolment=Group.Enrolment.CLOSED,
        is_listed=False,
        description="By the sea.",
    )
    cast.harbor.facilitators.create(member=cast.carol)
    cast.rules = make.agreement(cast.harbor, text="What is said here stays here.")
    cast.invitation = services.invite(Invitation(group=cast.harbor), by=cast.carol, token=TOKEN, days=7)
    cast.agreed = {"accept": "on", "agreement": cast.rules.pk}
    return cast


def link(token=TOKEN) -> str:
    return reverse("groups:invitation", args=[token])


def text(response) -> str:
    return response.content.decode()


# The link


def test_only_a_hash_of_the_link_is_kept(harbor):
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(groups_invitation)::text FROM groups_invitation")
        [[row]] = cursor.fetchall()
        cursor.execute("SELECT row_to_json(audit_auditevent)::text FROM audit_auditevent")
        record = str(cursor.fetchall())

    assert TOKEN not in row
    assert TOKEN not in record
    assert AuditEvent.objects.filter(action="invitation.made").count() == 1


def test_it_works_until_the_end_of_its_last_day_where_the_group_is(cast):
    with time_machine.travel("2026-10-30T02:00Z", tick=False):  # October 29 in New York; the clocks go back on the 1st
        made = services.invite(Invitation(group=cast.willow), by=cast.carol, token="x", days=3)

    assert made.expires_at.isoformat() == "2026-11-02T00:00:00-05:00"
    assert made.last_moment.date().isoformat() == "2026-11-01"
    with time_machine.travel("2026-11-02T04:59:59Z", tick=False):
        assert Invitation.objects.usable().get() == made
    with time_machine.travel("2026-11-02T05:00Z", tick=False):
        assert Invitation.objects.expired().get() == made


def test_visitor_is_told_neither_group_nor_kind_and_what_to_do(harbor, client):
    page = text(client.get(link()))

    for words in ("You are invited", "Sign up", "I have an account", "Looking does not use it up."):
        assert words in page
    for hidden in ("Harbor", "By the sea", "Riverside", "recovery", "stays here", "Carol"):
        assert hidden not in page


def test_signing_up_on_the_way_leads_back_to_it(harbor, client):
    [address] = re.findall(r'href="(/accounts/signup/[^"]+)"', text(client.get(link())))
    form = {"email": "new@example.org", "display_name": "River", "password1": "a long and quiet river"}
    client.post(address, form | {"next": link()})
    code = re.search(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$", mail.outbox[0].body, re.MULTILINE).group()

    response = client.post(reverse("account_email_verification_sent"), {"code": code})

    assert response.url == link()
    assert "You are invited to Harbor circle" in text(client.get(link()))


def test_signed_in_it_shows_what_one_should_know_before(harbor, sign_in):
    page = text(sign_in(harbor.vera).get(link()))

    for words in (
        "Harbor circle",
        "By the sea.",
        "What is said here stays here.",
        "Nobody has reviewed",
        "no cross-talk",
    ):
        assert words in page
    assert "12 Hidden Lane" not in page


def test_looking_changes_nothing(harbor, sign_in):
    for client in (Client(), sign_in(harbor.vera)):
        for ask in (client.get, client.head):
            assert ask(link()).status_code == 200

    assert Invitation.objects.usable().count() == 1
    assert not Membership.objects.filter(group=harbor.harbor).exists()


def test_accepting_lets_one_in_and_uses_it_up(harbor, sign_in):
    response = sign_in(harbor.vera).post(link(), harbor.agreed)

    assert response.url == harbor.harbor.get_absolute_url()
    assert Membership.objects.get(group=harbor.harbor).status == "active"
    assert harbor.vera.acceptances.get().agreement == harbor.rules
    assert Invitation.objects.used().get().used_by == harbor.vera
    assert sign_in(harbor.nora).get(link()).status_code == 404


def test_without_agreeing_nothing_happens_and_it_still_works(harbor, sign_in):
    client = sign_in(harbor.vera)

    response = client.post(link(), {"agreement": harbor.rules.pk})

    assert response.status_code == 400
    assert "please read the ground rules" in text(response)
    assert Invitation.objects.usable().count() == 1
    assert client.post(link(), harbor.agreed).status_code == 302


def test_second_tap_and_coming_back_lead_to_the_group(harbor, sign_in):
    client = sign_in(harbor.vera)

    answers = [client.post(link(), harbor.agreed), client.post(link(), harbor.agreed), client.get(link())]

    assert [answer.url for answer in answers] == [harbor.harbor.get_absolute_url()] * 3
    assert Membership.objects.filter(group=harbor.harbor).count() == 1


@pytest.mark.parametrize("attempt", range(3))
def test_two_taps_at_once_both_lead_to_the_group(harbor, sign_in, transactional_db, attempt):
    clients = [sign_in(harbor.vera) for _tap in range(2)]
    together = threading.Barrier(2)

    def tap(client):
        together.wait()
        try:
            return client.post(link(), harbor.agreed)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(tap, clients))

    assert [getattr(answer, "url", answer.status_code) for answer in answers] == [harbor.harbor.get_absolute_url()] * 2
    assert Invitation.objects.get().used_by == Membership.objects.get(group=harbor.harbor).member == harbor.vera


def test_sent_after_being_signed_out_goes_by_signing_in(harbor, client):
    response = client.post(link(), harbor.agreed)

    assert response.url == f"{reverse('account_login')}?next={link()}"
    assert Invitation.objects.usable().count() == 1


def test_who_is_in_the_group_leaves_it_for_somebody_else(harbor, sign_in):
    make.membership(harbor.harbor, harbor.mia)
    client = sign_in(harbor.mia)

    assert client.get(link()).url == harbor.harbor.get_absolute_url()
    assert client.post(link(), harbor.agreed).url == harbor.harbor.get_absolute_url()
    assert Invitation.objects.usable().count() == 1


def test_invitation_answers_a_request(harbor, sign_in):
    asked = {"status": Membership.Status.REQUESTED, "joined_at": None}
    make.membership(harbor.harbor, harbor.vera, **asked)

    sign_in(harbor.vera).post(link(), harbor.agreed)

    assert Membership.objects.get(member=harbor.vera).status == "active"


def test_somebody_removed_is_not_let_in_by_a_link_alone(harbor, sign_in):
    gone = {"status": Membership.Status.REMOVED, "removed_at": timezone.now()}
    make.membership(harbor.harbor, harbor.vera, **gone)

    response = sign_in(harbor.vera).post(link(), harbor.agreed, follow=True)

    assert Membership.objects.get(member=harbor.vera).status == "requested"
    assert "A counselor will answer." in text(response)


def test_typed_from_paper_in_capitals_it_works_too(harbor, sign_in):
    assert sign_in(harbor.vera).get(link(TOKEN.upper())).status_code == 200


def test_no_two_links_are_the_same():
    tokens = {Invitation.new_token() for _ in range(1000)}

    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {23}


# A link that does not work


def spend(harbor):
    services.accept_invitation(harbor.invitation, by=harbor.nora, agreement=harbor.rules)


def revoke(harbor):
    services.revoke_invitation(harbor.invitation, by=harbor.carol)


def expire(harbor):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def lose(harbor):
    Invitation.objects.all().delete()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("person", ["visitor", "vera"])
def test_whatever_is_wrong_with_it_the_answer_is_the_same(harbor, sign_in, person, method):
    pages = set()
    for spoil in (spend, revoke, expire, lose):
        with transaction.atomic():
            spoil(harbor)
            response = getattr(sign_in(getattr(harbor, person, None)), method)(link(), harbor.agreed)
            transaction.set_rollback(True)
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text(response))
        pages.add((response.status_code, page, str(sorted(set(response.headers.items()) - {"Expires"}))))

    [(status, page, _headers)] = {(status, page, "") for status, page, _headers in pages}
    assert status == 404
    for words in ("This invitation does not work", "nothing was changed", "Ask the person who gave it to you"):
        assert words in page
    assert "Harbor" not in page


def test_one_taken_back_while_the_form_was_open_lets_nobody_in(harbor, sign_in):
    client = sign_in(harbor.vera)
    client.get(link())
    revoke(harbor)

    response = client.post(link(), harbor.agreed)

    assert response.status_code == 404
    assert not Membership.objects.filter(group=harbor.harbor).exists()


def test_one_that_has_become_useless_between_looking_and_accepting_lets_nobody_in(harbor):
    for spoil in (spend, revoke, expire):
        with transaction.atomic():
            spoil(harbor)
            assert services.accept_invitation(harbor.invitation, by=harbor.vera, agreement=harbor.rules) is None
            transaction.set_rollback(True)


@pytest.mark.parametrize("attempt", range(3))
def test_two_people_with_one_link_at_once_are_one_member(harbor, transactional_db, attempt):
    together = threading.Barrier(2)

    def accept(member):
        together.wait()
        try:
            with transaction.atomic():
                joined = services.accept_invitation(harbor.invitation, by=member, agreement=harbor.rules)
                threading.Event().wait(0.05)  # both are at it before either is done
                return joined
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(accept, [harbor.vera, harbor.nora]))

    assert sorted(answer is None for answer in answers) == [False, True]
    winner = Membership.objects.get(group=harbor.harbor).member
    assert Invitation.objects.get().used_by == winner


def test_one_is_used_or_taken_back_but_not_both(harbor):
    spend(harbor)

    assert services.revoke_invitation(harbor.invitation, by=harbor.carol) is False
    with pytest.raises(IntegrityError, match="invitation_ends_once"), transaction.atomic():
        Invitation.objects.update(revoked_at=timezone.now())


# What keeps the link to those who have it


@pytest.mark.parametrize("token", [TOKEN, "unknown"])
def test_page_is_kept_by_no_cache_found_by_no_search_and_told_to_no_other_site(harbor, client, token):
    response = client.get(link(token))

    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Referrer-Policy"] == "same-origin"
    assert "/invitation/" not in client.get("/robots.txt").content.decode()
    assert not re.search(r'(?:href|src|action)="https?://', text(response))


def test_many_tries_are_stopped_for_a_while(client, db):
    statuses = [client.get(link(f"guess-{number}")).status_code for number in range(61)]

    assert statuses == [404] * 60 + [429]


@pytest.mark.parametrize("token", ["x" * 3000, "%00", "☃", "..", "%F0%9F"])
def test_anything_else_in_its_place_is_no_invitation(client, db, token):
    assert client.get(f"/invitation/{token}/").status_code == 404
