"""The only way from a request to a meeting. A stranger gets 404, a wrong role 403."""

import hashlib
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import get_language

from groups.access import is_facilitator, require_facilitator
from groups.models import Group, Membership
from members.denials import note_denial, way_of
from members.models import Member
from members.session_limits import left_of
from outbox.links import signed

from .calendar_feed import CalendarFeed, find_calendar_feed
from .letter_models import AttendanceLetter, Disclosure, DisclosureConsent
from .message_models import GroupMessage
from .models import LENT_FOR, Meeting, Participation
from .note_models import Incident, RestrictedNote
from .room import Room, RoomPass, find_room, find_room_by_pass

ROOM_SALT = "meetings.room"
ANSWER_SALT = "meetings.answer"


def get_meeting(request: HttpRequest, meeting_id: UUID) -> Meeting:
    """A meeting of a group that is listed, or that one belongs to or works with."""
    may_see = Q(group__is_listed=True)
    if request.user.is_authenticated:
        may_see |= Q(group__in=Group.objects.of_member(request.user)) | Q(
            group__in=Group.objects.visible_to(request.user)
        )
        may_see |= Q(pk__in=Meeting.objects.lent_to(request.user).values("pk"))
    return get_object_or_404(Meeting.objects.select_related("group", "topic").filter(may_see), pk=meeting_id)


def get_meeting_as_facilitator(request: HttpRequest, meeting_id: UUID) -> Meeting:
    """A meeting of a group one runs."""
    return _get_meeting_of_staff(request, meeting_id, also_lent=False)


def get_meeting_to_run(request: HttpRequest, meeting_id: UUID) -> Meeting:
    """A meeting of a group one runs, or that one leads for somebody around now: its roster, run, log, nothing else."""
    return _get_meeting_of_staff(request, meeting_id, also_lent=True)


def _get_meeting_of_staff(request: HttpRequest, meeting_id: UUID, *, also_lent: bool) -> Meeting:
    if not request.user.is_authenticated:
        raise Http404
    meeting = get_object_or_404(Meeting.objects.select_related("group", "topic"), pk=meeting_id)
    if not (also_lent and is_substitute(request.user, meeting)):
        require_facilitator(request.user, meeting.group, way=way_of(request))
    return meeting


def is_substitute(member: Member, meeting: Meeting) -> bool:
    """Whether they lead this one date for somebody else, from a day before it until a day after (OPS-17)."""
    around = meeting.starts_at - LENT_FOR <= timezone.now() <= meeting.ends_at + LENT_FOR
    return member.is_authenticated and member.is_counselor and meeting.substitute_id == member.pk and around


def runs_meeting(member: Member, meeting: Meeting) -> bool:
    """Whether they run its group, or lead this date."""
    return is_substitute(member, meeting) or is_facilitator(member, meeting.group)


def may_see_place(member: Member, meeting: Meeting, participation: Participation | None) -> bool:
    """Whether to show address and how to get in: with a place, or running the group."""
    if participation and participation.rsvp == Participation.Rsvp.GOING:
        return meeting.status in (Meeting.Status.SCHEDULED, Meeting.Status.HELD) and not meeting.is_over
    return member.is_authenticated and runs_meeting(member, meeting)


def may_see_link(member: Member, meeting: Meeting, participation: Participation | None) -> bool:
    """The meeting link: as the place, and from an hour before the start to the end (PRV-14)."""
    if not may_see_place(member, meeting, participation):
        return False
    return meeting.starts_at - settings.LINK_OPENS_BEFORE <= timezone.now() <= meeting.ends_at


def get_calendar_feed(token: str) -> CalendarFeed:
    """What this address opens; 404 for one that was renewed or switched off, and of a closed account."""
    feed = find_calendar_feed(token)
    if feed is None:
        raise Http404
    return feed


def answer_token(meeting_id: UUID, member_id: UUID) -> str:
    """Lets the bearer answer for one member at one meeting until it starts, and nothing else (EML-03)."""
    return signed([str(meeting_id), str(member_id)], salt=ANSWER_SALT)


def is_answer_token(token: str) -> bool:
    """Whether we made it, for whatever meeting."""
    try:
        return bool(signing.loads(token, salt=ANSWER_SALT))
    except signing.BadSignature:
        return False


def get_meeting_by_token(token: str) -> tuple[Meeting, Member]:
    """The meeting and member of a link from a mail; 404 once the meeting has begun or is off."""
    try:
        meeting_id, member_id = signing.loads(token, salt=ANSWER_SALT)
    except signing.BadSignature as error:
        raise Http404 from error
    meeting = get_object_or_404(Meeting.objects.upcoming().select_related("group"), pk=meeting_id)
    membership = get_object_or_404(
        Membership.objects.active().select_related("member"),
        group=meeting.group_id,
        member=member_id,
        member__is_active=True,
    )
    return meeting, membership.member


def get_room(request: HttpRequest, meeting_id: UUID) -> Room:
    """The room of a meeting, for whoever has a place in it, came, or runs it; 403 for others who may see it."""
    if not request.user.is_authenticated:
        raise Http404
    room = find_room(meeting_id, request.user.pk)
    if room is None:
        meeting = get_meeting(request, meeting_id)
        if not runs_meeting(request.user, meeting):
            raise PermissionDenied
        room = find_room(meeting_id, request.user.pk, runs_it=True)
    if room is None:
        raise Http404
    return room


