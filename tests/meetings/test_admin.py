"""The admin pages of meetings: topic and places of a date, and cancelling with one reason for many dates."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from groups.models import Facilitator, Topic
from meetings import services, wording
from meetings.models import Meeting, Participation
from outbox.models import Email
from tests import make
from tests.admin_pages import form_of, messages_of, rows, run_action
from tests.meetings.test_session_log import save as save_log

MEETINGS = "/admin/meetings/meeting/"
CANCEL = "/admin/meetings/meeting/cancel/"


def change(meeting: Meeting) -> str:
    return f"{MEETINGS}{meeting.pk}/change/"


def statuses(*meetings: Meeting) -> list[str]:
    found = dict(Meeting.objects.values_list("pk", "status"))
    return [found[meeting.pk] for meeting in meetings]


@pytest.fixture
def dates(cast):
    """Willow has two coming dates, one that is over and one that is off; Cedar has Nora coming to its date."""
    cast.next_week = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9))
    cast.over = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(days=5))
    cast.off = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=16), status="cancelled")
    for member in (cast.mia, cast.max):
        services.answer_going(cast.willow_meeting, by=member)
    services.answer_going(cast.cedar_meeting, by=cast.nora)
    cast.willow_meeting.refresh_from_db()
    return cast


# --- The list ---------------------------------------------------------------------------------------------------------


def test_counselor_sees_the_meetings_of_their_groups_coming_first(dates, sign_in):
    client = sign_in(dates.carol)

    assert rows(client, MEETINGS) == [dates.willow_meeting, dates.next_week, dates.off]
    assert rows(client, MEETINGS, when="past") == [dates.over]
    assert rows(client, MEETINGS, when="all") == [dates.over, dates.willow_meeting, dates.next_week, dates.off]
    assert rows(client, MEETINGS, status__exact="cancelled") == [dates.off]
    assert rows(sign_in(dates.dan), MEETINGS, when="all") == [dates.cedar_meeting]
    assert len(rows(sign_in(dates.olga), MEETINGS, when="all")) == 5


def test_list_says_when_with_its_zone_and_how_full(dates, sign_in):
    Meeting.objects.filter(pk=dates.willow_meeting.pk).update(capacity=2)
    make.membership(dates.willow, dates.vera)
    services.answer_going(dates.willow_meeting, by=dates.vera)

    shown = sign_in(dates.carol).get(MEETINGS).content.decode()

    assert dates.willow_meeting.local_start.tzname() in shown
    assert '<td class="field-people">2 of 2 places, 1 waiting</td>' in shown


def test_search_and_filters_tell_nothing_of_other_groups(dates, sign_in):
    Facilitator.objects.create(group=make.group(name="Second"), member=dates.carol)
    client = sign_in(dates.carol)
    group_filter = next(f for f in client.get(MEETINGS).context["cl"].filter_specs if f.title == "group")

    assert [label for _pk, label in group_filter.lookup_choices] == ["Second", "Willow evening"]
    assert rows(client, MEETINGS, q="Cedar") == []
    asked = client.get(MEETINGS, {"group__id__exact": dates.cedar.pk})
    assert (asked.status_code, asked.url) == (302, MEETINGS)
    day = dates.cedar_meeting.local_date
    found = rows(client, MEETINGS, local_date__year=day.year, local_date__month=day.month, local_date__day=day.day)
    assert dates.cedar_meeting not in found
    for lookup in ("participations__member__email__startswith", "participations__member", "group__link__startswith"):
        assert client.get(MEETINGS, {lookup: "n"}).status_code == 400, lookup


@pytest.mark.parametrize("name", ["carol", "sam"])
def test_page_of_a_date_names_nobody_who_comes(dates, sign_in, name):
    client = sign_in(getattr(dates, name))

    for address in (MEETINGS, change(dates.willow_meeting)):
        shown = client.get(address).content.decode()
        assert [one for one in ("Mia", "Max", dates.mia.code, str(dates.mia.pk)) if one in shown] == []


@pytest.mark.parametrize("how_many", [3, 300])
def test_list_costs_the_same_whatever_there_is(cast, sign_in, how_many, django_assert_num_queries):
    topic = Topic.objects.create(name="Walks", group=cast.willow)
    for n in range(how_many):
        group = make.group()
        starts_at = timezone.now() + timedelta(days=10 + n % 5, minutes=n)
        meeting = make.meeting(group, starts_at=starts_at, series=make.series(group), topic=topic)
        make.participation(meeting, cast.mia, "waitlisted")
    client = sign_in(cast.olga)
    rows(client, MEETINGS)

    with django_assert_num_queries(7):
        shown = rows(client, MEETINGS, when="all")

    assert len(shown) == min(how_many + 2, 50)


# --- One date ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["change", "history"])
def test_date_of_another_group_looks_like_none(dates, sign_in, view):
    client = sign_in(dates.carol)
    nothing = "00000000-0000-0000-0000-000000000000"

    there = client.get(f"{MEETINGS}{dates.cedar_meeting.pk}/{view}/", follow=True)
    not_there = client.get(f"{MEETINGS}{nothing}/{view}/", follow=True)

    assert there.request["PATH_INFO"] == not_there.request["PATH_INFO"] == "/admin/"
    assert [text.replace(str(dates.cedar_meeting.pk), nothing) for text in messages_of(there)] == messages_of(not_there)


def test_date_of_another_group_cannot_be_changed_by_its_id(dates, sign_in):
    sent = form_of(sign_in(dates.dan).get(change(dates.cedar_meeting))) | {"capacity": "3"}

    response = sign_in(dates.carol).post(change(dates.cedar_meeting), sent)

    dates.cedar_meeting.refresh_from_db()
    assert response.status_code == 302
    assert dates.cedar_meeting.capacity == 12


def test_meetings_are_not_added_by_hand(cast, sign_in):
    for staff in (cast.carol, cast.olga, cast.sam):
        assert sign_in(staff).get(MEETINGS + "add/").status_code == 403


def test_topic_is_chosen_from_the_library_and_the_group_itself(dates, sign_in):
    Topic.objects.all().delete()
    library = Topic.objects.create(name="Cravings")
    own = Topic.objects.create(name="Walks", group=dates.willow)
    other = Topic.objects.create(name="Cedar secrets", group=dates.cedar)
    Facilitator.objects.create(group=dates.cedar, member=dates.carol)

    for staff in (dates.carol, dates.olga):
        client = sign_in(staff)
        page = client.get(change(dates.willow_meeting))
        sent = form_of(page)
        offered = [value for value, _label in page.context["adminform"].form.fields["topic"].choices if value]
        refused = client.post(change(dates.willow_meeting), sent | {"topic": other.pk})
        client.post(change(dates.willow_meeting), sent | {"topic": own.pk})
        assert [choice.value for choice in offered] == [library.pk, own.pk]
        assert refused.context["adminform"].form.errors.keys() == {"topic"}

    dates.willow_meeting.refresh_from_db()
    assert dates.willow_meeting.topic == own
    assert dates.willow_meeting.places_taken == 2


def test_more_places_go_to_those_in_line(dates, sign_in):
    Meeting.objects.filter(pk=dates.willow_meeting.pk).update(capacity=2)
    make.membership(dates.willow, dates.vera)
    services.answer_going(dates.willow_meeting, by=dates.vera)
    client = sign_in(dates.carol)

    client.post(change(dates.willow_meeting), form_of(client.get(change(dates.willow_meeting))) | {"capacity": "3"})

    assert Participation.objects.get(member=dates.vera).rsvp == "offered"
    assert Meeting.objects.get(pk=dates.willow_meeting.pk).capacity == 3


def test_fewer_places_than_taken_is_said_at_the_field(dates, sign_in):
    client = sign_in(dates.carol)
    sent = form_of(client.get(change(dates.willow_meeting)))

    response = client.post(change(dates.willow_meeting), sent | {"capacity": "1"})

    assert response.context["adminform"].form.errors == {
        "capacity": ["2 places are taken already. Choose that many or more."]
    }
    assert Meeting.objects.get(pk=dates.willow_meeting.pk).capacity == 12


def test_meeting_without_places_is_refused(dates, sign_in):
    client = sign_in(dates.carol)
    sent = form_of(client.get(change(dates.next_week)))

    response = client.post(change(dates.next_week), sent | {"capacity": "0"})

    assert response.context["adminform"].form.errors == {
        "capacity": ["A meeting has at least 1 place. To call it off, cancel it."]
    }
    assert Meeting.objects.get(pk=dates.next_week.pk).capacity == 12


def test_place_taken_while_the_page_was_open_is_kept(dates, sign_in, monkeypatch):
    """Between the form's look and the change somebody comes: the service refuses and the page says so."""
    client = sign_in(dates.carol)
    sent = form_of(client.get(change(dates.willow_meeting)))
    make.membership(dates.willow, dates.vera)
    change_capacity = services.change_capacity

    def after_somebody_came(meeting, capacity, *, by):
        services.answer_going(meeting, by=dates.vera)
        return change_capacity(meeting, capacity, by=by)

    monkeypatch.setattr(services, "change_capacity", after_somebody_came)
    response = client.post(change(dates.willow_meeting), sent | {"capacity": "2"}, follow=True)

    dates.willow_meeting.refresh_from_db()
    assert (dates.willow_meeting.capacity, dates.willow_meeting.places_taken) == (12, 3)
    assert "3 places are taken already. Choose that many or more." in messages_of(response)


