"""Forms of restricted notes and incidents. The text is called secret, so no draft of it is kept in a session."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import Meeting
from .note_models import Incident


class NoteForm(forms.Form):
    secret_text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
        help_text=gettext_lazy("Once it is kept it cannot be changed. You can write another one."),
    )


class IncidentForm(forms.Form):
    """One step after the other: what it is, what was done, who was told, what is still to do, what happened."""

    kind = forms.ChoiceField(
        label=gettext_lazy("1. What kind of thing happened?"), choices=Incident.Kind.choices, widget=forms.RadioSelect
    )
    steps = forms.MultipleChoiceField(
        label=gettext_lazy("2. What did you do?"),
        choices=Incident.Step.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    told = forms.MultipleChoiceField(
        label=gettext_lazy("3. Who was told?"),
        choices=Incident.Told.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("When somebody told of harm, the law may ask you to report it. If unsure, ask today."),
    )
    follow_up_on = forms.DateField(
        label=gettext_lazy("4. By when will somebody look after it?"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Leave it empty if nothing is left to do."),
    )
    secret_text = forms.CharField(
        label=gettext_lazy("5. What happened?"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
        help_text=gettext_lazy("What was seen and heard, in order. Codes instead of names."),
    )

    def __init__(self, *args, meeting: Meeting, **kwargs):
        self.meeting = meeting
        super().__init__(*args, **kwargs)

    def clean_follow_up_on(self):
        day = self.cleaned_data["follow_up_on"]
        if day and day < self.meeting.local_date:
            raise forms.ValidationError(_("That is before the meeting. Choose a later day, or leave it empty."))
        return day

    def facts(self) -> dict:
        return {name: self.cleaned_data[name] for name in ("kind", "steps", "told", "follow_up_on")}
