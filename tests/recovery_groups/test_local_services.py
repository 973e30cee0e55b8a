"""PostgreSQL and Valkey as they really start, stop, crash and come back."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
import redis

from recovery_groups import local_services
from recovery_groups.local_services import ServiceError, Services, socket_directory


def open_directory() -> Path:
    """A place that the account of the services can get to, unlike pytest's own; in memory where there is one."""
    directory = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"))
    directory.chmod(0o755)
    return directory


@pytest.fixture(scope="module")
def used_state():
    """A state directory after its first start and stop."""
    directory = open_directory()
    with local_services.local_services(directory):
        pass
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def new_state():
    directory = open_directory()
    yield directory
    local_services._stop(directory, hurry=True)
    shutil.rmtree(directory)


@pytest.fixture
def state(new_state, used_state):
    """A copy of that: making a database takes a second, copying one does not."""
    subprocess.run(["cp", "-a", used_state / "pg18", new_state], check=True)
    return new_state


def sql(services: Services, statement: str) -> list[tuple]:
    settings = {"host": str(services.socket_directory), "user": "postgres", "dbname": "recovery_groups"}
    with psycopg.connect(**settings, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def valkey(services: Services) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(services.socket_directory / "valkey.sock"), decode_responses=True)


def postmaster_of(state: Path) -> int:
    return int((state / "pg18" / "postmaster.pid").read_text().split()[0])


def is_running(pid: int) -> bool:
    try:
        return "postgres" in local_services._words_of(pid)
    except OSError:
        return False


def test_services_keep_their_data_over_a_restart(state):
    with local_services.local_services(state) as services:
        sql(services, "CREATE TABLE kept (number int)")
        sql(services, "INSERT INTO kept VALUES (7)")
        valkey(services).set("kept", "seven")

    with local_services.local_services(state) as services:
        assert sql(services, "SELECT number FROM kept") == [(7,)]
        assert valkey(services).get("kept") == "seven"


def test_services_compare_text_the_same_way_on_every_machine(new_state):
    with local_services.local_services(new_state, durable=False) as services:
        found = sql(services, "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'recovery_groups'")

        assert found == [("b", "C.UTF-8")]


def test_services_listen_on_private_sockets_only(new_state):
    with local_services.local_services(new_state, durable=False) as services:
        assert sql(services, "SHOW listen_addresses") == [("",)]
        assert valkey(services).config_get("port") == {"port": "0"}
        assert stat.S_IMODE(services.socket_directory.stat().st_mode) == 0o700


def test_services_never_run_as_root(state):
    with local_services.local_services(state):
        assert Path(f"/proc/{postmaster_of(state)}").stat().st_uid != 0


def test_broker_keeps_every_task(state):
    with local_services.local_services(state) as services:
        assert valkey(services).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert valkey(services).config_get("appendonly") == {"appendonly": "yes"}


def test_services_come_back_after_being_killed(state):
    with local_services.local_services(state) as services:
        sql(services, "CREATE TABLE kept AS SELECT 7 AS number")
        valkey(services).set("kept", "seven")
        os.kill(postmaster_of(state), signal.SIGKILL)
        os.kill(int((state / "valkey" / "valkey.pid").read_text()), signal.SIGKILL)

        with local_services.local_services(state) as again:
            assert sql(again, "SELECT number FROM kept") == [(7,)]
            assert valkey(again).get("kept") == "seven"


def test_services_left_running_by_a_killed_program_are_taken_over(state):
    program = (
        "import os, sys, time; from pathlib import Path; from recovery_groups.local_services import local_services\n"
        "with local_services(Path(sys.argv[1])): print('up', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", program, str(state)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "up\n"
    left = postmaster_of(state)
    other.kill()
    other.wait()
    assert is_running(left)

    with local_services.local_services(state):
        assert postmaster_of(state) == left
    assert not (state / "pg18" / "postmaster.pid").exists()


def test_services_stay_until_the_last_user_leaves(state):
    with local_services.local_services(state) as first:
        with local_services.local_services(state):
            pass

        assert sql(first, "SELECT 1") == [(1,)]
    assert not (state / "pg18" / "postmaster.pid").exists()
    assert not first.socket_directory.exists()


def test_pid_file_that_names_a_stranger_is_no_obstacle(state):
    with local_services.local_services(state):
        pass
    stranger = subprocess.Popen(["sleep", "60"], **local_services._account())
    pid_file = state / "pg18" / "postmaster.pid"
    pid_file.write_text(f"{stranger.pid}\n{state / 'pg18'}\n1700000000\n5432\n{state}\n\n")

    with local_services.local_services(state) as services:
        assert sql(services, "SELECT 1") == [(1,)]
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="a container whose first process reaps nobody")
def test_lock_files_that_name_a_zombie_are_no_obstacle(state):
    zombie = subprocess.Popen(["true"], **local_services._account())
    while " Z " not in Path(f"/proc/{zombie.pid}/stat").read_text():
        time.sleep(0.01)
    sockets = socket_directory(state)
    local_services._hand_over(sockets)
    words = f"{zombie.pid}\n{state / 'pg18'}\n1700000000\n5432\n{sockets}\n\n"
    for left_over in (state / "pg18" / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        left_over.write_text(words)
        os.chown(left_over, sockets.stat().st_uid, sockets.stat().st_gid)
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(sockets / ".s.PGSQL.5432"))

    with local_services.local_services(state) as services:
        assert sql(services, "SELECT 1") == [(1,)]
    zombie.wait()


