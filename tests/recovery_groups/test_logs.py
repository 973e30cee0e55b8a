"""What PostgreSQL quotes in its errors reaches no log."""

import io
import logging
import subprocess
import sys

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import include, path

from recovery_groups import urls
from tests import make

PLANTED = "planted@example.org"


def broken(request, **_tokens):
    raise RuntimeError("something of ours is broken")


broken.login_required = False  # type: ignore[attr-defined]


class WithBrokenPages:
    """The site, and addresses with a token in them that go wrong."""

    handler400 = urls.handler400
    urlpatterns = [path("broken/<path:address>", broken), path("", include(urls))]


@pytest.fixture
def log():
    """What the site's own handler writes."""
    console = next(handler for handler in logging.getLogger().handlers if handler.name == "console")
    written = io.StringIO()
    before = console.setStream(written)
    yield written
    console.setStream(before)


def fail_with_the_address():
    with transaction.atomic():
        make.member("Kim", email=PLANTED)


@pytest.mark.parametrize("name", ["django.request", "celery.app.trace", "members.adapter"])
def test_address_in_a_database_error_is_in_no_log(db, log, name):
    make.member("Kim", email=PLANTED)
    logger = logging.getLogger(name)

    try:
        fail_with_the_address()
    except IntegrityError as error:
        logger.exception("as it is")
        logger.error("in the message: %s", error)
        logger.error("as Celery says it: %(exc)s", {"exc": repr(error)})
        try:
            raise ValueError("something else") from error
        except ValueError:
            logger.exception("behind another error")
        try:
            raise KeyError("while handling it")
        except KeyError:
            logger.exception("before another error")

    written = log.getvalue()
    assert PLANTED not in written
    assert "23505 members_member_email_key" in written
    assert written.count("Traceback") == 8


def test_values_of_a_failed_query_are_in_no_log(db, log):
    values = [f"{PLANTED}\nand more"]

    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 WHERE 1 = %s::int", values)
    except Exception:
        logging.getLogger("django").exception("a value")

    assert "a value" in log.getvalue()
    assert PLANTED not in log.getvalue()
    assert "and more" not in log.getvalue()


@pytest.mark.parametrize("opens", ["m", "u", "invitation", "my/calendar"])
def test_token_of_an_address_that_failed_is_in_no_log(db, log, settings, opens):
    settings.ROOT_URLCONF = WithBrokenPages
    visitor = Client(raise_request_exception=False)

    assert visitor.get(f"/broken/{opens}/planted-token:1a.ics/").status_code == 500
    logging.getLogger("allauth").error("went to /accounts/login/?next=%%2F%s%%2Fplanted-token%%2F", opens)

    assert f"Internal Server Error: /broken/{opens}/…/" in log.getvalue()
    assert "planted-token" not in log.getvalue()


def test_address_without_a_token_stays_in_the_log(log):
    logging.getLogger("django.request").error("Internal Server Error: /my/reminders/?page=2 and /groups/m/")

    assert "/my/reminders/?page=2 and /groups/m/" in log.getvalue()


def test_worker_and_beat_log_as_the_site_does():
    program = """
import logging, django
from recovery_groups.celery import app
django.setup()
app.log.setup(loglevel="INFO")
logging.getLogger("celery.app.trace").error("failed\\nDETAIL:  Key (email)=(planted@example.org) already exists.")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "celery.app.trace failed" in done.stderr
    assert PLANTED not in done.stdout + done.stderr
