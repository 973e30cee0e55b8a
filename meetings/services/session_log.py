"""The session log: written, signed, and from then on only added to (OPS-07, OPS-08)."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.services import record
from groups.models import Facilitator, Membership
from members.models import Member
from outbox.banned_words import plain, without_accents

from ..log_models import Addendum, SessionLog
from ..models import Meeting, MeetingRun, Participation

A_CODE = re.compile(r"\bM-?[2-9A-HJ-NP-Z]{6}\b", re.IGNORECASE)


def draft_log(meeting: Meeting) -> SessionLog:
    """What is known of a meeting, as a log that nobody saved yet: times as it was run, people as on the roster."""
    came = list(Participation.objects.attended().filter(meeting=meeting).values_list("member", flat=True))
    known = Participation.objects.attended().filter(
        member__in=came, meeting__group=meeting.group_id, meeting__starts_at__lt=meeting.starts_at
    )
    run = MeetingRun.objects.filter(meeting=meeting).first()
    first_timers = len(came) - known.values("member").distinct().count()
    return SessionLog(
        meeting=meeting,
        started_at=run.started_at if run else meeting.starts_at,
        ended_at=run.ended_at if run and run.ended_at else meeting.ends_at,
        mode=meeting.mode,
        topic=meeting.topic.title if meeting.topic else "",
        headcount=len(came) + meeting.headcount,
        first_timers=first_timers,
    )


@transaction.atomic
def save_log(meeting: Meeting, *, by: Member, **facts: Any) -> SessionLog | None:
    """Keep a draft of the log, with the facilitators as they are now. None if it is signed, or there was no meeting."""
    if not _takes_log(meeting):
        return None
    place = meeting.group.place if facts["mode"] != meeting.group.Mode.ONLINE else ""
    facts |= {"place": place, "facilitators": _facilitators(meeting), "saved_at": timezone.now(), "written_by": by}
    log, created = SessionLog.objects.select_for_update().get_or_create(meeting=meeting, defaults=facts)
    if log.is_signed:
        return None
    if not created:
        SessionLog.objects.filter(pk=log.pk).update(**facts)
        log.refresh_from_db()
    record("log.saved", log, by=by)
    return log


@transaction.atomic
def sign_log(log: SessionLog, *, by: Member, credential: str, as_of: datetime) -> bool:
    """Sign what stood there at `as_of`, and lock it. The credential is kept for the next time.

    False if it was changed since, signed already, or the meeting turned out not to have taken place.
    """
    if not _takes_log(log.meeting):
        return False
    unsigned = SessionLog.objects.unsigned().filter(pk=log.pk, saved_at=as_of)
    Facilitator.objects.filter(group=log.meeting.group_id, member=by).update(credential=credential)
    signed = unsigned.update(
        facilitators=_facilitators(log.meeting),
        signed_by=by,
        signed_name=by.display_name,
        credential=credential,
        signed_at=timezone.now(),
    )
    if not signed:
        return False
    held = Meeting.objects.filter(pk=log.meeting_id, status=Meeting.Status.SCHEDULED)
    held.update(status=Meeting.Status.HELD)
    record("log.signed", log, by=by)
    return True


@transaction.atomic
def add_to_log(log: SessionLog, text: str, *, by: Member, credential: str) -> Addendum | None:
    """Add to a signed log what was learned later. None if it is not signed yet: then it can be changed itself."""
    if not SessionLog.objects.signed().filter(pk=log.pk).exists():
        return None
    addendum = Addendum.objects.create(log=log, text=text, written_by=by, name=by.display_name, credential=credential)
    record("log.added_to", log, by=by)
    return addendum


def refuse_change_of_log(log: SessionLog, *, by: Member) -> None:
    """Note that somebody tried to change a log where it cannot be changed."""
    record("log.change_refused", log, by=by)


def names_in(text: str, meeting: Meeting) -> list[str]:
    """What in a text would tell who comes to a group: names and codes of its people, as they stand in the text.

    Whole words, in whatever case and with or without accents; of a name of several words the first is enough.
    """
    read = without_accents(plain(text)).casefold()
    people = Member.objects.filter(
        pk__in=Membership.objects.filter(group=meeting.group_id)
        .values("member")
        .union(Participation.objects.filter(meeting=meeting).values("member"), all=True)
    ).values_list("display_name", flat=True)
    found = [code.group() for code in A_CODE.finditer(plain(text))]
    return [*found, *_whole_words(people, read)]


def _whole_words(names: Iterable[str], text: str) -> list[str]:
    found = set()
    for name in names:
        whole = without_accents(plain(name)).casefold()
        first = whole.split(maxsplit=1)[0]
        if any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in {whole, first} if len(word) > 1):
            found.add(name)
    return sorted(found)


def _takes_log(meeting: Meeting) -> bool:
    """Whether there is something to tell of, as the meeting stands now; keeps it so until the end of the change."""
    begun = Meeting.objects.filter(status__in=[Meeting.Status.SCHEDULED, Meeting.Status.HELD])
    return begun.select_for_update().filter(pk=meeting.pk, starts_at__lte=timezone.now()).exists()


def _facilitators(meeting: Meeting) -> list[str]:
    """As it says under the log: `Carol, certified peer specialist (lead)`."""
    rows = list(Facilitator.objects.filter(group=meeting.group_id).select_related("member").order_by("pk"))
    substitute = meeting.substitute
    if substitute and substitute.pk not in {one.member_id for one in rows}:
        rows.append(Facilitator(member=substitute, role=Facilitator.Role.SUBSTITUTE, credential=""))
    return [
        f"{', '.join(filter(None, [one.member.display_name, one.credential]))} ({one.get_role_display()})"
        for one in rows
    ]
