"""Invitations in the admin: a link is made, shown once, printed and taken back."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core import signing
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from members.scoped_admin import (
    ScopedAdmin,
    VisibleOnly,
    role_of,
)

from . import services
from .admin import FACILITATED_BY
from .models import Group, Invitation

INVITATION_SALT = "groups.invitation"
FORM_IS_GOOD_FOR = 24 * 60 * 60  # seconds


class InvitationForm(forms.ModelForm):
    """The form itself carries the token, stamped by us: sent twice, it is one invitation and the same link."""

    days = forms.TypedChoiceField(
        label=_("Works for"),
        coerce=int,
        initial=14,
        choices=[(3, _("3 days")), (7, _("1 week")), (14, _("2 weeks")), (30, _("30 days"))],
    )
    token = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Invitation
        fields = ["group"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial["token"] = signing.dumps(Invitation.new_token(), salt=INVITATION_SALT)

    def clean_token(self) -> str:
        """The token in our stamp, or a new one: nobody chooses it."""
        try:
            return signing.loads(self.cleaned_data["token"], salt=INVITATION_SALT, max_age=FORM_IS_GOOD_FOR)
        except signing.BadSignature:
            return Invitation.new_token()


class InvitationStateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return Invitation.State.choices

    def queryset(self, request, queryset):
        state = self.value()
        return getattr(queryset, state)() if state in Invitation.State.values else queryset


@admin.register(Invitation)
class InvitationAdmin(ScopedAdmin):
    """Links that let one person into a group, once. The link itself is shown when it is made, and never again."""

    may_view = may_add = FACILITATED_BY
    form = InvitationForm
    list_display = ["group", "state", "works_until", "invited_at", "inviter", "guest"]
    list_filter = [InvitationStateFilter, ("group", VisibleOnly)]
    list_select_related = ["group", "invited_by", "used_by"]
    actions = ["revoke"]

    def get_fields(self, request, obj=None):
        return self.get_readonly_fields(request, obj) if obj else ["group", "days", "token"]

    def get_readonly_fields(self, request, obj=None):
        return (
            ["group", "state", "works_until", "invited_at", "inviter", "guest", "used_at", "revoked_at"] if obj else []
        )

    @admin.display(description=_("state"))
    def state(self, invitation: Invitation) -> str:
        return str(invitation.state.label)

    @admin.display(description=_("last day"), ordering="expires_at")
    def works_until(self, invitation: Invitation):
        return invitation.last_moment.date()

    @admin.display(description=_("invited by"))
    def inviter(self, invitation: Invitation) -> str:
        return invitation.invited_by.display_name if invitation.invited_by else ""

    @admin.display(description=_("used by"))
    def guest(self, invitation: Invitation) -> str:
        return f"{invitation.used_by.display_name} ({invitation.used_by.code})" if invitation.used_by else ""

    def get_changeform_initial_data(self, request):
        """The group one comes from, or the only one there is to choose."""
        asked = super().get_changeform_initial_data(request)
        mine = list(Group.objects.visible_to(request.user)[:2])
        return asked or ({"group": mine[0]} if len(mine) == 1 else {})

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, add=add, change=change, form_url=form_url, obj=obj)

    def save_model(self, request, obj, form, change):
        made = services.invite(obj, by=request.user, token=form.cleaned_data["token"], days=form.cleaned_data["days"])
        obj.pk, obj.group, obj.expires_at, obj.token = made.pk, made.group, made.expires_at, made.token

    def response_add(self, request, obj, post_url_continue=None):
        """The link, to copy and to print. It stands in this answer only: neither address nor session nor row has it."""
        link = settings.SITE_URL + reverse("groups:invitation", args=[obj.token])
        context = {
            **self.admin_site.each_context(request),
            "title": _("Your invitation"),
            "opts": self.opts,
            "invitation": obj,
            "link": link,
            "site_name": settings.SITE_NAME,
            "centre_phone": settings.CENTRE_PHONE,
        }
        return TemplateResponse(request, "admin/groups/invitation_link.html", context)

    def has_revoke_permission(self, request):
        return role_of(request.user) in FACILITATED_BY

    @admin.action(description=_("Take the invitation back…"), permissions=["revoke"])
    def revoke(self, request, queryset):
        chosen = queryset.unanswered().select_related("group")
        if "confirmed" not in request.POST:
            return self._ask_to_revoke(request, queryset, chosen)
        revoked = sum(services.revoke_invitation(invitation, by=request.user) for invitation in chosen)
        if revoked:
            done = ngettext("%(count)s invitation taken back.", "%(count)s invitations taken back.", revoked)
            self.message_user(request, done % {"count": revoked}, messages.SUCCESS)
        else:
            self.message_user(request, _("Nothing was left to take back."), messages.WARNING)
        return None

    def _ask_to_revoke(self, request, queryset, chosen):
        context = {
            **self.admin_site.each_context(request),
            "title": _("Take invitations back"),
            "opts": self.opts,
            "invitations": list(chosen),
            "left_alone": queryset.count() - len(chosen),
        }
        return TemplateResponse(request, "admin/groups/revoke_invitations.html", context)
