"""The admin pages of groups: a counselor runs their own and finds nothing of any other."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import IntegrityError
from django.urls import reverse

from audit.models import AuditEvent
from groups import services
from groups.models import Agreement, Facilitator, Group, Membership, Phase, Topic, TopicRule
from meetings import wording
from meetings.models import Meeting, MeetingSeries
from meetings.services import follow_series
from members.models import Member
from tests import make
from tests.admin_pages import form_of, messages_of, rows, run_action

GROUPS = "/admin/groups/group/"
MEMBERSHIPS = "/admin/groups/membership/"
TOPICS = "/admin/groups/topic/"
AGREEMENTS = "/admin/groups/agreement/"


def change(address: str, one) -> str:
    return f"{address}{one.pk}/change/"


def names(found) -> list[str]:
    return [one.name for one in found]


def errors_of(response) -> dict:
    """Of the page's own form and of its inlines."""
    errors = dict(response.context["adminform"].form.errors)
    for inline in response.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            errors |= form.errors
    return errors


def choices(response, field: str) -> list[str]:
    return [label for value, label in response.context["adminform"].form.fields[field].choices if value]


@pytest.fixture
def house(cast):
    """Both groups have rules, a topic and somebody who asked to join; the house has rules and a topic for all."""
    cast.house_rules = make.agreement(None, version=1000, text="House rules")
    cast.willow_rules = make.agreement(cast.willow, text="Willow rules")
    cast.cedar_rules = make.agreement(cast.cedar, text="Cedar rules")
    Topic.objects.all().delete()  # the library that comes with the software
    cast.cravings = Topic.objects.create(name="Cravings")
    cast.willow_topic = Topic.objects.create(name="Willow walks", group=cast.willow)
    cast.cedar_topic = Topic.objects.create(name="Cedar secrets", group=cast.cedar)
    cast.ana, cast.ben = make.member("Ana"), make.member("Ben")
    asked = {"status": Membership.Status.REQUESTED, "joined_at": None}
    cast.asks_willow = make.membership(cast.willow, cast.ana, **asked)
    cast.asks_cedar = make.membership(cast.cedar, cast.ben, **asked)
    cast.cedar_series = MeetingSeries.objects.get(group=cast.cedar)
    return cast


# --- Groups: seeing ---------------------------------------------------------------------------------------------------


def test_counselor_sees_their_own_groups_only(cast, sign_in):
    assert rows(sign_in(cast.carol), GROUPS) == [cast.willow]
    assert rows(sign_in(cast.dan), GROUPS) == [cast.cedar]
    assert rows(sign_in(cast.olga), GROUPS) == rows(sign_in(cast.sam), GROUPS) == [cast.cedar, cast.willow]


@pytest.mark.parametrize("view", ["change", "history"])
def test_other_group_looks_like_none(house, sign_in, view):
    client = sign_in(house.carol)

    for address, one in (
        (GROUPS, house.cedar),
        (MEMBERSHIPS, house.asks_cedar),
        (TOPICS, house.cedar_topic),
        (AGREEMENTS, house.cedar_rules),
    ):
        there = client.get(f"{address}{one.pk}/{view}/", follow=True)
        not_there = client.get(f"{address}999999/{view}/", follow=True)
        assert there.request["PATH_INFO"] == not_there.request["PATH_INFO"] == "/admin/"
        assert [text.replace(str(one.pk), "999999") for text in messages_of(there)] == messages_of(not_there)


def test_other_group_cannot_be_changed_by_its_number(house, sign_in):
    sent = form_of(sign_in(house.dan).get(change(GROUPS, house.cedar))) | {"name": "Taken over"}

    response = sign_in(house.carol).post(change(GROUPS, house.cedar), sent)

    house.cedar.refresh_from_db()
    assert response.status_code == 302
    assert house.cedar.name == "Cedar morning"
    assert not AuditEvent.objects.filter(action="group.changed").exists()


