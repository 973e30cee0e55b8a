"""The pages of the wording lab: what they refuse, what they show before it goes live, two people at once."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from lab.services import try_words, use_words
from members.models import Member
from outbox import kinds
from outbox.models import Wording, WordingPeriod
from outbox.wordings import Words
from tests import make

from .conftest import WORDS

LETTER = "moved"


def page(name: str, *args) -> str:
    return reverse(f"lab:{name}", args=[LETTER, "en", *args])


def typed(words: Words = WORDS, *, after: int = 0, **more) -> dict:
    return {"subject": words.subject, "opening": words.opening, "closing": words.closing, "after": after, **more}


def errors(response) -> dict:
    return {part: list(said) for part, said in response.context["form"].errors.items()}


def open_period() -> WordingPeriod | None:
    return WordingPeriod.objects.open().first()


def frame(response) -> str:
    return unescape(re.search(r'<iframe src="([^"]+)"', response.content.decode())[1])


def test_list_has_every_letter_in_every_language_and_how_it_stands(olga, written, cast):
    moved, offer = (kinds.editable_letters()[name] for name in ("moved", "offer"))
    use_words(moved, "en", written("moved"), instead_of=None, by=cast.olga)
    try_words(offer, "es", written("offer", "es"), beside=None, by=cast.olga)

    html = olga.get(reverse("lab:letter_list")).content.decode()

    stands = {}
    for name, rest in re.findall(r'href="/admin/wording/([\w-]+/\w+)/">(.*?)</li>', html, re.DOTALL):
        (stands[name],) = re.findall(r"test running|wording \d|its own words", rest)
    assert len(stands) == 2 * len(kinds.editable_letters())
    assert {name: how for name, how in stands.items() if how != "its own words"} == {
        "moved/en": "wording 1",
        "offer/es": "test running",
    }


def test_form_begins_with_what_people_get_now(olga, written, cast):
    own = olga.get(page("letter_write")).context["form"].initial
    wording = written()
    not_yet = olga.get(page("letter_write")).context["form"].initial
    use_words(kinds.editable_letters()[LETTER], "en", wording, instead_of=None, by=cast.olga)
    used = olga.get(page("letter_write")).context["form"].initial
    asked = olga.get(page("letter_write") + "?from=0").context["form"].initial

    assert own == typed(Words("Changed: {when_short}", "Your meeting has changed. It is now on {when}."))
    assert not_yet == own | {"after": 1}
    assert used == typed(WORDS, after=1)
    assert asked == own | {"after": 1}


@pytest.mark.parametrize("asked", ["7", "x", "9" * 30, "²"])
def test_form_asked_for_words_there_are_not(olga, asked):
    assert olga.get(page("letter_write"), {"from": asked}).status_code == (404 if asked == "7" else 200)


def test_spanish_form_has_spanish_words_whatever_the_page_speaks(olga):
    response = olga.get(reverse("lab:letter_write", args=[LETTER, "es"]))

    assert response.context["form"].initial["subject"].startswith("Cambio")
    assert "mié 22:30" in response.context["picture"]["subject"]
    assert "Write other words" in response.content.decode()


def test_saved_words_are_kept_recorded_and_not_used(olga, cast):
    response = olga.post(
        page("letter_write"), typed(Words(" Soon:  {when_short} ", "New\nwords on {when}.", "Take care."))
    )

    assert response.url == page("letter_words", 1)
    assert (Wording.objects.get().words, Wording.objects.get().written_by) == (WORDS, cast.olga)
    assert open_period() is None
    assert AuditEvent.objects.filter(action="wording.written", actor_id=cast.olga.pk).count() == 1


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("subject", "", ["This cannot be empty."]),
        ("subject", "Hi\r\nBcc: a", ["This must be one line. Please take the line break out."]),
        ("opening", "Soon.", ["The opening must have {when} in it."]),
        ("opening", "{place} {when}", ["{place} cannot be filled in. You can use: {when}, {when_short}."]),
        (
            "closing",
            "Willow Evening",
            ["“Willow evening” is the name of a group. No mail names one: please leave it out."],
        ),
        ("closing", "dirty", ["We do not say “dirty”. Say instead: positive (of a test)."]),
        ("subject", "Group", ["“Group” may tell others what kind of meeting it is. Please leave it out."]),
        ("subject", "x" * 61, ["This has 61 letters, and at most 60 fit. Please make it shorter."]),
        (
            "closing",
            "a\x00b",
            [
                "Null characters are not allowed.",
                "There is a sign in it that nobody can see. Please type the words anew.",
            ],
        ),
    ],
)
def test_words_refused_stay_in_the_form_with_a_reason_at_their_field(olga, part, text, said):
    response = olga.post(page("letter_write"), typed() | {part: text})

    assert response.status_code == 400
    found = errors(response)
    assert found.pop(part)[-len(said) :] == said
    assert found == {}
    assert Wording.objects.count() == 0
    html = response.content.decode()
    assert f'href="#id_{part}"' in html
    assert re.search(rf'id="id_{part}"[^>]*aria-invalid="true"|aria-invalid="true"[^>]*id="id_{part}"', html)


def test_button_shows_how_it_looks_and_keeps_nothing(olga):
    response = olga.post(page("letter_write"), typed(preview="yes"))

    assert response.status_code == 200
    assert response.context["picture"]["subject"] == "Soon: Wed 10:30 pm (PDT)"
    assert response.context["form"]["closing"].value() == "Take care."
    assert Wording.objects.count() == 0


def test_script_gets_the_picture_of_what_is_typed_wrong_or_not(olga):
    good, wrong = (
        olga.post(page("letter_preview"), typed(Words("<b>Hi {whom}", opening, "<i>COME!")))
        for opening in ("On {when}.", "")
    )

    for response in (good, wrong):
        html = response.content.decode()
        assert response.status_code == 200
        assert "&lt;b&gt;Hi {whom}" in html
        assert "<i>" not in html
        assert "looks like shouting" in html
        assert "<html" not in html
    assert "On Wednesday, September 30, 10:30 pm (PDT)." in good.content.decode()
    assert Wording.objects.count() == 0


def test_far_too_much_is_cut_for_the_picture_so_that_its_address_stays_short(olga):
    """The server takes addresses of some 4000 letters."""
    much = "".join(chr(33 + n * n * 7 % 90) for n in range(5000))

    response = olga.post(page("letter_write"), typed(Words(much, much, much)))

    assert response.status_code == 400
    assert len(frame(response)) < 3500
    assert olga.get(frame(response)).status_code == 200


def test_picture_is_the_html_of_the_mail_for_a_frame_of_ours_alone(olga):
    answer = olga.get(frame(olga.post(page("letter_preview"), typed(Words("x", "On <i>{when}</i>", "Bye")))))

    html = answer.content.decode()
    assert "On &lt;i&gt;Wednesday, September 30, 10:30 pm (PDT)&lt;/i&gt;</p>" in html.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert set(re.findall(r'href="([^"]*)"', html)) == {"#"}
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_picture_shows_nothing_that_is_not_from_our_pages(olga, sign_in, cast):
    address = frame(olga.post(page("letter_preview"), typed()))
    forged = address.rstrip("/")[:-1] + ("a" if address[-2] != "a" else "b") + "/"

    assert olga.get(forged).status_code == 404
    assert {sign_in(one).get(url).status_code for one in (cast.mia, cast.sam) for url in (address, forged)} == {403}


def test_what_was_typed_is_never_lost_when_two_write_at_once(olga, written, cast, sign_in):
    second = make.member("Otto", role=Member.Role.COORDINATOR)
    theirs = Words("Theirs {when_short}", "Their words on {when}.")
    form = typed(after=olga.get(page("letter_write")).context["form"].initial["after"])
    written(words=theirs, by=second)

    late = olga.post(page("letter_write"), form)

    assert late.status_code == 409
    html = late.content.decode()
    assert "While you were writing, Otto saved other words." in html
    assert "Their words on {when}." in html
    assert late.context["form"]["opening"].value() == WORDS.opening
    assert 'name="after" value="1"' in html
    assert Wording.objects.get().words == theirs

    assert olga.post(page("letter_write"), typed(after=1)).url == page("letter_words", 2)
    assert [one.words for one in Wording.objects.order_by("number")] == [theirs, WORDS]


def test_nothing_goes_live_before_it_was_seen_with_who_gets_it(olga, written):
    written()
    Member.objects.filter(display_name="Nora").update(language="es")

    html = olga.get(page("letter_words", 1)).content.decode()

    readers = Member.objects.filter(language="en").count()
    assert f"Only people who read English: {readers} people today." in html
    assert "Everybody who was going to come." in html
    assert open_period() is None


def test_words_go_to_everybody_then_to_half_then_back(olga, written, cast):
    for words in (WORDS, Words("Again {when_short}", "Again on {when}.")):
        written(words=words)
    seen = []
    for number, do in ((1, "use"), (2, "try"), (2, "use"), (0, "use")):
        at = open_period()
        response = olga.post(page("letter_words", number), {"do": do, "seen": at.pk if at else ""})
        assert response.url == page("letter_detail")
        now = open_period()
        seen.append((now.number_a, now.number_b, now.is_test) if now else None)

    assert seen == [(1, 0, False), (1, 2, True), (2, 0, False), None]
    assert list(AuditEvent.objects.filter(action__startswith="wording.").values_list("action", flat=True))[::-1] == [
        "wording.written",
        "wording.written",
        "wording.used",
        "wording.tried",
        "wording.used",
        "wording.put_back",
    ]
    assert olga.get(page("letter_detail")).status_code == 200


@pytest.mark.parametrize("do", ["use", "try"])
def test_decision_on_what_has_changed_meanwhile_is_told_and_does_nothing(olga, written, cast, do):
    first, _second = written(), written(words=Words("x", "y {when}"))
    use_words(kinds.editable_letters()[LETTER], "en", first, instead_of=None, by=cast.olga)

    response = olga.post(page("letter_words", 2), {"do": do, "seen": ""})

    assert response.status_code == 409
    assert "Nothing was changed." in response.content.decode()
    assert f'name="seen" value="{open_period().pk}"' in response.content.decode()
    assert (open_period().a, open_period().is_test) == (first, False)


@pytest.mark.parametrize("sent", [{}, {"do": "erase", "seen": ""}, {"do": "use", "seen": "x"}])
def test_decision_that_makes_no_sense_does_nothing(olga, written, sent):
    written()

    assert olga.post(page("letter_words", 1), sent).status_code == 400
    assert open_period() is None


def test_words_that_a_group_is_called_by_since_cannot_go_out(olga, written):
    written(words=Words("Soon", "Quiet harbor, on {when}."))
    make.group(name="Quiet Harbor")

    shown = olga.get(page("letter_words", 1)).content.decode()
    response = olga.post(page("letter_words", 1), {"do": "use", "seen": ""})

    assert "These words cannot go out any more:" in shown
    assert 'name="do"' not in shown
    assert response.status_code == 400
    assert open_period() is None


@pytest.mark.parametrize("words", [("unknown", "en", 0), ("moved", "fr", 0), ("moved", "en", 1)])
def test_words_there_are_not_are_not_found(olga, words):
    assert olga.get(reverse("lab:letter_words", args=words)).status_code == 404


def test_forms_need_their_token(cast, sign_in, written):
    written()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = sign_in(cast.olga).cookies

    assert strict.post(page("letter_words", 1), {"do": "use", "seen": ""}).status_code == 403
    assert open_period() is None


def test_coordinators_find_the_lab_from_their_work_and_others_do_not(cast, sign_in):
    found = {
        name: reverse("lab:letter_list") in sign_in(getattr(cast, name)).get("/admin/").content.decode()
        for name in ("olga", "carol", "sam")
    }

    assert found == {"olga": True, "carol": False, "sam": False}


def test_member_can_read_which_wording_was_tried_on_them(cast, sign_in, tested):
    person = tested(0, 1).emails.get().recipient

    parts = sign_in(person).get(reverse("members:my_data_part", args=["mail"])).content.decode()

    assert "Wording, where two were tried" in parts
    assert re.search(r"<dd>\s*B\s*</dd>", parts)


def test_mail_this_site_does_not_send_says_so(olga, settings):
    settings.MAILS_OFF = ["moved"]

    html = olga.get(reverse("lab:letter_list")).content.decode()

    assert html.count("not sent by this site") == 1


def test_operator_reads_in_the_record_that_words_were_changed(cast, sign_in, written):
    written()

    assert "wording.written" in sign_in(cast.sam).get("/admin/audit/auditevent/").content.decode()
