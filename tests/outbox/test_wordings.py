"""What words of a mail must not do, and how they are filled in: no rows."""

from collections import Counter
from uuid import UUID

import pytest
from django.utils import translation

from outbox import banned_words, kinds
from outbox.letters import Chosen, example_letter, letter, own_words
from outbox.wordings import EditableLetter, Words, advice, fill_in, problems, tidy, variant_for

LETTER = EditableLetter(
    "reminder-going",
    "meetings/mail/reminder",
    "Reminder",
    "People with a place",
    example=lambda: {"when": "Wednesday, September 30, 10:30 pm (PDT)", "when_short": "Wednesday 10:30 pm (PDT)"},
    placeholders={"when": "day and time", "when_short": "weekday and time"},
    required=["when"],
)
GOOD = Words("See you {when_short}", "We look forward to you on {when}.", "Come as you are.")


def wrong(subject=GOOD.subject, opening=GOOD.opening, closing=GOOD.closing, **more):
    return problems(Words(subject, opening, closing), LETTER, "en", **more)


def test_good_words_are_good():
    assert (problems(GOOD, LETTER, "en"), advice(GOOD, LETTER, "en")) == ({}, {})


@pytest.mark.parametrize(
    ("part", "text", "sentence"),
    [
        ("subject", "", "This cannot be empty."),
        ("opening", "  ", "This cannot be empty."),
        ("subject", "Hello\nBcc: spy@example.org", "This must be one line. Please take the line break out."),
        ("subject", "Hello\u2028there", "This must be one line. Please take the line break out."),
        ("opening", "Come\r\non {when}", "This must be one line. Please take the line break out."),
        ("subject", "See {whom}", "{whom} cannot be filled in. You can use: {when}, {when_short}."),
        ("opening", "{{ when }} {when}", "There is a curly bracket too many or too few."),
        ("opening", "{% now 'Y' %} {when}", "There is a curly bracket too many or too few."),
        ("closing", "{}", "{} cannot be filled in. You can use: {when}, {when_short}."),
        ("closing", "Soon {when", "There is a curly bracket too many or too few."),
        ("opening", "Come tomorrow.", "The opening must have {when} in it."),
        ("subject", "a" * 61, "This has 61 letters, and at most 60 fit. Please make it shorter."),
        (
            "subject",
            f"{'a' * 37}{{when_short}}",
            "This has 61 letters, and at most 60 fit. Please make it shorter.",
        ),
        (
            "opening",
            f"{{when}}{'a' * 122}",
            "This has 161 letters, and at most 160 fit. Please make it shorter.",
        ),
        ("closing", "a" * 501, "This has 501 letters, and at most 500 fit. Please make it shorter."),
        ("closing", "Tests are dirty.", "We do not say “dirty”. Say instead: positive (of a test)."),
        ("opening", "Patients: {when}", "We do not say “Patients”. Say instead: member."),
        ("closing", "Una recaida.", "We do not say “recaida”. Say instead: volver a consumir."),
        ("closing", "ｄｉｒｔｙ", "We do not say “dirty”. Say instead: positive (of a test)."),
        (
            "subject",
            "Your recovery group",
            "“recovery”, “group” may tell others what kind of meeting it is. Please leave it out.",
        ),
        ("opening", "Your AA meeting {when}", "“AA” may tell others what kind of meeting it is. Please leave it out."),
        (
            "closing",
            "Un apoyo para tu adicción",
            "“apoyo”, “adicción” may tell others what kind of meeting it is. Please leave it out.",
        ),
        (
            "closing",
            "Look at www.example.org",
            "Links and addresses cannot stand here. The mail has its own links below.",
        ),
        (
            "closing",
            "Write to olga@example.org",
            "Links and addresses cannot stand here. The mail has its own links below.",
        ),
        ("closing", "See example.com", "Links and addresses cannot stand here. The mail has its own links below."),
        ("subject", "Hel\u200blo", "There is a sign in it that nobody can see. Please type the words anew."),
        ("opening", "{when} \u202eolleh", "There is a sign in it that nobody can see. Please type the words anew."),
        ("closing", "Hello\x00", "There is a sign in it that nobody can see. Please type the words anew."),
    ],
)
def test_words_are_refused_with_a_reason_where_they_stand(part, text, sentence):
    assert sentence in wrong(**{part: text}).pop(part)


@pytest.mark.parametrize(
    ("text", "name", "named"),
    [
        ("See you at willow EVENING", "Willow evening", True),
        ("We hope to see you", "Hope", False),
        ("A meeting of Hope", "Hope", True),
        ("Willows in the evening", "Willow", False),
        ("Todo sigue", "", False),
    ],
)
def test_no_mail_names_a_group(text, name, named):
    said = wrong(closing=text, group_names=[name])

    sentence = f"“{name}” is the name of a group. No mail names one: please leave it out."
    assert said == ({"closing": [sentence]} if named else {})


