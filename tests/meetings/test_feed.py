"""Rows of a meeting feed as they really come: each is understood, or left out with a line that says why."""

import io
import json
import sys
from datetime import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from groups.models import Group
from meetings import feed
from meetings.feed import FeedError, RowError, parse, parse_row, plain_text

ZONE = "America/Los_Angeles"


def row(**fields):
    """A plain weekly meeting in a room, Monday at half past six."""
    return {
        "name": "Morning light",
        "slug": "morning-light",
        "day": 1,
        "time": "18:30",
        "end_time": "20:00",
        "timezone": ZONE,
        "formatted_address": "12 Hidden Lane, Riverside, CA 95000, USA",
    } | fields


def test_row_is_read_in_our_words():
    parsed = parse_row(
        row(
            types=["W", "O", "X", "XT", "POA", "S"],
            location="Community house",
            region="Riverside",
            sub_region="Old town",
            notes="Bring a friend.",
            location_notes="Door on the left",
        )
    )

    assert parsed == feed.FeedRow(
        number=1,
        slug="morning-light",
        name="Morning light",
        weekdays=(0,),
        start_time=time(18, 30),
        minutes=90,
        time_zone=ZONE,
        mode="in-person",
        audience="women",
        language="es",
        is_cross_talk_welcome=True,
        gives_attendance_letters=True,
        is_wheelchair_accessible=True,
        is_place_closed=False,
        description="Bring a friend.",
        area="Old town, Riverside",
        place="Community house",
        address="12 Hidden Lane, Riverside, CA 95000, USA",
        place_notes="Door on the left",
        link="",
    )


# --- When -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "weekdays"), [(0, (6,)), (1, (0,)), (6, (5,)), ("3", (2,)), ([2, 4], (1, 3)), ([0, 1, 0], (0, 6))]
)
def test_week_begins_on_sunday_in_a_feed_and_on_monday_here(day, weekdays):
    assert parse_row(row(day=day)).weekdays == weekdays


@pytest.mark.parametrize("day", [7, -1, True, 1.5, float("nan"), "Monday", [1, None], [[1]], {"day": 1}, 10**30])
def test_wrong_day_is_refused(day):
    with pytest.raises(RowError, match=r"is not one from 0 \(Sunday\) to 6 \(Saturday\)"):
        parse_row(row(day=day))


@pytest.mark.parametrize("day", [None, "", []])
def test_meeting_by_appointment_is_refused(day):
    with pytest.raises(RowError, match="it has no day: only weekly meetings"):
        parse_row(row(day=day))


@pytest.mark.parametrize("wrong", ["25:00", "18:60", "half six", "1830", "18:30:00", "١٨:٣٠", 1830, [18, 30], True])
def test_wrong_time_is_refused(wrong):
    with pytest.raises(RowError, match="is not a time such as 18:30"):
        parse_row(row(time=wrong))


def test_missing_time_is_refused():
    with pytest.raises(RowError, match="it has no time"):
        parse_row(row(time=""))


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("18:30", "20:00", 90),
        ("7:00", "8:00", 60),
        ("23:00", "00:30", 90),
        ("23:00", "00:00", 60),
        ("20:00", "02:00", 360),
        ("09:00", "17:00", 480),
        ("18:30", None, 60),
        ("18:30", "", 60),
    ],
)
def test_minutes_follow_the_clock_past_midnight_too(start, end, minutes):
    parsed = parse_row(row(time=start, end_time=end))

    assert (parsed.minutes, parsed.notes) == (minutes, ())


@pytest.mark.parametrize(
    ("start", "end"),
    [("19:15", "08:15"), ("19:30", "19:30"), ("20:00", "02:01"), ("06:00", "18:01"), ("18:30", "18:31")],
)
def test_end_that_cannot_be_right_becomes_an_hour_with_a_note(start, end):
    parsed = parse_row(row(time=start, end_time=end))

    assert parsed.minutes == 60
    assert parsed.notes == (f"from {start} to {end} cannot be right: taken as 60 minutes",)


@pytest.mark.parametrize("end", ["24:00", "late", 20, ["20:00"]])
def test_end_that_is_no_time_becomes_an_hour_with_a_note(end):
    parsed = parse_row(row(end_time=end))

    assert parsed.minutes == 60
    assert parsed.notes == (f"end_time {end!r} is not a time: taken as 60 minutes",)


def test_zone_of_the_row_comes_before_the_one_given():
    assert parse_row(row(timezone="Europe/Madrid"), time_zone=ZONE).time_zone == "Europe/Madrid"
    assert parse_row(row(timezone=None), time_zone=ZONE).time_zone == ZONE


NO_ZONES = ["Mars/Base", "america/los_angeles", "../etc/passwd", "PST8", "UTC\0"]
NO_ZONES += ["localtime", "Factory", "posix/UTC", "right/UTC", "posixrules", "America"]


