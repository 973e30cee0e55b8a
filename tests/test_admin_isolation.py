"""The admin, every registered page by every way in: what belongs to another counselor's group is not there, nothing of
it can be changed, and that somebody tried is on the record. A page without a row here fails.

Carol runs Willow, Dan runs Cedar. Each page has a row of Willow's and one of Cedar's.
"""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.forms import ModelChoiceField
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

import outbox.services as outbox
from audit.models import AuditEvent
from audit.services import record
from centre.models import Question
from groups.models import Invitation, Membership, Phase, Room, Topic
from meetings.letter_models import AttendanceLetter
from meetings.models import Outreach
from meetings.services import save_log
from members.scoped_admin import of_scope
from outbox.models import Email
from tests import make
from tests.admin_pages import form_of, messages_of

STOCK = {"changelist", "add", "change", "delete", "history"}
# Addresses beside those of every page, and the field in which each takes an id. One that nobody listed fails.
OWN_ADDRESSES = {
    "meetings_meeting_cancel": "meetings",
    "meetings_outreach_contacted": "meeting",
    "outbox_email_preview": None,
    "outbox_email_preview_html": None,
    "groups_group_holiday": "groups",
}
# Those that name in their path what they are about.
OF_ONE_GROUP = {
    "groups_group_schedule",
    "groups_group_series",
    "groups_group_pause",
    "groups_group_undo_series",
    "groups_group_resume",
}
OF_ONE_DATE = {
    "meetings_meeting_move",
    "meetings_meeting_put_back",
    "meetings_meeting_take_up",
    "meetings_meeting_substitute",
}
OF_ONE_REQUEST = {"groups_membership_approve", "groups_membership_decline"}
NOT_YOURS = "Not all of this is among yours. Nothing was changed."
CLOSED = {  # for whom a page does not open at all
    "email": {"carol"},
    "auditevent": {"carol", "olga"},
    "question": {"carol", "sam"},
    "membership": {"sam"},
    "invitation": {"sam"},
    "topic": {"sam"},
    "agreement": {"sam"},
    "outreach": {"sam"},
    "participation": {"sam"},
    "sessionlog": {"sam"},
    "attendanceletter": {"sam"},
}
SEEN_WHOLE = {"email", "question", "auditevent", "room"}  # by whoever may open the page
PAGES = sorted(model._meta.model_name for model in admin.site._registry)


@pytest.fixture
def rows(cast):
    """For each page a row in Carol's scope and one out of it (None: who may open the page sees all)."""
    now = timezone.now()

    def of(group, meeting, member, n):
        past = make.meeting(group, starts_at=now - timedelta(days=20 + n), status="held")
        asks = make.membership(group, make.member(f"Guest {group.slug}"), status=Membership.Status.REQUESTED)
        return {
            "group": group,
            "member": member,
            "membership": asks,
            "meeting": meeting,
            "topic": Topic.objects.create(group=group, name=f"About {group.slug}"),
            "agreement": make.agreement(group),
            "invitation": Invitation.objects.create(
                group=group, token_hash=group.slug, expires_at=now + timedelta(days=3)
            ),
            "attendanceletter": AttendanceLetter.objects.create(member=member, group=group, name="A", facilitator="B"),
            "participation": make.participation(past, member, attendance="present"),
            "meetingseries": meeting.series,
            "outreach": Outreach.objects.create(meeting=past, member=member),
            "sessionlog": save_log(
                past, by=member, mode=group.mode, started_at=past.starts_at, ended_at=past.ends_at, headcount=3
            ),
        }

    own = of(cast.willow, cast.willow_meeting, cast.mia, 1)
    foreign = of(cast.cedar, cast.cedar_meeting, cast.nora, 2)
    outbox.queue("reminder", [cast.mia.pk], about_id=cast.willow_meeting.pk, fact="1", expires_at=now)
    record("group.created", cast.willow, by=cast.carol)
    own |= {
        "email": Email.objects.get(),
        "question": Question.objects.create(token="t", message="?", group=cast.willow),
        "auditevent": AuditEvent.objects.get(action="group.created"),
        "room": Room.objects.create(name="Mill Street, room 2"),
    }
    foreign["meeting"].local_date -= timedelta(days=400)
    foreign["meeting"].save()
    return SimpleNamespace(own=own, foreign={name: foreign.get(name) for name in own})


def page_of(name: str):
    return next(page for model, page in admin.site._registry.items() if model._meta.model_name == name)


def address(name: str, what: str, *args) -> str:
    opts = page_of(name).opts
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{what}", args=args)


def everything() -> str:
    """One text for all that stands in the tables, but for who signed in and what was asked."""
    left_out = ("audit_", "django_session", "django_admin_log", "members_member")
    tables = [name for name in connection.introspection.table_names() if not name.startswith(left_out)]
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', coalesce(string_agg(t::text, ' ' ORDER BY t::text), '') FROM {name} t"
                for name in tables
            )
        )
        return str(sorted(cursor.fetchall()))


