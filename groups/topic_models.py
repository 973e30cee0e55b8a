"""What a group's meetings are made of: their parts in order, and what they are about."""

from datetime import date, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member

from . import phases
from .models import Group

LAST = -1  # of a month


class PhaseQuerySet(models.QuerySet):
    def visible_to(self, staff: Member):
        return self.filter(group__in=Group.objects.visible_to(staff))


class Phase(models.Model):
    """One part of a group's meetings, in its own order. A group without any goes by the usual sequence."""

    class Kind(models.TextChoices):
        WELCOME = "welcome", _("welcome and ground rules")
        INTRODUCTIONS = "introductions", _("introductions")
        TOPIC = "topic", _("topic of the day")
        SHARING = "sharing", _("sharing round")
        QUESTIONS = "questions", _("questions and encouragement")
        CLOSING = "closing", _("closing")

    group = models.ForeignKey(Group, models.CASCADE, related_name="phases", verbose_name=_("group"))
    position = models.PositiveSmallIntegerField(_("order"))
    kind = models.CharField(_("part"), max_length=13, choices=Kind.choices)
    minutes = models.PositiveSmallIntegerField(_("minutes"), validators=[MinValueValidator(1), MaxValueValidator(240)])
    about = models.CharField(_("what happens"), max_length=200, blank=True)

    objects = PhaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("part of the meeting")
        verbose_name_plural = _("parts of the meeting")
        ordering = ["position"]
        constraints = [models.UniqueConstraint(name="phase_once_per_position", fields=["group", "position"])]

    def __str__(self):
        return f"{self.position}. {self.get_kind_display()}"

    @classmethod
    def usual(cls, minutes: int) -> list["Phase"]:
        """The usual sequence for a meeting of so many minutes, unsaved and of no group."""
        parts = enumerate(phases.usual_sequence(minutes), start=1)
        return [cls(position=position, kind=kind, minutes=length) for position, (kind, length) in parts]


class TopicQuerySet(models.QuerySet):
    def visible_to(self, staff: Member):
        return self.filter(Q(group=None) | Q(group__in=Group.objects.visible_to(staff)))

    def for_group(self, group: Group):
        return self.filter(Q(group=None) | Q(group=group))


class Topic(models.Model):
    """What a meeting is about. Without a group it belongs to the library that every group draws from."""

    group = models.ForeignKey(
        Group, models.CASCADE, null=True, blank=True, related_name="topics", verbose_name=_("group")
    )
    name = models.CharField(_("name"), max_length=80)
    prompts = models.TextField(_("questions to open with"), blank=True, help_text=_("One on each line."))
    reading = models.TextField(
        _("something to read"), blank=True, default="", db_default="", help_text=_("About a minute when read aloud.")
    )
    activity = models.TextField(
        _("something to try"),
        blank=True,
        default="",
        db_default="",
        help_text=_("A few minutes, together or in pairs."),
    )

    objects = TopicQuerySet.as_manager()

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(name="topic_once_per_group", fields=["group", "name"], nulls_distinct=False)
        ]

    def __str__(self):
        return self.title

    @property
    def title(self) -> str:
        return self._in_own_language(self.name)

    @property
    def questions(self) -> list[str]:
        return self._in_own_language(self.prompts).splitlines()

    @property
    def to_read(self) -> str:
        return self._in_own_language(self.reading)

    @property
    def to_try(self) -> str:
        return self._in_own_language(self.activity)

    def _in_own_language(self, words: str) -> str:
        """The library speaks the reader's language (`topic_library`); a group's own topics stay as they were typed."""
        return gettext(words) if words and self.group_id is None else words


class TopicRuleQuerySet(models.QuerySet):
    def visible_to(self, staff: Member):
        return self.filter(group__in=Group.objects.visible_to(staff))


class TopicRule(models.Model):
    """A topic that comes back by itself, such as the steps on the third date of each month."""

    NTH = [(1, _("first")), (2, _("second")), (3, _("third")), (4, _("fourth")), (5, _("fifth")), (LAST, _("last"))]

    group = models.ForeignKey(Group, models.CASCADE, related_name="topic_rules", verbose_name=_("group"))
    nth_of_month = models.SmallIntegerField(_("which one of the month"), choices=NTH)
    weekday = models.PositiveSmallIntegerField(
        _("weekday"), choices=list(WEEKDAYS.items()), null=True, blank=True, help_text=_("Empty: whatever the day.")
    )
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="rules", verbose_name=_("topic"))

    objects = TopicRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("topic by rule")
        verbose_name_plural = _("topics by rule")
        constraints = [
            models.UniqueConstraint(
                name="topic_rule_once", fields=["group", "nth_of_month", "weekday"], nulls_distinct=False
            )
        ]

    def __str__(self):
        return f"{self.get_nth_of_month_display()}: {self.topic}"

    def covers(self, on: date) -> bool:
        """Whether it is about this date: of a month, counted by its weekday."""
        if self.weekday is not None and on.weekday() != self.weekday:
            return False
        if self.nth_of_month == LAST:
            return (on + timedelta(days=7)).month != on.month
        return (on.day + 6) // 7 == self.nth_of_month
