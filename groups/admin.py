from functools import partial

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audit.services import record
from members.models import Member
from members.scoped_admin import (
    COORDINATOR,
    COUNSELOR,
    SUPERUSER,
    ManyPages,
    ScopedAdmin,
    ScopedTabularInline,
    VisibleOnly,
    role_of,
)
from outbox import kinds
from outbox.models import BouncedAddress

from . import mails, services
from .models import Agreement, Facilitator, Group, Membership, Phase, Room, Topic, TopicRule

FACILITATED_BY = frozenset({COUNSELOR, COORDINATOR})
ALL_STAFF = FACILITATED_BY | {SUPERUSER}
ALL_GROUPS = frozenset({COORDINATOR, SUPERUSER})


class CounselorField(forms.ModelChoiceField):
    def label_from_instance(self, member):
        return f"{member.display_name} ({member.code})"


class FacilitatorInline(ScopedTabularInline):
    model = Facilitator
    may_view = frozenset({COUNSELOR})
    may_add = may_change = may_delete = ALL_GROUPS
    can_delete = True

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "member":
            kwargs |= {"queryset": Member.objects.counselors(), "form_class": CounselorField}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_fields(self, request, obj=None):
        return ["member" if self.has_change_permission(request, obj) else "counselor", "role", "credential"]

    def get_readonly_fields(self, request, obj=None):
        return [] if self.has_change_permission(request, obj) else ["counselor"]

    @admin.display(description=_("counselor"))
    def counselor(self, facilitator: Facilitator) -> str:
        return facilitator.member.display_name


class PhaseInline(ScopedTabularInline):
    """The parts of the meetings, minute by minute. Without any, the group goes by the usual sequence."""

    model = Phase
    fields = ["position", "kind", "minutes", "about"]
    may_view = may_add = may_change = may_delete = ALL_STAFF
    can_delete = True


class TopicRuleInline(ScopedTabularInline):
    """Topics that come back by themselves. A topic chosen by hand stays."""

    model = TopicRule
    fields = ["nth_of_month", "weekday", "topic"]
    may_view = may_add = may_change = may_delete = ALL_STAFF
    can_delete = True

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "topic":
            kwargs["queryset"] = Topic.objects.visible_to(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_formset(self, request, obj=None, **kwargs):
        """Only the library and the group's own topics can come by rule."""
        formset = super().get_formset(request, obj, **kwargs)
        if obj is not None and "topic" in formset.form.base_fields:
            topics = formset.form.base_fields["topic"]
            topics.queryset = topics.queryset.for_group(obj)  # type: ignore[attr-defined]  # a choice field
        return formset


class GroupForm(forms.ModelForm):
    class Meta:
        model = Group
        fields = ["name", "slug"]  # the page adds the others
        labels = {"slug": _("Web address")}
        help_texts = {
            "slug": _("Its last part, such as monday-evening. Leave it empty to make one from the name."),
            "capacity": _("For new dates. Dates that are planned already keep their number of places."),
            "time_zone": _("Where the clock on the wall is, such as America/New_York."),
            "area": _("A part of town, for people who are still looking."),
            "is_listed": _("Without this, only the people in the group can find it."),
        }
        error_messages = {"slug": {"unique": _("Another group has this web address. Choose another.")}}
        widgets = {
            "description": forms.Textarea(attrs={"rows": 4}),
            "place_notes": forms.Textarea(attrs={"rows": 2}),
            "access_notes": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False

    def clean_slug(self):
        return self.cleaned_data["slug"] or self._slug_from_name()

    def _slug_from_name(self) -> str:
        made = slugify(self.cleaned_data.get("name", ""))[:64]
        if not made:
            raise forms.ValidationError(_("Write a web address with letters and numbers, such as monday-evening."))
        return made


@admin.register(Group)
class GroupAdmin(ScopedAdmin):
    may_view = may_add = may_change = ALL_STAFF
    form = GroupForm
    inlines = [FacilitatorInline, PhaseInline, TopicRuleInline]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "description"]}),
        (_("For whom, and how people join"), {"fields": ["kind", "audience", "language", "enrolment", "is_listed"]}),
        (
            _("How it runs"),
            {
                "fields": [
                    "capacity",
                    "cross_talk",
                    "share_minutes",
                    "rotates_topics",
                    "gives_attendance_letters",
                    "letter_label",
                ]
            },
        ),
        (
            _("Where"),
            {
                "fields": [
                    "mode",
                    "time_zone",
                    "area",
                    "place",
                    "room",
                    "address",
                    "is_address_public",
                    "place_notes",
                    "is_wheelchair_accessible",
                    "access_notes",
                    "link",
                ]
            },
        ),
    ]
    search_fields = ["name"]

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {"may_invite": role_of(request.user) in FACILITATED_BY}
        return super().render_change_form(request, context, add=add, change=change, form_url=form_url, obj=obj)

    def save_model(self, request, obj, form, change):
        if change:
            services.change_group(obj, by=request.user, fields=form.changed_data)
        else:
            services.create_group(obj, by=request.user)

    def save_formset(self, request, form, formset, change):
        super().save_formset(request, form, formset, change)
        if formset.model is Facilitator:
            for facilitator in formset.new_objects:
                self._record(request, "facilitator.added", facilitator)
            for facilitator, _fields in formset.changed_objects:
                self._record(request, "facilitator.changed", facilitator)
            for facilitator in formset.deleted_objects:
                self._record(request, "facilitator.removed", facilitator)

    def _record(self, request, action: str, facilitator: Facilitator) -> None:
        record(action, facilitator.group, by=request.user, member=str(facilitator.member_id))


