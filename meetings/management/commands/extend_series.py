from django.core.management.base import BaseCommand

from meetings import services


class Command(BaseCommand):
    help = "Make the dated meetings of the coming weeks. What beat asks a worker to do every hour, by hand."

    def handle(self, *args, **options):
        self.stdout.write(f"{services.extend_series()} made")
