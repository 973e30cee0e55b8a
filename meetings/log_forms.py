"""Forms for what is kept of a meeting afterwards."""

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from groups.models import Group, Topic

from .log_models import LONGEST, Addendum, SessionLog
from .models import Meeting
from .services.session_log import names_in

BY_CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
NUMBERS = {"inputmode": "numeric"}


def credential_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Your credential"),
        max_length=80,
        help_text=gettext_lazy("Such as: certified peer specialist. We keep it for the next time."),
        error_messages={"required": gettext_lazy("Say what you work here as, such as: certified peer specialist.")},
    )


class SessionLogForm(forms.Form):
    """The facts of a meeting, by the clock where the group is. Boxes and numbers only: nothing can name anybody."""

    started = forms.TimeField(label=gettext_lazy("Started"), widget=BY_CLOCK)
    ended = forms.TimeField(label=gettext_lazy("Ended"), widget=BY_CLOCK)
    mode = forms.ChoiceField(label=gettext_lazy("Where"), choices=Group.Mode.choices)
    topic = forms.ChoiceField(label=gettext_lazy("Topic"), required=False)
    headcount = forms.IntegerField(
        label=gettext_lazy("People who came"),
        min_value=0,
        max_value=500,
        help_text=gettext_lazy("Members, and people without a name. Not you."),
        widget=forms.NumberInput(attrs=NUMBERS),
    )
    first_timers = forms.IntegerField(
        label=gettext_lazy("Of them here for the first time"),
        min_value=0,
        max_value=500,
        widget=forms.NumberInput(attrs=NUMBERS),
    )
    activities = forms.MultipleChoiceField(
        label=gettext_lazy("What we did"),
        required=False,
        choices=SessionLog.Activity.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    follow_ups = forms.MultipleChoiceField(
        label=gettext_lazy("To follow up"),
        required=False,
        choices=SessionLog.FollowUp.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Kinds of things to do, never about whom."),
    )

    def __init__(self, *args, log: SessionLog, **kwargs):
        self.meeting: Meeting = log.meeting
        zone = self.meeting.zone
        kwargs["initial"] = {
            "started": log.started_at.astimezone(zone).time(),
            "ended": log.ended_at.astimezone(zone).time(),
            "mode": log.mode,
            "topic": log.topic,
            "headcount": log.headcount,
            "first_timers": log.first_timers,
            "activities": log.activities,
            "follow_ups": log.follow_ups,
        }
        super().__init__(*args, **kwargs)
        names = {topic.title for topic in Topic.objects.for_group(self.meeting.group).only("name")} | {log.topic}
        cast(forms.ChoiceField, self.fields["topic"]).choices = [
            ("", _("No topic")),
            *((name, name) for name in sorted(names - {""})),
        ]

    def clean(self):
        cleaned = super().clean() or {}
        if not {"started", "ended"} & self.errors.keys():
            self._check_times(cleaned)
        people, new = cleaned.get("headcount"), cleaned.get("first_timers")
        if people is not None and new is not None and new > people:
            self.add_error("first_timers", _("That is more than all who came. Look at both numbers again."))
        return cleaned

    def _check_times(self, cleaned: dict[str, Any]) -> None:
        """An end by the clock before the start is past midnight, as long as that makes a meeting."""
        zone, on = self.meeting.zone, self.meeting.local_date
        started = datetime.combine(on, cleaned["started"], zone)
        ended = datetime.combine(on, cleaned["ended"], zone)
        if ended <= started:
            ended = datetime.combine(on + timedelta(days=1), cleaned["ended"], zone)
        if ended.timestamp() - started.timestamp() > LONGEST.total_seconds():
            self.add_error("ended", _("The end is before the start, or more than 12 hours after it. Look again."))
        self.times = {"started_at": started, "ended_at": ended}

    def facts(self) -> dict[str, Any]:
        """What the service keeps."""
        names = ("mode", "topic", "headcount", "first_timers", "activities", "follow_ups")
        return self.times | {name: self.cleaned_data[name] for name in names}


class SignLogForm(forms.Form):
    credential = credential_field()
    as_of = forms.DateTimeField(widget=forms.HiddenInput)


class AddendumForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("What to add"),
        max_length=Addendum._meta.get_field("text").max_length,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Facts about the meeting. No names and no codes of members."),
    )
    credential = credential_field()

    def __init__(self, *args, meeting: Meeting, **kwargs):
        self.meeting = meeting
        super().__init__(*args, **kwargs)

    def clean_text(self) -> str:
        text = self.cleaned_data["text"]
        if found := names_in(text, self.meeting):
            raise forms.ValidationError(
                _("“%(name)s” would tell who comes here. Say it without, such as: a member."),
                params={"name": "”, “".join(found)},
            )
        return text
