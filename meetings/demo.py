"""People and meetings to look at: one house, seven groups, half a year. Everybody in it is invented.

The same on every machine but for the day it is made on: the choices come from one fixed seed, the dates from today, so
that there is always a meeting tomorrow, one that runs at that moment, and one yesterday of which nobody has noted yet
who came.

The member one signs in as meets every state of a page: a place, the waiting list, a place on offer, new ground rules to
read, a request that waits and one that was declined; an invitation is open for whoever follows its link.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone, translation
from django.utils.text import slugify

from groups.models import Acceptance, Agreement, Facilitator, Group, Invitation, Membership, Phase, Topic
from members.models import Consent, Member

from . import demo_wording, services
from .demo_house import (
    ACCOUNTS,
    ANSWERS_TO_SEE,
    COUNSELORS,
    HERON,
    HOUSE,
    NAMES,
    OFFER_OPEN,
    PLANS,
    SPANISH_NAMES,
    Plan,
)
from .log_models import SessionLog
from .models import Meeting, MeetingSeries, Participation, Suspension
from .services.session_log import draft_log

WEEKS_BACK = 26
REPAIRS = 24  # the week in which the room of one group was closed
PASSWORD = "quiet-river-garden"  # known to everybody: only ever where LOCAL is on
INVITATION = "quiet-garden-gate"  # the same
CREDENTIAL = "peer support specialist"
HERE_ALREADY = 4  # of those who come to the meeting that runs


@dataclass
class Regular:
    """Somebody in a group: from which week to which, how often they say that they come, and how often they then do."""

    member: Member
    first_week: int
    last_week: int | None
    keen: float
    reliable: float
    every_week: bool

    def is_there(self, week: int) -> bool:
        return self.first_week <= week and (self.last_week is None or week <= self.last_week)


def emails() -> set[str]:
    """The addresses of everybody the demonstration makes."""
    return {email for _role, email, _name in ACCOUNTS} | {
        _email(name) for name in [*COUNSELORS, *NAMES, *SPANISH_NAMES]
    }


def _email(name: str) -> str:
    return f"{slugify(name)}@example.org"


def is_there() -> bool:
    return Member.objects.filter(email__in=emails()).exists()


def others() -> int:
    """How many members there are that it did not make."""
    return Member.objects.exclude(email__in=emails()).count()


@transaction.atomic
def make() -> None:
    """Make all of it, or nothing. Only once: `is_there()` tells."""
    chance = Random("a quiet garden by the river")
    now = timezone.now().replace(microsecond=0)
    today = now.astimezone(ZoneInfo(settings.DEFAULT_TIME_ZONE)).date()
    people = _make_people(chance, now)
    regulars = _choose_regulars(chance, people)
    groups = {plan.slug: _make_group(plan, people) for plan in PLANS}
    series = {plan.slug: _make_series(plan, groups[plan.slug], today) for plan in PLANS}
    services.extend_series(MeetingSeries.objects.filter(group__in=groups.values()))
    for plan in PLANS:
        _make_memberships(groups[plan.slug], regulars[plan.slug], series[plan.slug], now)
    heron, rowan = people[HERON], people["Rowan"]
    _make_requests(groups["skills-for-hard-days"], [people["Otter"], people["Pebble"], heron], now)
    _decline(groups["family-and-friends"], heron, now)
    _make_invitations(groups["round-table"], rowan, heron, now)
    _accept_agreements(groups.values())
    _change_rules(groups["evening-circle"], heron, now)
    Member.objects.filter(pk=heron.pk).update(week_seen_at=now - timedelta(days=1))
    for plan in PLANS:
        topics = _topics(groups[plan.slug], plan.topics)
        lead = people[plan.lead]
        past = _make_past_meetings(plan, series[plan.slug], topics, chance)
        Participation.objects.bulk_create(
            row for week, one in past for row in _past_answers(chance, one, week, regulars[plan.slug], lead)
        )
        _sign_logs([one for _week, one in past], lead, now, chance)
        coming = _choose_topics(groups[plan.slug], topics)
        Participation.objects.bulk_create(
            row
            for ahead, one in enumerate(coming)
            for row in _coming_answers(chance, one, ahead, regulars[plan.slug], now)
        )
    _make_one_that_runs(groups["evening-circle"], regulars["evening-circle"], heron, rowan, now)
    demo_wording.make(groups.values(), people["Hazel"], now)


# --- People -----------------------------------------------------------------------------------------------------------


def _make_people(chance: Random, now: datetime) -> dict[str, Member]:
    """Everybody by display name, their address confirmed, most of them with reminders."""
    password, unusable = make_password(PASSWORD), make_password(None)
    joined_at = now - timedelta(weeks=WEEKS_BACK + 3)
    people = [
        Member(role=role, email=email, display_name=name, password=password, joined_at=joined_at)
        for role, email, name in ACCOUNTS
    ]
    people += [
        Member(
            role=role, email=_email(name), display_name=name, password=unusable, language=language, joined_at=joined_at
        )
        for role, language, names in (
            (Member.Role.COUNSELOR, "en", COUNSELORS),
            (Member.Role.MEMBER, "en", NAMES),
            (Member.Role.MEMBER, "es", SPANISH_NAMES),
        )
        for name in names
    ]
    Member.objects.bulk_create(people)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=member, email=member.email, verified=True, primary=True) for member in people
    )
    members = [member for member in people if member.role == Member.Role.MEMBER]
    Consent.objects.bulk_create(_consent(member) for member in members if member == members[0] or chance.random() < 0.8)
    return {member.display_name: member for member in people}


def _consent(member: Member) -> Consent:
    with translation.override(member.language):
        text = str(Consent.WORDS[Consent.Kind.REMINDERS])
    return Consent(
        member=member,
        kind=Consent.Kind.REMINDERS,
        text=text,
        text_hash=hashlib.sha256(text.encode()).hexdigest(),
        language=member.language,
        given_at=member.joined_at,
    )


def _choose_regulars(chance: Random, people: dict[str, Member]) -> dict[str, list[Regular]]:
    """Who belongs to which group from when to when. The member one signs in as is in the first two and stays."""
    free = [people[name] for name in NAMES if name not in ("Otter", "Pebble", "Robin")]  # two ask to join, one is new
    spanish = [people[name] for name in SPANISH_NAMES]
    own: dict[str, list[Member]] = {}
    for plan in PLANS:
        pool = spanish if plan.group.get("language") == "es" else free
        own[plan.slug] = [pool.pop(0) for _ in range(plan.own)]
    heron = people[HERON]
    regulars = {}
    for plan in PLANS:
        elsewhere = [one for slug, found in own.items() if slug != plan.slug for one in found if one.language == "en"]
        members = own[plan.slug] + chance.sample(elsewhere, plan.guests)
        chosen = [_regular(chance, member, n, len(members)) for n, member in enumerate(members)]
        for leaver in chance.sample(chosen, plan.leave):
            leaver.last_week = min(leaver.first_week + chance.randint(3, 16), WEEKS_BACK - 2)
            leaver.every_week = False
        if plan.slug in ("evening-circle", "steps-at-noon"):
            chosen.append(Regular(heron, 6, None, keen=0.85, reliable=0.95, every_week=False))
        if plan.slug == "round-table":
            chosen.append(Regular(heron, WEEKS_BACK - 3, None, keen=0.85, reliable=0.95, every_week=False))
        regulars[plan.slug] = chosen
    return regulars


def _regular(chance: Random, member: Member, n: int, of: int) -> Regular:
    """A third is there from the first week, the others find the group one by one."""
    first_week = 0 if n < of // 3 else chance.randint(1, WEEKS_BACK - 3)
    every_week = chance.random() < 0.3
    keen = 0.95 if every_week else chance.uniform(0.4, 0.85)
    return Regular(member, first_week, None, keen=keen, reliable=chance.uniform(0.75, 0.97), every_week=every_week)


# --- Groups -----------------------------------------------------------------------------------------------------------


def _make_group(plan: Plan, people: dict[str, Member]) -> Group:
    group = Group.objects.create(**HOUSE | {"slug": plan.slug} | plan.group)
    for role, name in ((Facilitator.Role.LEAD, plan.lead), (Facilitator.Role.CO, plan.co)):
        Facilitator.objects.create(group=group, member=people[name], role=role)
    Phase.objects.bulk_create(
        Phase(group=group, position=position, kind=kind, minutes=minutes, about=about)
        for position, (kind, minutes, about) in enumerate(plan.phases, start=1)
    )
    return group


def _make_series(plan: Plan, group: Group, today: date) -> MeetingSeries:
    """The weekly schedule, since half a year; the room of one group is being repaired."""
    from_on = today + timedelta(days=plan.next_in) - timedelta(weeks=WEEKS_BACK)
    series = MeetingSeries.objects.create(
        group=group,
        weekdays=[from_on.weekday()],
        start_time=plan.at,
        minutes=plan.minutes,
        time_zone=group.time_zone,
        from_on=from_on,
    )
    if plan.slug == "family-and-friends":
        Suspension.objects.create(
            series=series, from_on=from_on + timedelta(weeks=REPAIRS), reason="The room is being repaired."
        )
    return series


def _make_memberships(group: Group, regulars: list[Regular], series: MeetingSeries, now: datetime) -> None:
    def some_days_before(week: int) -> datetime:
        return series.starts_at(series.from_on + timedelta(weeks=week)) - timedelta(days=6)

    def comes_every_week(regular: Regular) -> bool:
        """The member one signs in as has meetings left to answer."""
        return regular.every_week and regular.last_week is None and regular.member.email != ACCOUNTS[0][1]

    Membership.objects.bulk_create(
        Membership(
            group=group,
            member=regular.member,
            status=Membership.Status.ACTIVE if regular.last_week is None else Membership.Status.LEFT,
            standing_rsvp=comes_every_week(regular),
            standing_since=some_days_before(regular.first_week) if comes_every_week(regular) else None,
            requested_at=some_days_before(regular.first_week),
            joined_at=some_days_before(regular.first_week),
            left_at=None if regular.last_week is None else min(some_days_before(regular.last_week + 1), now),
        )
        for regular in regulars
    )


def _make_requests(group: Group, members: list[Member], now: datetime) -> None:
    Membership.objects.bulk_create(
        Membership(
            group=group,
            member=member,
            status=Membership.Status.REQUESTED,
            requested_at=now - timedelta(days=days, hours=3),
        )
        for days, member in enumerate(members, start=1)
    )


def _decline(group: Group, member: Member, now: datetime) -> None:
    decided_at = now - timedelta(days=5)
    Membership.objects.create(
        group=group,
        member=member,
        status=Membership.Status.REMOVED,
        requested_at=decided_at - timedelta(days=2),
        decided_at=decided_at,
        left_at=decided_at,
        removed_at=decided_at,
    )


def _make_invitations(group: Group, lead: Member, guest: Member, now: datetime) -> None:
    """One that is open, by a link everybody knows, and one each that was used, taken back and is too old."""
    joined_at = group.memberships.get(member=guest).joined_at
    ends: dict[str, dict[str, Any]] = {
        INVITATION: {},
        "used": {"used_by": guest, "used_at": joined_at},
        "taken back": {"revoked_at": now - timedelta(days=9)},
        "too old": {"expires_at": now - timedelta(days=4)},
    }
    Invitation.objects.bulk_create(
        Invitation(
            group=group,
            token_hash=Invitation.hash_of(token if token == INVITATION else Invitation.new_token()),
            invited_by=lead,
            invited_at=now - timedelta(days=40) if end else now,
            **{"expires_at": now + timedelta(days=30)} | end,
        )
        for token, end in ends.items()
    )


def _change_rules(group: Group, behind: Member, now: datetime) -> None:
    """A new version of a group's ground rules, which everybody in it has accepted but one."""
    house = Agreement.objects.current_for(group)
    if house is None:
        return
    changed_at = now - timedelta(days=3)
    text = f"{house.text}\n\nWe leave phones in the basket by the door."
    newer = Agreement.objects.create(
        group=group, language=group.language, text=text, published_at=changed_at, reviewed_by="Hazel, coordinator"
    )
    accepted = group.memberships.active().exclude(member=behind).filter(joined_at__lt=changed_at)
    Acceptance.objects.bulk_create(
        Acceptance(agreement=newer, member=member, accepted_at=now - timedelta(days=2))
        for member in Member.objects.filter(pk__in=accepted.values("member"))
    )


