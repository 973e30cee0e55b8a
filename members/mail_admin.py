"""The admin page of mail: whether it leaves, why not, and trying again. What a mail said is kept nowhere."""

import re
from datetime import datetime, time, timedelta
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, Min
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from outbox import bounces, kinds
from outbox.models import Email, EmailQuerySet

from . import mail_preview, services
from .data_parts import words_for
from .models import Member
from .my_data import MAIL_STATES
from .scoped_admin import COORDINATOR, SUPERUSER, ManyPages, ScopedAdmin, role_of

FOLLOW_MAIL = frozenset({COORDINATOR, SUPERUSER})
MOST_AT_ONCE = 1000  # mails tried again by one press
MOST_SHOWN = 20
AN_ID = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:@[^\s>]*)?>?", re.IGNORECASE)
A_CODE = re.compile(r"M-[0-9A-Z]{6}", re.IGNORECASE)


def kind_in_words(name: str) -> str:
    words = str(words_for(f"mail.{name}"))
    return name if words == f"mail.{name}" else words


SAID_OF_SERVERS = (
    gettext_noop("refused"),
    gettext_noop("put off"),
    gettext_noop("line broke"),
    gettext_noop("may have arrived"),
)


def reason_in_words(reason: str) -> str:
    """`too late: refused (550)` in the language of whoever reads it; what others wrote stays as it is."""
    return "".join(gettext(part) if part[:1].isalpha() else part for part in re.split(r"(: | \()", reason))


class EmailsByTime(EmailQuerySet):
    """For the days above the list: between the first mail and the last, not found by reading every mail there is."""

    def datetimes(self, field_name, kind, order="ASC", tzinfo=None):
        ends = self.order_by().aggregate(first=Min(field_name), last=Max(field_name))
        if ends["first"] is None:
            return []
        zone = timezone.get_current_timezone()
        first, last = (timezone.localtime(moment, zone).date() for moment in ends.values())
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        names = {"year": lambda day: day.replace(month=1, day=1), "month": lambda day: day.replace(day=1)}
        found = dict.fromkeys(map(names.get(kind, lambda day: day), days))
        return [timezone.make_aware(datetime.combine(day, time.min), zone) for day in found]


class StateFilter(admin.SimpleListFilter):
    """First what somebody should look at."""

    title = _("where it stands")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("trouble", _("did not arrive")), ("twice", _("may have arrived twice")), *MAIL_STATES.items()]

    def queryset(self, request, queryset):
        match self.value():
            case None:
                return queryset
            case "trouble":
                return queryset.in_trouble()
            case "twice":
                return queryset.in_doubt()
            case state:
                return queryset.filter(state=state)


class KindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request, model_admin):
        return [(name, kind_in_words(name)) for name in kinds.names()]

    def queryset(self, request, queryset):
        return queryset.filter(kind=self.value()) if self.value() else queryset


