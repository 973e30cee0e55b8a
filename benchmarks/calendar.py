"""A calendar of 500 meetings, as a program follows it, beside a bare Django view of 50 rows: 0.7 times as fast."""

from . import serving, town

IN_CALENDAR = 500


def run(*, seconds: float, rounds: int, size: int = IN_CALENDAR) -> dict:
    town.build(2 * size)
    member, _headers = town.sign_in()
    with serving.server(serving.BARE) as bare, serving.server() as ours:
        baseline = serving.Ask(bare, "/")
        calendar = serving.Ask(ours, town.calendar_of(member, meetings=size))
        events = serving.get(calendar).body.count(b"BEGIN:VEVENT")
        if events != size:
            raise RuntimeError(f"The calendar has {events} meetings instead of {size}.")
        measured = serving.compare(
            lambda: serving.rate(baseline, seconds=seconds),
            lambda: serving.rate(calendar, seconds=seconds),
            rounds=rounds,
        )
    return serving.verdict(measured | {"events": events}, at_least=0.7)
