from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from meetings import demo
from members.models import Member


class Command(BaseCommand):
    help = "Fill a local installation with invented people and meetings to look at. A second run changes nothing."

    def add_arguments(self, parser):
        parser.add_argument("--if-empty", action="store_true", help="do nothing, quietly, where there is any member")
        parser.add_argument("--accounts", action="store_true", help="only show whom one can sign in as")
        parser.add_argument("--force", action="store_true", help="also where other people have accounts")

    def handle(self, *args, if_empty=False, accounts=False, force=False, **options):
        if not settings.LOCAL:
            raise CommandError(
                "LOCAL is off: the demonstration's accounts have a password everybody knows, so it stays away from "
                "installations that others can reach."
            )
        if accounts:
            self.show_accounts()
        elif if_empty and Member.objects.exists():
            return
        elif demo.is_there():
            self.stdout.write("The demonstration is there already.")
        else:
            self.make(force=force)
            if not if_empty:  # ./dev run shows them once everything is up
                self.show_accounts()

    def make(self, *, force):
        if not force and (others := demo.others()):
            raise CommandError(
                f"Members here that the demonstration did not make: {others}. It does not mix invented people with "
                "them unless you add --force."
            )
        demo.make()
        self.stdout.write("The demonstration is there: invented people, seven groups, half a year of meetings.")

    def show_accounts(self):
        if not demo.is_there():
            self.stdout.write("There are no demonstration accounts here.")
            return
        width = max(len(email) for _role, email, _name in demo.ACCOUNTS)
        self.stdout.write(f"  Sign in as   {'e-mail':{width}}   password")
        for role, email, _name in demo.ACCOUNTS:
            self.stdout.write(f"  {role.value:11}  {email:{width}}   {demo.PASSWORD}")
        self.stdout.write(f"  Invited by a link, one person can join Round Table: /invitation/{demo.INVITATION}/")
