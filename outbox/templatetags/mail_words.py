import re

from django import template

register = template.Library()

NO_BREAK = "\N{NO-BREAK SPACE}"
WITHIN_A_TIME = re.compile(r"(?<=[a-z]) (?=\d{1,2},)|(?<=\d) (?=[ap]m\b|de )|(?<=[\dm]) (?=\([A-Z0-9+:-]{1,6}\))")


@register.filter(is_safe=True)
def unbroken_times(html: str) -> str:
    """HTML in which no line ends within `September 30` or `10:30 pm (PDT)`: none of their parts stands alone."""
    return WITHIN_A_TIME.sub(NO_BREAK, html)


@register.filter(is_safe=True)
def unbroken_choices(label: str) -> str:
    """`Yes, I come / No, I stay`: where it needs two lines, each has one choice. Other labels stay as they are."""
    if " / " not in label:
        return label
    return " ".join(choice.strip().replace(" ", NO_BREAK) for choice in re.split(r"(?<= /) ", label))