def test_saving_the_topic_writes_nothing_else(dates, rf):
    """The row was read, somebody came, the row is saved: the place they took stays taken."""
    page, stale = admin.site.get_model_admin(Meeting), Meeting.objects.get(pk=dates.willow_meeting.pk)
    make.membership(dates.willow, dates.vera)
    services.answer_going(dates.willow_meeting, by=dates.vera)
    stale.topic = Topic.objects.create(name="Walks", group=dates.willow)

    page.save_model(rf.post("/"), stale, SimpleNamespace(changed_data=["topic"]), True)

    dates.willow_meeting.refresh_from_db()
    assert (dates.willow_meeting.topic, dates.willow_meeting.places_taken) == (stale.topic, 3)


def test_date_that_is_over_or_off_keeps_its_places(dates, sign_in):
    client = sign_in(dates.carol)

    for meeting in (dates.over, dates.off):
        page = client.get(change(meeting))
        client.post(change(meeting), form_of(page) | {"capacity": "3", "status": "held", "group": dates.cedar.pk})
        meeting.refresh_from_db()
        assert page.context["adminform"].form.fields.keys() == {"topic"}
        assert (meeting.capacity, meeting.group) == (12, dates.willow)
    assert statuses(dates.over, dates.off) == ["scheduled", "cancelled"]