def room_pass(session: SessionBase, member: Member, meeting_id: UUID, room: Room) -> str:
    """Lets a page follow the room without the cookie, as long as its session would last if nobody acted in it."""
    until = timezone.now().timestamp() + left_of(session, member).seconds
    facts = RoomPass(
        meeting_id=str(meeting_id),
        member_id=str(member.pk),
        session=_hash(session.session_key or ""),
        password=_hash(member.password),
        runs_it=room.place_id is None,
        language=get_language() or "en",
        until=int(until),
    )
    return signing.dumps(facts, salt=ROOM_SALT)


def get_room_by_pass(token: str, meeting_id: UUID) -> tuple[Room, str]:
    """The room and the language of a pass; 403 once it or its session is over."""
    try:
        shown = RoomPass(*signing.loads(token, salt=ROOM_SALT))
    except signing.BadSignature as error:
        raise PermissionDenied from error
    if shown.meeting_id != str(meeting_id) or shown.until < timezone.now().timestamp():
        raise PermissionDenied
    room = find_room_by_pass(shown)
    if room is None:
        raise PermissionDenied
    return room, shown.language


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def get_own_letter(request: HttpRequest, letter_id: UUID) -> AttendanceLetter:
    """A letter that was issued to whoever asks."""
    return get_object_or_404(AttendanceLetter.objects.select_related("group"), pk=letter_id, member=request.user)


def get_own_consent(letter: AttendanceLetter, consent_id: str) -> DisclosureConsent:
    """A consent for one's own letter."""
    return get_object_or_404(DisclosureConsent.objects.filter(letter=letter), pk=get_uuid(consent_id))


def get_letter_as_facilitator(request: HttpRequest, letter_id: UUID) -> AttendanceLetter:
    """A letter of a group one runs: for the member themself, who reads it elsewhere, it is not there."""
    letter = get_object_or_404(AttendanceLetter.objects.select_related("group", "member"), pk=letter_id)
    _hide_unless_facilitator(request, letter.group)
    return letter


def get_disclosure(request: HttpRequest, disclosure_id: UUID) -> Disclosure:
    """What somebody made ready themself, in the last hour, under a consent that still stands."""
    disclosure = get_object_or_404(
        Disclosure.objects.select_related("consent__letter__group"),
        pk=disclosure_id,
        made_by=request.user,
        made_at__gt=timezone.now() - timedelta(hours=1),
        consent__in=DisclosureConsent.objects.standing(),
    )
    _hide_unless_facilitator(request, disclosure.consent.letter.group)
    return disclosure


def get_uuid(text: str) -> UUID:
    """An id that came with a form; 404 for what is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def get_meeting_for_notes(request: HttpRequest, meeting_id: UUID) -> Meeting:
    """A meeting that one runs oneself, also in place of somebody: restricted notes are not for coordinators."""
    meeting = get_meeting_to_run(request, meeting_id)
    if not request.user.is_authenticated or not request.user.is_counselor:
        note_denial(meeting.group, by=request.user, way=way_of(request))
        raise PermissionDenied
    return meeting


def get_message(request: HttpRequest, message_id: UUID) -> GroupMessage:
    """A message to people of a group one runs."""
    message = get_object_or_404(
        GroupMessage.objects.select_related("group", "meeting__group").defer("text"), pk=message_id
    )
    if not request.user.is_authenticated:
        raise Http404
    require_facilitator(request.user, message.group, way=way_of(request))
    return message


def get_note(request: HttpRequest, note_id: UUID) -> RestrictedNote:
    """A note that one wrote, or of a group that one is a facilitator of; coordinators get 403, others 404."""
    note = get_object_or_404(RestrictedNote.objects.select_related("meeting__group", "author"), pk=note_id)
    member = request.user
    if not member.is_authenticated or not member.is_staff:
        raise Http404
    if (member.is_counselor and note.author_id == member.pk) or _is_facilitator_in_person(member, note.meeting.group):
        return note
    note_denial(note.meeting.group, by=member, way=way_of(request))
    if member.is_coordinator:
        raise PermissionDenied
    raise Http404


def notes_to_read(member: Member, meeting: Meeting) -> QuerySet[RestrictedNote]:
    """The notes of a meeting: all for the group's own facilitators, their own for whoever leads one date."""
    notes = RestrictedNote.objects.filter(meeting=meeting)
    return notes if _is_facilitator_in_person(member, meeting.group) else notes.filter(author=member)


def get_incident(request: HttpRequest, incident_id: UUID) -> Incident:
    """An incident in a group one runs."""
    incident = get_object_or_404(Incident.objects.select_related("meeting__group"), pk=incident_id)
    _hide_unless_facilitator(request, incident.meeting.group)
    return incident


def _hide_unless_facilitator(request: HttpRequest, group: Group) -> None:
    """404 for everybody who does not run the group; of those who work here, on the record."""
    if request.user.is_authenticated and is_facilitator(request.user, group):
        return
    note_denial(group, by=request.user, way=way_of(request))
    raise Http404


def _is_facilitator_in_person(member, group: Group) -> bool:
    return member.is_counselor and is_facilitator(member, group)
