"""Weekly meetings as other people publish them: the Meeting Guide feed format, read without a database.

A feed is a JSON array of rows (github.com/code4recovery/spec). `read` fetches one, `parse` turns its rows into
`FeedRow`s and says of every row it leaves out which one and why. Whatever a row holds, only that row is lost.
"""

import html
import json
import os
import re
import reprlib
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from members.time_zones import is_time_zone

from . import recurrence

MOST_MEGABYTES = 20
MOST_ROWS = 100_000
MOST_PARTS = 10 * MOST_ROWS  # objects and lists, each of which takes far more memory than its two characters
LONGEST_NUMBER = 30  # digits; a longer one stays text, and is refused where a number is wanted
LONGEST_RAW_TEXT = 20_000
LONGEST_NOTES = 4_000
USUAL_MINUTES = 60
SHORTEST, LONGEST = 5, 720  # minutes a series may last
LONGEST_PAST_MIDNIGHT = 6 * 60  # an end before the start by the clock that is further away than this is a mistake

# The format's 87 type codes, then those proposed for it.
CODES = """
11 12x12 A ABSI AF AL AL-AN AM AR ASL B BA BE BG BI BRK C CAN CF D DA DB DD DE DR EL EN FA FI FF FR G GR H HE HI HR HU
IS ITA JA KA KOR L LGBTQ LIT LS LT M MED ML MT N NB NDG NE NL NO O OUT P POA POC POL POR PUN RUS S SEN SK SL SM SP ST
SV T TC TH TL TR TUR UK W X XB XT Y
BV-I D-HOH LO-I QSL RSL
"""
TYPE_CODES = frozenset(CODES.split())
# The first that applies says whom a group is for.
AUDIENCES = [
    ("men", {"M"}),
    ("women", {"W"}),
    ("lgbtq", {"LGBTQ", "G", "L", "BI", "T", "NB"}),
    ("young", {"Y"}),
    ("in-recovery", {"C"}),
    ("anyone", {"O"}),
]
WAYS_IN = ["location_notes", "conference_url_notes", "conference_phone", "conference_phone_notes"]

CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
LINE_BREAK = re.compile(r"<(?:br|/?p|/?div|/?li|/?ul|/?ol|/?h\d)\b[^<>]*>", re.IGNORECASE)
TAG = re.compile(r"<[/!]?[a-z-][^<>]*>", re.IGNORECASE)


UNREADABLE = "\N{REPLACEMENT CHARACTER}"


class FeedError(Exception):
    """A feed cannot be read at all; says why in one line."""


class RowError(Exception):
    """A row cannot be used; says why."""


@dataclass(frozen=True)
class FeedRow:
    """One row as we understand it, in our words: weekdays from Monday = 0, wall time and IANA zone, plain text.

    `link` and `address` are for people with a place; `area` is for everybody. `notes` say what was made of details
    that could not be taken as they were.
    """

    number: int
    slug: str
    name: str
    weekdays: tuple[int, ...]
    start_time: time
    minutes: int
    time_zone: str
    mode: str
    audience: str
    language: str
    is_cross_talk_welcome: bool
    gives_attendance_letters: bool
    is_wheelchair_accessible: bool
    is_place_closed: bool
    description: str
    area: str
    place: str
    address: str
    place_notes: str
    link: str
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"row {self.number} ({self.slug})"

    @property
    def is_online(self) -> bool:
        return self.mode != "in-person"


@dataclass
class Feed:
    """The rows that can be used, a line for each that cannot, and every slug that was seen in either."""

    rows: list[FeedRow] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    slugs: set[str] = field(default_factory=set)


# --- The feed ---------------------------------------------------------------------------------------------------------


def read(path: str) -> list[object]:
    """The rows of a feed in a file, or of standard input for `-`. Raises FeedError."""
    name = "standard input" if path == "-" else path
    raw = _read_bytes(path, name)
    # A letter that is not what the rest is written in spoils its own row only, which gets a note.
    text = raw.decode(json.detect_encoding(raw), errors="replace")
    if text.count("{") + text.count("[") > MOST_PARTS:
        raise FeedError(f"{name} holds more than {MOST_PARTS} objects and lists, the most a feed may hold.")
    try:
        rows = json.loads(text, parse_int=_whole_number)
    except RecursionError:
        raise FeedError(f"{name} is not a feed: it is nested too deeply.") from None
    except ValueError as error:
        raise FeedError(f"{name} is not JSON: {error}.") from None
    if not isinstance(rows, list):
        raise FeedError(f"{name} is not a feed: a feed is a JSON array of meetings.")
    if len(rows) > MOST_ROWS:
        raise FeedError(f"{name} has {len(rows)} rows; {MOST_ROWS} is the most a feed may have.")
    return rows


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits


def _read_bytes(path: str, name: str) -> bytes:
    try:
        if path == "-":
            return _read_some(sys.stdin.buffer, name)
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size > MOST_MEGABYTES * 1024**2:
                raise _too_large(name)
            return _read_some(file, name)
    except OSError as error:
        raise FeedError(f"{name} cannot be read: {error.strerror}.") from None