def test_permissions_themselves_end_at_the_scope(house, rf):
    """Whatever asks for them: the pages look rows up in scope first, and these hold where one forgets to."""
    rows_of = {
        False: [house.cedar, house.asks_cedar, house.cedar_topic, house.cedar_rules, house.cedar_meeting, house.nora],
        True: [
            house.willow,
            house.asks_willow,
            house.willow_topic,
            house.willow_rules,
            house.willow_meeting,
            house.mia,
        ],
    }
    request = rf.get("/")
    request.user = house.carol

    for in_scope, found in rows_of.items():
        for one in found:
            page = admin.site.get_model_admin(type(one))
            assert page.has_view_permission(request, one) is in_scope, one
            assert page.has_change_permission(request, one) in (in_scope, False), one
            assert page.has_delete_permission(request, one) is False, one
    group_page = admin.site.get_model_admin(Group)
    assert group_page.get_inline_instances(request, house.cedar) == []
    assert len(group_page.get_inline_instances(request, house.willow)) == 4


def test_search_and_filters_tell_nothing_of_other_groups(house, sign_in):
    client = sign_in(house.carol)

    assert rows(client, GROUPS, q="Cedar") == []
    assert rows(client, GROUPS, enrolment__exact="request") == []
    assert rows(client, MEMBERSHIPS, q="Nora") == rows(client, MEMBERSHIPS, q=house.nora.code) == []
    asked = client.get(MEMBERSHIPS, {"group__id__exact": house.cedar.pk})
    assert (asked.status_code, asked.url) == (302, MEMBERSHIPS)
    assert rows(client, TOPICS, q="secrets") == []
    for address, lookup in (
        (GROUPS, "link__startswith"),
        (GROUPS, "facilitators__member__email__startswith"),
        (GROUPS, "memberships__member"),
        (MEMBERSHIPS, "member__email__startswith"),
        (MEMBERSHIPS, "member"),
        (MEMBERSHIPS, "group__name__startswith"),
        (TOPICS, "group__link__startswith"),
    ):
        assert client.get(address, {lookup: "h"}).status_code == 400, lookup


def test_filters_name_ones_own_groups_only(house, sign_in):
    Facilitator.objects.create(group=make.group(name="Second"), member=house.carol)
    client = sign_in(house.carol)

    for address in (MEMBERSHIPS, TOPICS, AGREEMENTS):
        group_filter = next(f for f in client.get(address).context["cl"].filter_specs if f.title == "group")
        assert [label for _pk, label in group_filter.lookup_choices] == ["Second", "Willow evening"], address
        assert "Cedar" not in client.get(address).content.decode()


def test_autocomplete_finds_ones_own_groups_and_topics_only(house, sign_in):
    client = sign_in(house.carol)

    def found(app_label, model_name, field_name, term=""):
        asked = {"app_label": app_label, "model_name": model_name, "field_name": field_name, "term": term}
        return [one["text"] for one in client.get("/admin/autocomplete/", asked).json()["results"]]

    assert found("groups", "membership", "group") == ["Willow evening"]
    assert found("meetings", "meeting", "group", "Cedar") == []
    assert found("meetings", "meeting", "topic") == ["Cravings", "Willow walks"]


# --- Groups: making and changing --------------------------------------------------------------------------------------


def new_group(client, **fields) -> dict:
    """On Monday and Thursday evenings. Carol is free then: the one date of Willow is out of the way."""
    Meeting.objects.filter(group__slug="willow").delete()
    first = {
        "name": "Monday walk",
        "time_zone": "America/New_York",
        "series-0-weekdays": ["0", "3"],
        "series-0-start_time": "18:30",
        "series-0-minutes": "60",
    }
    return form_of(client.get(GROUPS + "add/")) | first | fields


