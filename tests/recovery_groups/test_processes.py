"""One set of command lines for one machine, for containers and for servers; and how they run together."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from recovery_groups import processes

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SETTINGS = (ROOT / "recovery_groups" / "settings.py").read_text()


def test_containers_run_the_same_command_lines():
    found = {name: COMPOSE[name.replace(" ", "-")]["command"] for name in processes.COMMANDS}

    assert {name: shlex.split(line) for name, line in found.items()} == {
        name: shlex.split(line) for name, line in processes.COMMANDS.items()
    }


def test_operations_guide_shows_the_same_command_lines():
    guide = (ROOT / "docs" / "operations.md").read_text()
    rows = dict(re.findall(r"^\| ([a-z ]+) \| `([^`]+)` \|", guide, flags=re.MULTILINE))

    assert {name: rows.get(name) for name in processes.COMMANDS} == processes.COMMANDS


def test_image_starts_the_web_by_itself():
    command = re.findall(r"^CMD (\[.*?\])$", DOCKERFILE.replace("\\\n", ""), flags=re.MULTILINE)[-1]

    assert yaml.safe_load(command) == processes.WEB.split()


def test_image_runs_without_root_and_without_secrets():
    stages = re.split(r"^FROM .* AS ", DOCKERFILE, flags=re.MULTILINE)[1:]
    ran_as = {stage.split()[0]: re.findall(r"^USER (\w+)", stage, flags=re.MULTILINE) for stage in stages}

    assert ran_as == {"base": [], "mail-catcher": ["site"], "site": ["site"]}
    assert not re.search(r"^(ENV|ARG) .*(KEY|PASSWORD|TOKEN)", DOCKERFILE, flags=re.MULTILINE)


def test_containers_give_no_password_away():
    text = (ROOT / "docker-compose.yml").read_text()

    assert set(re.findall(r"POSTGRES_PASSWORD[:}]([^\n}]*)", text)) <= {
        "?set POSTGRES_PASSWORD in .env",
        " ${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD in .env",
    }


def test_every_container_has_a_health_check_or_says_why_not():
    checked = {name: "test" in service.get("healthcheck", {}) for name, service in COMPOSE.items()}

    assert checked == {
        "web": True,
        "worker": False,  # /readyz sees a worker that stopped
        "beat": False,
        "migrate": False,  # ends by itself
        "postgres": True,
        "redis": True,
        "mail-catcher": False,
    }


def test_site_containers_wait_for_the_migrations():
    waits = {name: COMPOSE[name]["depends_on"]["migrate"]["condition"] for name in ("web", "worker", "beat")}

    assert set(waits.values()) == {"service_completed_successfully"}


def test_example_environment_names_every_setting():
    read = set(re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', SETTINGS))
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {found.group(1) for line in lines if (found := re.match(r"#?([A-Z_]+)=", line))}
    not_for_settings = {"POSTGRES_PASSWORD", "PORT", "WEB_CONCURRENCY"}

    assert named - not_for_settings == read


def test_example_environment_says_what_each_setting_is():
    lines = (ROOT / ".env.example").read_text().splitlines()
    unexplained = [
        line
        for before, line in pairwise(lines)
        if re.match(r"#?[A-Z_]+=", line) and not re.match(r"# |#?[A-Z_]+=", before)
    ]

    assert unexplained == []


# Running together


@pytest.fixture
def lines():
    return []


def run(commands, tmp_path, lines, *, when_ready=lambda: None):
    return processes.run_together(
        commands,
        environment=os.environ,
        directory=tmp_path,
        logs=tmp_path / "log",
        is_ready=lambda: True,
        when_ready=when_ready,
        say=lines.append,
    )


def test_processes_stop_in_reverse_order_when_asked(tmp_path, lines):
    script = tmp_path / "child.sh"
    script.write_text('trap "echo $1 >> order; exit 0" TERM\necho up\nwhile true; do sleep 0.05; done\n')
    commands = {name: f"bash {script} {name}" for name in ("first", "second", "third")}

    def stop():
        for name in commands:
            while "up" not in (tmp_path / "log" / f"{name}.log").read_text():
                time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    assert run(commands, tmp_path, lines, when_ready=stop) == 0
    assert (tmp_path / "order").read_text().split() == ["third", "second", "first"]


def test_one_that_ends_takes_the_others_with_it(tmp_path, lines):
    commands = {"web": "sleep 60", "worker": f"{sys.executable} -c print('no\\x20broker');exit(3)"}

    assert run(commands, tmp_path, lines) == 1
    assert lines == ["The worker ended with code 3. Its last words:", "no broker", "Stopping."]
    assert left_running(tmp_path) == []


def test_one_that_ignores_us_is_killed_with_all_it_started(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.3)
    script = tmp_path / "child.sh"
    script.write_text('trap "" TERM\nsleep 60 &\necho up\nwhile true; do sleep 60; done\n')

    def stop():
        while "up" not in (tmp_path / "log" / "worker.log").read_text():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    assert run({"worker": f"bash {script}"}, tmp_path, lines, when_ready=stop) == 0
    assert "The worker did not end within 0.3 s and was killed." in lines
    assert left_running(tmp_path, within=5) == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_killed_run_left_is_ended_by_the_next(tmp_path, lines):
    mark = {processes.MARK: str(tmp_path / "log")}
    left = subprocess.Popen(["sleep", "60"], env={**os.environ, **mark})
    stranger = subprocess.Popen(["sleep", "60"], env={**os.environ, processes.MARK: "/elsewhere"})

    processes.end_left_behind(tmp_path / "log")

    assert left.wait(5) == -signal.SIGKILL
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells children of their parent's end")
def test_children_end_with_a_killed_parent(tmp_path):
    program = (
        "import os, sys; from pathlib import Path; from recovery_groups import processes\n"
        "processes.run_together({'web': 'sleep 60'}, environment=os.environ, directory='/', logs=Path(sys.argv[1]),\n"
        "    is_ready=lambda: True, when_ready=lambda: print('up', flush=True), say=print)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, tmp_path / "log"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    assert len(left_running(tmp_path)) == 1

    parent.kill()
    parent.wait()

    assert left_running(tmp_path, within=5) == []


def left_running(tmp_path: Path, *, within: float = 0) -> list[str]:
    """What still runs. A killed process needs a moment to be gone: we may look again for `within` seconds."""
    deadline = time.monotonic() + within
    while (found := _running(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _running(tmp_path: Path) -> list[str]:
    mark = f"{processes.MARK}={tmp_path / 'log'}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_image_holds_every_app():
    let_in = (ROOT / ".dockerignore").read_text().split()

    assert [app.parent.name for app in ROOT.glob("*/apps.py") if f"!{app.parent.name}" not in let_in] == []
