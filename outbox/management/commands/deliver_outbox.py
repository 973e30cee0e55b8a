from django.core.management.base import BaseCommand

from outbox import services


class Command(BaseCommand):
    help = "Send the mail that is due. What beat asks a worker to do every minute, by hand."

    def handle(self, *args, **options):
        self.stdout.write(f"{services.deliver()} sent")
