"""Sessions that bring their member along: one question in place of two on every page of somebody who is signed in.

Which session is whose stands in allauth's list of them. What it says is only a shortcut: the session itself, and the
hash of the password in it, decide, as without it (`members.middleware.AuthenticationMiddleware`).
"""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from .models import Member

FIELDS = [field.attname for field in Member._meta.concrete_fields]
COLUMNS = ", ".join(f"member.{field.column}" for field in Member._meta.concrete_fields)
QUESTION = f"""
SELECT session.session_data, listed.user_id, {COLUMNS}
FROM {Session._meta.db_table} AS session
LEFT JOIN {UserSession._meta.db_table} AS listed ON listed.session_key = session.session_key
LEFT JOIN {Member._meta.db_table} AS member ON member.id = listed.user_id
WHERE session.session_key = %s AND session.expire_date > %s
"""


class SessionStore(db.SessionStore):
    """Django's own, in the database. `member`: whose it is by the list of sessions, once it was looked at."""

    member: Member | None = None

    def _get_session_from_db(self):
        with connection.cursor() as cursor:
            cursor.execute(QUESTION, [self.session_key, timezone.now()])
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return None
        session_data, member_id, *facts = row
        if member_id is not None:
            self.member = Member.from_db(connection.alias, FIELDS, facts)
        return Session(session_key=self.session_key or "", session_data=session_data)
