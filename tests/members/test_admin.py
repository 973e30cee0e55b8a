"""The admin as a whole, and its pages of members, mail and the audit record: each role sees its own part."""

from uuid import UUID

import pytest
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group as PermissionGroup
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, reverse
from django.utils import timezone

import outbox.services as outbox
from audit.models import AuditEvent
from audit.services import record
from groups.models import Facilitator, Group, Membership
from meetings.models import Suspension
from members import services
from members.models import Member
from members.scoped_admin import MOST_CHOICES_IN_A_FILTER, ScopedAdmin, VisibleOnly
from outbox.models import Email
from tests import make
from tests.admin_pages import messages_of, rows, run_action

MEMBERS = "/admin/members/member/"
MAIL = "/admin/outbox/email/"
AUDIT = "/admin/audit/auditevent/"
COUNSELORS_PAGES = {
    "attendanceletter",
    "sessionlog",
    "participation",
    "meetingseries",
    "group",
    "membership",
    "topic",
    "agreement",
    "meeting",
    "member",
    "invitation",
    "outreach",
    "room",
}


def admin_patterns(patterns=None):
    for pattern in patterns or admin.site.urls[0]:
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield pattern
        else:
            yield from admin_patterns(pattern.url_patterns)


def every_admin_url() -> list[str]:
    rows = {"group_id": 1, "series_id": 1, "suspension_id": 1, "meeting_id": UUID(int=1), "membership_id": 1}
    arguments = rows | {"object_id": "1", "app_label": "groups"}
    urls = ["/admin", "/admin/nothing-here/"]
    for pattern in admin_patterns():
        wanted = {*pattern.pattern.converters, *pattern.pattern.regex.groupindex}
        urls.append(reverse(f"admin:{pattern.name}", kwargs={name: arguments[name] for name in wanted}))
    return urls


def change(address: str, one) -> str:
    return f"{address}{one.pk}/change/"


def autocomplete(client, field: str, term: str):
    app_label, model_name, field_name = field.split(".")
    asked = {"app_label": app_label, "model_name": model_name, "field_name": field_name, "term": term}
    return client.get("/admin/autocomplete/", asked)


# --- Who comes in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["carol", "olga", "sam"])
def test_no_admin_page_without_a_second_factor(cast, client, name):
    client.force_login(getattr(cast, name))

    answers = {url: client.get(url, follow=True) for url in every_admin_url()}

    assert len(answers) > 40
    assert {answer.request["PATH_INFO"] for answer in answers.values()} == {reverse("mfa_index")}


@pytest.mark.parametrize("name", ["rita", "mia", "vera"])
def test_no_admin_page_for_members_and_readers_of_reports(cast, sign_in, name):
    Facilitator.objects.create(group=cast.willow, member=getattr(cast, name))
    client = sign_in(getattr(cast, name))

    assert {url: client.get(url, follow=True).status_code for url in every_admin_url()} == dict.fromkeys(
        every_admin_url(), 403
    )


def test_visitor_is_asked_to_sign_in(client, db):
    for url in every_admin_url():
        response = client.get(url, follow=True)

        assert response.request["PATH_INFO"] == reverse("account_login"), url


def test_closed_account_gets_no_admin_page(cast, sign_in):
    client = sign_in(cast.carol)
    Member.objects.filter(pk=cast.carol.pk).update(is_active=False)

    assert client.get("/admin/", follow=True).request["PATH_INFO"] == reverse("account_inactive")


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        ("carol", COUNSELORS_PAGES),
        ("olga", COUNSELORS_PAGES | {"email", "question"}),
        ("sam", {"group", "meeting", "meetingseries", "member", "email", "auditevent", "room"}),
    ],
)
def test_index_and_addresses_offer_each_role_its_pages(cast, sign_in, name, pages):
    client = sign_in(getattr(cast, name))

    offered = {
        model["object_name"].lower() for app in client.get("/admin/").context["app_list"] for model in app["models"]
    }
    opened = {
        model._meta.model_name
        for model in admin.site._registry
        if client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")).status_code == 200
    }

    assert (offered, opened) == (pages, pages)


