# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure half of the role: shapes of time, and quoting for systemd and for cron."""

from __future__ import annotations

import re
import shlex
from typing import Any

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CRON_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("weekday", 0, 7, DAYS),
)


def cron_problem(fields: str) -> str | None:
    """What is wrong with five cron fields, None when nothing is."""
    parts = fields.split(" ")
    if len(parts) != 5:
        return f"cron has {len(parts)} fields, not five with one space between them: minute hour day month weekday"
    for text, (what, low, high, names) in zip(parts, CRON_FIELDS, strict=True):
        if text.lower() in names:
            continue
        for item in text.split(","):
            found = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", item, re.ASCII)
            first, last, step = (None, None, None) if not found else found.groups()
            bounds = [int(n) for n in (first, last) if n is not None]
            if (
                not found
                or any(not low <= n <= high for n in bounds)
                or bounds != sorted(bounds)
                or step in ("0", "00")
            ):
                return f"cron has {item!r} as {what}, not a number from {low} to {high}, a range, a list or a step"
            if step is not None and first is not None and last is None:
                return f"cron has {item!r} as {what}: a step wants * or a range before it"
    return None


def at_to_cron(at: dict[str, Any]) -> str:
    """The `at` of a job as five cron fields; no hour means every hour, no days every day."""
    hour = "*" if at.get("hour") is None else str(at["hour"])
    days = ",".join(str(n) for n in sorted(DAYS.index(day) for day in set(at.get("days") or ()))) or "*"
    return f"{at.get('minute') or 0} {hour} * * {days}"


def at_to_calendar(at: dict[str, Any]) -> str:
    """The `at` of a job as a calendar expression of systemd."""
    hour = "*" if at.get("hour") is None else f"{at['hour']:02d}"
    days = [day.capitalize() for day in (*DAYS[1:], DAYS[0]) if day in (at.get("days") or ())]
    return f"{','.join(days)}{' ' if days else ''}*-*-* {hour}:{at.get('minute') or 0:02d}:00"


def at_problem(at: dict[str, Any]) -> str | None:
    """What is wrong with the numbers of an `at`."""
    for key, high in (("hour", 23), ("minute", 59)):
        value = at.get(key)
        if value is not None and not 0 <= value <= high:
            return f"at has {key} {value}, which is not from 0 to {high}"
    return None


def systemd_quote(word: str) -> str:
    """One word of an Exec line."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return word if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", word) else f'"{word}"'


def exec_start(argv: list[str]) -> str:
    """An ExecStart value; the prefix `:` keeps systemd from replacing $NAME."""
    return (":" if any("$" in word for word in argv) else "") + " ".join(systemd_quote(word) for word in argv)


def cron_command(argv: list[str]) -> str:
    """The command of a cron line, quoted for sh, then % for cron; the playbook's words go to the log only."""
    return f"{shlex.join(argv)} >/dev/null".replace("%", "\\%")
