"""The admin pages of people in their groups: who was contacted after they were missed."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from groups.admin import FACILITATED_BY, MembershipAdmin
from groups.models import Membership
from members.models import Member
from members.scoped_admin import ScopedAdmin

from . import services
from .models import Meeting, Outreach, Participation


class ContactForm(forms.Form):
    """Somebody at a meeting they missed, as the first page names them."""

    meeting = forms.ModelChoiceField(Meeting.objects.none())
    member = forms.ModelChoiceField(Member.objects.none())
    undo = forms.BooleanField(required=False)

    def __init__(self, *args, staff: Member, **kwargs):
        super().__init__(*args, **kwargs)
        self.staff = staff
        self.fields["meeting"].queryset = Meeting.objects.visible_to(staff)  # type: ignore[attr-defined]  # a choice field
        self.fields["member"].queryset = Member.objects.visible_to(staff)  # type: ignore[attr-defined]  # a choice field

    def clean(self):
        asked = super().clean() or self.cleaned_data
        meeting, member = asked.get("meeting"), asked.get("member")
        if meeting and member and not Participation.objects.missed(meeting, member).exists():
            raise forms.ValidationError(_("This person was not noted as missed."))
        return asked


@admin.register(Outreach)
class OutreachAdmin(ScopedAdmin):
    """Who was contacted when. It is noted on the first page of the admin, by one tap."""

    may_view = FACILITATED_BY
    fields = ["code", "display_name", "group", "meeting", "contacted_at", "contacted_by_name"]
    list_display = ["display_name", "code", "group", "contacted_at", "contacted_by_name"]
    list_select_related = ["member", "meeting__group", "contacted_by"]
    date_hierarchy = "contacted_at"
    search_fields = ["=member__code", "member__display_name", "meeting__group__name"]

    @admin.display(description=gettext_lazy("code"), ordering="member__code")
    def code(self, outreach: Outreach) -> str:
        return outreach.member.code

    @admin.display(description=gettext_lazy("display name"), ordering="member__display_name")
    def display_name(self, outreach: Outreach) -> str:
        return outreach.member.display_name

    @admin.display(description=gettext_lazy("group"), ordering="meeting__group__name")
    def group(self, outreach: Outreach) -> str:
        return outreach.meeting.group.name

    @admin.display(description=gettext_lazy("contacted by"))
    def contacted_by_name(self, outreach: Outreach) -> str:
        return outreach.contacted_by.display_name if outreach.contacted_by else ""

    def get_urls(self):
        note = path("contacted/", self.admin_site.admin_view(self.contacted_view), name="meetings_outreach_contacted")
        return [note, *super().get_urls()]

    def contacted_view(self, request):
        """One tap on the first page: contacted, or not after all."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        for model, name in ((Meeting, "meeting"), (Member, "member")):
            if self.is_refused(request, model, request.POST.getlist(name), way="outreach_contacted"):
                return redirect("admin:index")
        form = ContactForm(request.POST, staff=request.user)
        if not form.is_valid():
            self.message_user(request, _("This person is not among those to reach out to. Nothing was noted."), "error")
            return redirect("admin:index")
        self._note(request, **form.cleaned_data)
        return redirect("admin:index")

    def _note(self, request, meeting: Meeting, member: Member, *, undo: bool) -> None:
        words = {"name": member.display_name}
        if undo:
            if services.undo_contact(meeting, member, by=request.user):
                self.message_user(request, _("%(name)s is on the list again.") % words, messages.SUCCESS)
        elif services.note_contact(meeting, member, by=request.user):
            self.message_user(request, _("Noted: %(name)s was contacted.") % words, messages.SUCCESS)
        else:
            self.message_user(request, _("Somebody noted this before you."), messages.INFO)


class RemovalForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=Membership._meta.get_field("removal_reason").max_length,
        help_text=gettext_lazy("Only counselors of the group and coordinators read it. Name no illness."),
        error_messages={"required": gettext_lazy("Write a short reason, such as: Asked us to.")},
    )


# To take somebody out of a group frees their places at its meetings, of which groups know nothing: as with the schedule
# on the page of a group, the page is taken over here.
admin.site.unregister(Membership)


@admin.register(Membership)
class MembershipWithRemovalAdmin(MembershipAdmin):
    actions = [*MembershipAdmin.actions, "remove_people"]

    def get_fields(self, request, obj=None):
        why = ["removed_at", "removal_reason"] if obj and obj.removal_reason else []
        needs = ["needs"] if obj and self._needs(request, obj) else []
        return [*super().get_fields(request, obj), *needs, *why]

    @admin.display(description=gettext_lazy("needs to take part"))
    def needs(self, membership: Membership) -> str:
        return "\n".join(membership.shared_needs)  # type: ignore[attr-defined]  # set by `_needs`

    def _needs(self, request, membership: Membership) -> list[str]:
        """What they shared with those who run this group, if that is who asks."""
        if not hasattr(membership, "shared_needs"):
            found = services.needs_in_group(membership.group, [membership.member_id], read_by=request.user)
            membership.shared_needs = [one.readable for one in found]  # type: ignore[attr-defined]  # asked for once
        return membership.shared_needs  # type: ignore[attr-defined]

    @admin.action(description=gettext_lazy("Take out of the group…"), permissions=["answer"])
    def remove_people(self, request, queryset):
        """Asks for a reason first, and says what will happen."""
        form = RemovalForm(request.POST if "confirmed" in request.POST else None)
        chosen = queryset.active().select_related("group", "member")
        if not form.is_valid():
            return self._ask_to_remove(request, queryset, chosen, form)
        removed = sum(
            services.remove_member(membership, by=request.user, reason=form.cleaned_data["reason"])
            for membership in chosen
        )
        if removed:
            done = ngettext(
                "%(count)s person is no longer in the group.", "%(count)s people are no longer in the group.", removed
            )
            self.message_user(request, done % {"count": removed}, messages.SUCCESS)
        else:
            self.message_user(request, _("Nobody was left to take out."), messages.WARNING)
        return None

    def _ask_to_remove(self, request, queryset, chosen, form: RemovalForm):
        memberships = list(chosen)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Take people out of a group"),
            "opts": self.opts,
            "form": form,
            "memberships": memberships,
            "left_alone": queryset.count() - len(memberships),
        }
        return TemplateResponse(request, "admin/meetings/remove_people.html", context)
