# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install a module over ``object.execute`` as the client's wizard does, and create records.

Sources: facts/openerp.md A4; addons/base/module/module.py and wizard/base_module_upgrade.py of 6.0 (button_install marks, upgrade_module loads)
[K: from memory of them]. The one module that is played is hr; its employees have a name of their own here, where the real ones have it in
resource.resource.
"""

from __future__ import annotations

from typing import Any

from lab.windows.openerp.faults import Fault
from lab.windows.openerp.pgwire import identifier, literal
from lab.windows.openerp.process import Server

_TABLES = {
    "hr": "CREATE TABLE hr_employee (id serial PRIMARY KEY, create_uid integer, create_date timestamp without time zone, name character "
          "varying(64) NOT NULL, active boolean DEFAULT true)",
}  # fmt: skip


async def execute(server: Server, database: str, uid: int, model: str, method: str, arguments: list[Any]) -> Any:
    """One call of a method that writes. Raises Fault for what is not played."""
    if (model, method) == ("ir.module.module", "button_install"):
        return await _mark(server, database, arguments[0])
    if model == "base.module.upgrade" and method in ("create", "upgrade_module"):
        return 1 if method == "create" else await _upgrade(server, database)
    if method == "create":
        return await _create(server, database, uid, model, arguments[0])
    raise Fault(f"LAB: the method {method} of {model} is not played", "")


async def _mark(server: Server, database: str, ids: list[int]) -> bool:
    wanted = ", ".join(str(int(number)) for number in ids)
    await server.pool.run(
        database, f"UPDATE ir_module_module SET state = 'to install' WHERE state = 'uninstalled' AND id IN ({wanted})"
    )
    return True


async def _upgrade(server: Server, database: str) -> dict[str, Any]:
    rows = await server.pool.run(database, "SELECT name FROM ir_module_module WHERE state = 'to install' ORDER BY id")
    for (name,) in rows:
        if name not in _TABLES:
            raise Fault(f"LAB: installing the module {name} is not played", "")
        await server.pool.run(database, _TABLES[str(name)])
        await server.pool.run(
            database,
            f"UPDATE ir_module_module SET state = 'installed', latest_version = '6.0.1.1' WHERE name = {literal(str(name))}",
        )
    return {"type": "ir.actions.act_window_close"}


async def _create(server: Server, database: str, uid: int, model: str, values: dict[str, Any]) -> int:
    names = ["create_uid", "create_date", *values]
    given = [str(int(uid)), "now()", *(literal(value) for value in values.values())]
    rows = await server.pool.run(
        database,
        f"INSERT INTO {identifier(model.replace('.', '_'))} ({', '.join(map(identifier, names))}) VALUES ({', '.join(given)}) RETURNING id",
    )
    return int(rows[0][0] or 0)