def test_only_scoped_pages_are_taken():
    assert all(isinstance(page, ScopedAdmin) for page in admin.site._registry.values())

    admin.site.register(PermissionGroup, admin.ModelAdmin)

    assert not admin.site.is_registered(PermissionGroup)


def test_address_of_a_row_is_not_told_by_its_number(cast, sign_in):
    client = sign_in(cast.carol)
    number = ContentType.objects.get_for_model(Group).pk

    response = client.get(f"/admin/r/{number}/{cast.cedar.pk}/")

    assert response.status_code == 404


def test_password_is_changed_in_one_place(cast, sign_in):
    assert sign_in(cast.carol).get("/admin/password_change/").url == reverse("account_change_password")


# --- A page that forgets its scope ------------------------------------------------------------------------------------


def test_page_that_names_no_role_opens_for_nobody(cast, rf):
    class Forgetful(ScopedAdmin):
        pass

    page = Forgetful(Group, admin.site)
    asked = [page.has_view_permission, page.has_add_permission, page.has_change_permission, page.has_delete_permission]

    for staff in (cast.carol, cast.olga, cast.sam):
        request = rf.get("/")
        request.user = staff
        assert [may(request) for may in asked] == [False] * 4


def test_check_names_model_and_filter_without_scope(db):
    class Unscoped(ScopedAdmin):
        list_filter = ["series", "series__group", "from_on", ("series", VisibleOnly)]

    found = Unscoped(Suspension, admin.site).check()

    assert [error.id for error in found] == ["members.E001", "members.E002", "members.E002"]


def test_unscoped_rows_and_choices_are_refused_not_shown(cast, rf):
    class Unscoped(ScopedAdmin):
        pass

    request = rf.get("/")
    request.user = cast.olga

    with pytest.raises(ImproperlyConfigured, match="Suspension has no visible_to"):
        Unscoped(Suspension, admin.site).get_queryset(request)
    with pytest.raises(ImproperlyConfigured, match="Suspension has no visible_to"):
        Unscoped(Group, admin.site).formfield_for_foreignkey(cast.willow_meeting._meta.get_field("suspension"), request)
    with pytest.raises(ImproperlyConfigured, match="Group has no visible_to"):
        Unscoped(Member, admin.site).formfield_for_manytomany(Member._meta.get_field("groups"), request)


# --- People -----------------------------------------------------------------------------------------------------------


def test_counselor_sees_the_people_of_their_groups_only(cast, sign_in):
    assert rows(sign_in(cast.carol), MEMBERS) == [cast.max, cast.mia]
    assert rows(sign_in(cast.dan), MEMBERS) == [cast.nora]
    assert len(rows(sign_in(cast.olga), MEMBERS)) == Member.objects.count()


def test_counselor_in_two_groups_with_the_same_people_sees_each_once(cast, sign_in):
    Facilitator.objects.create(group=cast.cedar, member=cast.carol)
    make.membership(cast.cedar, cast.mia)

    assert rows(sign_in(cast.carol), MEMBERS) == [cast.max, cast.mia, cast.nora]


def test_counselor_who_left_a_group_sees_its_people_no_more(cast, sign_in):
    client = sign_in(cast.carol)
    Facilitator.objects.filter(member=cast.carol).delete()

    assert rows(client, MEMBERS) == []
    assert client.get(change(MEMBERS, cast.mia)).status_code == 302


def test_person_of_another_group_looks_like_nobody(cast, sign_in):
    client = sign_in(cast.carol)
    nobody = "00000000-0000-0000-0000-000000000000"

    for page in ("change", "history"):
        there = client.get(f"{MEMBERS}{cast.nora.pk}/{page}/", follow=True)
        not_there = client.get(f"{MEMBERS}{nobody}/{page}/", follow=True)
        assert there.request["PATH_INFO"] == not_there.request["PATH_INFO"] == "/admin/"
        assert [text.replace(str(cast.nora.pk), nobody) for text in messages_of(there)] == messages_of(not_there)


def test_counselor_reads_code_and_name_and_changes_nothing(cast, sign_in):
    client = sign_in(cast.carol)

    page = client.get(change(MEMBERS, cast.mia))
    sent = client.post(change(MEMBERS, cast.mia), {"role": "coordinator", "display_name": "Somebody"})

    assert page.context["adminform"].form.fields == {}
    assert page.context["adminform"].fieldsets[0][1]["fields"] == ["code", "display_name"]
    assert sent.status_code == 403
    cast.mia.refresh_from_db()
    assert (cast.mia.role, cast.mia.display_name) == ("member", "Mia")


