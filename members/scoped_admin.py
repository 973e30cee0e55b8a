"""The admin, scoped: what somebody finds there follows from their role, and from `visible_to` of each model.

There are no permission rows. A page that does not say which roles may open it opens for nobody, and a model whose
QuerySet has no `visible_to` can be neither listed nor chosen (SEC-10).
"""

import logging
import re
from collections.abc import Iterable
from functools import update_wrapper
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.checks import InlineModelAdminChecks, ModelAdminChecks
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core import checks
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import DataError, models
from django.db.models.constants import LOOKUP_SEP
from django.http import Http404, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .denials import note_denial
from .models import Member
from .start_parts import parts_for

COUNSELOR = str(Member.Role.COUNSELOR)
COORDINATOR = str(Member.Role.COORDINATOR)
SUPERUSER = "superuser"

MOST_CHOICES_IN_A_FILTER = 40
NOT_AMONG_YOURS = _("Not all of this is among yours. Nothing was changed.")

logger = logging.getLogger(__name__)


def role_of(staff: Member) -> str:
    return SUPERUSER if staff.is_superuser else staff.role


def visible(queryset: models.QuerySet, staff: Member) -> models.QuerySet:
    """Those rows that somebody may see. Raises for a model that does not say which they are."""
    if not hasattr(queryset, "visible_to"):
        raise ImproperlyConfigured(f"{queryset.model.__name__} has no visible_to: nothing of it can be shown.")
    return queryset.visible_to(staff)


def of_scope(model: type[models.Model], asked: Iterable[str], staff: Member) -> tuple[list, list]:
    """Which of these ids are not among the rows somebody may see; and of those, the rows that there are.

    Whoever asks is told the same for both, so that nobody learns which rows there are.
    """
    keys = {str(key): _as_key(model, key) for key in asked}
    known = [key for key in keys.values() if key is not None]
    seen = set(visible(model._default_manager.filter(pk__in=known), staff).values_list("pk", flat=True))
    outside = [key for key in keys.values() if key not in seen]
    return outside, list(model._base_manager.filter(pk__in=[key for key in known if key not in seen]))


def _as_key(model: type[models.Model], asked: str):
    """An id as the model has it, or None for what cannot be one."""
    field: Any = model._meta.pk
    try:
        key = field.to_python(asked)
    except (ValidationError, ValueError):
        return None
    return None if isinstance(key, int) and abs(key) >= 2**63 else key


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

    def admin_view(self, view, cacheable=False):
        """Every page of the admin, with what is refused on the record."""
        shown = super().admin_view(view, cacheable)
        page = getattr(view, "__self__", None)

        def refused_on_record(request, *args, **kwargs):
            try:
                return shown(request, *args, **kwargs)
            except PermissionDenied:
                row = self._row_asked_for(request, page)
                note_denial(row or request.user, by=request.user, way=request.resolver_match.url_name or "admin")
                raise
            except Http404:  # what is out of scope is not there
                row = self._row_asked_for(request, page)
                if row is not None and of_scope(type(row), [str(row.pk)], request.user)[1]:
                    note_denial(row, by=request.user, way=request.resolver_match.url_name)
                raise

        return update_wrapper(refused_on_record, shown)

    @staticmethod
    def _row_asked_for(request, page) -> models.Model | None:
        """The row that an address of a page names, whoever may see it."""
        if not isinstance(page, ScopedAdmin):
            return None
        named = request.resolver_match.kwargs
        asked = named.get("object_id", named.get(f"{page.opts.model_name}_id"))
        key = None if asked is None else _as_key(page.model, unquote(str(asked)))
        return None if key is None else page.model._base_manager.filter(pk=key).first()

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

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.empty_value_display = gettext("none")  # type: ignore[assignment]  # a link needs words

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


class PartsOutOfScope(Exception):
    """Rows of other people's things were sent as parts of one's own page."""

    def __init__(self, rows: list[models.Model]):
        super().__init__()
        self.rows = rows


class ManyPages(Paginator):
    """For lists that grow without end: counts so far only, as counting a million rows takes longer than showing 50."""

    MOST = 5000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[: self.MOST].count()


class ScopedList(ChangeList):
    """A list with what its page adds to the rows: see `ScopedAdmin.for_list`."""

    def get_queryset(self, request, exclude_parameters=None):
        self.root_queryset = self.model_admin.for_list(self.root_queryset, request)  # type: ignore[attr-defined]  # ours
        return super().get_queryset(request, exclude_parameters)