def test_page_leads_to_the_roster_for_those_who_may_see_it(dates, sign_in):
    roster = reverse("meetings:meeting_roster", args=[dates.willow_meeting.pk])

    shown = {
        name: roster in sign_in(getattr(dates, name)).get(change(dates.willow_meeting)).content.decode()
        for name in ("carol", "olga", "sam")
    }

    assert shown == {"carol": True, "olga": True, "sam": False}


def test_page_leads_to_cancelling_only_while_there_is_something_to_cancel(dates, sign_in):
    client = sign_in(dates.carol)

    shown = [
        f"{CANCEL}?meetings={one.pk}" in client.get(change(one)).content.decode()
        for one in (dates.willow_meeting, dates.over, dates.off)
    ]

    assert shown == [True, False, False]


# --- Cancelling -------------------------------------------------------------------------------------------------------


def cancel(client, *meetings, reason="The room is closed.", follow=True):
    return client.post(CANCEL, {"meetings": [one.pk for one in meetings], "reason": reason}, follow=follow)


def test_action_asks_before_it_cancels_and_says_who_will_be_told(dates, sign_in):
    chosen = (dates.willow_meeting, dates.next_week, dates.over, dates.off)

    response = run_action(sign_in(dates.carol), MEETINGS, "cancel_dates", *chosen, query="?when=all")

    assert [(one, one.told) for one, _when in response.context["meetings"]] == [
        (dates.willow_meeting, 2),
        (dates.next_week, 0),
    ]
    assert [one for one, _when in response.context["left_alone"]] == [dates.over, dates.off]
    assert response.context["told"] == 2
    assert "2 people will be told by mail at once." in response.content.decode()
    assert statuses(*chosen) == ["scheduled", "scheduled", "scheduled", "cancelled"]


