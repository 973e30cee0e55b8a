from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from outbox.bounces import process_bounces
from outbox.mailboxes import NoMailbox, open_mailbox


class Command(BaseCommand):
    help = "Read the reports of mail that did not arrive, and send no more to addresses that are gone."

    def add_arguments(self, parser):
        parser.add_argument(
            "mailbox",
            nargs="?",
            default=settings.BOUNCE_MAILBOX,
            help="a maildir, or imaps://user:password@host/folder; BOUNCE_MAILBOX if not given, and safer there",
        )

    def handle(self, *args, mailbox, **options):
        if not mailbox:
            raise CommandError("Name a mailbox here or in BOUNCE_MAILBOX.")
        try:
            with open_mailbox(mailbox) as opened:
                counts = process_bounces(opened, seconds=600)
        except NoMailbox as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{counts.noted} noted, {counts.known} with nothing new, {counts.left} other mails left")
