"""Counselors make invitations for their own groups, see what became of them, and take them back."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from groups import services
from groups.models import Invitation
from tests.admin_pages import form_of, messages_of, rows, run_action

INVITATIONS = "/admin/groups/invitation/"
NEW = f"{INVITATIONS}add/"


def invite(group, by, token, **fields) -> Invitation:
    made = services.invite(Invitation(group=group), by=by, token=token, days=7)
    Invitation.objects.filter(pk=made.pk).update(**fields)
    return Invitation.objects.get(pk=made.pk)


@pytest.fixture
def four(cast):
    """One invitation to Willow in each state, and one to Cedar."""
    now = timezone.now()
    cast.usable = invite(cast.willow, cast.carol, "usable")
    cast.used = invite(cast.willow, cast.carol, "used", used_at=now, used_by=cast.mia)
    cast.expired = invite(cast.willow, cast.carol, "expired", expires_at=now - timedelta(days=1))
    cast.revoked = invite(cast.willow, cast.carol, "revoked", revoked_at=now)
    cast.other = invite(cast.cedar, cast.dan, "other")
    return cast


def make_one(client, group, **changed):
    sent = form_of(client.get(NEW)) | {"group": group.pk} | changed
    return client.post(NEW, sent), sent


def test_link_is_shown_when_it_is_made_and_works(cast, sign_in, settings):
    response, _sent = make_one(sign_in(cast.carol), cast.willow)

    link = response.context["link"]
    page = response.content.decode()
    assert "This is the only time you see this link." in page
    assert link.startswith(f"{settings.SITE_URL}/invitation/")
    assert page.count(link) == 2
    assert sign_in(cast.vera).get(link.removeprefix(settings.SITE_URL)).context["group"] == cast.willow
    assert Invitation.objects.get().invited_by == cast.carol


def test_link_is_on_no_later_page(cast, sign_in):
    client = sign_in(cast.carol)
    token = make_one(client, cast.willow)[0].context["link"].split("/")[-2]
    one = Invitation.objects.get()

    pages = [client.get(address) for address in (INVITATIONS, f"{INVITATIONS}{one.pk}/change/", "/admin/")]

    assert [page.status_code for page in pages] == [200] * 3
    assert not [page for page in pages if token in page.content.decode()]
    assert token not in str(dict(client.session))


def test_slip_names_no_group_and_says_until_when_in_the_language_of_the_group(cast, sign_in):
    type(cast.willow).objects.filter(pk=cast.willow.pk).update(language="es")

    page = make_one(sign_in(cast.carol), cast.willow)[0].content.decode()

    slip = page[page.index('<section class="slip"') : page.index("</section>")]
    assert 'lang="es"' in slip
    assert "Willow" not in slip
    assert "/invitation/" in slip


def test_form_sent_twice_is_one_invitation_and_the_same_link(cast, sign_in):
    client = sign_in(cast.carol)
    first, sent = make_one(client, cast.willow)

    second = client.post(NEW, sent)

    assert second.context["link"] == first.context["link"]
    assert Invitation.objects.count() == 1


def test_form_sent_again_for_another_group_is_an_invitation_to_that_group(cast, sign_in):
    client = sign_in(cast.olga)
    first, sent = make_one(client, cast.willow)

    second = client.post(NEW, sent | {"group": cast.cedar.pk})

    assert second.context["link"] != first.context["link"]
    assert second.context["invitation"].group == cast.cedar
    assert set(Invitation.objects.values_list("group", flat=True)) == {cast.willow.pk, cast.cedar.pk}


def test_form_sent_again_when_its_link_is_used_makes_one_that_works(cast, sign_in):
    client = sign_in(cast.carol)
    first, sent = make_one(client, cast.willow)
    services.accept_invitation(Invitation.objects.get(), by=cast.vera, agreement=None)

    second = client.post(NEW, sent)

    assert second.context["link"] != first.context["link"]
    assert Invitation.objects.usable().of_token(second.context["link"].split("/")[-2]).exists()


@pytest.mark.parametrize("attempt", range(3))
def test_form_sent_twice_at_once_is_one_invitation_too(cast, transactional_db, attempt):
    together = threading.Barrier(2)

    def invite_at_once(_tap):
        together.wait()
        try:
            with transaction.atomic():
                made = services.invite(Invitation(group=cast.willow), by=cast.carol, token="the-same", days=7)
                threading.Event().wait(0.05)  # both are at it before either is done
                return made.pk, made.token
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        made = set(pool.map(invite_at_once, range(2)))

    assert made == {(Invitation.objects.get().pk, "the-same")}


@pytest.mark.parametrize("token", ["", "easy-to-guess"])
def test_nobody_chooses_the_token(cast, sign_in, token):
    response, _sent = make_one(sign_in(cast.carol), cast.willow, token=token)

    chosen = response.context["link"].split("/")[-2]
    assert re.fullmatch("(?:[2-9a-z]{5}-){3}[2-9a-z]{5}", chosen)
    assert Invitation.objects.of_token(chosen).count() == 1


def test_counselor_sees_and_invites_to_their_own_groups_only(four, sign_in):
    client = sign_in(four.carol)

    response, _sent = make_one(client, four.cedar)

    assert set(rows(client, INVITATIONS)) == {four.usable, four.used, four.expired, four.revoked}
    assert rows(sign_in(four.dan), INVITATIONS) == [four.other]
    assert rows(sign_in(four.olga), INVITATIONS)[0] == four.other
    assert response.context["adminform"].form.errors.keys() == {"group"}
    assert client.get(f"{INVITATIONS}{four.other.pk}/change/").status_code == 302


def test_page_of_a_group_leads_to_an_invitation_for_it(cast, sign_in):
    group = f"/admin/groups/group/{cast.willow.pk}/change/"
    olga = sign_in(cast.olga)

    assert f'href="{NEW}?group={cast.willow.pk}"' in olga.get(group).content.decode()
    assert form_of(olga.get(f"{NEW}?group={cast.willow.pk}"))["group"] == str(cast.willow.pk)
    assert form_of(sign_in(cast.dan).get(NEW))["group"] == cast.cedar.pk
    assert "group" not in form_of(olga.get(NEW))
    assert "Invite somebody" not in sign_in(cast.sam).get(group).content.decode()


def test_superuser_invites_nobody(four, sign_in):
    client = sign_in(four.sam)

    assert client.get(INVITATIONS).status_code == 403
    assert client.get(NEW).status_code == 403


def test_list_tells_the_state_and_is_filtered_by_it(four, sign_in):
    client = sign_in(four.carol)

    for state in ("usable", "used", "expired", "revoked"):
        assert rows(client, INVITATIONS, state=state) == [getattr(four, state)]
        assert getattr(four, state).state == state
    assert len(rows(client, INVITATIONS, state="nonsense")) == 4
    page = client.get(INVITATIONS).content.decode()
    for words in ("open", "used", "expired", "taken back", f"Mia ({four.mia.code})", "Carol"):
        assert words in page


def test_taking_back_asks_first_and_leaves_the_used_ones(four, sign_in):
    client = sign_in(four.carol)

    asked = run_action(client, INVITATIONS, "revoke", four.usable, four.used, four.revoked)
    page = asked.content.decode()
    assert "Their links stop working at once." in page
    assert "2 were used or taken back before and stay as they are." in page
    assert Invitation.objects.usable().filter(group=four.willow).count() == 1

    chosen = [str(one.pk) for one in (four.usable, four.used, four.revoked)]
    sent = {"action": "revoke", "confirmed": "yes", "_selected_action": chosen}
    done = client.post(INVITATIONS, sent, follow=True)
    again = client.post(INVITATIONS, sent, follow=True)

    assert messages_of(done) == ["1 invitation taken back."]
    assert messages_of(again) == ["Nothing was left to take back."]
    four.usable.refresh_from_db()
    assert four.usable.state == "revoked"
    assert AuditEvent.objects.filter(action="invitation.revoked", actor_id=four.carol.pk).count() == 1
    assert sign_in(four.vera).get(reverse("groups:invitation", args=["usable"])).status_code == 404


def test_invitation_of_another_group_cannot_be_taken_back(four, sign_in):
    sent = {"action": "revoke", "confirmed": "yes", "_selected_action": [str(four.other.pk)]}

    sign_in(four.carol).post(INVITATIONS, sent)

    four.other.refresh_from_db()
    assert four.other.state == "usable"


@pytest.mark.parametrize("how_many", [3, 300])
def test_list_costs_the_same_whatever_there_is(cast, sign_in, how_many):
    client = sign_in(cast.carol)
    Invitation.objects.bulk_create(
        Invitation(
            group=cast.willow,
            token_hash=str(n),
            invited_by=cast.carol,
            used_by=cast.mia,
            used_at=timezone.now(),
            expires_at=timezone.now(),
        )
        for n in range(how_many)
    )

    with CaptureQueriesContext(connection) as queries:
        assert len(rows(client, INVITATIONS)) == min(how_many, 50)

    assert len(queries) == 5


def test_link_in_a_form_that_was_not_right_is_in_no_row(cast, sign_in):
    response, _sent = make_one(sign_in(cast.carol), cast.willow, days="400")

    assert response.context["adminform"].form.errors.keys() == {"days"}
    assert not Invitation.objects.exists()