class ScopedAdmin(Scoped, admin.ModelAdmin):
    checks_class = ScopedModelAdminChecks
    list_per_page = 50
    empty_value_display = ""
    show_full_result_count = False

    def has_module_permission(self, request):
        return self.has_view_permission(request)

    # What is not theirs looks as if it were not there, whichever way somebody comes; that they came is on the record.

    def is_refused(self, request, model: type[models.Model], asked: Iterable[str], *, way: str) -> bool:
        """Whether any of these ids is out of scope; then it is said, and noted."""
        outside, rows = of_scope(model, asked, request.user)
        for row in rows:
            note_denial(row, by=request.user, way=way)
        if outside:
            self.message_user(request, NOT_AMONG_YOURS, messages.ERROR)
        return bool(outside)

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        for row in of_scope(opts.model, [unquote(object_id)], request.user)[1]:
            note_denial(row, by=request.user, way=request.resolver_match.url_name)
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[misc]  # not in the stubs

    def get_formset_kwargs(self, request, obj, inline, prefix):
        """Rows of other people among the parts of this page are refused; Django leaves them out without a word."""
        if request.method == "POST":
            is_key = re.compile(rf"{re.escape(prefix)}-\d+-{inline.opts.pk.name}").fullmatch
            asked = [value for name, value in request.POST.items() if value and is_key(name)]
            if rows := of_scope(inline.model, asked, request.user)[1]:
                raise PartsOutOfScope(rows)
        return super().get_formset_kwargs(request, obj, inline, prefix)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except PartsOutOfScope as refused:
            for row in refused.rows:
                note_denial(row, by=request.user, way=f"{self.opts.model_name}_part")
            self.message_user(request, NOT_AMONG_YOURS, messages.ERROR)
            return redirect(request.path)

    def response_action(self, request, queryset):  # type: ignore[override]  # the stubs know one more
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if chosen and self.is_refused(request, self.model, chosen, way=f"{self.opts.model_name}_action"):
            return redirect(request.get_full_path())
        return super().response_action(request, queryset)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if request.method == "POST":
            self._note_choices_out_of_scope(request, context)
        return super().render_change_form(request, context, add=add, change=change, form_url=form_url, obj=obj)

    def _note_choices_out_of_scope(self, request, context) -> None:
        """Choices that the form did not offer, and refused."""
        inlines = [inline.formset for inline in context["inline_admin_formsets"]]
        for form in [context["adminform"].form, *(form for formset in inlines for form in formset.forms)]:
            for name in form.errors:
                choices = getattr(form.fields.get(name), "queryset", None)
                if choices is not None and hasattr(choices, "visible_to"):
                    asked = form.data.getlist(form.add_prefix(name))
                    for row in of_scope(choices.model, asked, request.user)[1]:
                        note_denial(row, by=request.user, way=f"{self.opts.model_name}_choice")

    def _asks_out_of_scope(self, request) -> bool:
        """Whether the list is to be filtered by what somebody may not see, such as `?group=` of another group."""
        for name, values in request.GET.lists():
            model = self._asked_by_key(name)
            if model is None:
                continue
            asked = [one for value in values for one in value.split(",")]
            outside, rows = of_scope(model, asked, request.user)
            for row in rows:
                note_denial(row, by=request.user, way=f"{self.opts.model_name}_filter")
            if outside and self.lookup_allowed(name, values[0], request):  # Django refuses the others by itself
                self.message_user(request, NOT_AMONG_YOURS, messages.ERROR)
                return True
        return False

    def _asked_by_key(self, name: str) -> type[models.Model] | None:
        """The model of which a filter names rows, such as groups for `?meeting__group__id__exact=`."""
        model, parts = self.opts.model, name.split(LOOKUP_SEP)
        while parts and (field := next((one for one in model._meta.fields if one.name == parts[0]), None)):
            if field.related_model is None:
                break
            model = field.related_model
            parts.pop(0)
        is_by_key = model is not self.opts.model and not set(parts) - {"id", "pk", "exact", "in"}
        is_by_key = is_by_key and hasattr(model._default_manager.all(), "visible_to")
        return model if is_by_key else None

    def changelist_view(self, request, extra_context=None):
        """The list. What was asked of it may make no sense, such as a year of fifteen digits: then the plain list."""
        if self.has_view_permission(request) and self._asks_out_of_scope(request):
            return redirect(request.path)
        try:
            named = {"title": capfirst(str(self.opts.verbose_name_plural))} | (extra_context or {})
            response = super().changelist_view(request, named)
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
        is_offered = any(name and f"{lookup}{LOOKUP_SEP}".startswith(f"{name}{LOOKUP_SEP}") for name in names)
        return is_offered and super().lookup_allowed(lookup, value, request)

    def for_list(self, queryset, request):
        """The rows as the list needs them: with columns that no other page asks for."""
        return queryset

    def get_changelist(self, request, **kwargs):
        return ScopedList

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
