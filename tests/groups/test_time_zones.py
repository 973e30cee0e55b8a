"""A group's time zone is one that Python and PostgreSQL both know."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from groups import time_zones
from groups.models import validate_time_zone


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
