"""Dates as schema.org events, for search engines: what a visitor reads on the page, and no more.

The area, and the address only of a group that shows it to everybody; never the link, but our page instead.
"""

import json
from collections.abc import Iterable

from django.conf import settings

from groups.models import Group

from .models import Meeting

ATTENDANCE = {
    Group.Mode.IN_PERSON: "OfflineEventAttendanceMode",
    Group.Mode.ONLINE: "OnlineEventAttendanceMode",
    Group.Mode.HYBRID: "MixedEventAttendanceMode",
}
SCHEMA = "https://schema.org/"
# What could end the script element or begin a comment in it.
ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def as_json(meetings: Iterable[Meeting]) -> str:
    events = {"@context": SCHEMA.rstrip("/"), "@graph": [_event(meeting) for meeting in meetings]}
    return json.dumps(events).translate(ESCAPES)


def _event(meeting: Meeting) -> dict[str, object]:
    is_off = meeting.status == Meeting.Status.CANCELLED
    url = settings.SITE_URL + meeting.get_absolute_url()
    return {
        "@type": "Event",
        "name": meeting.group.name,
        "startDate": meeting.local_start.isoformat(),
        "endDate": meeting.local_end.isoformat(),
        "eventStatus": SCHEMA + ("EventCancelled" if is_off else "EventScheduled"),
        "eventAttendanceMode": SCHEMA + ATTENDANCE[Group.Mode(meeting.mode)],
        "location": _where(meeting, url),
        "organizer": {"@type": "Organization", "name": settings.SITE_NAME, "url": settings.SITE_URL},
        "isAccessibleForFree": True,
        "inLanguage": meeting.group.language,
        "url": url,
    }


def _where(meeting: Meeting, url: str) -> object:
    group = meeting.group
    place = {"@type": "Place", "name": group.area, "address": group.area}
    if group.public_address:
        place |= {"name": group.place or group.area, "address": group.address}
    online = {"@type": "VirtualLocation", "url": url}
    if meeting.mode == Group.Mode.ONLINE:
        return online
    return [place, online] if meeting.mode == Group.Mode.HYBRID else place
