"""The admin, scoped: what somebody finds there follows from their role, and from `visible_to` of each model.

There are no permission rows. A page that does not say which roles may open it opens for nobody, and a model whose
QuerySet has no `visible_to` can be neither listed nor chosen (SEC-10).
"""

import logging
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.checks import InlineModelAdminChecks, ModelAdminChecks
from django.contrib.admin.models import LogEntry
from django.core import checks
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.paginator import Paginator
from django.db import DataError, models
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from .models import Member
from .start_parts import parts_for

COUNSELOR = str(Member.Role.COUNSELOR)
COORDINATOR = str(Member.Role.COORDINATOR)
SUPERUSER = "superuser"

MOST_CHOICES_IN_A_FILTER = 40

logger = logging.getLogger(__name__)


def role_of(staff: Member) -> str:
    return SUPERUSER if staff.is_superuser else staff.role


def visible(queryset: models.QuerySet, staff: Member) -> models.QuerySet:
    """Those rows that somebody may see. Raises for a model that does not say which they are."""
    if not hasattr(queryset, "visible_to"):
        raise ImproperlyConfigured(f"{queryset.model.__name__} has no visible_to: nothing of it can be shown.")
    return queryset.visible_to(staff)


class StaffSite(admin.AdminSite):
    """The admin site: scoped pages only, one place to change a password, and no way round to an address."""

    site_title = site_header = settings.SITE_NAME
    index_title = _("Your work here")

    def register(self, model_or_iterable, admin_class=None, **options):
        """Take scoped pages. What other packages register is left: it would show e-mail addresses and sessions."""
        if admin_class is not None and issubclass(admin_class, ScopedAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self):
        # "View on site" by content type and id would tell the address of any row to everyone who works here.
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def index(self, request, extra_context=None):
        """Today's work first, then every list one may open."""
        parts = parts_for(request.user, role=role_of(request.user))
        return super().index(request, {"parts": parts} | (extra_context or {}))

    def get_log_entries(self, request):
        return LogEntry.objects.filter(user=request.user).select_related("content_type", "user")

    def autocomplete_view(self, request):
        if "\0" in request.GET.get("term", ""):
            return HttpResponseBadRequest()
        return super().autocomplete_view(request)

    def password_change(self, request, extra_context=None):
        return redirect("account_change_password")


class VisibleOnly(admin.RelatedFieldListFilter):
    """A filter that names only related rows one may see, and none when they are too many to read."""

    def has_output(self):
        return super().has_output() or self.lookup_val is not None

    def field_choices(self, field, request, model_admin):
        seen = visible(field.remote_field.model._default_manager.all(), request.user)
        ordering = self.field_admin_ordering(field, request, model_admin)
        choices = field.get_choices(include_blank=False, ordering=ordering, limit_choices_to={"pk__in": seen})
        return choices if len(choices) <= MOST_CHOICES_IN_A_FILTER else []


class ScopeChecks:
    """What `manage.py check` says of an admin page that could not be scoped."""

    def check(self, admin_obj, **kwargs):
        return [
            *super().check(admin_obj, **kwargs),  # type: ignore[misc]  # a mixin
            *self._check_model_is_scoped(admin_obj),
            *self._check_filters_are_scoped(admin_obj),
        ]

    def _check_model_is_scoped(self, admin_obj):
        if hasattr(admin_obj.model._default_manager.all(), "visible_to"):
            return []
        message = f"{admin_obj.model.__name__} has no visible_to: nothing of it can be shown."
        return [checks.Error(message, obj=type(admin_obj), id="members.E001")]

    def _check_filters_are_scoped(self, admin_obj):
        unscoped = [
            item
            for item in getattr(admin_obj, "list_filter", ())
            if isinstance(item, str) and (LOOKUP_SEP in item or admin_obj.opts.get_field(item).is_relation)
        ]
        return [
            checks.Error(f"The filter “{item}” would name rows out of scope.", obj=type(admin_obj), id="members.E002")
            for item in unscoped
        ]


class ScopedModelAdminChecks(ScopeChecks, ModelAdminChecks):
    pass


