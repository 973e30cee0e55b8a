import unicodedata
from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import time_zones
from .models import Member

UNSEEN = {"Cc", "Cf", "Co", "Cn", "Cs"}  # controls, formats (invisible, or turning the text around), no characters
BLANK_LETTERS = "\u115f\u1160\u3164\uffa0"  # Hangul fillers: letters by name, nothing to see


class DisplayNameField(forms.CharField):
    """A name to be met by: visible, in any script, and no address."""

    def __init__(self, **kwargs):
        super().__init__(
            label=_("Display name"),
            max_length=40,
            help_text=_("What others in the meeting may call you. It need not be your real name."),
            widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
            **kwargs,
        )

    def clean(self, value):
        name = " ".join(super().clean(value).split())
        if "@" in name:
            raise forms.ValidationError(_("Please choose a name that is not an e-mail address."))
        if any(unicodedata.category(letter) in UNSEEN for letter in name):
            raise forms.ValidationError(_("Please choose a name without invisible characters."))
        if not any(unicodedata.category(letter)[0] in "LN" and letter not in BLANK_LETTERS for letter in name):
            raise forms.ValidationError(_("Please choose a name with at least one letter or number."))
        return name


class DisplayNameForm(forms.Form):
    display_name = DisplayNameField()


class DisplayForm(forms.Form):
    """How the site looks. The language and the zone may be left as the device says."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.CharField(
        label=_("Time zone"),
        required=False,
        max_length=60,
        help_text=_("Leave it empty to go by your device. Or write a city, such as America/Chicago, or Central time."),
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "autocapitalize": "words"}),
    )
    text_size = forms.ChoiceField(
        label=_("Size of the words"), choices=Member.TextSize.choices, widget=forms.RadioSelect
    )

    def clean_time_zone(self):
        words = self.cleaned_data["time_zone"]
        name = time_zones.find_time_zone(words) if words else ""
        if words and not name:
            raise forms.ValidationError(
                _("We do not know “%(zone)s”. Write a city near you, such as America/New_York, or leave it empty."),
                params={"zone": words},
            )
        return name


class LoginForm(AllauthLoginForm):
    """Staying signed in is an answer to a question, and not staying is the answer of whoever passes it over."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["remember"] = forms.BooleanField(
            label=_("Keep me signed in when I close the browser"),
            help_text=_("Not on a phone or computer you share. After a while without use you are signed out anyway."),
            required=False,
        )


class AppCodesForm(ActivateTOTPForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code that the app shows")


class AddPasskeyForm(AddWebAuthnForm):
    """A passkey signs one in by itself, unless one wants it after the password only."""

    name = forms.CharField(
        label=_("Name of this device"), required=False, help_text=_("Such as “my phone”. You may leave it as it is.")
    )
    passwordless = forms.BooleanField(
        label=_("Sign me in with it alone, without the password"), required=False, initial=True
    )


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(label=_("Name of this device"), max_length=60)


class SignupForm(AllauthSignupForm):
    """E-mail, display name, password: everything else can wait (A11Y-06)."""

    display_name = DisplayNameField()
    field_order = ["email", "display_name", "password1"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # The trap for robots is hidden by the page: its own inline style would be blocked, and so be seen.
        self.fields["website"].widget.attrs = {"tabindex": "-1", "autocomplete": "off"}

    def save(self, request):
        with transaction.atomic():
            return super().save(request)

    def try_save(self, request):
        """Two taps on "Sign up", even at once: the second is answered like the first, whose code is in the mail.

        An address that is taken is answered like a free one, and takes as long (SEC-05): making the member would have
        hashed the password, which takes most of the time.
        """
        if self.account_already_exists:
            Member().set_password(self.cleaned_data["password1"])
        try:
            if not self._has_just_signed_up():
                return super().try_save(request)
        except IntegrityError:
            if not self._has_just_signed_up():
                raise
        return None, get_adapter().respond_email_verification_sent(request, None)

    def _has_just_signed_up(self) -> bool:
        since = timezone.now() - timedelta(minutes=1)
        return Member.objects.filter(email=self.cleaned_data["email"], joined_at__gt=since).exists()