@pytest.mark.parametrize("name", ["carol", "olga", "sam"])
def test_no_page_of_the_admin_shows_an_email_address(cast, sign_in, name):
    client = sign_in(getattr(cast, name))
    outbox.queue("reminder", [cast.mia.pk], about_id=cast.willow_meeting.pk, fact="1", expires_at=timezone.now())
    membership = Membership.objects.get(member=cast.mia)
    email = Email.objects.get()
    if name != "carol":
        LogEntry.objects.create(user=cast.carol, action_flag=2, object_repr="x", **about(cast.willow))
    pages = [reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in admin.site._registry]
    pages += [
        "/admin/",
        change(MEMBERS, cast.mia),
        change(MAIL, email),
        change("/admin/groups/membership/", membership),
        change("/admin/groups/group/", cast.willow),
        f"/admin/groups/group/{cast.willow.pk}/history/",
        change("/admin/meetings/meeting/", cast.willow_meeting),
    ]

    assert [url for url in pages if "@example.org" in client.get(url).content.decode()] == []


def about(one) -> dict:
    return {"content_type": ContentType.objects.get_for_model(one), "object_id": one.pk}


def test_address_cannot_be_guessed_by_search_or_filter(cast, sign_in):
    client = sign_in(cast.carol)

    assert rows(client, MEMBERS, q="mia") == [cast.mia]
    assert [rows(client, MEMBERS, q=text) for text in (cast.mia.email, "example.org", "Nora", cast.nora.code)] == [
        []
    ] * 4
    for lookup in (
        "email",
        "email__startswith",
        "password__startswith",
        "role",
        "memberships__group__name__startswith",
    ):
        assert client.get(MEMBERS, {lookup: "m"}).status_code == 400, lookup


def test_coordinator_finds_somebody_by_the_whole_address_only(cast, sign_in):
    client = sign_in(cast.olga)

    assert rows(client, MEMBERS, q=cast.nora.email.upper()) == [cast.nora]
    assert rows(client, MEMBERS, q="example.org") == []
    assert client.get(MEMBERS, {"email__startswith": "n"}).status_code == 400


@pytest.mark.parametrize(
    "field", ["groups.membership.member", "groups.facilitator.member", "outbox.email.recipient", "admin.logentry.user"]
)
def test_autocomplete_finds_only_people_of_ones_groups_and_tells_codes(cast, sign_in, field):
    found = autocomplete(sign_in(cast.carol), field, "").json()["results"]

    assert found == [{"id": str(one.pk), "text": one.code} for one in (cast.max, cast.mia)]
    assert autocomplete(sign_in(cast.carol), field, "Nora").json()["results"] == []


def test_autocomplete_of_what_a_role_may_not_open_is_refused(cast, sign_in):
    client = sign_in(cast.sam)

    assert autocomplete(client, "meetings.meeting.topic", "").status_code == 403
    assert autocomplete(client, "groups.agreement.group", "").status_code == 200


# --- Roles ------------------------------------------------------------------------------------------------------------


def test_coordinator_gives_a_role_and_their_sessions_end(cast, sign_in):
    vera, client = sign_in(cast.vera), sign_in(cast.olga)
    remember_session(vera, cast.vera)

    response = client.post(change(MEMBERS, cast.vera), {"role": "counselor"}, follow=True)

    cast.vera.refresh_from_db()
    assert response.status_code == 200
    assert cast.vera.role == "counselor"
    assert vera.get(reverse("my_week")).status_code == 302
    assert list(AuditEvent.objects.filter(action="member.role").values_list("actor_id", "object_id", "details")) == [
        (cast.olga.pk, str(cast.vera.pk), {"role": "counselor"})
    ]


def remember_session(client, member) -> None:
    UserSession.objects.create(user=member, ip="127.0.0.1", session_key=client.session.session_key, user_agent="")


