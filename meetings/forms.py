from datetime import UTC, datetime
from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from groups.models import Group
from members.models import SUNDAY, Consent, Member, ReminderSettings
from outbox import kinds

from .wording import clock

ANY = ("", _("Any"))


class FindForm(forms.Form):
    """What to look for, from the address: `?day=1&kind=support&mode=online&q=garden`. Nothing is required."""

    TIMES = [
        ("morning", _("Morning")),
        ("afternoon", _("Afternoon")),
        ("evening", _("Evening")),
        ("night", _("Night")),
    ]

    q = forms.CharField(label=_("Name or area"), required=False, max_length=80)
    day = forms.ChoiceField(label=_("Day"), required=False, choices=[ANY, *((str(n), d) for n, d in WEEKDAYS.items())])
    time = forms.ChoiceField(label=_("Time of day"), required=False, choices=[ANY, *TIMES])
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[ANY, *Group.Kind.choices])
    mode = forms.ChoiceField(
        label=_("Where"),
        required=False,
        choices=[ANY, (Group.Mode.IN_PERSON, _("In person")), (Group.Mode.ONLINE, _("Online"))],
    )
    language = forms.ChoiceField(label=_("Language"), required=False, choices=[ANY, *settings.LANGUAGES])
    audience = forms.ChoiceField(label=_("For"), required=False, choices=[ANY, *Group.Audience.choices])
    access = forms.ChoiceField(label=_("Getting in"), required=False, choices=[ANY, ("1", _("Wheelchair access"))])
    places = forms.ChoiceField(label=_("Places"), required=False, choices=[ANY, ("1", _("With free places"))])

    MORE = ("kind", "audience", "mode", "language", "access", "places")

    def wanted(self) -> dict[str, str]:
        """What was asked for and understood, by name of the filter; a value that is no choice is passed over."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def not_understood(self) -> list[str]:
        """The labels of those that were passed over."""
        return [str(self.fields[name].label) for name in self.errors]

    def words(self, name: str) -> str:
        """A choice as people read it: `Tuesday`, `“garden”`."""
        value = self.wanted()[name]
        return str(dict(cast(Any, self.fields[name]).choices)[value]) if name != "q" else f"“{value}”"


class GroupsField(forms.ModelMultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, group: Group) -> str:
        return group.name


class RemindersForm(forms.Form):
    """How somebody wants to be reminded: everything on one page, nothing hidden."""

    WEEKS = [
        ("", _("No pause")),
        ("1", _("1 week")),
        ("2", _("2 weeks")),
        ("4", _("4 weeks")),
        ("8", _("8 weeks")),
    ]

    wanted = forms.BooleanField(label=Consent.WORDS[Consent.Kind.REMINDERS], required=False)
    lead = forms.ChoiceField(
        label=_("When"),
        choices=ReminderSettings.Lead.choices,
        widget=forms.RadioSelect,
        help_text=_("On the day: for a meeting before noon we write the evening before."),
    )
    week_day = forms.TypedChoiceField(
        label=_("Day of the weekly e-mail"),
        choices=WEEKDAYS.items(),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=_("Only for once a week. It tells of the seven days after it."),
    )
    wording = forms.ChoiceField(label=_("Words"), choices=ReminderSettings.Wording.choices, widget=forms.RadioSelect)
    agree = forms.BooleanField(
        label=Consent.WORDS[Consent.Kind.FULL_WORDING],
        required=False,
        help_text=_("Needed only for the full words. You can go back at any time."),
    )
    quiet_from = forms.TypedChoiceField(label=_("Quiet from"), required=False, coerce=int, empty_value=None)
    quiet_until = forms.TypedChoiceField(label=_("Quiet until"), required=False, coerce=int, empty_value=None)
    pause = forms.ChoiceField(label=_("Pause for"), choices=WEEKS, required=False)
    missed_you = forms.BooleanField(label=Consent.WORDS[Consent.Kind.MISSED_YOU], required=False)
    group_messages = forms.BooleanField(label=_("Send me messages from those who run my meetings."), required=False)
    muted = GroupsField(
        label=_("No reminders from"),
        queryset=None,
        required=False,
        help_text=_("And no messages from those who run it. If a time changes or is off, we still write."),
    )
    roster_nudges = forms.BooleanField(
        label=_("Write to me the next morning when nobody has noted who came."),
        required=False,
        help_text=_("At most three times for each meeting, until it is noted."),
    )

    weekly_figures = forms.BooleanField(label=_("Send me the numbers of the week on Mondays."), required=False)

    def __init__(self, *args, member: Member, **kwargs):
        super().__init__(*args, **kwargs)
        if not kinds.is_sent_here("figures") or member.role not in (Member.Role.COORDINATOR, Member.Role.REPORTS):
            del self.fields["weekly_figures"]
        if not kinds.is_sent_here("roster_open") or not (member.is_counselor or member.is_coordinator):
            del self.fields["roster_nudges"]
        if not kinds.is_sent_here("message"):
            del self.fields["group_messages"]
        if not kinds.is_sent_here("missed"):
            del self.fields["missed_you"]
        if not kinds.is_sent_here("week"):
            del self.fields["week_day"]
            lead = cast(forms.ChoiceField, self.fields["lead"])
            lead.choices = [choice for choice in ReminderSettings.Lead.choices if choice[0] != "weekly"]
        hours = [("", "–"), *((str(hour), clock(datetime(2026, 1, 1, hour, tzinfo=UTC))) for hour in range(24))]
        for name in ("quiet_from", "quiet_until"):
            cast(forms.ChoiceField, self.fields[name]).choices = hours
        cast(GroupsField, self.fields["muted"]).queryset = Group.objects.of_member(member)

    def clean_week_day(self) -> int:
        chosen = self.cleaned_data["week_day"]
        return SUNDAY if chosen is None else chosen

    def clean(self):
        cleaned = super().clean() or {}
        if cleaned.get("wording") == ReminderSettings.Wording.FULL and not cleaned.get("agree"):
            self.add_error("agree", _("For the full words, please tick this box. Or choose the neutral words."))
        if not {"quiet_from", "quiet_until"} & self.errors.keys():
            self._check_quiet_hours(cleaned["quiet_from"], cleaned["quiet_until"])
        return cleaned

    def _check_quiet_hours(self, quiet_from: int | None, quiet_until: int | None) -> None:
        if (quiet_from is None) != (quiet_until is None):
            self.add_error(
                "quiet_until" if quiet_until is None else "quiet_from",
                _("Quiet hours need a start and an end. Choose both, or none."),
            )
        elif quiet_from is not None and quiet_from == quiet_until:
            self.add_error("quiet_until", _("The quiet hours start and end at the same time. Choose two times."))
        elif quiet_from is not None:
            quiet = ReminderSettings(quiet_from=quiet_from, quiet_until=quiet_until)
            if all(map(quiet.is_quiet_at, range(*settings.REMIND_HOURS))):
                self.add_error(
                    "quiet_until", _("That leaves no time for a reminder. Choose fewer hours, or turn reminders off.")
                )


class WalkInForm(forms.Form):
    code = forms.CharField(
        label=_("Member code"),
        max_length=12,
        help_text=_("On the person’s own page, such as M-7F3K2P."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
