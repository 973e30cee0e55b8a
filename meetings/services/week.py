"""One mail a week with all times, for those who choose it in place of single reminders.

The mail of a day tells of the seven days after it, by the dates of the meetings, so each meeting is in the mail of one
day only (what is left of the day itself stands in it too). For what a mail has told and what still is so, there is no
single reminder; there is one for a meeting that is new to them since, that has moved, or that they have answered for.
"""

from datetime import timedelta

from django.utils import timezone

from members.models import Consent, Member, ReminderSettings
from outbox import kinds

from ..models import Meeting
from .wishes import HAS_CONFIRMED, NOT_HELD_BACK, WALLS, has_agreed, queue_due, walls_by_day

DAYS_TOLD = 7
LATE = 1  # days on which a mail that could not be planned is caught up

# The last day of theirs before the date of the meeting: whether its mail is still to come, or has told of the meeting.
_MAILED_ON = "(meeting.local_date - ((extract(isodow FROM meeting.local_date)::int + 5 - wish.week_day) %% 7 + 1))"
IS_NOT_IN_A_WEEK_MAIL = f"""(
    wall.today > {_MAILED_ON}
    AND NOT EXISTS (
      SELECT FROM outbox_email AS told
      WHERE told.key = concat('week/', member.id, '/', {_MAILED_ON})
        AND told.state IN ('queued', 'claimed', 'sent')
        AND COALESCE(told.sent_at, %(now)s)
            >= GREATEST(meeting.changed_at, participation.rsvp_at, membership.joined_at)))
"""

QUEUE = f"""
INSERT INTO outbox_email (key, kind, recipient_id, about_id, fact, expires_at)
SELECT concat('week/', member.id, '/', week.mailed_on) AS key, 'week',
       member.id, member.id, week.mailed_on::text, %(now)s + interval '1 day'
FROM members_remindersettings AS wish
JOIN members_member AS member ON member.id = wish.member_id AND member.is_active
CROSS JOIN LATERAL (
  SELECT meeting.time_zone, meeting.local_date
  FROM groups_membership AS membership
  JOIN meetings_meeting AS meeting ON meeting.group_id = membership.group_id
  LEFT JOIN meetings_participation AS participation
    ON participation.meeting_id = meeting.id AND participation.member_id = member.id
  WHERE membership.member_id = member.id AND membership.status = 'active' AND NOT membership.is_muted
    AND meeting.status = 'scheduled' AND meeting.starts_at > %(now)s AND meeting.starts_at <= %(until)s
    AND (participation.rsvp = 'going' OR (participation.rsvp IS NULL AND meeting.places_taken < meeting.capacity))
  ORDER BY meeting.starts_at LIMIT 1
) AS first_meeting
-- by the clock of the member, or where they meet first
JOIN {WALLS} ON wall.zone = COALESCE(NULLIF(member.time_zone, ''), first_meeting.time_zone)
CROSS JOIN LATERAL (
  SELECT wall.today - (extract(isodow FROM wall.today)::int + 6 - wish.week_day) %% 7 AS mailed_on
) AS week
WHERE wish.lead = 'weekly' AND wall.today - week.mailed_on <= %(late)s
  AND first_meeting.local_date <= week.mailed_on + %(days_told)s
  AND {NOT_HELD_BACK} AND {has_agreed(Consent.Kind.REMINDERS)} AND {HAS_CONFIRMED}
ORDER BY key
ON CONFLICT (key) DO NOTHING
"""


def queue_week_mails() -> int:
    """Queue the mail of the week for everyone whose day it is. Returns how many were queued; a second call, none."""
    if not kinds.is_sent_here("week"):
        return 0
    now = timezone.now()
    until = now + timedelta(days=DAYS_TOLD + 1)
    weekly = ReminderSettings.objects.filter(lead=ReminderSettings.Lead.WEEKLY)
    zones = Member.objects.filter(reminder_settings__in=weekly).order_by().values_list("time_zone", flat=True)
    coming = Meeting.objects.filter(status=Meeting.Status.SCHEDULED, starts_at__gt=now, starts_at__lte=until)
    zones = zones.exclude(time_zone="").union(coming.order_by().values_list("time_zone", flat=True))
    return queue_due(
        QUEUE, {"now": now, "until": until, "late": LATE, "days_told": DAYS_TOLD} | walls_by_day(zones, now)
    )
