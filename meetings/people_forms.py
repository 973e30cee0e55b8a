"""Forms about people in their groups: who goes first on a waiting list."""

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import LetFirst


class LetFirstForm(forms.Form):
    """Why somebody goes first, and before whom: the member who was first when it was asked."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LetFirst._meta.get_field("reason").max_length,
        help_text=_("Only those who run this group and coordinators read it. Name no illness."),
        error_messages={"required": _("Write a short reason, such as: Came a long way last time and found it full.")},
    )
    instead_of = forms.UUIDField(widget=forms.HiddenInput)
