"""manage.py check_mail: a real name server and a real mail server on loopback answer."""

import base64
import io
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command

from outbox.mail_check import Verdict, check_domain, check_server
from tests.dns_server import name_server
from tests.smtp_server import free_port


def rsa_key(bits: int) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


KEY = rsa_key(2048)
ED25519_KEY = base64.b64encode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
GOOD = {
    "site.example": ["some-site-verification=1", "v=spf1 include:mail.example -all"],
    "s1._domainkey.site.example": [f"v=DKIM1; k=rsa; p={KEY}"],
    "_dmarc.site.example": ["v=DMARC1; p=quarantine; rua=mailto:a@site.example"],
}


@pytest.fixture
def names():
    with name_server() as server:
        server.records |= GOOD
        yield server


@pytest.fixture
def site(settings):
    settings.DEFAULT_FROM_EMAIL = "Meetings <account@site.example>"
    settings.REMINDERS_FROM_EMAIL = "reminders@site.example"
    settings.DKIM_SELECTORS = ["s1"]
    return settings


def verdicts(records: dict[str, list[str]], selectors=("s1",), domain="site.example") -> dict[str, str]:
    known = GOOD | records
    found = check_domain(domain, selectors, lambda name: known.get(name, []))
    return {finding.about: str(finding.verdict) for finding in found}


def run(names) -> str:
    out = io.StringIO()
    call_command("check_mail", nameserver=names.address, stdout=out)
    return out.getvalue()


def test_all_is_well(site, names, smtp):
    said = run(names)

    assert said.split("\n\n")[0].startswith("\nMail from site.example\n  good     SPF: ")
    assert said.count("\n  good ") == 4
    assert f"127.0.0.1:{smtp.port} lets us in." in said
    assert smtp.taken == []
    assert names.asked == ["site.example", "s1._domainkey.site.example", "_dmarc.site.example"]


def test_each_domain_is_looked_at_once(site, names, smtp):
    site.REMINDERS_FROM_EMAIL = "reminders@MAIL.example"

    with pytest.raises(CommandError, match=r"^3 of 7 are missing: mail may not arrive\.$"):
        run(names)


def test_nothing_is_there(site, names, smtp):
    names.records.clear()
    site.DKIM_SELECTORS = []
    out = io.StringIO()

    with pytest.raises(CommandError, match=r"^3 of 4 are missing"):
        call_command("check_mail", nameserver=names.address, stdout=out)

    said = out.getvalue()
    assert "Add a TXT record to site.example such as “v=spf1 include:your-mail-provider.example -all”." in said
    assert "name its selector in DKIM_SELECTORS" in said
    assert "Add a TXT record to _dmarc.site.example: “v=DMARC1; p=none; rua=mailto:you@site.example”" in said


def test_a_name_server_that_is_silent_is_no_missing_record(site, names, smtp, monkeypatch):
    names.silent = True
    monkeypatch.setattr("outbox.management.commands.check_mail.PATIENCE", 0.5)

    with pytest.raises(CommandError, match=r"^The name server does not tell about site\.example: "):
        run(names)


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        (["v=spf1 -all"], "good"),
        (["V=SPF1 include:mail.example ~ALL"], "good"),
        (["v=spf1 redirect=_spf.mail.example"], "good"),
        (["v=spf1 ip4:192.0.2.1"], "weak"),
        (["v=spf1 ?all"], "weak"),
        (["v=spf1 all"], "missing"),
        (["v=spf1 +all"], "missing"),
        (["v=spf1 -all", "v=spf1 include:mail.example -all"], "missing"),
        (["v=spf10 -all"], "missing"),
        (["v=spf1 " + " ".join(f"include:m{n}.example" for n in range(10)) + " -all"], "good"),
        (["v=spf1 a mx:a.example ptr exists:%{i}.example" + " include:m.example" * 7 + " -all"], "missing"),
        (["v=spf1 " + " ".join(f"ip4:192.0.2.{n}" for n in range(12)) + " -all"], "good"),
        ([], "missing"),
    ],
)
def test_spf(records, verdict):
    assert verdicts({"site.example": records})["SPF"] == verdict


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (f"v=DKIM1; p={KEY}", "good"),
        (f"p={KEY[:100]} {KEY[100:]}", "good"),
        (f"v=DKIM1; k=rsa; t=s; p={KEY}", "good"),
        (f"v=DKIM1; t=y:s; p={KEY}", "weak"),
        (f"v=DKIM1; p={rsa_key(1024)}", "weak"),
        (f"v=DKIM1; k=ed25519; p={ED25519_KEY}", "good"),
        ("v=DKIM1; k=ed25519; p=AAAA", "missing"),
        (f"v=DKIM1; p={KEY[:-30]}", "missing"),
        ("v=DKIM1; p=not base64!", "missing"),
        ("v=DKIM1; p=", "missing"),
        ("something else", "missing"),
    ],
    ids=count(),
)
def test_dkim(record, verdict):
    assert verdicts({"s1._domainkey.site.example": [record]})["DKIM s1"] == verdict


def test_each_key_is_looked_at():
    assert verdicts({}, selectors=["s1", "old"]) == {
        "SPF": "good",
        "DKIM s1": "good",
        "DKIM old": "missing",
        "DMARC": "good",
    }


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        (["v=DMARC1; p=reject"], "good"),
        (["v=DMARC1;p=None"], "weak"),
        (["v=DMARC1; rua=mailto:a@site.example"], "missing"),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], "missing"),
        (["v=spf1 -all"], "missing"),
        ([], "missing"),
    ],
)
def test_dmarc(records, verdict):
    assert verdicts({"_dmarc.site.example": records})["DMARC"] == verdict


@pytest.mark.parametrize(
    ("record", "verdict"), [("v=DMARC1; p=reject", "good"), ("v=DMARC1; p=reject; sp=none", "weak")]
)
def test_dmarc_of_the_domain_above_counts(record, verdict):
    assert verdicts({"_dmarc.site.example": [record]}, domain="groups.site.example")["DMARC"] == verdict


def test_a_server_that_is_not_there(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", free_port(), 1

    assert check_server() == (
        Verdict.MISSING,
        "Mail server",
        f"127.0.0.1:{settings.EMAIL_PORT} cannot be reached: Connection refused",
    )


def test_a_server_that_does_not_know_our_password(smtp, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "us", "wrong"

    found = check_server()

    assert found.verdict == Verdict.MISSING
    assert "wrong" not in found.words


def test_a_line_that_can_be_read_along(smtp, settings, monkeypatch):
    """Loopback under another name stands for a server elsewhere."""
    monkeypatch.setattr("outbox.mail_check.LOOPBACK", ())

    found = check_server()

    assert (found.verdict, "anybody on the way can read along" in found.words) == (Verdict.MISSING, True)