def test_dates_are_cancelled_with_a_reason_and_those_who_come_are_told(dates, sign_in):
    chosen = (dates.willow_meeting, dates.next_week, dates.over, dates.off)

    response = cancel(sign_in(dates.carol), *chosen)

    dates.willow_meeting.refresh_from_db()
    told = Email.objects.filter(kind="cancelled").values_list("recipient", "about_id")
    assert messages_of(response) == [
        "2 dates cancelled. Those who were coming get a mail.",
        "2 dates are past or were already off and are as before.",
    ]
    assert statuses(*chosen) == ["cancelled", "cancelled", "scheduled", "cancelled"]
    assert dates.willow_meeting.cancel_reason == "The room is closed."
    assert set(told) == {(one.pk, dates.willow_meeting.pk) for one in (dates.mia, dates.max)}


def test_one_date_is_cancelled_from_its_page(dates, sign_in):
    client = sign_in(dates.carol)

    page = client.get(CANCEL, {"meetings": dates.willow_meeting.pk})
    response = cancel(client, dates.willow_meeting)

    assert [one for one, _when in page.context["meetings"]] == [dates.willow_meeting]
    assert page.context["form"].errors == {}
    assert messages_of(response) == ["1 date cancelled. Those who were coming get a mail."]


def test_cancelling_twice_tells_once(dates, sign_in):
    client = sign_in(dates.carol)
    cancel(client, dates.willow_meeting)

    response = cancel(client, dates.willow_meeting)

    assert messages_of(response) == ["1 date is past or was already off and is as before."]
    assert Email.objects.filter(kind="cancelled").count() == 2


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_reason_is_needed(dates, sign_in, reason):
    response = cancel(sign_in(dates.carol), dates.willow_meeting, reason=reason)

    assert response.context["form"].errors.keys() == {"reason"}
    assert [one for one, _when in response.context["meetings"]] == [dates.willow_meeting]
    assert statuses(dates.willow_meeting) == ["scheduled"]


def test_looking_at_the_page_changes_nothing(dates, sign_in):
    sign_in(dates.carol).get(CANCEL, {"meetings": dates.willow_meeting.pk, "reason": "The room is closed."})

    assert statuses(dates.willow_meeting) == ["scheduled"]


@pytest.mark.parametrize("chosen", [["cedar_meeting"], ["willow_meeting", "cedar_meeting"]])
def test_date_of_another_group_cannot_be_cancelled_or_looked_at(dates, sign_in, chosen):
    client = sign_in(dates.carol)
    meetings = [getattr(dates, name) for name in chosen]

    responses = [
        cancel(client, *meetings),
        client.get(CANCEL, {"meetings": [one.pk for one in meetings]}, follow=True),
    ]

    assert [messages_of(response) for response in responses] == [
        ["Not all of this is among yours. Nothing was changed."]
    ] * 2
    assert statuses(dates.willow_meeting, dates.cedar_meeting) == ["scheduled", "scheduled"]