class EmailAdmin(ScopedAdmin):
    """Whether mail leaves, and why not. What it is about, and its key, would say who is in which group."""

    may_view = FOLLOW_MAIL
    fields = [
        "kind_words",
        "stands",
        "reason_words",
        "attempts",
        "recipient_code",
        "queued_at",
        "send_after",
        "expires_at",
        "sent_at",
        "stopped_at",
        "message_id",
    ]
    list_display = ["send_after", "kind_words", "stands_and_why", "recipient_code"]
    list_filter = [StateFilter, KindFilter]
    list_select_related = ["recipient"]
    date_hierarchy = "queued_at"
    search_fields = ["pk"]  # so that there is a field to type in; see get_search_results
    search_help_text = _("A member code, such as M-7F3K2P, a Message-ID from the head of a mail, or a kind of mail.")
    ordering = ["-queued_at"]
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER  # they count every mail there is
    paginator = ManyPages
    actions = ["try_again"]

    def get_queryset(self, request):
        return EmailsByTime(Email, super().get_queryset(request).query)

    def get_search_results(self, request, queryset, search_term):
        """By code, Message-ID or kind, and those in full: parts of codes or ids find nothing."""
        asked = search_term.strip()
        if not asked:
            return queryset, False
        if found := AN_ID.fullmatch(asked):
            return queryset.filter(pk=UUID(found.group(1))), False
        if A_CODE.fullmatch(asked):
            return queryset.filter(recipient__in=Member.objects.filter(code=asked.upper())), False
        named = [name for name in kinds.names() if asked.lower() in (name, kind_in_words(name).lower())]
        return queryset.filter(kind__in=named) if named else queryset.none(), False

    @admin.display(description=_("kind"), ordering="kind")
    def kind_words(self, email: Email) -> str:
        return kind_in_words(email.kind)

    @admin.display(description=_("where it stands"), ordering="state")
    def stands(self, email: Email) -> str:
        words = str(MAIL_STATES.get(email.state, email.state))
        if not email.doubts:
            return words
        if email.state == Email.State.SENT:
            return gettext("%(state)s; may have arrived twice") % {"state": words}
        return gettext("%(state)s; may have arrived") % {"state": words}

    @admin.display(description=_("where it stands"), ordering="state")
    def stands_and_why(self, email: Email) -> str:
        """The state says itself that a mail was too late."""
        why = email.reason.removeprefix("too late").removeprefix(": ")
        return ": ".join(filter(None, [self.stands(email), reason_in_words(why)]))

    @admin.display(description=_("reason"))
    def reason_words(self, email: Email) -> str:
        return reason_in_words(email.reason) or "–"

    @admin.display(description=_("to"))
    def recipient_code(self, email: Email) -> str:
        return email.recipient.code

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        """Under the name that a reader knows, not the one of its row."""
        context["subtitle"] = f"{capfirst(kind_in_words(obj.kind))}, {obj.recipient.code}"
        return super().render_change_form(request, context, add, change, form_url, obj)

    # What such a mail says: with made-up facts, never a member's own.

    def get_urls(self):
        return [
            path("preview/", self.admin_site.admin_view(self.preview_view), name="outbox_email_preview"),
            path("preview/html/", self.admin_site.admin_view(self.preview_html_view), name="outbox_email_preview_html"),
            *super().get_urls(),
        ]

    def preview_view(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        letters = kinds.editable_letters()
        chosen = mail_preview.chosen_letter(request) or next(iter(letters.values()))
        context = {
            **self.admin_site.each_context(request),
            "title": _("What our mails say"),
            "opts": self.opts,
            "letters": letters.values(),
            "chosen": chosen,
            "previews": mail_preview.previews(chosen),
            "may_word": role_of(request.user) == COORDINATOR,
        }
        return TemplateResponse(request, "admin/outbox/preview.html", context)

    def preview_html_view(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        return mail_preview.html_of(request)

    # Trying again: from the list, with a page that says what will happen first.

    @admin.action(description=_("Try again…"), permissions=["view"])
    def try_again(self, request, queryset):
        chosen = queryset.may_be_sent_again()
        if "confirmed" not in request.POST:
            return self._ask_to_try_again(request, queryset, chosen)
        tried = services.send_mail_again(chosen[:MOST_AT_ONCE], by=request.user)
        if tried:
            done = ngettext("%(count)s mail leaves now.", "%(count)s mails leave now.", tried)
            self.message_user(request, done % {"count": tried}, messages.SUCCESS)
        else:
            self.message_user(request, _("Nothing was left to send."), messages.WARNING)
        return None

    def _ask_to_try_again(self, request, queryset, chosen):
        """What can leave, and what cannot any more."""
        mails = list(chosen.select_related("recipient__bounced_address")[:MOST_AT_ONCE])
        count = len(mails)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Try again"),
            "opts": self.opts,
            "mails": [(mail, kind_in_words(mail.kind), reason_in_words(mail.reason)) for mail in mails[:MOST_SHOWN]],
            "count": count,
            "more": count - MOST_SHOWN if count > MOST_SHOWN else 0,
            "send_mail_back": sum(bounces.sends_mail_back(mail.recipient) for mail in mails),
            "left_alone": queryset.order_by()[:MOST_AT_ONCE].count() - count,
            "chosen": request.POST.getlist("_selected_action"),
            "all_of_them": request.POST.get("select_across", "0"),
        }
        return TemplateResponse(request, "admin/outbox/try_again.html", context)
