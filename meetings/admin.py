from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from groups.admin import ALL_STAFF, FACILITATED_BY, FacilitatorInline, GroupAdmin
from groups.models import Facilitator, Group, Topic
from members.scoped_admin import ManyPages, ScopedAdmin, ScopedStackedInline, VisibleOnly, role_of

from . import services, wording
from .letter_models import AttendanceLetter
from .lists_admin import GroupList, MeetingList, WhenFilter, count_of
from .log_models import SessionLog
from .models import Meeting, MeetingSeries, Participation
from .schedule_admin import GroupSchedulePages, MeetingSchedulePages, schedule_url

MOST_CLASHES = 3  # that are named; of more it is said that there are more

# --- The weekly schedule, on the page of its group --------------------------------------------------------------------


class MeetingSeriesForm(forms.ModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        coerce=int,
        choices=MeetingSeries.WEEKDAYS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one day.")},
    )

    class Meta:
        model = MeetingSeries
        fields = ["weekdays", "start_time", "minutes", "every_n_weeks", "nth_of_month", "from_on", "until_on"]
        help_texts = {
            "start_time": _("By the clock on the wall in the group’s time zone."),
            "every_n_weeks": _("1 means every week."),
            "nth_of_month": _("Choose one to meet once a month, such as on the first Monday."),
            "from_on": _("Leave it empty to start today."),
            "until_on": _("The last day. Leave it empty if the group goes on."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["from_on"].required = False
        self.fields["minutes"].error_messages |= {
            "min_value": _("A meeting lasts 5 minutes or more."),
            "max_value": _("A meeting lasts 12 hours (720 minutes) at most."),
        }

    def clean_from_on(self) -> date:
        today = timezone.now().astimezone(ZoneInfo(settings.DEFAULT_TIME_ZONE)).date()
        return self.cleaned_data["from_on"] or today

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("from_on"), cleaned.get("until_on")
        if first and last and last < first:
            self.add_error("until_on", _("The last day is before the first. Choose a later one, or leave it empty."))
        return cleaned


class MeetingSeriesInline(ScopedStackedInline):
    """To add a schedule. One that is there is changed on its own page, which shows what would happen first."""

    model = MeetingSeries
    form = MeetingSeriesForm
    may_add = ALL_STAFF
    verbose_name_plural = _("new weekly schedule")
    fields = ["weekdays", "start_time", "minutes", "every_n_weeks", "nth_of_month", "from_on", "until_on"]

    def get_extra(self, request, obj=None, **kwargs):
        return 1 if obj is None else 0


class LeadFormSet(forms.BaseInlineFormSet):
    """Says of a new lead that they are elsewhere at the time of a coming date, before the database refuses it."""

    def clean(self):
        super().clean()
        leads = [form for form in self.forms if self._leads(form)]
        if len(leads) != 1 or not self.has_changed() or self.instance.pk is None:
            return
        member = leads[0].cleaned_data["member"]
        taken = services.dates_led_elsewhere(self.instance, member)
        if not taken:
            return
        words = ngettext(
            "%(name)s leads another group at that time: %(dates)s. Choose somebody else, or a substitute for it.",
            "%(name)s leads another group at these times: %(dates)s. Choose somebody else, or substitutes for them.",
            len(taken),
        )
        shown = "; ".join(wording.when(meeting) for meeting in taken[:MOST_CLASHES])
        dates = shown if len(taken) <= MOST_CLASHES else gettext("%(dates)s, and more") % {"dates": shown}
        leads[0].add_error("member", words % {"name": member.display_name, "dates": dates})

    def _leads(self, form) -> bool:
        said = getattr(form, "cleaned_data", {})
        return bool(said.get("member")) and not said.get("DELETE") and said.get("role") == Facilitator.Role.LEAD


class LeadInline(FacilitatorInline):
    formset = LeadFormSet


# A group and its schedule are one page, but groups know nothing of meetings: imports go one way. So the page of a group
# is taken over here, with the schedule on it.
admin.site.unregister(Group)


@admin.register(Group)
class GroupWithScheduleAdmin(GroupSchedulePages, GroupList):
    inlines = [LeadInline, *GroupAdmin.inlines[1:], MeetingSeriesInline]

    def get_fieldsets(self, request, obj=None):
        schedule = (_("When"), {"fields": ["pattern", "next_date"]})
        return [*super().get_fieldsets(request, obj), *([schedule] if obj else [])]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["pattern", "next_date"] if obj else [])]

    @admin.display(description=_("next meeting"))
    def next_date(self, group: Group) -> str:
        coming = Meeting.objects.upcoming().filter(group=group).in_order().first()
        return wording.when(coming) if coming else gettext("no date ahead")

    def get_urls(self):
        return [*self.schedule_urls(), *super().get_urls()]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """The page of a group. What the database refuses because a room or a link is taken is said there."""
        try:
            with transaction.atomic():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError as error:
            why = services.refused_because(error)
            if not why:
                raise
            self.message_user(request, _("Nothing was saved. %(why)s") % {"why": why}, messages.ERROR)
            return redirect(request.path)

    def save_formset(self, request, form, formset, change):
        if formset.model is not MeetingSeries:
            super().save_formset(request, form, formset, change)
            return
        for series in formset.save(commit=False):
            series.time_zone = form.instance.time_zone
            series.save()
            services.follow_series(series, by=request.user)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if change and {"mode", "time_zone"} & set(form.changed_data):
            services.follow_group(form.instance, by=request.user)
        services.plan_topics([form.instance.pk])


