"""A group's time zone is one that Python and PostgreSQL both know."""

from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection

from members import time_zones
from members.time_zones import validate_time_zone
from tests import make


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Madrid", "UTC", "Etc/GMT+5", "US/Pacific"])
def test_names_of_the_iana_database_are_time_zones(zone):
    validate_time_zone(zone)


@pytest.mark.parametrize(
    "zone", ["localtime", "Factory", "posix/UTC", "right/UTC", "posixrules", "Mars/Base", "", "\0"]
)
def test_what_only_looks_like_one_is_refused(zone):
    with pytest.raises(ValidationError, match="is not a time zone"):
        validate_time_zone(zone)


def test_file_that_cannot_be_loaded_is_no_time_zone(monkeypatch):
    monkeypatch.setattr(time_zones, "_known", lambda: {"Broken/Zone"})

    assert not time_zones.is_time_zone("Broken/Zone")


def test_every_time_zone_is_one_to_postgresql(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        known = {name for (name,) in cursor.fetchall()}

    assert {zone for zone in time_zones._known() if zone not in known} == set()


def zone_of_request(client, cookie=""):
    if cookie:
        client.cookies[settings.ZONE_COOKIE_NAME] = cookie
    return client.get("/help/").wsgi_request.zone


def test_times_are_shown_in_the_zone_of_the_device(client, db):
    assert zone_of_request(client) is None
    assert zone_of_request(client, "Asia/Tokyo") == ZoneInfo("Asia/Tokyo")
    assert zone_of_request(client, "Not/A_Zone") is None
    assert zone_of_request(client, "../etc/passwd") is None


def test_times_are_shown_in_the_zone_a_member_chose(sign_in, db):
    client = sign_in(make.member("Kim", time_zone="America/Denver"))

    assert zone_of_request(client, "Asia/Tokyo") == ZoneInfo("America/Denver")
