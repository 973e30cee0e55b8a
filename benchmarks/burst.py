"""500 members want the same ten places at the same moment, each sending twice: exactly ten get one and 490 are on the
waiting list, in at most 1.5 times the time of a bare Django view with the same statement.
"""

from collections.abc import Iterable

from meetings.models import Meeting, Participation

from . import rsvp, serving, town

MEMBERS = 500
PLACES = 10
AT_ONCE = 32


def run(*, seconds: float, rounds: int, size: int = MEMBERS) -> dict:
    """However long it takes: `seconds` is not looked at."""
    town.build(1)
    people = town.sign_in_many(f"Heron{number}" for number in range(size))
    meeting = town.hot_meeting([member for member, _headers in people], capacity=PLACES)
    with serving.server(serving.BARE) as bare, serving.server() as ours:
        by_statement = [serving.Ask(bare, f"/take/{meeting.pk}/{member.pk}/", form={}) for member, _headers in people]
        by_page = [rsvp.answer(ours, meeting, headers) for _member, headers in people]
        measured = serving.compare(
            lambda: _rush(meeting, by_statement, status=200, members=size),
            lambda: _rush(meeting, by_page, status=302, members=size),
            rounds=rounds,
        )
    times = {"times as long": round(1 / measured["ratio"], 2), "at_most": 1.5}
    return serving.verdict(measured | times, at_least=round(1 / 1.5, 3)) | {"going": PLACES, "waiting": size - PLACES}


def _rush(meeting: Meeting, asks: Iterable[serving.Ask], *, status: int, members: int) -> float:
    """Answers per second until everybody has two. An error if not exactly so many have a place as there are."""
    rsvp.start_over(meeting)
    rate = serving.rate_of(
        (ask for ask in asks for _twice in range(2)), seconds=600, status=status, connections=AT_ONCE
    )
    rows = Participation.objects.filter(meeting=meeting)
    found = (rows.filter(rsvp="going").count(), rows.filter(rsvp="waitlisted").count(), rows.count())
    if found != (PLACES, members - PLACES, members):
        raise RuntimeError(f"{found[0]} have a place and {found[1]} wait, of {found[2]}.")
    return rate
