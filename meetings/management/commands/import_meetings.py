from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from meetings import feed, services
from meetings.services.feed_import import FeedImport
from members.time_zones import is_time_zone


class Command(BaseCommand):
    help = (
        "Make groups, series and dated meetings of a feed of weekly meetings in the Meeting Guide format. "
        "Again with a newer feed: what changed is brought in line, what is the same is left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("feed", help="a JSON file, or - for standard input")
        parser.add_argument("--time-zone", default="", help="of rows that name none, such as America/New_York")
        parser.add_argument("--capacity", type=int, help="places in each meeting (usually left to DEFAULT_CAPACITY)")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")

    def handle(self, *args, **options) -> None:
        time_zone, capacity = options["time_zone"], options["capacity"]
        if time_zone and not is_time_zone(time_zone):
            raise CommandError(f"{time_zone!r} is not a time zone. Write one such as America/New_York.")
        if capacity is not None and not 2 <= capacity <= 200:
            raise CommandError("--capacity must be from 2 to 200.")
        try:
            rows = feed.read(options["feed"])
        except feed.FeedError as error:
            raise CommandError(str(error)) from error
        outcome = services.import_feed(
            rows, time_zone=time_zone, capacity=capacity, dry_run=options["dry_run"], progress=self._say_progress
        )
        self._say_outcome(outcome, dry_run=options["dry_run"])
        if outcome.read and len(outcome.skipped) == outcome.read:
            raise CommandError("No row could be used.")

    def _say_progress(self, done: int, of: int) -> None:
        self.stderr.write(f"{done} of {of} rows")

    def _say_outcome(self, outcome: FeedImport, *, dry_run: bool) -> None:
        say = self.stdout.write
        say(f"Rows: {outcome.read} read, {len(outcome.skipped)} skipped")
        say(f"Groups: {outcome.created} created, {outcome.changed} changed, {outcome.unchanged} unchanged")
        say(f"Meetings: {outcome.meetings_made} made, {outcome.meetings_changed} changed or cancelled")
        say(f"Suspensions: {outcome.suspended} begun ({outcome.online_only} go on online), {outcome.resumed} ended")
        if outcome.absent:
            say(f"Groups of earlier imports that are not in this feed, left as they are: {outcome.absent}")
        for title, lines in (("Notes", outcome.notes), ("Skipped", outcome.skipped)):
            if lines:
                say(f"{title} ({len(lines)}):")
                for line in lines:
                    say(f"  {line}")
        if dry_run:
            say("Dry run: nothing was changed.")
