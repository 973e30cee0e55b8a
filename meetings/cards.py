"""Meetings as lists show them: a card each, put into words once and kept.

A card is kept under all that it shows, so a kept one is never out of date; a process keeps some thousand.
"""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.template.loader import get_template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from groups.models import Group

from . import wording
from .models import Meeting, MeetingSeries


class Card(NamedTuple):
    """Everything there is to see of a meeting in a list, in the order in which `find.py` asks for it."""

    is_on: bool  # happening now
    meeting_id: UUID
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    mode: str
    status: str
    places_left: int
    name: str
    kind: str
    area: str
    patterns: str | None = None  # JSON: [weekdays, every_n_weeks, nth_of_month, start_time] of each schedule
    further: str | None = None  # JSON: [meeting id, start in seconds] of the dates after this
    rsvp: str | None = None  # the reader's own answer

    @classmethod
    def of(cls, meeting: Meeting, *, rsvp: str | None = None) -> "Card":
        group = meeting.group
        return cls(
            is_on=False,
            meeting_id=meeting.pk,
            starts_at=meeting.starts_at,
            ends_at=meeting.ends_at,
            time_zone=meeting.time_zone,
            mode=meeting.mode,
            status=meeting.status,
            places_left=meeting.places_left,
            name=group.name,
            kind=group.kind,
            area=group.area,
            rsvp=rsvp,
        )

    @property
    def local_start(self) -> datetime:
        return self.starts_at.astimezone(ZoneInfo(self.time_zone))

    @property
    def local_end(self) -> datetime:
        return self.ends_at.astimezone(ZoneInfo(self.time_zone))


def html(card: Card, *, zone: ZoneInfo | None, show_day: bool = False) -> SafeString:
    """The card in the reader's language, with their own time where it is another one."""
    return _html(card, get_language(), zone.key if zone else "", show_day)


def by_day(cards: Iterable[Card]) -> dict[str, list[Card]]:
    """The cards under the day of each, which is that of the place where they meet."""
    days: dict[date, list[Card]] = {}
    for card in cards:
        days.setdefault(card.local_start.date(), []).append(card)
    return {_heading(on, get_language()): found for on, found in days.items()}


@lru_cache(maxsize=5000)
def _html(card: Card, language: str, zone: str, show_day: bool) -> SafeString:
    shown = {
        "card": card,
        "address": _address(card.meeting_id),
        "show_day": show_day,
        "kind": Group.Kind(card.kind).label,
        "mode": Group.Mode(card.mode).label,
        "for_you": wording.for_you(card.local_start, ZoneInfo(zone) if zone else None),
        "patterns": _patterns(card),
        "further": _further(card),
    }
    return mark_safe(get_template("meetings/_meeting_card.html").render(shown))


def _patterns(card: Card) -> list[str]:
    today = datetime.now(tz=UTC).date()
    return [
        wording.pattern(
            MeetingSeries(
                weekdays=weekdays,
                every_n_weeks=every_n_weeks,
                nth_of_month=nth_of_month,
                start_time=time.fromisoformat(start),
                from_on=today,
            )
        )
        for weekdays, every_n_weeks, nth_of_month, start in json.loads(card.patterns or "[]")
    ]


def _further(card: Card) -> list[tuple[str, str]]:
    zone = ZoneInfo(card.time_zone)
    return [
        (_address(meeting), wording.day(datetime.fromtimestamp(seconds, tz=zone)))
        for meeting, seconds in json.loads(card.further or "[]")
    ]


def _address(meeting_id: object) -> str:
    return reverse("meetings:meeting_detail", args=[meeting_id])


@lru_cache(maxsize=500)
def _heading(on: date, language: str) -> str:
    return wording.day(on)
