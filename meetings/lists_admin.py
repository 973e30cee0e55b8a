"""What the lists of the admin say of groups and meetings, and the lists that are there to look something up.

Each cell says what it is without its heading: on a phone a row is a card, and headings are not shown.
"""

from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from groups.admin import ALL_STAFF, FACILITATED_BY, GroupAdmin
from groups.models import Facilitator, Group, Membership
from members.scoped_admin import ManyPages, ScopedAdmin, VisibleOnly, role_of

from . import wording
from .models import Meeting, MeetingSeries, Participation


def count_of(rows: QuerySet, *, per: str) -> Coalesce:
    """How many of these there are for each row of a list, as a column; `per` is their key to it."""
    of_each = rows.filter(**{per: OuterRef("pk")}).order_by().values(per)
    counted = of_each.annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def names_of_leads(group: str) -> ArraySubquery:
    """Who leads a group, the lead first, as a column; `group` is the row's key to it."""
    leading = Facilitator.objects.leading().filter(group=OuterRef(group))
    return ArraySubquery(leading.values("member__display_name"))


# --- Meetings ---------------------------------------------------------------------------------------------------------


class WhenFilter(admin.SimpleListFilter):
    """Coming meetings first: what is over is looked for on purpose."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, request, model_admin):
        return [("past", _("Past")), ("all", _("All"))]

    def choices(self, changelist):
        choices = super().choices(changelist)
        yield next(choices) | {"display": _("Coming")}
        yield from choices

    def queryset(self, request, queryset):
        match self.value():
            case "all":
                return queryset
            case "past":
                return queryset.over()
            case _:
                return queryset.not_over()


class OfPastFilter(admin.SimpleListFilter):
    """About what is over, so choosing it leads there."""

    def choices(self, changelist):
        choices = super().choices(changelist)
        yield next(choices)
        for choice, (lookup, _label) in zip(choices, self.lookup_choices, strict=True):
            asked = {self.parameter_name: lookup, WhenFilter.parameter_name: "past"}
            yield choice | {"query_string": changelist.get_query_string(asked)}


class RosterFilter(OfPastFilter):
    title = _("roster")
    parameter_name = "roster"

    def lookups(self, request, model_admin):
        return [("open", _("Still open")), ("noted", _("Noted"))]

    def queryset(self, request, queryset):
        match self.value():
            case "open":
                return queryset.roster_open()
            case "noted":
                return queryset.filter(status=Meeting.Status.HELD)
        return queryset


class LogFilter(OfPastFilter):
    title = _("session log")
    parameter_name = "log"

    def lookups(self, request, model_admin):
        return [("late", _("Late")), ("unsigned", _("Not signed")), ("signed", _("Signed"))]

    def queryset(self, request, queryset):
        match self.value():
            case "late":
                return queryset.log_overdue()
            case "unsigned":
                return queryset.without_signed_log()
            case "signed":
                return queryset.with_signed_log()
        return queryset


class LineFilter(admin.SimpleListFilter):
    title = _("waiting")
    parameter_name = "line"

    def lookups(self, request, model_admin):
        return [("some", _("Somebody waits"))]

    def queryset(self, request, queryset):
        return queryset.with_people_in_line() if self.value() == "some" else queryset


class SubstituteFilter(admin.SimpleListFilter):
    title = _("who leads")
    parameter_name = "led"

    def lookups(self, request, model_admin):
        return [("substitute", _("A substitute"))]

    def queryset(self, request, queryset):
        return queryset.filter(substitute__isnull=False) if self.value() == "substitute" else queryset


class MeetingList(ScopedAdmin):
    """When it is, who comes and leads, and what is still to be done about it."""

    list_display = ["when", "group", "people", "state", "to_do", "led_by", "topic"]
    list_filter = [
        WhenFilter,
        "status",
        RosterFilter,
        LogFilter,
        LineFilter,
        SubstituteFilter,
        "mode",
        ("group", VisibleOnly),
    ]
    list_select_related = ["group", "topic", "substitute"]
    date_hierarchy = "local_date"
    search_fields = ["group__name", "topic__name"]
    paginator = ManyPages

    _OF_THOSE_WHO_RUN_IT = ("to_do", RosterFilter, LogFilter)

    def get_list_display(self, request):
        return self._offered(request, self.list_display)

    def get_list_filter(self, request):
        return self._offered(request, self.list_filter)

    def _offered(self, request, items: list) -> list:
        """Whoever runs the machine reads no rosters and no logs."""
        if role_of(request.user) in FACILITATED_BY:
            return items
        return [item for item in items if item not in self._OF_THOSE_WHO_RUN_IT]

    def for_list(self, meetings, request):
        return meetings.annotate(has_log=F("log__pk"), log_signed_at=F("log__signed_at"), leads=names_of_leads("group"))

    @admin.display(description=_("when"), ordering="starts_at")
    def when(self, meeting: Meeting) -> str:
        return wording.when(meeting)

    @admin.display(description=_("places taken"), ordering="places_taken")
    def answers(self, meeting: Meeting) -> str:
        return gettext("%(taken)s of %(capacity)s places") % {
            "taken": meeting.places_taken,
            "capacity": meeting.capacity,
        }

    @admin.display(description=_("waiting"), ordering="waiting_count")
    def waiting(self, meeting: Meeting) -> str:
        count: int = meeting.waiting_count  # type: ignore[attr-defined]  # annotated
        return ngettext("%(count)s waiting", "%(count)s waiting", count) % {"count": count} if count else ""

    @admin.display(description=_("people"), ordering="places_taken")
    def people(self, meeting: Meeting) -> str:
        return ", ".join(filter(None, [self.answers(meeting), self.waiting(meeting)]))

    @admin.display(description=_("status"), ordering="status")
    def state(self, meeting: Meeting) -> str:
        if meeting.status == Meeting.Status.SCHEDULED and meeting.has_begun and not meeting.is_over:
            return gettext("on now")
        return meeting.get_status_display()

    @admin.display(description=_("roster and log"), ordering="log_signed_at")
    def to_do(self, meeting: Any) -> str:
        """Links to both, which say how far each is."""
        links = ((reverse(name, args=[meeting.pk]), words) for name, words in self._roster_and_log(meeting))
        return format_html_join(" ", '<a href="{}">{}</a>', links)

    def _roster_and_log(self, meeting: Any):
        if meeting.roster_is_open:
            is_noted = meeting.status == Meeting.Status.HELD
            yield "meetings:meeting_roster", gettext("roster noted") if is_noted else gettext("roster open")
        if meeting.log_signed_at:
            yield "meetings:meeting_log", gettext("log signed")
        elif meeting.has_log:
            yield "meetings:meeting_log", gettext("log begun")
        elif meeting.takes_log and meeting.is_over:
            yield "meetings:meeting_log", gettext("no log yet")

    @admin.display(description=_("who leads"))
    def led_by(self, meeting: Any) -> str:
        if meeting.substitute:
            return gettext("%(name)s (substitute)") % {"name": meeting.substitute.display_name}
        return ", ".join(meeting.leads)


# --- Groups -----------------------------------------------------------------------------------------------------------


class RequestsFilter(admin.SimpleListFilter):
    title = _("requests")
    parameter_name = "requests"

    def lookups(self, request, model_admin):
        return [("some", _("Somebody asks to join"))]

    def queryset(self, request, queryset):
        asking = Membership.objects.requested().filter(group=OuterRef("pk"))
        return queryset.filter(Exists(asking)) if self.value() == "some" else queryset


class ScheduleFilter(admin.SimpleListFilter):
    title = _("schedule")
    parameter_name = "schedule"

    def lookups(self, request, model_admin):
        return [("some", _("Meets")), ("none", _("Has no coming meeting"))]

    def queryset(self, request, queryset):
        coming = Exists(Meeting.objects.upcoming().filter(group=OuterRef("pk")))
        match self.value():
            case "some":
                return queryset.filter(coming)
            case "none":
                return queryset.filter(~coming)
        return queryset


class GroupList(GroupAdmin):
    """When it meets, how full it is and who asks to come."""

    list_display = ["name", "pattern", "next_meeting", "people", "requests", "joining", "where", "led_by"]
    list_filter = [RequestsFilter, ScheduleFilter, "kind", "mode", "enrolment", "language", "is_listed"]
    search_fields = ["name", "area", "place"]

    def for_list(self, groups, request):
        coming = Meeting.objects.upcoming().filter(group=OuterRef("pk")).in_order()
        return groups.annotate(
            member_count=count_of(Membership.objects.active(), per="group"),
            request_count=count_of(Membership.objects.requested(), per="group"),
            next_starts_at=Subquery(coming.values("starts_at")[:1]),
            leads=names_of_leads("pk"),
        ).prefetch_related(Prefetch("series", MeetingSeries.objects.not_over()))

    @admin.display(description=_("meets"))
    def pattern(self, group: Group) -> str:
        is_in_list = hasattr(group, "next_starts_at")  # then those that are running were fetched for all at once
        running = group.series.all() if is_in_list else MeetingSeries.objects.not_over().filter(group=group)
        patterns = [wording.pattern(series) for series in running]
        return _schedule_link(group.pk, patterns or [gettext("no schedule yet")])

    @admin.display(description=_("next meeting"), ordering="next_starts_at")
    def next_meeting(self, group: Any) -> str:
        if group.next_starts_at is None:
            return gettext("no date ahead")
        return wording.moment(group.next_starts_at.astimezone(group.zone))

    @admin.display(description=_("people"), ordering="member_count")
    def people(self, group: Any) -> str:
        count, capacity = group.member_count, group.capacity
        words = ngettext("%(count)s member, %(capacity)s places", "%(count)s members, %(capacity)s places", count)
        return words % {"count": count, "capacity": capacity}

    @admin.display(description=_("requests"), ordering="request_count")
    def requests(self, group: Any) -> str:
        if not group.request_count:
            return ""
        words = ngettext("%(count)s asks to join", "%(count)s ask to join", group.request_count)
        asking = reverse("admin:groups_membership_changelist")
        return format_html(
            '<a href="{}?status__exact=requested&amp;group__id__exact={}">{}</a>',
            asking,
            group.pk,
            words % {"count": group.request_count},
        )

    @admin.display(description=_("where"), ordering="mode")
    def where(self, group: Group) -> str:
        return ", ".join(filter(None, [group.get_mode_display(), group.area]))

    @admin.display(description=_("who leads"))
    def led_by(self, group: Any) -> str:
        return ", ".join(group.leads)

    @admin.display(description=_("joining"), ordering="enrolment")
    def joining(self, group: Group) -> str:
        """`open, not listed`: the first words of each choice are enough here."""
        how = group.get_enrolment_display().partition(":")[0]
        return how if group.is_listed else gettext("%(how)s, not listed") % {"how": how}


def _schedule_link(group_id: int, lines: list[str]) -> str:
    words = format_html_join(", ", "{}", ((line,) for line in lines))
    return format_html('<a href="{}">{}</a>', reverse("admin:groups_group_schedule", args=[group_id]), words)


# --- Schedules --------------------------------------------------------------------------------------------------------


class RunningFilter(admin.SimpleListFilter):
    """Schedules that are over are looked for on purpose."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("resting", _("Resting today")), ("over", _("Over")), ("all", _("All"))]

    def choices(self, changelist):
        choices = super().choices(changelist)
        yield next(choices) | {"display": _("Running")}
        yield from choices

    def queryset(self, request, queryset):
        match self.value():
            case "all":
                return queryset
            case "over":
                return queryset.over()
            case "resting":
                return queryset.running().resting(timezone.localdate())
            case _:
                return queryset.running()


