import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast, Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from groups.models import Group, Membership, Room, Topic
from members.models import Member

from .check_in_models import OPENS_BEFORE, CheckInCode
from .series_models import Fingerprint, MeetingSeries, Suspension

# The last day to sign a log by the weekday of the meeting, Monday is 1: three business days after it.
DAYS_TO_SIGN = {1: 3, 2: 3, 3: 5, 4: 5, 5: 5, 6: 4, 7: 3}
KEPT_IN_CALENDAR = timedelta(days=30)  # so long a meeting that is over stays in the calendars of those who were to come
LENT_FOR = timedelta(days=1)  # so long before and after it a substitute opens the roster of the date they lead


class MeetingQuerySet(models.QuerySet):
    def upcoming(self):
        return self.filter(status=Meeting.Status.SCHEDULED, starts_at__gt=Now())

    def upcoming_cancelled(self):
        return self.filter(status=Meeting.Status.CANCELLED, starts_at__gt=Now())

    def over(self):
        return self.filter(ends_at__lt=Now())

    def not_over(self):
        return self.filter(ends_at__gte=Now())

    def upcoming_or_cancelled(self):
        """The dates ahead, with those that are off: people who know of one should read that it is."""
        return self.filter(status__in=[Meeting.Status.SCHEDULED, Meeting.Status.CANCELLED], starts_at__gt=Now())

    def within_days(self, days: int):
        return self.filter(starts_at__lte=timezone.now() + timedelta(days=days))

    def with_people_in_line(self):
        return self.filter(pk__in=Participation.objects.in_line().values("meeting"))

    def in_order(self):
        return self.order_by("starts_at", "id")

    def listed(self):
        return self.filter(group__is_listed=True)

    def of_members_groups(self, member: Member):
        return self.filter(group__in=Membership.objects.active().filter(member=member).values("group"))

    def visible_to(self, staff: Member):
        return self.filter(group__in=Group.objects.visible_to(staff))

    def with_attendance_recorded_by(self, staff: Member):
        return self.filter(pk__in=Participation.objects.filter(recorded_by=staff).values("meeting"))

    def of_group(self, group: Group):
        return self.filter(group=group)

    def substituted_by(self, staff: Member):
        return self.filter(substitute=staff)

    def lent_to(self, staff: Member):
        """Those that somebody leads as a substitute, from a day before until a day after."""
        if not staff.is_counselor:
            return self.none()
        now = timezone.now()
        return self.substituted_by(staff).filter(starts_at__lte=now + LENT_FOR, ends_at__gte=now - LENT_FOR)

    def led_as_substitute(self, staff: Member):
        """Those that somebody leads as a substitute and are not off, from now on or over since a day."""
        not_off = [Meeting.Status.SCHEDULED, Meeting.Status.HELD]
        return self.substituted_by(staff).filter(status__in=not_off, ends_at__gte=timezone.now() - LENT_FOR)

    def last_move_by_series(self) -> dict[int, datetime]:
        """When a meeting of a series was last moved, cancelled or taken up again."""
        moved = self.filter(changed_at__isnull=False).order_by()
        return dict(moved.values_list("series").annotate(last=models.Max("changed_at")))

    def for_calendar(self):
        return self.order_by("starts_at", "id").values_list(
            "id", "starts_at", "ends_at", "sequence", "changed_at", "status"
        )

    def calendar_fingerprint(self) -> str:
        """Another text whenever a calendar file of these would be another, found without fetching them."""
        facts = Fingerprint("id", "starts_at", "ends_at", "sequence", "changed_at", "status")
        return self.order_by().aggregate(fingerprint=facts)["fingerprint"] or ""

    def log_overdue(self):
        """Over, no signed log, and the three business days after it are past, where the group is (OPS-16).

        Monday to Friday, as holidays are not known. What is older than the look-back is chased no more: a site that is
        new, or begins to keep logs, would else start with a list of everything that ever was.
        """
        days = models.Case(
            *(models.When(local_date__iso_week_day=day, then=Value(n)) for day, n in DAYS_TO_SIGN.items())
        )
        now = timezone.now()
        today = models.Func(
            F("time_zone"), Value(now), template="(timezone(%(expressions)s))::date", output_field=models.DateField()
        )
        return (
            self.filter(status__in=[Meeting.Status.SCHEDULED, Meeting.Status.HELD], ends_at__lt=now)
            .filter(starts_at__gte=now - settings.LOG_LOOK_BACK)
            .exclude(log__signed_at__isnull=False)
            .alias(sign_by=models.ExpressionWrapper(F("local_date") + days, output_field=models.DateField()))
            .filter(sign_by__lt=today)
        )

    def with_signed_log(self):
        return self.filter(log__signed_at__isnull=False)

    def without_signed_log(self):
        """Over, and nobody has signed how it went."""
        took_place = [Meeting.Status.SCHEDULED, Meeting.Status.HELD]
        return self.over().filter(status__in=took_place, log__signed_at=None)

    def this_week(self):
        """Today and the six days after it, by the calendar on the wall where each group meets."""
        now = timezone.now()
        today = Cast(
            Func(F("time_zone"), Value(now), function="timezone", output_field=models.DateTimeField()),
            models.DateField(),
        )
        near = self.filter(starts_at__gt=now - timedelta(days=2), starts_at__lt=now + timedelta(days=9))
        return near.alias(today=today).filter(
            local_date__gte=F("today"), local_date__lt=F("today") + Value(timedelta(days=7))
        )

    def open_to_check_in(self, member: Member):
        """Those of their groups where members check in themselves right now, and nothing is noted of them yet."""
        noted = Participation.objects.filter(meeting=models.OuterRef("pk"), member=member, attendance__isnull=False)
        theirs = self.of_members_groups(member).filter(pk__in=CheckInCode.objects.usable().values("pk"))
        return theirs.exclude(models.Exists(noted))

    def counting(self, guests: int | None):
        """Those that count so many people without a name; None: however many."""
        return self if guests is None else self.filter(headcount=guests)

    def roster_open(self):
        """Begun, and nobody has said yet who came."""
        return self.filter(status=Meeting.Status.SCHEDULED, starts_at__lte=Now())


