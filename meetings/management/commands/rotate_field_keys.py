from django.core.management.base import BaseCommand, CommandError

from ... import sealed, services


class Command(BaseCommand):
    help = "Seal restricted notes and incidents with the first of FIELD_KEYS. After that the other keys can go."

    def handle(self, **options):
        if not sealed.can_seal():
            raise CommandError("FIELD_KEYS is empty: there is no key to seal with.")
        done, broken = services.seal_all_again()
        self.stdout.write(f"Sealed {done} again with the first key.")
        if broken:
            raise CommandError(f"No key opens {broken}. Put the key back that they were sealed with, then try again.")
