"""The coming week in a frame of another site: for the sites that are named, without cookies, in their language."""

import http.server
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from meetings.services import cancel_meeting
from tests import make
from tests.browser import accessibility_faults, is_wider_than_the_window, shot
from tests.recovery_groups.test_settings import PRODUCTION, start

TOWN = "https://town.example"


@pytest.fixture
def embedded(settings):
    settings.EMBED_SITES = [TOWN]
    return reverse("meetings:embed")


def test_named_sites_and_no_others_may_frame_it(client, db, embedded):
    answer = client.get(embedded)

    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    assert policy["frame-ancestors"] == TOWN
    assert "X-Frame-Options" not in answer
    assert not answer.cookies
    assert answer["Cache-Control"] == "public, max-age=300"


def test_without_named_sites_there_is_no_such_page(client, db, settings):
    settings.EMBED_SITES = []

    assert client.get(reverse("meetings:embed")).status_code == 404


def test_other_pages_may_be_framed_by_nobody(client, db, embedded):
    answer = client.get(reverse("meetings:meeting_list"))

    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"


def test_it_shows_the_coming_week_of_listed_groups(client, db, embedded, settings):
    settings.SITE_URL = "https://meet.example"
    now = timezone.now()
    open_one, hidden = make.group(name="Willow"), make.group(name="Cedar", is_listed=False)
    soon = make.meeting(open_one)
    off = make.meeting(open_one, starts_at=now + timedelta(days=3))
    cancel_meeting(off, by=make.member(), reason="Flood at 12 Hidden Lane")
    make.meeting(open_one, starts_at=now + timedelta(days=8))
    make.meeting(hidden)

    page = client.get(embedded).content.decode()

    assert page.count("Willow") == 2
    assert page.count("Cancelled") == 1
    assert f'href="https://meet.example{soon.get_absolute_url()}" target="_blank" rel="noopener"' in page
    assert [word for word in ("Cedar", "Hidden Lane", "hidden-room") if word in page] == []


def test_an_empty_week_says_so(client, db, embedded):
    assert "No meeting is planned for this week." in client.get(embedded).content.decode()


@pytest.mark.parametrize(("query", "language"), [("", "en"), ("?language=es", "es"), ("?language=%00x", "en")])
def test_it_speaks_the_language_it_is_asked_for(client, db, embedded, query, language):
    answer = client.get(embedded + query, headers={"Accept-Language": "es" if language == "en" else "en"})

    assert f'<html lang="{language}">' in answer.content.decode()
    assert answer["Content-Language"] == language


@pytest.mark.parametrize("count", [3, 300])
def test_it_asks_one_question_whatever_there_is(client, db, embedded, count):
    group = make.group()
    start_at = timezone.now() + timedelta(hours=1)
    first = make.meeting(group, starts_at=start_at)
    for n in range(1, count):
        make.meeting(group, starts_at=start_at + timedelta(minutes=n), series=make.series(group))

    with CaptureQueriesContext(connection) as asked:
        page = client.get(embedded).content.decode()

    assert len(asked) == 1
    assert first.group.name in page


@pytest.mark.parametrize("wrong", ["town.example", "https://town.example/", "https://a.example; script-src *", "*"])
def test_a_wrong_site_stops_the_start(wrong):
    done = start(**PRODUCTION, EMBED_SITES=wrong)

    assert done.returncode != 0
    assert "ImproperlyConfigured: EMBED_SITES has" in done.stderr


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_shows_in_the_frame_of_another_site(browser, live_server, settings, scheme):
    make.meeting(make.group(name="Willow"))
    settings.SITE_URL = live_server.url
    frame = f'<iframe src="{live_server.url}{reverse("meetings:embed")}" title="Meetings" width="100%" height="600">'
    with other_site(frame) as there, other_site(frame) as stranger:
        settings.EMBED_SITES = [there]
        page = browser.new_context(viewport={"width": 320, "height": 700}, color_scheme=scheme).new_page()
        page.goto(there)
        page.frame_locator("iframe").get_by_role("link", name="Willow").wait_for()
        shot(page, f"embed-320-{scheme}")
        assert accessibility_faults(page) == []

        page.goto(live_server.url + reverse("meetings:embed"))
        assert not is_wider_than_the_window(page)

        page.goto(stranger)
        assert page.frame_locator("iframe").get_by_role("link", name="Willow").count() == 0
        page.context.close()


class other_site:
    """A page of somebody else's, on a port of its own."""

    def __init__(self, body: str):
        page = f'<!doctype html><html lang="en"><title>Town</title><main><h1>Town</h1>{body}</iframe></main>'.encode()

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()
