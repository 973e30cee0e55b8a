"""Restricted notes and incidents: sealed, bound to their row, read by few, and each reading on the record."""

from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from groups.models import Facilitator
from meetings import sealed, services
from meetings.note_models import Incident, RestrictedNote
from tests import make
from tests.members.test_my_data import show_again, take

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
TEXT = "A quiet word about the lanterns."


@pytest.fixture
def carol(cast, sign_in):
    """Carol's browser, in which she has just shown once more who she is."""
    client = sign_in(cast.carol)
    show_again(client, cast.carol)
    return client


def notes_of(meeting):
    return reverse("meetings:meeting_notes", args=[meeting.pk])


def page_of(note):
    return reverse("meetings:note_detail", args=[note.pk])


def everything_stored() -> str:
    """All that stands in the database, as one text."""
    with connection.cursor() as cursor:
        stored = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT string_agg(row::text, chr(10)) FROM "{table}" AS row')
            stored.append(cursor.fetchone()[0] or "")
        return "\n".join(stored)


def test_note_is_written_by_a_facilitator_and_read_by_the_other(cast, sign_in, carol):
    Facilitator.objects.create(group=cast.willow, member=cast.dan, role="co")
    dan = sign_in(cast.dan)

    carol.post(notes_of(cast.willow_meeting), {"secret_text": TEXT})
    note = RestrictedNote.objects.get()
    asked = dan.get(page_of(note))
    show_again(dan, cast.dan)
    page = dan.get(page_of(note))

    assert note.author == cast.carol
    assert asked.url.startswith(reverse("mfa_reauthenticate"))
    assert TEXT in page.content.decode()
    assert TEXT not in dan.get(notes_of(cast.willow_meeting)).content.decode()
    assert "no-store" in page["Cache-Control"]
    read = AuditEvent.objects.filter(action="note.read", object_id=str(note.pk))
    assert [event.actor_id for event in read] == [cast.dan.pk]


@pytest.mark.parametrize(("person", "status"), [("olga", 403), ("sam", 404), ("dan", 404), ("mia", 404), ("rita", 404)])
def test_nobody_else_reads_a_note(cast, sign_in, person, status):
    note = make.note(cast.willow_meeting, by=cast.carol)
    client = sign_in(getattr(cast, person))
    show_again(client, getattr(cast, person))

    assert client.get(page_of(note)).status_code == status
    assert not AuditEvent.objects.filter(action="note.read").exists()


def test_note_stays_with_its_author_when_they_leave_the_group(cast, carol):
    note = make.note(cast.willow_meeting, by=cast.carol)
    Facilitator.objects.filter(member=cast.carol).delete()

    assert TEXT in carol.get(page_of(note)).content.decode()


def test_text_stands_nowhere_in_the_clear(cast, carol):
    """Not in a table, a session, a mail, the log, an export, or a page of the admin."""
    carol.post(notes_of(cast.willow_meeting), {"secret_text": TEXT})
    new = reverse("meetings:meeting_incident_new", args=[cast.willow_meeting.pk])
    carol.post(new, {"kind": "conflict", "secret_text": TEXT})
    carol.get(page_of(RestrictedNote.objects.get()))

    assert Incident.objects.count() == 1
    assert "Willow evening" in everything_stored()
    assert "lanterns" not in everything_stored()
    assert "lanterns" not in str(take(carol))
    assert mail.outbox == []
    from django.contrib import admin

    assert not {RestrictedNote, Incident} & set(admin.site._registry)
    assert not any(hasattr(model.objects, "visible_to") for model in (RestrictedNote, Incident))
    assert apps.get_model("meetings.restrictednote") is RestrictedNote


def test_text_that_was_being_sent_when_the_session_ended_is_not_kept(cast, sign_in):
    client = sign_in(cast.carol)
    session = client.session
    session["seen_at"] = 0
    session.save()

    answer = client.post(notes_of(cast.willow_meeting), {"secret_text": TEXT})

    assert answer.status_code == 302
    assert "lanterns" not in str(dict(client.session))
    assert not RestrictedNote.objects.exists()


def test_text_moved_to_another_row_does_not_open(cast, carol):
    mine = make.note(cast.willow_meeting, by=cast.carol)
    elsewhere = make.note(cast.cedar_meeting, by=cast.dan, text="Of another group.")
    RestrictedNote.objects.filter(pk=mine.pk).update(sealed=elsewhere.sealed)

    answer = carol.get(page_of(mine))

    assert answer.status_code == 409
    assert "Of another group." not in answer.content.decode()
    with pytest.raises(sealed.BrokenSeal):
        sealed.unseal(sealed.seal("x", about="meetings.incident:1"), about="meetings.restrictednote:1")


