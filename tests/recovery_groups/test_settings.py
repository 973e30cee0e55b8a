"""What an installation may be called, and which ones refuse to start."""

import json
import os
import subprocess
import sys
from email.utils import parseaddr

import pytest

STRONG = "k3Jx9vQ2mN7bR4tY8wZ1cF6hL0pS5dG-aUeIoXyTqWzVnBmCkH"
PRODUCTION = {"SECRET_KEY": STRONG, "SITE_URL": "https://meetings.example.org"}
SHOW = """
import json, recovery_groups.settings as s
print(json.dumps([s.SITE_NAME, s.DEFAULT_FROM_EMAIL, s.REMINDERS_FROM_EMAIL]))
"""


def start(**environment) -> subprocess.CompletedProcess:
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run([sys.executable, "-c", SHOW], env=known | environment, capture_output=True, text=True)


def test_production_starts_with_a_strong_key_and_an_address():
    assert start(**PRODUCTION).returncode == 0


@pytest.mark.parametrize(
    ("unsafe", "said"),
    [
        ({"DEBUG": "on"}, "DEBUG is on: error pages would show members' data. Unset DEBUG."),
        ({"SECRET_KEY": "short"}, "SECRET_KEY must be at least 50 random characters. See .env.example."),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY must be at least 50 random characters. See .env.example."),
        ({"SECRET_KEY": ""}, "SECRET_KEY must be at least 50 random characters. See .env.example."),
        (
            {"STAFF_MFA_REQUIRED": "off"},
            "STAFF_MFA_REQUIRED is off: staff can only work here with a second factor.",
        ),
        (
            {"SITE_NAME": "Meetings\nBcc: all@example.org"},
            "SITE_NAME has a line break or another invisible character. Use plain letters.",
        ),
        (
            {"MAILS_OFF": "week,reminder"},
            "MAILS_OFF has reminder: it can have week, welcome, missed, roster_open, figures.",
        ),
    ],
)
def test_production_refuses_to_start_half_safe_and_says_why(unsafe, said):
    done = start(**PRODUCTION | unsafe)

    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1] == f"django.core.exceptions.ImproperlyConfigured: {said}"


@pytest.mark.parametrize("name", ["Meetings", "Smith, Jones & Co", 'The "Open" Door', "Meetings (East) <3", "Café Ñ"])
def test_any_name_makes_a_sender(name):
    shown, account, reminders = json.loads(start(**PRODUCTION, SITE_NAME=name).stdout)

    assert shown == name
    assert parseaddr(account)[1] == "account@meetings.example.org"
    assert parseaddr(reminders)[1] == "reminders@meetings.example.org"
