from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from operator import attrgetter
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Concat, Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member
from members.time_zones import validate_time_zone
from outbox.banned_words import telling_however_written


def default_time_zone() -> str:
    return settings.DEFAULT_TIME_ZONE


def default_capacity() -> int:
    return settings.DEFAULT_CAPACITY


def validate_neutral(text: str) -> None:
    """Refuse words that would tell a stranger what kind of meeting it is."""
    if found := telling_however_written(text):
        raise ValidationError(
            _("“%(words)s” tells what the meetings are about. Choose words that do not."),
            params={"words": "”, “".join(found)},
        )


class PlainWords(models.Func):
    """Lower case and without accents; unlike PostgreSQL's own, fit for a column made from others."""

    function = "plain_words"
    output_field = models.TextField()


class RoomQuerySet(models.QuerySet):
    def visible_to(self, staff: Member):
        return self if staff.is_coordinator or staff.is_superuser or staff.is_counselor else self.none()


class Room(models.Model):
    """A room that is planned for one group at a time. A house has many; groups that choose none are never refused."""

    name = models.CharField(
        _("name"), max_length=120, help_text=_("With the house, if there are several: Mill Street, room 2.")
    )

    objects = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="room_once", violation_error_message=_("This room is there already.")
            ),
            models.CheckConstraint(name="room_has_a_name", condition=~Q(name="")),
        ]

    def __str__(self):
        return self.name


class GroupQuerySet(models.QuerySet):
    def listed(self):
        return self.filter(is_listed=True)

    def from_feed(self):
        """Those an import of meetings made; the slug in the feed is their key."""
        return self.filter(feed_slug__isnull=False)

    def visible_to(self, staff: Member):
        """The groups this person works with: a counselor's own, all of them for coordinators."""
        if staff.is_coordinator or staff.is_superuser:
            return self
        return self.facilitated_by(staff) if staff.is_counselor else self.none()

    def facilitated_by(self, member: Member):
        return self.filter(pk__in=Facilitator.objects.filter(member=member).values("group"))

    def joined_or_asked_by(self, member: Member):
        open_to = [Membership.Status.ACTIVE, Membership.Status.REQUESTED]
        return self.filter(pk__in=Membership.objects.filter(member=member, status__in=open_to).values("group"))

    def giving_letters(self):
        return self.filter(gives_attendance_letters=True)

    def not_giving_letters(self):
        return self.filter(gives_attendance_letters=False)

    def of_member(self, member: Member):
        return self.filter(pk__in=Membership.objects.active().filter(member=member).values("group"))


