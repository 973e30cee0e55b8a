"""Forms around the roster: what is printed to sign, and the code of the room."""

from typing import cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class SheetForm(forms.Form):
    """Which sheet, from the address: `?kind=slips&names=on&lines=12`."""

    SHEET, SLIPS, BLANK = "sheet", "slips", "blank"
    KINDS = [
        (SHEET, _("One sheet for all")),
        (SLIPS, _("A slip for each person, so that nobody reads the others’ lines")),
        (BLANK, _("A blank sheet to keep for a day without power or internet: no date, no names")),
    ]

    kind = forms.ChoiceField(label=_("What to print"), choices=KINDS, widget=forms.RadioSelect)
    names = forms.BooleanField(
        label=_("With the names of those who have a place"),
        required=False,
        help_text=_("On one sheet, everybody who signs reads all names. Slips keep them apart."),
    )
    lines = forms.IntegerField(
        label=_("Empty lines or slips"),
        min_value=0,
        max_value=60,
        help_text=_("From 0 to 60."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if settings.SIGN_IN_SLIPS:
            kind = cast(forms.ChoiceField, self.fields["kind"])
            kind.choices = [choice for choice in self.KINDS if choice[0] != self.SHEET]


class CheckInForm(forms.Form):
    code = forms.CharField(
        label=_("Room code"),
        max_length=20,
        help_text=_("Six letters and numbers. The person who runs the meeting shows them to you."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

    def clean_code(self) -> str:
        """As it was typed from a screen: small letters and gaps do not matter."""
        return "".join(letter for letter in self.cleaned_data["code"].upper() if letter.isalnum())
