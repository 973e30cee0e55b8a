"""When a group meets: the rule of its dates, and the times in which it rests."""

from datetime import date, datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from groups.models import Group
from members.models import Member
from members.time_zones import validate_time_zone

from . import recurrence


class Fingerprint(models.Aggregate):
    """One short text for the given columns of many rows, the first of which tells the rows apart.

    The rows' own hashes, 128 bits of each, mixed in whatever order they come: nothing is sorted or made into text.
    """

    name = "fingerprint"
    output_field = models.TextField()
    template = (
        "concat_ws(' ', count(*), bit_xor(hash_record_extended(ROW(%(expressions)s), 0)),"
        " bit_xor(hash_record_extended(ROW(%(expressions)s), 1)))"
    )


class MeetingSeriesQuerySet(models.QuerySet):
    def running(self):
        """Those that may still meet."""
        return self.filter(Q(until_on=None) | Q(until_on__gte=timezone.now().date() - timedelta(days=1)))

    def over(self):
        return self.filter(until_on__lt=timezone.now().date() - timedelta(days=1))

    def resting(self, on: date):
        """Those with a pause on that day."""
        pauses = Suspension.objects.filter(Q(until_on=None) | Q(until_on__gte=on), from_on__lte=on)
        return self.filter(pk__in=pauses.values("series"))

    def listed(self):
        return self.filter(group__is_listed=True)

    def weekly(self):
        return self.filter(every_n_weeks=1, nth_of_month=None)

    def not_over(self):
        """Those that may have dates to come, the first to begin first."""
        return self.running().order_by("from_on", "pk")

    def fingerprint(self) -> str:
        """Another text whenever these, what everybody may know of their groups, or their suspensions change."""
        of_group = ("id", "slug", "name", "mode", "audience", "language", "cross_talk", "area", "description")
        more = ("gives_attendance_letters", "is_wheelchair_accessible", "is_address_public", "place", "address")
        rule = ("id", "weekdays", "start_time", "minutes", "time_zone", "from_on", "until_on")
        facts = Fingerprint(*rule, *(f"group__{name}" for name in of_group + more))
        pauses = Fingerprint("id", "series", "from_on", "until_on", "place_only")
        return "{}{}".format(
            self.order_by().aggregate(fingerprint=facts)["fingerprint"],
            Suspension.objects.filter(series__in=self.order_by()).aggregate(fingerprint=pauses)["fingerprint"],
        )

    def visible_to(self, staff: Member):
        return self.filter(group__in=Group.objects.visible_to(staff))


class MeetingSeries(models.Model):
    """The rule by which a group meets, as people say it: wall time in a zone, weekdays, every so many weeks."""

    WEEKDAYS = [(number, name) for number, name in WEEKDAYS.items()]
    NTH = [(1, _("first")), (2, _("second")), (3, _("third")), (4, _("fourth")), (-1, _("last"))]

    group = models.ForeignKey(Group, models.CASCADE, related_name="series", verbose_name=_("group"))
    weekdays = ArrayField(models.SmallIntegerField(choices=WEEKDAYS), verbose_name=_("weekdays"))
    every_n_weeks = models.PositiveSmallIntegerField(
        _("every how many weeks"), default=1, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    nth_of_month = models.SmallIntegerField(_("or which one of the month"), choices=NTH, null=True, blank=True)
    start_time = models.TimeField(_("starts"))
    minutes = models.PositiveSmallIntegerField(
        _("minutes"), default=90, validators=[MinValueValidator(5), MaxValueValidator(720)]
    )
    time_zone = models.CharField(_("time zone"), max_length=40, validators=[validate_time_zone])
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until"), null=True, blank=True)
    came_from = models.OneToOneField(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="went_on_as",
        help_text="the schedule that ended when this one began: a change of this and later dates",
    )

    objects = MeetingSeriesQuerySet.as_manager()

    class Meta:
        verbose_name = _("weekly schedule")
        verbose_name_plural = _("weekly schedules")
        constraints = [
            models.CheckConstraint(name="series_lasts", condition=Q(minutes__gte=1, minutes__lt=1440)),
            models.CheckConstraint(name="series_has_weekdays", condition=~Q(weekdays=[])),
            models.CheckConstraint(name="series_every_week_or_more", condition=Q(every_n_weeks__gte=1)),
            models.CheckConstraint(
                name="series_ends_after_start", condition=Q(until_on=None) | Q(until_on__gte=F("from_on"))
            ),
        ]

    def __str__(self):
        days = ", ".join(str(WEEKDAYS[day]) for day in self.weekdays)
        return f"{days} {self.start_time:%H:%M} ({self.time_zone})"

    def dates(self, first: date, last: date) -> list[date]:
        """The dates of the rule between two dates, both included; suspensions are not looked at."""
        if self.until_on:
            last = min(last, self.until_on)
        return recurrence.dates(
            weekdays=self.weekdays,
            every_n_weeks=self.every_n_weeks,
            nth_of_month=self.nth_of_month,
            since=self.from_on,
            first=first,
            last=last,
        )

    def latest(self) -> "MeetingSeries":
        """The schedule that this one went on as, after changes of later dates; itself if there were none."""
        found = self
        while later := MeetingSeries.objects.filter(came_from=found).first():
            found = later
        return found

    def is_in_force(self, on: date) -> bool:
        return self.from_on <= on and (self.until_on is None or on <= self.until_on)

    def starts_at(self, on: date) -> datetime:
        return recurrence.starts_at(on, self.start_time, self.time_zone)


class SuspensionQuerySet(models.QuerySet):
    def of_feed(self):
        """Until further notice, because a feed says so; those a counselor wrote are theirs to end."""
        return self.filter(is_from_feed=True, until_on=None)


class Suspension(models.Model):
    """A time in which a series does not meet, or (`place_only`) meets online because its place is closed."""

    series = models.ForeignKey(MeetingSeries, models.CASCADE, related_name="suspensions")
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until"), null=True, blank=True, help_text=_("Empty: until further notice."))
    place_only = models.BooleanField(_("only the place is closed: meets online"), default=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    is_from_feed = models.BooleanField(default=False, db_default=False, editable=False)

    objects = SuspensionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        constraints = [
            models.CheckConstraint(
                name="suspension_ends_after_start", condition=Q(until_on=None) | Q(until_on__gte=F("from_on"))
            ),
        ]

    def __str__(self):
        return f"{self.from_on} – {self.until_on or '…'}"

    def covers(self, on: date) -> bool:
        return self.from_on <= on and (self.until_on is None or on <= self.until_on)
