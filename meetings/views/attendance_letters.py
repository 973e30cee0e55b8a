"""Attendance letters: a member's own, whether one is genuine, and what goes to somebody else with their consent."""

from datetime import timedelta

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from groups.models import Group

from .. import access, services, wording
from ..letter_forms import DisclosureForm, LetterForm, VerifyForm
from ..letter_models import AttendanceLetter, Disclosure, DisclosureConsent
from ..letter_pdf import Paper, UnknownLetters, letter_pdf
from ..models import Participation


@require_http_methods(["GET", "POST"])
def my_letters(request):
    """Ask for a letter about meetings one came to, and find those one has."""
    came_to = Participation.objects.attended().filter(member=request.user).values("meeting__group")
    groups = Group.objects.filter(pk__in=came_to)
    with_letters = groups.giving_letters()
    today = timezone.now().astimezone(request.zone).date()
    form = LetterForm(
        request.POST if request.method == "POST" else None,
        groups=with_letters,
        initial={"first": today - timedelta(days=90), "last": today},
    )
    if form.is_valid():
        if not ratelimit.consume(request, action="letter", user=request.user):
            return render(request, "429.html", status=429)
        wanted = {name: form.cleaned_data[name] for name in ("group", "first", "last")}
        if letter := services.issue_letter(**wanted, by=request.user):
            messages.success(request, _("Here is your letter. You can print it now or later."))
            return redirect("meetings:my_letter", letter_id=letter.pk)
        form.add_error(None, _("There is no meeting in these days that you came to. Look at the days again."))
    return render(
        request,
        "meetings/letters/my_letters.html",
        {
            "form": form,
            "with_letters": with_letters,
            "without_letters": groups.not_giving_letters(),
            "letters": AttendanceLetter.objects.filter(member=request.user).select_related("group")[:100],
        },
        status=400 if form.is_bound else 200,
    )


@require_safe
def my_letter(request, letter_id):
    """One's own letter, to read and print."""
    letter = access.get_own_letter(request, letter_id)
    return render(request, "meetings/letters/my_letter.html", _told(letter))


@require_safe
def my_letter_pdf(request, letter_id):
    """The same as a file, under a name that says nothing."""
    letter = access.get_own_letter(request, letter_id)
    try:
        file = letter_pdf(_paper(letter))
    except UnknownLetters:
        messages.warning(
            request, _("The file cannot hold the letters your name is written in. Print this page instead.")
        )
        return redirect("meetings:my_letter", letter_id=letter.pk)
    headers = {"Content-Disposition": f'attachment; filename="letter-{letter.number}.pdf"'}
    return HttpResponse(file, content_type="application/pdf", headers=headers)


def _paper(letter: AttendanceLetter) -> Paper:
    """The words of a letter, as on its page."""
    told = _told(letter)
    words = {"name": letter.name, "label": letter.group_label, "number": letter.number, "code": letter.code}
    headings = [_("Date"), _("Minutes"), _("There")]
    return Paper(
        title=_("Letter of attendance"),
        before=[wording.full_day(letter.issued_on), _("%(name)s came to these meetings: %(label)s.") % words],
        rows=[headings, *([wording.full_day(row.on), str(row.minutes), row.there] for row in told["dates"])],
        after=[
            "\n".join([", ".join(filter(None, [letter.facilitator, letter.credential])), settings.SITE_NAME]),
            _("Letter %(number)s, code %(code)s.") % words
            + " "
            + _("Anybody who has this letter can check it at %(address)s") % {"address": told["verify_address"]},
        ],
        small=str(settings.PART_2_NOTICE),
        made_at=letter.issued_at,
    )


@require_http_methods(["GET", "POST"])
def my_letter_share(request, letter_id):
    """Say to whom else one's letter may go, take it back, and see where it went."""
    letter = access.get_own_letter(request, letter_id)
    if "withdraw" in request.POST:
        consent = access.get_own_consent(letter, request.POST["withdraw"])
        if services.withdraw_disclosure(consent, by=request.user):
            messages.success(request, _("Taken back. From now on nothing goes there."))
        return redirect("meetings:my_letter_share", letter_id=letter.pk)
    form = DisclosureForm(request.POST if request.method == "POST" else None, letter=letter)
    if form.is_valid():
        services.allow_disclosure(letter, by=request.user, **form.facts())
        messages.success(request, _("Noted. You can take it back on this page at any time."))
        return redirect("meetings:my_letter_share", letter_id=letter.pk)
    consents = DisclosureConsent.objects.filter(letter=letter).prefetch_related("disclosures").order_by("-given_at")
    context = {"letter": letter, "form": form, "consents": consents}
    return render(request, "meetings/letters/my_letter_share.html", context, status=400 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
def letter_detail(request, letter_id):
    """For who runs the group: that a letter was issued, not what it says. Revoke it, or give it to whom they may."""
    letter = access.get_letter_as_facilitator(request, letter_id)
    consents = DisclosureConsent.objects.standing().filter(letter=letter).order_by("given_at")
    status = 200
    if "revoke" in request.POST:
        if services.revoke_letter(letter, by=request.user):
            messages.success(request, _("Revoked. From now on this letter does not count as genuine."))
        return redirect("meetings:letter_detail", letter_id=letter.pk)
    if request.method == "POST":
        consent = access.get_uuid(request.POST.get("disclose", ""))
        if disclosure := services.disclose_letter(letter, consent, by=request.user):
            return redirect("meetings:letter_disclosed", disclosure_id=disclosure.pk)
        messages.warning(request, _("No consent stands for this. The letter was not shown, and your try was noted."))
        status = 403
    return render(
        request, "meetings/letters/letter_detail.html", {"letter": letter, "consents": consents}, status=status
    )


@require_safe
def letter_disclosed(request, disclosure_id):
    """The letter with its notice and the consent, for whoever made it ready, to print; for an hour, while it stands."""
    disclosure: Disclosure = access.get_disclosure(request, disclosure_id)
    letter = disclosure.consent.letter
    context = _told(letter) | {"consent": disclosure.consent}
    return render(request, "meetings/letters/letter_disclosed.html", context)


def _told(letter: AttendanceLetter) -> dict:
    """What a letter says."""
    verify_address = settings.SITE_URL + reverse("meetings:verify")
    return {"letter": letter, "dates": letter.dates.all(), "verify_address": verify_address}


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request):
    """Whether a letter is genuine, and for which dates. Of what is not, nobody learns why."""
    form = VerifyForm(request.POST if request.method == "POST" else None)
    letter, status = None, 200
    if form.is_bound and not ratelimit.consume(request, action="verify"):
        return render(request, "429.html", status=429)
    is_answered = form.is_valid()
    if is_answered:
        letter = services.verify_letter(**form.cleaned_data)
    elif form.is_bound:
        status = 400
    context = {
        "form": form,
        "is_answered": is_answered,
        "is_genuine": letter is not None,
        "dates": letter.dates.values_list("on", flat=True) if letter else [],
    }
    return render(request, "meetings/letters/verify.html", context, status=status)
