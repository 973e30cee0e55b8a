"""What somebody in the room is told while a meeting runs, found in one question however many are there.

Phones ask every two seconds. So who asks, whether they may, where the meeting stands and whose turn it is are one
statement, and what nobody else may know leaves the database only if its owner chose so: of the others in the order
come their turn and their number, and a name where its owner shows it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone

from groups.models import Phase, Topic

from . import speaking_order
from .check_in_models import OPENS_BEFORE
from .models import LENT_FOR, Meeting, Turn
from .speaking_order import Place

OPEN_AFTER = timedelta(hours=2)  # a meeting that runs late can still be followed so long after its end

QUESTION = """
SELECT meeting.starts_at, meeting.ends_at, meeting.time_zone, meeting.status, meeting.mode, groups_group.link,
    topic.name, topic.prompts, topic.reading, topic.activity, topic.group_id,
    place.id, COALESCE(place.attendance IN ('present', 'late'), false),
    place.id IS NOT NULL AND place.attendance IS NULL AND EXISTS (
        SELECT FROM meetings_checkincode AS code
        JOIN groups_membership AS membership ON membership.group_id = meeting.group_id
            AND membership.member_id = %(member)s AND membership.status = 'active'
        WHERE code.meeting_id = meeting.id
    ),
    turn.state, turn.hand_raised_at IS NOT NULL, COALESCE(turn.shows_name, false),
    COALESCE(turn.milestone, ''),
    run.started_at, run.ended_at, run.parts::json, run.part, run.part_started_at, run.paused_at,
    CASE WHEN run.ended_at IS NULL AND run.started_at IS NOT NULL THEN (
        SELECT json_agg(json_build_array(seat.key, seat.state, seat.position, seat.arrived, seat.name)) FROM (
            SELECT 'p' || other.id AS key, COALESCE(theirs.state, 'waiting') AS state, theirs.position,
                extract(epoch FROM other.recorded_at) AS arrived, named.display_name AS name
            FROM meetings_participation AS other
            LEFT JOIN meetings_turn AS theirs ON theirs.participation_id = other.id
            LEFT JOIN members_member AS named ON named.id = other.member_id AND theirs.shows_name
            WHERE other.meeting_id = meeting.id
                AND (other.attendance IN ('present', 'late') OR theirs.state = 'speaking')
            UNION ALL
            SELECT 'g' || number, COALESCE(theirs.state, 'waiting'), theirs.position, %(guests_arrive)s + number, NULL
            FROM generate_series(1, meeting.headcount) AS number
            LEFT JOIN meetings_turn AS theirs ON theirs.run_id = meeting.id AND theirs.guest = number
        ) AS seat
    ) END
FROM meetings_meeting AS meeting
JOIN groups_group ON groups_group.id = meeting.group_id
LEFT JOIN groups_topic AS topic ON topic.id = meeting.topic_id
LEFT JOIN meetings_participation AS place ON place.meeting_id = meeting.id AND place.member_id = %(member)s
    AND (place.rsvp = 'going' OR place.attendance IN ('present', 'late', 'left_early'))