def test_role_is_all_that_can_be_changed(cast, sign_in):
    client = sign_in(cast.olga)
    sent = {
        "role": "member",
        "is_superuser": "on",
        "is_active": "",
        "display_name": "Somebody",
        "email": "other@example.org",
        "code": "M-222222",
    }
    before = Member.objects.filter(pk=cast.carol.pk).values()[0]

    client.post(change(MEMBERS, cast.carol), sent)

    assert Member.objects.filter(pk=cast.carol.pk).values()[0] == before | {"role": "member"}


def test_role_superuser_does_not_exist(cast, sign_in):
    response = sign_in(cast.olga).post(change(MEMBERS, cast.vera), {"role": "superuser"})

    assert response.context["adminform"].form.errors.keys() == {"role"}


def test_coordinator_leaves_superusers_alone(cast, sign_in):
    client = sign_in(cast.olga)

    assert client.post(change(MEMBERS, cast.sam), {"role": "counselor"}).status_code == 403
    assert services.change_role(cast.sam, "counselor", by=cast.olga) is False


def test_nobody_changes_their_own_role(cast, sign_in):
    client = sign_in(cast.olga)
    client.post(change(MEMBERS, cast.olga), {"role": "member"})

    cast.olga.refresh_from_db()
    assert client.get(change(MEMBERS, cast.olga)).context["adminform"].form.fields == {}
    assert cast.olga.role == "coordinator"
    assert services.change_role(cast.olga, "member", by=cast.olga) is False


def test_counselor_who_became_a_member_sees_nothing(cast, sign_in):
    client = sign_in(cast.carol)
    services.change_role(cast.carol, "member", by=cast.olga)

    assert client.get("/admin/", follow=True).status_code == 403
    assert list(Group.objects.visible_to(Member.objects.get(pk=cast.carol.pk))) == []


# --- Nothing is deleted -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["carol", "olga", "sam"])
def test_delete_pages_and_actions_are_closed(cast, sign_in, name):
    client = sign_in(getattr(cast, name))
    outbox.queue("reminder", [cast.mia.pk], about_id=cast.willow_meeting.pk, fact="1", expires_at=timezone.now())
    make.agreement(cast.willow)
    record("group.created", cast.willow, by=cast.carol)
    open_to = {"topic"} if name == "olga" else set()

    for model in admin.site._registry:
        names = model._meta.app_label, model._meta.model_name
        if model._meta.model_name in open_to:
            continue
        for one in model.objects.all()[:1]:
            address = reverse("admin:{}_{}_changelist".format(*names))
            delete = reverse("admin:{}_{}_delete".format(*names), args=[one.pk])
            before = set(model.objects.values_list("pk", flat=True))
            assert client.get(delete).status_code == 403, delete
            assert client.post(delete, {"post": "yes"}).status_code == 403, delete
            run_action(client, address, "delete_selected", one)
            client.post(address, {"action": "delete_selected", "_selected_action": [one.pk], "post": "yes"})
            assert before <= set(model.objects.values_list("pk", flat=True)), address


# --- What is remembered -----------------------------------------------------------------------------------------------


def test_index_shows_ones_own_changes_without_names(cast, sign_in):
    carol, olga = sign_in(cast.carol), sign_in(cast.olga)
    olga.post(change(MEMBERS, cast.vera), {"role": "counselor"})

    own = olga.get("/admin/").content.decode()
    other = carol.get("/admin/")

    assert cast.vera.code in own
    assert "Vera" not in own
    assert cast.vera.code not in other.content.decode()
    assert list(other.context["log_entries"]) == []


def test_history_is_that_of_rows_in_scope_and_names_colleagues_without_address(cast, sign_in):
    sign_in(cast.olga).post(change(MEMBERS, cast.mia), {"role": "reports"})

    shown = sign_in(cast.carol).get(f"{MEMBERS}{cast.mia.pk}/history/")
    hidden = sign_in(cast.dan).get(f"{MEMBERS}{cast.mia.pk}/history/")

    assert [entry.user for entry in shown.context["action_list"]] == [cast.olga]
    assert "<td>Olga</td>" in shown.content.decode()
    assert cast.olga.email not in shown.content.decode()
    assert hidden.status_code == 302


# --- The audit record (mail: test_mail_admin.py) ---------------------------------------------------------------------


