"""The admin pages of members, and of mail (`mail_admin.py`) and the audit record.

Those two stand below members, and what is imported goes one way: they cannot know the roles, so their pages are here.
"""

from django.contrib import admin
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEvent
from outbox.models import Email

from . import mail_admin, services
from .models import Member
from .scoped_admin import COORDINATOR, COUNSELOR, SUPERUSER, ScopedAdmin, role_of

admin.site.register(Email, mail_admin.EmailAdmin)


@admin.register(Member)
class MemberAdmin(ScopedAdmin):
    """People by code and chosen name. No page of the admin shows an e-mail address."""

    may_view = frozenset({COUNSELOR})
    may_change = frozenset({COORDINATOR, SUPERUSER})  # the role, and nothing else

    def get_fields(self, request, obj=None):
        fields = ["code", "display_name"]
        return fields if role_of(request.user) == COUNSELOR else [*fields, "role", "is_active", "joined_at"]

    def get_readonly_fields(self, request, obj=None):
        fields = ["code", "display_name", "is_active", "joined_at"]
        return [*fields, "role"] if obj == request.user else fields

    def get_list_display(self, request):
        columns = ["code", "display_name"]
        return columns if role_of(request.user) == COUNSELOR else [*columns, "role", "is_active"]

    def get_list_filter(self, request):
        return [] if role_of(request.user) == COUNSELOR else ["role", "is_active"]

    def get_search_fields(self, request):
        """Who sees everybody may look for an address they were given; guessing at parts of one finds nothing."""
        fields = ["=code", "display_name"]
        return fields if role_of(request.user) == COUNSELOR else [*fields, "=email"]

    def has_change_permission(self, request, obj=None):
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def save_model(self, request, obj, form, change):
        services.change_role(obj, obj.role, by=request.user)


@admin.register(AuditEvent)
class AuditEventAdmin(ScopedAdmin):
    """What was changed, for the operator; what would tell who is in a group is not among it."""

    may_view = frozenset({SUPERUSER})
    fields = ["happened_at", "actor", "action", "object_type", "object_id"]
    list_display = ["happened_at", "actor", "action", "object_type", "object_id"]
    search_fields = ["=object_id", "=action"]

    def get_queryset(self, request):
        actors = Member.objects.filter(pk=OuterRef("actor_id"))
        return super().get_queryset(request).annotate(actor_code=Subquery(actors.values("code")[:1]))

    @admin.display(description=_("by"))
    def actor(self, event: AuditEvent) -> str:
        return event.actor_code or gettext("the system")  # type: ignore[attr-defined]  # annotated