def denials(staff) -> set:
    found = AuditEvent.objects.filter(action="access.denied", actor_id=staff.pk)
    return set(found.values_list("details__way", "object_type", "object_id"))


def denied(way: str, row) -> tuple:
    return (way, row._meta.label_lower, str(row.pk))


def request_of(staff):
    request = RequestFactory().get("/")
    request.user = staff
    return request


def test_every_page_and_address_has_its_row(rows):
    own = {
        pattern.name
        for page in admin.site._registry.values()
        for pattern in page.get_urls()
        if pattern.name and pattern.name.rpartition("_")[2] not in STOCK
    }

    assert set(rows.own) == set(PAGES)
    assert own | {"outbox_email_preview"} == set(OWN_ADDRESSES) | OF_ONE_GROUP | OF_ONE_DATE | OF_ONE_REQUEST
    assert {name for name, row in rows.foreign.items() if row is None} == SEEN_WHOLE


@pytest.mark.parametrize("role", ["carol", "olga", "sam"])
def test_page_that_is_closed_to_a_role_is_closed_by_every_way_and_noted(cast, sign_in, rows, role):
    staff = getattr(cast, role)
    client, before, wrong = sign_in(staff), everything(), {}
    ways_to_a_row = ("change", "delete", "history")

    for name in PAGES:
        row, is_closed = rows.own[name], role in CLOSED.get(name, ())
        ways = {what: address(name, what, row.pk) for what in ways_to_a_row}
        ways |= {what: address(name, what) for what in ("changelist", "add")}
        for what, where in ways.items():
            if not is_closed:
                if what not in ("add", "delete") and client.get(where).status_code != 200:
                    wrong[name, what] = "closed"
                continue
            statuses = {client.get(where).status_code, client.post(where, {"post": "yes"}).status_code}
            if statuses != {403} and (what, statuses) != ("history", {302}):  # a row out of scope, too, is not there
                wrong[name, what] = statuses
            if what in ways_to_a_row and denied(f"{page_of(name).opts.app_label}_{name}_{what}", row) not in denials(
                staff
            ):
                wrong[name, what] = "not noted"

    assert (wrong, everything() == before) == ({}, True)


@pytest.mark.parametrize("name", [name for name in PAGES if name not in SEEN_WHOLE])
def test_what_is_another_groups_is_not_there_whichever_way_one_comes(cast, sign_in, rows, name):
    page, mine, theirs = page_of(name), rows.own[name], rows.foreign[name]
    client, before = sign_in(cast.carol), everything()
    app = page.opts.app_label

    # by its address
    for what in ("change", "history", "delete"):
        for send in (client.get, client.post):
            response = send(address(name, what, theirs.pk), {"post": "yes"}, follow=True)
            if response.status_code == 403:
                continue  # the role may not do this at all
            assert response.request["PATH_INFO"] == "/admin/", what
            assert "doesn’t exist" in messages_of(response)[0]
    assert denied(f"{app}_{name}_change", theirs) in denials(cast.carol)
    assert denied(f"{app}_{name}_history", theirs) in denials(cast.carol)

    # in the list, by search and by date
    asked = [{}, {"when": "all"}, {"q": "Cedar"}, {"q": "Nora"}, {"q": cast.nora.code}]
    if page.date_hierarchy:
        day = getattr(theirs, page.date_hierarchy)
        asked += [{f"{page.date_hierarchy}__year": day.year}, {f"{page.date_hierarchy}__year": day.year, "when": "all"}]
    for query in asked:
        response = client.get(address(name, "changelist"), query)
        if response.status_code == 200:
            assert theirs not in list(response.context["cl"].result_list), query
    assert mine in list(client.get(address(name, "changelist")).context["cl"].result_list)

    # by a filter that names what is not theirs
    for field in page.opts.fields:
        other = getattr(theirs, field.name, None) if field.is_relation else None
        if other is None or not of_scope(type(other), [str(other.pk)], cast.carol)[0]:
            continue
        for lookup in (f"{field.name}__id__exact", field.name):
            response = client.get(address(name, "changelist"), {lookup: str(other.pk)}, follow=True)
            assert response.status_code == 400 or messages_of(response) == [NOT_YOURS], lookup
        assert denied(f"{name}_filter", other) in denials(cast.carol)

    # by an action, alone and among one's own
    for action in page.get_actions(request_of(cast.carol)):
        for chosen in ([theirs.pk], [mine.pk, theirs.pk]):
            sent = {"action": action, ACTION_CHECKBOX_NAME: chosen, "confirmed": "yes", "post": "yes"}
            response = client.post(address(name, "changelist"), sent, follow=True)
            assert NOT_YOURS in messages_of(response), action
        assert denied(f"{name}_action", theirs) in denials(cast.carol)

    # by whoever completes a name
    for model in admin.site._registry:
        for field in model._meta.fields:
            if field.related_model is page.model:
                asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "term": ""}
                found = client.get("/admin/autocomplete/", asked | {"field_name": field.name})
                if found.status_code == 200:
                    assert str(theirs.pk) not in {one["id"] for one in found.json()["results"]}

    assert everything() == before