def _accept_agreements(groups: Iterable[Group]) -> None:
    """Everybody accepted the ground rules of each of their groups when they asked to join."""
    accepted: dict[tuple[int, Member], datetime] = {}
    for group in groups:
        if agreement := Agreement.objects.current_for(group):
            for membership in group.memberships.select_related("member"):
                key = (agreement.pk, membership.member)
                accepted[key] = min(membership.requested_at, accepted.get(key, membership.requested_at))
    Acceptance.objects.bulk_create(
        Acceptance(agreement_id=agreement_id, member=member, accepted_at=at)
        for (agreement_id, member), at in accepted.items()
    )


def _topics(group: Group, names: tuple[str, ...]) -> list[Topic]:
    """The group's own topics, and the library's if they speak its language."""
    own = Topic.objects.bulk_create(Topic(group=group, name=name) for name in names)
    return own if group.language != "en" else own + list(Topic.objects.filter(group=None))


# --- Meetings ---------------------------------------------------------------------------------------------------------


def _make_past_meetings(
    plan: Plan, series: MeetingSeries, topics: list[Topic], chance: Random
) -> list[tuple[int, Meeting]]:
    """The meetings of half a year, with the number of their week. Of yesterday's nobody has noted yet who came."""
    group, repairs = series.group, series.suspensions.first()
    meetings = []
    for week in range(WEEKS_BACK):
        on = series.from_on + timedelta(weeks=week)
        meeting = Meeting(
            group=group,
            series=series,
            series_date=on,
            starts_at=series.starts_at(on),
            ends_at=series.starts_at(on) + timedelta(minutes=series.minutes),
            local_date=on,
            local_time=series.start_time,
            time_zone=series.time_zone,
            mode=group.mode,
            capacity=group.capacity,
            status=Meeting.Status.HELD,
            topic=topics[week % len(topics)] if topics else None,
        )
        if repairs and repairs.covers(on):
            meeting.status, meeting.cancel_reason, meeting.suspension = (
                Meeting.Status.CANCELLED,
                repairs.reason,
                repairs,
            )
        elif (plan.slug, week) == ("evening-circle", WEEKS_BACK - 1):
            meeting.status = Meeting.Status.SCHEDULED
        elif (plan.slug, week) == ("steps-at-noon", 17):
            meeting.status, meeting.cancel_reason = Meeting.Status.CANCELLED, "The house was closed that day."
        elif (plan.slug, week) == ("morning-coffee", 9):
            meeting.status = Meeting.Status.DID_NOT_MEET
        if meeting.status == Meeting.Status.HELD:
            meeting.headcount = chance.randint(0, plan.without_name)
        meetings.append((week, meeting))
    Meeting.objects.bulk_create(meeting for _week, meeting in meetings)
    return meetings


