from collections.abc import Iterator
from email.utils import parseaddr

import dns.exception
import dns.resolver
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from outbox.mail_check import Finding, Lookup, Verdict, check_domain, check_server

PATIENCE = 5  # seconds for each question


class Command(BaseCommand):
    help = "Look whether mail from this site is believed: SPF, DKIM and DMARC of its domain, and the mail server."

    def add_arguments(self, parser):
        parser.add_argument(
            "--nameserver", help="ask this one, as ADDRESS or ADDRESS:PORT, instead of the machine's own"
        )

    def handle(self, *args, nameserver, **options):
        txt = _lookup(nameserver)
        findings: list[Finding] = []
        for domain in _domains():
            self.stdout.write(f"\nMail from {domain}")
            findings += self._tell(check_domain(domain, settings.DKIM_SELECTORS, txt))
        self.stdout.write("\nThe way out")
        findings += self._tell(iter([check_server()]))
        missing = sum(finding.verdict == Verdict.MISSING for finding in findings)
        if missing:
            raise CommandError(f"{missing} of {len(findings)} are missing: mail may not arrive.")

    def _tell(self, findings: Iterator[Finding]) -> list[Finding]:
        told = []
        for finding in findings:
            self.stdout.write(f"  {finding.verdict:8} {finding.about}: {finding.words}")
            told.append(finding)
        return told


def _domains() -> list[str]:
    """Of the addresses that mail is sent from, each once."""
    senders = (settings.DEFAULT_FROM_EMAIL, settings.REMINDERS_FROM_EMAIL)
    return list(dict.fromkeys(parseaddr(sender)[1].rpartition("@")[2].lower() for sender in senders))


def _lookup(nameserver: str | None) -> Lookup:
    resolver = dns.resolver.Resolver(configure=not nameserver)
    resolver.lifetime = PATIENCE
    if nameserver:
        address, _colon, port = nameserver.partition(":")
        resolver.nameservers, resolver.port = [address], int(port or 53)

    def txt(name: str) -> list[str]:
        try:
            answer = resolver.resolve(name, "TXT")
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise CommandError(f"The name server does not tell about {name}: {error}") from error
        return [b"".join(record.strings).decode(errors="replace") for record in answer]

    return txt
