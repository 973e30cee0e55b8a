"""The list of meetings, signed in, through everything there is, beside a bare Django view: as fast; better, twice."""

from urllib.parse import urlencode

from meetings.forms import FindForm

from . import serving, town

UPCOMING = 10_000
FILTERS = dict.fromkeys(FindForm.base_fields, "")  # as the form sends them


def run(*, seconds: float, rounds: int, size: int = UPCOMING) -> dict:
    town.build(size)
    _member, headers = town.sign_in()
    with serving.server(serving.BARE) as bare, serving.server() as ours:
        baseline = serving.Ask(bare, "/")
        page = serving.Ask(ours, f"/meetings/?{urlencode(FILTERS)}", headers)
        if b"Heron" not in serving.get(serving.Ask(ours, "/my/", headers)).body:
            raise RuntimeError("The member is not signed in.")
        measured = serving.compare(
            lambda: serving.rate(baseline, seconds=seconds), lambda: serving.rate(page, seconds=seconds), rounds=rounds
        )
    return serving.verdict(measured, at_least=1.0, stretch=2.0)
