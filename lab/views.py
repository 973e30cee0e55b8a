"""The wording lab: what each mail says in each language, other words for it, and two of them side by side."""

import re
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from groups.models import Group
from members.models import Member
from outbox import kinds
from outbox.letters import example_letter, own_words
from outbox.models import OWN, Email, Wording, WordingPeriod
from outbox.wordings import EditableLetter, Words, advice, problems

from . import access, services
from .forms import DecisionForm, WordsForm

PICTURES = signing.Signer(salt="lab.picture")
ON_A_PAGE = 20


@require_safe
def letter_list(request):
    access.get_coordinator(request)
    in_use = {(period.letter, period.language): period for period in WordingPeriod.objects.open()}
    letters = [
        (letter, [(code, name, in_use.get((letter.name, code))) for code, name in settings.LANGUAGES])
        for letter in kinds.editable_letters().values()
    ]
    not_sent = [
        letter.name for name in kinds.names() if not kinds.is_sent_here(name) for letter in kinds.get(name).letters
    ]
    return render(request, "lab/letter_list.html", {"letters": letters, "not_sent": not_sent})


@require_safe
def letter_detail(request, name, language):
    """What a mail says now, all words there are for it, and when which were in use."""
    letter = access.get_letter(request, name, language)
    period = _open_period(name, language)
    wordings = Wording.objects.of(name, language).select_related("written_by")
    periods = WordingPeriod.objects.of(name, language).with_people()
    context = {
        **_head(letter, language),
        "period": period,
        "now": _now(letter, language, period),
        "page": Paginator(wordings, ON_A_PAGE).get_page(request.GET.get("page")),
        "periods": periods[:ON_A_PAGE],
    }
    return render(request, "lab/letter_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def letter_write(request, name, language):
    """Write words, from those in use or from the ones asked for. Nobody gets them by this."""
    letter = access.get_letter(request, name, language)
    last = Wording.objects.of(name, language).last_number()
    if request.method != "POST":
        words = _words_to_start_from(request, letter, language)
        form = WordsForm(initial={**_as_fields(words), "after": last}, letter=letter, language=language)
        return _write_page(request, form, words)
    form = WordsForm(request.POST, letter=letter, language=language)
    valid = form.is_valid()
    if "preview" in request.POST or not valid:
        return _write_page(request, form, form.words, status=200 if valid else 400)
    after = form.cleaned_data["after"]
    wording = services.write_words(letter, language, form.words, after=after, by=request.user)
    if wording is None:  # somebody has written meanwhile: show it, keep what was typed
        theirs = Wording.objects.of(name, language).select_related("written_by").first()
        again = request.POST.copy()
        again["after"] = Wording.number_of(theirs)
        form = WordsForm(again, letter=letter, language=language)
        form.is_valid()
        return _write_page(request, form, form.words, theirs=theirs, status=409)
    messages.success(request, _("Saved. Nobody gets these words yet: look at them, and then decide."))
    return redirect("lab:letter_words", name, language, wording.number)


@require_POST
def letter_preview(request, name, language):
    """The picture of what is being typed, for the script of the page."""
    letter = access.get_letter(request, name, language)
    form = WordsForm(request.POST, letter=letter, language=language)
    form.is_valid()
    return render(request, "lab/_picture.html", {"picture": _picture(letter, language, form.words)})


@require_http_methods(["GET", "HEAD", "POST"])
def letter_words(request, name, language, number):
    """Words as they will look, who will get them, and the decision: for everybody, or for one half as a test."""
    wording = access.get_wording(request, name, language, number)
    letter = access.get_letter(request, name, language)
    words = _words_of(wording, letter, language)
    wrong = _problems(words, letter, language) if wording else {}
    form = DecisionForm(request.POST or None)
    is_late = False
    if form.is_valid() and not wrong:
        if _decide(letter, language, wording, form.cleaned_data, by=request.user):
            messages.success(request, _say_decided(form.cleaned_data["do"]))
            return redirect("lab:letter_detail", name, language)
        is_late = True
    period = _open_period(name, language)
    context = {
        **_head(letter, language),
        "number": number,
        "wording": wording,
        "picture": _picture(letter, language, words),
        "wrong": [sentence for sentences in wrong.values() for sentence in sentences],
        "period": period,
        "is_late": is_late,
        "is_in_use": number == (period.number_a if period else OWN) and not (period and period.is_test),
        "people": Member.objects.filter(is_active=True, language=language).count(),
    }
    status = 200 if request.method != "POST" else 409 if is_late else 400
    return render(request, "lab/letter_words.html", context, status=status)


@require_safe
@xframe_options_sameorigin
@csp_replace(  # type: ignore[arg-type]  # it takes views with arguments too
    {
        "default-src": [NONE],
        "img-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "form-action": [NONE],
        "frame-ancestors": [SELF],
        "sandbox": True,
    }
)
def letter_picture(request, token):
    """The HTML of a letter with made-up facts, in the frame of a page of ours. Its links lead nowhere.

    The words come in a token of ours, so that nobody can show a coordinator something else under our address.
    """
    try:
        name, language, *words = PICTURES.unsign_object(token)
    except signing.BadSignature:
        access.get_coordinator(request)
        raise Http404 from None
    letter = access.get_letter(request, name, language)
    with translation.override(language):
        html = example_letter(letter, Words(*words)).html
    return HttpResponse(re.sub(r'href="[^"]*"', 'href="#"', html))


# --- What the pages show ----------------------------------------------------------------------------------------------


def _head(letter: EditableLetter, language: str) -> dict[str, Any]:
    return {"letter": letter, "language": language, "language_name": dict(settings.LANGUAGES)[language]}


def _open_period(name: str, language: str) -> WordingPeriod | None:
    return WordingPeriod.objects.of(name, language).open().with_people().first()


def _now(letter: EditableLetter, language: str, period: WordingPeriod | None) -> list[dict[str, Any]]:
    """What people get now: one wording, or the two of a test."""
    if period is None:
        words = _words_of(None, letter, language)
        return [{"number": OWN, "picture": _picture(letter, language, words)}]
    sent = Email.objects.sent_by_variant(period.pk)
    return [
        {
            "variant": variant,
            "number": Wording.number_of(period.wording(variant)),
            "picture": _picture(letter, language, _words_of(period.wording(variant), letter, language)),
            "sent": sent.get(variant, 0),
        }
        for variant in ("AB" if period.is_test else "A")
    ]


def _words_of(wording: Wording | None, letter: EditableLetter, language: str) -> Words:
    if wording:
        return wording.words
    with translation.override(language):
        return own_words(letter)


def _words_to_start_from(request, letter: EditableLetter, language: str) -> Words:
    """Those of the number asked for, otherwise those in use."""
    if (asked := request.GET.get("from", "")).isdecimal() and len(asked) < 9:
        wording = access.get_wording(request, letter.name, language, int(asked))
    else:
        period = _open_period(letter.name, language)
        wording = period.a if period else None
    return _words_of(wording, letter, language)


def _as_fields(words: Words) -> dict[str, str]:
    return {"subject": words.subject, "opening": words.opening, "closing": words.closing}


def _problems(words: Words, letter: EditableLetter, language: str) -> dict[str, list[str]]:
    """Asked again before words go out: a group may have got such a name since."""
    return problems(words, letter, language, group_names=Group.objects.values_list("name", flat=True))


def _picture(letter: EditableLetter, language: str, words: Words) -> dict[str, Any]:
    """How words look: on a locked phone, opened (an address for a frame), as text; and what could be better."""
    with translation.override(language):
        written = example_letter(letter, words)
    token = PICTURES.sign_object([letter.name, language, *words], compress=True)
    return {
        "language": language,
        "subject": " ".join(written.subject.split()),
        "opening": written.text.split("\n")[0],
        "text": written.text,
        "address": reverse("lab:letter_picture", args=[token]),
        "advice": [sentence for said in advice(words, letter, language).values() for sentence in said],
    }


def _write_page(request, form: WordsForm, words: Words, *, theirs: Wording | None = None, status: int = 200):
    letter, language = form.letter, form.language
    context = {
        **_head(letter, language),
        "form": form,
        "theirs": theirs,
        "placeholders": [(f"{{{name}}}", about, fact) for name, about, fact in _placeholders(letter, language)],
        "required": [f"{{{name}}}" for name in letter.required],
        "picture": _picture(letter, language, words),
    }
    return render(request, "lab/letter_write.html", context, status=status)


def _placeholders(letter: EditableLetter, language: str) -> list[tuple[str, Any, str]]:
    facts = letter.facts(language)
    return [(name, about, facts[name]) for name, about in letter.placeholders.items()]


def _decide(letter: EditableLetter, language: str, wording: Wording | None, decision: dict, *, by: Member) -> bool:
    if decision["do"] == DecisionForm.TRY:
        return services.try_words(letter, language, wording, beside=decision["seen"], by=by)
    return services.use_words(letter, language, wording, instead_of=decision["seen"], by=by)


def _say_decided(do: str) -> str:
    if do == DecisionForm.TRY:
        return _("The test has begun. From the next mail on, each person gets A or B, and always the same.")
    return _("Done. From the next mail on, everybody gets these words.")
