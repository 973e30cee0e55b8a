import secrets
import uuid
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from outbox.models import BouncedAddress

from .time_zones import validate_time_zone

SUNDAY = 6
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that look alike


def new_code() -> str:
    """A member's code, such as `M-7F3K2P`: to call somebody by on paper and in logs without saying who it is."""
    return "M-" + "".join(secrets.choice(CODE_LETTERS) for _ in range(6))


class MemberQuerySet(models.QuerySet):
    def visible_to(self, staff: "Member"):
        """Those this person may meet at work: a counselor, the people of their groups; a coordinator, everybody."""
        if staff.is_coordinator or staff.is_superuser:
            return self
        if staff.is_counselor:
            return self.filter(memberships__group__facilitators__member=staff).distinct()
        return self.none()

    def with_calendar(self):
        """Those whose calendar address works: active, and they still agree to it."""
        agreed = Consent.objects.standing().filter(kind=Consent.Kind.CALENDAR)
        return self.filter(is_active=True, calendar_token__isnull=False, pk__in=agreed.values("member"))

    def knowing_whether_mail_works(self):
        """With `mail_works`: they confirmed their address, and it sends nothing back."""
        confirmed = Member.objects.filter(emailaddress__verified=True, emailaddress__email=F("email"))
        sends_back = BouncedAddress.objects.standing().filter(member=OuterRef("pk"))
        return self.annotate(mail_works=Exists(confirmed.filter(pk=OuterRef("pk"))) & ~Exists(sends_back))

    def coordinators(self):
        return self.filter(is_active=True, role=Member.Role.COORDINATOR)

    def counselors(self):
        return self.filter(is_active=True, role__in=[Member.Role.COUNSELOR, Member.Role.COORDINATOR])


class MemberManager(BaseUserManager.from_queryset(MemberQuerySet)):  # type: ignore[misc]  # made as it runs
    def create_user(self, email, password=None, **fields):
        member = self.model(email=email.strip().lower(), **fields)
        member.set_password(password)
        member.save(using=self._db)
        return member

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, email):
        return self.get(email=email.strip().lower())


class Member(AbstractBaseUser, PermissionsMixin):
    """A person who signed in. No legal name is kept; `display_name` is the name they chose to be met by."""

    class Role(models.TextChoices):
        MEMBER = "member", _("member")
        COUNSELOR = "counselor", _("counselor")
        COORDINATOR = "coordinator", _("coordinator")
        REPORTS = "reports", _("reports")

    class TextSize(models.TextChoices):
        NORMAL = "normal", _("normal")
        LARGE = "large", _("large")
        LARGEST = "largest", _("very large")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(_("code"), max_length=10, unique=True, default=new_code, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    display_name = models.CharField(_("display name"), max_length=40)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices, default=Role.MEMBER)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(
        _("time zone"), max_length=40, blank=True, validators=[validate_time_zone], help_text=_("Empty: as the device.")
    )
    text_size = models.CharField(_("text size"), max_length=8, choices=TextSize.choices, default=TextSize.NORMAL)
    calendar_token = models.CharField(  # noqa: DJ001  (null: no feed; unique only among those that have one)
        max_length=43, unique=True, null=True, editable=False, help_text="opens their calendar feed, until renewed"
    )
    calendar_tag = models.CharField(
        max_length=32, blank=True, db_default="", editable=False, help_text="what their feed last said"
    )
    calendar_changed_at = models.DateTimeField(null=True, editable=False, help_text="since when it says that")
    week_seen_at = models.DateTimeField(null=True, editable=False, help_text="when they last looked at their week")
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["display_name"]

    objects = MemberManager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["display_name", "code"]
        constraints = [
            models.CheckConstraint(name="member_has_a_name", condition=~Q(display_name="")),
            models.CheckConstraint(name="member_email_is_lower_case", condition=Q(email=Lower("email"))),
        ]

    def __str__(self):
        return self.code

    @property
    def is_staff(self) -> bool:
        """May open the admin; what they find there is scoped by role."""
        return self.is_superuser or self.role in (self.Role.COUNSELOR, self.Role.COORDINATOR)

    @property
    def works_here(self) -> bool:
        """Anyone with a role beyond member: they sign in with a second factor."""
        return self.is_superuser or self.role != self.Role.MEMBER

    @property
    def is_counselor(self) -> bool:
        return self.role == self.Role.COUNSELOR

    @property
    def is_coordinator(self) -> bool:
        return self.role == self.Role.COORDINATOR

    @property
    def reads_reports(self) -> bool:
        return self.role in (self.Role.COUNSELOR, self.Role.COORDINATOR, self.Role.REPORTS)


class ConsentQuerySet(models.QuerySet):
    def standing(self):
        return self.filter(withdrawn_at=None)


