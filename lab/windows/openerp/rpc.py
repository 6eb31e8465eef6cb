# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services that a server offers over XML-RPC and NET-RPC: db, common, object.

Sources: facts/openerp.md A3 to A5; bin/netsvc.py (dispatch) and class common of bin/service/web_services.py [K: from memory of
them, not read again]. That a database's name must be ASCII follows from psycopg2 under Python 2 [I].
A fault's code is the message of the exception, its string the traceback; an exception that says so has none.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from lab.windows.openerp.database_service import DatabaseService
from lab.windows.openerp.faults import Fault, denied, failed, fault
from lab.windows.openerp.log import as_bytes
from lab.windows.openerp.models import Models
from lab.windows.openerp.pgwire import DatabaseError, literal
from lab.windows.openerp.process import Server
from lab.windows.refusal import LabRefusal

_ABOUT = ("OpenERP is an ERP+CRM program for small and medium businesses.\n\nThe whole source code is distributed under the "
          "terms of the\nGNU Public Licence.\n\n(c) 2003-TODAY, Fabien Pinckaers - Tiny sprl")  # fmt: skip
_NOT_PLAYED = ("get_available_updates", "get_migration_scripts", "check_connectivity", "ir_set", "ir_get", "ir_del")
SERVICES = ("db", "common", "object", "report", "wizard")


class Services:
    """What one server answers."""

    def __init__(self, server: Server, threads: Callable[[], int]) -> None:
        self._server, self._threads = server, threads
        self._databases = DatabaseService(server)
        self._models = Models(server)
        self._common: dict[str, Callable[..., Awaitable[Any]]] = {
            "login": self._login, "logout": self._logout, "about": self._about, "login_message": self._login_message,
            "get_server_environment": self._environment, "get_stats": self._stats, "timezone_get": self._timezone,
            "list_http_services": self._http_services, "get_os_time": self._os_time,
        }  # fmt: skip

    async def dispatch(self, service: str, method: str, params: list[Any]) -> Any:
        """One call. Raises Fault."""
        try:
            if service == "db":
                return await self._databases.dispatch(method, params)
            if service == "common":
                return await self._dispatch_common(method, params)
            if service == "object":
                return await self._dispatch_object(method, params)
        except DatabaseError as error:
            raise failed(error) from None
        except LabRefusal as refusal:
            raise Fault(f"LAB: {refusal}", "") from None
        except (IndexError, TypeError, ValueError) as error:
            raise fault(f"{type(error).__name__}", str(error)) from None
        raise Fault(f"LAB: the service {service} is not played", "")

    async def _dispatch_common(self, method: str, params: list[Any]) -> Any:
        if method in _NOT_PLAYED:
            raise Fault(f"LAB: common.{method} is not played", "")
        if method not in self._common:
            raise fault("Exception", f"Method not found: {method}")
        return await self._common[method](*params)

    async def _dispatch_object(self, method: str, params: list[Any]) -> Any:
        if method != "execute":
            if method in ("exec_workflow", "obj_list"):
                raise Fault(f"LAB: object.{method} is not played", "")
            raise fault("NameError", f"Method not available {method}")
        database, uid, password, model, name, *rest = params
        await self._server.loader.ensure(ascii_name(database))
        await self.check(database, uid, password)
        return await self._models.execute(database, uid, model, name, rest)

    async def check(self, database: str, uid: Any, password: Any) -> None:
        """res.users.check(). Raises Fault, DatabaseError."""
        if not password:
            raise denied("AccessDenied")
        sql = f"SELECT count(1) FROM res_users WHERE id = {int(uid)} AND password = {literal(password)} AND active"
        if await self._server.pool.run(database, sql) != [["1"]]:
            raise denied("AccessDenied")

    async def _login(self, database: str, login: str, password: str) -> Any:
        server = self._server
        await server.loader.ensure(ascii_name(database))
        found: list[list[str | None]] = []
        if password:
            found = await server.pool.run(
                database,
                f"UPDATE res_users SET date = now() WHERE login = {literal(login)} AND password = {literal(password)} AND active "
                "RETURNING id",
            )
        said = "successful login" if found else "bad login or password"
        server.log.info(
            database, "web-service", f"{said} from '{as_bytes(str(login))}' using database '{database.lower()}'"
        )
        return int(found[0][0] or 0) if found else False

    async def _logout(self, database: str, login: str, *unused: Any) -> Any:
        self._server.log.info(database, "web-service", f"Logout {as_bytes(str(login))} from database {database}")
        return False

    async def _about(self, extended: bool = False) -> Any:
        return [_ABOUT, self._server.version] if extended else _ABOUT

    async def _login_message(self) -> Any:
        return self._server.settings.values.get("login_message") or False

    async def _environment(self) -> str:
        plan = self._server.host.plan
        major = ".".join(plan.version.split(".")[:2])
        locale = "fr_FR.cp1252" if plan.language == "fr" else "en_US.cp1252"
        lines = {
            "Environment Information": "", "System": f"Windows-{major}-{plan.version}", "OS Name": "nt",
            "Operating System Release": major, "Operating System Version": plan.version,
            "Operating System Architecture": f"{plan.architecture}bit", "Operating System Locale": locale,
            "Python Version": "2.5.2", "OpenERP-Server Version": self._server.version,
            "Last revision No. & ID": "Bazaar Package not Found !",
        }  # fmt: skip
        return "".join(f"\n{key} : {value}" for key, value in lines.items())

    async def _stats(self) -> str:
        settings = self._server.settings
        lines = [f"OpenERP server: {self._threads()} threads", "Servers started"]
        lines += ["HTTPd: running, 1 threads"] if settings.on("xmlrpc") else []
        lines += ["Net-RPC: running"] if settings.on("netrpc") else []
        return "\n".join(lines)

    async def _timezone(self, *unused: Any) -> str:
        return time.tzname[0]

    async def _http_services(self) -> list[list[str]]:
        return [["/xmlrpc/", "service.http_server.XMLRPCRequestHandler"]]

    async def _os_time(self, password: str) -> list[float]:
        self._databases.check_master(password)
        return [round(time.process_time(), 2), 0.0, 0.0, 0.0, round(time.monotonic(), 2)]


def ascii_name(name: Any) -> str:
    """A database's name as it comes over the wire: psycopg2 turns unicode into ASCII, or fails. Raises Fault."""
    text = str(name)
    if not text.isascii():
        at = next(index for index, letter in enumerate(text) if ord(letter) > 127)
        code = ord(text[at])
        raise fault("UnicodeEncodeError", f"'ascii' codec can't encode character u'\\x{code:02x}' in position {at}: ordinal not "
                    "in range(128)")  # fmt: skip
    return text