class Meeting(models.Model):
    """One dated meeting. Reminder, RSVP, roster, calendar, feed and report all speak of this row."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        CANCELLED = "cancelled", _("cancelled")
        HELD = "held", _("held")
        DID_NOT_MEET = "did_not_meet", _("did not meet")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, models.CASCADE, related_name="meetings", verbose_name=_("group"))
    series = models.ForeignKey(MeetingSeries, models.CASCADE, related_name="meetings", verbose_name=_("schedule"))
    series_date = models.DateField(editable=False, help_text="the date of the rule it stands for, also once moved")
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    local_date = models.DateField(_("date"))
    local_time = models.TimeField(_("time"))
    time_zone = models.CharField(_("time zone"), max_length=40)
    mode = models.CharField(_("where"), max_length=10, choices=Group.Mode.choices)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.SCHEDULED)
    topic = models.ForeignKey(
        Topic, models.SET_NULL, null=True, blank=True, related_name="meetings", verbose_name=_("topic")
    )
    capacity = models.PositiveSmallIntegerField(_("places"))
    places_taken = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="going + offered, kept by a trigger"
    )
    headcount = models.PositiveSmallIntegerField(
        _("came without a name"), default=0, db_default=0, help_text=_("People in the room who gave no name or code.")
    )
    stands_alone = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="changed by itself: keeps its time and place when its schedule changes",
    )
    lost_its_date = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="cancelled as its schedule has no such date any more: is on again when it has",
    )
    room = models.ForeignKey(
        Room,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # asked for only when a room is deleted
        verbose_name=_("room"),
        help_text="another than the group's, on this date only",
    )
    substitute = models.ForeignKey(
        Member,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_index=False,  # see the index of those that have one
        related_name="substitutes_at",
        verbose_name=_("substitute"),
        help_text="who leads this one date instead",
    )
    cancel_reason = models.CharField(_("reason"), max_length=200, blank=True)
    suspension = models.ForeignKey(
        Suspension, models.SET_NULL, null=True, blank=True, editable=False, related_name="meetings"
    )
    sequence = models.PositiveIntegerField(default=0, editable=False, help_text="RFC 5546 §2.1.4")
    changed_at = models.DateTimeField(null=True, editable=False, help_text="moved, cancelled or taken up again")

    objects = MeetingQuerySet.as_manager()

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        ordering = ["starts_at"]
        constraints = [
            models.UniqueConstraint(name="meeting_once_per_series_date", fields=["series", "series_date"]),
            models.UniqueConstraint(name="meeting_once_per_series_start", fields=["series", "starts_at"]),
            models.CheckConstraint(
                name="meeting_never_over_capacity", condition=Q(places_taken__gte=0, places_taken__lte=F("capacity"))
            ),
            models.CheckConstraint(name="meeting_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))),
        ]
        # Migration 0005 adds columns and indexes that the database keeps by itself; only `find.py` asks for them.
        # What a date holds (room, link, who leads) and that nothing is held twice at once: 0012, `services/clashes.py`.
        indexes = [
            models.Index(fields=["starts_at"], name="meeting_upcoming", condition=Q(status="scheduled")),
            models.Index(fields=["group", "starts_at"], name="meeting_of_group"),
            models.Index(fields=["group", "local_date"], name="meeting_by_date"),
            models.Index(
                fields=["substitute", "starts_at"],
                name="meeting_of_substitute",
                condition=Q(substitute__isnull=False),
            ),
        ]

    def __str__(self):
        return f"{self.local_date:%Y-%m-%d} {self.local_time:%H:%M}"

    def get_absolute_url(self):
        return reverse("meetings:meeting_detail", args=[self.pk])

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def local_start(self) -> datetime:
        return self.starts_at.astimezone(self.zone)

    @property
    def local_end(self) -> datetime:
        return self.ends_at.astimezone(self.zone)

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    @property
    def places_left(self) -> int:
        return max(self.capacity - self.places_taken, 0)

    @property
    def is_over(self) -> bool:
        return self.ends_at <= timezone.now()

    @property
    def has_begun(self) -> bool:
        return self.starts_at <= timezone.now()

    @property
    def roster_is_open(self) -> bool:
        """Attendance is taken from an hour before the start, of a meeting that is not off."""
        opens_at = self.starts_at - timedelta(hours=1)
        return opens_at <= timezone.now() and self.status in (self.Status.SCHEDULED, self.Status.HELD)

    @property
    def takes_check_in(self) -> bool:
        """Whether members may check in themselves, if a counselor lets them: see `CheckInCode`."""
        return self.roster_is_open and not self.is_over and self.starts_at - OPENS_BEFORE <= timezone.now()

    @property
    def takes_log(self) -> bool:
        """Whether there is something to tell of: it has begun, and nobody said that it did not take place."""
        return self.has_begun and self.status in (self.Status.SCHEDULED, self.Status.HELD)

    @property
    def is_open(self) -> bool:
        """Whether one can still say that one comes."""
        return self.status == self.Status.SCHEDULED and not self.has_begun


class ParticipationQuerySet(models.QuerySet):
    def holding_a_place(self):
        return self.filter(rsvp__in=[Participation.Rsvp.GOING, Participation.Rsvp.OFFERED])

    def going(self):
        return self.filter(rsvp=Participation.Rsvp.GOING)

    def expecting_to_come(self):
        """Those to be told when a meeting changes: with a place, with an offer, or in line."""
        return self.filter(
            rsvp__in=[Participation.Rsvp.GOING, Participation.Rsvp.OFFERED, Participation.Rsvp.WAITLISTED]
        )

    def in_line(self):
        """The waiting list, in its one agreed order: whoever was let go first last, then as they asked."""
        let_first = F("let_first_at").desc(nulls_last=True)
        return self.filter(rsvp=Participation.Rsvp.WAITLISTED).order_by(let_first, "rsvp_at", "id")

    def before(self, waiting: "Participation"):
        """Of those in line, whoever comes before this one."""
        asked_before = Q(rsvp_at__lt=waiting.rsvp_at) | Q(rsvp_at=waiting.rsvp_at, pk__lt=waiting.pk)
        same = Q(let_first_at=waiting.let_first_at)
        let_past = Q(let_first_at__gt=waiting.let_first_at) if waiting.let_first_at else ~same
        return self.filter(let_past | same & asked_before, meeting=waiting.meeting_id)

    def on_roster(self, meeting: Meeting):
        """Those with a place, and everybody of whom it is said whether they came."""
        return self.filter(
            Q(rsvp__in=[Participation.Rsvp.GOING, Participation.Rsvp.OFFERED]) | Q(attendance__isnull=False),
            meeting=meeting,
        )

    def with_a_place(self, meeting: Meeting):
        return self.filter(meeting=meeting, rsvp=Participation.Rsvp.GOING)

    def in_the_room(self, meeting_id: uuid.UUID):
        """Those who came and are still there."""
        return self.filter(meeting=meeting_id, attendance__in=Participation.IN_THE_ROOM)

    def welcome_in_room(self, meeting_id: uuid.UUID):
        """Those who may follow a meeting while it runs: with a place, or recorded as here."""
        has_place = Q(rsvp=Participation.Rsvp.GOING)
        return self.filter(has_place | Q(attendance__in=Participation.CAME), meeting=meeting_id)

    def came_before(self, meeting: Meeting, members) -> dict[uuid.UUID, bool]:
        """Of those of these members who came to any meeting before this one: whether one was of its group."""
        earlier = self.attended().filter(member__in=members, meeting__starts_at__lt=meeting.starts_at).order_by()
        counted = earlier.values_list("member").annotate(
            here=models.Count("pk", filter=Q(meeting__group=meeting.group_id))
        )
        return {member: bool(here) for member, here in counted}

    def noted_as(self, attendance: str | None):
        """Those of whom just this is noted, "" for nothing; None: whatever is."""
        return self if attendance is None else self.filter(attendance=attendance or None)

    def lapsed(self):
        return self.filter(rsvp=Participation.Rsvp.OFFERED, offer_expires_at__lte=timezone.now())

    def is_back_after_a_gap(self, member: Member) -> bool:
        """Whether somebody had answered for a meeting before, and none of theirs was in the last four weeks."""
        theirs = self.filter(member=member, rsvp=Participation.Rsvp.GOING)
        lately = theirs.filter(meeting__starts_at__gte=timezone.now() - timedelta(weeks=4))
        return theirs.exists() and not lately.exists()

    def attended(self):
        return self.filter(attendance__in=Participation.CAME)

    def missed(self, meeting: Meeting, member: Member):
        """That they had a place at a meeting and were noted as not there."""
        absent = {"rsvp": Participation.Rsvp.GOING, "attendance": Participation.Attendance.ABSENT}
        return self.filter(meeting=meeting, member=member, **absent)

    def visible_to(self, staff: Member):
        if staff.is_superuser:  # who comes to which meeting is not for the operator
            return self.none()
        return self.filter(meeting__group__in=Group.objects.visible_to(staff))


class Participation(models.Model):
    """One member at one meeting: what they said (`rsvp`) and what happened (`attendance`), independent facts."""

    class Rsvp(models.TextChoices):
        GOING = "going", _("going")
        DECLINED = "declined", _("can’t make it")
        WAITLISTED = "waitlisted", _("on the waiting list")
        OFFERED = "offered", _("place offered")

    class Attendance(models.TextChoices):
        PRESENT = "present", _("present")
        LATE = "late", _("came late")
        LEFT_EARLY = "left_early", _("left early")
        ABSENT = "absent", _("not there")
        EXCUSED = "excused", _("excused")

    CAME = (Attendance.PRESENT, Attendance.LATE, Attendance.LEFT_EARLY)
    IN_THE_ROOM = (Attendance.PRESENT, Attendance.LATE)

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="participations", verbose_name=_("meeting"))
    member = models.ForeignKey(Member, models.CASCADE, related_name="participations", verbose_name=_("member"))
    rsvp = models.CharField(  # noqa: DJ001  (null: no answer yet)
        _("answer"), max_length=10, choices=Rsvp.choices, null=True, blank=True
    )
    rsvp_at = models.DateTimeField(_("answered"), null=True, blank=True)
    let_first_at = models.DateTimeField(
        null=True, editable=False, help_text="since when they go before those who asked earlier, while they wait"
    )
    offer_expires_at = models.DateTimeField(_("offer stands until"), null=True, blank=True)
    attendance = models.CharField(  # noqa: DJ001  (null: nobody has said yet)
        _("attendance"), max_length=10, choices=Attendance.choices, null=True, blank=True
    )
    recorded_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("recorded by")
    )
    recorded_at = models.DateTimeField(_("recorded"), null=True, blank=True)

    objects = ParticipationQuerySet.as_manager()

    class Meta:
        verbose_name = _("participation")
        verbose_name_plural = _("participations")
        constraints = [
            models.UniqueConstraint(name="participation_once", fields=["meeting", "member"]),
            models.CheckConstraint(
                name="participation_offer_has_end",
                condition=Q(rsvp="offered", offer_expires_at__isnull=False)
                | (Q(offer_expires_at=None) & (~Q(rsvp="offered") | Q(rsvp=None))),
            ),
            models.CheckConstraint(
                name="participation_attendance_has_time", condition=Q(attendance=None) | Q(recorded_at__isnull=False)
            ),
            models.CheckConstraint(
                name="participation_rsvp_has_time", condition=Q(rsvp=None) | Q(rsvp_at__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["meeting", "rsvp_at"], name="participation_in_line", condition=Q(rsvp="waitlisted")),
            models.Index(fields=["offer_expires_at"], name="participation_offers", condition=Q(rsvp="offered")),
        ]

    def __str__(self):
        return f"{self.member_id} {self.meeting_id}"

    @property
    def came(self) -> bool:
        return self.attendance in self.CAME

    @property
    def is_in_the_room(self) -> bool:
        return self.attendance in self.IN_THE_ROOM


# A meeting while it runs and what is kept of it afterwards stand in modules of their own. Django looks for models here.
from . import letter_models, log_models, message_models, note_models, shared_models  # noqa: E402, F401  (they need the models above)
from .people_models import LetFirst, Outreach  # noqa: E402, F401  (the same)
from .run_models import MeetingRun, Turn  # noqa: E402, F401  (the same)