def test_what_is_only_unwise_is_advice():
    words = Words("Please COME to your next meeting: {when_short}", "Come on {when}!", " ".join(["and"] * 21))

    assert problems(words, LETTER, "en") == {}
    assert advice(words, LETTER, "en") == {
        "subject": [
            "A small phone shows the first 40 letters of these 58.",
            "“COME” looks like shouting. Small letters are calmer.",
        ],
        "opening": ["An exclamation mark can feel like pressure. A full stop is calmer."],
        "closing": ["One sentence has 21 words. Short ones are read more easily."],
    }


def test_filling_in_happens_once():
    assert fill_in("{when}, {place}.", {"when": "{place}", "place": "here"}) == "{place}, here."


def test_tidy_keeps_paragraphs():
    assert tidy("  One \r\n two\n\n\n\n three   four ") == "One\ntwo\n\nthree four"


def test_variant_is_the_same_for_a_person_and_half_of_all_get_each():
    people = [UUID(int=n) for n in range(4000)]

    first, again, other = ([variant_for(test, person) for person in people] for test in (1, 1, 2))

    assert first == again
    assert 1900 < Counter(first)["A"] < 2100
    assert (
        1900 < sum(one != two for one, two in zip(first, other, strict=True)) < 2100
    )  # one test says nothing of another


def test_every_word_we_do_not_say_comes_with_one_to_say():
    words = ["junkie", "addicted", "relapsed", "no-show", "dropout", "patients", "abuso de", "recayo", "alcoholica"]

    assert [word for word in words if not banned_words.instead_of(word)] == []
    assert banned_words.blaming_however_written("recayo recayó RECAYÓ") == ["RECAYÓ"]
    assert banned_words.blaming_however_written("relapse prevention, Alcohólicos Anónimos") == []


def test_every_kind_of_mail_can_be_worded_or_says_why_not():
    """A new kind declares its letters, each with an example; a name is used once."""
    silent = [name for name, kind in kinds._kinds.items() if not kind.letters and not kind.why_not_editable]
    names = [letter.name for kind in kinds._kinds.values() for letter in kind.letters]

    assert [name for name in silent if name != "note"] == []
    assert len(set(names)) == len(names) >= 9


@pytest.mark.parametrize("language", ["en", "es"])
def test_own_words_of_every_letter_are_as_good_as_we_ask_of_others(language):
    said = {}
    with translation.override(language):
        for one in kinds.editable_letters().values():
            said |= {f"{one.name} {part}": why for part, why in problems(own_words(one), one, language).items()}

    assert said == {}


@pytest.mark.parametrize("language", ["en", "es"])
def test_own_words_chosen_make_the_very_same_letter(language):
    """The frame is untouched: byte by byte, a letter in its own words is the letter nobody has worded."""
    with translation.override(language):
        for one in kinds.editable_letters().values():
            assert example_letter(one, own_words(one)) == example_letter(one)


def test_words_show_in_every_letter_and_nothing_in_them_is_a_template_or_markup():
    words = Words("Line {{ site_name }}", "First <b>{% now 'Y' %}</b>", "Last & <i>least</i>\nof all")

    for one in kinds.editable_letters().values():
        written = example_letter(one, words)
        assert written.subject == "Line {{ site_name }}"
        assert written.text.startswith("First <b>{% now 'Y' %}</b>\n\n")
        assert "\n\nLast & <i>least</i>\nof all\n" in written.text
        assert "First &lt;b&gt;{% now &#x27;Y&#x27; %}&lt;/b&gt;</p>" in written.html
        assert "Last &amp; &lt;i&gt;least&lt;/i&gt;<br>of all</p>" in written.html


def test_letter_whose_words_cannot_be_filled_in_falls_back_to_its_own(caplog):
    cancelled = kinds.editable_letters()["cancelled"]
    facts = cancelled.example()

    written = letter(cancelled.template, facts, Chosen(Words("Soon", "Until {nobody_knows}"), 7, "A"))

    assert written == letter(cancelled.template, facts)
    assert "cannot be filled in" in caplog.text


def test_picture_of_words_being_typed_leaves_what_nobody_knows_as_it_is():
    words = Words("Soon", "Until {nobody_knows} on {when}")

    picture = example_letter(kinds.editable_letters()["cancelled"], words)

    assert picture.text.startswith("Until {nobody_knows} on Wednesday, September 30, 10:30 pm (PDT)\n")
