"""Answers for one meeting that everybody wants to come to: over HTTP, each by another member who is signed in, beside
pgbench on the same PostgreSQL, in which two clients lock a row, insert another and update the first: half as many;
better, 0.7 times. With 32 people at once it is to be 0.8 times of what it is with 2.
"""

import os
import re
import shutil
import subprocess
import tempfile

from django.db import connection

from meetings.models import Meeting, Participation
from recovery_groups import local_services

from . import serving, town

MEMBERS = 1500
FEW, MANY = 2, 32

TABLES = """
CREATE TABLE bench_meeting (id int PRIMARY KEY, taken int NOT NULL);
INSERT INTO bench_meeting VALUES (1, 0);
CREATE TABLE bench_place (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meeting int NOT NULL REFERENCES bench_meeting, member int NOT NULL,
    rsvp varchar(10) NOT NULL, rsvp_at timestamptz NOT NULL, UNIQUE (meeting, member)
);
CREATE SEQUENCE bench_member;
"""
LOCK_INSERT_UPDATE = """
BEGIN;
SELECT taken FROM bench_meeting WHERE id = 1 FOR UPDATE;
INSERT INTO bench_place (meeting, member, rsvp, rsvp_at) VALUES (1, nextval('bench_member'), 'going', now());
UPDATE bench_meeting SET taken = taken + 1 WHERE id = 1;
COMMIT;
"""


def run(*, seconds: float, rounds: int, size: int = MEMBERS) -> dict:
    town.build(1)
    people = town.sign_in_many(f"Heron{number}" for number in range(size))
    meeting = town.hot_meeting([member for member, _headers in people], capacity=size)
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
    with serving.server() as ours:
        asks = [answer(ours, meeting, headers) for _member, headers in people]

        def rate(connections: int = serving.CONNECTIONS) -> float:
            start_over(meeting)
            return serving.rate_of(asks, seconds=seconds, status=302, connections=connections)

        measured = serving.compare(lambda: pgbench(seconds=seconds), rate, rounds=rounds)
        crowd = serving.compare(lambda: rate(FEW), lambda: rate(MANY), rounds=rounds)
    crowd = serving.verdict(crowd, at_least=0.8)
    verdict = serving.verdict(measured, at_least=0.5, stretch=0.7)
    return verdict | {"holds": verdict["holds"] and crowd["holds"], f"{MANY} beside {FEW} people": crowd}


def answer(port: int, meeting: Meeting, headers: dict[str, str]) -> serving.Ask:
    """“I am coming”, as a browser sends it from the page of the meeting."""
    form = {"csrfmiddlewaretoken": town.FORM_KEY, "answer": "going"}
    return serving.Ask(port, f"{meeting.get_absolute_url()}rsvp/", headers, form)


def start_over(meeting: Meeting) -> None:
    Participation.objects.filter(meeting=meeting).delete()


def pgbench(*, seconds: float) -> float:
    """Transactions per second of two clients."""
    connection.ensure_connection()
    server = connection.connection.info
    program = shutil.which("pgbench") or str(local_services.postgres_binaries() / "pgbench")
    where = ["-h", server.host, "-p", str(server.port), "-U", server.user]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(LOCK_INSERT_UPDATE)
        script.flush()
        how = ["-n", "-M", "prepared", "-c", "2", "-j", "1", "-T", str(max(round(seconds), 1)), "-f", script.name]
        command = [program, *where, *how, server.dbname]
        surroundings = os.environ | {"PGPASSWORD": server.password}
        said = subprocess.run(command, env=surroundings, check=True, capture_output=True, text=True).stdout
    found = re.search(r"^tps = ([\d.]+)", said, re.MULTILINE)
    if not found:
        raise RuntimeError(f"pgbench said nothing of its rate: {said}")
    return float(found[1])
