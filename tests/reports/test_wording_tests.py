"""How many came with A and with B: counted right, said with care, and hidden where few people are behind it."""

import csv
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from meetings.models import Meeting, Participation
from outbox import kinds
from outbox.models import WordingPeriod
from reports import wording_tests
from reports.wording import compared
from reports.wording_tests import ENOUGH, FIGURES, value
from tests import make
from tests.lab.conftest import sent, tested, written  # noqa: F401

URL = reverse("reports:wording_tests")


def figures(counts) -> dict:
    return {figure.name: value(figure, counts) for figure in FIGURES}


def test_each_figure_counts_what_its_definition_says(cast, tested):  # noqa: F811
    period = tested(0, 0)
    now = timezone.now()
    held = make.meeting(cast.willow, starts_at=now - timedelta(days=2), status="held", capacity=50)
    coming, off = (make.meeting(cast.willow, status=status) for status in ("scheduled", "cancelled"))
    cases = [
        ("A", held, "going", "present"),
        ("A", held, "going", "late"),
        ("A", held, None, "left_early"),
        ("A", held, "going", "absent"),
        ("A", held, "going", "excused"),
        ("A", held, "declined", None),
        ("A", held, None, None),
        ("A", coming, "declined", None),
        ("A", off, "going", None),
        ("B", held, "going", "present"),
        ("B", held, "waitlisted", "absent"),
    ]
    for (variant, meeting, rsvp, attendance), person in zip(cases, make.members(len(cases)), strict=True):
        if rsvp or attendance:
            make.participation(meeting, person, rsvp=rsvp, attendance=attendance)
        sent(period, variant, person, meeting)
    somebody = make.members(1)[0]
    for meeting in (held, coming):
        make.participation(meeting, somebody, attendance="present" if meeting == held else None)
        sent(period, "B", somebody, meeting)
    not_counted = make.members(3)
    sent(period, "A", not_counted[0], held, state="bounced", sent_at=now)
    sent(period, "A", not_counted[1], held, state="failed", sent_at=None)
    make.participation(held, not_counted[2], attendance="present")  # came without any such mail

    (test,) = wording_tests.exact([period])

    assert figures(test.a) == {
        "sent": 9, "people": 9, "declined": 2, "over": 7, "came": 3, "not_there": 1, "came_percent": 43,
    }  # fmt: skip
    assert figures(test.b) == {
        "sent": 4, "people": 3, "declined": 0, "over": 3, "came": 2, "not_there": 0, "came_percent": 67,
    }  # fmt: skip
    assert test.is_open


def test_nothing_sent_is_no_share(tested):  # noqa: F811
    (test,) = wording_tests.exact([tested(0, 0)])

    assert (figures(test.a)["sent"], figures(test.a)["came_percent"], test.difference) == (0, None, None)


def test_too_few_people_say_nothing_however_far_apart(tested):  # noqa: F811
    (test,) = wording_tests.exact([tested(ENOUGH, ENOUGH - 1, came=(0, ENOUGH - 1))])

    assert compared(test) == [
        "Too few to say. In each half it must be known of at least 30 people whether they came. "
        "So far: 30 with A, 29 with B."
    ]


@pytest.mark.parametrize(
    ("a", "b", "came", "sentences"),
    [
        (
            80,
            70,
            (48, 56),
            [
                "Of a hundred such mails, 20 more brought somebody with B than with A.",
                "With chance in play, the true difference lies between 5 more and 34 more.",
                "So chance alone hardly explains it.",
            ],
        ),
        (
            40,
            40,
            (20, 18),
            [
                "Of a hundred such mails, 5 fewer brought somebody with B than with A.",
                "With chance in play, the true difference lies between 26 fewer and 17 more.",
                "So it may be chance alone.",
            ],
        ),
        (
            30,
            30,
            (15, 15),
            [
                "B brought as many as A.",
                "With chance in play, the true difference lies between 24 fewer and 24 more.",
                "So it may be chance alone.",
            ],
        ),
    ],
)
def test_difference_is_told_with_what_chance_can_do(tested, a, b, came, sentences):  # noqa: F811
    (test,) = wording_tests.exact([tested(a, b, came=came)])

    assert compared(test) == sentences


