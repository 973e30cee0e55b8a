"""The code by which members say themselves, in the room, that they are here."""

import secrets
from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from members.models import CODE_LETTERS

OPENS_BEFORE = timedelta(minutes=30)


def new_room_code() -> str:
    """Six letters and digits that nobody takes for one another."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(6))


class CheckInCodeQuerySet(models.QuerySet):
    def usable(self):
        """From half an hour before the meeting until its end, while it is not off."""
        return self.filter(
            meeting__status__in=["scheduled", "held"],
            meeting__starts_at__lte=Now() + OPENS_BEFORE,
            meeting__ends_at__gt=Now(),
        )

    def over(self):
        return self.filter(meeting__ends_at__lte=Now())


class CheckInCode(models.Model):
    """That members of a group may check in themselves at one meeting; with the row gone, they may not."""

    meeting = models.OneToOneField("meetings.Meeting", models.CASCADE, primary_key=True, related_name="check_in_code")
    code = models.CharField(max_length=6, unique=True, default=new_room_code)

    objects = CheckInCodeQuerySet.as_manager()

    def __str__(self):
        return f"{self.meeting_id}"