@admin.register(Room)
class RoomAdmin(ScopedAdmin):
    """Rooms that are planned for one group at a time."""

    may_view = may_add = ALL_STAFF
    may_change = may_delete = ALL_GROUPS
    fields = ["name"]
    list_display = ["name"]
    search_fields = ["name"]


APPROVE, DECLINE = "approve_requests", "decline_requests"
KIND = "join_decision"


class AnswerForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason, if you want to note one"),
        required=False,
        max_length=Membership._meta.get_field("removal_reason").max_length,
        help_text=_("Only counselors of the group and coordinators read it. Name no illness."),
    )


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    """Who is in a group or asks to be. Coming every week and reminders are the person's own to set."""

    may_view = FACILITATED_BY
    fields = ["group", "code", "display_name", "status", "requested_at", "joined_at", "left_at"]
    list_display = ["code", "display_name", "status", "group", "since", "comes"]
    list_filter = ["status", "standing_rsvp", ("group", VisibleOnly)]
    date_hierarchy = "requested_at"
    paginator = ManyPages
    list_select_related = ["group", "member"]
    search_fields = ["=member__code", "member__display_name", "group__name"]
    actions = ["approve_requests", "decline_requests"]

    @admin.display(description=_("code"), ordering="member__code")
    def code(self, membership: Membership) -> str:
        return membership.member.code

    @admin.display(description=_("display name"), ordering="member__display_name")
    def display_name(self, membership: Membership) -> str:
        return membership.member.display_name

    @admin.display(description=_("since"), ordering="requested_at")
    def since(self, membership: Membership) -> str:
        """The day of what its status says, by the clock of the group."""
        when, words = membership.latest_step
        return words % {"day": date_format(when.astimezone(membership.group.zone))}

    @admin.display(description=_("comes every week"), ordering="standing_rsvp")
    def comes(self, membership: Membership) -> str:
        return gettext("comes every week") if membership.standing_rsvp else ""

    def has_answer_permission(self, request):
        return role_of(request.user) in FACILITATED_BY

    def get_ordering(self, request):
        """Those who ask, by how long they have waited."""
        asks = request.GET.get("status__exact") == Membership.Status.REQUESTED
        return ["requested_at", "pk"] if asks else super().get_ordering(request)

    def get_urls(self):
        view = self.admin_site.admin_view
        one = "<int:membership_id>/"
        return [
            path(f"{one}approve/", view(self.approve_view), name="groups_membership_approve"),
            path(f"{one}decline/", view(self.decline_view), name="groups_membership_decline"),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        asks = obj is not None and obj.status == Membership.Status.REQUESTED
        context |= {"may_answer": asks and self.has_answer_permission(request)}
        return super().render_change_form(request, context, add=add, change=change, form_url=form_url, obj=obj)

    def approve_view(self, request, membership_id):
        return self._ask_about_one(request, membership_id, APPROVE)

    def decline_view(self, request, membership_id):
        return self._ask_about_one(request, membership_id, DECLINE)

    def _ask_about_one(self, request, membership_id: int, answer: str):
        """The page of the action, for one person; to send it is to send the action."""
        if not self.has_answer_permission(request):
            raise PermissionDenied
        one = self.get_queryset(request).filter(pk=membership_id)
        get_object_or_404(one)
        return self._ask_to_answer(request, one, answer, AnswerForm())

    @admin.action(description=_("Approve the request…"), permissions=["answer"])
    def approve_requests(self, request, queryset):
        if "confirmed" not in request.POST:
            return self._ask_to_answer(request, queryset, APPROVE, AnswerForm())
        approved = self._answer(request, queryset, services.approve_request, _("Approved the request."))
        done = ngettext("%(count)s request approved.", "%(count)s requests approved.", approved)
        self._say(request, queryset, approved, done)
        return None

    @admin.action(description=_("Decline the request…"), permissions=["answer"])
    def decline_requests(self, request, queryset):
        form = AnswerForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self._ask_to_answer(request, queryset, DECLINE, form)
        decline = partial(services.decline_request, reason=form.cleaned_data["reason"])
        declined = self._answer(request, queryset, decline, _("Declined the request."))
        done = ngettext("%(count)s request declined.", "%(count)s requests declined.", declined)
        self._say(request, queryset, declined, done)
        return None

    def _ask_to_answer(self, request, queryset, answer: str, form: AnswerForm):
        """Who will be told, and by which mail."""
        asking = list(queryset.requested().select_related("group", "member").order_by("requested_at", "pk"))
        sends_back = BouncedAddress.objects.standing().filter(member__in=[one.member_id for one in asking])
        unreached = set(sends_back.values_list("member", flat=True))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Approve requests to join") if answer == APPROVE else _("Decline requests to join"),
            "opts": self.opts,
            "form": form,
            "answer": answer,
            "is_no": answer == DECLINE,
            "asking": [(one, one.member_id in unreached) for one in asking],
            "told": sum(one.member_id not in unreached for one in asking),
            "letter": mails.preview(request.user, is_in=answer == APPROVE) if kinds.is_sent_here(KIND) else None,
            "left_alone": queryset.count() - len(asking),
        }
        status = 400 if form.errors else 200
        return TemplateResponse(request, "admin/groups/answer_requests.html", context, status=status)

    def _answer(self, request, memberships, answer, log_line) -> int:
        answered = 0
        for membership in memberships.select_related("group", "member"):
            if answer(membership, by=request.user):
                self.log_change(request, membership, str(log_line))
                answered += 1
        return answered

    def _say(self, request, memberships, answered: int, done: str) -> None:
        if answered:
            self.message_user(request, done % {"count": answered}, messages.SUCCESS)
        if left := memberships.count() - answered:
            as_before = ngettext(
                "%(count)s did not wait for an answer and is as before.",
                "%(count)s did not wait for an answer and are as before.",
                left,
            )
            self.message_user(request, as_before % {"count": left}, messages.WARNING)