def test_counselor_makes_a_group_with_its_schedule_in_one_page(cast, sign_in):
    client = sign_in(cast.carol)

    response = client.post(GROUPS + "add/", new_group(client), follow=True)

    group = Group.objects.get(name="Monday walk")
    series = group.series.get()
    meetings = list(Meeting.objects.filter(group=group).in_order())
    assert response.status_code == 200
    assert group.slug == "monday-walk"
    assert list(group.facilitators.values_list("member", "role")) == [(cast.carol.pk, "lead")]
    assert (series.weekdays, series.minutes, series.time_zone) == ([0, 3], 60, "America/New_York")
    assert len(meetings) in (23, 24)
    assert {(one.local_date.weekday(), str(one.local_time), one.minutes, one.capacity) for one in meetings} == {
        (0, "18:30:00", 60, 12),
        (3, "18:30:00", 60, 12),
    }
    assert rows(client, GROUPS) == [group, cast.willow]
    assert client.get(reverse("groups:group_detail", args=[group.slug])).status_code == 200


def test_group_without_a_schedule_yet(cast, sign_in):
    client = sign_in(cast.carol)
    sent = new_group(client, **{"series-0-weekdays": [], "series-0-start_time": ""})
    sent["series-0-minutes"] = "90"

    client.post(GROUPS + "add/", sent)

    assert Group.objects.get(name="Monday walk").series.count() == 0


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"series-0-weekdays": []}, "weekdays", "Choose at least one day."),
        ({"series-0-weekdays": ["7"]}, "weekdays", "Select a valid choice. 7 is not one of the available choices."),
        (
            {"series-0-from_on": "2026-12-10", "series-0-until_on": "2026-12-09"},
            "until_on",
            "The last day is before the first. Choose a later one, or leave it empty.",
        ),
        ({"series-0-minutes": "1"}, "minutes", "A meeting lasts 5 minutes or more."),
        ({"series-0-minutes": "900"}, "minutes", "A meeting lasts 12 hours (720 minutes) at most."),
        (
            {"time_zone": "New York"},
            "time_zone",
            "“New York” is not a time zone. Write one such as America/New_York.",
        ),
        (
            {"name": "夜の会", "slug": ""},
            "slug",
            "Write a web address with letters and numbers, such as monday-evening.",
        ),
        ({"slug": "willow"}, "slug", "Another group has this web address. Choose another."),
        ({"slug": "", "name": "Willow"}, "slug", "Another group has this web address. Choose another."),
    ],
)
def test_what_cannot_be_is_said_in_plain_words(cast, sign_in, fields, field, said):
    client = sign_in(cast.carol)

    response = client.post(GROUPS + "add/", new_group(client, **fields))

    assert response.status_code == 200
    assert errors_of(response) == {field: [said]}
    assert Group.objects.count() == 2


def test_page_of_a_group_says_when_it_meets_and_leads_to_its_schedule(cast, sign_in):
    MeetingSeries.objects.filter(group=cast.willow).update(weekdays=[1, 5], start_time="18:30")

    page = sign_in(cast.carol).get(change(GROUPS, cast.willow))

    assert "every Tuesday, Saturday, 6:30 pm" in page.content.decode()
    assert reverse("admin:groups_group_schedule", args=[cast.willow.pk]) in page.content.decode()
    assert [name for name in form_of(page) if name.startswith("series-0")] == []


def test_saving_a_group_as_it_stands_changes_no_meeting(cast, sign_in):
    client = sign_in(cast.carol)
    client.post(GROUPS + "add/", new_group(client))
    group = Group.objects.get(name="Monday walk")
    before = list(Meeting.objects.values())

    response = client.post(change(GROUPS, group), form_of(client.get(change(GROUPS, group))))

    assert response.status_code == 302
    assert list(Meeting.objects.values()) == before


def test_schedule_that_is_there_is_not_changed_without_its_preview(cast, sign_in):
    own = cast.willow_meeting.series
    follow_series(own, by=cast.carol)
    before = (list(MeetingSeries.objects.order_by("pk").values()), list(Meeting.objects.order_by("pk").values()))
    for staff in (cast.carol, cast.olga, cast.sam):
        client = sign_in(staff)
        sent = form_of(client.get(change(GROUPS, cast.willow))) | {
            "series-TOTAL_FORMS": "1",
            "series-INITIAL_FORMS": "1",
            "series-0-id": str(own.pk),
            "series-0-weekdays": ["2"],
            "series-0-start_time": "05:00",
            "series-0-minutes": "60",
            "series-0-every_n_weeks": "1",
        }
        client.post(change(GROUPS, cast.willow), sent)
        client.post(change(GROUPS, cast.willow), sent | {"series-0-DELETE": "on"})

    after = (list(MeetingSeries.objects.order_by("pk").values()), list(Meeting.objects.order_by("pk").values()))
    assert after == before


