import json

import pytest
from django.core.management import CommandError, call_command

from benchmarks import reminders
from meetings.management.commands import bench
from tests import make


def test_nothing_is_measured_where_real_people_are(db):
    make.member("Kim")

    with pytest.raises(CommandError, match="1 members here are not of the demonstration"):
        call_command("bench", "list")


RATIO = {"ratio", "baseline", "ours", "rounds", "at_least", "stretch", "holds"}
SAYS = {
    "burst": RATIO | {"times as long", "at_most", "going", "waiting"},
    "calendar": RATIO | {"events"},
    "filters": {"ratio", "at_most", "rows_read_per_row_shown", "rows_at_most", "holds", "filters"},
    "list": RATIO,
    "reminders": RATIO | {"mails per task", "megabytes after"},
    "rsvp": RATIO | {"32 beside 2 people"},
    "unchanged": {"ratio", "list", "feed", "calendar", "at_least", "stretch", "holds"},
}


def test_every_benchmark_runs_and_says_what_it_found(django_db_setup, django_db_blocker):
    said = {}
    with django_db_blocker.unblock(), bench.scratch_database():
        for name in names_with_what_they_need():
            measured = bench.measure(name, seconds=0.02, rounds=1, size=24)
            said[name] = set(json.loads(bench.as_json(measured)))
            call_command("flush", interactive=False, verbosity=0)

    assert said == {name: words for name, words in SAYS.items() if name in names_with_what_they_need()}


def names_with_what_they_need():
    """Postfix is part of CI, and not of every desk."""
    return [name for name in bench.names() if name != "reminders" or reminders.has_what_it_needs()]