@pytest.mark.parametrize("name", ["group", "invitation", "topic", "agreement", "meeting"])
def test_forms_and_their_inlines_offer_and_take_nothing_of_others(cast, sign_in, rows, name):
    client = sign_in(cast.carol)
    opened = [client.get(address(name, "change", rows.own[name].pk)), client.get(address(name, "add"))]
    before = everything()

    for response in opened:
        if response.status_code != 200:
            continue
        inlines = [inline.formset for inline in response.context["inline_admin_formsets"]]
        forms = [response.context["adminform"].form, *(one for formset in inlines for one in formset.forms)]
        for form, field_name, choice in [(one, *item) for one in forms for item in one.fields.items()]:
            if not isinstance(choice, ModelChoiceField) or field_name == form._meta.model._meta.pk.name:
                continue  # which row a part of the page is, is asked below
            other = rows.foreign.get(choice.queryset.model._meta.model_name)
            if other is None:
                continue
            assert other not in choice.queryset
            sent = form_of(response) | {form.add_prefix(field_name): str(other.pk)}
            answer = client.post(response.request["PATH_INFO"], sent)
            assert (answer.status_code, denied(f"{name}_choice", other) in denials(cast.carol)) == (200, True)

    assert everything() == before


def test_part_of_another_groups_page_cannot_be_sent_with_ones_own(cast, sign_in, rows):
    client = sign_in(cast.carol)
    where = address("group", "change", cast.willow.pk)
    part = {"position": 1, "kind": "sharing", "minutes": 5}
    own, theirs = (Phase.objects.create(group=one, **part) for one in (cast.willow, cast.cedar))
    sent = form_of(client.get(where))
    is_own = {key: str(value) == str(own.pk) and key.endswith("-id") for key, value in sent.items()}
    swapped = {key: str(theirs.pk) if is_own[key] else value for key, value in sent.items()}
    before = everything()

    response = client.post(where, swapped, follow=True)

    assert swapped != sent
    assert (messages_of(response), everything() == before) == ([NOT_YOURS], True)
    assert denied("group_part", theirs) in denials(cast.carol)


@pytest.mark.parametrize(("url_name", "field"), [(name, field) for name, field in OWN_ADDRESSES.items() if field])
def test_own_addresses_refuse_what_is_anothers(cast, sign_in, rows, url_name, field):
    client, before = sign_in(cast.carol), everything()
    theirs, own = (cast.cedar, cast.willow) if field == "groups" else (cast.cedar_meeting, cast.willow_meeting)

    for chosen in ([theirs.pk], [own.pk, theirs.pk]):
        sent = {field: chosen, "member": cast.mia.pk, "reason": "The room is closed."}
        response = client.post(reverse(f"admin:{url_name}"), sent, follow=True)
        assert messages_of(response) == [NOT_YOURS]

    assert everything() == before
    assert {one[1:] for one in denials(cast.carol)} == {denied("", theirs)[1:]}


@pytest.mark.parametrize("url_name", sorted(OF_ONE_GROUP | OF_ONE_DATE | OF_ONE_REQUEST))
def test_pages_about_one_thing_are_not_there_for_another_counselor(cast, sign_in, rows, url_name):
    client, before = sign_in(cast.carol), everything()
    one, theirs = "meeting_id", cast.cedar_meeting
    if url_name in OF_ONE_GROUP:
        one, theirs = "group_id", cast.cedar
    elif url_name in OF_ONE_REQUEST:
        one, theirs = "membership_id", rows.foreign["membership"]
    series = {"series_id": cast.cedar_meeting.series_id, "suspension_id": 1}
    names = {name for name in ("series_id", "suspension_id") if _takes(url_name, name)}
    where = reverse(f"admin:{url_name}", kwargs={one: theirs.pk} | {name: series[name] for name in names})

    statuses = [client.get(where).status_code, client.post(where, {"save": "yes"}).status_code]

    assert (statuses, everything() == before) == ([404, 404], True)
    assert denials(cast.carol) == {denied(url_name, theirs)}


def _takes(url_name: str, argument: str) -> bool:
    """Whether an address of the admin names this, too."""
    patterns = [one for page in admin.site._registry.values() for one in page.get_urls() if one.name == url_name]
    return argument in patterns[0].pattern.converters


def test_page_of_staff_on_the_site_is_noted_for_staff_only_and_once(cast, sign_in):
    roster = reverse("meetings:meeting_roster", args=[cast.cedar_meeting.pk])

    assert [sign_in(cast.carol).get(roster).status_code for _ in range(2)] == [404, 404]
    assert [sign_in(cast.nora).get(roster).status_code, sign_in(cast.mia).get(roster).status_code] == [403, 404]

    found = AuditEvent.objects.filter(action="access.denied")
    assert [(one.actor_id, one.object_id) for one in found] == [(cast.carol.pk, str(cast.cedar.pk))]
