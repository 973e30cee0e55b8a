"""Reminders that nobody planned while they still helped, because the site was down or its clock stood: noted as too
late, so that staff see whom nobody reminded, and nobody takes silence for success.
"""

from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from .wishes import HAS_CONFIRMED

# Those with a place who wanted to be reminded since before the window closed, and of whom no mail speaks. It is late by
# the clock of the database too: one machine whose clock jumps ahead must not close what is still to be sent.
NOTE = f"""
INSERT INTO outbox_email (key, kind, recipient_id, about_id, fact, expires_at, state, reason, stopped_at)
SELECT concat('reminder/', meeting.id, '/', member.id, '/', fact.start) AS key, 'reminder',
       member.id, meeting.id, fact.start, meeting.starts_at - %(latest)s, 'expired',
       'too late: not planned in time', statement_timestamp()
FROM meetings_meeting AS meeting
CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM meeting.starts_at))::bigint::text AS start) AS fact
JOIN meetings_participation AS participation ON participation.meeting_id = meeting.id AND participation.rsvp = 'going'
JOIN groups_membership AS membership
  ON membership.group_id = meeting.group_id AND membership.member_id = participation.member_id
  AND membership.status = 'active' AND NOT membership.is_muted
JOIN members_member AS member ON member.id = participation.member_id AND member.is_active
LEFT JOIN members_remindersettings AS wish ON wish.member_id = member.id
WHERE meeting.status = 'scheduled'
  AND meeting.starts_at > %(now)s - %(look_back)s
  AND meeting.starts_at <= LEAST(%(now)s, statement_timestamp()) + %(latest)s
  AND GREATEST(participation.rsvp_at, membership.joined_at) <= meeting.starts_at - %(wanted_since)s
  AND wish.lead IS DISTINCT FROM 'weekly' AND wish.paused_until IS NULL
  AND EXISTS (SELECT FROM members_consent AS consent
              WHERE consent.member_id = member.id AND consent.kind = 'reminders' AND consent.withdrawn_at IS NULL
                AND consent.given_at <= meeting.starts_at - %(wanted_since)s)
  AND {HAS_CONFIRMED}
  AND NOT EXISTS (SELECT FROM outbox_email AS told
                  WHERE told.recipient_id = member.id AND told.kind = 'reminder' AND told.about_id = meeting.id)
ORDER BY key
ON CONFLICT (key) DO NOTHING
"""


def note_missed_reminders() -> int:
    """Note whom nobody reminded of what has begun since, or begins too soon. Returns how many; a second call, none."""
    wanted_since, _opens = settings.REMIND_BEFORE
    parameters: dict[str, Any] = {
        "now": timezone.now(),
        "latest": settings.REMIND_LATEST,
        "look_back": settings.REMIND_LOOK_BACK,
        "wanted_since": wanted_since,
    }
    with connection.cursor() as cursor:
        cursor.execute(NOTE, parameters)
        return cursor.rowcount
