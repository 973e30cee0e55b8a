from django import forms
from django.utils.translation import gettext_lazy as _

from members.models import Consent

from .models import Agreement


class JoinForm(forms.Form):
    accept = forms.BooleanField(
        label=_("I have read this and I agree."),
        error_messages={"required": _("To join, please read the ground rules and tick this box.")},
    )
    agreement = forms.IntegerField(required=False, widget=forms.HiddenInput)
    reminders = forms.BooleanField(
        label=Consent.WORDS[Consent.Kind.REMINDERS],
        required=False,
        help_text=_("You can stop this at any time. Your place stays yours."),
    )

    def __init__(self, *args, agreement: Agreement | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.shown = agreement.pk if agreement else None

    def clean(self):
        """What is accepted is what was shown (OPS-02): rules that changed meanwhile are shown first."""
        cleaned = super().clean() or {}
        if cleaned.get("agreement") != self.shown:
            raise forms.ValidationError(_("The ground rules have just changed. Please read them again."))
        return cleaned
