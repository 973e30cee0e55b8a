"""What those who run a group write to its people."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from groups.models import Group
from members.models import Member
from outbox.models import Email

from .models import Meeting

MESSAGE = "message"  # its kind of mail


class GroupMessageQuerySet(models.QuerySet):
    def done_with(self):
        """Those whose text nobody needs any more: no mail of theirs waits, or it would help nobody."""
        waits = Email.objects.waiting().filter(kind=MESSAGE, about_id=OuterRef("pk"))
        return self.exclude(text="").filter(~Exists(waits) | Q(expires_at__lte=timezone.now()))

    def of_the_last_hour(self):
        return self.filter(sent_at__gt=timezone.now() - timedelta(hours=1))


class GroupMessage(models.Model):
    """That something was written, to whom and by whom. The text goes as soon as no mail needs it any more."""

    class Audience(models.TextChoices):
        GOING = "going", _("those with a place")
        WAITING = "waiting", _("those on the waiting list")
        COMING = "coming", _("all of them: with a place and waiting")
        MEMBERS = "members", _("everybody in the group")

    OF_A_MEETING = (Audience.GOING, Audience.WAITING, Audience.COMING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, models.CASCADE, related_name="messages")
    meeting = models.ForeignKey(Meeting, models.CASCADE, null=True, related_name="messages")
    audience = models.CharField(max_length=8, choices=Audience.choices)
    text = models.TextField(blank=True, help_text="empty once every mail has left or come too late")
    sent_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    sent_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    told = models.PositiveIntegerField(help_text="how many got a mail")
    without_mail = models.PositiveIntegerField(help_text="how many have none that works")
    said_no = models.PositiveIntegerField(help_text="how many want no such mail")

    objects = GroupMessageQuerySet.as_manager()

    class Meta:
        ordering = ["-sent_at"]
        constraints = [
            models.CheckConstraint(
                name="message_is_to_a_meeting_or_a_group",
                condition=Q(meeting=None, audience="members") | Q(meeting__isnull=False) & ~Q(audience="members"),
            ),
        ]

    def __str__(self):
        return str(self.pk)

    @property
    def sent_local(self) -> datetime:
        return self.sent_at.astimezone(self.meeting.zone if self.meeting else self.group.zone)
