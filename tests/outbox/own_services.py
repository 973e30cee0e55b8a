"""PostgreSQL and a broker of a test's own, which it may kill, with a copy of what stands in the tests' database."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from django.db import connection

from recovery_groups import local_services
from recovery_groups.local_services import DATABASE, Services

FILLER = "filler"


class OwnServices:
    def __init__(self, services: Services, disks: ExitStack):
        self.services = services
        self.data = local_services._data_directory(services.directory)
        self.broker_data = services.directory / "valkey"
        self.disks = disks

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.services.database_url,
            "REDIS_URL": self.services.redis_url,
            "TEST_DATABASE": DATABASE,
        }

    def ask(self, question: str) -> list[tuple]:
        where = {"host": str(self.services.socket_directory), "user": "postgres", "dbname": DATABASE}
        with psycopg.connect(**where, autocommit=True) as session:
            answer = session.execute(question)
            return answer.fetchall() if answer.description else []

    def copy_tables(self) -> None:
        info = connection.connection.info
        dump = [self._program("pg_dump"), "-h", info.host, "-p", str(info.port), "-U", info.user, info.dbname]
        load = [self._program("psql"), "-q", "-h", self.services.socket_directory, "-U", "postgres", DATABASE]
        with subprocess.Popen(dump, stdout=subprocess.PIPE) as dumping:
            subprocess.run(load, stdin=dumping.stdout, check=True, capture_output=True)

    def stop_postgres(self, *, at_once: bool = False) -> None:
        """As an operator restarts it; at once: kill -9, as when the machine dies."""
        if at_once:
            os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        else:
            local_services._stop_postgres(self.data, hurry=False)

    def start_postgres(self) -> None:
        here = self.services
        local_services._start_postgres(
            self.data, here.socket_directory, log=here.directory / "postgres.log", durable=True
        )

    def stop_broker(self) -> None:
        """And everything it had is gone."""
        local_services._stop_valkey(self.services.socket_directory)
        shutil.rmtree(self.broker_data)

    def start_broker(self) -> None:
        here = self.services
        local_services._start_valkey(
            self.broker_data, here.socket_directory, log=here.directory / "valkey.log", durable=True
        )

    def give_postgres_a_disk(self, *, megabytes: int) -> None:
        """One of its own, with so much room beside what it holds."""
        self.stop_postgres()
        self.disks.enter_context(_disk(self.data, megabytes))
        self.start_postgres()

    def give_the_broker_a_disk(self, *, megabytes: int) -> None:
        local_services._stop_valkey(self.services.socket_directory)
        self.disks.enter_context(_disk(self.broker_data, megabytes))
        self.start_broker()

    def fill_disk_of_postgres(self) -> None:
        """Until it can write nothing any more: what it had set aside for its log is used up too."""
        _fill(self.data)
        with suppress(psycopg.OperationalError):
            while True:
                self.ask("SELECT pg_logical_emit_message(false, '', repeat('x', 1000000))")

    def crashes_of_postgres(self) -> int:
        return (self.services.directory / "postgres.log").read_text().count("PANIC:")

    def fill_disk_of_the_broker(self) -> None:
        _fill(self.broker_data)

    def make_room_for_postgres(self) -> None:
        """And start it, should it have ended."""
        (self.data / FILLER).unlink()
        self.start_postgres()

    def make_room_for_the_broker(self) -> None:
        (self.broker_data / FILLER).unlink()

    def broker_says(self) -> str:
        return local_services._ask_valkey(self.services.socket_directory, "PING")

    def _program(self, name: str) -> Path:
        return local_services.postgres_binaries() / name


@contextmanager
def own_services() -> Iterator[OwnServices]:
    directory = Path(tempfile.mkdtemp(prefix="faults-"))
    directory.chmod(0o755)
    try:
        with ExitStack() as disks, local_services.local_services(directory, durable=True) as services:
            made = OwnServices(services, disks)
            made.copy_tables()
            yield made
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def may_mount() -> bool:
    with tempfile.TemporaryDirectory() as directory:
        try:
            with _disk(Path(directory, "disk"), 1):
                return True
        except subprocess.CalledProcessError:
            return False


@contextmanager
def _disk(directory: Path, megabytes: int) -> Iterator[None]:
    """A small disk in place of a directory, with what is in it."""
    used = sum(path.stat().st_blocks * 512 for path in directory.rglob("*")) // 1_000_000 + 1
    was = directory.with_name(f"{directory.name}.was")
    directory.mkdir(exist_ok=True)
    directory.rename(was)
    directory.mkdir()
    size = f"size={used + megabytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", directory], check=True, capture_output=True)
    try:
        subprocess.run(["cp", "-a", f"{was}/.", directory], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


def _fill(directory: Path) -> None:
    with (directory / FILLER).open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 12))
    assert not shutil.disk_usage(directory).free
