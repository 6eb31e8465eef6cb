"""Read the log of OpenERP 6.0, and show none of the passwords that it holds.

Note that this utility is private to the collection.

``[2026-11-23 22:38:19,360][dbname] INFO:server:message``: local time, ``?`` where no database is bound; a traceback follows without
that head (openerp-server 6.0, netsvc.py). At INFO it writes ``password=...`` of the database when it closes connections.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

_LINE = re.compile(r"^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3}\]\[([^\]]*)\] ([A-Z_]+):([^:]+):(.*)$")
_PASSWORD = re.compile(r"(password=)('(?:[^'\\]|\\.)*'|\S+)", re.I)
_LOGIN = re.compile(r"successful login from '(.*)' using database '(.*)'")
_VERSION = re.compile(r"OpenERP version - (\S+)")


class Login(NamedTuple):
    """A login that the log tells: the server's local time, who, and the database's name in lower case."""

    at: datetime
    user: str
    database: str


def redacted(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return a text without passwords: those that the log's own form shows, and those that are known."""
    text = _PASSWORD.sub(r"\1***", text)
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text


def tail(data: bytes, lines: int, secrets: tuple[str, ...] = ()) -> list[str]:
    """Return the last lines of a log that are not empty, redacted."""
    text = redacted(data.decode("utf-8", "replace"), secrets)
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def version(data: bytes) -> str:
    """Return the release whose code wrote the log, by its last start; empty when it tells none."""
    found = _VERSION.findall(data.decode("utf-8", "replace"))
    return found[-1] if found else ""


def reason(lines: list[str]) -> str:
    """Return the last line that tells a failure: an ERROR, else the last line of a traceback, else the last one."""
    for line in reversed(lines):
        found = _LINE.match(line)
        if found is not None and found[3] in ("ERROR", "CRITICAL"):
            return found[5].strip()
        if found is None and re.match(r"\w*(?:Error|Exception|Fault)\b", line.rpartition(".")[2].split(":")[0]):
            return line.strip()
    return lines[-1].strip() if lines else ""


def logins(text: str, now: datetime, minutes: int) -> list[Login]:
    """Return the last login of each user and database within the last minutes, newest first.

    Args:
        text: lines of the log.
        now: the server's local time.
        minutes: how far back.
    """
    since = now - timedelta(minutes=minutes)
    found: dict[tuple[str, str], Login] = {}
    for line in text.splitlines():
        head = _LINE.match(line.strip())
        told = _LOGIN.search(head[5]) if head is not None else None
        if head is None or told is None:
            continue
        at = datetime.fromisoformat(head[1])
        if since <= at <= now + timedelta(minutes=5):
            found[told[1], told[2]] = Login(at, told[1], told[2])
    return sorted(found.values(), reverse=True)
