import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.backends.postgresql.creation import DatabaseCreation

from ... import demo

FOLDER = settings.BASE_DIR / "benchmarks"
HELPERS = {"__init__", "bare", "serving", "site_settings", "town"}


class Command(BaseCommand):
    help = "Measure how fast the site is, beside a baseline in the same run, on a database made for it and dropped."
    requires_migrations_checks = False

    def add_arguments(self, parser):
        parser.add_argument("name", choices=names(), help="which benchmark")
        parser.add_argument("--json", action="store_true", help="print nothing but JSON")
        parser.add_argument("--seconds", type=float, default=1.5, help="how long each side runs in each round")
        parser.add_argument("--rounds", type=int, default=7, help="how often; one more before to warm up")
        parser.add_argument("--size", type=int, help="how many rows, other than the benchmark says")

    def handle(self, *, name, json: bool, seconds, rounds, size, **options):
        refuse_beside_real_people()
        with scratch_database():
            call_command("collectstatic", interactive=False, verbosity=0)
            measured = {"name": name, **measure(name, seconds=seconds, rounds=rounds, size=size)}
        self.stdout.write(as_json(measured) if json else as_text(measured))


def measure(name: str, *, seconds: float, rounds: int, size: int | None = None) -> dict:
    """What a benchmark found, in the database that is connected: it is filled."""
    of_its_own = {} if size is None else {"size": size}
    return import_module(f"benchmarks.{name}").run(seconds=seconds, rounds=rounds, **of_its_own)


def names() -> list[str]:
    return sorted({path.stem for path in FOLDER.glob("*.py")} - HELPERS)


def refuse_beside_real_people() -> None:
    """Where real people are served, the machine is theirs."""
    try:
        others = demo.others()
    except DatabaseError:  # an empty database, not migrated yet
        return
    if others:
        raise CommandError(f"{others} members here are not of the demonstration. Measure on another machine.")


@contextmanager
def scratch_database() -> Iterator[None]:
    """A migrated database of its own on the same PostgreSQL, gone afterwards."""
    usual, scratch = connection.settings_dict["NAME"], f"bench_{os.getpid()}_{secrets.token_hex(4)}"
    connection.settings_dict["TEST"] = {**connection.settings_dict["TEST"], "NAME": scratch, "MIGRATE": True}
    let_go()  # a pool that is open stays with the database it was opened for
    creation = DatabaseCreation(connection)
    creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            if cursor.fetchone() != (scratch,):
                raise CommandError("This is not the database made for the benchmark. Nothing was measured.")
        yield
    finally:
        let_go()
        creation.destroy_test_db(usual, verbosity=0)


def let_go() -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # of PostgreSQL alone


def as_json(measured: dict) -> str:
    return json.dumps(measured, indent=2)


def as_text(measured: dict) -> str:
    return "\n".join(f"{key}: {value}" for key, value in measured.items())
