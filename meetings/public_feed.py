"""Our weekly meetings as other sites read them: rows of the Meeting Guide format (github.com/code4recovery/spec).

Pure: facts in, rows out. What only people with a place may know is not among the facts (PRV-14): no link, no name of
a person, and no address but of a group that shows it to everybody. `meetings.feed` reads what others write.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Any, NamedTuple

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_SLUG = 64
LONGEST_NAME = 255

# Ours in the codes of the format. What has no code of its own is left out: no code is given another meaning.
AUDIENCE_TYPES = {
    "anyone": ("O",),
    "in-recovery": ("C",),
    "men": ("M", "C"),
    "women": ("W", "C"),
    "lgbtq": ("LGBTQ", "C"),
    "young": ("Y", "C"),
    "family": (),
}
LANGUAGE_TYPES = {"en": "EN", "es": "S"}


class Weekly(NamedTuple):
    """A series that meets every week, with what everybody may know of its group.

    Weekdays count from Monday = 0. `place` and `address` are empty where only people with a place know them.
    `closure`: "" it meets, "place" only online for now, "all" not at all for now.
    """

    id: int
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
    area: str
    place: str
    address: str
    description: str
    closure: str
    url: str
    updated_at: datetime


def rows(series: Iterable[Weekly], *, around: str, entity: dict[str, str]) -> list[dict[str, Any]]:
    """One row for each weekday of each series: two rows with a list of days stop a page that shows them.

    `around` is the town the groups are in, such as `Springfield, IL, USA`; `entity` says who publishes this.
    """
    made: list[dict[str, Any]] = []
    taken: set[str] = set()
    for one in series:
        if one.closure and one.mode == "online":
            continue
        same = _row(one, around) | entity
        for weekday in one.weekdays:
            slug = _slug(one, weekday, taken)
            taken.add(slug)
            made.append({"slug": slug, "day": (weekday + 1) % 7} | same)
    return made


def _row(one: Weekly, around: str) -> dict[str, Any]:
    area = [part.strip() for part in one.area.split(",") if part.strip()]
    row = {
        "name": one.name[:LONGEST_NAME],
        "time": f"{one.start_time:%H:%M}",
        "end_time": _end_time(one),
        "timezone": one.time_zone,
        "formatted_address": roughly([one.address, *area] if one.address else area, around),
        "approximate": "no" if one.address else "yes",
        "types": types(one),
        "url": one.url,
        "updated": f"{one.updated_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
    }
    if one.address and one.place:
        row["location"] = one.place
    if area:
        row["regions"] = area[::-1]
    if one.description:
        row["notes"] = one.description
    if one.mode != "in-person" and one.closure != "all":
        row["conference_url"] = one.url
    return row


def _end_time(one: Weekly) -> str:
    """On the clock on the wall; past midnight it is a small number again."""
    hours, minutes = divmod(one.start_time.hour * 60 + one.start_time.minute + one.minutes, 60)
    return f"{hours % 24:02}:{minutes:02}"


def roughly(area: list[str], around: str) -> str:
    """`Riverside, Springfield, IL, USA`: what is near first, no part twice."""
    parts = area + [part.strip() for part in around.split(",") if part.strip()]
    return ", ".join(dict.fromkeys(parts))


def types(one: Weekly) -> list[str]:
    """The codes of a series, each once, always in the same order."""
    meets_in_a_place = one.mode != "online"
    codes = [
        *AUDIENCE_TYPES[one.audience],
        LANGUAGE_TYPES.get(one.language, ""),
        "XT" if one.is_cross_talk_welcome else "",
        "POA" if one.gives_attendance_letters else "",
        "X" if one.is_wheelchair_accessible and meets_in_a_place else "",
        "TC" if one.closure and meets_in_a_place else "",
    ]
    return [code for code in codes if code]


def _slug(one: Weekly, weekday: int, taken: set[str]) -> str:
    """`willow-mon`; where a group meets twice on one day, the second one has the number of its schedule too."""
    ending = f"-{DAYS[weekday]}"
    while True:
        slug = one.slug[: LONGEST_SLUG - len(ending)] + ending
        if slug not in taken:
            return slug
        ending = f"-{one.id}{ending}"
