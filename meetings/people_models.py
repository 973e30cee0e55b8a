"""What staff note about people in their groups."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from groups.models import Group
from members.models import Member

from .models import Meeting


class OutreachQuerySet(models.QuerySet):
    def visible_to(self, staff: Member):
        if staff.is_superuser:  # who was missed is not for the operator
            return self.none()
        return self.filter(meeting__group__in=Group.objects.visible_to(staff))


class Outreach(models.Model):
    """That somebody who was missed was contacted: after which meeting, by whom, when. What was said is kept nowhere."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="outreach", verbose_name=_("missed last"))
    member = models.ForeignKey(Member, models.CASCADE, related_name="outreach", verbose_name=_("member"))
    contacted_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="+", verbose_name=_("contacted by")
    )
    contacted_at = models.DateTimeField(_("contacted"), default=timezone.now)

    objects = OutreachQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["-contacted_at"]
        constraints = [models.UniqueConstraint(name="outreach_once_per_miss", fields=["meeting", "member"])]

    def __str__(self):
        return f"{self.member.code} · {self.contacted_at:%Y-%m-%d}"


class LetFirst(models.Model):
    """That somebody on a waiting list was put before the others, and why. The reason is for staff only."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="let_first")
    member = models.ForeignKey(Member, models.CASCADE, related_name="let_first")
    let_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    let_at = models.DateTimeField(default=timezone.now)
    was_number = models.PositiveSmallIntegerField(help_text="their number on the list before")
    reason = models.CharField(_("reason"), max_length=200)

    class Meta:
        ordering = ["-let_at", "-pk"]
        constraints = [models.CheckConstraint(name="let_first_has_a_reason", condition=~models.Q(reason=""))]

    def __str__(self):
        return f"{self.member.code} · {self.let_at:%Y-%m-%d}"

    @property
    def let_local(self) -> datetime:
        return self.let_at.astimezone(self.meeting.zone)
