"""Words we do not use: those that blame people, and those that tell a stranger what a mail is about. Pure.

The product refuses them where coordinators write mails, and the tests look for them in everything we wrote ourselves
(A11Y-08, PRV-06). This file is the one place where they stand.
"""

import re
import unicodedata

# What blames, and what to say instead: persons first, whole words, both languages.
AVOID = [
    (r"addicts?|addicted|junkies?|abusers?", "a person with a substance use disorder, or: member"),
    (r"alcoholics?", "a person with an alcohol use disorder, or: member"),
    (r"(substance|drug|alcohol) abuse|drug habits?", "substance use"),
    (r"relaps\w*", "return to use"),
    (r"(clean and )?sober|get(ting)? clean|clean time", "in recovery, not using"),
    (r"dirty", "positive (of a test)"),
    (r"non-?complian\w+|drop-?outs?|dropped out", "stopped coming"),
    (r"no-?shows?", "we missed you"),
    (r"patients?", "member"),
    (r"commit(ted|s)? suicide", "died by suicide"),
    (
        r"adict[oa]s?|drogadict\w*|toxicóman\w*",
        "una persona con un trastorno por consumo de sustancias, o: participante",
    ),
    (r"alcohólic[oa]s?", "una persona con un trastorno por consumo de alcohol, o: participante"),
    (r"abus(o|ar|ador\w*) de", "consumo de"),
    (r"recaíd\w*|reca(er|yó|e)", "volver a consumir"),
    (r"pacientes?", "participante"),
    (r"incumplid\w+", "no ha podido venir"),
    (r"comet(er|ió) suicidio", "murió por suicidio"),
]
BANNED = re.compile(rf"\b({'|'.join(pattern for pattern, _instead in AVOID)})\b", re.IGNORECASE)
# Names of others, and a topic that is known by its name.
ALLOWED = re.compile(
    r"Alcoholics Anonymous|Alcohólicos Anónimos|relapse[- ]prevention|prevención de recaídas", re.IGNORECASE
)

# What tells somebody who looks over a shoulder, or shares the mailbox, what kind of meeting it is.
TELLING = re.compile(
    r"\b(recover\w*|sober\w*|sobriety|addict\w*|alcohol\w*|drugs?|substances?|relaps\w*|clean|cravings?|treatment\w*|"
    r"counsel\w*|therap\w*|rehab\w*|crisis|(?-i:AA|NA)|(12|twelve)[- ]steps?|support\w*|groups?|"
    r"recupera\w*|sobri\w*|adic\w*|adict\w*|alcohól\w*|drogas?|sustancias?|consum\w*|recaíd\w*|tratamientos?|"
    r"consejer\w*|terap\w*|grupos?|apoy\w*|(12|doce) pasos)\b",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """The text as it is read: wide and joined letters as the usual ones, without marks that nobody sees."""
    seen = (letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) != "Cf")
    return "".join(seen)


def without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(part for part in parts if unicodedata.category(part) != "Mn"))


def blaming(text: str) -> list[str]:
    """The words in a text that we do not use for people."""
    return [found.group() for found in BANNED.finditer(ALLOWED.sub("", text))]


def blaming_however_written(text: str) -> list[str]:
    """As `blaming`, once each, also with accents left out or letters that only look like the usual ones."""
    return _found(BANNED, ALLOWED.sub("", plain(text)))


def telling_however_written(text: str) -> list[str]:
    """The words that would tell a stranger what kind of meeting it is, once each, however they are written."""
    return _found(TELLING, plain(text))


def instead_of(word: str) -> str:
    """What to say instead of a word that blames; nothing if it does not."""
    for pattern, instead in AVOID:
        if re.fullmatch(without_accents(pattern), without_accents(word), re.IGNORECASE):
            return instead
    return ""


def _found(words: re.Pattern[str], text: str) -> list[str]:
    bare = without_accents(text)
    as_written = text if len(text) == len(bare) else bare
    found = (as_written[one.start() : one.end()] for one in re.finditer(without_accents(words.pattern), bare, re.I))
    return list({without_accents(word).lower(): word for word in found}.values())
