"""Dated meetings as an iCalendar file (RFC 5545): pure text, no database.

A calendar is read on shared screens and by others, so an entry tells a time and nothing else (EML-10): a neutral
title, no place, no description, nobody's name, and a UID that opens nothing. Only in a private calendar, and only for
whoever agreed to it, does an entry have a title and a place of its own.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

LINE_OCTETS = 75  # RFC 5545 §3.1
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Entry(NamedTuple):
    """One meeting: times in UTC, `sequence` as RFC 5546 §2.1.4 counts it, `stamped_at` when it last changed. A `title`
    and a `place` only where they may be read."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    sequence: int
    stamped_at: datetime
    is_cancelled: bool
    title: str = ""
    place: str = ""


def calendar_file(entries: Iterable[Entry], *, summary: str, host: str, organizer: str, refresh: timedelta) -> str:
    """A calendar to publish (`METHOD:PUBLISH`, RFC 5546 §3.2.1). `summary` is the title of entries without their own.

    `refresh` says how often a program that follows the file should look again.
    """
    every = f"PT{int(refresh.total_seconds() // 3600)}H"
    again = [line("REFRESH-INTERVAL;VALUE=DURATION", every), line("X-PUBLISHED-TTL", every)]
    return "".join([*_head(host, "PUBLISH"), *again, *_events(entries, summary, host, organizer), _END])


def cancellation_file(entry: Entry, *, summary: str, host: str, organizer: str) -> str:
    """Takes an entry out of the calendar that opens the file (`METHOD:CANCEL`, RFC 5546 §3.2.5)."""
    gone = entry._replace(is_cancelled=True)
    return "".join([*_head(host, "CANCEL"), *_events([gone], summary, host, organizer), _END])


_END = "END:VCALENDAR\r\n"


def _head(host: str, method: str) -> list[str]:
    return [
        line("BEGIN", "VCALENDAR"),
        line("VERSION", "2.0"),
        line("PRODID", escaped(f"-//{host}//Calendar//EN")),
        line("CALSCALE", "GREGORIAN"),
        line("METHOD", method),
    ]


def _events(entries: Iterable[Entry], summary: str, host: str, organizer: str) -> Iterator[str]:
    same = f"{line('ORGANIZER', f'mailto:{organizer}')}CLASS:PRIVATE\r\nEND:VEVENT\r\n"
    neutral = line("SUMMARY", escaped(summary))
    for one in entries:
        status = "CANCELLED" if one.is_cancelled else "CONFIRMED"
        title = line("SUMMARY", escaped(one.title)) if one.title else neutral
        place = line("LOCATION", escaped(one.place)) if one.place else ""
        yield (
            f"BEGIN:VEVENT\r\n{line('UID', uid(one.id, host))}DTSTAMP:{utc(one.stamped_at)}\r\n"
            f"DTSTART:{utc(one.starts_at)}\r\nDTEND:{utc(one.ends_at)}\r\n"
            f"SEQUENCE:{one.sequence}\r\nSTATUS:{status}\r\n{title}{place}{same}"
        )


def uid(meeting_id: UUID, host: str) -> str:
    """The same for one meeting for good (EML-11), and not its address on the site."""
    return f"{hashlib.sha256(meeting_id.bytes).hexdigest()[:32]}@{host}"


def utc(moment: datetime) -> str:
    """Of a moment in any zone: `20261101T093000Z`."""
    at = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{at.year:04}{at.month:02}{at.day:02}T{at.hour:02}{at.minute:02}{at.second:02}Z"


def escaped(text: str) -> str:
    """Text as a value (RFC 5545 §3.3.11): one line, without control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = CONTROLS.sub("", text)
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def line(name: str, value: str) -> str:
    """One content line with its end, folded so that no part is longer than 75 octets; a letter is never cut."""
    whole = f"{name}:{value}"
    if len(whole) * 4 <= LINE_OCTETS or len(whole.encode()) <= LINE_OCTETS:
        return f"{whole}\r\n"
    parts, octets = [""], 0
    for letter in whole:
        size = len(letter.encode())
        if octets + size > LINE_OCTETS:
            parts.append(" ")
            octets = 1
        parts[-1] += letter
        octets += size
    return "\r\n".join(parts) + "\r\n"