# --- Meetings ---------------------------------------------------------------------------------------------------------


class TopicField(forms.ModelChoiceField):
    """Says when each topic was last taken up (`Cravings (last on November 3)`), so that none comes too often."""

    last_used: Mapping[int, date] = MappingProxyType({})

    def label_from_instance(self, topic):
        if topic.pk not in self.last_used:
            return topic.title
        day = date_format(self.last_used[topic.pk], "MONTH_DAY_FORMAT")
        return gettext("%(topic)s (last on %(date)s)") % {"topic": topic.title, "date": day}


class MeetingForm(forms.ModelForm):
    topic = TopicField(Topic.objects.none(), label=_("Topic"), required=False)

    class Meta:
        model = Meeting
        fields = ["topic", "capacity"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "topic" in self.fields:
            topics = self.fields["topic"]
            topics.queryset = Topic.objects.for_group(self.instance.group)  # type: ignore[attr-defined]  # a choice field
            topics.last_used = services.last_used(self.instance.group)  # type: ignore[attr-defined]  # our own

    def clean_capacity(self) -> int:
        capacity = self.cleaned_data["capacity"]
        if capacity < 1:
            raise forms.ValidationError(_("A meeting has at least 1 place. To call it off, cancel it."))
        if capacity < self.instance.places_taken:
            raise forms.ValidationError(too_few_places(self.instance))
        return capacity


def too_few_places(meeting: Meeting) -> str:
    return ngettext(
        "%(count)s place is taken already. Choose that many or more.",
        "%(count)s places are taken already. Choose that many or more.",
        meeting.places_taken,
    ) % {"count": meeting.places_taken}


class CancelMeetingsForm(forms.Form):
    meetings = forms.ModelMultipleChoiceField(Meeting.objects.none(), widget=forms.MultipleHiddenInput)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=Meeting._meta.get_field("cancel_reason").max_length,
        help_text=_("Everybody can read it on the page of the meeting. Name no person and no illness."),
        error_messages={"required": _("Write a short reason, such as: The room is closed.")},
    )

    def __init__(self, *args, meetings: QuerySet[Meeting], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["meetings"].queryset = meetings  # type: ignore[attr-defined]  # a choice field


@admin.register(Meeting)
class MeetingAdmin(MeetingSchedulePages, MeetingList):
    """Meetings come from their schedule, so none is added or deleted by hand. Who comes is on the roster page."""

    may_view = may_change = ALL_STAFF
    form = MeetingForm
    actions = ["cancel_dates"]

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .annotate(waiting_count=count_of(Participation.objects.in_line(), per="meeting"))
        )

    def get_ordering(self, request):
        return ["-starts_at"] if request.GET.get(WhenFilter.parameter_name) == "past" else ["starts_at"]

    def get_fields(self, request, obj=None):
        why = ["cancel_reason"] if obj and obj.cancel_reason else []
        return ["when", "group", "status", *why, "answers", "waiting", "topic", "capacity"]

    def get_readonly_fields(self, request, obj=None):
        fixed = ["when", "group", "status", "cancel_reason", "answers", "waiting"]
        return fixed if obj and obj.is_open else [*fixed, "capacity"]

    def get_urls(self):
        cancel = path("cancel/", self.admin_site.admin_view(self.cancel_view), name="meetings_meeting_cancel")
        return [cancel, *self.schedule_urls(), *super().get_urls()]

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {
            "may_see_roster": role_of(request.user) in FACILITATED_BY,
            "schedule_url": schedule_url(obj.group) if obj is not None else "",
            "may_cancel": obj is not None and obj.is_open and self.has_change_permission(request, obj),
        }
        return super().render_change_form(request, context, add=add, change=change, form_url=form_url, obj=obj)

    def save_model(self, request, obj, form, change):
        if "topic" in form.changed_data:
            obj.save(update_fields=["topic"])
        if "capacity" in form.changed_data and not services.change_capacity(obj, obj.capacity, by=request.user):
            obj.refresh_from_db(fields=["places_taken"])
            self.message_user(request, too_few_places(obj), messages.ERROR)

    # Cancelling: from the list or from one date, both lead to the same page that asks for a reason.

    @admin.action(description=_("Cancel these dates…"), permissions=["change"])
    def cancel_dates(self, request, queryset):
        return self._ask_to_cancel(request, queryset)

    def cancel_view(self, request):
        if not self.has_change_permission(request):
            raise PermissionDenied
        mine = self.get_queryset(request)
        sent = request.POST or request.GET
        if self.is_refused(request, Meeting, sent.getlist("meetings"), way="meeting_cancel"):
            return redirect("admin:meetings_meeting_changelist")
        form = CancelMeetingsForm(sent, meetings=mine)
        form.full_clean()
        if "meetings" in form.errors:
            self.message_user(request, _("These dates are not among yours."), messages.ERROR)
            return redirect("admin:meetings_meeting_changelist")
        chosen = form.cleaned_data["meetings"]
        if request.method != "POST":
            return self._ask_to_cancel(request, chosen)
        if form.errors:
            return self._ask_to_cancel(request, chosen, form)
        self._cancel(request, chosen, form.cleaned_data["reason"])
        return redirect("admin:meetings_meeting_changelist")

    def _cancel(self, request, chosen: QuerySet[Meeting], reason: str) -> None:
        meetings = list(chosen.in_order().select_related("group"))  # type: ignore[attr-defined]  # our QuerySet
        cancelled = services.cancel_meetings(meetings, by=request.user, reason=reason)
        for meeting in cancelled:
            self.log_change(request, meeting, gettext("Cancelled."))
        if cancelled:
            done = ngettext(
                "%(count)s date cancelled. Those who were coming get a mail.",
                "%(count)s dates cancelled. Those who were coming get a mail.",
                len(cancelled),
            )
            self.message_user(request, done % {"count": len(cancelled)}, messages.SUCCESS)
        if left := len(meetings) - len(cancelled):
            as_before = ngettext(
                "%(count)s date is past or was already off and is as before.",
                "%(count)s dates are past or were already off and are as before.",
                left,
            )
            self.message_user(request, as_before % {"count": left}, messages.WARNING)

    def _ask_to_cancel(self, request, chosen: QuerySet[Meeting], form: CancelMeetingsForm | None = None):
        chosen = chosen.in_order().select_related("group")  # type: ignore[attr-defined]  # our QuerySet
        rows = list(chosen.annotate(told=count_of(Participation.objects.expecting_to_come(), per="meeting")))
        open_rows = [meeting for meeting in rows if meeting.is_open]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Cancel these dates"),
            "opts": self.opts,
            "form": form or CancelMeetingsForm(initial={"meetings": rows}, meetings=self.get_queryset(request)),
            "meetings": [(meeting, wording.when(meeting)) for meeting in open_rows],
            "left_alone": [(meeting, wording.when(meeting)) for meeting in rows if not meeting.is_open],
            "told": sum(meeting.told for meeting in open_rows),
        }
        return TemplateResponse(request, "admin/meetings/cancel_meetings.html", context)


