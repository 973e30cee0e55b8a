from django import forms
from django.utils.translation import gettext_lazy as _

from groups.models import Group
from outbox.wordings import EditableLetter, Words, problems, tidy

PARTS = {"subject": 150, "opening": 400, "closing": 1000}  # at most so many letters are looked at


class WordsForm(forms.Form):
    """The three parts of a letter that can be changed. Once valid, `words` has them."""

    subject = forms.CharField(
        label=_("Subject"),
        required=False,
        max_length=PARTS["subject"],
        help_text=_("The first thing people see, often on a locked phone. One line."),
    )
    opening = forms.CharField(
        label=_("Opening"),
        required=False,
        max_length=PARTS["opening"],
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The first sentence of the mail. A locked phone often shows it too."),
    )
    closing = forms.CharField(
        label=_("Closing"),
        required=False,
        max_length=PARTS["closing"],
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("If you like, a few words at the end. This can stay empty."),
    )
    after = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args, letter: EditableLetter, language: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.letter, self.language = letter, language
        for name in PARTS:
            self.fields[name].widget.attrs["lang"] = language

    @property
    def words(self) -> Words:
        """As typed, but for blanks around it; also where it is not valid."""
        typed = {
            name: str(self.cleaned_data.get(name, self.data.get(name)) or "")[:most] for name, most in PARTS.items()
        }
        return Words(tidy(typed["subject"]), " ".join(typed["opening"].split()), tidy(typed["closing"]))

    def clean(self):
        group_names = Group.objects.order_by("name").values_list("name", flat=True)
        for part, sentences in problems(self.words, self.letter, self.language, group_names=group_names).items():
            for sentence in sentences:
                self.add_error(part, sentence)


class DecisionForm(forms.Form):
    """What is to happen with words, and which period was open on the page where it was decided."""

    USE, TRY = "use", "try"

    do = forms.ChoiceField(choices=[(USE, USE), (TRY, TRY)])
    seen = forms.IntegerField(required=False)
