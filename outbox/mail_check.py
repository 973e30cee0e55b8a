"""Is mail from this site believed? What the domain says about it, and whether the mail server lets us in.

Receivers look at three records of the sender's domain: SPF (RFC 7208) names who may send for it, DKIM (RFC 6376) holds
the key that mail is signed with, DMARC (RFC 7489) says what to do with mail that has neither. Large receivers want
all three (EML-17).
"""

import base64
import re
import smtplib
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend

Lookup = Callable[[str], list[str]]  # the TXT records of a name; none if there is no such name

MOST_LOOKUPS = 10  # RFC 7208 §4.6.4: receivers stop there
LOOKS_UP = re.compile(r"[+~?-]?(include:|exists:|(a|mx|ptr)([:/]|$))|redirect=")
USUAL_KEY = 2048  # bits; RFC 8301 §3.2
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Verdict(StrEnum):
    GOOD = "good"
    WEAK = "weak"
    MISSING = "missing"


class Finding(NamedTuple):
    """What was found about one thing, in words that say what to do."""

    verdict: Verdict
    about: str
    words: str


def check_domain(domain: str, selectors: Iterable[str], txt: Lookup) -> Iterator[Finding]:
    """SPF, each DKIM key and DMARC of a domain that mail is sent from."""
    yield _spf(domain, txt(domain))
    selectors = list(selectors)
    if not selectors:
        yield Finding(
            Verdict.MISSING,
            "DKIM",
            "We do not know which key the mail is signed with. Let your mail provider sign, publish the key it gives "
            "you, and name its selector in DKIM_SELECTORS.",
        )
    for selector in selectors:
        yield _dkim(f"{selector}._domainkey.{domain}", txt)
    yield _dmarc(domain, txt)


def _spf(domain: str, records: list[str]) -> Finding:
    found = [record for record in records if record.lower().split(" ")[0] == "v=spf1"]
    if not found:
        advice = f"Add a TXT record to {domain} such as “v=spf1 include:your-mail-provider.example -all”."
        return Finding(Verdict.MISSING, "SPF", f"{domain} does not say who may send for it. {advice}")
    if len(found) > 1:
        advice = "Receivers then believe none. Make one of them."
        return Finding(Verdict.MISSING, "SPF", f"{domain} has {len(found)} SPF records. {advice}")
    terms = found[0].lower().split()[1:]
    if sum(LOOKS_UP.match(term) is not None for term in terms) > MOST_LOOKUPS:
        return Finding(Verdict.MISSING, "SPF", f"The record needs more than {MOST_LOOKUPS} lookups: receivers give up.")
    if {"all", "+all"} & set(terms):
        return Finding(Verdict.MISSING, "SPF", "The record lets everybody send as you. End it with -all.")
    if not {"-all", "~all"} & set(terms) and not any(term.startswith("redirect=") for term in terms):
        return Finding(Verdict.WEAK, "SPF", "The record does not say what to do with others. End it with -all.")
    return Finding(Verdict.GOOD, "SPF", f"“{found[0]}”. See that your mail server is among those it names.")


def _dkim(name: str, txt: Lookup) -> Finding:
    about = f"DKIM {name.split('.')[0]}"
    keys = [tags for record in txt(name) if "p" in (tags := _tags(record))]
    if not keys:
        words = f"There is no key at {name}. Publish the one your mail provider gives you."
        return Finding(Verdict.MISSING, about, words)
    tags = keys[0]
    if not tags["p"]:
        return Finding(Verdict.MISSING, about, f"The key at {name} has been withdrawn. Publish the present one.")
    bits = _bits(tags)
    if bits is None:
        return Finding(Verdict.MISSING, about, f"The key at {name} cannot be read: part of it may be missing.")
    if "y" in tags.get("t", "").split(":"):
        return Finding(Verdict.WEAK, about, "The key is marked as a test (t=y). Take the mark away once mail arrives.")
    if bits < USUAL_KEY and tags.get("k", "rsa") == "rsa":
        return Finding(Verdict.WEAK, about, f"The key has {bits} bits. Ask for one with {USUAL_KEY}.")
    return Finding(Verdict.GOOD, about, f"A key is published at {name}.")


def _bits(tags: dict[str, str]) -> int | None:
    """How long a key is; an Ed25519 key counts as long as is usual. None for one that is broken."""
    try:
        raw = base64.b64decode("".join(tags["p"].split()), validate=True)
        if tags.get("k", "rsa") == "ed25519":
            return USUAL_KEY if len(raw) == 32 else None
        key = load_der_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.key_size if isinstance(key, RSAPublicKey) else None


def _dmarc(domain: str, txt: Lookup) -> Finding:
    """The record of the domain or of the nearest one above it (RFC 7489 §6.6.3)."""
    labels = domain.split(".")
    for above in range(max(len(labels) - 1, 1)):
        name = ".".join(["_dmarc", *labels[above:]])
        found = [tags for record in txt(name) if (tags := _tags(record)).get("v", "").upper() == "DMARC1"]
        if len(found) > 1:
            return Finding(Verdict.MISSING, "DMARC", f"{name} has {len(found)} records: receivers read none. Keep one.")
        if found:
            return _dmarc_policy(name, found[0], is_above=above > 0)
    words = (
        f"{domain} does not say what to do with mail that only claims to be yours. Add a TXT record to _dmarc.{domain}"
    )
    return Finding(
        Verdict.MISSING, "DMARC", f"{words}: “v=DMARC1; p=none; rua=mailto:you@{domain}”, later p=quarantine."
    )


def _dmarc_policy(name: str, tags: dict[str, str], *, is_above: bool) -> Finding:
    policy = tags.get("sp" if is_above and "sp" in tags else "p", "").lower()
    if policy in ("quarantine", "reject"):
        return Finding(Verdict.GOOD, "DMARC", f"Mail that only claims to be yours: {policy} ({name}).")
    if policy == "none":
        return Finding(
            Verdict.WEAK, "DMARC", f"p=none at {name} only watches. Once all your mail passes, write p=quarantine."
        )
    words = f"The record at {name} has no policy. Write p=none, p=quarantine or p=reject."
    return Finding(Verdict.MISSING, "DMARC", words)


def _tags(record: str) -> dict[str, str]:
    """`v=DMARC1; p=none` as a dict. The first of two tags with one name counts."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, sign, value in reversed(list(pairs)) if sign}


def check_server() -> Finding:
    """Whether the mail server of EMAIL_URL answers, over a line nobody reads along, and lets us in. Sends nothing."""
    server = get_connection(fail_silently=False)
    if not isinstance(server, EmailBackend):
        return Finding(Verdict.MISSING, "Mail server", "Mail goes to no server: EMAIL_URL names something else.")
    where = f"{server.host}:{server.port}"
    try:
        server.open()
    except smtplib.SMTPAuthenticationError as error:
        words = f"{where} does not take the user name and password of EMAIL_URL ({error.smtp_code})."
        return Finding(Verdict.MISSING, "Mail server", words)
    except smtplib.SMTPException as error:
        return Finding(Verdict.MISSING, "Mail server", f"{where} answers, but not as a mail server should: {error}")
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        return Finding(Verdict.MISSING, "Mail server", f"{where} cannot be reached: {reason}")
    finally:
        server.close()
    if not (server.use_tls or server.use_ssl) and server.host not in LOOPBACK:
        words = (
            f"{where} lets us in, but anybody on the way can read along. Write smtp+tls:// or smtp+ssl:// in EMAIL_URL."
        )
        return Finding(Verdict.MISSING, "Mail server", words)
    return Finding(Verdict.GOOD, "Mail server", f"{where} lets us in.")
