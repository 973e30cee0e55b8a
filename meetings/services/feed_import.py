"""From a feed of weekly meetings to groups that meet. The slug in the feed is a group's key; a hash of its row says
whether anything is to be done at all."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Model, Prefetch, prefetch_related_objects
from django.utils import timezone, translation
from django.utils.text import slugify
from django.utils.translation import gettext as _

from audit.models import AuditEvent
from audit.services import record
from groups.models import Group
from members.models import Member

from .. import feed
from ..feed import FeedRow
from ..models import Meeting, MeetingSeries, Suspension
from .places import offer_free_places
from .schedule import extend_series, follow_series, resume_series, suspend_series

BATCH = 200


@dataclass
class FeedImport:
    """What an import did, for people to read; `skipped` and `notes` hold a line for each row concerned."""

    read: int
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    absent: int = 0  # groups of earlier imports that are not in this feed
    suspended: int = 0  # of these, `online_only` go on meeting online
    online_only: int = 0
    resumed: int = 0
    meetings_made: int = 0
    meetings_changed: int = 0
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def import_feed(
    rows: Sequence[object],
    *,
    by: Member | None = None,
    time_zone: str = "",
    capacity: int | None = None,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> FeedImport:
    """Make the groups of a feed with their coming meetings, bring changed ones in line, leave the others alone.

    `time_zone` is for rows that name none; without `capacity` new groups get the usual number of places and others
    keep theirs. Each batch lands as a whole, or else row by row without those the database refuses. `progress` is
    called after each batch with the rows done and the rows there are. A dry run does it all and takes it back.
    """
    read = feed.parse(rows, time_zone=time_zone)
    outcome = FeedImport(read=len(rows), skipped=read.skipped)
    outcome.notes = [f"{row.label}: {note}" for row in read.rows for note in row.notes]
    with _taken_back() if dry_run else nullcontext():
        importer = _Importer(outcome, by=by, capacity=capacity)
        for start in range(0, len(read.rows), BATCH):
            batch = read.rows[start : start + BATCH]
            importer.import_batch(batch)
            if progress:
                progress(start + len(batch), len(read.rows))
        before = set(Group.objects.from_feed().values_list("feed_slug", flat=True))
        outcome.absent = len(before - read.slugs)
    return outcome


@contextmanager
def _taken_back() -> Iterator[None]:
    """A transaction that never happened."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class _Importer:
    """What stays the same through the batches of one import."""

    def __init__(self, outcome: FeedImport, *, by: Member | None, capacity: int | None):
        self.outcome = outcome
        self.by = by
        self.capacity = capacity
        self.addresses = _Addresses()

    def import_batch(self, rows: list[FeedRow]) -> None:
        there = {group.feed_slug: group for group in Group.objects.filter(feed_slug__in=[row.slug for row in rows])}
        self._create([row for row in rows if row.slug not in there])
        changed = [
            (there[row.slug], row)
            for row in rows
            if row.slug in there and there[row.slug].feed_hash != _fingerprint(row, self.capacity)
        ]
        self._change(changed)
        self.outcome.unchanged += sum(row.slug in there for row in rows) - len(changed)

    # New groups, all at once

    def _create(self, rows: list[FeedRow]) -> None:
        """Those that go in together go in together; if one does not, each goes in by itself."""
        if not rows:
            return
        try:
            with transaction.atomic():
                suspensions, meetings = self._create_together(rows)
        except DatabaseError as error:
            if len(rows) == 1:
                self._skip(rows[0], error)
                return
            for row in rows:
                self._create([row])
            return
        self.outcome.created += len(rows)
        self.outcome.meetings_made += meetings
        self._count_suspensions(suspensions)

    def _create_together(self, rows: list[FeedRow]) -> tuple[list[Suspension], int]:
        groups = Group.objects.bulk_create(self._new_group(row) for row in rows)
        AuditEvent.objects.bulk_create(self._event("group.imported", group) for group in groups)
        series = MeetingSeries.objects.bulk_create(
            MeetingSeries(**_new_series(row, group)) for row, group in zip(rows, groups, strict=True)
        )
        suspensions = Suspension.objects.bulk_create(
            Suspension(series=one, is_from_feed=True, **_suspension_fields(row))
            for row, one in zip(rows, series, strict=True)
            if row.is_place_closed
        )
        AuditEvent.objects.bulk_create(self._event("series.suspended", one.series) for one in suspensions)
        meetings = extend_series(MeetingSeries.objects.filter(pk__in=[one.pk for one in series]))
        return suspensions, meetings

    def _new_group(self, row: FeedRow) -> Group:
        places = settings.DEFAULT_CAPACITY if self.capacity is None else self.capacity
        return Group(
            slug=self.addresses.choose(row),
            feed_slug=row.slug,
            feed_hash=_fingerprint(row, self.capacity),
            capacity=places,
            **_group_fields(row),
        )

    def _event(self, action: str, on: Model) -> AuditEvent:
        """As `audit.services.record` writes it, for many at once."""
        return AuditEvent(
            actor_id=self.by.pk if self.by else None,
            action=action,
            object_type=on._meta.label_lower,
            object_id=str(on.pk),
        )

    # Changed groups, one by one: people may have to be told

    def _change(self, changed: list[tuple[Group, FeedRow]]) -> None:
        if not changed:
            return
        groups = [group for group, _row in changed]
        before = _coming(groups)
        for group, row in changed:
            try:
                with transaction.atomic():
                    self._change_group(group, row)
            except DatabaseError as error:
                self._skip(row, error)
            else:
                self.outcome.changed += 1
        after = _coming(groups)
        self.outcome.meetings_made += len(after.keys() - before.keys())
        self.outcome.meetings_changed += sum(after.get(pk) != sequence for pk, sequence in before.items())

    def _change_group(self, group: Group, row: FeedRow) -> None:
        fields = _group_fields(row) | {"feed_hash": _fingerprint(row, self.capacity)}
        if self.capacity is not None and self.capacity != group.capacity:
            fields["capacity"] = self.capacity
            _change_places(group, self.capacity)
        Group.objects.filter(pk=group.pk).update(**fields)
        record("group.imported", group, by=self.by)
        series, has_moved = self._change_series(group, row)
        if not self._follow_closure(series, row) and has_moved:
            follow_series(series, by=self.by)

    def _change_series(self, group: Group, row: FeedRow) -> tuple[MeetingSeries, bool]:
        """The series as the feed has it, made anew if it was taken away by hand, and whether meetings move."""
        series = group.series.order_by("pk").first()
        if series is None:
            return MeetingSeries.objects.create(**_new_series(row, group)), True
        series = series.latest()
        wanted = _series_fields(row)
        has_moved = group.mode != row.mode or any(getattr(series, name) != value for name, value in wanted.items())
        MeetingSeries.objects.filter(pk=series.pk).update(**wanted)
        return series, has_moved

    def _follow_closure(self, series: MeetingSeries, row: FeedRow) -> bool:
        """Suspend or take up a series as the feed says its place is closed or open. False if it stands as it should.

        Only what a feed suspended is taken up; what a counselor suspended by hand stands.
        """
        standing = Suspension.objects.of_feed().filter(series=series).first()
        stands = (standing is not None, standing is not None and standing.place_only)
        if stands == (row.is_place_closed, row.is_place_closed and row.is_online):
            return False
        if standing:
            prefetch_related_objects([series], Prefetch("suspensions", Suspension.objects.of_feed()))
            resume_series(series, by=self.by, on=_today(row))
            self.outcome.resumed += 1
        if row.is_place_closed:
            suspension = suspend_series(series, by=self.by, **_suspension_fields(row))
            Suspension.objects.filter(pk=suspension.pk).update(is_from_feed=True)
            self._count_suspensions([suspension])
        return True

    # What is told

    def _count_suspensions(self, suspensions: list[Suspension]) -> None:
        self.outcome.suspended += len(suspensions)
        self.outcome.online_only += sum(suspension.place_only for suspension in suspensions)

    def _skip(self, row: FeedRow, error: DatabaseError) -> None:
        """Note that the database refused a row. An error that is not about the row goes on up."""
        if not connection.is_usable():
            raise error
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        self.outcome.skipped.append(f"{row.label}: the database refused it: {reason}")


