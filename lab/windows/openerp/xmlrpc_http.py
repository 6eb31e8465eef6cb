# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML-RPC over HTTP on port 8069.

Source: facts/openerp.md A4: GET / is not found, and so is
an unknown service, after which the connection is dropped.
"""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Awaitable, Callable
from typing import Any
from xml.parsers.expat import ExpatError

from lab.windows.http import HttpAnswer, HttpRequest
from lab.windows.openerp.faults import Fault
from lab.windows.openerp.log import Log
from lab.windows.openerp.sockets import Answer

_SERVER = "BaseHTTP/0.3 Python/2.5.2"
_PATH = "/xmlrpc/"
Dispatch = Callable[[str, str, list[Any]], Awaitable[Any]]


def _not_found(log: Log, path: str) -> HttpAnswer:
    log.write("", "ERROR", "http", f"code 404, message Path not found: {path}")
    body = (f"<head>\n<title>Error response</title>\n</head>\n<body>\n<h1>Error response</h1>\n<p>Error code 404.\n"
            f"<p>Message: Path not found: {path}.\n</body>\n")  # fmt: skip
    return Answer(404, body.encode(), "text/html", close=True, server=_SERVER)


async def answer(request: HttpRequest, dispatch: Dispatch, services: tuple[str, ...], log: Log) -> HttpAnswer:
    """One request."""
    path = request.path.partition("?")[0]
    if not path.startswith(_PATH) or path[len(_PATH) :] not in services:
        return _not_found(log, request.path)
    if request.method != "POST":
        return Answer(501, b"Unsupported method", "text/html", close=True, server=_SERVER)
    try:
        params, method = xmlrpc.client.loads(request.body)
    except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, UnicodeDecodeError):
        return Answer(500, b"", "text/html", close=True, server=_SERVER)
    try:
        result = await dispatch(path[len(_PATH) :], str(method), list(params))
        body = xmlrpc.client.dumps((result,), methodresponse=True, allow_none=True)
    except Fault as fault:
        body = _fault(fault)
    return Answer(200, body.encode("utf-8", "surrogateescape"), "text/xml", server=_SERVER)


def _fault(fault: Fault) -> str:
    """A fault whose code is a string, which the specification does not allow and OpenERP does."""
    values = {"faultCode": fault.code, "faultString": fault.string}
    inner = xmlrpc.client.dumps((values,)).partition("<param>\n")[2].partition("</param>")[0]
    return f"<?xml version='1.0'?>\n<methodResponse>\n<fault>\n{inner}</fault>\n</methodResponse>\n"
