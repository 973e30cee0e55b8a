"""A meeting while it runs: where it stands, and whose turn it is."""

from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from groups.models import Phase
from members.models import Member


class MeetingRunQuerySet(models.QuerySet):
    def seen_at(self, version: int):
        """Those that are still as somebody saw them."""
        return self.filter(version=version)

    def over_since(self, moment: datetime):
        """Ended before then, or left open by a meeting that was over before then."""
        return self.filter(Q(ended_at__lt=moment) | Q(ended_at=None, meeting__ends_at__lt=moment))

    def tapped_by(self, member: Member):
        return self.filter(changed_by=member)


class MeetingRun(models.Model):
    """One meeting, run from a phone. All clocks are reckoned from moments that stand here, so that a reload, a closed
    laptop and a second counselor see the same second. `version` grows with each tap; a tap names the one it saw.
    """

    class Tap(models.TextChoices):
        START = "start", _("the meeting was started")
        NEXT_PART = "next_part", _("the next part began")
        PREVIOUS_PART = "previous_part", _("back to the part before")
        SPEAK = "speak", _("somebody began to share")
        DONE = "done", _("a share ended")
        PASS = "pass", _("somebody passed")
        NOT_TODAY = "not_today", _("somebody does not share today")
        COME_BACK = "come_back", _("somebody is asked again later")
        WAIT = "wait", _("somebody is in the order again")
        MINUTE = "minute", _("one more minute")
        PAUSE = "pause", _("the clocks were stopped")
        GO_ON = "go_on", _("the clocks went on")
        HERE = "here", _("somebody was marked as here")
        GUEST = "guest", _("somebody without a name was counted")
        ROUND = "round", _("a new round began")
        END = "end", _("the meeting was ended")
        UNDO = "undo", _("a tap was taken back")

    meeting = models.OneToOneField("meetings.Meeting", models.CASCADE, primary_key=True, related_name="run")
    version = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    parts = models.JSONField(help_text="[kind, minutes, what happens] of each part, as the group had them at the start")
    part = models.PositiveSmallIntegerField(default=0, help_text="which of them, from 0")
    part_started_at = models.DateTimeField()
    share_started_at = models.DateTimeField(null=True)
    share_seconds = models.PositiveIntegerField(default=0, help_text="what whoever shares now has")
    paused_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    last_tap = models.CharField(max_length=13, choices=Tap.choices, default=Tap.START)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder, help_text="what the last tap changed, to undo it")

    objects = MeetingRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="run_ends_after_start", condition=Q(ended_at=None) | Q(ended_at__gte=models.F("started_at"))
            ),
            models.CheckConstraint(name="run_has_parts", condition=~Q(parts=[])),
        ]

    def __str__(self):
        return f"{self.meeting_id} {self.version}"

    @property
    def is_on(self) -> bool:
        return self.ended_at is None

    @property
    def kind(self) -> Phase.Kind:
        return Phase.Kind(self.parts[self.part][0])

    @property
    def is_last_part(self) -> bool:
        return self.part == len(self.parts) - 1

    def part_seconds_left(self, now: datetime) -> int:
        """Below zero: so many seconds over."""
        elapsed = (self.paused_at or now) - self.part_started_at
        return self.parts[self.part][1] * 60 - int(elapsed.total_seconds())

    def share_seconds_left(self, now: datetime) -> int | None:
        """Of the share that is going on. None: nobody shares."""
        if self.share_started_at is None:
            return None
        elapsed = (self.paused_at or now) - self.share_started_at
        return self.share_seconds - int(elapsed.total_seconds())


class TurnQuerySet(models.QuerySet):
    def to_come(self):
        return self.filter(state__in=Turn.TO_COME)

    def speaking(self):
        return self.filter(state=Turn.State.SPEAKING)


class Turn(models.Model):
    """One person in the speaking order: somebody of the roster, or one of those who gave no name, by number."""

    class State(models.TextChoices):
        WAITING = "waiting", _("still to come")
        SPEAKING = "speaking", _("shares now")
        DONE = "done", _("has shared")
        PASSED = "passed", _("passed")
        NOT_TODAY = "not_today", _("not today")
        COME_BACK = "come_back", _("asked again later")

    TO_COME = (State.WAITING, State.COME_BACK)

    class Milestone(models.TextChoices):
        DAYS = "days", _("days")
        WEEKS = "weeks", _("weeks")
        MONTHS = "months", _("months")
        YEARS = "years", _("a year or more")
        OTHER = "other", _("something else")

    run = models.ForeignKey(MeetingRun, models.CASCADE, related_name="turns")
    participation = models.OneToOneField("meetings.Participation", models.CASCADE, null=True, related_name="turn")
    guest = models.PositiveSmallIntegerField(null=True)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    hand_raised_at = models.DateTimeField(null=True)
    shows_name = models.BooleanField(default=False, help_text="they chose it themselves, for this meeting")
    milestone = models.CharField(
        max_length=6, blank=True, choices=Milestone.choices, default="", db_default="", help_text="as `shows_name`"
    )

    objects = TurnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="turn_of_a_person_or_a_guest",
                condition=Q(participation__isnull=False, guest=None) | Q(participation=None, guest__isnull=False),
            ),
            models.UniqueConstraint(name="turn_once_per_guest", fields=["run", "guest"]),
            models.UniqueConstraint(name="turn_one_at_a_time", fields=["run"], condition=Q(state="speaking")),
        ]

    def __str__(self):
        return f"{self.run_id} {self.position}"
