import pytest
from django.core.management import CommandError, call_command

from meetings.management.commands import bench
from tests import make


def test_nothing_is_measured_where_real_people_are(db):
    make.member("Kim")

    with pytest.raises(CommandError, match="1 members here are not of the demonstration"):
        call_command("bench", "list")


def test_every_benchmark_can_be_called(db):
    from importlib import import_module

    assert "list" in bench.names()
    assert [name for name in bench.names() if not callable(import_module(f"benchmarks.{name}").run)] == []