@pytest.mark.parametrize("zone", [*NO_ZONES, 5, ["UTC"]])
def test_wrong_zone_is_refused(zone):
    with pytest.raises(RowError, match="is not a time zone such as America/New_York"):
        parse_row(row(timezone=zone), time_zone=ZONE)


def test_missing_zone_says_how_to_give_one():
    with pytest.raises(RowError, match="it names no time zone: pass one with --time-zone"):
        parse_row(row(timezone=""))


# --- Where ------------------------------------------------------------------------------------------------------------

HERE, ROUGHLY, LINK = "12 Hidden Lane, Riverside, CA 95000, USA", "Riverside, CA, USA", "https://meet.example.org/a"


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({"formatted_address": HERE}, "in-person"),
        ({"formatted_address": HERE, "conference_url": LINK}, "hybrid"),
        ({"formatted_address": ROUGHLY, "conference_url": LINK}, "online"),
        ({"formatted_address": HERE, "conference_url": LINK, "approximate": "yes"}, "online"),
        ({"formatted_address": ROUGHLY, "conference_url": LINK, "approximate": "no"}, "hybrid"),
        ({"formatted_address": ROUGHLY, "conference_phone": "+12125550123"}, "online"),
        ({"formatted_address": None, "address": "12 Hidden Lane", "city": "Riverside"}, "in-person"),
        ({"formatted_address": None, "conference_url": LINK}, "online"),
    ],
)
def test_mode_follows_place_and_link(fields, mode):
    assert parse_row(row(**fields)).mode == mode


def test_row_with_neither_place_nor_link_is_noted():
    assert parse_row(row(formatted_address=ROUGHLY)).notes == ("it has neither an address one can go to nor a link",)


def test_address_in_pieces_is_put_together():
    pieces = {"address": "12 Hidden Lane", "city": "Riverside", "state": "CA", "postal_code": 95000, "country": "USA"}

    parsed = parse_row(row(formatted_address=None, **pieces))

    assert (parsed.address, parsed.area) == (HERE, "Riverside")


@pytest.mark.parametrize(
    ("fields", "area"),
    [
        ({}, ""),
        ({"city": "Riverside"}, "Riverside"),
        ({"region": "Riverside", "city": "Elsewhere"}, "Riverside"),
        ({"region": "Riverside", "sub_region": "Old town"}, "Old town, Riverside"),
        ({"regions": ["County", "Riverside", "Old town"]}, "Old town, Riverside, County"),
        ({"region": "Riverside", "sub_region": "Riverside"}, "Riverside"),
    ],
)
def test_area_for_everybody_never_comes_from_the_address(fields, area):
    assert parse_row(row(**fields)).area == area


@pytest.mark.parametrize("link", ["javascript:alert(1)", "zoom", "https://", "ftp://example.org/", "http://[::1"])
def test_link_that_is_not_a_web_address_is_refused(link):
    with pytest.raises(RowError, match="is not a web address"):
        parse_row(row(conference_url=link))


# --- What the codes say -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "audience"),
    [
        (["M", "O"], "men"),
        (["W", "C"], "women"),
        (["LGBTQ"], "lgbtq"),
        (["G", "O"], "lgbtq"),
        (["L"], "lgbtq"),
        (["Y", "O"], "young"),
        (["C"], "in-recovery"),
        (["O"], "anyone"),
        (["M", "W", "O"], "anyone"),
        ([], "in-recovery"),
        (None, "in-recovery"),
    ],
)
def test_codes_say_for_whom(types, audience):
    assert parse_row(row(types=types)).audience == audience


def test_our_words_are_those_of_a_group():
    audiences = {audience for audience, _codes in feed.AUDIENCES}

    assert audiences <= set(Group.Audience.values)
    assert {parse_row(row(conference_url=link)).mode for link in ("", LINK)} <= set(Group.Mode.values)


def test_every_code_of_the_format_is_known():
    assert len(feed.TYPE_CODES) == 87 + 5
    assert parse_row(row(types=sorted(feed.TYPE_CODES))).notes == ()


def test_unknown_codes_are_noted_and_the_row_lands():
    assert parse_row(row(types=["O", "ZOOM", "BEACH"])).notes == ("unknown type codes: 'BEACH', 'ZOOM'",)


@pytest.mark.parametrize("types", ["O,D", {"O": 1}, [["O"]], [None], 7])
def test_types_that_are_no_list_of_codes_are_refused(types):
    with pytest.raises(RowError, match="types is not a list of codes"):
        parse_row(row(types=types))


