import secrets
import time

from django import forms
from django.conf import settings
from django.core import signing
from django.core.validators import validate_email
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

STAMP_SALT = "centre.question"
QUICKEST = 3  # seconds in which no person reads the page and writes a question
FEWEST_DIGITS = 7  # of a phone number


def new_stamp() -> str:
    """Goes into the form: a token, so that sending twice is harmless, and when the form was made."""
    return signing.dumps([secrets.token_urlsafe(24), int(time.time())], salt=STAMP_SALT)


class QuestionForm(forms.Form):
    """One question; everything else can be left empty. Robots are kept away without a puzzle.

    What a robot does, a hurried person or a helpful browser can do as well. So nothing is thrown away in silence: the
    page comes back with every word still in it, and sending it once more is enough.
    """

    message = forms.CharField(
        label=_("Your question"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("You need not say why you ask."),
        error_messages={
            "required": _("Please write your question."),
            "max_length": _("Please write it a little shorter."),
        },
    )
    name = forms.CharField(
        label=_("Your name (if you like)"),
        max_length=60,
        required=False,
        help_text=_("A first name or any name is fine."),
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    reach = forms.CharField(
        label=_("E-mail or phone (if you like)"),
        max_length=120,
        required=False,
        help_text=_("Without it we cannot answer you. We use it only to answer."),
        widget=forms.TextInput(attrs={"autocomplete": "email"}),
    )
    good_time = forms.CharField(
        label=_("A good time to reach you (if you like)"),
        max_length=120,
        required=False,
        help_text=_("Such as: weekdays after 5 pm."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    may_leave_message = forms.TypedChoiceField(
        label=_("If you do not pick up, may we leave a message?"),
        choices=[("no", _("No")), ("yes", _("Yes"))],
        coerce=lambda answer: answer == "yes",
        initial="no",
        required=False,
        empty_value=None,
        widget=forms.RadioSelect,
    )
    website = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )
    stamp = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("stamp", new_stamp())
        self.fields["may_leave_message"].help_text = _now("We would say only that “%(site_name)s” called.") % {
            "site_name": settings.SITE_NAME
        }
        self.token = ""

    def clean_reach(self) -> str:
        reach = self.cleaned_data["reach"].strip()
        if "@" in reach:
            try:
                validate_email(reach)
            except forms.ValidationError as error:
                raise forms.ValidationError(_("This e-mail address looks cut off. Please check it.")) from error
        elif reach and sum(letter.isdigit() for letter in reach) < FEWEST_DIGITS:
            raise forms.ValidationError(_("Please write an e-mail address or a whole phone number, or leave it empty."))
        return reach

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        if not self._is_ours_and_slow(cleaned.get("stamp", "")) or cleaned.get("website"):
            self._renew()
            raise forms.ValidationError(_("To be sure that a person sent this, please press “Send” once more."))
        cleaned["may_leave_message"] = bool(cleaned.get("may_leave_message") and cleaned.get("reach"))
        return cleaned

    def question(self) -> dict:
        """What was asked, without what kept robots away."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("website", "stamp")}

    def _is_ours_and_slow(self, stamp: str) -> bool:
        """Whether this site made the form, and not just now. One that was open for days is as good."""
        try:
            self.token, made_at = signing.loads(stamp, salt=STAMP_SALT)
        except signing.BadSignature:
            return False
        return time.time() - made_at >= QUICKEST

    def _renew(self) -> None:
        """Show the form with the trap empty, and with a stamp of ours if it had none."""
        kept = {name: self.data.get(name) for name in self.data}
        self.data = kept | {"website": "", "stamp": kept["stamp"] if self.token else new_stamp()}
