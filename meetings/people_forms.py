"""Forms about people in their groups: who goes first on a waiting list, writing to them, what they share."""

import re
import uuid
from typing import cast

from django import forms
from django.core import signing
from django.utils.translation import gettext_lazy as _

from members.models import Consent
from outbox.wordings import tidy

from .message_models import GroupMessage
from .models import LetFirst
from .shared_models import Shared

STAMP_SALT = "meetings.message"
FORM_IS_GOOD_FOR = 24 * 60 * 60  # seconds
LONGEST_MESSAGE = 1000  # letters


class LetFirstForm(forms.Form):
    """Why somebody goes first, and before whom: the member who was first when it was asked."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LetFirst._meta.get_field("reason").max_length,
        help_text=_("Only those who run this group and coordinators read it. Name no illness."),
        error_messages={"required": _("Write a short reason, such as: Came a long way last time and found it full.")},
    )
    instead_of = forms.UUIDField(widget=forms.HiddenInput)


class MessageForm(forms.Form):
    """To whom and what. The form carries the id of its message, stamped by us: sent twice, it is one message."""

    audience = forms.ChoiceField(label=_("Who gets it"), widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("What you want to say"),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Plain words, at most 1,000 letters. Name no member, and nothing of what was shared."),
        error_messages={"required": _("Write what you want to say.")},
    )
    stamp = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, is_of_meeting: bool, **kwargs):
        super().__init__(*args, **kwargs)
        offered = GroupMessage.OF_A_MEETING if is_of_meeting else (GroupMessage.Audience.MEMBERS,)
        audience = cast(forms.ChoiceField, self.fields["audience"])
        audience.choices = [(one.value, one.label) for one in offered]
        self.initial.setdefault("audience", offered[0].value)
        self.initial["stamp"] = signing.dumps(str(uuid.uuid4()), salt=STAMP_SALT)

    def clean_text(self) -> str:
        return tidy(self.cleaned_data["text"])

    def clean_stamp(self) -> str:
        """As it came, if it is ours; else a new one: nobody chooses it."""
        try:
            signing.loads(self.cleaned_data["stamp"], salt=STAMP_SALT, max_age=FORM_IS_GOOD_FOR)
        except signing.BadSignature:
            return self.initial["stamp"]
        return self.cleaned_data["stamp"]

    @property
    def message_id(self) -> uuid.UUID:
        return uuid.UUID(signing.loads(self.cleaned_data["stamp"], salt=STAMP_SALT))


class PhoneForm(forms.Form):
    phone = forms.CharField(
        label=_("Phone number"),
        max_length=30,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        error_messages={"required": _("Write a number, such as 555 0100 123.")},
    )
    phone_agree = forms.BooleanField(
        label=Consent.WORDS[Consent.Kind.CALLS],
        error_messages={"required": _("Tick this box, or keep the number to yourself.")},
    )

    def clean_phone(self) -> str:
        number = " ".join(self.cleaned_data["phone"].split())
        digits = sum(sign.isdecimal() for sign in number)
        if not re.fullmatch(r"\+?[0-9 ()./-]+", number) or not 5 <= digits <= 15:
            raise forms.ValidationError(_("Write a number of 5 to 15 digits. Spaces, dots and lines are fine."))
        return number

    @property
    def shared(self) -> tuple[Shared.Kind, str]:
        return Shared.Kind.PHONE, self.cleaned_data["phone"]


class NeedsForm(forms.Form):
    needs = forms.CharField(
        label=_("What I need"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as: a way in without steps, a hearing loop, an interpreter. You need not say why."),
        error_messages={"required": _("Write what you need, in a few words.")},
    )
    needs_agree = forms.BooleanField(
        label=Consent.WORDS[Consent.Kind.ACCESS_NEEDS],
        error_messages={"required": _("Tick this box, or keep the note to yourself.")},
    )

    def clean_needs(self) -> str:
        return tidy(self.cleaned_data["needs"])

    @property
    def shared(self) -> tuple[Shared.Kind, str]:
        return Shared.Kind.NEEDS, self.cleaned_data["needs"]
