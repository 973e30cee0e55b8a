"""/metrics: figures for Prometheus, read back with its own library; they name nobody and cost the same for many."""

import socket
from datetime import timedelta

import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from outbox.models import BouncedAddress, Email
from tests.recovery_groups.test_settings import PRODUCTION, start

TOKEN = "a-token-of-more-than-20-letters"


@pytest.fixture
def ask(client, settings):
    settings.METRICS_TOKEN = TOKEN
    return lambda token=TOKEN: client.get("/metrics", headers={"Authorization": f"Bearer {token}"})


def read(answer) -> dict[tuple, float]:
    """Figures by name and state."""
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def mails(cast, state, how_many=1, *, ago=timedelta(), **fields):
    now = timezone.now()
    stopped = None if state in ("queued", "claimed", "sent") else now - ago
    Email.objects.bulk_create(
        Email(
            key=f"{state}/{ago}/{n}",
            kind="reminder",
            recipient=cast.mia,
            about_id=cast.willow_meeting.pk,
            fact="x",
            state=state,
            queued_at=now - ago,
            send_after=now - ago,
            expires_at=now,
            stopped_at=stopped,
            sent_at=now if state == "sent" else None,
            claimed_by=1 if state == "claimed" else None,
            **fields,
        )
        for n in range(how_many)
    )


def test_figures_are_those_of_the_rows(cast, ask):
    mails(cast, "queued", 3, ago=timedelta(minutes=30))
    mails(cast, "claimed", 2)
    mails(cast, "sent", 5, doubts=1)
    mails(cast, "sent", 4, ago=timedelta(days=2), doubts=1)
    mails(cast, "failed", 6)
    mails(cast, "failed", 7, ago=timedelta(days=2))
    mails(cast, "bounced", 1)
    mails(cast, "suppressed", 2)
    BouncedAddress.objects.create(member=cast.mia, address=cast.mia.email, status="5.1.1")
    BouncedAddress.objects.create(member=cast.max, address="earlier@example.org", status="5.1.1")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outbox_email")

    figures = read(ask())

    assert 1800 <= figures.pop(("mail_oldest_due_seconds",)) < 1900
    assert figures == {
        ("broker_up",): 1,
        ("database_up",): 1,
        ("mail_waiting", "queued"): 3,
        ("mail_waiting", "claimed"): 2,
        ("mail_stopped_last_day", "failed"): 6,
        ("mail_stopped_last_day", "bounced"): 1,
        ("mail_stopped_last_day", "expired"): 0,
        ("mail_stopped_last_day", "suppressed"): 2,
        ("mail_in_doubt_last_day",): 5,
        ("mail_addresses_flagged",): 1,
        ("mail_rows_estimate",): 30,
    }


def test_figures_name_nobody(cast, ask):
    mails(cast, "failed", reason="refused (550)")

    words = ask().content.decode().lower()

    told = [cast.mia.email, cast.mia.code, "mia", "willow", "recover", "example.org", "refused"]
    assert [word for word in told if word.lower() in words] == []


@pytest.mark.parametrize("how_many", [3, 300])
def test_figures_cost_the_same_whatever_there_is(cast, ask, how_many, django_assert_num_queries):
    for state in Email.State.values:
        mails(cast, state, how_many)
    ask()

    with django_assert_num_queries(7):
        ask()


def test_sent_mails_are_not_read(cast, ask):
    """However many they are: the plan of each question goes by an index that has none of them."""
    mails(cast, "sent", 3000)
    mails(cast, "queued", 3)
    mails(cast, "failed", 3)
    questions = [
        Email.objects.filter(state="queued"),
        Email.objects.filter(state="claimed"),
        Email.objects.in_doubt(),
        Email.objects.stopped().filter(stopped_at__gt=timezone.now() - timedelta(days=1)),
    ]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outbox_email")

    plans = [question.order_by().explain() for question in questions]

    assert [plan for plan in plans if "Seq Scan" in plan] == []


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        TOKEN,
        f"Basic {TOKEN}",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer é",
        "Bearer \x00",
    ],
)
def test_nobody_reads_figures_without_the_token(client, db, settings, header):
    settings.METRICS_TOKEN = TOKEN

    answer = client.get("/metrics", headers={"Authorization": header} if header is not None else {})

    assert (answer.status_code, b"mail_" in answer.content) == (401, False)


@pytest.mark.parametrize("header", ["Bearer ", "Bearer", ""])
def test_without_a_token_there_is_no_page(client, db, header):
    assert client.get("/metrics", headers={"Authorization": header}).status_code == 404


def test_broker_that_is_away_is_a_figure(cast, ask, settings):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        before = current_app.conf.broker_url
        current_app.conf.broker_url = f"redis://127.0.0.1:{nobody.getsockname()[1]}/0"
        current_app.conf.broker_write_url = current_app.conf.broker_url
        try:
            figures = read(ask())
        finally:
            current_app.conf.broker_url = current_app.conf.broker_write_url = before

    assert (figures[("broker_up",)], figures[("database_up",)]) == (0, 1)


def test_database_that_does_not_answer_is_a_figure(ask, db):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE outbox_email RENAME TO moved_away")

    assert read(ask()) == {("broker_up",): 1, ("database_up",): 0}


def test_token_that_could_be_guessed_is_refused():
    assert "METRICS_TOKEN must be at least 20 plain characters" in start(**PRODUCTION, METRICS_TOKEN="short").stderr
