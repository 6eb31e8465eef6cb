# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of OpenERP's web services: code = message of the exception, string = traceback (bin/netsvc.py, tools/misc.py)."""

from __future__ import annotations

from lab.windows.openerp.log import Frame, traceback
from lab.windows.openerp.pgwire import ConnectionClosed, ConnectionFailed, DatabaseError

_DISPATCH: list[Frame] = [("netsvc.pyo", 489, "dispatch"), ("service\\web_services.pyo", 66, "dispatch")]


class Fault(Exception):
    """An answer that is a fault."""

    def __init__(self, code: str, string: str) -> None:
        super().__init__(code)
        self.code, self.string = code, string


def fault(kind: str, message: str) -> Fault:
    """An exception of the server, with its traceback; that of a KeyError shows the key as Python 2 writes it."""
    shown = f"u{message!r}" if kind == "KeyError" else message
    return Fault(message, traceback(_DISPATCH, f"{kind}: {shown}"))


def denied(message: str) -> Fault:
    """tools.ExceptionNoTb: no traceback."""
    return Fault(message, "\n")


def failed(error: DatabaseError) -> Fault:
    """An exception of psycopg2."""
    if error.text.startswith("LAB:"):
        return Fault(error.text, "")
    kind = "ProgrammingError"
    if isinstance(error, ConnectionFailed):
        kind = "OperationalError"
    elif isinstance(error, ConnectionClosed):
        kind = "InterfaceError"
    return fault(kind, error.text)