class ScopedInlineChecks(ScopeChecks, InlineModelAdminChecks):  # type: ignore[misc]  # a mixin
    pass


class Scoped:
    """Which roles may do what, on the rows they may see. Roles are named; nothing is allowed that is not."""

    may_view: frozenset[str] = frozenset()
    may_add: frozenset[str] = frozenset()
    may_change: frozenset[str] = frozenset()
    may_delete: frozenset[str] = frozenset()

    # Dates and times by the pickers of phones, which work without scripts.
    formfield_overrides: Any = {
        models.DateField: {"widget": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")},
        models.TimeField: {"widget": forms.TimeInput(attrs={"type": "time"}, format="%H:%M")},
        models.URLField: {"assume_scheme": "https"},
    }

    def get_queryset(self, request):
        return visible(super().get_queryset(request), request.user)  # type: ignore[misc]  # a mixin

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = self._choices(db_field, request, **kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]  # a mixin

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        kwargs["queryset"] = self._choices(db_field, request, **kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]  # a mixin

    def _choices(self, db_field, request, queryset=None, **kwargs):
        if queryset is None:
            queryset = db_field.remote_field.model._default_manager.all()
        return visible(queryset, request.user)

    def get_view_on_site_url(self, obj=None):
        """Straight to the page, which checks for itself who may see it."""
        return obj.get_absolute_url() if hasattr(obj, "get_absolute_url") else None

    def has_view_permission(self, request, obj=None):
        return self._may(self.may_view | self.may_change, request, obj)

    def has_add_permission(self, request, obj=None):
        return self._may(self.may_add, request, obj)

    def has_change_permission(self, request, obj=None):
        return self._may(self.may_change, request, obj)

    def has_delete_permission(self, request, obj=None):
        return self._may(self.may_delete, request, obj)

    def _may(self, roles, request, obj) -> bool:
        """Whether the role allows it and the row, if one is named, is among those they may see."""
        if role_of(request.user) not in roles:
            return False
        return obj is None or visible(type(obj)._default_manager.filter(pk=obj.pk), request.user).exists()


class ManyPages(Paginator):
    """For lists that grow without end: counts so far only, as counting a million rows takes longer than showing 50."""

    MOST = 5000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[: self.MOST].count()


class ScopedAdmin(Scoped, admin.ModelAdmin):
    checks_class = ScopedModelAdminChecks
    list_per_page = 50
    show_full_result_count = False

    def has_module_permission(self, request):
        return self.has_view_permission(request)

    def changelist_view(self, request, extra_context=None):
        """The list. What was asked of it may make no sense, such as a year of fifteen digits: then the plain list."""
        try:
            response = super().changelist_view(request, extra_context)
            return response.render() if hasattr(response, "render") else response
        except (DataError, ValidationError, ValueError, OverflowError):
            if request.method == "GET" and not request.GET:
                raise  # nothing was asked: the fault is ours
            logger.warning("A list of %s could not be shown as asked.", self.opts.label, exc_info=True)
            self.message_user(request, _("This list cannot be shown as asked, so here is all of it."), messages.ERROR)
            return redirect(request.path)

    def lookup_allowed(self, lookup, value, request):
        """Only what the page offers as a filter: Django lets one ask any field, such as `?email__startswith=a`."""
        offered = {item[0] if isinstance(item, tuple) else item for item in self.get_list_filter(request)}
        names = {getattr(item, "parameter_name", item) for item in offered} | {self.date_hierarchy}
        return lookup.split(LOOKUP_SEP)[0] in names and super().lookup_allowed(lookup, value, request)

    def get_inline_instances(self, request, obj=None):
        """On the page that makes a new row, only what can be added to it."""
        inlines = super().get_inline_instances(request, obj)
        return [inline for inline in inlines if obj is not None or inline.has_add_permission(request, obj)]


class ScopedInline(Scoped):
    """For inlines. What Django asks them about is the row of the page: that one must be in scope."""

    checks_class = ScopedInlineChecks
    can_delete = False
    extra = 0


class ScopedStackedInline(ScopedInline, admin.StackedInline):
    pass


class ScopedTabularInline(ScopedInline, admin.TabularInline):
    pass
