from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from groups.models import Group

from . import figures
from .access import Scope

WEEKS_SHOWN = 12  # if nobody says otherwise
MOST_YEARS = 3
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
NOT_ALLOWED = "not_allowed"


class DayField(forms.DateField):
    def __init__(self, *, label):
        super().__init__(
            label=label,
            required=False,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            error_messages={"invalid": _("This is not a date. Write it as year-month-day, such as 2026-11-22.")},
        )

    def clean(self, value):
        day = super().clean(value)
        if day and not EARLIEST <= day <= LATEST:
            raise forms.ValidationError(_("There are no figures for that year."))
        return day


class AttendanceForm(forms.Form):
    """What to show, from the address: `?from=2026-08-31&to=2026-11-22&group=willow&format=csv`. Nothing is required.

    Once valid, `first` and `last` are the Monday and the Sunday around the days asked for.
    """

    NAMES = {"from_on": "from", "to_on": "to"}

    from_on = DayField(label=_("From"))
    to_on = DayField(label=_("To"))
    group: forms.Field = forms.ModelChoiceField(
        Group.objects.none(),
        label=_("Group"),
        required=False,
        to_field_name="slug",
        empty_label=_("All groups"),
        error_messages={"invalid_choice": _("There is no such group among those you see. Choose one from the list.")},
    )
    format = forms.ChoiceField(
        required=False,
        choices=[("html", "html"), ("csv", "csv")],
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": _("There are two formats: html and csv.")},
    )

    def __init__(self, data, *, scope: Scope, **options):
        self.scope = scope
        self.latest = figures.today() if scope.exact else figures.last_day_of_finished_weeks()
        super().__init__(data, label_suffix="", **options)
        group = self.fields["group"]
        if scope.exact and isinstance(group, forms.ModelChoiceField):
            group.queryset = scope.groups
        else:
            self.fields["group"] = forms.CharField(
                label=_("Group"), required=False, widget=forms.HiddenInput, validators=[_refuse_group]
            )

    def add_prefix(self, field_name):
        return self.NAMES.get(field_name, field_name)

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or {}
        if self.errors:
            return asked
        last = asked["to_on"] or max(self.latest, asked["from_on"] or self.latest)
        first = asked["from_on"] or last - timedelta(weeks=WEEKS_SHOWN - 1)
        if last < first:
            self.add_error("to_on", _("This day is before the first one. Swap the two."))
        elif last > _years_after(first, MOST_YEARS):
            self.add_error("to_on", _("This is more than three years. Choose a shorter time."))
        asked["first"], asked["last"] = figures.whole_weeks(first, last)
        return asked

    def showing(self, first: date, last: date) -> "AttendanceForm":
        """The form to ask again with, filled in with what is shown."""
        shown = {"from_on": first, "to_on": last, "group": self.data.get("group")}
        return AttendanceForm(None, scope=self.scope, initial=shown)


def _refuse_group(_slug: str) -> None:
    """The same for a group there is and one there is not."""
    raise forms.ValidationError(
        _("You see sums over all groups. Figures of one group are for those who run it."), code=NOT_ALLOWED
    )


def _years_after(day: date, years: int) -> date:
    return day.replace(year=day.year + years, day=min(day.day, 28) if day.month == 2 else day.day)
