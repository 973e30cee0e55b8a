"""Which words of the mails about meetings coordinators may change; each letter has made-up facts for pictures of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from outbox.wordings import EditableLetter

from . import wording
from .models import Participation


def _example(kind: str, *, rsvp: str | None = Participation.Rsvp.GOING) -> Mapping[str, Any]:
    """Made-up facts as long as real ones get."""
    starts_at = datetime(2026, 9, 30, 22, 30, tzinfo=ZoneInfo("America/Los_Angeles"))
    return {
        "kind": kind,
        "when": wording.moment(starts_at),
        "when_short": wording.moment_short(starts_at),
        "rsvp": rsvp,
        "offer_ends": wording.moment(starts_at.replace(day=29, hour=18)) if kind == "offer" else "",
        "answer_url": settings.SITE_URL + "/m/…/",
        "unsubscribe_url": settings.SITE_URL + "/u/…/",
        "meeting_url": settings.SITE_URL + "/meetings/…/",
    }


WHEN = {"when": _("day and time, with the zone"), "when_short": _("weekday and time, short")}


def _editable(name: str, kind: str, title, readers, *, rsvp: str | None = "going", **more) -> EditableLetter:
    return EditableLetter(
        name=name,
        template=f"meetings/mail/{kind}",
        title=title,
        readers=readers,
        example=lambda: _example(kind, rsvp=rsvp),
        placeholders=more.pop("placeholders", WHEN),
        required=["when"],
        counts_attendance=True,
    )


REMINDER_GOING = _editable(
    "reminder-going",
    "reminder",
    _("Reminder, to people with a place"),
    _("People who asked for reminders and have a place. Those whose reminder names their group keep its own words."),
)
REMINDER_OPEN = _editable(
    "reminder-open",
    "reminder",
    _("Reminder, to people who have not answered"),
    _("People who asked for reminders, in a meeting with places left. Not those whose reminder names their group."),
    rsvp=None,
)
CANCELLED = _editable("cancelled", "cancelled", _("A meeting is cancelled"), _("Everybody who was going to come."))
MOVED = _editable("moved", "moved", _("A meeting has moved"), _("Everybody who was going to come."))
ON_AGAIN = _editable("on-again", "on_again", _("A meeting is on again"), _("Everybody who was going to come."))
OFFER = _editable(
    "offer",
    "offer",
    _("A place is free"),
    _("The next person on a waiting list."),
    rsvp="offered",
    placeholders={**WHEN, "offer_ends": _("until when the place is kept")},
)
OF_KIND = {"cancelled": CANCELLED, "moved": MOVED, "on_again": ON_AGAIN, "offer": OFFER}


def editable_of(kind: str, rsvp: str | None) -> EditableLetter:
    return OF_KIND.get(kind) or (REMINDER_GOING if rsvp else REMINDER_OPEN)
