"""Forms of the schedule pages in the admin. Whatever cannot be done is said at the field, before anything changes."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from groups.models import Facilitator, Group, Room, Topic
from members.models import Member

from . import recurrence, wording
from .models import Meeting, MeetingSeries, Suspension

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
REASON_HELP = _("Everybody can read it on the page of the meeting. Name no person and no illness.")


class Minutes(forms.IntegerField):
    def __init__(self, **kwargs):
        super().__init__(label=_("Minutes"), min_value=5, max_value=720, **kwargs)
        self.error_messages |= {
            "min_value": _("A meeting lasts 5 minutes or more."),
            "max_value": _("A meeting lasts 12 hours (720 minutes) at most."),
        }


class ChangeSeriesForm(forms.Form):
    """Another rule for a schedule, for all its coming dates or from one of them on."""

    since = forms.TypedChoiceField(label=_("Change"), required=False, coerce=date.fromisoformat, empty_value=None)
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        coerce=int,
        choices=MeetingSeries.WEEKDAYS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one day.")},
    )
    start_time = forms.TimeField(
        label=_("Starts"), widget=CLOCK, help_text=_("By the clock on the wall in the group’s time zone.")
    )
    minutes = Minutes()
    every_n_weeks = forms.IntegerField(
        label=_("Every how many weeks"), min_value=1, max_value=12, help_text=_("1 means every week.")
    )
    nth_of_month = forms.TypedChoiceField(
        label=_("Or which one of the month"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("none: count in weeks")), *MeetingSeries.NTH],
        help_text=_("Some months have no fifth one. Choose the last instead."),
        error_messages={"invalid_choice": _("Some months have no such day. Choose first to fourth, or the last.")},
    )
    until_on = forms.DateField(
        label=_("Until"), required=False, widget=DAY, help_text=_("The last day. Empty: the group goes on.")
    )

    RULE = ("weekdays", "start_time", "minutes", "every_n_weeks", "nth_of_month", "until_on")

    def __init__(self, *args, series: MeetingSeries, **kwargs):
        kwargs["initial"] = {name: getattr(series, name) for name in self.RULE}
        super().__init__(*args, **kwargs)
        self.series = series
        coming = Meeting.objects.upcoming().filter(series=series).in_order()
        self.fields["since"].choices = [  # type: ignore[attr-defined]  # a choice field
            ("", _("all coming dates")),
            *((one.series_date.isoformat(), _("from %(day)s on") % {"day": wording.when(one)}) for one in coming[:12]),
        ]

    def clean_until_on(self) -> date | None:
        until_on = self.cleaned_data["until_on"]
        since = self.cleaned_data.get("since")
        if until_on and until_on < (since or self.series.from_on):
            raise forms.ValidationError(_("The last day is before the first. Choose a later one, or leave it empty."))
        return until_on

    @property
    def rule(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.RULE}


class FromUntilForm(forms.Form):
    from_on = forms.DateField(label=_("From"), widget=DAY)
    until_on = forms.DateField(label=_("Until"), widget=DAY)

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("from_on"), cleaned.get("until_on")
        if first and last and last < first:
            self.add_error("until_on", _("The last day is before the first. Choose a later one."))
        elif last and last < timezone.localdate() - timedelta(days=1):
            self.add_error("until_on", _("This day is over. Choose a later one."))
        return cleaned


class PauseForm(FromUntilForm):
    until_on = forms.DateField(
        label=_("Until"),
        required=False,
        widget=DAY,
        help_text=_("The last day of the pause: then the group goes on by itself. Empty: until you say so."),
    )
    place_only = forms.BooleanField(label=_("Only the place is closed: the group meets online"), required=False)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=Suspension._meta.get_field("reason").max_length,
        help_text=REASON_HELP,
        error_messages={"required": _("Write a short reason, such as: The room is closed.")},
    )
    field_order = ["from_on", "until_on", "place_only", "reason"]

    def __init__(self, *args, group: Group, **kwargs):
        super().__init__(*args, **kwargs)
        self.group = group

    def clean_place_only(self) -> bool:
        place_only = self.cleaned_data["place_only"]
        if place_only and not self.group.link:
            raise forms.ValidationError(_("This group has no meeting link. Add one on its page first."))
        return place_only


class CancelRangeForm(FromUntilForm):
    groups = forms.ModelMultipleChoiceField(
        Group.objects.none(),
        label=_("Groups"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one group.")},
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=Suspension._meta.get_field("reason").max_length,
        help_text=REASON_HELP,
        error_messages={"required": _("Write a short reason, such as: Holiday.")},
    )
    field_order = ["groups", "from_on", "until_on", "reason"]

    def __init__(self, *args, groups, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["groups"].queryset = groups  # type: ignore[attr-defined]  # a choice field


class ChangeDateForm(forms.Form):
    """Another time or place for one date, or for its schedule from then on."""

    class Scope:
        THIS, LATER, ALL = "this", "later", "all"

    scope = forms.ChoiceField(
        label=_("Change"),
        widget=forms.RadioSelect,
        initial=Scope.THIS,
        choices=[
            (Scope.THIS, _("this date only")),
            (Scope.LATER, _("this and all later dates")),
            (Scope.ALL, _("all coming dates")),
        ],
    )
    on = forms.DateField(label=_("Day"), widget=DAY)
    at = forms.TimeField(label=_("Starts"), widget=CLOCK)
    minutes = Minutes()
    mode = forms.ChoiceField(label=_("Where"), choices=Group.Mode.choices)
    room = forms.ModelChoiceField(Room.objects.all(), label=_("Room"), required=False, empty_label=_("the group’s own"))

    def __init__(self, *args, meeting: Meeting, **kwargs):
        as_it_is = {
            "on": meeting.local_date,
            "at": meeting.local_time,
            "minutes": meeting.minutes,
            "mode": meeting.mode,
            "room": meeting.room_id,
        }
        kwargs["initial"] = {"scope": self.Scope.THIS} | as_it_is
        super().__init__(*args, **kwargs)
        self.meeting = meeting

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self._look_at_time(cleaned)
            if cleaned["scope"] != self.Scope.THIS:
                self._look_at_schedule(cleaned)
        return cleaned

    def _look_at_time(self, cleaned) -> None:
        starts_at = recurrence.starts_at(cleaned["on"], cleaned["at"], self.meeting.time_zone)
        if starts_at <= timezone.now():
            self.add_error("on", _("This time is over. Choose a later one."))

    def _look_at_schedule(self, cleaned) -> None:
        if cleaned["on"].isocalendar()[:2] != self.meeting.series_date.isocalendar()[:2]:
            self.add_error(
                "on", _("A schedule moves within the week. Choose a day of the same week, or this date only.")
            )
        if cleaned["mode"] != self.meeting.mode or cleaned["room"] != self.meeting.room:
            self.add_error("scope", _("To change where all dates are, change the group. Here, choose this date only."))

    @property
    def place_and_time(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("on", "at", "minutes", "mode", "room")}

    @property
    def rule(self) -> dict[str, Any]:
        """The schedule with the weekday of this date moved, and its hour."""
        series, now = self.meeting.series, self.cleaned_data
        days = {day for day in series.weekdays if day != self.meeting.series_date.weekday()} | {now["on"].weekday()}
        return {"weekdays": sorted(days), "start_time": now["at"], "minutes": now["minutes"]}


class SubstituteForm(forms.Form):
    substitute = forms.ModelChoiceField(
        Member.objects.none(),
        label=_("Who leads this date"),
        required=False,
        empty_label=_("the group’s own counselor"),
    )

    def __init__(self, *args, meeting: Meeting, **kwargs):
        kwargs["initial"] = {"substitute": meeting.substitute_id}
        super().__init__(*args, **kwargs)
        own = Facilitator.objects.filter(group=meeting.group_id).values("member")
        field = self.fields["substitute"]
        field.queryset = Member.objects.counselors().exclude(pk__in=own)  # type: ignore[attr-defined]
        field.label_from_instance = lambda one: f"{one.display_name} ({one.code})"  # type: ignore[attr-defined]


class TopicPlanForm(forms.Form):
    """The coming dates, each with the topics of its group to choose from; one question for all of them."""

    def __init__(self, *args, meetings: list[Meeting], topics: list[Topic], **kwargs):
        super().__init__(*args, **kwargs)
        self.topics = {str(one.pk): one for one in topics}
        choices = [("", _("not planned")), *((str(one.pk), one.title) for one in topics)]
        for meeting in meetings:
            known = choices
            if meeting.topic and str(meeting.topic_id) not in self.topics:  # kept, though it is offered no more
                known = [*choices, (str(meeting.topic_id), meeting.topic.title)]
                self.topics[str(meeting.topic_id)] = meeting.topic
            self.fields[f"topic-{meeting.pk}"] = forms.ChoiceField(
                label=_("Topic on %(when)s") % {"when": wording.when(meeting)},
                choices=known,
                required=False,
                initial=str(meeting.topic_id or ""),
            )

    @property
    def chosen(self) -> dict:
        return {UUID(name.removeprefix("topic-")): self.topics.get(value) for name, value in self.cleaned_data.items()}