def test_group_gets_a_second_schedule(cast, sign_in):
    client = sign_in(cast.carol)
    Meeting.objects.filter(group=cast.willow).delete()
    sent = form_of(client.get(change(GROUPS, cast.willow))) | {
        "series-TOTAL_FORMS": "1",
        "series-0-weekdays": ["2"],
        "series-0-start_time": "05:00",
        "series-0-minutes": "60",
        "series-0-every_n_weeks": "1",
    }

    response = client.post(change(GROUPS, cast.willow), sent)

    assert response.status_code == 302
    assert list(cast.willow.series.order_by("pk").values_list("minutes", flat=True)) == [90, 60]


def test_changed_zone_moves_every_schedule_of_the_group(cast, sign_in):
    client = sign_in(cast.carol)
    client.post(GROUPS + "add/", new_group(client))
    group = Group.objects.get(name="Monday walk")
    before = dict(Meeting.objects.filter(group=group).values_list("series_date", "starts_at"))

    sent = form_of(client.get(change(GROUPS, group))) | {"time_zone": "America/Chicago"}
    client.post(change(GROUPS, group), sent)

    after = list(Meeting.objects.filter(group=group))
    assert group.series.get().time_zone == "America/Chicago"
    assert {str(one.local_time) for one in after} == {"18:30:00"}
    assert {one.starts_at - before[one.series_date] for one in after} == {timedelta(hours=1)}


def test_group_that_goes_online_takes_its_coming_meetings_along(cast, sign_in):
    client = sign_in(cast.carol)
    client.post(GROUPS + "add/", new_group(client))
    group = Group.objects.get(name="Monday walk")

    client.post(change(GROUPS, group), form_of(client.get(change(GROUPS, group))) | {"mode": "online"})

    assert set(Meeting.objects.filter(group=group).values_list("mode", flat=True)) == {"online"}


def test_schedule_of_another_group_cannot_be_slipped_in(house, sign_in):
    client = sign_in(house.carol)
    before = MeetingSeries.objects.filter(pk=house.cedar_series.pk).values().get()
    sent = form_of(client.get(change(GROUPS, house.willow)))
    sent |= {"series-TOTAL_FORMS": "1", "series-INITIAL_FORMS": "1"}
    sent |= {"series-0-id": str(house.cedar_series.pk), "series-0-minutes": "33"}

    client.post(change(GROUPS, house.willow), sent)
    client.post(change(GROUPS, house.willow), sent | {"series-0-group": str(house.cedar.pk)})
    client.post(change(GROUPS, house.willow), sent | {"series-0-DELETE": "on"})

    assert MeetingSeries.objects.filter(pk=house.cedar_series.pk).values().get() == before
    assert MeetingSeries.objects.count() == 2


# --- Facilitators -----------------------------------------------------------------------------------------------------


def test_new_lead_who_is_elsewhere_then_is_refused_in_words(cast, sign_in):
    """Dan leads Cedar at the hour of Willow."""
    client = sign_in(cast.olga)
    sent = form_of(client.get(change(GROUPS, cast.willow))) | {"facilitators-0-member": str(cast.dan.pk)}

    response = client.post(change(GROUPS, cast.willow), sent)

    said = errors_of(response)["member"][0]
    assert response.status_code == 200
    assert said.startswith("Dan leads another group at that time: ")
    assert wording.when(cast.willow_meeting) in said
    assert cast.willow.facilitators.get().member == cast.carol
    Meeting.objects.filter(pk=cast.cedar_meeting.pk).update(status="cancelled")
    assert client.post(change(GROUPS, cast.willow), sent).status_code == 302
    assert cast.willow.facilitators.get().member == cast.dan


