"""What is kept of a meeting after it: the session log that everybody who runs the group reads (OPS-07)."""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from groups.models import Group
from members.models import Member

from .models import Meeting

LONGEST = timedelta(hours=12)


class SessionLogQuerySet(models.QuerySet):
    def signed(self):
        return self.filter(signed_at__isnull=False)

    def unsigned(self):
        return self.filter(signed_at=None)

    def written_or_signed_by(self, member: Member):
        return self.filter(Q(written_by=member) | Q(signed_by=member))

    def visible_to(self, staff: Member):
        """Those of the groups somebody works with. How groups went is not for the operator."""
        if staff.is_superuser:
            return self.none()
        return self.filter(meeting__group__in=Group.objects.visible_to(staff))


class SessionLog(models.Model):
    """How one meeting went, in facts and ticked boxes: nothing here can name a member.

    A draft until it is signed. From then on the database refuses every change (migration 0009), and what is learned
    later is an `Addendum`. Facilitators, topic and place are words, as they were when it was signed.
    """

    class Activity(models.TextChoices):
        CHECK_IN = "check-in", _("check-in round")
        SHARING = "sharing", _("sharing round")
        TOPIC = "topic", _("talk about a topic")
        READING = "reading", _("a reading")
        COPING = "coping", _("practice of a coping skill")
        GOALS = "goals", _("goals and plans")
        TRIGGERS = "triggers", _("triggers and cravings")
        CALM = "calm", _("breathing or quiet time")
        RESOURCES = "resources", _("places and services that help")
        WELCOME = "welcome", _("welcome of people who are new")
        MILESTONES = "milestones", _("milestones that people shared")
        GUEST = "guest", _("a guest spoke")

    class FollowUp(models.TextChoices):
        OUTREACH = "outreach", _("reach out to somebody")
        REFERRAL = "referral", _("help somebody to find a service")
        RIDES = "rides", _("rides to the meeting")
        ACCESS = "access", _("access to the room or the call")
        MATERIALS = "materials", _("bring more readings or forms")
        ROOM = "room", _("something about the room")
        AGREEMENT = "agreement", _("go over the ground rules")
        COORDINATOR = "coordinator", _("talk with the coordinator")
        TOPIC = "topic", _("come back to the topic")

    meeting = models.OneToOneField(Meeting, models.PROTECT, related_name="log", verbose_name=_("meeting"))
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    mode = models.CharField(_("where"), max_length=10, choices=Group.Mode.choices)
    place = models.CharField(_("place"), max_length=200, blank=True, editable=False)
    facilitators = ArrayField(models.CharField(max_length=140), verbose_name=_("facilitators"))
    topic = models.CharField(_("topic"), max_length=80, blank=True)
    activities = ArrayField(
        models.CharField(max_length=12, choices=Activity.choices), default=list, verbose_name=_("what we did")
    )
    follow_ups = ArrayField(
        models.CharField(max_length=12, choices=FollowUp.choices), default=list, verbose_name=_("to follow up")
    )
    headcount = models.PositiveSmallIntegerField(_("people who came"), validators=[MaxValueValidator(500)])
    first_timers = models.PositiveSmallIntegerField(
        _("of them here for the first time"), default=0, validators=[MaxValueValidator(500)]
    )
    saved_at = models.DateTimeField(_("saved"), editable=False)
    written_by = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("written by"))
    signed_by = models.ForeignKey(
        Member, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("signed by")
    )
    signed_name = models.CharField(_("name of who signed"), max_length=40, blank=True)
    credential = models.CharField(_("credential"), max_length=80, blank=True)
    signed_at = models.DateTimeField(_("signed"), null=True, blank=True)

    objects = SessionLogQuerySet.as_manager()

    class Meta:
        verbose_name = _("session log")
        verbose_name_plural = _("session logs")
        ordering = ["-started_at"]
        constraints = [
            models.CheckConstraint(name="log_ends_after_start", condition=Q(ended_at__gt=F("started_at"))),
            models.CheckConstraint(
                name="log_has_no_more_new_people_than_people", condition=Q(first_timers__lte=F("headcount"))
            ),
            models.CheckConstraint(
                name="log_is_signed_whole",
                condition=Q(signed_at=None, signed_by=None, signed_name="", credential="")
                | Q(signed_at__isnull=False, signed_by__isnull=False) & ~Q(signed_name="") & ~Q(credential=""),
            ),
        ]

    def __str__(self):
        return str(self.meeting)

    @property
    def minutes(self) -> int:
        return int((self.ended_at - self.started_at).total_seconds() // 60)

    @property
    def started_local(self) -> datetime:
        return self.started_at.astimezone(self.meeting.zone)

    @property
    def ended_local(self) -> datetime:
        return self.ended_at.astimezone(self.meeting.zone)

    @property
    def signed_local(self) -> datetime | None:
        return self.signed_at and self.signed_at.astimezone(self.meeting.zone)

    @property
    def is_signed(self) -> bool:
        return self.signed_at is not None

    @property
    def activity_words(self) -> list[str]:
        return [str(self.Activity(name).label) for name in self.activities]

    @property
    def follow_up_words(self) -> list[str]:
        return [str(self.FollowUp(name).label) for name in self.follow_ups]


class Addendum(models.Model):
    """What is learned after a log was signed. Rows are only ever added: a trigger refuses the rest (OPS-08)."""

    log = models.ForeignKey(SessionLog, models.PROTECT, related_name="addenda", verbose_name=_("session log"))
    text = models.CharField(_("what to add"), max_length=600)
    written_by = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("written by"))
    name = models.CharField(_("name"), max_length=40)
    credential = models.CharField(_("credential"), max_length=80)
    written_at = models.DateTimeField(_("written"), default=timezone.now)

    class Meta:
        verbose_name = _("addendum")
        verbose_name_plural = _("addenda")
        ordering = ["written_at", "pk"]

    def __str__(self):
        return str(self.log_id)

    @property
    def written_local(self) -> datetime:
        return self.written_at.astimezone(self.log.meeting.zone)
