"""What members share with those who run their meetings: a number, what they need. Who reads it, and that it goes."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from groups.models import Facilitator, Membership
from meetings import services
from meetings.models import Meeting
from meetings.shared_models import Shared
from members.models import Consent, Member
from outbox.models import BouncedAddress
from tests import make

SHARING = reverse("meetings:my_sharing")
NUMBER, NEEDS = "555 0100 123", "A way in without steps, lanterns."


@pytest.fixture
def willow(cast):
    """No mail reaches Mia (not confirmed), who shares a number, and Max (sends it back), who shares none."""
    make.membership(cast.willow, cast.vera)
    Member.objects.get(pk=cast.mia.pk).emailaddress_set.update(verified=False)
    BouncedAddress.objects.create(member=cast.max, address=cast.max.email, status="5.1.1")
    services.share(Shared.Kind.PHONE, NUMBER, by=cast.mia)
    services.share(Shared.Kind.PHONE, "555 0100 999", by=cast.vera)
    services.share(Shared.Kind.NEEDS, NEEDS, by=cast.mia)
    for member in (cast.mia, cast.vera):
        make.participation(cast.willow_meeting, member)
    return cast


def calls(thing) -> str:
    if isinstance(thing, Meeting):
        return reverse("meetings:meeting_calls", args=[thing.pk])
    return reverse("meetings:group_calls", args=[thing.slug])


def roster(meeting: Meeting) -> str:
    return reverse("meetings:meeting_roster", args=[meeting.pk])


def membership(member) -> str:
    return reverse("admin:groups_membership_change", args=[Membership.objects.get(member=member).pk])


def standing(member) -> set:
    return set(Consent.objects.standing().filter(member=member).values_list("kind", flat=True))


# --- The call list ----------------------------------------------------------------------------------------------------


def test_call_list_has_those_whom_no_mail_reaches(willow, sign_in):
    client = sign_in(willow.carol)

    of_group, of_meeting = (client.get(calls(one)) for one in (willow.willow, willow.willow_meeting))

    assert [(one.name, one.number) for one in of_group.context["people"]] == [("Max", ""), ("Mia", NUMBER)]
    assert [one.name for one in of_meeting.context["people"]] == ["Mia"]
    assert "shared no number" in of_group.content.decode()
    assert "555 0100 999" not in of_group.content.decode()


def test_each_look_is_on_the_record_of_each_person(willow, sign_in):
    sign_in(willow.carol).get(calls(willow.willow))

    seen = AuditEvent.objects.filter(action="call_list.opened", actor_id=willow.carol.pk)
    assert {event.details["member"] for event in seen} == {str(willow.mia.pk), str(willow.max.pk)}
    assert NUMBER not in str(list(seen.values()))
    assert "opened a list of people to call" in sign_in(willow.mia).get(reverse("members:my_data")).content.decode()


def test_call_list_on_paper_names_no_group(willow, sign_in):
    page = sign_in(willow.carol).get(calls(willow.willow_meeting)).content.decode()

    assert "<title>People to call" in page
    assert page.count("Willow evening") == page.count('<p class="soft no-print">Willow evening</p>') == 1


def test_whoever_left_or_has_mail_again_is_not_on_it(willow, sign_in):
    services.leave_group(willow.willow, by=willow.mia)
    BouncedAddress.objects.update(works_since=timezone.now())

    assert sign_in(willow.carol).get(calls(willow.willow)).context["people"] == []


def test_another_groups_counselor_gets_no_list(willow, sign_in):
    client = sign_in(willow.dan)

    answers = [client.get(calls(one)).status_code for one in (willow.willow, willow.willow_meeting)]

    assert answers == [404, 404]
    assert not AuditEvent.objects.filter(action="call_list.opened").exists()
    denied = AuditEvent.objects.filter(action="access.denied", actor_id=willow.dan.pk)
    assert str(willow.willow.pk) in {event.object_id for event in denied}


@pytest.mark.parametrize("how_many", [3, 300])
def test_call_list_costs_the_same_whatever_there_is(willow, sign_in, how_many):
    people = Member.objects.bulk_create(
        Member(email=f"{n}@example.org", display_name="P", password="!", code=f"M-{n:06}") for n in range(how_many)
    )
    Membership.objects.bulk_create(
        Membership(group=willow.willow, member=one, status="active", joined_at=timezone.now()) for one in people
    )
    client = sign_in(willow.carol)
    client.get(calls(willow.willow))

    with CaptureQueriesContext(connection) as asked:
        page = client.get(calls(willow.willow))

    assert (len(page.context["people"]), len(asked)) == (how_many + 2, 7)


# --- What people need -------------------------------------------------------------------------------------------------


def test_needs_are_read_by_those_who_run_the_group_and_nobody_else(willow, sign_in):
    Facilitator.objects.create(group=willow.willow, member=willow.olga)
    sol = make.member("Sol", role=Member.Role.COUNSELOR)
    soon = timezone.now() + timedelta(hours=5)
    Meeting.objects.filter(pk=willow.willow_meeting.pk).update(substitute=sol, starts_at=soon)
    people = (willow.carol, willow.olga, willow.dan, willow.sam, willow.vera, sol)

    pages = {
        one.display_name: [sign_in(one).get(where) for where in (roster(willow.willow_meeting), membership(willow.mia))]
        for one in people
    }

    readers = {name for name, answers in pages.items() for one in answers if "lanterns" in one.content.decode()}
    assert readers == {"Carol"}
    assert ["lanterns" in one.content.decode() for one in pages["Carol"]] == [True, True]
    assert [pages[name][0].status_code for name in ("Olga", "Sol")] == [200, 200]


def test_needs_are_gone_everywhere_once_taken_back_or_left(willow, sign_in):
    client, carol = sign_in(willow.mia), sign_in(willow.carol)
    pages = (roster(willow.willow_meeting), membership(willow.mia))

    client.post(SHARING, {"stop": "needs"})

    assert not any("lanterns" in carol.get(page).content.decode() for page in pages)
    assert "lanterns" not in client.get(reverse("members:my_data")).content.decode()
    assert standing(willow.mia) == {"calls"}
    assert not Shared.objects.filter(kind="needs").exists()
    services.share(Shared.Kind.NEEDS, NEEDS, by=willow.mia)
    services.leave_group(willow.willow, by=willow.mia)
    assert not any("lanterns" in carol.get(page).content.decode() for page in pages)


def test_needs_are_in_ones_own_data(willow, sign_in):
    page = sign_in(willow.mia).get(reverse("members:my_data_part", args=["shared"])).content.decode()

    assert (NEEDS in page, NUMBER in page) == (True, True)


# --- Sharing ----------------------------------------------------------------------------------------------------------


def test_member_shares_changes_and_takes_back(cast, sign_in):
    client = sign_in(cast.mia)
    client.post(SHARING, {"keep": "phone", "phone": " 555  0100 123 ", "phone_agree": "on"})
    client.post(SHARING, {"keep": "phone", "phone": "555 0100 124", "phone_agree": "on"})
    changed = [one.text for one in Shared.objects.all()]
    shown = client.get(SHARING).context["phone"].initial["phone"]

    client.post(SHARING, {"stop": "phone"})
    again = client.post(SHARING, {"stop": "phone"}, follow=True)

    assert (changed, shown) == (["555 0100 124"], "555 0100 124")
    assert (Shared.objects.exists(), standing(cast.mia)) == (False, set())
    assert "Nothing was shared." in again.content.decode()


def test_rows_hold_no_words_and_open_nowhere_else(willow):
    rows = {one.member_id: one for one in Shared.objects.filter(kind="phone")}
    mine, hers = rows[willow.mia.pk], rows[willow.vera.pk]
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, ' ') FROM meetings_shared t")
        kept = cursor.fetchone()[0]
    Shared.objects.filter(pk=mine.pk).update(sealed=hers.sealed)

    mine.refresh_from_db()

    assert ("lanterns" in kept, NUMBER in kept) == (False, False)
    assert mine.readable == "This cannot be opened at the moment."


def test_rows_are_sealed_again_with_a_new_key(willow, settings):
    settings.FIELD_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_KEYS]

    done, broken = services.seal_all_again()

    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    assert (done, broken) == (3, 0)
    assert {one.text for one in Shared.objects.filter(member=willow.mia)} == {NUMBER, NEEDS}


def test_without_keys_nothing_is_taken(cast, sign_in, settings):
    settings.FIELD_KEYS = []

    response = sign_in(cast.mia).post(SHARING, {"keep": "needs", "needs": NEEDS, "needs_agree": "on"})

    assert (response.status_code, Shared.objects.exists(), standing(cast.mia)) == (409, False, set())


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"keep": "phone", "phone": NUMBER}, "Tick this box"),
        ({"keep": "phone", "phone": "call me", "phone_agree": "on"}, "Write a number of 5 to 15 digits"),
        ({"keep": "phone", "phone": "1234", "phone_agree": "on"}, "Write a number of 5 to 15 digits"),
        ({"keep": "phone", "phone": "1" * 31, "phone_agree": "on"}, "at most 30 characters"),
        ({"keep": "needs", "needs": NEEDS}, "Tick this box"),
        ({"keep": "needs", "needs": " ", "needs_agree": "on"}, "Write what you need"),
        ({"keep": "needs", "needs": "x" * 301, "needs_agree": "on"}, "at most 300 characters"),
        ({"keep": "address"}, ""),
        ({"stop": "everything"}, ""),
    ],
)
def test_what_makes_no_sense_is_refused(cast, sign_in, sent, words):
    response = sign_in(cast.mia).post(SHARING, sent)

    assert (response.status_code, words in response.content.decode()) == (400, True)
    assert (Shared.objects.exists(), standing(cast.mia)) == (False, set())
