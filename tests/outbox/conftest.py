from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from groups.models import Membership
from members.models import Consent
from outbox import kinds, services
from outbox.kinds import Kind, Letter
from outbox.models import Email
from tests import make

from .processes import Processes, flush_broker


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


@pytest.fixture
def processes(transactional_db, smtp, tmp_path):
    started = Processes(smtp, tmp_path)
    yield started
    started.kill_all()
    flush_broker()


@pytest.fixture
def due(transactional_db):
    """So many people of a group that meets tomorrow, each due a reminder now; where they live it is daytime."""

    def due(how_many, **meeting):
        group = make.group(time_zone=zone_where_it_is_noon(), capacity=how_many + 1)
        people = make.members(how_many)
        joined_at = timezone.now() - timedelta(days=30)
        Membership.objects.bulk_create(
            Membership(group=group, member=one, status="active", joined_at=joined_at) for one in people
        )
        Consent.objects.bulk_create(
            Consent(member=one, kind="reminders", text="yes", text_hash="0", language="en", given_at=joined_at)
            for one in people
        )
        make.meeting(group, **{"starts_at": timezone.now() + timedelta(hours=30), **meeting})
        return people

    return due


def zone_where_it_is_noon():
    ahead = 13 - timezone.now().hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


@pytest.fixture
def fault(record_property):
    """Say what a fault did: in CI, and with -v, all of it stands at the end of the run."""

    def fault(name, **figures):
        record_property(
            "fault", f"{name}: " + ", ".join(f"{words.replace('_', ' ')} {n}" for words, n in figures.items())
        )

    return fault


@pytest.fixture(autouse=True)
def _broker_is_asked_again(monkeypatch):
    monkeypatch.setattr(services, "_broker_away_until", 0.0)
