"""Attendance letters: to the member, true, genuine or not, and to nobody else without their word."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from groups.models import Facilitator, Group
from meetings import services
from meetings.letter_models import AttendanceLetter, Disclosure, DisclosureConsent, LetterDate
from members.models import Member
from tests import make

LETTERS = reverse("meetings:my_letters")
VERIFY = reverse("meetings:verify")


@pytest.fixture
def willow(cast):
    Group.objects.filter(pk=cast.willow.pk).update(gives_attendance_letters=True, letter_label="Weekly meeting")
    Facilitator.objects.filter(member=cast.carol).update(credential="certified peer specialist")
    cast.willow.refresh_from_db()
    return cast.willow


def there(cast, group, days_ago, attendance="present", member=None, **fields):
    meeting = make.meeting(group, starts_at=timezone.now() - timedelta(days=days_ago), **fields)
    make.participation(meeting, member or cast.mia, attendance=attendance)
    return meeting


def ask(client, group, first=20, last=0):
    day = timezone.now().date()
    sent = {"group": group.pk, "first": day - timedelta(days=first), "last": day - timedelta(days=last)}
    return client.post(LETTERS, sent)


def test_letter_says_when_somebody_came_and_nothing_else(cast, sign_in, willow):
    there(cast, willow, 2)
    there(cast, willow, 9, "late", minutes=60)
    there(cast, willow, 16, "absent")
    there(cast, willow, 17, "excused")
    there(cast, willow, 3, member=cast.max)
    there(cast, willow, 50)  # before the days that are asked for
    there(cast, cast.cedar, 4)  # of another group
    mia = sign_in(cast.mia)

    page = mia.get(ask(mia, willow).url).content.decode()

    letter = AttendanceLetter.objects.get(member=cast.mia)
    assert [(row.attendance, row.minutes) for row in letter.dates.all()] == [("late", 60), ("present", 90)]
    paper = re.search(r"<article.*?</article>", page, re.DOTALL).group()
    for words in (
        "Mia",
        "Weekly meeting",
        "Carol",
        "certified peer specialist",
        letter.number,
        letter.code,
        "came late",
    ):
        assert words in paper
    for secret in ("Willow", "Max", cast.mia.email, cast.mia.code, "12 Hidden Lane", "recovery", "absent"):
        assert secret not in paper
    assert "42 CFR part 2 prohibits unauthorized use or disclosure of these records." in paper
    assert AuditEvent.objects.filter(action="letter.issued", object_id=letter.pk, actor_id=cast.mia.pk).count() == 1


def test_minutes_are_those_of_the_signed_log(cast, willow):
    meeting = there(cast, willow, 2)
    facts = {"topic": "", "headcount": 1, "first_timers": 0, "activities": [], "follow_ups": [], "mode": "online"}
    ended = meeting.starts_at + timedelta(minutes=75)
    log = services.save_log(meeting, by=cast.carol, started_at=meeting.starts_at, ended_at=ended, **facts)
    services.sign_log(log, by=cast.carol, credential="x", as_of=log.saved_at)

    today = timezone.now().date()
    letter = services.issue_letter(willow, by=cast.mia, first=today - timedelta(days=5), last=today)

    assert [row.minutes for row in letter.dates.all()] == [75]


def test_no_letter_for_an_absence(cast, sign_in, willow):
    missed = there(cast, willow, 2, "absent")
    there(cast, willow, 40)
    mia = sign_in(cast.mia)

    answer = ask(mia, willow)

    assert answer.status_code == 400
    assert "There is no meeting in these days that you came to." in answer.content.decode()
    assert not AttendanceLetter.objects.exists()
    # Nor by any other way: the database compares each date with the attendance.
    letter = make.letter(willow, cast.mia)
    cedar = there(cast, cast.cedar, 5)
    came = there(cast, willow, 6)
    for meeting, attendance in ((missed, "present"), (missed, "absent"), (cedar, "present"), (came, "late")):
        with pytest.raises(IntegrityError, match="no letter for an absence"), transaction.atomic():
            LetterDate.objects.create(
                letter=letter, meeting=meeting, on=missed.local_date, minutes=9, attendance=attendance
            )


def test_group_that_gives_no_letters_says_so(cast, sign_in):
    there(cast, cast.willow, 2)
    mia = sign_in(cast.mia)

    page, answer = mia.get(LETTERS), ask(mia, cast.willow)

    assert "Willow evening gives no letters." in page.content.decode()
    assert answer.status_code == 400
    today = timezone.now().date()
    assert services.issue_letter(cast.willow, by=cast.mia, first=today - timedelta(days=9), last=today) is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"last": "2020-01-01"}, "The last day is before the first."),
        ({"first": "2020-01-01"}, "One letter holds a year at most."),
        ({"first": "someday"}, "Enter a valid date."),
        ({"group": "999999"}, "not one of the available choices"),
        ({"group": "cedar"}, "not one of the available choices"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(cast, sign_in, willow, changed, sentence):
    there(cast, willow, 2)
    Group.objects.filter(pk=cast.cedar.pk).update(gives_attendance_letters=True)
    if changed.get("group") == "cedar":  # she never came there
        changed = {"group": cast.cedar.pk}
    day = timezone.now().date()

    answer = sign_in(cast.mia).post(LETTERS, {"group": willow.pk, "first": day, "last": day} | changed)

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not AttendanceLetter.objects.exists()


def test_what_a_letter_said_is_never_changed(cast, willow):
    letter = make.letter(willow, cast.mia)
    changes = [
        lambda: AttendanceLetter.objects.filter(pk=letter.pk).update(name="Somebody else"),
        lambda: AttendanceLetter.objects.filter(pk=letter.pk).update(code="ABCDEFGH"),
        lambda: letter.dates.update(minutes=900),
    ]

    for change in changes:
        with pytest.raises(IntegrityError, match="stays as it was issued"), transaction.atomic():
            change()
    assert services.revoke_letter(letter, by=cast.carol)
    assert not services.revoke_letter(letter, by=cast.carol)
    with pytest.raises(IntegrityError, match="stays as it was issued"), transaction.atomic():
        AttendanceLetter.objects.filter(pk=letter.pk).update(revoked_at=None, revoked_by=None)


def test_label_that_tells_a_stranger_is_refused(cast, sign_in, willow):
    change = reverse("admin:groups_group_change", args=[willow.pk])
    page = sign_in(cast.carol).get(change)
    form = page.context["adminform"].form
    fields = {name: form[name].value() or "" for name in form.fields}
    inlines = {
        f"{one.formset.prefix}-{name}_FORMS": "0"
        for one in page.context["inline_admin_formsets"]
        for name in ("TOTAL", "INITIAL")
    }

    answer = sign_in(cast.carol).post(change, fields | inlines | {"letter_label": "Recovery circle"})

    assert answer.status_code == 200
    assert "“Recovery” tells what the meetings are about." in answer.content.decode()


def test_letter_is_a_file_too_with_a_name_that_says_nothing(cast, sign_in, willow):
    Group.objects.filter(pk=willow.pk).update(letter_label="Reunión semanal")
    Member.objects.filter(pk=cast.mia.pk).update(display_name="Mía O’Neil")
    cast.mia.refresh_from_db()
    willow.refresh_from_db()
    letter = make.letter(willow, cast.mia)
    mia = sign_in(cast.mia)

    file, again = (mia.get(reverse("meetings:my_letter_pdf", args=[letter.pk])) for _ in range(2))

    assert file["Content-Type"] == "application/pdf"
    assert file["Content-Disposition"] == f'attachment; filename="letter-{letter.number}.pdf"'
    assert file.content.startswith(b"%PDF-")
    assert file.content == again.content
    assert len(file.content) < 10_000
    written = file.content.decode("latin-1")
    for words in (
        "Mía O'Neil",
        "Reunión semanal",
        "Carol, certified peer specialist",
        letter.number,
        "came late",
        "90",
    ):
        assert words in written
    for secret in ("Willow", cast.mia.email, cast.mia.code, "Recovery"):
        assert secret not in written


def test_name_that_the_file_cannot_hold_is_printed_from_the_page(cast, sign_in, willow):
    Member.objects.filter(pk=cast.mia.pk).update(display_name="Мия")
    cast.mia.refresh_from_db()
    letter = make.letter(willow, cast.mia)

    page = sign_in(cast.mia).get(reverse("meetings:my_letter_pdf", args=[letter.pk]), follow=True).content.decode()

    assert "Print this page instead." in page
    assert "Мия" in page


# Genuine or not


def check(client, number, code):
    return client.post(VERIFY, {"number": number, "code": code})


def test_genuine_letter_shows_its_days_and_nothing_else(cast, client, willow):
    letter = make.letter(willow, cast.mia)

    page = check(client, letter.number.lower().replace("-", " "), f" {letter.code[:4]}-{letter.code[4:]} ".lower())

    words = re.search(r"<main.*?</main>", page.content.decode(), re.DOTALL).group()
    assert "This letter is genuine." in words
    for secret in ("Mia", "Weekly meeting", "Willow", "Carol", "90", "late", letter.code):
        assert secret not in words.replace(f'value="{letter.code}"', "")
    assert list(page.context["dates"]) == [row.on for row in letter.dates.all()]
    assert AuditEvent.objects.filter(action="letter.verified", object_id=letter.pk).count() == 1


def test_wrong_unknown_and_revoked_are_answered_alike(cast, client, willow):
    """The same words after the same work: nobody learns that a number exists."""
    letter = make.letter(willow, cast.mia)
    revoked = make.letter(willow, cast.mia, days_ago=(3, 4))
    services.revoke_letter(revoked, by=cast.carol)
    tries = {
        "wrong": (letter.number, "22222222"),
        "unknown": ("2222-2222", "22222222"),
        "revoked": (revoked.number, revoked.code),
        "other letter": (letter.number, revoked.code),
    }
    answers, asked = {}, {}

    for name, (number, code) in tries.items():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = check(client, number, code).content.decode()
        answers[name] = re.sub(r'value="[^"]*"', "", page)
        asked[name] = [re.sub(r"'[^']*'", "", query["sql"]) for query in queries if "cache" not in query["sql"]]

    assert "We know no such letter." in answers["wrong"]
    assert len(set(answers.values())) == 1
    assert len({len(queries) for queries in asked.values()}) == 1
    assert AuditEvent.objects.filter(action="letter.not_verified").count() == 4


@pytest.mark.parametrize("number", ["", "x" * 500, "\0", "’; drop", "ÄÖÜ"])
def test_nonsense_is_no_letter(client, db, number):
    assert check(client, number, "22222222").status_code in (200, 400)


def test_guessing_is_stopped(cast, client, willow, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"verify": "2/h/ip"}
    letter = make.letter(willow, cast.mia)

    statuses = [check(client, letter.number, "22222222").status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


# To somebody else


def allow(letter, **changed) -> DisclosureConsent:
    facts = {"recipient": "County court", "purpose": "to show that I came"}
    facts |= {"expires_at": timezone.now() + timedelta(days=30)}
    return services.allow_disclosure(letter, by=letter.member, **(facts | changed))


def test_staff_give_a_letter_to_whom_the_member_allowed_and_it_is_noted(cast, sign_in, willow):
    letter = make.letter(willow, cast.mia)
    mia, carol = sign_in(cast.mia), sign_in(cast.carol)
    share = reverse("meetings:my_letter_share", args=[letter.pk])
    until = timezone.now().date() + timedelta(days=20)
    detail = reverse("meetings:letter_detail", args=[letter.pk])

    mia.post(share, {"recipient": "County court", "purpose": "to show that I came", "until": until, "agree": "on"})
    consent = DisclosureConsent.objects.get()
    given = carol.post(detail, {"disclose": consent.pk})
    page = carol.get(given.url).content.decode()

    assert letter.code in page
    assert f"You may give letter {letter.number} to County court, and nothing else about me." in page
    assert page.count("42 CFR part 2 prohibits") == 2
    assert Disclosure.objects.get().made_by == cast.carol
    assert AuditEvent.objects.filter(action="disclosure.made", details__consent=str(consent.pk)).exists()
    assert "Made ready for them on" in mia.get(share).content.decode()
    assert letter.code not in carol.get(detail).content.decode()


def test_without_a_consent_that_stands_nothing_is_shown(cast, sign_in, willow):
    letter, other = make.letter(willow, cast.mia), make.letter(willow, cast.max)
    withdrawn, expired = allow(letter), allow(letter)
    services.withdraw_disclosure(withdrawn, by=cast.mia)
    DisclosureConsent.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    of_another = allow(other)
    carol = sign_in(cast.carol)
    detail = reverse("meetings:letter_detail", args=[letter.pk])

    for consent in (withdrawn, expired, of_another):
        answer = carol.post(detail, {"disclose": consent.pk})
        assert answer.status_code == 403
        assert "No consent stands for this." in answer.content.decode()
    for consent in (withdrawn, expired):
        with pytest.raises(IntegrityError, match="no disclosure without consent"), transaction.atomic():
            Disclosure.objects.create(consent=consent, made_by=cast.carol)
    assert not Disclosure.objects.exists()
    assert AuditEvent.objects.filter(action="disclosure.refused", actor_id=cast.carol.pk).count() == 3


def test_what_was_made_ready_closes_when_the_consent_is_taken_back(cast, sign_in, willow):
    disclosure = make.disclosure(make.letter(willow, cast.mia), by=cast.carol)
    page = reverse("meetings:letter_disclosed", args=[disclosure.pk])
    carol = sign_in(cast.carol)
    assert carol.get(page).status_code == 200

    share = reverse("meetings:my_letter_share", args=[disclosure.consent.letter_id])
    sign_in(cast.mia).post(share, {"withdraw": disclosure.consent_id})

    assert carol.get(page).status_code == 404
    assert sign_in(cast.mia).post(share, {"withdraw": "nonsense"}).status_code == 404


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"until": "2020-01-01"}, "from today to a year from now"),
        ({"until": "2999-01-01"}, "from today to a year from now"),
        ({"agree": ""}, "Tick this box"),
        ({"recipient": " "}, "required"),
    ],
)
def test_consent_that_makes_no_sense_is_refused(cast, sign_in, willow, changed, sentence):
    letter = make.letter(willow, cast.mia)
    until = timezone.now().date() + timedelta(days=9)
    facts = {"recipient": "Court", "purpose": "x", "until": until, "agree": "on"}

    answer = sign_in(cast.mia).post(reverse("meetings:my_letter_share", args=[letter.pk]), facts | changed)

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not DisclosureConsent.objects.exists()


@pytest.mark.parametrize("rows", [3, 60])
def test_lists_cost_the_same_however_many(cast, sign_in, willow, rows, django_assert_num_queries):
    letter = make.letter(willow, cast.mia, days_ago=range(1, rows))
    AttendanceLetter.objects.bulk_create(
        AttendanceLetter(member=cast.mia, group=willow, name="Mia", group_label="x", facilitator="Carol")
        for _ in range(rows)
    )
    mia = sign_in(cast.mia)
    mia.get("/")

    with django_assert_num_queries(7):
        mia.get(LETTERS)
    with django_assert_num_queries(4):
        mia.get(reverse("meetings:my_letter", args=[letter.pk]))
