"""Taking somebody out of a group: places are freed, staff keep a reason, and nobody else reads it."""

import pytest

from audit.models import AuditEvent
from groups.models import Membership
from groups.services import approve_request, join_group
from meetings import services
from meetings.models import Participation
from outbox.models import Email
from tests import make
from tests.admin_pages import messages_of, run_action

MEMBERSHIPS = "/admin/groups/membership/"
REASON = "Asked for space from another person"


def of(member) -> Membership:
    return Membership.objects.get(member=member)


def send(client, *memberships, **facts):
    chosen = [membership.pk for membership in memberships]
    sent = {"action": "remove_people", "confirmed": "yes", "_selected_action": chosen, "reason": REASON} | facts
    return client.post(MEMBERSHIPS, sent, follow=True)


def rsvps(meeting) -> dict:
    return dict(Participation.objects.filter(meeting=meeting).values_list("member__display_name", "rsvp"))


def test_page_asks_for_a_reason_and_changes_nothing(cast, sign_in):
    client = sign_in(cast.carol)

    asked = run_action(client, MEMBERSHIPS, "remove_people", of(cast.mia))
    empty = send(client, of(cast.mia), reason=" ")

    assert "Their places at coming meetings become free" in asked.content.decode()
    assert empty.context["form"].errors == {"reason": ["Write a short reason, such as: Asked us to."]}
    assert of(cast.mia).status == "active"


def test_place_of_who_is_taken_out_goes_to_the_next_in_line(cast, sign_in):
    cast.willow_meeting.capacity = 1
    cast.willow_meeting.save()
    make.participation(cast.willow_meeting, cast.mia)
    make.participation(cast.willow_meeting, cast.max, "waitlisted")
    Membership.objects.filter(member=cast.mia).update(standing_rsvp=True, standing_since=cast.mia.joined_at)

    response = send(sign_in(cast.carol), of(cast.mia))

    gone = of(cast.mia)
    assert messages_of(response) == ["1 person is no longer in the group."]
    assert (gone.status, gone.removal_reason, gone.standing_rsvp) == ("removed", REASON, False)
    assert rsvps(cast.willow_meeting) == {"Mia": "declined", "Max": "offered"}
    assert [(mail.kind, mail.recipient) for mail in Email.objects.all()] == [("offer", cast.max)]


def test_who_is_taken_out_reads_no_reason_and_asks_to_come_back(cast, sign_in):
    services.remove_member(of(cast.mia), by=cast.carol, reason=REASON)
    client = sign_in(cast.mia)

    pages = [client.get(where).content.decode() for where in ("/my/", "/my/data/", "/groups/willow/")]
    asks = join_group(cast.willow, by=cast.mia, agreement=None)

    assert [REASON in page for page in pages] == [False] * 3
    assert asks.status == "requested"
    assert REASON in sign_in(cast.carol).get(f"{MEMBERSHIPS}{asks.pk}/change/").content.decode()
    approve_request(asks, by=cast.carol)
    assert of(cast.mia).removal_reason == ""


def test_removal_is_on_the_record_once_and_without_its_reason(cast):
    removed = [services.remove_member(of(cast.mia), by=cast.carol, reason=REASON) for _ in range(2)]

    found = AuditEvent.objects.filter(action="membership.removed")
    assert removed == [True, False]
    assert [(one.actor_id, one.details) for one in found] == [(cast.carol.pk, {"member": str(cast.mia.pk)})]


@pytest.mark.parametrize("name", ["dan", "sam"])
def test_nobody_else_takes_people_out(cast, sign_in, name):
    send(sign_in(getattr(cast, name)), of(cast.mia))

    assert of(cast.mia).status == "active"
