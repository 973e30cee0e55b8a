"""What reports write into the record of changes, in plain words."""

from django.utils.translation import gettext_lazy

from members.data_parts import register_words

WORDS = {
    "mail.figures": gettext_lazy("the numbers of the week"),
    "report.exported": gettext_lazy("took a report along as a file"),
}


def register_parts() -> None:
    register_words(WORDS)
