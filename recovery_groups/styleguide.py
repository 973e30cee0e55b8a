"""/styleguide/: every component in every state, and the colours with their contrast. Only with DEBUG."""

from dataclasses import dataclass

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from . import colours


class SampleForm(forms.Form):
    name = forms.CharField(help_text="What others may call you.")
    area = forms.CharField(required=False, initial="Riverside")
    kind = forms.ChoiceField(choices=[("any", "Any"), ("skills", "Skills")])
    how = forms.ChoiceField(
        label="How would you like to come?",
        choices=[("there", "In person"), ("online", "Online")],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    agree = forms.BooleanField(label="I have read the ground rules")


@dataclass
class Figure:
    one: str
    other: str
    ratios: list[str]
    needed: float
    is_enough: bool


def figures(pairs: list[tuple[str, str]], needed: float) -> list[Figure]:
    schemes = [colours.colours(scheme) for scheme in ("light", "dark")]
    found = []
    for one, other in pairs:
        ratios = [colours.contrast(scheme[one], scheme[other]) for scheme in schemes]
        found.append(Figure(one, other, [f"{ratio:.1f}" for ratio in ratios], needed, min(ratios) >= needed))
    return found


@login_not_required
@require_safe
def styleguide(request):
    if not settings.DEBUG:
        raise Http404
    return page(request)


def page(request):
    for level in (messages.info, messages.success, messages.warning, messages.error):
        level(request, f"What we tell once, {level.__name__}.")
    coming = apps.get_model("meetings", "Meeting").objects.upcoming().listed().select_related("group").in_order()
    return render(
        request,
        "styleguide.html",
        {
            "tokens": list(colours.colours("light")),
            "text": figures(colours.TEXT, colours.READ_AT_LEAST),
            "edges": figures(colours.EDGES, colours.SEEN_AT_LEAST),
            "meetings": coming[:3],
            "form": SampleForm(),
            "wrong_form": SampleForm({"area": "Riverside"}),
            "page": Paginator(range(90), 30).page(2),
            "choices": [
                {"label": "List", "url": "#segments", "is_current": True},
                {"label": "Week", "url": "#segments", "is_current": False},
            ],
            "facts": [("For", "people in or seeking recovery"), ("Size", "12 places"), ("Language", "English")],
            "steps": [
                {"at": "18:30 to 18:35", "name": "Arriving", "about": "Somebody says hello and shows you a seat."},
                {"at": "18:35 to 19:20", "name": "Sharing", "about": "You can always pass.", "is_now": True},
                {"at": "19:20 to 19:30", "name": "Closing", "about": ""},
            ],
        },
    )