class OfGroupOrHouseAdmin(ScopedAdmin):
    """What belongs to a group, or to all of them when no group is named: that part only coordinators change."""

    may_view = FACILITATED_BY
    may_add = FACILITATED_BY
    list_filter = [("group", VisibleOnly)]
    list_select_related = ["group"]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "group":
            kwargs["required"] = role_of(request.user) == COUNSELOR
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request, obj=None):
        if obj is not None and obj.group_id is None and role_of(request.user) == COUNSELOR:
            return False
        return super().has_change_permission(request, obj)


class LibraryFilter(admin.SimpleListFilter):
    title = _("whose")
    parameter_name = "whose"

    def lookups(self, request, model_admin):
        return [("library", _("For every group")), ("own", _("Of one group"))]

    def queryset(self, request, queryset):
        match self.value():
            case "library":
                return queryset.filter(group=None)
            case "own":
                return queryset.filter(group__isnull=False)
        return queryset


@admin.register(Topic)
class TopicAdmin(OfGroupOrHouseAdmin):
    may_change = FACILITATED_BY
    may_delete = frozenset({COORDINATOR})
    fields = ["group", "name", "prompts", "reading", "activity"]
    list_display = ["title", "group_or_library", "questions"]
    list_filter = [LibraryFilter, *OfGroupOrHouseAdmin.list_filter]
    search_fields = ["name", "prompts"]

    @admin.display(description=_("name"), ordering="name")
    def title(self, topic: Topic) -> str:
        return topic.title

    @admin.display(description=_("group"), ordering="group__name")
    def group_or_library(self, topic: Topic) -> str:
        return topic.group.name if topic.group else gettext("for every group")

    @admin.display(description=_("questions to open with"))
    def questions(self, topic: Topic) -> str:
        count = len(topic.questions)
        return ngettext("%(count)s question", "%(count)s questions", count) % {"count": count} if count else ""


@admin.register(Agreement)
class AgreementAdmin(OfGroupOrHouseAdmin):
    """Ground rules are never edited: people accepted the words as they stood. A change is a new version."""

    list_display = ["group_or_house", "version", "language", "published_at"]
    ordering = ["group__name", "language", "-version"]

    def get_fields(self, request, obj=None):
        return ["group", "language", "text", "reviewed_by", "reviewed_on"] + (
            ["version", "published_at"] if obj else []
        )

    @admin.display(description=_("group"), ordering="group__name")
    def group_or_house(self, agreement: Agreement) -> str:
        return agreement.group.name if agreement.group else gettext("the house")

    def save_model(self, request, obj, form, change):
        services.publish_agreement(obj, by=request.user)


from . import invitation_admin  # noqa: E402, F401  (registers its pages)
