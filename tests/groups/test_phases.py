import pytest

from groups.phases import usual_sequence

PARTS = ["welcome", "introductions", "topic", "sharing", "questions", "closing"]


def test_usual_sequence_of_an_hour_and_a_half():
    assert usual_sequence(90) == [
        ("welcome", 5),
        ("introductions", 15),
        ("topic", 15),
        ("sharing", 30),
        ("questions", 10),
        ("closing", 15),
    ]


@pytest.mark.parametrize("minutes", [*range(5, 200), 720])
def test_usual_sequence_fills_any_meeting_exactly(minutes):
    parts = usual_sequence(minutes)

    assert sum(length for _part, length in parts) == minutes
    assert all(length > 0 for _part, length in parts)
    assert [part for part, _length in parts] == [part for part in PARTS if part in dict(parts)]


@pytest.mark.parametrize("minutes", [*range(20, 200)])
def test_no_part_is_left_out_of_a_meeting_of_twenty_minutes(minutes):
    assert [part for part, _length in usual_sequence(minutes)] == PARTS