def test_counselor_reads_who_runs_their_group_and_cannot_change_it(cast, sign_in):
    Facilitator.objects.create(group=cast.willow, member=cast.dan, role="co")
    client = sign_in(cast.carol)
    page = client.get(change(GROUPS, cast.willow))
    sent = form_of(page) | {
        "facilitators-TOTAL_FORMS": "3",
        "facilitators-INITIAL_FORMS": "2",
        "facilitators-0-DELETE": "on",
        "facilitators-2-member": str(cast.mia.pk),
        "facilitators-2-role": "lead",
    }

    client.post(change(GROUPS, cast.willow), sent)

    shown = next(inline for inline in page.context["inline_admin_formsets"] if inline.opts.model is Facilitator)
    assert "Dan" in page.content.decode()
    assert shown.has_change_permission is False
    assert set(cast.willow.facilitators.values_list("member", "role")) == {
        (cast.carol.pk, "lead"),
        (cast.dan.pk, "co"),
    }


def test_new_group_of_a_counselor_takes_no_other_lead(cast, sign_in):
    client = sign_in(cast.carol)
    page = client.get(GROUPS + "add/")
    sent = new_group(client) | {
        "facilitators-TOTAL_FORMS": "1",
        "facilitators-INITIAL_FORMS": "0",
        "facilitators-0-member": str(cast.dan.pk),
        "facilitators-0-role": "lead",
    }

    client.post(GROUPS + "add/", sent)

    made = Facilitator.objects.filter(group__name="Monday walk")
    assert [inline.opts.model for inline in page.context["inline_admin_formsets"]] == [Phase, TopicRule, MeetingSeries]
    assert list(made.values_list("member", flat=True)) == [cast.carol.pk]


def test_coordinator_sets_who_runs_a_group_and_the_record_says_so(cast, sign_in):
    Meeting.objects.filter(group=cast.cedar).delete()  # so that Dan is free
    client = sign_in(cast.olga)
    page = client.get(change(GROUPS, cast.willow))
    facilitators = next(inline for inline in page.context["inline_admin_formsets"] if inline.opts.model is Facilitator)
    sent = form_of(page) | {
        "facilitators-TOTAL_FORMS": "2",
        "facilitators-0-DELETE": "on",
        "facilitators-1-member": str(cast.dan.pk),
        "facilitators-1-role": "lead",
    }

    client.post(change(GROUPS, cast.willow), sent)

    offered = {str(value) for value, _label in facilitators.formset.empty_form.fields["member"].choices if value}
    assert offered == {str(one.pk) for one in (cast.carol, cast.dan, cast.olga)}
    assert list(cast.willow.facilitators.values_list("member", flat=True)) == [cast.dan.pk]
    written = AuditEvent.objects.filter(action__startswith="facilitator.").order_by("action")
    assert list(written.values_list("action", "actor_id", "details")) == [
        ("facilitator.added", cast.olga.pk, {"member": str(cast.dan.pk)}),
        ("facilitator.removed", cast.olga.pk, {"member": str(cast.carol.pk)}),
    ]


def test_member_cannot_be_made_facilitator(cast, sign_in):
    client = sign_in(cast.olga)
    sent = form_of(client.get(change(GROUPS, cast.willow))) | {
        "facilitators-TOTAL_FORMS": "2",
        "facilitators-1-member": str(cast.mia.pk),
        "facilitators-1-role": "co",
    }

    response = client.post(change(GROUPS, cast.willow), sent)

    assert "member" in errors_of(response)
    assert Facilitator.objects.filter(member=cast.mia).exists() is False


def test_log_of_the_admin_names_nobody(cast, sign_in):
    client = sign_in(cast.olga)
    sent = form_of(client.get(change(GROUPS, cast.willow))) | {
        "facilitators-TOTAL_FORMS": "2",
        "facilitators-1-member": str(cast.dan.pk),
        "facilitators-1-role": "co",
    }
    client.post(change(GROUPS, cast.willow), sent)
    asks = make.membership(cast.willow, cast.nora, status=Membership.Status.REQUESTED)
    run_action(client, MEMBERSHIPS, "approve_requests", asks, confirmed="yes")

    written = " ".join(f"{e.object_repr} {e.change_message}" for e in cast.olga.logentry_set.all())

    assert cast.dan.code in written
    assert cast.nora.code in written
    for person in Member.objects.all():
        assert person.display_name not in written
        assert person.email not in written