LEFT JOIN meetings_turn AS turn ON turn.participation_id = place.id
LEFT JOIN meetings_meetingrun AS run ON run.meeting_id = meeting.id
WHERE meeting.id = %(meeting)s AND (place.id IS NOT NULL OR %(runs_it)s)
"""

# The same for a phone that shows a pass instead of a cookie: the session it was given out in still stands, its owner's
# account and password are the same, and they still have their place, run the group or lead this date.
PASS_STANDS = """
AND EXISTS (
    SELECT FROM django_session AS session JOIN members_member AS owner ON owner.id = %(member)s
    WHERE sha256(session.session_key::bytea) = decode(%(session)s, 'hex') AND session.expire_date > %(now)s
        AND owner.is_active AND encode(sha256(convert_to(owner.password, 'UTF8')), 'hex') = %(password)s
        AND (place.id IS NOT NULL OR owner.role = 'coordinator' OR (owner.role = 'counselor' AND (
            EXISTS (
                SELECT FROM groups_facilitator AS runs
                WHERE runs.group_id = meeting.group_id AND runs.member_id = owner.id
            )
            OR (meeting.substitute_id = owner.id
                AND %(now)s BETWEEN meeting.starts_at - %(lent_for)s AND meeting.ends_at + %(lent_for)s)
        )))
)
"""


class RoomPass(NamedTuple):
    """Who follows which meeting, and what must still be so: hashes of the key of their session and of what they sign
    in with."""

    meeting_id: str
    member_id: str
    session: str
    password: str
    runs_it: bool
    language: str
    until: int


@dataclass(frozen=True)
class Room:
    """The facts for one person: `place_id` is None for a counselor who looks in."""

    starts_at: datetime
    ends_at: datetime
    time_zone: str
    status: str
    mode: str
    link: str
    topic_name: str | None
    prompts: str | None
    reading: str | None
    activity: str | None
    topic_group_id: int | None
    place_id: int | None
    is_here: bool
    has_code: bool
    turn: str | None
    hand_is_up: bool
    shows_name: bool
    milestone: str
    started_at: datetime | None
    ended_at: datetime | None
    parts: list[list[Any]] | None
    part: int | None
    part_started_at: datetime | None
    paused_at: datetime | None
    seats: list[list[Any]] | None

    milestones = Turn.Milestone

    @property
    def local_start(self) -> datetime:
        return self.starts_at.astimezone(ZoneInfo(self.time_zone))

    @property
    def is_off(self) -> bool:
        return self.status in (Meeting.Status.CANCELLED, Meeting.Status.DID_NOT_MEET)

    @property
    def is_running(self) -> bool:
        return self.started_at is not None and not self.is_over and not self.is_off

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None or timezone.now() > self.ends_at + OPEN_AFTER

    @property
    def shown_link(self) -> str:
        """By its rule: from an hour before the start to the end (PRV-14)."""
        is_open = self.starts_at - settings.LINK_OPENS_BEFORE <= timezone.now() <= self.ends_at
        return self.link if is_open and self.mode != "in-person" and not self.is_off else ""

    @property
    def may_check_in(self) -> bool:
        """Whether the room has a code now by which they can say that they are here, and nothing is noted of them."""
        is_open = self.starts_at - OPENS_BEFORE <= timezone.now() < self.ends_at
        return self.has_code and is_open and not self.is_off

    @property
    def part_name(self) -> str:
        return str(Phase.Kind(self.parts[self.part][0]).label)  # type: ignore[index]

    @property
    def about_part(self) -> str:
        return self.parts[self.part][2]  # type: ignore[index]

    @property
    def part_count(self) -> int:
        return len(self.parts or [])

    @property
    def part_number(self) -> int:
        return (self.part or 0) + 1

    @property
    def is_stopped(self) -> bool:
        return self.paused_at is not None

    @property
    def seconds_left(self) -> int:
        """Of this part; below zero: over."""
        elapsed = (self.paused_at or timezone.now()) - self.part_started_at  # type: ignore[operator]
        return self.parts[self.part][1] * 60 - int(elapsed.total_seconds())  # type: ignore[index]

    @property
    def minutes_left(self) -> int:
        """Begun minutes count; none is left once the part is over."""
        return max(-(-self.seconds_left // 60), 0)

    @property
    def topic(self) -> Topic | None:
        if not self.topic_name:
            return None
        texts = {"prompts": self.prompts, "reading": self.reading, "activity": self.activity}
        return Topic(name=self.topic_name, group_id=self.topic_group_id, **texts)

    @property
    def milestone_words(self) -> str:
        return str(Turn.Milestone(self.milestone).label) if self.milestone else ""

    @property
    def places(self) -> list[Place]:
        return speaking_order.in_order(Place(*seat[:4]) for seat in self.seats or [])

    @property
    def is_my_turn(self) -> bool:
        return self.turn == Turn.State.SPEAKING

    @property
    def somebody_shares(self) -> bool:
        return speaking_order.speaking(self.places) is not None

    @property
    def name_of_speaker(self) -> str:
        """Only if they chose to show it."""
        return next((seat[4] or "" for seat in self.seats or [] if seat[1] == Turn.State.SPEAKING), "")

    @property
    def people_before_me(self) -> int | None:
        return speaking_order.before(self.places, f"p{self.place_id}") if self.place_id else None

    def tag(self, *more: object) -> str:
        """Another text whenever this person would read something else; the clock in it goes by itself."""
        facts = [self.starts_at, self.status, self.shown_link, self.place_id, self.is_here, self.may_check_in]
        facts += [self.turn, self.hand_is_up, self.shows_name, self.milestone]
        facts += [self.is_over, self.started_at, self.is_running]
        facts += [self.topic_name, self.prompts, self.reading, self.activity]
        if self.is_running:
            facts += [self.parts, self.part, self.part_started_at, self.paused_at]
            facts += [self.somebody_shares, self.name_of_speaker, self.people_before_me]
        return hashlib.sha256(repr([*facts, *more]).encode()).hexdigest()[:32]


def find_room(meeting_id: UUID, member_id: UUID, *, runs_it: bool = False) -> Room | None:
    """The room as this member is told of it. None if they have no place in it (and do not run it)."""
    return _ask(QUESTION, {"meeting": meeting_id, "member": member_id, "runs_it": runs_it})


def find_room_by_pass(shown: RoomPass) -> Room | None:
    """The same for whoever shows a pass, for as long as they are signed in where it was given out."""
    wanted = {"meeting": shown.meeting_id, "member": shown.member_id, "runs_it": shown.runs_it}
    return _ask(
        QUESTION + PASS_STANDS,
        wanted | {"session": shown.session, "password": shown.password, "now": timezone.now(), "lent_for": LENT_FOR},
    )


def _ask(question: str, wanted: dict[str, Any]) -> Room | None:
    with connection.cursor() as cursor:
        cursor.execute(question, wanted | {"guests_arrive": speaking_order.GUESTS_ARRIVE})
        row = cursor.fetchone()
    return Room(*row) if row else None
