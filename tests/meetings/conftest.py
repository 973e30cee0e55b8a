from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from groups.models import Membership
from meetings.models import Meeting
from members.models import Consent
from members.services import give_consent
from tests import make


@pytest.fixture
def clock(request):
    """Stands still at `NOW` of the module, until the test moves it."""
    with time_machine.travel(request.module.NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def willow(cast, clock):
    """Willow, with a meeting tomorrow evening; Mia and Max want reminders, Mia has a place."""
    now = timezone.now()
    Meeting.objects.all().delete()
    Membership.objects.update(joined_at=now - timedelta(days=30))
    for member in (cast.mia, cast.max, cast.vera, cast.carol):
        give_consent(member, Consent.Kind.REMINDERS)
    cast.meeting = make.meeting(cast.willow, starts_at=now + timedelta(hours=30))
    make.participation(cast.meeting, cast.mia, rsvp_at=now - timedelta(days=5))
    return cast
