"""The colours of the site as the style sheet names them, and how well one is read on another (WCAG 2.2, 1.4.3, 1.4.11).

No models, no requests: the style guide shows these figures and a test holds them.
"""

import re
from pathlib import Path

STYLE_SHEET = Path(__file__).resolve().parent.parent / "static" / "site.css"
SCHEMES = {
    "light": r":root \{",
    "dark": r':root:not\(\[data-bs-theme="light"\]\) \{',
    "dark, chosen": r':root\[data-bs-theme="dark"\] \{',
}
READ_AT_LEAST = 4.5
SEEN_AT_LEAST = 3.0

GROUNDS = ("paper", "card", "accent-wash", "go-wash", "warm-wash", "stop-wash")
TEXT = [
    *(("ink", ground) for ground in GROUNDS),
    *(("soft", ground) for ground in ("paper", "card")),
    *((colour, ground) for colour in ("accent", "accent-strong", "stop") for ground in GROUNDS),
    *((colour, ground) for colour in ("go", "warm") for ground in ("paper", "card", f"{colour}-wash")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("paper", "go"),
    ("paper", "warm"),
    ("ink", "glow"),
]
EDGES = [
    *(("soft", ground) for ground in GROUNDS),
    *((colour, "paper") for colour in ("accent", "go", "warm", "stop")),
    *((colour, "card") for colour in ("accent", "go", "warm", "stop")),
]


def colours(scheme: str) -> dict[str, str]:
    """Each token that is a plain colour, as #rrggbb, in one of SCHEMES."""
    found = re.search(rf"^\s*{SCHEMES[scheme]}(.*?)^\s*\}}", STYLE_SHEET.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"no colours for {scheme}"
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", found.group(1)))


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
