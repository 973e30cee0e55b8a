"""A new person's first place, in Spanish, on a small old phone without JavaScript; and how much the phone must load.

Found by addresses and names of fields, so that better words break nothing here.
"""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from groups.models import Group
from meetings.models import Meeting, Participation
from members.models import Member
from tests import make
from tests.browser import is_wider_than_the_window, press, shot
from tests.site import running_site
from tests.test_walk import zone_where_it_is_day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NEWCOMER = "luz@example.org"
TYPED = "input:not([type=hidden], [type=checkbox], [type=submit]), textarea, select"
TELLING = r"recover|addict|sober|\bAA\b|recupera|adicc|consumo|alcohol|grupo|group|apoyo|support|terapia|Sauce"


@pytest.fixture
def meeting(transactional_db) -> Meeting:
    zone = zone_where_it_is_day()
    group = make.group(name="Sauce de la tarde", time_zone=zone.key, language="es", enrolment=Group.Enrolment.OPEN)
    make.agreement(group, text="Lo que se dice aquí, aquí se queda.", language="es")
    soon = make.meeting(group, starts_at=timezone.now() + timedelta(hours=36))
    for days in range(3, 63):  # a full page of the list
        make.meeting(group, starts_at=timezone.now() + timedelta(days=days), series=soon.series)
    return soon


def test_new_person_finds_a_meeting_and_has_a_place(tmp_path, meeting, browser):
    with running_site(tmp_path) as site:
        loaded = {address: kilobytes_of_first_load(browser, site.url + address) for address in ("/", "/meetings/")}
        phone = browser.new_context(
            base_url=site.url, viewport={"width": 320, "height": 568}, locale="es-MX", java_script_enabled=False
        ).new_page()
        phone.set_default_timeout(15_000)

        def see(name):
            shot(phone, f"first-place-{name}-320-es")
            assert phone.locator("html").get_attribute("lang") == "es"
            assert not re.search(TELLING, phone.title(), re.IGNORECASE)
            assert not is_wider_than_the_window(phone), name

        # The next meeting is on the first page.
        phone.goto("/")
        see("1-home")
        press(phone.locator(f"main a[href='{meeting.get_absolute_url()}']").first)
        see("2-meeting")
        assert "12 Hidden Lane" not in phone.content()

        # Three things to type, and no more.
        press(phone.locator("main a[href^='/accounts/signup/']").first)
        see("3-sign-up")
        form = phone.locator("main form")
        asked = [field.get_attribute("name") for field in form.locator(TYPED).all()]
        trap = [field.get_attribute("name") for field in form.locator("[aria-hidden=true]").locator(TYPED).all()]
        assert sorted(set(asked) - set(trap)) == ["display_name", "email", "password1"]
        form.locator("[name=email]").fill(NEWCOMER)
        form.locator("[name=display_name]").fill("Luz")
        form.locator("[name=password1]").fill(make.PASSWORD)
        press(form.locator("button[type=submit]"))

        # The address is confirmed by a code from the mail, and the meeting is there again.
        phone.locator("[name=code]").fill(site.wait_for_mail(NEWCOMER, ".").code)
        see("4-code")
        phone.locator("main form:has([name=code]) button").first.click()
        phone.wait_for_url(f"**{meeting.get_absolute_url()}")

        # The ground rules come first, then the place.
        phone.locator("button[name=answer][value=going]").click()
        phone.locator("[name=accept]").check()
        phone.locator("[name=reminders]").check()
        see("5-ground-rules")
        press(phone.locator("main form:has([name=accept]) button").first)
        if not Participation.objects.filter(rsvp="going").exists():
            phone.goto(meeting.get_absolute_url())
            phone.locator("button[name=answer][value=going]").click()
        phone.get_by_text("12 Hidden Lane").first.wait_for()
        see("6-place")
        newcomer = Member.objects.get(email=NEWCOMER)
        place = Participation.objects.get()
        assert (place.meeting, place.member, place.rsvp, newcomer.language) == (meeting, newcomer, "going", "es")

        # A mail that tells a stranger nothing.
        mail = site.wait_for_mail(NEWCOMER, "Recordatorio")
        assert not re.search(TELLING, f"{mail.subject} {mail.text}", re.IGNORECASE)

    assert {address: size for address, size in loaded.items() if size >= 100} == {}, loaded


def kilobytes_of_first_load(browser, url: str) -> float:
    """Everything that comes over the line for somebody who was never here, as it comes: compressed, with headers."""
    page = browser.new_context().new_page()
    finished = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.goto(url, wait_until="networkidle")
    sizes = [request.sizes() for request in finished]
    page.context.close()
    assert len(sizes) >= 2
    return sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes) / 1000
