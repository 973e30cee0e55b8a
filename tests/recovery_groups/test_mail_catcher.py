"""The mail catcher as it runs beside the site: SMTP in, pages and JSON out."""

import http.client
import json
import os
import smtplib
import socket
import subprocess
import sys
import time
from email.message import EmailMessage

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def catcher(tmp_path_factory):
    smtp, web = free_port(), free_port()
    directory = tmp_path_factory.mktemp("mail")
    settings = {"MAIL_SMTP_PORT": str(smtp), "MAIL_WEB_PORT": str(web), "MAIL_DIRECTORY": str(directory)}
    process = subprocess.Popen([sys.executable, "-m", "recovery_groups.mail_catcher"], env={**os.environ, **settings})
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", smtp)).close()
            break
        except OSError:
            time.sleep(0.05)
    yield {"smtp": smtp, "web": web}
    process.terminate()
    assert process.wait(10) == 0


def send(catcher, *, to: str, subject: str = "Thursday, 7:00 pm", text: str = "", html: str = "") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Meetings <reminders@example.org>", to, subject
    mail["List-Unsubscribe"] = "<https://example.org/u/token/>"
    mail.set_content(text or "You have a place: https://example.org/m/token/.")
    if html:
        mail.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", catcher["smtp"], timeout=5) as server:
        server.send_message(mail)


def get(catcher, path: str, *, host: str | None = None) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", catcher["web"], timeout=5)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode()


def messages(catcher, to: str) -> list[dict]:
    return json.loads(get(catcher, f"/messages.json?to={to}")[2])


def test_mail_can_be_read_as_data(catcher):
    send(catcher, to="mia@example.org", text="Sí, hay sitio.")

    [mail] = messages(catcher, "mia@example.org")

    assert mail["to"] == "mia@example.org"
    assert mail["subject"] == "Thursday, 7:00 pm"
    assert mail["text"].strip() == "Sí, hay sitio."
    assert mail["headers"]["List-Unsubscribe"] == "<https://example.org/u/token/>"
    assert mail["recipients"] == ["mia@example.org"]


def test_mail_is_listed_newest_first(catcher):
    for subject in ("one", "two", "three"):
        send(catcher, to="order@example.org", subject=subject)

    assert [mail["subject"] for mail in messages(catcher, "order@example.org")] == ["three", "two", "one"]
    page = get(catcher, "/")[2]
    assert page.index(">three<") < page.index(">two<") < page.index(">one<")


def test_mail_page_shows_text_with_links_that_work(catcher):
    send(catcher, to="text@example.org")
    [mail] = messages(catcher, "text@example.org")

    status, headers, page = get(catcher, f"/messages/{mail['id']}")

    assert status == 200
    assert 'href="https://example.org/m/token/"' in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_mail_with_html_cannot_run_anything(catcher):
    send(catcher, to="<html@example.org>", subject="<b>bold</b>", html="<p>Hello</p><script>alert(1)</script>")
    [mail] = messages(catcher, "html@example.org")

    page = get(catcher, f"/messages/{mail['id']}")[2]
    _status, headers, part = get(catcher, f"/messages/{mail['id']}/html")

    assert "<script" not in page
    assert "<b>bold" not in page
    assert '<iframe sandbox="allow-popups' in page
    assert "<p>Hello</p>" in part
    assert headers["Content-Security-Policy"].startswith("sandbox allow-popups")
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/messages/nothing", "/messages/..%2f..%2fetc%2fpasswd", "/messages/../../x", "/x"])
def test_pages_that_do_not_exist_say_so(catcher, path):
    assert get(catcher, path)[0] == 404


def test_page_elsewhere_cannot_read_mail_by_pointing_its_name_here(catcher):
    assert get(catcher, "/messages.json", host="evil.example:8025")[0] == 403
    assert get(catcher, "/messages.json", host=f"localhost:{catcher['web']}")[0] == 200


def test_port_in_use_is_one_line(catcher, tmp_path):
    settings = {"MAIL_SMTP_PORT": str(free_port()), "MAIL_WEB_PORT": str(catcher["web"])}
    words = [sys.executable, "-m", "recovery_groups.mail_catcher"]

    done = subprocess.run(
        words, env={**os.environ, **settings, "MAIL_DIRECTORY": str(tmp_path)}, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stderr.startswith("The mail catcher cannot listen on 127.0.0.1")
    assert done.stderr.count("\n") == 1