class Consent(models.Model):
    """That a person agreed to something, to which words, when. Kept for good; only the withdrawal is added."""

    class Kind(models.TextChoices):
        REMINDERS = "reminders", _("reminders by e-mail")
        FULL_WORDING = "full-wording", _("reminders that name the group")
        CALENDAR = "calendar", _("meetings in a calendar")
        MISSED_YOU = "missed-you", _("an e-mail when I was missed")
        FULL_CALENDAR = "full-calendar", _("a calendar that names the group")
        CALLS = "calls", _("calls about meetings")
        ACCESS_NEEDS = "access-needs", _("what I need to take part")

    WORDS = {
        Kind.REMINDERS: _("Send me a short e-mail before my meetings. It names no group and no reason."),
        Kind.FULL_WORDING: _(
            "My reminders may name the group and the place. Whoever sees my screen or my mail can read it."
        ),
        Kind.CALENDAR: _(
            "Give me an address for my calendar. It says “Appointment” and the time, nothing else. "
            "Whoever sees my calendar sees it too."
        ),
        Kind.MISSED_YOU: _(
            "Write to me once when I had a place two times in a row and did not come. It names no group and no reason."
        ),
        Kind.CALLS: _(
            "If no e-mail reaches me, the people who run my meetings may call me about a meeting. They and the "
            "coordinators can read this number. Whoever answers my phone may hear them."
        ),
        Kind.ACCESS_NEEDS: _(
            "The people who run my groups may read this note, so that they can prepare. Nobody else here can. "
            "I can take it back at any time, and then it is erased."
        ),
        Kind.FULL_CALENDAR: _("My calendar may name the group and the place. Whoever sees my calendar can read it."),
    }

    member = models.ForeignKey(Member, models.CASCADE, related_name="consents")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    text = models.TextField(help_text="the exact words that were shown")
    text_hash = models.CharField(max_length=64)
    language = models.CharField(max_length=8)
    given_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="consent_stands_once", fields=["member", "kind"], condition=Q(withdrawn_at=None)
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.member_id}"


class ReminderSettings(models.Model):
    """How somebody wants to be reminded. Without a row: as it is by default; whether at all is a Consent."""

    class Lead(models.TextChoices):
        DAYS = "days", _("one to two days before")
        SAME_DAY = "same-day", _("on the day")
        BOTH = "both", _("both: days before, and on the day")
        WEEKLY = "weekly", _("once a week: one e-mail with all my times")

    class Wording(models.TextChoices):
        NEUTRAL = "neutral", _("neutral: only day and time")
        FULL = "full", _("full: group and place too")

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, related_name="reminder_settings")
    lead = models.CharField(_("how long before"), max_length=8, choices=Lead.choices, default=Lead.DAYS)
    wording = models.CharField(_("wording"), max_length=7, choices=Wording.choices, default=Wording.NEUTRAL)
    quiet_from = models.PositiveSmallIntegerField(
        _("quiet from"), null=True, blank=True, help_text="hour of the day, 0 to 23, where the group meets"
    )
    quiet_until = models.PositiveSmallIntegerField(_("quiet until"), null=True, blank=True)
    paused_until = models.DateField(_("paused until"), null=True, blank=True)
    week_day = models.PositiveSmallIntegerField(
        _("day of the weekly e-mail"), choices=WEEKDAYS.items(), default=SUNDAY, db_default=SUNDAY
    )
    roster_nudges = models.BooleanField(_("told of open rosters"), default=True, db_default=True)
    group_messages = models.BooleanField(_("messages from those who run meetings"), default=True, db_default=True)
    weekly_figures = models.BooleanField(_("sent the figures of the week"), default=False, db_default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="reminders_week_day_exists", condition=Q(week_day__lte=SUNDAY)),
            models.CheckConstraint(
                name="reminders_quiet_hours_exist",
                condition=Q(quiet_from=None, quiet_until=None) | Q(quiet_from__lte=23, quiet_until__lte=23),
            ),
        ]

    def __str__(self):
        return f"{self.lead} {self.member_id}"

    def is_paused_on(self, day: date) -> bool:
        """On the day the pause ends, reminders leave again."""
        return self.paused_until is not None and day < self.paused_until

    def is_quiet_at(self, hour: int) -> bool:
        """Whether that hour of the day is one of quiet; they may reach over midnight."""
        if self.quiet_from is None or self.quiet_until is None:
            return False
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= hour < self.quiet_until
        return hour >= self.quiet_from or hour < self.quiet_until

    def quiet_ends_at(self, wall: datetime) -> datetime:
        """The next end of the quiet hours, by the clock on the wall of `wall`."""
        ends = wall.replace(hour=self.quiet_until or 0, minute=0, second=0, microsecond=0)
        return ends if ends > wall else ends + timedelta(days=1)
