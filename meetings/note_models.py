"""What few may read: a facilitator's restricted notes, and records of incidents. Their text is sealed."""

import uuid
from datetime import date, datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models import Member

from . import sealed
from .models import Meeting


class SealedText(models.Model):
    """A text that stands encrypted in the row it belongs to, and opens in no other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sealed = models.TextField(editable=False)

    class Meta:
        abstract = True

    def __str__(self):
        return str(self.pk)

    @property
    def about(self) -> str:
        return f"{self._meta.label_lower}:{self.pk}"

    @property
    def text(self) -> str:
        """Raises `sealed.BrokenSeal` for a text that was changed or moved."""
        return sealed.unseal(self.sealed, about=self.about)

    def seal(self, text: str) -> None:
        self.sealed = sealed.seal(text, about=self.about)


class RestrictedNote(SealedText):
    """For its author and those who run the group with them; not for coordinators, not for the operator (OPS-07).

    There is no page of the admin for it and no export: its QuerySet has no `visible_to`.
    """

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="restricted_notes")
    author = models.ForeignKey(Member, models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-written_at"]

    @property
    def written_local(self) -> datetime:
        return self.written_at.astimezone(self.meeting.zone)


class IncidentQuerySet(models.QuerySet):
    def to_follow_up(self):
        """Those of which a step is still due, the first due first."""
        return self.filter(follow_up_on__isnull=False, followed_up_at=None).order_by("follow_up_on", "pk")

    def for_those_who_run(self, groups: models.QuerySet):
        return self.filter(meeting__group__in=groups)


class Incident(SealedText):
    """Something that went wrong, and what was done: for who runs the group, and coordinators (PRV-15)."""

    class Kind(models.TextChoices):
        CRISIS = "crisis", _("somebody was in danger from themself")
        THREAT = "threat", _("a threat, or somebody was hurt")
        MEDICAL = "medical", _("a medical emergency")
        CONFLICT = "conflict", _("a conflict in the meeting")
        HARM = "harm", _("somebody told of harm to a child or an adult in care")
        PRIVACY = "privacy", _("somebody told outside who comes or what was said")
        OTHER = "other", _("something else")

    class Step(models.TextChoices):
        CALLED_911 = "911", _("called 911")
        CALLED_988 = "988", _("called or texted 988, with the person or for advice")
        STAYED = "stayed", _("stayed with the person")
        SAFE_PLACE = "safe-place", _("brought people to a safe place")
        FIRST_AID = "first-aid", _("gave first aid or naloxone")
        PAUSED = "paused", _("paused or ended the meeting")
        NUMBERS = "numbers", _("gave numbers to call for help")
        TALKED = "talked", _("talked with the person alone")
        GROUP = "group", _("took time for the others in the room")
        REPORTED = "reported", _("made the report that the law asks for")

    class Told(models.TextChoices):
        COORDINATOR = "coordinator", _("the coordinator")
        SUPERVISOR = "supervisor", _("a supervisor")
        CO_FACILITATOR = "co-facilitator", _("who runs the group with me")
        EMERGENCY = "emergency", _("emergency services")
        PROTECTION = "protection", _("child or adult protective services")
        HOUSE = "house", _("who is in charge of the building")

    meeting = models.ForeignKey(Meeting, models.PROTECT, related_name="incidents")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    steps = ArrayField(models.CharField(max_length=12, choices=Step.choices), default=list)
    told = ArrayField(models.CharField(max_length=16, choices=Told.choices), default=list)
    follow_up_on = models.DateField(null=True, blank=True)
    followed_up_at = models.DateTimeField(null=True, blank=True)
    followed_up_by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")
    written_by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-written_at"]
        constraints = [
            models.CheckConstraint(
                name="incident_is_followed_up_by_somebody",
                condition=Q(followed_up_at=None, followed_up_by=None)
                | Q(followed_up_at__isnull=False, followed_up_by__isnull=False),
            ),
        ]

    @property
    def written_local(self) -> datetime:
        return self.written_at.astimezone(self.meeting.zone)

    @property
    def needs_follow_up(self) -> bool:
        return self.follow_up_on is not None and self.followed_up_at is None

    @property
    def follow_up_is_late(self) -> bool:
        today: date = timezone.now().astimezone(self.meeting.zone).date()
        return self.needs_follow_up and self.follow_up_on is not None and self.follow_up_on < today

    @property
    def step_words(self) -> list[str]:
        return [str(self.Step(name).label) for name in self.steps]

    @property
    def told_words(self) -> list[str]:
        return [str(self.Told(name).label) for name in self.told]
