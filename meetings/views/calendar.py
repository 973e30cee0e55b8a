"""Meetings in people's own calendars: one, those of a group, and a private address that follows mine."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from math import ceil
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

import groups.access
import members.services
from groups.models import Group
from members.models import Consent, Member

from .. import access
from ..calendar_feed import Row, find_entries
from ..calendar_file import Entry, calendar_file, cancellation_file
from ..models import Meeting, Participation

REFRESH = timedelta(hours=6)
OFF = (Meeting.Status.CANCELLED, Meeting.Status.DID_NOT_MEET)
# Meetings of nobody, one without and one with a name, that show how this site writes any.
NEUTRAL = Row(UUID(int=0), 0, 0, 0, None, Meeting.Status.SCHEDULED, Group.Mode.IN_PERSON, None, None, None)
SAMPLES = (NEUTRAL, NEUTRAL._replace(changed_at=1, status=Meeting.Status.CANCELLED, name="n", place="p", address="a"))


@login_not_required
@require_safe
def meeting_calendar(request, meeting_id):
    """One meeting, to put into one's own calendar; once it is off, or one can't make it, to take out of it."""
    meeting = access.get_meeting(request, meeting_id)
    mine = Participation.objects.filter(meeting=meeting, member=request.user.pk).first()
    entry = _entry(Meeting.objects.filter(pk=meeting.pk).for_calendar().get())
    if mine and mine.rsvp_at:  # the last answer is what counts, also for a calendar
        entry = entry._replace(stamped_at=max(entry.stamped_at, mine.rsvp_at))
    if entry.is_cancelled or (mine and mine.rsvp == Participation.Rsvp.DECLINED):
        file = cancellation_file(entry, **_site())
    else:
        file = calendar_file([entry], refresh=REFRESH, **_site())
    return _respond(request, _tag(file), lambda: file)


@login_not_required
@require_safe
def group_calendar(request, slug):
    """The coming meetings of a listed group."""
    group = groups.access.get_listed_group(slug)
    meetings = Meeting.objects.of_group(group).not_over()
    with translation.override(group.language):
        site = _site()
    return _respond(
        request,
        _tag(meetings.calendar_fingerprint(), _handwriting(site)),
        lambda: calendar_file(map(_entry, meetings.for_calendar()), refresh=REFRESH, **site),
    )


@login_not_required  # the address alone opens it: programs that follow a calendar do not sign in
@require_safe
def calendar_feed(request, token):
    """The meetings somebody has a place in, for a calendar program that looks by itself."""
    feed = access.get_calendar_feed(token)
    with translation.override(feed.language):
        site = _site()
    tag = _tag(feed.fingerprint, str(feed.names_groups), _handwriting(site))
    changed_at = feed.changed_at if feed.tag == tag else members.services.note_calendar_change(feed.member_id, tag)

    def file() -> str:
        return calendar_file(map(_own_entry, find_entries(feed)), refresh=REFRESH, **site)

    return _respond(request, tag, file, changed_at)


def _site() -> dict[str, str]:
    """What each entry says of this site, in the language that is switched on."""
    organizer = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return {"summary": _("Appointment"), "host": settings.SITE_HOST, "organizer": organizer}


def _handwriting(site: dict[str, str]) -> str:
    """Another text whenever a setting, the language or a new version has the same meetings written otherwise."""
    return calendar_file(map(_own_entry, SAMPLES), refresh=REFRESH, **site)


def _tag(*facts: str) -> str:
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]


def _respond(
    request: HttpRequest, tag: str, file: Callable[[], str], changed_at: datetime | None = None
) -> HttpResponse:
    """A calendar file, or the word that nothing has changed, for which none is written."""
    etag, modified = f'"{tag}"', ceil(changed_at.timestamp()) if changed_at else None
    response = get_conditional_response(request, etag=etag, last_modified=modified)
    if response is None:
        response = HttpResponse(file(), content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="calendar.ics"'
    response["ETag"] = etag
    if modified:
        response["Last-Modified"] = http_date(modified)
    response["Cache-Control"] = "private, no-cache"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _entry(row: tuple) -> Entry:
    pk, starts_at, ends_at, sequence, changed_at, status = row
    return Entry(pk, starts_at, ends_at, sequence, changed_at or _made_about(starts_at), status in OFF)


def _own_entry(row: Row) -> Entry:
    """One of a private calendar: with the name of the group and where it meets, for whoever agreed to it."""
    starts_at = datetime.fromtimestamp(row.starts_at, UTC)
    changed_at = datetime.fromtimestamp(row.changed_at, UTC) if row.changed_at else None
    where = [row.place, row.address] if row.mode != Group.Mode.ONLINE else []
    return Entry(
        row.id,
        starts_at,
        datetime.fromtimestamp(row.ends_at, UTC),
        row.sequence,
        changed_at or _made_about(starts_at),
        row.status in OFF,
        row.name or "",
        ", ".join(filter(None, where)),
    )


def _made_about(starts_at: datetime) -> datetime:
    """A meeting that never changed is stamped with about when it was made: the same each time it is asked for."""
    return starts_at - timedelta(weeks=settings.WEEKS_AHEAD)


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
            "names_words": Consent.WORDS[Consent.Kind.FULL_CALENDAR],
            "names_groups": Consent.objects.standing().filter(member=member, kind=Consent.Kind.FULL_CALENDAR).exists(),
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
    elif wanted == "names":
        members.services.name_groups_in_calendar(member)
        messages.success(request, _("From now on your calendar names the group and the place."))
    elif wanted == "no names":
        members.services.stop_naming_groups_in_calendar(member)
        messages.success(request, _("From now on your calendar says “Appointment” and the time, nothing else."))
    elif wanted == "off":
        members.services.close_calendar(member)
        messages.success(request, _("Switched off. The address no longer works."))
    else:
        raise BadRequest("a calendar is switched “on”, “renew”ed, given “names” or “no names”, or switched “off”")
