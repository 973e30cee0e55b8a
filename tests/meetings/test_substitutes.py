"""A substitute opens the pages of the one date they lead, from a day before until a day after, and nothing else."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from meetings import services
from meetings.models import Meeting
from tests import make


@pytest.fixture
def lent(cast):
    """Dan, who runs Cedar, leads one date of Willow."""
    cast.next = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9))
    cast.lent = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=4))
    make.participation(cast.lent, cast.mia)
    services.choose_substitute(cast.lent, cast.dan, by=cast.carol)
    return cast


PAGES = ["meetings:meeting_roster", "meetings:meeting_run"]


def statuses(client, meeting: Meeting) -> set[int]:
    return {client.get(reverse(name, args=[meeting.pk])).status_code for name in PAGES}


@pytest.mark.parametrize(
    ("hours", "found"), [(-25, {404}), (-23, {200}), (0, {200}), (25, {200}), (26, {404})], ids=lambda one: str(one)
)
def test_roster_opens_to_the_substitute_around_that_date(lent, sign_in, hours, found):
    with time_machine.travel(lent.lent.starts_at + timedelta(hours=hours), tick=False):
        assert statuses(sign_in(lent.dan), lent.lent) == found


def test_substitute_finds_nothing_else_of_the_group(lent, sign_in):
    lent.willow.is_listed = False
    lent.willow.save()
    with time_machine.travel(lent.lent.starts_at, tick=False):
        client = sign_in(lent.dan)

        assert client.get(lent.lent.get_absolute_url()).status_code == 200
        assert statuses(client, lent.next) == {404}
        assert client.get(reverse("meetings:meeting_log", args=[lent.lent.pk])).status_code == 404
        assert client.get(reverse("meetings:meeting_incidents", args=[lent.lent.pk])).status_code == 404
        assert client.get(lent.next.get_absolute_url()).status_code == 404
        assert client.get(f"/admin/meetings/meeting/{lent.lent.pk}/change/").status_code == 302
        assert client.get(f"/admin/groups/group/{lent.willow.pk}/schedule/").status_code == 404


def test_only_counselors_are_substitutes_whatever_the_row_says(lent, sign_in):
    """Somebody may have lost that role since."""
    with time_machine.travel(lent.lent.starts_at, tick=False):
        Meeting.objects.filter(pk=lent.lent.pk).update(substitute=lent.vera)

        assert statuses(sign_in(lent.vera), lent.lent) == {404}
        assert statuses(sign_in(lent.dan), lent.lent) == {404}


def test_choosing_twice_is_choosing_once_and_a_date_that_has_begun_keeps_who_leads(lent):
    assert services.choose_substitute(lent.lent, lent.dan, by=lent.carol) is False
    assert services.choose_substitute(lent.lent, None, by=lent.carol) is True
    begun = make.meeting(lent.willow, starts_at=timezone.now() - timedelta(minutes=5))
    assert services.choose_substitute(begun, lent.dan, by=lent.carol) is False