class Group(models.Model):
    """What people belong to, with the policy they are told before they join (OPS-01)."""

    class Kind(models.TextChoices):
        TWELVE_STEP = "12-step", _("12-step")
        RECOVERY_SUPPORT = "support", _("recovery support")
        INFORMAL = "informal", _("informal")
        SKILLS = "skills", _("skills")

    class Audience(models.TextChoices):
        ANYONE = "anyone", _("anyone, family and friends too")
        IN_RECOVERY = "in-recovery", _("people in or seeking recovery")
        MEN = "men", _("men")
        WOMEN = "women", _("women")
        LGBTQ = "lgbtq", _("LGBTQ people")
        YOUNG = "young", _("young people")
        FAMILY = "family", _("family and friends")

    class Enrolment(models.TextChoices):
        OPEN = "open", _("open: join and come")
        BY_REQUEST = "request", _("by request: a counselor answers")
        CLOSED = "closed", _("closed: by invitation")

    class Mode(models.TextChoices):
        IN_PERSON = "in-person", _("in person")
        ONLINE = "online", _("online")
        HYBRID = "hybrid", _("in person and online")

    class CrossTalk(models.TextChoices):
        NO = "no", _("no cross-talk: we listen and do not answer shares")
        AFTER_CHECK_IN = "after-check-in", _("cross-talk after the check-in round")
        YES = "yes", _("cross-talk is welcome")

    name = models.CharField(_("name"), max_length=255)
    slug = models.SlugField(_("address"), max_length=64, unique=True)
    description = models.TextField(_("what to expect"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.RECOVERY_SUPPORT)
    audience = models.CharField(_("for"), max_length=12, choices=Audience.choices, default=Audience.IN_RECOVERY)
    enrolment = models.CharField(_("joining"), max_length=8, choices=Enrolment.choices, default=Enrolment.OPEN)
    mode = models.CharField(_("where"), max_length=10, choices=Mode.choices, default=Mode.IN_PERSON)
    capacity = models.PositiveSmallIntegerField(
        _("places"), default=default_capacity, validators=[MinValueValidator(2), MaxValueValidator(200)]
    )
    cross_talk = models.CharField(_("cross-talk"), max_length=15, choices=CrossTalk.choices, default=CrossTalk.NO)
    share_minutes = models.PositiveSmallIntegerField(_("minutes for each share"), default=4)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(
        _("time zone"), max_length=40, default=default_time_zone, validators=[validate_time_zone]
    )
    rotates_topics = models.BooleanField(
        _("topics in turn"),
        default=False,
        db_default=False,
        help_text=_("Dates without a topic get the one that was not taken up for longest."),
    )
    gives_attendance_letters = models.BooleanField(_("gives attendance letters"), default=False)
    letter_label = models.CharField(
        _("what letters call the meetings"),
        max_length=60,
        blank=True,
        db_default="",
        validators=[validate_neutral],
        help_text=_("Words that tell a stranger nothing, such as: Weekly community meeting."),
    )
    area = models.CharField(_("area, shown to everybody"), max_length=120, blank=True)
    place = models.CharField(_("place"), max_length=200, blank=True)
    room = models.ForeignKey(
        Room,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="groups",
        verbose_name=_("room"),
        help_text=_("Two groups are never planned into one room at once. Without a room nothing is checked."),
    )
    address = models.CharField(_("address"), max_length=300, blank=True)
    is_address_public = models.BooleanField(
        _("show place and address to everybody"),
        default=False,
        help_text=_(
            "Otherwise only people with a place see them. Other sites list a group that meets in a room "
            "as active only if its address is public."
        ),
    )
    place_notes = models.TextField(_("how to get in"), blank=True)
    link = models.URLField(_("meeting link, shown to those with a place"), max_length=500, blank=True)
    is_wheelchair_accessible = models.BooleanField(_("wheelchair access"), default=False)
    access_notes = models.TextField(
        _("about access"), blank=True, help_text=_("Step-free ways in, toilets, hearing, parking, children.")
    )
    feed_slug = models.CharField(  # noqa: DJ001  (null: made by hand; unique only among those of a feed)
        max_length=64, unique=True, null=True, editable=False
    )
    feed_hash = models.CharField(max_length=64, blank=True, editable=False)
    is_listed = models.BooleanField(_("listed for everybody"), default=True)
    members = models.ManyToManyField(Member, through="Membership", related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    search_text = models.GeneratedField(
        expression=PlainWords(
            Concat("name", Value(" "), "area", Value(" "), "description", output_field=models.TextField())
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = GroupQuerySet.as_manager()

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="group_has_places", condition=Q(capacity__gte=1)),
            models.CheckConstraint(name="group_has_a_name", condition=~Q(name="")),
        ]
        indexes = [
            GinIndex(SearchVector("search_text", config="simple"), name="group_by_words"),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("groups:group_detail", args=[self.slug])

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def public_address(self) -> str:
        """`Community house, 12 Mill Street`, if everybody may know; else nothing."""
        if not self.is_address_public or self.mode == Group.Mode.ONLINE:
            return ""
        return ", ".join(filter(None, [self.place, self.address]))

    def sequence(self, minutes: int) -> list["Phase"]:
        """The parts of its meetings in order: its own, else the usual ones for a meeting of so many minutes."""
        return list(self.phases.all()) or Phase.usual(minutes)


class FacilitatorQuerySet(models.QuerySet):
    def visible_to(self, staff: Member):
        return self.filter(group__in=Group.objects.visible_to(staff))

    def leading(self):
        """Those who lead for good, the lead before co-facilitators."""
        return self.exclude(role=Facilitator.Role.SUBSTITUTE).order_by("-role", "pk")

    def credential_of(self, member: Member, group: Group) -> str:
        """As they last signed here, or else in another group; nothing if they never said."""
        said = self.filter(member=member).exclude(credential="")
        here_first = models.Case(models.When(group=group, then=0), default=1)
        return said.order_by(here_first, "-pk").values_list("credential", flat=True).first() or ""


class Facilitator(models.Model):
    class Role(models.TextChoices):
        LEAD = "lead", _("lead")
        CO = "co", _("co-facilitator")
        SUBSTITUTE = "substitute", _("substitute")

    group = models.ForeignKey(Group, models.CASCADE, related_name="facilitators", verbose_name=_("group"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="facilitates", verbose_name=_("counselor"))
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.LEAD)
    credential = models.CharField(
        _("credential"),
        max_length=80,
        blank=True,
        db_default="",
        help_text=_("As it stands under session logs and letters, such as: certified peer specialist."),
    )

    objects = FacilitatorQuerySet.as_manager()

    class Meta:
        verbose_name = _("facilitator")
        verbose_name_plural = _("facilitators")
        constraints = [models.UniqueConstraint(name="facilitator_once_per_group", fields=["group", "member"])]

    def __str__(self):
        return f"{self.member.code} ({self.get_role_display()})"

    @property
    def first_name(self) -> str:
        """As much of the name as everybody may see."""
        return self.member.display_name.split(maxsplit=1)[0]


class MembershipQuerySet(models.QuerySet):
    def active(self):
        return self.filter(status=Membership.Status.ACTIVE)

    def requested(self):
        return self.filter(status=Membership.Status.REQUESTED)

    def visible_to(self, staff: Member):
        return self.filter(group__in=Group.objects.visible_to(staff)) if not staff.is_superuser else self.none()


class Membership(models.Model):
    """A member in a group. One row per pair for good: leaving and coming back change its status."""

    class Status(models.TextChoices):
        REQUESTED = "requested", _("asked to join")
        ACTIVE = "active", _("member")
        LEFT = "left", _("left")
        REMOVED = "removed", _("removed")

    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships", verbose_name=_("group"))
    member = models.ForeignKey(Member, models.CASCADE, related_name="memberships", verbose_name=_("member"))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices)
    standing_rsvp = models.BooleanField(_("comes every week"), default=False)
    standing_since = models.DateTimeField(null=True, editable=False, help_text="who asked first has the place first")
    is_muted = models.BooleanField(_("no reminders from this group"), default=False)
    requested_at = models.DateTimeField(_("asked"), default=timezone.now)
    joined_at = models.DateTimeField(_("joined"), null=True, blank=True)
    decided_at = models.DateTimeField(
        null=True, editable=False, help_text="when a counselor answered the request; null: not yet, or none needed"
    )
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    removed_at = models.DateTimeField(
        _("removed"), null=True, editable=False, help_text="kept until a counselor lets them in again"
    )
    removal_reason = models.CharField(
        _("reason for removing, for staff only"), max_length=200, blank=True, db_default="", editable=False
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(name="membership_once_per_group", fields=["group", "member"]),
            models.CheckConstraint(
                name="membership_active_has_joined", condition=~Q(status="active") | Q(joined_at__isnull=False)
            ),
            models.CheckConstraint(
                name="membership_standing_has_since", condition=Q(standing_rsvp=False) | Q(standing_since__isnull=False)
            ),
        ]

    def __str__(self):
        return f"{self.member.code} · {self.group.name}"

    @property
    def latest_step(self) -> tuple[datetime, str]:
        """When it came to stand as it does, and the words for that day: `asked on %(day)s`."""
        if self.status == Membership.Status.REQUESTED:
            return self.requested_at, gettext("asked on %(day)s")
        if self.status == Membership.Status.ACTIVE:
            return self.joined_at or self.requested_at, gettext("joined on %(day)s")
        if self.status == Membership.Status.LEFT:
            return self.left_at or self.requested_at, gettext("left on %(day)s")
        return self.removed_at or self.decided_at or self.requested_at, gettext("removed on %(day)s")

    @property
    def was_declined(self) -> bool:
        """Whether they asked and a counselor said no; asking again makes it a new request."""
        return self.status == Membership.Status.REMOVED and self.decided_at is not None


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def visible_to(self, staff: Member):
        """Those of the groups this person works with, and the house rules that other groups go by."""
        return self.filter(Q(group=None) | Q(group__in=Group.objects.visible_to(staff)))

    def current_for(self, group: Group) -> "Agreement | None":
        """The newest version of the group's own rules, or of the house rules if it has none; its language first."""
        in_language = models.Case(models.When(language=group.language, then=0), default=1)
        return (
            self.filter(Q(group=group) | Q(group=None))
            .order_by(models.F("group").asc(nulls_last=True), in_language, "-version")
            .first()
        )

    def current_for_each(self, groups: "Collection[Group]") -> "dict[int, Agreement]":
        """The same for many groups in one query, by group; without the texts."""
        found: list[Agreement] = list(
            Agreement.objects.filter(Q(group__in=groups) | Q(group=None)).defer("text").order_by("pk")
        )
        by_group: dict[int | None, list[Agreement]] = defaultdict(list)
        for agreement in found:
            by_group[agreement.group_id].append(agreement)
        current = {}
        for group in groups:
            rules = by_group.get(group.pk) or by_group.get(None)
            if rules:
                in_language = [one for one in rules if one.language == group.language]
                current[group.pk] = max(in_language or rules, key=attrgetter("version"))
        return current


class Agreement(models.Model):
    """A version of the ground rules of a group, or of the house (no group). Never edited: a change is a new version."""

    group = models.ForeignKey(
        Group, models.CASCADE, null=True, blank=True, related_name="agreements", verbose_name=_("group")
    )
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="en")
    text = models.TextField(_("text"))
    published_at = models.DateTimeField(_("published"), default=timezone.now)
    reviewed_by = models.CharField(
        _("reviewed by"), max_length=120, blank=True, help_text=_("Who read this text as a lawyer or translator.")
    )
    reviewed_on = models.DateField(_("reviewed on"), null=True, blank=True)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        constraints = [
            models.UniqueConstraint(
                name="agreement_version_once", fields=["group", "version", "language"], nulls_distinct=False
            )
        ]

    def __str__(self):
        return _("version %(version)s") % {"version": self.version}


class Acceptance(models.Model):
    """Who accepted which version of an agreement, and when; the version says in which language."""

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="acceptances")
    member = models.ForeignKey(Member, models.CASCADE, related_name="acceptances")
    accepted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(name="acceptance_once", fields=["agreement", "member"])]

    def __str__(self):
        return f"{self.member_id} {self.agreement_id}"


# Invitations and what meetings are made of stand in modules of their own. Django looks for models here.
from .invitation_models import Invitation  # noqa: E402, F401  (it needs the models above)
from .topic_models import LAST, Phase, Topic, TopicRule  # noqa: E402, F401  (they need the models above)