# --- Who asks to join -------------------------------------------------------------------------------------------------


def test_counselor_sees_the_memberships_of_their_groups_only(house, sign_in):
    found = rows(sign_in(house.carol), MEMBERSHIPS)

    assert {one.member for one in found} == {house.mia, house.max, house.ana}
    assert {one.group for one in found} == {house.willow}
    assert sign_in(house.sam).get(MEMBERSHIPS).status_code == 403


def test_requests_are_approved_and_the_rest_left(house, sign_in):
    stands = Membership.objects.get(member=house.mia)

    response = run_action(
        sign_in(house.carol), MEMBERSHIPS, "approve_requests", house.asks_willow, stands, confirmed="yes"
    )

    house.asks_willow.refresh_from_db()
    assert (house.asks_willow.status, house.asks_willow.joined_at is not None) == ("active", True)
    assert messages_of(response) == ["1 request approved.", "1 did not wait for an answer and is as before."]


def test_requests_are_declined_and_the_rest_left(house, sign_in):
    stands = Membership.objects.get(member=house.mia)

    response = run_action(
        sign_in(house.carol), MEMBERSHIPS, "decline_requests", house.asks_willow, stands, confirmed="yes"
    )

    house.asks_willow.refresh_from_db()
    stands.refresh_from_db()
    assert (house.asks_willow.status, stands.status) == ("removed", "active")
    assert messages_of(response) == ["1 request declined.", "1 did not wait for an answer and is as before."]


@pytest.mark.parametrize("action", ["approve_requests", "decline_requests"])
def test_request_to_another_group_is_out_of_reach(house, sign_in, action):
    client = sign_in(house.carol)

    run_action(client, MEMBERSHIPS, action, house.asks_cedar, confirmed="yes")
    client.post(
        MEMBERSHIPS,
        {"action": action, "_selected_action": [house.asks_cedar.pk], "select_across": "1", "confirmed": "yes"},
    )

    house.asks_cedar.refresh_from_db()
    assert house.asks_cedar.status == "requested"


def test_superuser_cannot_answer_requests(house, sign_in, rf):
    request = rf.get("/")
    request.user = house.sam

    response = run_action(sign_in(house.sam), MEMBERSHIPS, "approve_requests", house.asks_willow, confirmed="yes")

    house.asks_willow.refresh_from_db()
    assert response.status_code == 403
    assert house.asks_willow.status == "requested"
    assert admin.site.get_model_admin(Membership).get_actions(request) == {}


def test_membership_is_read_only_and_made_nowhere_here(house, sign_in):
    client = sign_in(house.olga)
    page = client.get(change(MEMBERSHIPS, house.asks_willow))

    assert page.context["adminform"].form.fields == {}
    assert "Ana" in page.content.decode()
    assert client.post(change(MEMBERSHIPS, house.asks_willow), {"status": "active"}).status_code == 403
    assert client.get(MEMBERSHIPS + "add/").status_code == 403


# --- Topics and ground rules ------------------------------------------------------------------------------------------


def test_counselor_sees_library_and_own_topics_and_changes_their_own(house, sign_in):
    client = sign_in(house.carol)

    page = client.get(change(TOPICS, house.willow_topic))
    own = client.post(change(TOPICS, house.willow_topic), {"group": house.willow.pk, "name": "Walks", "prompts": ""})
    library = client.post(change(TOPICS, house.cravings), {"group": house.willow.pk, "name": "Mine", "prompts": ""})

    assert names(rows(client, TOPICS)) == ["Cravings", "Walks"]
    assert choices(page, "group") == ["Willow evening"]
    assert (own.status_code, library.status_code) == (302, 403)


