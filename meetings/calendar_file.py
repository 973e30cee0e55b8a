"""Dated meetings as an iCalendar file (RFC 5545): pure text, no database.

A calendar is read on shared screens and by others, so an entry tells a time and nothing else (EML-10): a neutral
title, no place, no description, nobody's name, and a UID that opens nothing.
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
    """One meeting: times in UTC, `sequence` as RFC 5546 §2.1.4 counts it, `stamped_at` when it last changed."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    sequence: int
    stamped_at: datetime
    is_cancelled: bool


def calendar_file(entries: Iterable[Entry], *, summary: str, host: str, organizer: str, refresh: timedelta) -> str:
    """A calendar to publish (`METHOD:PUBLISH`, RFC 5546 §3.2.1): every entry has the same title and organizer.

    `refresh` says how often a program that follows the file should look again.
    """
    every = f"PT{int(refresh.total_seconds() // 3600)}H"
    same = [
        line("ORGANIZER", f"mailto:{organizer}"),
        line("SUMMARY", escaped(summary)),
        line("CLASS", "PRIVATE"),
        line("END", "VEVENT"),
    ]
    head = [
        line("BEGIN", "VCALENDAR"),
        line("VERSION", "2.0"),
        line("PRODID", escaped(f"-//{host}//Calendar//EN")),
        line("CALSCALE", "GREGORIAN"),
        line("METHOD", "PUBLISH"),
        line("REFRESH-INTERVAL;VALUE=DURATION", every),
        line("X-PUBLISHED-TTL", every),
    ]
    return "".join([*head, *_events(entries, host, "".join(same)), line("END", "VCALENDAR")])


def _events(entries: Iterable[Entry], host: str, same: str) -> Iterator[str]:
    for one in entries:
        status = "CANCELLED" if one.is_cancelled else "CONFIRMED"
        yield (
            f"BEGIN:VEVENT\r\n{line('UID', uid(one.id, host))}DTSTAMP:{utc(one.stamped_at)}\r\n"
            f"DTSTART:{utc(one.starts_at)}\r\nDTEND:{utc(one.ends_at)}\r\n"
            f"SEQUENCE:{one.sequence}\r\nSTATUS:{status}\r\n{same}"
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