def test_action_reaches_no_date_of_another_group(dates, sign_in):
    client = sign_in(dates.carol)

    asked = run_action(client, MEETINGS, "cancel_dates", dates.cedar_meeting)
    everything = client.post(
        MEETINGS, {"action": "cancel_dates", "_selected_action": [dates.willow_meeting.pk], "select_across": "1"}
    )

    assert messages_of(asked) == ["Not all of this is among yours. Nothing was changed."]
    assert "Cedar" not in asked.content.decode()
    assert dates.cedar_meeting not in [one for one, _when in everything.context["meetings"]]


@pytest.mark.parametrize("wrong", [{}, {"meetings": "nothing"}, {"meetings": "00000000-0000-0000-0000-000000000000"}])
def test_address_without_a_date_leads_back(dates, sign_in, wrong):
    response = sign_in(dates.carol).get(CANCEL, wrong)

    assert (response.status_code, response.url) == (302, MEETINGS)


@pytest.mark.parametrize("name", ["rita", "mia"])
def test_cancelling_is_for_those_who_run_the_group(dates, sign_in, name):
    response = cancel(sign_in(getattr(dates, name)), dates.willow_meeting)

    assert response.status_code == 403
    assert statuses(dates.willow_meeting) == ["scheduled"]


def test_cancelled_date_says_so_in_its_history_without_names(dates, sign_in):
    client = sign_in(dates.carol)
    cancel(client, dates.willow_meeting, reason="Mia asked for it")

    history = client.get(f"{MEETINGS}{dates.willow_meeting.pk}/history/")

    assert [entry.get_change_message() for entry in history.context["action_list"]] == ["Cancelled."]
    assert "Mia" not in history.content.decode()


# --- Lists to look something up ---------------------------------------------------------------------------------------

PARTICIPATIONS = "/admin/meetings/participation/"
SCHEDULES = "/admin/meetings/meetingseries/"
GROUPS = "/admin/groups/group/"


def test_list_says_what_is_still_to_do_about_a_date(dates, sign_in):
    services.choose_substitute(dates.next_week, dates.dan, by=dates.carol)
    log = save_log(dates.over, by=dates.carol)
    client = sign_in(dates.carol)

    past = client.get(MEETINGS, {"when": "past"}).content.decode()
    coming = client.get(MEETINGS).content.decode()

    assert ("roster open" in past, "log begun" in past, "log signed" in past) == (True, True, False)
    assert "Dan (substitute)" in coming
    assert "roster" not in re.findall(r'field-to_do">(.*?)</td>', coming)
    services.record_attendance(
        dates.over, make.participation(dates.over, dates.mia).member_id, "present", by=dates.carol
    )
    assert services.sign_log(log, by=dates.carol, credential="CPS", as_of=log.saved_at)
    assert re.findall(r">(roster \w+|log \w+)</a>", client.get(MEETINGS, {"when": "past"}).content.decode()) == [
        "roster noted",
        "log signed",
    ]


def test_filters_find_what_is_open_and_who_waits(dates, sign_in):
    Meeting.objects.filter(pk=dates.willow_meeting.pk).update(capacity=2)
    make.membership(dates.willow, dates.vera)
    services.answer_going(dates.willow_meeting, by=dates.vera)
    services.choose_substitute(dates.next_week, dates.dan, by=dates.carol)
    client = sign_in(dates.carol)

    assert rows(client, MEETINGS, when="past", roster="open") == [dates.over]
    assert rows(client, MEETINGS, when="past", roster="noted") == []
    assert rows(client, MEETINGS, when="past", log="unsigned") == [dates.over]
    assert rows(client, MEETINGS, when="past", log="signed") == []
    assert rows(client, MEETINGS, line="some") == [dates.willow_meeting]
    assert rows(client, MEETINGS, led="substitute") == [dates.next_week]
    assert b"?roster=open&amp;when=past" in client.get(MEETINGS).content


