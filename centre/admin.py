"""The questions that wait, for coordinators. Nobody writes here: what people asked stays as they asked it."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from members.scoped_admin import COORDINATOR, ScopedAdmin, VisibleOnly, role_of

from . import services
from .models import Question


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [
            ("open", _("nobody has taken it")),
            ("mine", _("I have taken it")),
            ("taken", _("somebody has taken it")),
            ("answered", _("answered")),
        ]

    def queryset(self, request, queryset):
        match self.value():
            case "open":
                return queryset.open()
            case "mine":
                return queryset.taken().filter(taken_by=request.user)
            case "taken":
                return queryset.taken()
            case "answered":
                return queryset.answered()
        return queryset


@admin.register(Question)
class QuestionAdmin(ScopedAdmin):
    may_view = frozenset({COORDINATOR})
    fields = [
        "asked_at",
        "group",
        "message",
        "name",
        "reach",
        "good_time",
        "may_leave_message",
        "language",
        "taken",
        "answered_at",
    ]
    list_display = ["asked_at", "number", "group", "taken", "answered_at"]
    list_filter = [StateFilter, ("group", VisibleOnly)]
    list_select_related = ["group", "taken_by"]
    actions = ["take_questions", "mark_answered", "open_again"]

    @admin.display(description=_("number"))
    def number(self, question: Question) -> str:
        return str(question)

    @admin.display(description=_("taken by"), ordering="taken_by__display_name")
    def taken(self, question: Question) -> str:
        return question.taken_by.display_name if question.taken_by else ""

    def has_answer_permission(self, request):
        return role_of(request.user) == COORDINATOR

    @admin.action(description=_("Take: I will answer"), permissions=["answer"])
    def take_questions(self, request, queryset):
        self._act(request, queryset, services.take_question, _("Taken."))

    @admin.action(description=_("Answered"), permissions=["answer"])
    def mark_answered(self, request, queryset):
        self._act(request, queryset, services.mark_answered, _("Answered."))

    @admin.action(description=_("Open again"), permissions=["answer"])
    def open_again(self, request, queryset):
        self._act(request, queryset, services.reopen_question, _("Open again."))

    def _act(self, request, questions, verb, log_line) -> None:
        chosen = list(questions)
        done = [question for question in chosen if verb(question, by=request.user)]
        for question in done:
            self.log_change(request, question, str(log_line))
        if done:
            said = ngettext("%(count)s question changed.", "%(count)s questions changed.", len(done))
            self.message_user(request, said % {"count": len(done)}, messages.SUCCESS)
        if left := len(chosen) - len(done):
            said = ngettext(
                "%(count)s was no longer as you saw it and is as before.",
                "%(count)s were no longer as you saw them and are as before.",
                left,
            )
            self.message_user(request, said % {"count": left}, messages.WARNING)