# --- Text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("Steps &amp; Traditions", "Steps & Traditions"),
        ("Women&#8217;s Step", "Women’s Step"),
        ("<p>One<br/>Two</p><p>Three</p>", "One\nTwo\n\nThree"),
        ("&lt;b&gt;Bold&lt;/b&gt;", "Bold"),
        ("We <3 you, 5 < 6 and 7 > 3", "We <3 you, 5 < 6 and 7 > 3"),
        ("a\tb \xa0 c\r\nd\n\n\n\ne", "a b c\nd\n\ne"),
        ("bell\x07 and half \ud83d of a pair", "bell and half of a pair"),
        ('<a href="https://example.org">Here</a>', "Here"),
    ],
)
def test_text_is_plain(raw, plain):
    assert plain_text(raw) == plain


def test_name_is_one_plain_line():
    assert parse_row(row(name=" <b>Steps</b>\n&amp; Traditions ")).name == "Steps & Traditions"


@pytest.mark.parametrize("name", [None, "", "  ", "<br>"])
def test_missing_name_is_refused(name):
    with pytest.raises(RowError, match="it has no name"):
        parse_row(row(name=name))


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("slug", None, "it has no slug"),
        ("slug", "x" * 65, "its slug is longer than 64 characters"),
        ("slug", "two words", "its slug 'two words' is not one word of letters, digits and hyphens"),
        ("slug", "nul\0", "its slug 'nul\\x00' is not one word of letters, digits and hyphens"),
        ("slug", {"a": 1}, "its slug {'a': 1} is neither text nor a number"),
        ("slug", True, "its slug True is neither text nor a number"),
        ("name", "x" * 256, "name is longer than 255 characters"),
        ("name", "a\0b", "name holds a NUL character"),
        ("name", ["a"], "name is not text"),
        ("notes", {"text": "a"}, "notes is not text"),
        ("notes", "x" * 20_001, "notes is longer than 20000 characters"),
        ("location", 1.5, "location is not text"),
        ("regions", ["a", ["b"]], "regions is not text"),
        ("formatted_address", "x" * 301, "formatted_address is longer than 300 characters"),
        ("conference_url", "https://example.org/" + "x" * 500, "conference_url is longer than 500 characters"),
    ],
)
def test_field_that_cannot_be_kept_says_which_and_why(field, value, why):
    with pytest.raises(RowError) as refused:
        parse_row(row(**{field: value}))

    assert str(refused.value) == why


def test_long_notes_and_place_are_cut_with_a_note():
    parsed = parse_row(row(notes="x" * 5000, location="y" * 300))

    assert (len(parsed.description), len(parsed.place)) == (4000, 200)
    assert parsed.notes == ("notes was cut to 4000 characters", "location was cut to 200 characters")


def test_slug_may_be_a_number():
    assert parse_row(row(slug=17)).slug == "17"


# --- The whole feed ---------------------------------------------------------------------------------------------------


def test_each_row_left_out_has_a_line_and_the_others_land():
    rows = [
        row(),
        "not a row",
        row(slug="no-day", day=None),
        row(slug=None),
        row(name="Again"),
        row(slug="evening"),
        row(slug=["evil\x1b[2J"]),
    ]

    read = parse(rows)

    assert [(one.label, one.name) for one in read.rows] == [
        ("row 1 (morning-light)", "Morning light"),
        ("row 6 (evening)", "Morning light"),
    ]
    assert read.skipped == [
        "row 2: it is not an object with fields",
        "row 3 (no-day): it has no day: only weekly meetings can be taken over",
        "row 4: it has no slug",
        "row 5 (morning-light): row 1 has the same slug",
        "row 7: its slug ['evil\\x1b[2J'] is neither text nor a number",
    ]
    assert read.slugs == {"morning-light", "no-day", "evening"}


def test_good_row_counts_even_after_a_bad_one_with_its_slug():
    read = parse([row(time="never"), row(name="Good")])

    assert [one.name for one in read.rows] == ["Good"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=8,
)
FIELDS = """
slug name day time end_time timezone types notes group_notes location location_notes formatted_address address city
state postal_code country region sub_region regions conference_url conference_url_notes conference_phone
conference_phone_notes approximate
"""
nearly = {
    "day": st.integers(-1, 7) | st.lists(st.integers(-1, 7)),
    "time": st.from_regex(r"[0-9]{1,2}:[0-9]{2}", fullmatch=True),
    "end_time": st.from_regex(r"[0-9]{1,2}:[0-9]{2}", fullmatch=True),
    "timezone": st.sampled_from([ZONE, "UTC", "Nowhere"]),
    "types": st.lists(st.sampled_from(["O", "TC", "S", "?"])),
    "conference_url": st.text().map("https://example.org/{}".format) | st.text().map("http://{}".format),
}
rows_like_ours = st.fixed_dictionaries(
    {}, optional={name: nearly.get(name, st.text()) | json_values for name in FIELDS.split()}
).map(lambda some: row() | some)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(rows_like_ours | json_values, max_size=4))
@example([row(name="\ud800", notes="&#0;&#xD800;&#x1b;")])
@example([row(conference_url="http://[")])
def test_whatever_the_rows_hold_nothing_is_raised_and_each_is_accounted_for(rows):
    read = parse(rows)

    assert len(read.rows) + len(read.skipped) == len(rows)
    for parsed in read.rows:
        assert parsed.weekdays
        assert 5 <= parsed.minutes <= 720
        for text in (parsed.name, parsed.description, parsed.area, parsed.place, parsed.address, parsed.link):
            assert "\0" not in text.encode().decode()
    for line in read.skipped:
        assert line.encode().decode().isprintable()