def test_whoever_runs_the_machine_reads_of_no_roster_and_no_log(dates, sign_in):
    shown = sign_in(dates.sam).get(MEETINGS, {"when": "past"}).content.decode()

    assert [word for word in ("roster open", "no log yet", "roster=open", "log=late") if word in shown] == []
    for address in (PARTICIPATIONS, "/admin/meetings/sessionlog/"):
        assert sign_in(dates.sam).get(address).status_code == 403


def test_list_of_groups_says_when_they_meet_and_who_asks(dates, sign_in):
    Meeting.objects.filter(group=dates.willow).exclude(pk=dates.next_week.pk).delete()
    asked = {"status": "requested", "joined_at": None}
    make.membership(dates.willow, dates.vera, **asked)
    make.membership(dates.cedar, dates.vera, **asked)
    client = sign_in(dates.carol)

    shown = client.get(GROUPS).content.decode()

    assert "1 asks to join" in shown
    assert "2 members, 12 places" in shown
    assert wording.when(dates.next_week) in shown
    assert "Carol" in shown
    assert "Dan" not in shown
    assert rows(client, GROUPS, requests="some") == [dates.willow]
    assert rows(client, GROUPS, schedule="none") == []


def test_participations_are_looked_up_in_ones_own_groups_only(dates, sign_in):
    client = sign_in(dates.carol)

    assert [one.member for one in rows(client, PARTICIPATIONS)] == [dates.max, dates.mia]
    assert rows(client, PARTICIPATIONS, q="Nora") == rows(client, PARTICIPATIONS, q=dates.nora.code) == []
    assert [one.member for one in rows(client, PARTICIPATIONS, q=dates.mia.code)] == [dates.mia]
    assert rows(client, PARTICIPATIONS, when="past") == []
    assert len(rows(client, PARTICIPATIONS, when="coming")) == 2
    asked = client.get(PARTICIPATIONS, {"meeting__group__id__exact": dates.cedar.pk})
    assert (asked.status_code, asked.url) == (302, PARTICIPATIONS)
    assert AuditEvent.objects.filter(action="access.denied", object_id=dates.cedar.pk).count() == 1
    lookups = ["meeting__group__link__startswith", "meeting__id", "meeting__suspension", "member"]
    for lookup in [*lookups, "meeting__group__facilitators"]:
        assert client.get(PARTICIPATIONS, {lookup: "1"}).status_code == 400, lookup
    Facilitator.objects.create(group=make.group(name="Second"), member=dates.carol)
    group_filter = next(f for f in client.get(PARTICIPATIONS).context["cl"].filter_specs if f.title == "group")
    assert [label for _pk, label in group_filter.lookup_choices] == ["Second", "Willow evening"]
    foreign = Participation.objects.get(member=dates.nora)
    assert client.get(f"{PARTICIPATIONS}{foreign.pk}/change/").status_code == 302
    assert client.post(f"{PARTICIPATIONS}{rows(client, PARTICIPATIONS)[0].pk}/change/", {}).status_code == 403


def test_schedules_are_looked_up_and_changed_elsewhere(dates, sign_in):
    own, foreign = dates.willow_meeting.series, dates.cedar_meeting.series
    pause = services.suspend_series(own, by=dates.carol, from_on=timezone.localdate())
    client = sign_in(dates.carol)

    found = rows(client, SCHEDULES)

    assert own in found
    assert foreign not in found
    assert rows(client, SCHEDULES, state="resting") == [own]
    assert "rests until further notice" in client.get(SCHEDULES).content.decode()
    assert rows(client, SCHEDULES, state="over") == []
    page = client.get(f"{SCHEDULES}{own.pk}/change/")
    assert f"/admin/groups/group/{dates.willow.pk}/schedule/" in page.content.decode()
    assert client.post(f"{SCHEDULES}{own.pk}/change/", {"from_on": "2026-01-01"}).status_code == 403
    assert client.get(f"{SCHEDULES}{foreign.pk}/change/").status_code == 302
    assert pause.until_on is None