def _read_some(file: BinaryIO, name: str) -> bytes:
    raw = file.read(MOST_MEGABYTES * 1024**2 + 1)
    if len(raw) > MOST_MEGABYTES * 1024**2:
        raise _too_large(name)
    return raw


def _too_large(name: str) -> FeedError:
    return FeedError(f"{name} is larger than {MOST_MEGABYTES} MB, the most a feed may have.")


def parse(rows: Sequence[object], *, time_zone: str = "") -> Feed:
    """Read every row; `time_zone` is for rows that name none. Of rows with one slug, the first good one counts."""
    feed = Feed()
    first: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        try:
            parsed = parse_row(row, number=number, time_zone=time_zone)
            if parsed.slug in first:
                raise RowError(f"row {first[parsed.slug]} has the same slug")
        except RowError as error:
            slug = _readable_slug(row)
            feed.slugs |= {slug} - {""}
            feed.skipped.append(f"row {number} ({slug}): {error}" if slug else f"row {number}: {error}")
            continue
        first[parsed.slug] = number
        feed.slugs.add(parsed.slug)
        feed.rows.append(parsed)
    return feed


# --- One row ----------------------------------------------------------------------------------------------------------


def parse_row(row: object, *, number: int = 1, time_zone: str = "") -> FeedRow:
    """Read one row. Raises RowError with the reason if it cannot be used, and nothing else."""
    if not isinstance(row, dict):
        raise RowError("it is not an object with fields")
    notes: list[str] = []
    slug, name = _slug(row), _text(row, "name", 255)
    if not name:
        raise RowError("it has no name")
    start_time = _start_time(row)
    types = _types(row, notes)
    address, link, phone = _address(row), _link(row), _text(row, "conference_phone", 100)
    mode = _mode(has_place=_is_a_place(row, address), is_online=bool(link or phone), notes=notes)
    if any(isinstance(value, str) and UNREADABLE in value for value in row.values()):
        notes.append(f"some letters could not be read and are now {UNREADABLE}: is the file written in UTF-8?")
    return FeedRow(
        number=number,
        slug=slug,
        name=name,
        weekdays=_weekdays(row),
        start_time=start_time,
        minutes=_minutes(row, start_time, notes),
        time_zone=_time_zone(row, time_zone),
        mode=mode,
        audience=_audience(types),
        language="es" if "S" in types else "en",
        is_cross_talk_welcome="XT" in types,
        gives_attendance_letters="POA" in types,
        is_wheelchair_accessible="X" in types,
        is_place_closed="TC" in types,
        description=_notes(row, ["notes", "group_notes"], notes),
        area=_area(row, notes),
        place=_cut(_text(row, "location"), 200, "location", notes),
        address=address,
        place_notes=_notes(row, WAYS_IN, notes),
        link=link,
        notes=tuple(notes),
    )


def _slug(row: dict[str, Any]) -> str:
    value = row.get("slug")
    if value is None or value == "":
        raise RowError("it has no slug")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowError(f"its slug {reprlib.repr(value)} is neither text nor a number")
    slug = str(value).strip()
    if len(slug) > 64:
        raise RowError("its slug is longer than 64 characters")
    if not slug or not slug.isprintable() or " " in slug or UNREADABLE in slug:
        raise RowError(f"its slug {reprlib.repr(value)} is not one word of letters, digits and hyphens")
    return slug


def _readable_slug(row: object) -> str:
    """The slug of a row that may have other faults, or nothing."""
    try:
        return _slug(row) if isinstance(row, dict) else ""
    except RowError:
        return ""


def _weekdays(row: dict[str, Any]) -> tuple[int, ...]:
    day = row.get("day")
    if day is None or day == "" or day == []:
        raise RowError("it has no day: only weekly meetings can be taken over")
    return tuple(sorted({_weekday(one) for one in (day if isinstance(day, list) else [day])}))


def _weekday(day: object) -> int:
    """Ours of theirs: a feed counts from Sunday = 0."""
    if isinstance(day, str) and day in "0123456" and len(day) == 1:
        day = int(day)
    if isinstance(day, bool) or not isinstance(day, int) or not 0 <= day <= 6:
        raise RowError(f"day {reprlib.repr(day)} is not one from 0 (Sunday) to 6 (Saturday)")
    return (day - 1) % 7


def _start_time(row: dict[str, Any]) -> time:
    value = row.get("time")
    if value is None or value == "":
        raise RowError("it has no time")
    clock = _clock(value)
    if clock is None:
        raise RowError(f"time {reprlib.repr(value)} is not a time such as 18:30")
    return clock


def _clock(value: object) -> time | None:
    match = CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    return time(int(match[1]), int(match[2])) if match else None


def _minutes(row: dict[str, Any], start: time, notes: list[str]) -> int:
    value = row.get("end_time")
    if value is None or value == "":
        return USUAL_MINUTES
    end = _clock(value)
    if end is None:
        notes.append(f"end_time {reprlib.repr(value)} is not a time: taken as {USUAL_MINUTES} minutes")
        return USUAL_MINUTES
    minutes = recurrence.minutes_between(start, end)
    longest = LONGEST if end > start else LONGEST_PAST_MIDNIGHT
    if not SHORTEST <= minutes <= longest:
        notes.append(f"from {start:%H:%M} to {end:%H:%M} cannot be right: taken as {USUAL_MINUTES} minutes")
        return USUAL_MINUTES
    return minutes


