"""What has not changed since it was asked for, beside the whole of it: five times as fast; better, eight.

The list of meetings for a visitor, the feed for other sites, and a calendar of many meetings.
"""

from . import serving, town

UPCOMING = 10_000
IN_CALENDAR = 500
COOKIE = {"Cookie": "csrftoken=" + "a" * 32}  # as a browser has it that was here before


def run(*, seconds: float, rounds: int, size: int = UPCOMING) -> dict:
    town.build(size)
    calendar = town.calendar_of(town.sign_in()[0], meetings=IN_CALENDAR)
    with serving.server() as ours:
        asks = {
            "list": serving.Ask(ours, "/meetings/", COOKIE),
            "feed": serving.Ask(ours, "/meetings.json"),
            "calendar": serving.Ask(ours, calendar),
        }
        measured = {name: _measure(ask, seconds=seconds, rounds=rounds) for name, ask in asks.items()}
    slowest = {"ratio": min(one["ratio"] for one in measured.values())}
    return serving.verdict(slowest | measured, at_least=5.0, stretch=8.0)


def _measure(ask: serving.Ask, *, seconds: float, rounds: int) -> dict:
    return serving.compare(
        lambda: serving.rate(ask, seconds=seconds), lambda: _rate_unchanged(ask, seconds=seconds), rounds=rounds
    )


def _rate_unchanged(ask: serving.Ask, *, seconds: float) -> float:
    """The list is another one each minute: a round in which one ends is run again."""
    while True:
        tag = serving.get(ask).headers["etag"]
        again = serving.Ask(ask.port, ask.path, ask.headers | {"If-None-Match": tag})
        try:
            return serving.rate(again, seconds=seconds, status=304)
        except serving.OtherAnswer:
            continue
