from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from outbox import kinds, services
from outbox.kinds import Kind, Letter
from outbox.models import Email
from tests import make
from tests.smtp_server import smtp_server


@pytest.fixture
def smtp(settings):
    with smtp_server(settings) as server:
        yield server


@pytest.fixture
def note():
    """A kind of mail that says hello, and `switched_off`: whom it was switched off for."""
    switched_off = []
    kind = Kind(
        "note",
        prepare=lambda emails: {email.pk: Letter("Hello", f"Hello {email.pk}", "<p>Hello</p>") for email in emails},
        unsubscribe=switched_off.append,
    )
    kinds.register(kind)
    yield switched_off
    del kinds._kinds["note"]


@pytest.fixture
def queue_notes(note):
    """Queue a note to so many new people, or to these; the meeting they are about need not exist here."""

    def queue_notes(people, **fields):
        people = make.members(people) if isinstance(people, int) else people
        fields = {"about_id": uuid4(), "fact": "1", "expires_at": timezone.now() + timedelta(hours=1)} | fields
        services.queue("note", [person.pk for person in people], **fields)
        return people

    return queue_notes


@pytest.fixture
def states():
    """State, attempts and reason of every mail by address."""

    def states():
        rows = Email.objects.values_list("recipient__email", "state", "attempts", "reason")
        return {address: tuple(row) for address, *row in rows}

    return states


@pytest.fixture(autouse=True)
def _broker_is_asked_again(monkeypatch):
    monkeypatch.setattr(services, "_broker_away_until", 0.0)