# --- Session logs, to read --------------------------------------------------------------------------------------------


class LogStateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("signed", _("Signed")), ("unsigned", _("Not signed"))]

    def queryset(self, request, queryset):
        match self.value():
            case "signed":
                return queryset.signed()
            case "unsigned":
                return queryset.unsigned()
        return queryset


@admin.register(SessionLog)
class SessionLogAdmin(ScopedAdmin):
    """To read. A log is written and signed on its own page, and nothing of it is changed here."""

    may_view = FACILITATED_BY
    list_display = ["when", "group", "log_state", "people", "lasted", "topic"]
    list_filter = [LogStateFilter, "mode", ("meeting__group", VisibleOnly)]
    list_select_related = ["meeting__group"]
    search_fields = ["meeting__group__name", "topic", "signed_name"]
    paginator = ManyPages
    date_hierarchy = "started_at"
    fields = [
        "meeting",
        "group",
        "began",
        "ended",
        "mode",
        "facilitators",
        "topic",
        "headcount",
        "first_timers",
        "what_we_did",
        "to_follow_up",
        "signed_name",
        "credential",
        "was_signed",
    ]

    @admin.display(description=_("group"), ordering="meeting__group__name")
    def group(self, log: SessionLog) -> str:
        return log.meeting.group.name

    @admin.display(description=_("when"), ordering="started_at")
    def when(self, log: SessionLog) -> str:
        return wording.moment(log.started_local)

    @admin.display(description=_("started"))
    def began(self, log: SessionLog) -> str:
        return wording.moment(log.started_local)

    @admin.display(description=_("ended"))
    def ended(self, log: SessionLog) -> str:
        return wording.moment(log.ended_local)

    @admin.display(description=_("signed"))
    def was_signed(self, log: SessionLog) -> str:
        return wording.moment(log.signed_local) if log.signed_local else ""

    @admin.display(description=_("state"), ordering="signed_at")
    def log_state(self, log: SessionLog) -> str:
        if not log.signed_local:
            return gettext("not signed yet")
        day = date_format(log.signed_local, "MONTH_DAY_FORMAT")
        return gettext("signed by %(name)s on %(day)s") % {"name": log.signed_name, "day": day}

    @admin.display(description=_("people who came"), ordering="headcount")
    def people(self, log: SessionLog) -> str:
        count = log.headcount
        return ngettext("%(count)s person came", "%(count)s people came", count) % {"count": count}

    @admin.display(description=_("minutes"))
    def lasted(self, log: SessionLog) -> str:
        return ngettext("%(count)s minute", "%(count)s minutes", log.minutes) % {"count": log.minutes}

    @admin.display(description=_("what we did"))
    def what_we_did(self, log: SessionLog) -> str:
        return ", ".join(log.activity_words)

    @admin.display(description=_("to follow up"))
    def to_follow_up(self, log: SessionLog) -> str:
        return ", ".join(log.follow_up_words)

    def view_on_site(self, log: SessionLog) -> str:
        return reverse("meetings:meeting_log", args=[log.meeting_id])

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Whoever sends a change gets the log as it stands, told why, and the try is on the record."""
        log = self.get_object(request, unquote(object_id)) if object_id else None
        if request.method != "POST" or log is None or not self.has_view_permission(request, log):
            return super().changeform_view(request, object_id, form_url, extra_context)
        services.refuse_change_of_log(log, by=request.user)
        self.message_user(
            request,
            _("Nothing was changed: a log is written on its own page, and one that is signed is only added to."),
            messages.ERROR,
        )
        request.method = "GET"
        response = super().changeform_view(request, object_id, form_url, extra_context)
        response.status_code = 403
        return response


class LetterStateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("standing", _("Stands")), ("revoked", _("Revoked"))]

    def queryset(self, request, queryset):
        match self.value():
            case "standing":
                return queryset.standing()
            case "revoked":
                return queryset.revoked()
        return queryset


@admin.register(AttendanceLetter)
class AttendanceLetterAdmin(ScopedAdmin):
    """Which letters were issued, never what they say: that goes to the member."""

    may_view = FACILITATED_BY
    list_display = ["number", "group", "code_of_member", "issued", "letter_state"]
    list_filter = [LetterStateFilter, ("group", VisibleOnly)]
    list_select_related = ["group", "member"]
    search_fields = ["number", "=member__code"]
    paginator = ManyPages
    date_hierarchy = "issued_at"
    fields = ["number", "group", "code_of_member", "issued_at", "revoked_at"]

    @admin.display(description=_("issued"), ordering="issued_at")
    def issued(self, letter: AttendanceLetter) -> str:
        return gettext("issued on %(day)s") % {"day": date_format(letter.issued_on)}

    @admin.display(description=_("state"), ordering="revoked_at")
    def letter_state(self, letter: AttendanceLetter) -> str:
        return gettext("revoked") if letter.is_revoked else gettext("stands")

    @admin.display(description=_("member"), ordering="member__code")
    def code_of_member(self, letter: AttendanceLetter) -> str:
        return letter.member.code

    def view_on_site(self, letter: AttendanceLetter) -> str:
        return reverse("meetings:letter_detail", args=[letter.pk])


from . import people_admin  # noqa: E402, F401  (registers its pages)