@pytest.mark.parametrize("group", ["cedar", None])
def test_counselor_adds_topics_and_rules_to_their_own_groups_only(house, sign_in, group):
    client = sign_in(house.carol)
    sent = {"group": getattr(house, group).pk if group else "", "name": "New", "language": "en", "text": "New"}
    before = Topic.objects.count(), Agreement.objects.count()

    for address in (TOPICS, AGREEMENTS):
        response = client.post(address + "add/", sent)
        assert response.context["adminform"].form.errors.keys() == {"group"}
    response = client.post(change(TOPICS, house.willow_topic), sent)

    house.willow_topic.refresh_from_db()
    assert response.context["adminform"].form.errors.keys() == {"group"}
    assert house.willow_topic.group == house.willow
    assert (Topic.objects.count(), Agreement.objects.count()) == before


def test_topics_are_deleted_by_coordinators_only_and_meetings_stay(house, sign_in):
    Meeting.objects.update(topic=house.cravings)
    delete = f"{TOPICS}{house.cravings.pk}/delete/"

    asked = sign_in(house.olga).get(delete)
    sign_in(house.olga).post(delete, {"post": "yes"})

    assert asked.context["perms_lacking"] == set()
    assert list(Meeting.objects.values_list("topic", flat=True)) == [None, None]


def test_changed_ground_rules_are_a_new_version(house, sign_in):
    client = sign_in(house.carol)
    sent = {"group": house.willow.pk, "language": "en", "text": "New words"}

    client.post(AGREEMENTS + "add/", sent)
    client.post(change(AGREEMENTS, house.willow_rules), sent)

    versions = Agreement.objects.filter(group=house.willow).order_by("version")
    assert [(one.version, one.text) for one in versions] == [
        (house.willow_rules.version, "Willow rules"),
        (house.willow_rules.version + 1, "New words"),
    ]
    assert Agreement.objects.current_for(house.willow).text == "New words"


def test_ground_rules_cannot_be_edited_by_anyone(house, sign_in):
    for staff in (house.carol, house.olga):
        client = sign_in(staff)
        assert client.get(change(AGREEMENTS, house.willow_rules)).context["adminform"].form.fields == {}
        assert client.post(change(AGREEMENTS, house.willow_rules), {"text": "Other"}).status_code == 403


def test_counselor_reads_house_rules_and_not_those_of_other_groups(house, sign_in):
    of_the_house = set(Agreement.objects.filter(group=None))

    assert set(rows(sign_in(house.carol), AGREEMENTS)) == of_the_house | {house.willow_rules}
    assert set(rows(sign_in(house.olga), AGREEMENTS)) == of_the_house | {house.willow_rules, house.cedar_rules}


def test_coordinator_writes_house_rules(house, sign_in):
    sign_in(house.olga).post(AGREEMENTS + "add/", {"group": "", "language": "en", "text": "Be kind, always"})

    assert Agreement.objects.current_for(make.group()).text == "Be kind, always"


def test_two_who_publish_at_once_never_share_a_version(house):
    late = Agreement(group=house.willow, language="en", text="Late", version=house.willow_rules.version)

    with pytest.raises(IntegrityError, match="agreement_version_once"):
        late.save()


def test_first_rules_of_a_group_are_version_one(cast):
    made = services.publish_agreement(Agreement(group=cast.willow, language="es", text="Sé amable"), by=cast.carol)

    assert made.version == 1


@pytest.mark.parametrize("how_many", [3, 300])
def test_lists_cost_the_same_whatever_there_is(cast, sign_in, how_many, django_assert_num_queries):
    client = sign_in(cast.olga)
    Group.objects.bulk_create(Group(name=f"Group {n}", slug=f"more-{n}") for n in range(how_many))
    Membership.objects.bulk_create(
        Membership(group=cast.willow, member=one, status="requested") for one in make.members(how_many)
    )
    Topic.objects.bulk_create(Topic(name=f"Topic {n}", group=cast.willow) for n in range(how_many))
    rows(client, GROUPS)

    for address, queries in ((GROUPS, 5), (MEMBERSHIPS, 7), (TOPICS, 5)):
        with django_assert_num_queries(queries):
            rows(client, address)
