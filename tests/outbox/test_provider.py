"""Webhooks of mail providers, read by the real django-anymail: who may report, and what a report stops."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import include, path

from members.models import Member
from outbox import bounces, provider, services
from outbox.models import BouncedAddress, Email
from recovery_groups.urls import urlpatterns
from tests import make
from tests.recovery_groups.test_settings import PRODUCTION, start

SECRET = "reports:a-long-password-of-theirs"
SIGNING_KEY = "key-of-the-provider"


@pytest.fixture
def sent(db, smtp, queue_notes):
    """A mail that was sent, and to whom."""
    (person,) = queue_notes(1)
    services.deliver()
    return Email.objects.get(), person


@pytest.fixture
def post(client, settings):
    """Post what a provider would, to its address."""

    def post(name, payload, *, secret=SECRET):
        settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}
        settings.ROOT_URLCONF = (path("anymail/", include(provider.tracking_urls(name))), *urlpatterns)
        headers = {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"} if secret else {}
        return client.post(f"/anymail/{name}/tracking/", payload, content_type="application/json", headers=headers)

    return post


def mailgun(
    email,
    address,
    *,
    event="failed",
    severity="permanent",
    code=550,
    words="5.1.1 nobody of that name",
    key=SIGNING_KEY,
):
    """As Mailgun sends it, signed."""
    timestamp, token = str(int(time.time())), "3f6a9c" * 8
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": timestamp, "token": token, "signature": signature},
        "event-data": {
            "event": event,
            "severity": severity,
            "reason": "bounce",
            "id": "G9Bn5sl1TC6nu79C8C0bwg",
            "timestamp": time.time(),
            "recipient": address,
            "message": {"headers": {"message-id": email.message_id.strip("<>"), "to": address, "subject": "Reminder"}},
            "delivery-status": {"code": 550, "message": "5.1.1 nobody of that name", "description": ""},
            "user-variables": {},
            "tags": [],
        },
    }


def postmark(address, *, kind="HardBounce", details="smtp;550 5.1.1 The address does not exist"):
    """As Postmark sends it: with an id of its own for the mail."""
    return {
        "RecordType": "SpamComplaint" if kind == "SpamComplaint" else "Bounce",
        "ID": 4323372036854775807,
        "Type": kind,
        "TypeCode": 1,
        "Name": "Hard bounce",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Description": "The server was unable to deliver your message",
        "Details": details,
        "Email": address,
        "From": "reminders@site.example",
        "BouncedAt": "2099-08-01T13:28:10.2735393-04:00",
        "Inactive": True,
        "CanActivate": True,
        "Subject": "Reminder",
    }


def is_stopped(person) -> bool:
    return bounces.sends_mail_back(Member.objects.get(pk=person.pk))


def test_hard_bounce_stops_mail_and_is_noted_at_the_mail(sent, post):
    email, person = sent

    answers = [post("mailgun", mailgun(email, person.email)).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert list(Email.objects.values_list("state", "reason")) == [("bounced", "5.1.1")]
    assert list(BouncedAddress.objects.values_list("member", "status")) == [(person.pk, "5.1.1")]


@pytest.mark.parametrize(
    ("kind", "details", "status"),
    [
        ("HardBounce", "smtp;550 5.1.1 The address does not exist", "5.1.1"),
        ("HardBounce", "smtp;550 no such user", "5.0.0"),
        ("HardBounce", "", "5.0.0"),
        ("BadEmailAddress", "", "5.0.0"),
        ("SpamComplaint", "", "complaint"),
        ("SoftBounce", "smtp;452 4.2.2 over quota", None),
        ("SoftBounce", "", None),
        ("Transient", "smtp;451 later", None),
        ("Blocked", "smtp;554 5.7.1 blocked by policy", None),
        ("HardBounce", "smtp;554 5.7.1 blocked by policy", None),
        ("DMARCPolicy", "", None),
        ("AutoResponder", "", None),
        ("Unknown", "", None),
    ],
)
def test_what_a_provider_says_without_our_message_id(sent, post, kind, details, status):
    _email, person = sent

    assert post("postmark", postmark(person.email, kind=kind, details=details)).status_code == 200

    assert list(BouncedAddress.objects.values_list("status", flat=True)) == ([status] if status else [])


@pytest.mark.parametrize(
    ("event", "severity"), [("failed", "temporary"), ("delivered", None), ("opened", None), ("accepted", None)]
)
def test_delays_and_deliveries_stop_nothing(sent, post, event, severity):
    email, person = sent

    assert post("mailgun", mailgun(email, person.email, event=event, severity=severity)).status_code == 200

    assert (Email.objects.get().state, is_stopped(person)) == ("sent", False)


def test_complaint_stops_mail_though_it_arrived(sent, post):
    email, person = sent

    post("mailgun", mailgun(email, person.email, event="complained"))

    assert (Email.objects.get().state, BouncedAddress.objects.get().status) == ("sent", "complaint")


@pytest.mark.parametrize(
    ("secret", "key"),
    [(None, SIGNING_KEY), ("reports:wrong", SIGNING_KEY), (SECRET, "a-key-of-somebody-else"), ("", "")],
)
def test_forged_report_stops_nobodys_mail(sent, post, secret, key):
    """The secret and the signature are both looked at: one alone is not believed."""
    email, person = sent

    answer = post("mailgun", mailgun(email, person.email, key=key), secret=secret)

    assert (answer.status_code, Email.objects.get().state, is_stopped(person)) == (400, "sent", False)


def test_report_of_an_address_nobody_has_is_let_go(sent, post):
    email, person = sent
    other = make.member("Other")

    assert post("mailgun", mailgun(email, "nobody@example.org")).status_code == 200
    assert post("mailgun", mailgun(email, "")).status_code == 200

    assert (Email.objects.get().state, is_stopped(person), is_stopped(other)) == ("sent", False, False)


def test_only_the_provider_in_use_has_an_address():
    assert [str(one.pattern) for one in provider.tracking_urls("mailgun")] == ["mailgun/tracking/"]


def test_provider_that_anymail_does_not_know_is_said():
    with pytest.raises(ImproperlyConfigured, match=r"can be one of: .*mailgun, .*postmark"):
        provider.tracking_urls("pigeon")


@pytest.mark.parametrize("keys", ["{}", '{"WEBHOOK_SECRET": "short"}'])
def test_site_does_not_start_where_everybody_would_be_believed(keys):
    said = start(**PRODUCTION, ANYMAIL_PROVIDER="mailgun", ANYMAIL=keys).stderr

    assert "ANYMAIL needs a WEBHOOK_SECRET" in said
    assert (
        start(**PRODUCTION, ANYMAIL_PROVIDER="mailgun", ANYMAIL=json.dumps({"WEBHOOK_SECRET": SECRET})).returncode == 0
    )