def test_person_who_came_often_is_one_person_to_chance(cast, tested):  # noqa: F811
    period = tested(ENOUGH, ENOUGH, came=(15, 20))
    (once,) = wording_tests.exact([period])
    for days in range(4, 14):
        held = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(days=days), capacity=200, status="held")
        first = Participation.objects.filter(meeting__in=Meeting.objects.exclude(pk=held.pk), attendance__isnull=False)
        for row in list(first.order_by("pk")[: 2 * ENOUGH]):
            make.participation(held, row.member, attendance=row.attendance)
            sent(period, row.member.emails.get(about_id=row.meeting_id).variant, row.member, held)

    (often,) = wording_tests.exact([period])

    assert often.a["over"] == 11 * once.a["over"]
    assert often.difference == once.difference


# --- Who sees sums only -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "came", "is_shown"),
    [
        (40, 40, (20, 25), True),
        (40, 40, (20, 0), True),  # none at all may be known
        (40, 40, (20, 40), True),
        (40, 40, (20, 3), False),  # three came
        (40, 40, (20, 37), False),  # all but three came
        (40, 9, (20, 0), False),
        (0, 0, (0, 0), True),
    ],
)
def test_small_numbers_hide_a_whole_test(tested, settings, a, b, came, is_shown):  # noqa: F811
    settings.SMALLEST_COUNT_SHOWN = 11

    (test,) = wording_tests.of_all([tested(a, b, came=came, ended=True)])

    assert (test.a is not None, test.b is not None) == (is_shown, is_shown)
    assert is_shown or (compared(test), test.difference) == ([], None)


def test_open_test_is_hidden_from_who_sees_sums(cast, tested):  # noqa: F811
    period = tested(40, 40, came=(20, 20))
    (running,) = wording_tests.of_all([period])
    WordingPeriod.objects.filter(pk=period.pk).update(ended_at=timezone.now())
    period.refresh_from_db()
    (over,) = wording_tests.of_all([period])
    sent(period, "A", make.members(1)[0], make.meeting(cast.willow))  # of a meeting that is still to come
    (not_yet,) = wording_tests.of_all([period])

    assert [test.a is None for test in (running, over, not_yet)] == [True, False, True]


def test_page_and_file_of_reports_hold_no_small_number(cast, sign_in, tested):  # noqa: F811
    tested(40, 40, came=(17, 3), ended=True)
    rita = sign_in(cast.rita)

    html = rita.get(URL).content.decode()
    rows = list(csv.reader(b"".join(rita.get(URL, {"format": "csv"})).decode("utf-8-sig").splitlines()))

    assert "fewer than 11 people" in html
    assert "versus" not in html
    assert "/admin/wording/" not in html
    assert rows[0] == [
        "mail",
        "language",
        "variant",
        "wording",
        "from",
        "until",
        "days",
        "people",
        "over",
        "came",
        "came_percent",
        "hidden",
    ]
    assert [row[6:] for row in rows[1:3]] == [["", "", "", "", "", "fewer than 11 people"]] * 2


def test_coordinator_sees_each_figure_with_its_meaning_and_takes_it_along(cast, sign_in, tested):  # noqa: F811
    tested(40, 40, came=(17, 30))
    olga = sign_in(cast.olga)

    html = olga.get(URL).content.decode()
    answer = olga.get(URL, {"format": "csv"})
    rows = list(csv.reader(b"".join(answer).decode("utf-8-sig").splitlines()))

    for figure in FIGURES:
        assert f"{figure.label}" in html
        assert f"{figure.definition}" in html
    assert "hardly explains it" in html
    assert [row[2:4] + row[6:] for row in rows[1:3]] == [
        ["A", "0", "", "40", "40", "0", "40", "17", "23", "43", ""],
        ["B", "1", "", "40", "40", "0", "40", "30", "10", "75", ""],
    ]
    assert rows[-1] == ["42 CFR part 2 prohibits unauthorized use or disclosure of these records."]
    assert AuditEvent.objects.get(action="report.exported").details == {"report": "wording", "lines": 2}