def _sign_logs(meetings: list[Meeting], lead: Member, now: datetime, chance: Random) -> None:
    """Logs of all meetings held, signed the morning after; those of the last week are still to be written."""
    Facilitator.objects.filter(member=lead).update(credential=CREDENTIAL)
    logs = []
    for meeting in meetings:
        if meeting.status != Meeting.Status.HELD or meeting.starts_at > now - timedelta(days=7):
            continue
        log = draft_log(meeting)
        log.place = "" if meeting.mode == Group.Mode.ONLINE else meeting.group.place
        log.facilitators = [f"{lead.display_name}, {CREDENTIAL} ({Facilitator.Role.LEAD.label})"]
        log.activities = ["check-in", "sharing", *chance.sample(["topic", "reading", "coping", "calm", "goals"], 2)]
        log.follow_ups = chance.sample(["outreach", "materials", "room"], chance.choice([0, 0, 0, 1]))
        log.written_by = log.signed_by = lead
        log.signed_name, log.credential = lead.display_name, CREDENTIAL
        log.saved_at = log.signed_at = meeting.ends_at + timedelta(hours=14)
        logs.append(log)
    SessionLog.objects.bulk_create(logs)


def _make_one_that_runs(group: Group, regulars: list[Regular], heron: Member, lead: Member, now: datetime) -> None:
    """A meeting that began a quarter of an hour ago, beside the rule: its first part runs, some are here."""
    starts_at = now.replace(second=0) - timedelta(minutes=15)
    local = starts_at.astimezone(group.zone)
    series = MeetingSeries.objects.get(group=group)
    meeting = Meeting.objects.create(
        group=group,
        series=series,
        series_date=now.astimezone(group.zone).date(),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=series.minutes),
        local_date=local.date(),
        local_time=local.time(),
        time_zone=series.time_zone,
        mode=group.mode,
        capacity=group.capacity,
        topic=Topic.objects.for_group(group).order_by("name").first(),
        stands_alone=True,
    )
    staying = [one.member for one in regulars if one.last_week is None and one.member != heron]
    for number, member in enumerate([heron, *staying[:6]]):
        row = Participation(meeting=meeting, member=member, rsvp=Participation.Rsvp.GOING)
        row.rsvp_at = starts_at - timedelta(hours=20 + number)
        if number < HERE_ALREADY:
            row.attendance, row.recorded_by = Participation.Attendance.PRESENT, lead
            row.recorded_at = starts_at + timedelta(minutes=number)
        row.save()
    services.settle_begun()
    services.start_run(meeting, by=lead)


