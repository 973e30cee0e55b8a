"""PostgreSQL and a broker of a test's own, which it may kill, with a copy of what stands in the tests' database."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection

from recovery_groups import local_services
from recovery_groups.local_services import DATABASE, Services


class OwnServices:
    def __init__(self, services: Services):
        self.services = services
        self.data = local_services._data_directory(services.directory)

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
        shutil.rmtree(self.services.directory / "valkey")

    def start_broker(self) -> None:
        here = self.services
        local_services._start_valkey(
            here.directory / "valkey", here.socket_directory, log=here.directory / "valkey.log", durable=True
        )

    def _program(self, name: str) -> Path:
        return local_services.postgres_binaries() / name


@contextmanager
def own_services() -> Iterator[OwnServices]:
    directory = Path(tempfile.mkdtemp(prefix="faults-"))
    directory.chmod(0o755)
    try:
        with local_services.local_services(directory, durable=True) as services:
            made = OwnServices(services)
            made.copy_tables()
            yield made
    finally:
        shutil.rmtree(directory, ignore_errors=True)
