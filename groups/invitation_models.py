"""Links that let one person into a group, once."""

import hashlib
import secrets
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models import CODE_LETTERS, Member

from .models import Group


class InvitationQuerySet(models.QuerySet):
    def visible_to(self, staff: Member):
        return self.filter(group__in=Group.objects.visible_to(staff)) if not staff.is_superuser else self.none()

    def unanswered(self):
        """Neither used nor taken back; their time may be over."""
        return self.filter(used_at=None, revoked_at=None)

    def usable(self):
        return self.unanswered().filter(expires_at__gt=timezone.now())

    def expired(self):
        return self.unanswered().filter(expires_at__lte=timezone.now())

    def used(self):
        return self.filter(used_at__isnull=False)

    def revoked(self):
        return self.filter(revoked_at__isnull=False)

    def of_token(self, token: str):
        return self.filter(token_hash=Invitation.hash_of(token))


class Invitation(models.Model):
    """A link that lets one person into a group, once, until it expires. Only the hash of the link is kept."""

    class State(models.TextChoices):
        USABLE = "usable", _("open")
        USED = "used", _("used")
        EXPIRED = "expired", _("expired")
        REVOKED = "revoked", _("taken back")

    group = models.ForeignKey(Group, models.CASCADE, related_name="invitations", verbose_name=_("group"))
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="+", editable=False, verbose_name=_("invited by")
    )
    invited_at = models.DateTimeField(_("invited"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"))
    used_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="+", editable=False, verbose_name=_("used by")
    )
    used_at = models.DateTimeField(_("used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("taken back"), null=True, blank=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    token = ""  # known for as long as it is being made, and kept nowhere

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-invited_at"]
        constraints = [
            models.CheckConstraint(
                name="invitation_ends_once", condition=Q(used_at__isnull=True) | Q(revoked_at__isnull=True)
            )
        ]

    def __str__(self):
        return f"{self.group_id} {self.pk}"

    @staticmethod
    def new_token() -> str:
        """Such as `7f3k2-p9wqa-4mmxe-t6hbz`: 99 bits by chance, and still to be typed from paper."""
        return "-".join("".join(secrets.choice(CODE_LETTERS.lower()) for _ in range(5)) for _ in range(4))

    @staticmethod
    def hash_of(token: str) -> str:
        return hashlib.sha256(token.lower().encode()).hexdigest()

    @property
    def state(self) -> State:
        if self.used_at:
            return self.State.USED
        if self.revoked_at:
            return self.State.REVOKED
        return self.State.USABLE if self.expires_at > timezone.now() else self.State.EXPIRED

    @property
    def last_moment(self) -> datetime:
        """By the clock of the group: its day is the last on which the link works."""
        return self.expires_at.astimezone(ZoneInfo(self.group.time_zone)) - timedelta(seconds=1)
