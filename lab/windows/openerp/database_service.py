# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service ``db``: what can be done to whole databases, most of it with the master password.

Sources: facts/openerp.md A3, A4 and A8; bin/service/web_services.py (class db) as read in Unifield's branch of 6.0; bin/tools/misc.py
(find_pg_tool, exec_pg_command_pipe) [K: from memory of it, not read again]. On Windows ``restore`` hands pg_restore a
file name with a leading blank and never reads its exit code (PATCH win32_server60_fix_dbrestore): it answers true and the database is empty.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from lab.windows.cmdline import crt_argv
from lab.windows.files import WindowsPathError
from lab.windows.openerp.faults import Fault, denied, fault
from lab.windows.openerp.pgwire import DatabaseError, literal
from lab.windows.openerp.process import Server, quoted
from lab.windows.processes import Call, Console, Input
from lab.windows.refusal import LabRefusal

_MASTER = {"create", "get_progress", "drop", "dump", "restore", "rename", "change_admin_password", "migrate_databases"}
_OWNED = """SELECT datname FROM pg_database WHERE datdba = (SELECT usesysid FROM pg_user WHERE usename = {user})
 AND datname NOT IN ('template0', 'template1', 'postgres') ORDER BY datname"""
_FIRST_PASSWORD = "admin"
_NOT_PLAYED = {"change_admin_password", "migrate_databases", "list_lang"}


