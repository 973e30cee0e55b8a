"""What this site knows about a member from the wording of mails: only of those who write it."""

from django.db.models import Q
from django.utils.translation import gettext_lazy

from members.data_parts import Part, Theme, register, register_words
from outbox.models import Wording, WordingPeriod


def register_parts() -> None:
    register(WROTE, CHOSE)
    register_words(WORDS)


KEPT = gettext_lazy("For good: so that it can be told what a mail said. Your name goes when your account does.")

WROTE = Part(
    name="wordings",
    theme=Theme.WORK,
    heading=gettext_lazy("Words of mails you wrote"),
    why=gettext_lazy("So that those who work here know whom to ask about them."),
    kept=KEPT,
    columns={
        "letter": gettext_lazy("Mail"),
        "language": gettext_lazy("Language"),
        "subject": gettext_lazy("Subject"),
        "opening": gettext_lazy("Opening"),
        "closing": gettext_lazy("Closing"),
        "written_at": gettext_lazy("Written"),
    },
    rows=lambda member: Wording.objects.filter(written_by=member).order_by("-pk"),
    say=lambda row, member: (
        row.letter,
        row.get_language_display(),
        row.subject,
        row.opening,
        row.closing,
        row.written_at,
    ),
    covers=frozenset({"outbox.Wording.written_by"}),
)

CHOSE = Part(
    name="wordings-chosen",
    theme=Theme.WORK,
    heading=gettext_lazy("Words of mails you put to use, or ended"),
    why=gettext_lazy("So that those who work here know who decided."),
    kept=KEPT,
    columns={
        "letter": gettext_lazy("Mail"),
        "language": gettext_lazy("Language"),
        "began_at": gettext_lazy("From"),
        "ended_at": gettext_lazy("Until"),
    },
    rows=lambda member: WordingPeriod.objects.filter(Q(began_by=member) | Q(ended_by=member)).order_by("-pk"),
    say=lambda row, member: (row.letter, row.get_language_display(), row.began_at, row.ended_at),
    covers=frozenset({"outbox.WordingPeriod.began_by", "outbox.WordingPeriod.ended_by"}),
)

WORDS = {
    "wording.written": gettext_lazy("wrote words for a mail"),
    "wording.used": gettext_lazy("put words of a mail to use"),
    "wording.tried": gettext_lazy("began to try words of a mail on half of the people"),
    "wording.put_back": gettext_lazy("put a mail back to its own words"),
}
