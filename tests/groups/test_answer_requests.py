"""The pages before a request to join is answered: who is told, by which mail, and a reason that staff alone read."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from groups.models import Membership
from groups.services import decline_request
from outbox.models import BouncedAddress, Email
from tests import make
from tests.admin_pages import messages_of, rows, run_action

MEMBERSHIPS = "/admin/groups/membership/"
REASON = "Full until spring, please ask again then."


@pytest.fixture
def asks(cast):
    asked = {"status": Membership.Status.REQUESTED, "joined_at": None}
    cast.asks = make.membership(cast.willow, cast.vera, **asked)
    return cast


def one(asks, answer: str) -> str:
    return f"{MEMBERSHIPS}{asks.asks.pk}/{answer}/"


@pytest.mark.parametrize(
    ("answer", "first_line"),
    [
        ("approve", "You asked to join. The answer is yes."),
        ("decline", "You asked to join. Right now there is no place for you there."),
    ],
)
def test_pages_say_who_is_told_and_what_and_change_nothing(asks, sign_in, answer, first_line):
    client = sign_in(asks.carol)
    mia = Membership.objects.get(member=asks.mia)

    pages = [client.get(one(asks, answer)), run_action(client, MEMBERSHIPS, f"{answer}_requests", asks.asks, mia)]

    for page in pages:
        assert [membership for membership, _unreached in page.context["asking"]] == [asks.asks]
        for words in ("1 person gets a mail at once:", "An answer for you", first_line, "Vera", asks.vera.code):
            assert words in page.content.decode()
    assert [page.context["left_alone"] for page in pages] == [0, 1]
    assert (Membership.objects.get(pk=asks.asks.pk).status, Email.objects.count()) == ("requested", 0)


def test_whoever_mail_does_not_reach_is_told_by_the_counselor(asks, sign_in):
    BouncedAddress.objects.create(member=asks.vera, address=asks.vera.email, status="5.1.1")

    page = sign_in(asks.carol).get(one(asks, "approve"))

    assert page.context["told"] == 0
    assert "Their address sends mail back: please tell them yourself." in page.content.decode()


def test_mail_that_is_not_sent_here_is_not_promised(asks, sign_in, settings):
    settings.MAILS_OFF = ["join_decision"]

    page = sign_in(asks.carol).get(one(asks, "decline")).content.decode()

    assert "Nobody gets a mail: this site does not send it." in page
    assert "An answer for you" not in page


@pytest.mark.parametrize("reason", ["", REASON])
def test_declining_keeps_a_reason_for_staff_if_there_is_one(asks, sign_in, reason):
    client = sign_in(asks.carol)

    response = run_action(client, MEMBERSHIPS, "decline_requests", asks.asks, confirmed="yes", reason=reason)

    asks.asks.refresh_from_db()
    assert messages_of(response) == ["1 request declined."]
    assert (asks.asks.was_declined, asks.asks.removal_reason) == (True, reason)
    assert (REASON in client.get(f"{MEMBERSHIPS}{asks.asks.pk}/change/").content.decode()) is bool(reason)
    assert REASON not in sign_in(asks.vera).get("/my/data/").content.decode()


def test_reason_that_is_too_long_is_refused_and_nothing_changed(asks, sign_in):
    sent = {"confirmed": "yes", "reason": "x" * 201}

    response = run_action(sign_in(asks.carol), MEMBERSHIPS, "decline_requests", asks.asks, **sent)

    assert (response.status_code, "at most 200 characters" in response.content.decode()) == (400, True)
    assert Membership.objects.get(pk=asks.asks.pk).status == "requested"


def test_second_press_changes_nothing(asks, sign_in):
    client = sign_in(asks.carol)

    for words in (["1 request approved."], ["1 did not wait for an answer and is as before."]):
        response = run_action(client, MEMBERSHIPS, "approve_requests", asks.asks, confirmed="yes")
        assert messages_of(response) == words

    assert Email.objects.filter(kind="join_decision").count() == 1


def test_answered_request_has_a_page_without_a_button(asks, sign_in):
    decline_request(asks.asks, by=asks.olga)
    client = sign_in(asks.carol)

    page = client.get(one(asks, "approve"))

    assert (page.context["asking"], page.context["left_alone"]) == ([], 1)
    assert one(asks, "approve") not in client.get(f"{MEMBERSHIPS}{asks.asks.pk}/change/").content.decode()


def test_superuser_answers_nothing(asks, sign_in):
    assert [sign_in(asks.sam).get(one(asks, answer)).status_code for answer in ("approve", "decline")] == [403, 403]


def test_requests_stand_in_the_order_of_waiting(asks, sign_in):
    later = make.membership(asks.willow, make.member("Kim"), status="requested", joined_at=None)

    assert rows(sign_in(asks.carol), MEMBERSHIPS, status__exact="requested") == [asks.asks, later]


@pytest.mark.parametrize("how_many", [3, 60])
def test_page_costs_the_same_however_many_ask(asks, sign_in, how_many):
    made = Membership.objects.bulk_create(
        Membership(group=asks.willow, member=one, status="requested") for one in make.members(how_many)
    )
    client = sign_in(asks.carol)
    client.get(MEMBERSHIPS)

    with CaptureQueriesContext(connection) as asked:
        page = run_action(client, MEMBERSHIPS, "approve_requests", *made)

    assert (len(page.context["asking"]), len(asked)) == (how_many, 10)