def test_start_that_was_killed_half_way_leaves_nothing_in_the_way(new_state):
    (new_state / "pg18.making").mkdir()
    (new_state / "pg18.making" / "PG_VERSION").write_text("18\n")

    with local_services.local_services(new_state) as services:
        assert sql(services, "SELECT 1") == [(1,)]


def test_data_of_another_postgresql_is_refused(state):
    with local_services.local_services(state):
        pass
    (state / "pg18" / "PG_VERSION").write_text("17\n")

    with pytest.raises(ServiceError, match="pg18 holds data of PostgreSQL 17 and this is PostgreSQL 18"):
        local_services.local_services(state).__enter__()


def test_data_of_an_older_postgresql_is_not_silently_left_behind(new_state):
    (new_state / "pg17").mkdir()

    with pytest.raises(ServiceError, match="pg17 holds data of PostgreSQL 17"):
        local_services.local_services(new_state).__enter__()


def test_throwaway_services_are_private_and_leave_nothing(new_state):
    with (
        local_services.local_services(new_state, durable=False) as one,
        local_services.local_services(new_state, durable=False) as other,
    ):
        assert one.socket_directory != other.socket_directory
        sql(one, "CREATE TABLE mine (number int)")
        assert sql(other, "SELECT to_regclass('mine')") == [(None,)]
        assert sql(one, "SHOW fsync") == [("off",)]

    assert [path.name for path in (new_state / "throwaway").iterdir()] == ["lock"]
    assert not one.socket_directory.exists()


def test_throwaway_services_of_a_killed_run_are_cleared_away(new_state):
    program = (
        "import sys, time; from pathlib import Path; from recovery_groups.local_services import local_services\n"
        "with local_services(Path(sys.argv[1]), durable=False) as s: print(s.directory, flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", program, str(new_state)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    left = Path(other.stdout.readline().strip())
    postmaster, sockets = postmaster_of(left), socket_directory(left)
    other.kill()
    other.wait()

    with local_services.local_services(new_state, durable=False) as services:
        assert services.directory != left
        assert not left.exists()
        assert not sockets.exists()
        assert not is_running(postmaster)


def test_socket_path_that_is_too_long_is_explained(new_state):
    with pytest.raises(ServiceError, match=r"characters long and the system allows 103: set XDG_RUNTIME_DIR"):
        socket_directory(new_state, base=Path("/run") / ("long" * 20))


def test_socket_path_does_not_grow_with_the_checkout():
    assert len(str(socket_directory(Path("/srv") / ("deep/" * 40)))) < 60


def test_full_disk_is_explained(new_state):
    with pytest.raises(ServiceError, match=r"^The disk is full: .* MB are needed\.$"):
        local_services.require_space(new_state, megabytes=10**9)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the services as somebody else")
def test_programs_that_only_root_may_reach_are_copied_with_their_libraries(new_state):
    hidden = new_state / "site-packages"
    (hidden / "tools" / "bin").mkdir(parents=True)
    (hidden / "tools" / "bin" / "tool").write_text('#!/bin/sh\ncat "$(dirname "$0")/../../tools.libs/words"\n')
    (hidden / "tools" / "bin" / "tool").chmod(0o700)
    (hidden / "tools.libs").mkdir()
    (hidden / "tools.libs" / "words").write_text("works")
    hidden.chmod(0o700)

    copy = local_services._executable(hidden / "tools" / "bin" / "tool")

    assert copy != hidden / "tools" / "bin" / "tool"
    assert local_services._command(copy).stdout == "works"
    assert local_services._executable(hidden / "tools" / "bin" / "tool") == copy
    shutil.rmtree(copy.parents[2])


def test_start_is_fast_enough_to_do_without_thinking(state):
    with local_services.local_services(state):
        pass
    began = time.monotonic()
    with local_services.local_services(state):
        assert time.monotonic() - began < 3
