from django.core.management.base import BaseCommand

from meetings import services


class Command(BaseCommand):
    help = "Queue a reminder for everybody who is due one. What beat asks a worker to do every five minutes, by hand."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="say how many are due and change nothing")

    def handle(self, *args, dry_run, **options):
        if dry_run:
            self.stdout.write(f"{services.count_due_reminders()} due")
        else:
            self.stdout.write(f"{services.queue_due_reminders()} queued")
