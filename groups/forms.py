from django import forms
from django.utils.translation import gettext_lazy as _

from members.models import Consent


class JoinForm(forms.Form):
    accept = forms.BooleanField(
        label=_("I have read this and I agree."),
        error_messages={"required": _("To join, please read the ground rules and tick this box.")},
    )
    reminders = forms.BooleanField(
        label=Consent.WORDS[Consent.Kind.REMINDERS],
        required=False,
        help_text=_("You can stop this at any time. Your place stays yours."),
    )
