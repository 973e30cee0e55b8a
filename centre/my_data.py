"""What this site knows about a member from the questions to the centre: only of those who answer them."""

from django.utils.translation import gettext_lazy

from members.data_parts import Part, Theme, register, register_words

from .models import Question


def register_parts() -> None:
    register(TAKEN)
    register_words(WORDS)


TAKEN = Part(
    name="questions",
    theme=Theme.WORK,
    heading=gettext_lazy("Questions you took to answer"),
    why=gettext_lazy("So that two people do not answer the same question."),
    kept=gettext_lazy("Until the question is erased, some weeks after its answer."),
    columns={
        "asked_at": gettext_lazy("Asked"),
        "taken_at": gettext_lazy("You took it"),
        "answered_at": gettext_lazy("Answered"),
    },
    rows=lambda member: Question.objects.filter(taken_by=member).order_by("-taken_at", "-pk"),
    say=lambda row, member: (row.asked_at, row.taken_at, row.answered_at),
    covers=frozenset({"centre.Question.taken_by"}),
)

WORDS = {
    "mail.question": gettext_lazy("a question waits for an answer"),
    "question.taken": gettext_lazy("took a question to answer"),
    "question.answered": gettext_lazy("answered a question"),
    "question.opened": gettext_lazy("put a question back for everybody"),
    "question.erased": gettext_lazy("erased an old question"),
}
