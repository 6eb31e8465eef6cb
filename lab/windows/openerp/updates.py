# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of an update: what goes wrong in the middle of ``openerp-server.exe -u``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lab.windows.openerp.configparser2 import PythonError
from lab.windows.openerp.loading import Hooks
from lab.windows.openerp.pgwire import Connection, Target

if TYPE_CHECKING:
    from lab.windows.host import Host

PROGRAM = "openerp-server.exe"
_INVALID = ("ParseError", "Invalid XML for View Architecture !")


def hooks(host: Host) -> Hooks:
    """What a host's faults do in an update."""

    async def _side(database: str, sql: str) -> None:
        """What a failed update leaves in the database, beside its own transaction."""
        plan = host.plan
        settings = plan.postgresql or {}
        connection = await Connection.open(Target("localhost", plan.address, int(settings["port"]),
                                                  str(settings["superuser"]), str(settings["password"]), database))  # fmt: skip
        try:
            await connection.run(sql)
        finally:
            connection.close()

    def on(name: str, database: str) -> bool:
        return host.faults.text(name) in ("", database)

    async def before_base(database: str) -> None:
        if on("update_hangs", database):
            await asyncio.Event().wait()

    async def before_module(database: str, module: str) -> None:
        if on("update_damages", database):
            # A column that the server needs is gone: no release serves the database any more.
            await _side(database, f"UPDATE ir_module_module SET state = 'to upgrade' WHERE name = '{module}'; "
                        "ALTER TABLE res_users RENAME COLUMN password TO password_moved0")  # fmt: skip
            raise PythonError("psycopg2.ProgrammingError", 'column "password" of relation "res_users" does not exist')
        if on("update_fails", database):
            await _side(database, f"UPDATE ir_module_module SET state = 'to upgrade' WHERE name = '{module}'")
            raise PythonError(*_INVALID)

    async def halfway() -> None:
        await host.power.halfway(PROGRAM)

    return Hooks(before_base, before_module, halfway, host.plan.openerp_update_time)