@admin.register(MeetingSeries)
class MeetingSeriesAdmin(ScopedAdmin):
    """To look up who meets when. A schedule is changed on the page of its group, where one sees what that would do."""

    may_view = ALL_STAFF
    list_display = ["pattern", "group", "zone", "runs", "rest"]
    list_filter = [RunningFilter, "nth_of_month", ("group", VisibleOnly)]
    list_select_related = ["group"]
    search_fields = ["group__name"]
    ordering = ["group__name", "from_on", "pk"]
    fields = ["schedule", "group", "zone", "from_on", "until_on", "rest"]

    def for_list(self, series, request):
        return series.prefetch_related("suspensions")

    @admin.display(description=_("meets"))
    def pattern(self, series: MeetingSeries) -> str:
        return wording.pattern(series)

    @admin.display(description=_("schedule"))
    def schedule(self, series: MeetingSeries) -> str:
        return _schedule_link(series.group_id, [wording.pattern(series)])

    @admin.display(description=_("time zone"), ordering="time_zone")
    def zone(self, series: MeetingSeries) -> str:
        return wording.zone_name(series.time_zone)

    @admin.display(description=_("from, until"), ordering="from_on")
    def runs(self, series: MeetingSeries) -> str:
        if series.until_on is None:
            return gettext("from %(first)s") % {"first": date_format(series.from_on)}
        return gettext("%(first)s to %(last)s") % {
            "first": date_format(series.from_on),
            "last": date_format(series.until_on),
        }

    @admin.display(description=_("pause"))
    def rest(self, series: MeetingSeries) -> str:
        today = timezone.localdate()
        pause = next((one for one in series.suspensions.all() if one.covers(today)), None)
        if pause is None:
            return ""
        if pause.until_on is None:
            return gettext("rests until further notice")
        return gettext("rests until %(day)s") % {"day": date_format(pause.until_on)}


