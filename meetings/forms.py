from django import forms
from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from groups.models import Group

from .models import Meeting, MeetingQuerySet

ANY = ("", _("Any"))


class FindForm(forms.Form):
    """What to look for, from the address: `?day=1&kind=support&mode=online&q=garden`. Nothing is required."""

    TIMES = [
        ("morning", _("Morning")),
        ("afternoon", _("Afternoon")),
        ("evening", _("Evening")),
        ("night", _("Night")),
    ]
    HOURS = {"morning": (5, 12), "afternoon": (12, 17), "evening": (17, 21), "night": (21, 5)}

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

    def meetings(self) -> MeetingQuerySet:
        """The listed coming meetings that fit; a value that is no choice is passed over, the page says so."""
        self.is_valid()
        wanted = self.cleaned_data
        found = Meeting.objects.upcoming().listed()
        if wanted.get("day"):
            found = found.on_weekday(int(wanted["day"]))
        if wanted.get("time"):
            found = found.between_hours(*self.HOURS[wanted["time"]])
        if wanted.get("kind"):
            found = found.filter(group__kind=wanted["kind"])
        if wanted.get("mode"):
            found = found.filter(mode__in=[wanted["mode"], Group.Mode.HYBRID])
        if wanted.get("language"):
            found = found.filter(group__language=wanted["language"])
        if wanted.get("q"):
            found = found.matching(wanted["q"])
        return found


class WalkInForm(forms.Form):
    code = forms.CharField(
        label=_("Member code"),
        max_length=12,
        help_text=_("On the person’s own page, such as M-7F3K2P."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
