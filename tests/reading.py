"""How hard a text is to read: school years for English (Flesch and Kincaid), points for Spanish (INFLESZ).

Own and small: the library that does this (textstat) fetches a dictionary from the net when it runs. Syllables are
counted by rules, which tests/test_reading.py holds against words whose syllables are known.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

BLOCKS = {
    *(
        "article",
        "aside",
        "br",
        "button",
        "caption",
        "dd",
        "div",
        "dt",
        "fieldset",
        "figcaption",
        "footer",
        "form",
        "h1",
    ),
    *("h2", "h3", "h4", "header", "label", "legend", "li", "main", "ol", "option", "p", "section", "summary", "table"),
    *("td", "th", "tr", "ul"),
}
BESIDE = {"soft", "hint", "tag"}  # classes of what stands beside a label
MEASURED_APART = {"agreement"}  # what somebody agrees to is held to a limit of its own
NOT_READ = {"head", "script", "style", "nav", "select", "svg"}
EMPTY = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


@dataclass(frozen=True)
class Measure:
    words: int
    sentences: int
    syllables: int

    def __add__(self, other: "Measure") -> "Measure":
        return Measure(self.words + other.words, self.sentences + other.sentences, self.syllables + other.syllables)

    @property
    def grade(self) -> float:
        """The school year in which an American child reads it with ease: 6 is a child of eleven."""
        return round(0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59, 1)

    @property
    def ease(self) -> float:
        """INFLESZ: above 80 very easy, above 65 rather easy, above 55 normal, below that hard."""
        return round(206.835 - 62.3 * self.syllables / self.words - self.words / self.sentences, 1)


def english_syllables(word: str) -> int:
    word = re.sub(r"[^a-z]", "", word.lower()).replace("every", "evry")
    count = len(re.findall(r"[aeiouy]+", word))
    if re.search(r"[^aeiouy]e$", word) and not re.search(r"[^aeiouy]le$", word):
        count -= 1  # time
    elif re.search(r"[^aeiouytd]ed$", word):
        count -= 1  # asked
    elif re.search(r"[^aeiouycsxzgl]es$|[aeiouy]les$", word) and not re.search(r"[cs]hes$", word):
        count -= 1  # times
    count -= len(re.findall(r"[^aeiouy]e(?:ly|ment|less|ful|body|one|thing|where)", word))  # safely, somebody
    count += len(
        re.findall(
            r"(?<![tscg])i[ao](?!u)|eo(?!p|u)|(?<![qg])ua|[aeiouy]ing|[drt]eas?$|(?<!fr)ie[nt]|oe[mt]|creat", word
        )
    )
    return max(count, 1)


def spanish_syllables(word: str) -> int:
    word = re.sub(r"([qg])u(?=[eiéí])", r"\1", word.lower())
    groups = re.findall(r"[aeiouáéíóúü]+y?$|[aeiouáéíóúü]+|\by$|y(?=[^aeiouáéíóú]|$)", word)
    return max(sum(max(len(re.findall(r"[aeoáéóíú]", group)), 1) for group in groups), 1)


def measure(texts: list[str], language: str) -> Measure:
    """Of the whole sentences in these; labels, headings and names are no sentences."""
    syllables = english_syllables if language == "en" else spanish_syllables
    total = Measure(0, 0, 0)
    for text in texts:
        for sentence in sentences(text):
            words = re.findall(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*", sentence)
            if len(words) >= 3:
                total += Measure(len(words), 1, sum(map(syllables, words)))
    return total


def sentences(text: str) -> list[str]:
    """Each with its end; a text that ends in a colon is one too."""
    text = re.sub(r"https?://\S+|\S+@\S+|[^.?!]*·", "", " ".join(text.split()))
    return re.findall(r"[^.?!]*[^\s.?!][.?!]+[”»)]*(?=\s|$)|[^.?!]+:$", text)


class Blocks(HTMLParser):
    """The texts of a page as they are read: one for each paragraph, point of a list or cell; `main` alone, if any."""

    def __init__(self, language: str):
        super().__init__()
        self.language, self.texts, self.stack = language, [""], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in BLOCKS or given.get("class") in BESIDE:
            self.texts.append("")
        if tag not in EMPTY:
            is_foreign = given.get("lang", self.language) != self.language
            is_apart = given.get("class") in MEASURED_APART
            self.stack.append((tag, tag in NOT_READ or is_foreign or is_apart or "hidden" in given))

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop()[0] != tag:
            pass
        if tag in BLOCKS:
            self.texts.append("")

    def handle_data(self, data):
        if any(unread for _, unread in self.stack):
            return
        is_as_typed = any(tag == "pre" for tag, _ in self.stack)
        first, *others = re.split(r"\n\s*\n", data) if is_as_typed else [data]
        self.texts[-1] += first
        self.texts += others


def page_texts(html: str, language: str) -> list[str]:
    parser = Blocks(language)
    parser.feed(re.search(r"<main.*?</main>", html, re.DOTALL).group() if "<main" in html else html)
    return [text.strip() for text in parser.texts if text.strip()]