def _choose_topics(group: Group, topics: list[Topic]) -> list[Meeting]:
    """The coming meetings, soonest first, with topics for the next few."""
    coming = list(Meeting.objects.upcoming().filter(group=group).in_order())
    for week, meeting in enumerate(coming[:4] if topics else [], start=WEEKS_BACK):
        meeting.topic = topics[week % len(topics)]
    Meeting.objects.bulk_update(coming, ["topic"])
    return coming


# --- Answers, and who came --------------------------------------------------------------------------------------------


def _past_answers(
    chance: Random, meeting: Meeting, week: int, regulars: list[Regular], lead: Member
) -> Iterator[Participation]:
    """What people said and, of meetings held, what was noted: most came, some could not, a few just walked in."""
    mood = 0.65 if week in (11, 12) else 1.0  # a quiet fortnight, as every house knows it
    answers = []
    for regular in regulars:
        if not regular.is_there(week):
            continue
        rsvp, at = None, meeting.starts_at - timedelta(hours=chance.uniform(5, 130))
        if chance.random() < regular.keen * mood:
            rsvp = Participation.Rsvp.GOING
        elif chance.random() < 0.5:
            rsvp = Participation.Rsvp.DECLINED
        answers.append((at, regular, rsvp))
    for participation, regular in _give_places(meeting, answers):
        if meeting.status == Meeting.Status.HELD:
            participation.attendance = _attendance(chance, participation.rsvp, regular)
        if participation.attendance:
            participation.recorded_by = lead
            participation.recorded_at = meeting.starts_at + timedelta(minutes=chance.randint(4, meeting.minutes))
        if participation.rsvp or participation.attendance:
            yield participation


