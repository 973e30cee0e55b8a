"""./dev as people run it: real processes, a state directory of its own."""

import ast
import errno
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from recovery_groups import local_services, processes

ROOT = Path(__file__).parents[2]
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "LOCAL", "DEBUG", "SITE_URL", "EMAIL_URL", "CI", "CHROMIUM")


@pytest.fixture
def dev():
    loader = importlib.machinery.SourceFileLoader("dev", str(ROOT / "dev"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("dev", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def state():
    """In memory where there is one, and open to the account of the services."""
    directory = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"))
    directory.chmod(0o755)
    yield directory
    processes.end_left_behind(directory / "log")
    local_services._stop(directory, hurry=True)
    shutil.rmtree(directory)


def environment(state: Path, **more: str) -> dict[str, str]:
    """As in a fresh terminal."""
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**inherited, "RECOVERY_GROUPS_STATE": str(state), **more}


def call(state: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "dev", *words], env=environment(state, **more), capture_output=True, text=True, timeout=120, check=False
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fake_python(directory: Path, name: str, version: str, *, has_venv: bool = True) -> None:
    directory.mkdir(exist_ok=True)
    program = directory / name
    program.write_text(
        f'#!/bin/sh\ncase "$2" in *ensurepip*) exit {0 if has_venv else 1} ;; *) echo {version} ;; esac\n'
    )
    program.chmod(0o755)


# Before there is an environment


def test_dev_can_be_read_by_python_3_9():
    ast.parse((ROOT / "dev").read_text(), feature_version=(3, 9))


def test_dev_needs_only_the_standard_library_to_start():
    tree = ast.parse((ROOT / "dev").read_text())
    imported = {name.name.split(".")[0] for node in tree.body if isinstance(node, ast.Import) for name in node.names}
    imported |= {(node.module or "").split(".")[0] for node in tree.body if isinstance(node, ast.ImportFrom)}

    assert imported <= sys.stdlib_module_names


def test_dev_names_no_server():
    assert re.findall(r"https?://(?!\{LOOPBACK\}|localhost|example\.org)\S+", (ROOT / "dev").read_text()) == []
    for lock in ROOT.glob("requirements*.txt"):
        assert re.findall(r"^\s*(--.*url|--find-links|.*://).*", lock.read_text(), flags=re.MULTILINE) == []


def test_help_is_shown_without_an_environment(state):
    shown = call(state, "help")

    assert shown.returncode == 0
    assert "./dev run [--port 8000]" in shown.stdout
    assert call(state, "rnu").returncode == 2


def test_newest_known_python_is_chosen(dev, tmp_path):
    fake_python(tmp_path / "bin", "python3", "3.11")
    fake_python(tmp_path / "bin", "python3.12", "3.12")

    assert dev.find_python(str(tmp_path / "bin")) == str(tmp_path / "bin" / "python3.12")


def test_python_that_is_too_old_is_explained(dev, tmp_path):
    fake_python(tmp_path / "bin", "python3", "3.9")

    with pytest.raises(dev.Failure, match=r"^Python is too old: python3 is 3.9, and 3.11 or newer is needed\.$"):
        dev.find_python(str(tmp_path / "bin"))


def test_python_without_venv_is_explained(dev, tmp_path, monkeypatch):
    fake_python(tmp_path / "bin", "python3.12", "3.12", has_venv=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(dev, "VENV", tmp_path / "venv")

    with pytest.raises(dev.Failure, match=r"^This Python has no venv module\. Install it: sudo apt install python3"):
        dev.make_environment()
    assert not (tmp_path / "venv").exists()


def test_environment_is_made_anew_when_the_checkout_moved(dev, tmp_path, monkeypatch):
    monkeypatch.setattr(dev, "STAMP", tmp_path / "installed.json")
    (tmp_path / "installed.json").write_text(json.dumps({lock: dev.digest(lock) for lock in dev.LOCKS.values()}))

    assert not dev.is_installed("requirements-local.txt")


def test_environment_of_another_checkout_is_never_cleared(dev, tmp_path, monkeypatch):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "kept").touch()
    (tmp_path / ".venv").symlink_to(tmp_path / "theirs")
    monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")

    with pytest.raises(dev.Failure, match=r"is a link to an environment that does not fit: remove the link"):
        dev.make_environment()
    assert (tmp_path / "theirs" / "kept").exists()


def test_environment_with_everything_serves_every_command(dev, tmp_path, monkeypatch):
    monkeypatch.setattr(dev, "STAMP", tmp_path / "installed.json")
    stamp = {"requirements-dev.txt": dev.digest("requirements-dev.txt"), "made": dev.maker()}
    (tmp_path / "installed.json").write_text(json.dumps(stamp))

    assert {lock: dev.is_installed(lock) for lock in dev.LOCKS.values()} == {
        "requirements-local.txt": True,
        "requirements-dev.txt": True,
    }


def test_full_disk_is_explained(dev):
    with pytest.raises(dev.Failure, match=r"^The disk is full: .* MB free, and 1000000000 MB are needed\.$"):
        dev.require_space(10**9)
    error = OSError(errno.ENOSPC, "No space left on device", "/srv/site/.local/secrets.json")
    assert dev.one_line_error(error) == "The disk is full: no space left for /srv/site/.local/secrets.json."


# With one


def test_port_that_is_taken_is_explained(state):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = call(state, "run", "--port", str(port))

    assert done.returncode == 1
    assert done.stderr == (
        f"dev: Port {port} is taken by another program. Choose another: ./dev run --port {port + 1}\n"
    )


@pytest.mark.parametrize("port", [99999, 65536, 0, -1])
def test_port_that_is_none_is_explained(state, port):
    done = call(state, "run", f"--port={port}")

    assert done.returncode == 1
    assert done.stderr == f"dev: {port} is no port: choose one from 1 to 65535, such as ./dev run --port 8000\n"


@pytest.mark.parametrize("is_root", [True, False])
def test_driver_that_does_not_start_gets_its_library_or_is_explained(dev, tmp_path, monkeypatch, is_root):
    """A machine where Playwright's driver lacks libatomic1, with an apt-get that knows it."""
    calls, library = tmp_path / "calls", tmp_path / "libatomic.so.1"
    (tmp_path / "bin").mkdir()
    for name, does in {
        "python": f'test -e {library} && echo "Version 1.58.0"',
        "apt-get": f'echo "$@" >> {calls}; case "$*" in *libatomic1) : > {library};; esac',
    }.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(dev, "PYTHON", tmp_path / "bin" / "python")
    monkeypatch.setattr(os, "geteuid", lambda: 0 if is_root else 1000)

    if is_root:
        dev.find_libatomic()
        dev.find_libatomic()
        assert len(calls.read_text().splitlines()) == 2  # update, install; then it is there
    else:
        with pytest.raises(dev.Failure, match=r"does not start\. .* sudo apt install libatomic1$"):
            dev.find_libatomic()
        assert not calls.exists()


@pytest.mark.parametrize("is_root", [True, False])
def test_html_checker_is_installed_once_or_explained(dev, tmp_path, monkeypatch, is_root):
    """A machine without Node and Java, with an apt-get that knows them."""
    calls, programs = tmp_path / "calls", tmp_path / "bin"
    programs.mkdir()
    apt = f"""echo apt-get "$@" >> {calls}
case "$*" in install*)
  for name in node npm java; do
    printf '#!/bin/sh\necho %s "$@" >> {calls}\nmkdir -p {tmp_path}/node_modules\n' $name > {programs}/$name
    chmod +x {programs}/$name
  done;;
esac"""
    (programs / "apt-get").write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{apt}\n")
    (programs / "apt-get").chmod(0o755)
    (programs / "mkdir").symlink_to(shutil.which("mkdir"))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(dev, "NODE_MODULES", tmp_path / "node_modules")
    monkeypatch.setattr(os, "geteuid", lambda: 0 if is_root else 1000)

    if is_root:
        dev.find_html_checker()
        dev.find_html_checker()
        assert [line.split()[:2] for line in calls.read_text().splitlines()] == [
            ["apt-get", "update"],
            ["apt-get", "install"],
            ["npm", "ci"],
        ]
        assert "nodejs npm default-jre-headless" in calls.read_text()
    else:
        with pytest.raises(dev.Failure, match=r"\. Install them: sudo apt install nodejs npm default-jre-headless$"):
            dev.find_html_checker()
        assert not calls.exists()


def test_node_packages_are_pinned_and_name_no_registry():
    lock = (ROOT / "package-lock.json").read_text()
    wanted = json.loads((ROOT / "package.json").read_text())

    assert set(wanted) & {"dependencies", "scripts"} == set()
    assert [version for version in wanted["devDependencies"].values() if not re.fullmatch(r"[\d.]+", version)] == []
    assert re.findall(r'https?://|"resolved"', lock) == []
    assert lock.count('"integrity": "sha512-') == len(json.loads(lock)["packages"]) - 1


def test_data_of_another_postgresql_is_explained(state):
    (state / "pg17").mkdir()

    done = call(state, "manage", "check")

    assert done.returncode == 1
    assert re.fullmatch(r"dev: .*/pg17 holds data of PostgreSQL 17 and this is PostgreSQL \d+: .*\n", done.stderr)


def test_socket_path_that_is_too_long_is_explained(state):
    deep = state / ("deep" * 25)
    deep.mkdir()

    done = call(state, "manage", "check", XDG_RUNTIME_DIR=str(deep))

    if os.geteuid() == 0:  # root's services run as somebody else, who has no such directory
        assert done.returncode == 0
    else:
        assert done.returncode == 1
        assert re.fullmatch(r"dev: The socket path .* characters long .*\n", done.stderr)


def test_ci_without_a_real_feed_fails_at_once(state):
    done = call(state, "check", CI="true", REAL_MEETING_FEED="nowhere.json")

    assert done.returncode == 1
    assert done.stderr.startswith("dev: CI tests with a real meeting feed: put one at ")


def test_secrets_are_made_once_and_kept_from_others(dev, tmp_path):
    made = dev.own_secrets(tmp_path)

    assert len(made["SECRET_KEY"]) >= 50
    assert dev.own_secrets(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_servers_named_in_the_environment_are_used_and_none_is_started(state):
    named = {"DATABASE_URL": "postgres://postgres@/nothing?host=/nowhere", "REDIS_URL": "redis://127.0.0.1:1/0"}

    done = call(state, "manage", "diffsettings", **named)

    assert done.returncode == 0
    assert "'host': '/nowhere'" in done.stdout
    assert not (state / "pg18").exists()
    assert not (state / "valkey").exists()


# The whole site


class Site:
    """`./dev run`, from its first line until it has ended."""

    def __init__(self, state: Path) -> None:
        self.port = free_port()
        if not (state / "ports.json").exists():  # the usual ones may be wanted by whatever else this machine runs
            (state / "ports.json").write_text(json.dumps({"smtp": free_port(), "mail": free_port()}))
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [ROOT / "dev", "run", "--port", str(self.port)],
            env=environment(state),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if "Ctrl-C stops everything" in line:
                break
        self.seconds = time.monotonic() - self.began

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def left_running(state: Path) -> list[str]:
    """Command lines of what still belongs to this state directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            mark = f"{processes.MARK}={state}".encode()
            if mark in (process / "environ").read_bytes() or str(state) in words:
                found.append(words)
        except OSError:
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_run_survives_being_killed_keeps_the_data_and_stops_cleanly(state):
    site = Site(state)
    assert site.process.poll() is None, "\n".join(site.lines)
    assert any(f"http://127.0.0.1:{site.port}/admin/" in line for line in site.lines)
    assert site.get("/healthz") == "ok"
    count = ["manage", "shell", "-v", "0", "-c", "from members.models import Member; print(Member.objects.count())"]
    members = call(state, *count).stdout.strip()
    assert int(members) > 0

    site.process.kill()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            mine = f"{processes.MARK}={state}/log".encode() in (process / "environ").read_bytes()
        except OSError:
            continue
        if mine or str(state) in words or str(local_services.socket_directory(state)) in words:
            os.kill(int(process.name), signal.SIGKILL)
    site.process.wait()

    again = Site(state)
    assert again.process.poll() is None, "\n".join(again.lines)
    assert again.get("/healthz") == "ok"
    assert call(state, *count).stdout.strip() == members
    assert again.seconds < 10  # under 5 on a machine that does nothing else

    assert again.stop() == 0
    assert left_running(state) == []
    assert not (state / "pg18" / "postmaster.pid").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_run_twice_from_one_checkout_is_refused(state):
    (state / "run.lock").touch()
    holder = subprocess.Popen(["flock", state / "run.lock", "sleep", "60"], start_new_session=True)
    time.sleep(0.3)

    done = call(state, "run", "--port", str(free_port()))
    os.killpg(holder.pid, signal.SIGKILL)
    holder.wait()

    assert done.returncode == 1
    assert done.stderr.startswith("dev: The site already runs from this checkout")
