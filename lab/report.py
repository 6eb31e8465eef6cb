# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands print: tables for people, JSON for programs."""

from __future__ import annotations

import time
from typing import Any

from lab.faults import KINDS

_TITLES = {"ios": "IOS devices", "windows": "Windows hosts", "linux": "Linux hosts"}


def table(head: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as needed, two blanks apart."""
    widths = [max(len(row[index]) for row in [head, *rows]) for index in range(len(head))]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in [head, *rows]]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def devices(status: dict[str, Any]) -> str:
    """The table of ``lab up``."""
    rows = [
        [
            row["host"],
            row["kind"],
            row["address"],
            str(row["port"]),
            row["transport"],
            row["model"],
            row["version"],
            ", ".join(row["faults"]) or "-",
        ]
        for row in status["devices"]
    ]
    text = table(["HOST", "KIND", "ADDRESS", "PORT", "TRANSPORT", "MODEL", "VERSION", "FAULTS"], rows)
    return text + _skipped(status["skipped"])


def counters(status: dict[str, Any]) -> str:
    """The table of ``lab status``."""
    rows = [
        [
            row["host"],
            row["kind"],
            f"{row['address']}:{row['port']}",
            row["transport"],
            row["model"],
            row["version"],
            "on" if row["powered"] else "off",
            f"{row['open_sessions']}/{row['sessions']}",
            str(row["commands"]),
            str(row["refused_logins"]),
            "yes" if row["unsaved"] else "no",
            ", ".join(row["faults"]) or "-",
        ]
        for row in status["devices"]
    ]
    head = [
        "HOST",
        "KIND",
        "LISTENS",
        "TRANSPORT",
        "MODEL",
        "VERSION",
        "POWER",
        "SESSIONS",
        "COMMANDS",
        "REFUSED",
        "UNSAVED",
        "FAULTS",
    ]
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(status["since"]))
    title = f"lab of {status['inventory']}, process {status['pid']}, up since {since}"
    return f"{title}\n\n{table(head, rows)}" + _skipped(status["skipped"])


def _skipped(skipped: dict[str, str]) -> str:
    """The hosts that are not played, grouped by reason."""
    reasons: dict[str, list[str]] = {}
    for host, reason in skipped.items():
        reasons.setdefault(reason, []).append(host)
    lines = [f"{reason}: {_names(hosts)}" for reason, hosts in reasons.items()]
    return "\n\n" + "\n".join(lines) if lines else ""


def _names(hosts: list[str]) -> str:
    shown = ", ".join(hosts[:8])
    return shown if len(hosts) <= 8 else f"{shown} and {len(hosts) - 8} more"


def fault_list() -> str:
    """The tables of ``lab fault --list``, one per kind of host."""
    tables = []
    for kind, faults in KINDS.items():
        rows = [[fault.name, fault.value or "-", fault.description] for fault in faults.values()]
        tables.append(f"{_TITLES[kind]}\n\n" + table(["FAULT", "VALUE", "WHAT HAPPENS"], rows))
    return "\n\n".join(tables)
