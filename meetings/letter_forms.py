"""Forms around attendance letters."""

from datetime import date, datetime, time, timedelta
from typing import cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from groups.models import Group

from .letter_models import AttendanceLetter

LONGEST = timedelta(days=366)


def date_field(label, **kwargs) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs)


class GroupByName(forms.ModelChoiceField):
    def label_from_instance(self, group: Group) -> str:
        return group.name


class LetterForm(forms.Form):
    """For which group, and from when to when."""

    group = GroupByName(label=gettext_lazy("Group"), queryset=None, empty_label=None)
    first = date_field(gettext_lazy("From"))
    last = date_field(gettext_lazy("Until"), help_text=gettext_lazy("The same day twice gives a letter for one day."))

    def __init__(self, *args, groups, **kwargs):
        super().__init__(*args, **kwargs)
        cast(GroupByName, self.fields["group"]).queryset = groups

    def clean(self):
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last day is before the first. Choose a later one."))
        elif first and last and last - first > LONGEST:
            self.add_error("first", _("One letter holds a year at most. Choose a later day, or ask for two letters."))
        return cleaned


class VerifyForm(forms.Form):
    OFF = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}

    number = forms.CharField(label=gettext_lazy("Number"), max_length=20, widget=forms.TextInput(attrs=OFF))
    code = forms.CharField(label=gettext_lazy("Code"), max_length=20, widget=forms.TextInput(attrs=OFF))

    def clean_number(self) -> str:
        letters = self._letters("number")
        return f"{letters[:4]}-{letters[4:]}"

    def clean_code(self) -> str:
        return self._letters("code")

    def _letters(self, name: str) -> str:
        """As it was typed from paper: small letters and gaps do not matter."""
        return "".join(letter for letter in self.cleaned_data[name].upper() if letter.isalnum())


class DisclosureForm(forms.Form):
    """To whom a letter may go, for what, until when (42 CFR 2.31)."""

    recipient = forms.CharField(
        label=gettext_lazy("To whom"),
        max_length=120,
        help_text=gettext_lazy("The name of one person or one office, such as: County court, clerk’s office."),
    )
    purpose = forms.CharField(
        label=gettext_lazy("What for"), max_length=120, help_text=gettext_lazy("Such as: to show that I came.")
    )
    until = date_field(gettext_lazy("Until"), help_text=gettext_lazy("A year from now at most."))
    agree = forms.BooleanField(
        label=gettext_lazy("You may give this letter to them. I can take this back here at any time."),
        error_messages={"required": gettext_lazy("Tick this box, or nothing will go there.")},
    )

    def __init__(self, *args, letter: AttendanceLetter, **kwargs):
        super().__init__(*args, **kwargs)
        self.zone = letter.group.zone
        self.today: date = timezone.now().astimezone(self.zone).date()

    def clean_until(self) -> date:
        until = self.cleaned_data["until"]
        if not self.today <= until <= self.today + LONGEST:
            raise forms.ValidationError(_("Choose a day from today to a year from now."))
        return until

    def facts(self) -> dict:
        ends = datetime.combine(self.cleaned_data["until"] + timedelta(days=1), time(), self.zone)
        kept = {name: self.cleaned_data[name] for name in ("recipient", "purpose")}
        return kept | {"expires_at": ends - timedelta(seconds=1)}
