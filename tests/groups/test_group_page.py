import json
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from groups.models import Facilitator, Group, Membership, Phase
from members.models import Member
from tests import make


def page_of(group, client):
    return client.get(group.get_absolute_url()).content.decode()


def data_of(page):
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return json.loads(blocks[0]) if blocks else None


def test_page_says_who_runs_it_by_first_name_and_role_only(cast, client):
    carmen = make.member("Carmen Verylongsurname", role=Member.Role.COUNSELOR, email="carmen@example.org")
    Facilitator.objects.create(group=cast.willow, member=carmen, role=Facilitator.Role.CO)

    page = page_of(cast.willow, client)

    assert "Carmen" in page
    assert "co-facilitator" in page
    for hidden in ("Verylongsurname", "carmen@example.org", carmen.code):
        assert hidden not in page


def test_page_tells_what_happens_in_the_groups_own_order(cast, client):
    for position, kind in enumerate([Phase.Kind.SHARING, Phase.Kind.CLOSING], start=1):
        Phase.objects.create(group=cast.willow, position=position, kind=kind, minutes=40, about="By candle light.")

    page = page_of(cast.willow, client)

    assert page.index("Sharing round") < page.index("Closing")
    assert "about 40 minutes" in page
    assert "By candle light." in page
    assert "Questions and encouragement" not in page


def test_page_tells_the_usual_sequence_when_the_group_has_none(cast, client):
    page = page_of(cast.willow, client)

    assert "Welcome and ground rules" in page
    assert "about 30 minutes" in page


@pytest.mark.parametrize(
    ("review", "words"),
    [
        ({}, "Nobody has reviewed this text yet."),
        ({"reviewed_by": "A. Lawyer", "reviewed_on": "2026-05-04"}, "Reviewed by A. Lawyer on May 4, 2026."),
    ],
)
def test_page_says_who_reviewed_the_ground_rules(cast, client, review, words):
    make.agreement(cast.willow, language="es", text="Con respeto.", **review)

    page = page_of(cast.willow, client)

    assert words in page
    assert 'lang="es"><p>Con respeto.</p>' in page


def test_page_tells_neither_address_nor_link_nor_people(cast, client):
    make.participation(cast.willow_meeting, cast.max)

    page = page_of(cast.willow, client)

    assert "Riverside" in page
    for hidden in ("12 Hidden Lane", "Community house", "hidden-room", "Max", cast.max.code):
        assert hidden not in page


def test_page_says_cancelled_and_moved_dates_in_words(cast, client):
    make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9), status="cancelled")
    make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=16), changed_at=timezone.now())

    page = page_of(cast.willow, client)

    assert page.count(">Cancelled<") == 1
    assert page.count("This date has changed.") == 1


def test_page_tells_the_limits_of_what_stays_private(cast, client, sign_in):
    make.agreement(cast.willow)
    addresses = [cast.willow.get_absolute_url(), reverse("groups:first_time")]
    pages = [client.get(address).content.decode() for address in addresses]
    pages.append(sign_in(cast.vera).get(reverse("groups:group_join", args=["willow"])).content.decode())

    for page in pages:
        for limit in ("danger", "child", "court", "The law does not make them."):
            assert limit in page


def test_data_for_search_engines_is_what_a_visitor_reads(cast, client):
    off = make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=9), status="cancelled")

    first, second = data_of(page_of(cast.willow, client))["@graph"]

    assert first["eventStatus"] == "https://schema.org/EventScheduled"
    assert second["eventStatus"] == "https://schema.org/EventCancelled"
    assert second["url"] == settings.SITE_URL + off.get_absolute_url()
    assert first["location"] == {"@type": "Place", "name": "Riverside", "address": "Riverside"}
    assert first["eventAttendanceMode"] == "https://schema.org/OfflineEventAttendanceMode"


def test_data_for_search_engines_cannot_become_script(client, db):
    group = make.group(name="</script><script>alert(1)</script>")
    make.meeting(group)

    page = page_of(group, client)

    assert "<script>alert" not in page
    assert data_of(page)["@graph"][0]["name"] == group.name


def test_group_that_is_not_listed_tells_search_engines_nothing(cast, sign_in):
    assert data_of(page_of(cast.cedar, sign_in(cast.nora))) is None


@pytest.mark.parametrize("how_many", [3, 300])
def test_page_costs_the_same_whatever_there_is(cast, sign_in, how_many):
    client = sign_in(cast.mia)
    make.agreement(cast.willow)
    for number in range(how_many // 3):
        make.meeting(cast.willow, starts_at=timezone.now() + timedelta(days=3, minutes=number))
    for member in make.members(how_many):
        make.membership(cast.willow, member)

    with CaptureQueriesContext(connection) as queries:
        client.get(cast.willow.get_absolute_url())

    assert len(queries) == 12


def test_access_and_audience_are_told(client, db):
    group = make.group(is_wheelchair_accessible=True, access_notes="Ring twice.", audience=Group.Audience.WOMEN)

    page = page_of(group, client)

    assert "Ring twice." in page
    assert "women" in page


def test_every_week_button_shows_to_members_only(cast, sign_in):
    assert "I come every week" in page_of(cast.willow, sign_in(cast.mia))
    assert "I come every week" not in page_of(cast.willow, sign_in(cast.vera))
    assert Membership.objects.filter(standing_rsvp=True).count() == 0


def test_address_shows_to_everybody_only_where_the_group_says_so(client, cast):
    pages = [cast.willow.get_absolute_url(), cast.willow_meeting.get_absolute_url()]
    before = [client.get(page).content.decode() for page in pages]
    type(cast.willow).objects.filter(pk=cast.willow.pk).update(is_address_public=True)
    after = [client.get(page).content.decode() for page in pages]

    assert ["12 Hidden Lane" in page for page in before] == [False, False]
    assert ["12 Hidden Lane" in page for page in after] == [True, True]
    assert not any("hidden-room" in page for page in after)
