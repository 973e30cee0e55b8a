"""What PostgreSQL plans inside a function of the database."""

import json
from collections.abc import Callable

from django.db import connection

SHOW = """
LOAD 'auto_explain';
SET LOCAL auto_explain.log_min_duration = 0;
SET LOCAL auto_explain.log_nested_statements = on;
SET LOCAL auto_explain.log_format = json;
SET LOCAL auto_explain.log_level = notice;
"""


def plans_inside(ask: Callable[[], object], *, again: int) -> list[str]:
    """The plans of what a function does when it is called once more after so many times, without that of the call.

    A plan that is kept speaks of `$1`; one that is made each time has what was asked for written into it.
    """
    shown: list[dict] = []

    def note(notice):
        _, found, plan = (notice.message_primary or "").partition("plan:\n")
        if found:
            shown.append(json.loads(plan)["Plan"])

    for _ in range(again):
        ask()
    with connection.cursor() as cursor:
        cursor.execute(SHOW)
    connection.connection.add_notice_handler(note)
    try:
        ask()
    finally:
        connection.connection.remove_notice_handler(note)
    return [json.dumps(plan) for plan in shown if plan["Node Type"] != "Function Scan"]