def _time_zone(row: dict[str, Any], otherwise: str) -> str:
    value = row.get("timezone")
    if value is None or value == "":
        if not otherwise:
            raise RowError("it names no time zone: pass one with --time-zone, such as America/New_York")
        return otherwise
    if not isinstance(value, str) or not is_time_zone(value):
        raise RowError(f"{reprlib.repr(value)} is not a time zone such as America/New_York")
    return value


def _types(row: dict[str, Any], notes: list[str]) -> set[str]:
    value = row.get("types")
    if value is None:
        return set()
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        raise RowError("types is not a list of codes")
    types = set(value)
    unknown = sorted(types - TYPE_CODES)
    if unknown:
        more = ", …" if len(unknown) > 5 else ""
        notes.append(f"unknown type codes: {', '.join(reprlib.repr(code) for code in unknown[:5])}{more}")
    return types


def _audience(types: set[str]) -> str:
    if types >= {"M", "W"}:
        types = types - {"M", "W"}
    return next((audience for audience, codes in AUDIENCES if codes & types), "in-recovery")


def _mode(*, has_place: bool, is_online: bool, notes: list[str]) -> str:
    if has_place:
        return "hybrid" if is_online else "in-person"
    if is_online:
        return "online"
    notes.append("it has neither an address one can go to nor a link")
    return "in-person"


def _address(row: dict[str, Any]) -> str:
    whole = _text(row, "formatted_address", 300)
    if whole:
        return whole
    street, city, country = (_text(row, part, 100) for part in ("address", "city", "country"))
    state = f"{_text(row, 'state', 50)} {_text(row, 'postal_code', 20)}".strip()
    return ", ".join(part for part in (street, city, state, country) if part)


def _is_a_place(row: dict[str, Any], address: str) -> bool:
    """Whether one can go there: “Chicago, IL, USA” only says roughly where an online group is at home."""
    approximate = _text(row, "approximate", 10).lower()
    if approximate in ("yes", "no"):
        return bool(address) and approximate == "no"
    return len(address.split(",")) >= 4 or bool(_text(row, "address"))


def _area(row: dict[str, Any], notes: list[str]) -> str:
    """What everybody may know of where it is, the nearer name first. Never taken from the address."""
    regions = row.get("regions")
    if isinstance(regions, list):
        names = [_plain(region, "regions") for region in regions]
    else:
        names = [_text(row, name) for name in ("regions", "region", "sub_region")]
    names = [name for name in reversed(names) if name] or [_text(row, "city")]
    return _cut(", ".join(dict.fromkeys(names)), 120, "region", notes)


def _link(row: dict[str, Any]) -> str:
    link = _text(row, "conference_url")
    if not link:
        return ""
    if len(link) > 500:
        raise RowError("conference_url is longer than 500 characters")
    try:
        URLValidator(schemes=["http", "https"])(link)
    except ValidationError:
        raise RowError(f"conference_url {reprlib.repr(link)} is not a web address") from None
    return link


# --- Text -------------------------------------------------------------------------------------------------------------


def plain_text(raw: str) -> str:
    """Without HTML tags, entities, control and invisible characters; lines stay lines, other space is one space."""
    text = TAG.sub("", LINE_BREAK.sub("\n", _without_invisible(html.unescape(raw))))
    lines = [" ".join(_without_controls(line).split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _without_invisible(text: str) -> str:
    """Without what has no width or turns the direction of writing, and so makes one name look like another."""
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


def _without_controls(text: str) -> str:
    """Also without halves of surrogate pairs, which no database stores."""
    return "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text)


def _plain(value: object, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowError(f"{name} is not text")
    raw = str(value)
    if "\0" in raw:
        raise RowError(f"{name} holds a NUL character")
    if len(raw) > LONGEST_RAW_TEXT:
        raise RowError(f"{name} is longer than {LONGEST_RAW_TEXT} characters")
    return plain_text(raw)


def _text(row: dict[str, Any], name: str, longest: int = LONGEST_RAW_TEXT) -> str:
    """A field on one line, whole or not at all: half an address leads nowhere."""
    text = " ".join(_plain(row.get(name), name).split())
    if len(text) > longest:
        raise RowError(f"{name} is longer than {longest} characters")
    return text


def _notes(row: dict[str, Any], names: list[str], notes: list[str]) -> str:
    """Fields of several lines, below one another, as far as they are not endless."""
    texts = [_plain(row.get(name), name) for name in names]
    return _cut("\n\n".join(text for text in texts if text), LONGEST_NOTES, names[0], notes)


def _cut(text: str, longest: int, name: str, notes: list[str]) -> str:
    if len(text) <= longest:
        return text
    notes.append(f"{name} was cut to {longest} characters")
    return text[: longest - 1].rstrip() + "…"