class _Addresses:
    """Addresses of groups that nobody has yet, made of the slugs in a feed."""

    def __init__(self) -> None:
        self.taken = set(Group.objects.values_list("slug", flat=True))
        self.numbers: dict[str, Iterator[int]] = defaultdict(lambda: count(2))

    def choose(self, row: FeedRow) -> str:
        wanted = slugify(row.slug)[:64] or slugify(row.name)[:64] or "group"
        address = wanted
        while address in self.taken:
            ending = f"-{next(self.numbers[wanted])}"
            address = wanted[: 64 - len(ending)] + ending
        self.taken.add(address)
        return address


def _change_places(group: Group, capacity: int) -> None:
    """Set the places of coming meetings and offer new ones to those in line. Where more are taken, they stay."""
    coming = Meeting.objects.upcoming().filter(group=group)
    coming.filter(places_taken__lte=capacity).update(capacity=capacity)
    for meeting in coming.with_people_in_line().order_by("pk"):
        offer_free_places(meeting)


def _coming(groups: list[Group]) -> dict[UUID, int]:
    """The coming meetings of some groups, with the number that grows whenever one changes."""
    coming = Meeting.objects.filter(group__in=groups, starts_at__gt=timezone.now())
    return dict(coming.values_list("pk", "sequence"))


def _fingerprint(row: FeedRow, capacity: int | None) -> str:
    """The same for rows that make the same group, whatever their place in the feed."""
    facts = asdict(row) | {"number": 0, "notes": (), "capacity": capacity}
    return hashlib.sha256(json.dumps(facts, default=str, sort_keys=True).encode()).hexdigest()


def _group_fields(row: FeedRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": Group.Kind.TWELVE_STEP,  # what feeds of this format hold
        "description": row.description,
        "audience": row.audience,
        "mode": row.mode,
        "cross_talk": Group.CrossTalk.YES if row.is_cross_talk_welcome else Group.CrossTalk.NO,
        "language": row.language,
        "time_zone": row.time_zone,
        "gives_attendance_letters": row.gives_attendance_letters,
        "area": row.area,
        "place": row.place,
        "address": row.address,
        "place_notes": row.place_notes,
        "link": row.link,
        "is_wheelchair_accessible": row.is_wheelchair_accessible,
    }


def _series_fields(row: FeedRow) -> dict[str, Any]:
    return {
        "weekdays": list(row.weekdays),
        "start_time": row.start_time,
        "minutes": row.minutes,
        "time_zone": row.time_zone,
    }


def _new_series(row: FeedRow, group: Group) -> dict[str, Any]:
    return {"group": group, "from_on": _today(row), **_series_fields(row)}


def _suspension_fields(row: FeedRow) -> dict[str, Any]:
    """From today until further notice; a group that has a link goes on online."""
    with translation.override(row.language):
        reason = _("The place is closed for now.")
    return {"from_on": _today(row), "place_only": row.is_online, "reason": reason}


def _today(row: FeedRow) -> date:
    return timezone.now().astimezone(ZoneInfo(row.time_zone)).date()