# --- Who said they come, and who came ---------------------------------------------------------------------------------


class MeetingWhenFilter(WhenFilter):
    """All of them unless asked: one looks for a person more often than for a day."""

    def lookups(self, request, model_admin):
        return [("coming", _("Coming")), ("past", _("Past"))]

    def choices(self, changelist):
        return super(WhenFilter, self).choices(changelist)

    def queryset(self, request, queryset):
        match self.value():
            case "coming":
                return queryset.filter(meeting__in=Meeting.objects.not_over())
            case "past":
                return queryset.filter(meeting__in=Meeting.objects.over())
        return queryset


@admin.register(Participation)
class ParticipationAdmin(ScopedAdmin):
    """To look up what somebody said and whether they came. Attendance is noted on the roster, answers are their own."""

    may_view = FACILITATED_BY
    list_display = ["display_name", "code", "group", "when", "answer", "came", "recorded_by_name"]
    list_filter = [MeetingWhenFilter, "rsvp", "attendance", ("meeting__group", VisibleOnly)]
    list_select_related = ["member", "meeting__group", "recorded_by"]
    search_fields = ["=member__code", "member__display_name"]
    ordering = ["-pk"]
    paginator = ManyPages
    fields = ["display_name", "code", "group", "when", "answer", "rsvp_at", "came", "recorded_by_name", "recorded_at"]

    @admin.display(description=_("display name"), ordering="member__display_name")
    def display_name(self, participation: Participation) -> str:
        return participation.member.display_name

    @admin.display(description=_("code"), ordering="member__code")
    def code(self, participation: Participation) -> str:
        return participation.member.code

    @admin.display(description=_("group"), ordering="meeting__group__name")
    def group(self, participation: Participation) -> str:
        return participation.meeting.group.name

    @admin.display(description=_("when"), ordering="meeting__starts_at")
    def when(self, participation: Participation) -> str:
        roster = reverse("meetings:meeting_roster", args=[participation.meeting_id])
        return format_html('<a href="{}">{}</a>', roster, wording.when(participation.meeting))

    @admin.display(description=_("answer"), ordering="rsvp")
    def answer(self, participation: Participation) -> str:
        return participation.get_rsvp_display() if participation.rsvp else gettext("no answer")

    @admin.display(description=_("attendance"), ordering="attendance")
    def came(self, participation: Participation) -> str:
        return participation.get_attendance_display() if participation.attendance else ""

    @admin.display(description=_("noted by"))
    def recorded_by_name(self, participation: Participation) -> str:
        if participation.recorded_by is None:
            return ""
        return gettext("noted by %(name)s") % {"name": participation.recorded_by.display_name}