def test_audit_tells_the_operator_nothing_of_who_is_in_a_group(cast, sign_in):
    record("meeting.cancelled", cast.willow_meeting, by=cast.carol)
    record("membership.joined", cast.willow, by=cast.mia)
    record("attendance.recorded", cast.willow_meeting, by=cast.carol, member=str(cast.mia.pk))
    client = sign_in(cast.sam)

    found = rows(client, AUDIT)
    hidden = AuditEvent.objects.get(action="attendance.recorded")

    assert [(event.action, event.actor_code) for event in found] == [("meeting.cancelled", cast.carol.code)]
    assert client.get(change(AUDIT, hidden)).status_code == 302
    assert client.post(change(AUDIT, found[0]), {"action": "x"}).status_code == 403
    assert [sign_in(staff).get(AUDIT).status_code for staff in (cast.carol, cast.olga)] == [403, 403]


MEETINGS = "/admin/meetings/meeting/"


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        (MEETINGS, "status__exact=%00"),
        (MEETINGS, "group__id__exact=%00"),
        (MEETINGS, "local_date__year=111111111111111"),
        (MEETINGS, "local_date__year=2026&local_date__month=99"),
        (MEETINGS, "local_date__day=x"),
        (MEETINGS, "q=%00"),
        (MEETINGS, "p=99999999999999999999&o=%00"),
        ("/admin/groups/membership/", "status__exact=%00"),
    ],
)
def test_list_asked_for_nonsense_is_the_plain_list(cast, sign_in, address, asked):
    client = sign_in(cast.carol)

    response = client.get(f"{address}?{asked}", follow=True)

    assert response.status_code == 200
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("chosen", ["x", "\0", "9" * 30])
@pytest.mark.parametrize(
    ("address", "action"), [(MEETINGS, "cancel_dates"), ("/admin/groups/membership/", "approve_requests")]
)
def test_action_on_nonsense_does_nothing(cast, sign_in, address, action, chosen):
    client = sign_in(cast.carol)

    response = client.post(address, {"action": action, "_selected_action": [chosen]}, follow=True)

    assert response.status_code == 200


def test_list_that_cannot_be_shown_as_asked_says_so(cast, sign_in):
    response = sign_in(cast.carol).get(f"{MEETINGS}?status__exact=%00", follow=True)

    assert response.redirect_chain == [(MEETINGS, 302)]
    assert messages_of(response) == ["This list cannot be shown as asked, so here is all of it."]


def test_fault_of_ours_in_a_plain_list_is_not_hidden(cast, sign_in, monkeypatch):
    def broken(*args, **kwargs):
        raise ValueError

    monkeypatch.setattr(admin.site._registry[Member], "get_list_display", broken)

    with pytest.raises(ValueError):
        sign_in(cast.olga).get(MEMBERS)


def test_autocomplete_of_nonsense_is_refused(cast, sign_in):
    assert autocomplete(sign_in(cast.carol), "groups.membership.member", "a\0").status_code == 400


@pytest.mark.parametrize("how_many", [3, 300])
def test_lists_cost_the_same_whatever_there_is(cast, sign_in, how_many, django_assert_num_queries):
    people = make.members(how_many)
    Membership.objects.bulk_create(
        Membership(group=cast.willow, member=one, status="active", joined_at=timezone.now()) for one in people
    )
    outbox.queue("x", [one.pk for one in people], about_id=cast.willow_meeting.pk, fact="1", expires_at=timezone.now())
    olga, sam = sign_in(cast.olga), sign_in(cast.sam)
    rows(olga, MEMBERS)

    with django_assert_num_queries(4):
        rows(olga, MEMBERS)
    for one in people:
        record("member.role", one, by=cast.olga, role="member")
    rows(sam, AUDIT)
    with django_assert_num_queries(4):
        rows(sam, AUDIT)


def test_filter_with_too_many_choices_is_left_out(cast, sign_in):
    client = sign_in(cast.olga)
    titles = [str(spec.title) for spec in client.get("/admin/groups/membership/").context["cl"].filter_specs]
    for _ in range(MOST_CHOICES_IN_A_FILTER):
        make.group()

    crowded = [str(spec.title) for spec in client.get("/admin/groups/membership/").context["cl"].filter_specs]

    assert (titles, crowded) == (["status", "comes every week", "group"], ["status", "comes every week"])
