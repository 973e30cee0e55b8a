"""Meetings in people's own calendars: one, those of a group, and a private address that follows mine."""

import hashlib
from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

import groups.access
import members.services
from members.models import Consent, Member

from .. import access
from ..calendar_file import Entry, calendar_file
from ..models import Meeting, MeetingQuerySet

REFRESH = timedelta(hours=6)
OFF = (Meeting.Status.CANCELLED, Meeting.Status.DID_NOT_MEET)


@login_not_required
@require_safe
def meeting_calendar(request, meeting_id):
    """One meeting, to put into one's own calendar."""
    meeting = access.get_meeting(request, meeting_id)
    return _calendar(request, Meeting.objects.filter(pk=meeting.pk), language=translation.get_language())


@login_not_required
@require_safe
def group_calendar(request, slug):
    """The coming meetings of a listed group."""
    group = groups.access.get_listed_group(slug)
    return _calendar(request, Meeting.objects.of_group(group).not_over(), language=group.language)


@login_not_required  # the address alone opens it: programs that follow a calendar do not sign in
@require_safe
def calendar_feed(request, token):
    """The meetings I have a place in, for a calendar program that looks by itself."""
    member = access.get_member_by_calendar(token)
    return _calendar(request, Meeting.objects.in_calendar_of(member), language=member.language)


def _calendar(request: HttpRequest, meetings: MeetingQuerySet, *, language: str | None) -> HttpResponse:
    """A calendar file, or the word that nothing has changed, for which no meeting is fetched."""
    with translation.override(language):
        summary = _("Appointment")
    organizer = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    same = "\n".join([meetings.calendar_fingerprint(), summary, organizer, settings.SITE_HOST])
    etag = f'"{hashlib.sha256(same.encode()).hexdigest()[:32]}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(
            calendar_file(
                map(_entry, meetings.for_calendar()),
                summary=summary,
                host=settings.SITE_HOST,
                organizer=organizer,
                refresh=REFRESH,
            ),
            content_type="text/calendar; charset=utf-8",
        )
        response["Content-Disposition"] = 'attachment; filename="calendar.ics"'
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _entry(row: tuple) -> Entry:
    """Never changed, it is stamped with about when it was made: the same each time it is asked for."""
    pk, starts_at, ends_at, sequence, changed_at, status = row
    stamped_at = changed_at or starts_at - timedelta(weeks=settings.WEEKS_AHEAD)
    return Entry(pk, starts_at, ends_at, sequence, stamped_at, status in OFF)


@require_http_methods(["GET", "POST"])
def my_calendar(request):
    """My meetings in my calendar: switch it on, see the address, renew it, switch it off."""
    if request.method == "POST":
        _change_calendar(request, request.user, request.POST.get("calendar", ""))
        return redirect("meetings:my_calendar")
    member = Member.objects.with_calendar().filter(pk=request.user.pk).first()
    address = settings.SITE_URL + reverse("meetings:calendar_feed", args=[member.calendar_token]) if member else ""
    response = render(
        request,
        "meetings/my_calendar.html",
        {
            "address": address,
            "subscribe": f"webcal:{address.partition(':')[2]}",
            "words": Consent.WORDS[Consent.Kind.CALENDAR],
        },
    )
    response["Referrer-Policy"] = "no-referrer"
    return response


def _change_calendar(request: HttpRequest, member: Member, wanted: str) -> None:
    if wanted == "on":
        members.services.open_calendar(member)
        messages.success(request, _("Your calendar address is ready."))
    elif wanted == "renew":
        members.services.renew_calendar(member)
        messages.success(request, _("You have a new address. The old one no longer works."))
    elif wanted == "off":
        members.services.close_calendar(member)
        messages.success(request, _("Switched off. The address no longer works."))
    else:
        raise BadRequest("a calendar is switched “on”, “renew”ed or switched “off”")