def _attendance(chance: Random, rsvp: str | None, regular: Regular) -> str | None:
    """How somebody came; None for those who were not expected and did not come."""
    came = chance.choices(list(Participation.CAME), weights=[82, 12, 6])[0]
    if rsvp == Participation.Rsvp.GOING:
        if chance.random() < regular.reliable:
            return came
        return chance.choices([Participation.Attendance.ABSENT, Participation.Attendance.EXCUSED], weights=[7, 3])[0]
    unexpected = 0.03 if rsvp == Participation.Rsvp.DECLINED else 0.12
    return came if chance.random() < unexpected else None


def _coming_answers(
    chance: Random, meeting: Meeting, ahead: int, regulars: list[Regular], now: datetime
) -> Iterator[Participation]:
    """What people have said so far: nearly everybody about next time, few about the weeks after it."""
    share = [1.0, 0.6, 0.35, 0.2][ahead] if ahead < 4 else 0.08
    is_sought_after = meeting.capacity <= 8 and ahead < 2  # then there is a waiting list
    answers = []
    for regular in regulars:
        if regular.last_week is not None:
            continue
        rsvp = None
        if is_sought_after or chance.random() < regular.keen * share or regular.every_week:
            rsvp = Participation.Rsvp.GOING
        elif chance.random() < 0.2 * share:
            rsvp = Participation.Rsvp.DECLINED
        at = now - timedelta(hours=chance.uniform(1, 90))
        if regular.member.email == ACCOUNTS[0][1]:  # who signs in meets each answer once and has the rest to give
            rsvp, hours_ago = ANSWERS_TO_SEE.get((meeting.group.slug, ahead), (None, 1.0))
            at = now - timedelta(hours=hours_ago)
        answers.append((at, regular, rsvp))
    for participation, _regular in _give_places(meeting, answers):
        if participation.rsvp:
            yield participation


def _give_places(
    meeting: Meeting, answers: Sequence[tuple[datetime, Regular, str | None]]
) -> Iterator[tuple[Participation, Regular]]:
    """One row a person; who says “going” first has a place, the others wait in line. A place on offer is kept."""
    taken = 0
    for at, regular, rsvp in sorted(answers, key=lambda answer: answer[0]):
        if rsvp in (Participation.Rsvp.GOING, Participation.Rsvp.OFFERED):
            if taken < meeting.capacity:
                taken += 1
            else:
                rsvp = Participation.Rsvp.WAITLISTED
        participation = Participation(meeting=meeting, member=regular.member, rsvp=rsvp, rsvp_at=at if rsvp else None)
        if rsvp == Participation.Rsvp.OFFERED:
            participation.offer_expires_at = at + OFFER_OPEN
        yield participation, regular
