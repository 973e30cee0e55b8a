"""Logs hold ids, never what somebody typed or may open: PostgreSQL's errors quote keys, rows and values, an error's
address can hold the token of a link. Both are cut here."""

import logging
import re
from collections.abc import Iterator

import psycopg
from django.db import Error

# For errors that arrive as text: what PostgreSQL adds below its message, in a traceback or in a repr.
# An address whose last part opens something: who reads a log must not be able to use it.
OPENS = re.compile(r"((?:/|%2F)(?:m|u|invitation|my/calendar)(?:/|%2F))[^/%\s?&\"']+", re.IGNORECASE)
QUOTES_DATA = re.compile(r"(DETAIL|CONTEXT|LINE \d+|STATEMENT|parameters): .*")


class DiscreetFormatter(logging.Formatter):
    """Writes of a database error, also of one behind another error, its class, its code and the constraint."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for error in _database_errors(record):
            told = _without_data(error)
            text = text.replace(str(error) or told, told).replace(repr(str(error))[1:-1] or told, told)
        return OPENS.sub(r"\1…", QUOTES_DATA.sub(r"\1 left out", text))


def _database_errors(record: logging.LogRecord) -> Iterator[BaseException]:
    arguments = record.args.values() if isinstance(record.args, dict) else record.args or ()
    waiting = [one for one in arguments if isinstance(one, BaseException)]
    if record.exc_info and record.exc_info[1]:
        waiting.append(record.exc_info[1])
    seen: set[int] = set()
    while waiting:
        error = waiting.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        waiting += [one for one in (error.__cause__, error.__context__) if one]
        waiting += getattr(error, "exceptions", ())  # of an ExceptionGroup
        if isinstance(error, Error | psycopg.Error):
            yield error


def _without_data(error: BaseException) -> str:
    """`23505 members_member_email_key`: the SQLSTATE says what went wrong, the constraint where."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(cause, psycopg.Error):
        return "database error"
    return " ".join(part for part in (cause.sqlstate, cause.diag.constraint_name) if part) or "database error"