def test_page_without_a_test_says_where_to_begin(cast, sign_in):
    assert "There has been no test yet." in sign_in(cast.olga).get(URL).content.decode()
    assert "Choose a mail" not in sign_in(cast.rita).get(URL).content.decode()


def test_mail_that_asks_nobody_to_come_is_counted_and_not_compared(cast, sign_in, tested):  # noqa: F811
    tested(40, 40, came=(17, 30), name="question")

    (section,) = sign_in(cast.olga).get(URL).context["sections"]

    assert [(label, cells) for label, _definition, cells in section["rows"]] == [
        ("Mails sent", ["40", "40"]),
        ("People", ["40", "40"]),
    ]
    assert section["sentences"] == []


def test_few_who_never_came_hide_it_even_when_many_visits_are_missing(cast, tested):  # noqa: F811
    period = tested(40, 40, came=(37, 20), ended=True)
    later = make.meeting(cast.willow, starts_at=timezone.now() - timedelta(days=1), capacity=200, status="held")
    for mail in list(period.emails.all()):
        make.participation(later, mail.recipient, attendance="absent")
        sent(period, mail.variant, mail.recipient, later)

    (exact,), (shown,) = wording_tests.exact([period]), wording_tests.of_all([period])

    assert (exact.a["over"] - exact.a["came"], exact.a["people_over"] - exact.a["people_came"]) == (43, 3)
    assert (shown.a, shown.b) == (None, None)


def test_mail_about_no_single_meeting_counts_who_came_to_any_in_time(cast, sign_in, tested):  # noqa: F811
    """“We missed you” has 28 days: what came later, before, or is not known yet, is not theirs."""
    period = tested(0, 0, name="missed")
    now = timezone.now()
    about = make.meeting(cast.willow, starts_at=now - timedelta(days=60), status="held")
    sent_at = now - timedelta(days=40)
    cases = [  # days after the mail, what was noted
        ("A", [(5, "present")]),
        ("A", [(27, "left_early"), (3, "absent")]),
        ("A", [(29, "present")]),
        ("A", [(-2, "present")]),
        ("A", [(5, "absent")]),
        ("A", []),
        ("B", [(5, "present"), (6, "late")]),
    ]
    for (variant, visits), person in zip(cases, make.members(len(cases)), strict=True):
        sent(period, variant, person, about, sent_at=sent_at)
        for days, attendance in visits:
            day = make.meeting(cast.willow, starts_at=sent_at + timedelta(days=days), status="held", capacity=50)
            make.participation(day, person, attendance=attendance)
    (somebody,) = make.members(1)
    sent(period, "B", somebody, about, sent_at=now - timedelta(days=27))
    make.participation(
        make.meeting(cast.willow, starts_at=now - timedelta(days=3), status="held"), somebody, attendance="present"
    )

    (test,) = wording_tests.exact([period])
    (section,) = sign_in(cast.olga).get(URL).context["sections"]

    assert [(label, cells) for label, _definition, cells in section["rows"]] == [
        ("Mails sent", ["6", "2"]),
        ("People", ["6", "2"]),
        ("Time is over", ["6", "1"]),
        ("Came", ["2", "1"]),
        ("Share that came", ["33\xa0%", "100\xa0%"]),
    ]
    assert section["rows"][2][1] == "Of the mails sent: 28 days have passed. All below is of these."
    assert test.is_open


def test_which_mails_are_measured_how():

    letters = kinds.editable_letters().values()

    assert {letter.name: letter.days_to_come for letter in letters if letter.days_to_come} == {
        "week": 7,
        "welcome": 14,
        "missed": 28,
        "join-yes": 28,
        "join-no": 28,
    }
    assert [letter.name for letter in letters if letter.counts_attendance and letter.days_to_come] == []
    to_staff = {"question", "roster-open", "figures", "colleagues", "substitute"}
    assert {letter.name for letter in letters if not letter.is_measured} == to_staff | {"message"}