def test_keys_are_changed_without_a_gap(cast, settings):
    settings.FIELD_KEYS = [OLD]
    notes = [make.note(cast.willow_meeting, by=cast.carol, text=f"Note {n}") for n in range(3)]
    incident = make.incident(cast.willow_meeting, by=cast.carol)

    settings.FIELD_KEYS = [NEW, OLD]
    newer = make.note(cast.willow_meeting, by=cast.carol, text="Newer")
    said = StringIO()
    call_command("rotate_field_keys", stdout=said)
    call_command("rotate_field_keys", stdout=said)
    settings.FIELD_KEYS = [NEW]

    assert said.getvalue().splitlines() == [
        "Sealed 4 again with the first key.",
        "Sealed 0 again with the first key.",
    ]
    for row in (*notes, newer, incident):
        row.refresh_from_db()
    assert [note.text for note in (*notes, newer)] == ["Note 0", "Note 1", "Note 2", "Newer"]
    assert "lanterns" in incident.text
    settings.FIELD_KEYS = [OLD]
    with pytest.raises(sealed.BrokenSeal):
        notes[0].text  # noqa: B018


def test_key_that_is_missing_is_told_and_loses_nothing(cast, carol, settings):
    settings.FIELD_KEYS = [OLD]
    note = make.note(cast.willow_meeting, by=cast.carol)
    settings.FIELD_KEYS = [NEW]

    with pytest.raises(CommandError, match="No key opens 1"):
        call_command("rotate_field_keys", stdout=StringIO())

    assert carol.get(page_of(note)).status_code == 409
    settings.FIELD_KEYS = [NEW, OLD]
    note.refresh_from_db()
    assert note.text == TEXT


def test_site_without_keys_takes_no_notes(cast, carol, settings):
    settings.FIELD_KEYS = []
    new = reverse("meetings:meeting_incident_new", args=[cast.willow_meeting.pk])

    pages = [
        carol.post(notes_of(cast.willow_meeting), {"secret_text": TEXT}),
        carol.post(new, {"kind": "conflict", "secret_text": TEXT}),
    ]

    assert [page.status_code for page in pages] == [409, 409]
    assert all("This site has no keys" in page.content.decode() for page in pages)
    assert not RestrictedNote.objects.exists()
    assert not Incident.objects.exists()
    with pytest.raises(CommandError, match="FIELD_KEYS is empty"):
        call_command("rotate_field_keys")


# Incidents


def test_incident_is_recorded_step_by_step_and_looked_after(cast, sign_in, carol):
    new = reverse("meetings:meeting_incident_new", args=[cast.willow_meeting.pk])
    due = cast.willow_meeting.local_date + timedelta(days=2)
    facts = {"kind": "crisis", "steps": ["988", "stayed"], "told": ["coordinator"], "follow_up_on": due}

    carol.post(new, facts | {"secret_text": TEXT})
    incident = Incident.objects.get()
    olga = sign_in(cast.olga)
    show_again(olga, cast.olga)
    page = olga.get(reverse("meetings:incident_detail", args=[incident.pk])).content.decode()
    olga.post(reverse("meetings:incident_detail", args=[incident.pk]), {"done": "yes"})

    for words in ("Somebody was in danger from themself", "stayed with the person", "The coordinator", TEXT):
        assert words in page
    incident.refresh_from_db()
    assert (incident.followed_up_by, incident.needs_follow_up) == (cast.olga, False)
    assert not services.follow_up_incident(incident, by=cast.carol)
    done = AuditEvent.objects.filter(object_id=str(incident.pk)).order_by("pk").values_list("action", flat=True)
    assert list(done) == ["incident.written", "incident.read", "incident.followed_up"]
    assert TEXT not in carol.get(reverse("meetings:meeting_log", args=[cast.willow_meeting.pk])).content.decode()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"kind": "gossip"}, "not one of the available choices"),
        ({"kind": ""}, "required"),
        ({"steps": ["prayed"]}, "not one of the available choices"),
        ({"follow_up_on": "2020-01-01"}, "That is before the meeting."),
        ({"secret_text": " "}, "required"),
        ({"secret_text": "x" * 5001}, "at most 5000 characters"),
    ],
)
def test_incident_that_makes_no_sense_is_refused(cast, carol, changed, sentence):
    new = reverse("meetings:meeting_incident_new", args=[cast.willow_meeting.pk])

    answer = carol.post(new, {"kind": "other", "secret_text": TEXT} | changed)

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not Incident.objects.exists()


@pytest.mark.parametrize("rows", [3, 100])
def test_lists_cost_the_same_however_many(cast, carol, rows, django_assert_num_queries):
    for model, author in ((RestrictedNote, "author"), (Incident, "written_by")):
        model.objects.bulk_create(
            model(meeting=cast.willow_meeting, sealed="x", written_at=timezone.now(), **{author: cast.carol})
            for _ in range(rows)
        )
    carol.get("/")

    with django_assert_num_queries(6):
        carol.get(notes_of(cast.willow_meeting))
    with django_assert_num_queries(5):
        carol.get(reverse("meetings:meeting_incidents", args=[cast.willow_meeting.pk]))