class DatabaseService:
    """Calls of the service ``db``."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._creations: dict[int, tuple[asyncio.Task[None], str]] = {}
        self._methods: dict[str, Callable[..., Awaitable[Any]]] = {
            "server_version": self._version, "list": self._list, "db_exist": self._exists, "create": self._create,
            "get_progress": self._progress, "drop": self._drop, "dump": self._dump, "restore": self._restore,
            "rename": self._rename,
        }  # fmt: skip

    async def dispatch(self, method: str, params: list[Any]) -> Any:
        """One call. Raises Fault, DatabaseError."""
        if method not in self._methods and method not in _NOT_PLAYED:
            raise fault("KeyError", f"Method not found: {method}")
        if method in _MASTER:
            self.check_master(params[0])
            params = params[1:]
        if method in _NOT_PLAYED:
            raise Fault(f"LAB: db.{method} is not played", "")
        return await self._methods[method](*params)

    def check_master(self, password: Any) -> None:
        """security.check_super(). Raises Fault."""
        if password != self._server.settings.values["admin_passwd"]:
            raise denied("AccessDenied: Invalid super administrator password.")

    def _say(self, database: str, text: str) -> None:
        self._server.log.info(database, "web-services", text)

    async def _version(self) -> str:
        return self._server.version

    async def _list(self, document: bool = False) -> list[str]:
        if self._server.settings.values["list_db"] is False and not document:
            raise fault("Exception", "AccessDenied")
        user = self._server.settings.text("db_user")
        async with self._server.pool.cursor("template1") as connection:
            try:
                rows = await connection.run(_OWNED.format(user=literal(user)))
            except DatabaseError:
                rows = []
        return sorted((name for (name,) in rows if name), key=str.encode)

    async def _exists(self, database: str) -> bool:
        try:
            async with self._server.pool.cursor(database):
                return True
        except DatabaseError:
            return False

    async def _create_empty(self, database: str) -> None:
        await self._server.pool.run(
            "template1", f"CREATE DATABASE {quoted(database)} ENCODING 'unicode' TEMPLATE \"template0\""
        )

    async def _create(self, database: str, demo: bool, language: str, password: str = _FIRST_PASSWORD) -> int:
        if not database.isascii() or language not in ("fr_FR", "en_US"):
            raise Fault("LAB: db.create is played for ASCII names in fr_FR or en_US", "")
        number = len(self._creations) + 1
        await self._create_empty(database)
        self._say("template1", f"CREATE DATABASE: {database.lower()}")
        task = asyncio.get_running_loop().create_task(self._initialise(database, demo, language, password))
        self._creations[number] = (task, database)
        return number

    async def _initialise(self, database: str, demo: bool, language: str, password: str) -> None:
        loader = self._server.loader
        async with loader.locks.setdefault(database, asyncio.Lock()):
            await loader.fill(database, bool(demo), language, created=True)
        await self._server.pool.run(database, f"UPDATE res_users SET password = {literal(password)}, context_lang = "
                                    f"{literal(language)}, active = true WHERE login = 'admin'")  # fmt: skip

    async def _progress(self, number: int) -> list[Any]:
        task, database = self._creations[int(number)]
        if not task.done():
            return [0, []]
        del self._creations[int(number)]
        task.result()
        rows = await self._server.pool.run(database, "SELECT login, password, name FROM res_users ORDER BY login")
        return [1.0, [dict(zip(("login", "password", "name"), row, strict=True)) for row in rows]]

    async def _drop(self, database: str) -> bool:
        self._server.pool.close_all(database)
        try:
            await self._server.pool.run("template1", f"DROP DATABASE {quoted(database)}")
        except DatabaseError as error:
            self._server.log.write("template1", "ERROR", "web-services", f"DROP DB: {database} failed:\n{error.text}")
            raise fault("Exception", f"Couldn't drop database {database}: {error.text}") from None
        self._say("template1", f"DROP DB: {database}")
        self._server.loader.pools.discard(database)
        return True

    async def _rename(self, old: str, new: str) -> bool:
        server = self._server
        server.pool.close_all(old)
        try:
            await server.pool.run("template1", f"ALTER DATABASE {quoted(old)} RENAME TO {quoted(new)}")
        except DatabaseError as error:
            server.log.write("template1", "ERROR", "web-services", f"RENAME DB: {old} -> {new} failed:\n{error.text}")
            raise fault("Exception", f"Couldn't rename database {old} to {new}: {error.text}") from None
        with contextlib.suppress(WindowsPathError):
            store = f"{server.settings.text('root_path')}\\filestore"
            source = server.host.drive.find(server.host.drive.absolute(f"{store}\\{old}"))
            if source is not None:
                source.rename(source.with_name(new))
        self._say("template1", f"RENAME DB: {old} -> {new}")
        return True

    async def _dump(self, database: str) -> str:
        data, _code = await self._pg_tool("pg_dump", "--format=c", "--no-owner", *self._connection(), database)
        self._say("", f"DUMP DB: {database}")
        return base64.encodebytes(data).decode()

    async def _restore(self, database: str, data: str) -> bool:
        if await self._exists(database):
            self._server.log.write(database, "WARNING", "web-services", f"RESTORE DB: {database} already exists")
            raise fault("Exception", "Database already exists")
        await self._create_empty(database)
        # The file is written, pg_restore looks for one whose name begins with a blank, and nobody reads what it says.
        await self._pg_tool(
            "pg_restore", "--no-owner", *self._connection(), f"--dbname={database}", '" C:\\Windows\\TEMP\\s1k"'
        )
        self._say("template1", f"RESTORE DB: {database}")
        return True

    def _connection(self) -> list[str]:
        settings = self._server.settings
        pairs = {
            "username": settings.text("db_user"),
            "host": settings.text("db_host"),
            "port": settings.text("db_port"),
        }
        return [f"--{name}={value}" for name, value in pairs.items() if value]

    async def _pg_tool(self, name: str, *arguments: str) -> tuple[bytes, int]:
        """exec_pg_command_pipe: the tool of pg_path, else of PATH, its arguments joined with blanks and not quoted."""
        from lab.windows import programs
        from lab.windows.interpreter import run_program

        server = self._server
        folder = server.settings.text("pg_path")
        item = programs.by_path(server.host, f"{folder}\\{name}") if folder else programs.on_path(server.host, name)
        if item is None:
            if not folder:
                raise fault("Exception", f"Couldn't find {name}")
            return b"", 1
        line = " " + " ".join(arguments)
        environment = {"PGPASSWORD": server.settings.text("db_password"), "APPDATA": "C:\\Windows\\TEMP"}
        out, error = bytearray(), bytearray()
        call = Call(server.host, crt_argv(f"x{line}")[1:], line, Input(b""), out.extend, error.extend, environment,
                    server.folder, Console(server.host.plan.oem), server.user)  # fmt: skip
        code = await run_program(item, call, f"{name}{line}")
        if error.startswith(b"LAB:"):  # what the lab cannot do must be seen; what the tool says, nobody sees
            raise LabRefusal(error.decode(call.encoding, "replace").removeprefix("LAB:").strip())
        return bytes(out), code