# --- The file ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path):
    """A file with these bytes; its path."""

    def written(raw: bytes) -> str:
        path = tmp_path / "feed.json"
        path.write_bytes(raw)
        return str(path)

    return written


def why(path: str) -> str:
    with pytest.raises(FeedError) as refused:
        feed.read(path)
    assert "\n" not in str(refused.value)
    return str(refused.value).replace(path, "feed.json")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "feed.json is not JSON: Expecting value: line 1 column 1 (char 0)."),
        (b"<html>", "feed.json is not JSON: Expecting value: line 1 column 1 (char 0)."),
        (b"[{},", "feed.json is not JSON: Expecting value: line 1 column 5 (char 4)."),
        (b'{"meetings": []}', "feed.json is not a feed: a feed is a JSON array of meetings."),
        (b"null", "feed.json is not a feed: a feed is a JSON array of meetings."),
        (b"[" * 200_000, "feed.json is not a feed: it is nested too deeply."),
        (b"[" + b"0," * 100_000 + b"0]", "feed.json has 100001 rows; 100000 is the most a feed may have."),
    ],
)
def test_file_that_is_no_feed_says_so_in_one_line(written, raw, reason):
    assert why(written(raw)) == reason


def test_endless_number_spoils_only_its_row(written):
    raw = json.dumps([row(), row(slug="two", day=22222), row(slug=33333), row(slug="four", name=44444)])
    for digit in "234":
        raw = raw.replace(digit * 5, digit * 5000)

    read = feed.parse(feed.read(written(raw.encode())))

    assert [one.slug for one in read.rows] == ["morning-light"]
    assert [line.partition(":")[0] for line in read.skipped] == ["row 2 (two)", "row 3", "row 4 (four)"]


def test_letter_in_another_encoding_spoils_only_its_word_and_is_noted(written):
    rows = [row(), row(slug="two", name="Caf\u00e9"), row(slug="caf\u00e9")]

    read = feed.parse(feed.read(written(json.dumps(rows, ensure_ascii=False).encode("latin-1"))))

    assert [(one.name, one.notes) for one in read.rows] == [
        ("Morning light", ()),
        ("Caf\ufffd", ("some letters could not be read and are now \ufffd: is the file written in UTF-8?",)),
    ]
    assert read.skipped == ["row 3: its slug 'caf\ufffd' is not one word of letters, digits and hyphens"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_feed_may_be_written_in_any_unicode(written, encoding):
    raw = json.dumps([row(name="Caf\u00e9 \u65e9\u5b89")], ensure_ascii=False).encode(encoding)

    assert feed.read(written(raw)) == [row(name="Caf\u00e9 \u65e9\u5b89")]


def test_file_that_would_fill_the_memory_is_refused_before_it_is_taken_apart(written):
    raw = b"[" + b"{}," * 1_000_000 + b"{}]"

    assert why(written(raw)) == "feed.json holds more than 1000000 objects and lists, the most a feed may hold."


def test_name_has_nothing_invisible_in_it():
    """Characters without width, soft hyphens, and those that turn the direction of writing."""
    parsed = parse_row(row(name="Mor\u200bning\u00ad \u202elight\u2066&#8203;\ufeff", notes="a\u200db<\u200bi>c"))

    assert (parsed.name, parsed.description) == ("Morning light", "abc")
    with pytest.raises(RowError, match="it has no name"):
        parse_row(row(name="\u200b\u202e"))


def test_file_too_large_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "feed.json"
    with path.open("wb") as file:
        file.truncate(100 * 1024**2)  # a hole: takes no room

    assert why(str(path)) == "feed.json is larger than 20 MB, the most a feed may have."


def test_missing_file_and_directory_are_refused(tmp_path):
    assert why(str(tmp_path / "none.json")).endswith("cannot be read: No such file or directory.")
    assert why(str(tmp_path)).endswith("cannot be read: Is a directory.")


def test_feed_may_come_from_standard_input(monkeypatch):
    raw = b"\xef\xbb\xbf" + json.dumps([row()]).encode()  # with the mark some editors put first
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))

    assert feed.read("-") == [row()]
