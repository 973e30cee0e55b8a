from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.utils.translation import gettext_lazy as _


class SignupForm(AllauthSignupForm):
    """E-mail, display name, password: everything else can wait (A11Y-06)."""

    display_name = forms.CharField(
        label=_("Display name"),
        max_length=40,
        help_text=_("What others in the meeting may call you. It need not be your real name."),
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    field_order = ["email", "display_name", "password1"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # The trap for robots is hidden by the page: its own inline style would be blocked, and so be seen.
        self.fields["website"].widget.attrs = {"tabindex": "-1", "autocomplete": "off"}

    def clean_display_name(self):
        name = " ".join(self.cleaned_data["display_name"].split())
        if "@" in name:
            raise forms.ValidationError(_("Please choose a name that is not an e-mail address."))
        return name
