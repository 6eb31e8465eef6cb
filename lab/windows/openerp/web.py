# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web client 6.0 on port 8080, as a monitoring scenario sees it.

Source: facts/openerp.md A7 with its traps. Not in it, and inferred [I]: what is shown when the server answers with a fault, an
unknown path, a menu that is not there. Pages have the markers of the real ones and nothing else. It talks NET-RPC to the
server that ``doc\\openerp-web.cfg`` names. No web client 6.0.4 was found: its pages are those of 6.0.3.
"""

from __future__ import annotations

import ast
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from lab.windows.files import WindowsPathError
from lab.windows.http import HttpAnswer, HttpRequest
from lab.windows.openerp import files, netrpc, webpages
from lab.windows.openerp.faults import Fault
from lab.windows.openerp.sockets import Answer

if TYPE_CHECKING:
    from lab.windows.host import Host

_HTML = "text/html; charset=utf-8"
_SERVER = "CherryPy/3.1.2"


class WebFailure(Exception):
    """openerp-web.exe does not start."""


@dataclass
class Session:
    """Who is logged in."""

    database: str
    user: str
    uid: int
    password: str


def _config(data: bytes) -> dict[str, Any]:
    """CherryPy's configuration: values are Python's. Raises WebFailure."""
    found: dict[str, Any] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        text = line.strip()
        if not text or text[0] in "#;[" or "=" not in text:
            continue
        name, _unused, value = text.partition("=")
        try:
            found[name.strip()] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError):
            raise WebFailure(f"the value of {name.strip()} is not Python's") from None
    return found


class WebClient:
    """openerp-web.exe. Raises WebFailure when it does not start."""

    def __init__(self, host: Host, folder: str) -> None:
        if files.version_of(host.drive, files.WEB, folder) is None:
            raise WebFailure("the program is incomplete")
        try:
            self._config = _config(host.drive.read(f"{folder}\\{files.WEB_CONF}"))
            self.port = int(self._config.get("server.socket_port", 8080))
            self._far = int(self._config.get("openerp.server.port", "8070"))
        except (WindowsPathError, ValueError, TypeError):
            raise WebFailure("doc\\openerp-web.cfg cannot be read") from None
        if self._config.get("openerp.server.protocol", "socket") != "socket":
            raise WebFailure("LAB: the web client is played with the protocol socket only")
        self.interface = str(self._config.get("server.socket_host", ""))
        self._host = host
        self._sessions: dict[str, Session] = {}

    async def _rpc(self, service: str, method: str, *params: Any) -> Any:
        """A call of the server. Raises OSError, Fault."""
        name = str(self._config.get("openerp.server.host", "localhost"))
        plan = self._host.plan
        here = name.lower() in ("localhost", "127.0.0.1", plan.computer_name.lower(), plan.name.lower())
        return await netrpc.call(plan.address if here else name, self._far, service, method, *params)

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        """One request."""
        path, _unused, query = request.path.partition("?")
        params = dict(parse_qsl(query, keep_blank_values=True))
        cookies = dict(part.strip().partition("=")[::2] for part in request.headers.get("cookie", "").split(";"))
        if request.method == "POST":
            if self._config.get("tools.csrf.on", True) and not _same_site(request):
                return _page(403, webpages.FORBIDDEN)
            params |= dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        elif request.method not in ("GET", "HEAD"):
            return _page(405, webpages.error(405, "Method Not Allowed", "Specified method is invalid for this server."))
        key = cookies.get("session_id", "")
        if path == "/openerp/login":
            return await self._login_page(params, "")
        if path == "/openerp/logout":
            self._sessions.pop(key, None)
            return _redirect(request, "/")
        if params.get("login_action") == "login":
            return await self._log_in(path, params, key)
        session = self._sessions.get(key)
        if session is None:
            return _redirect(request, f"/openerp/login?{_back(path, query, cookies)}")
        return await self._secured(path, params, session, [])

    async def _log_in(self, path: str, params: dict[str, str], key: str) -> HttpAnswer:
        database, user, password = (params.get(name, "") for name in ("db", "user", "password"))
        try:
            uid = await self._rpc("common", "login", database, user, password) if password else 0
        except (OSError, Fault):
            uid = 0
        if not uid:
            return await self._login_page(params, webpages.BAD_LOGIN)
        key = key if key in self._sessions else secrets.token_hex(20)
        self._sessions[key] = session = Session(database, user, int(uid), password)
        cookies = [
            f"session_id={key}; Path=/",
            f"terp_db={quote(database)}; Path=/",
            f"terp_user={quote(user)}; Path=/",
        ]
        return await self._secured(path, params, session, cookies)

    async def _login_page(self, params: dict[str, str], message: str) -> HttpAnswer:
        databases: list[str] | None = None
        try:
            databases = [str(name) for name in await self._rpc("db", "list")]
        except OSError:
            message = webpages.NO_SERVER
        except Fault as fault:
            # list_db = False hides the list; any other fault is shown as if the server were away.
            message = message if fault.code == "AccessDenied" else webpages.NO_SERVER
        return _page(200, webpages.login(databases, params.get("db", ""), params.get("user", ""), message))

    async def _secured(self, path: str, params: dict[str, str], session: Session, cookies: list[str]) -> HttpAnswer:
        """A page for somebody who is logged in."""
        if path not in ("/", "/openerp", "/openerp/menu"):
            return _page(404, webpages.error(404, "Not Found", f"The path {path!r} was not found."), cookies)
        active = params.get("active", "")
        try:
            roots = await self._menus(session, [["parent_id", "=", False]])
            children = await self._menus(session, [["parent_id", "=", int(active)]]) if active.isdigit() else None
        except OSError:
            return _page(500, webpages.error(500, "Internal Server Error", "Connection refused"), cookies)
        except Fault as fault:
            return _page(500, webpages.error(500, "Internal Server Error", fault.code), cookies)
        return _page(200, webpages.menu(session.user, roots, children, active), cookies)

    async def _menus(self, session: Session, domain: list[Any]) -> list[dict[str, Any]]:
        who = (session.database, session.uid, session.password)
        found = await self._rpc("object", "execute", *who, "ir.ui.menu", "search", domain)
        records = await self._rpc("object", "execute", *who, "ir.ui.menu", "read", found, ["name"])
        return [dict(record) for record in records]


def _same_site(request: HttpRequest) -> bool:
    """Whether the Referer is of this site and has a path."""
    referer = request.headers.get("referer", "")
    return referer.startswith(f"http://{request.headers.get('host', '')}/")


def _back(path: str, query: str, cookies: dict[str, str]) -> str:
    """The query of the login page: who was last here, and what was asked for."""
    pairs = {"db": cookies.get("terp_db", ""), "user": cookies.get("terp_user", "")}
    if path not in ("/", ""):
        pairs["location"] = f"{path}?{query}"
    return urlencode(sorted(pairs.items()))


def _redirect(request: HttpRequest, target: str) -> HttpAnswer:
    url = f"http://{request.headers.get('host', '')}{target}"
    body = f"This resource can be found at <a href='{url}'>{url}</a>.".encode()
    return Answer(303, body, _HTML, [("Location", url)], server=_SERVER)


def _page(status: int, text: str, cookies: list[str] | None = None) -> HttpAnswer:
    return Answer(status, text.encode(), _HTML, server=_SERVER, cookies=cookies or [])
