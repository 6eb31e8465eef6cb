# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``object.execute``: what reads is here, what writes beside it (installing.py): search, read and search_count on the tables that the lab's databases have.

Sources: facts/openerp.md A4; bin/osv/orm.py (search, read) [K: from memory of it, not read again]. What is not played is a fault whose code
begins with ``LAB:``.
"""

from __future__ import annotations

import re
from typing import Any

from lab.windows.openerp import installing
from lab.windows.openerp.faults import Fault, fault
from lab.windows.openerp.pgwire import identifier, literal
from lab.windows.openerp.process import Server

_OPERATORS = {"=": "=", "!=": "<>", "<>": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "like": "LIKE", "ilike": "ILIKE",
              "in": "IN", "not in": "NOT IN"}  # fmt: skip
_ORDER = {"ir.ui.menu": "sequence, id", "ir.module.module": "name", "res.users": "id"}
_TRANSLATED = {"ir.ui.menu": ("name",)}


class Models:
    """Models behind ``object.execute``."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def execute(self, database: str, uid: int, model: str, method: str, arguments: list[Any]) -> Any:
        """One call. Raises Fault, DatabaseError."""
        if not re.fullmatch(r"[a-z0-9_.]+", str(model)):
            raise fault("Exception", f"warning -- Object Error\n\nObject {model} doesn't exist")
        if model == "base.module.upgrade":  # a wizard: it has no table that outlives it
            return await installing.execute(self._server, database, uid, model, method, arguments)
        columns = await self._columns(database, model)
        if not columns:
            raise fault("Exception", f"warning -- Object Error\n\nObject {model} doesn't exist")
        if method == "search":
            return await self._search(database, model, columns, *arguments)
        if method == "search_count":
            return await self._search(
                database, model, columns, arguments[0] if arguments else [], 0, None, None, None, True
            )
        if method == "read":
            return await self._read(database, uid, model, columns, *arguments)
        return await installing.execute(self._server, database, uid, model, method, arguments)

    async def _columns(self, database: str, model: str) -> dict[str, str]:
        table = model.replace(".", "_")
        rows = await self._server.pool.run(
            database,
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' AND table_name = "
            f"{literal(table)} ORDER BY ordinal_position",
        )
        return {str(name): str(kind) for name, kind in rows}

    async def _search(self, database: str, model: str, columns: dict[str, str], domain: list[Any], offset: int = 0,
                      limit: int | None = None, order: str | None = None, context: Any = None,
                      count: bool = False) -> Any:  # fmt: skip
        where = [self._condition(model, columns, term) for term in domain]
        active = "active" in columns and not any(term[0] == "active" for term in domain)
        if active and (context or {}).get("active_test", True):
            where.append("active")
        if order and not re.fullmatch(r"[a-z_]+( (asc|desc))?(, ?[a-z_]+( (asc|desc))?)*", str(order), re.IGNORECASE):
            raise Fault(f"LAB: this order is not played: {order}", "")
        table = identifier(model.replace(".", "_"))
        condition = f" WHERE {' AND '.join(where)}" if where else ""
        if count:
            return int((await self._server.pool.run(database, f"SELECT count(*) FROM {table}{condition}"))[0][0] or 0)
        tail = f" ORDER BY {order or _ORDER.get(model, 'id')}"
        tail += f" LIMIT {int(limit)}" if limit else ""
        tail += f" OFFSET {int(offset)}" if offset else ""
        rows = await self._server.pool.run(database, f"SELECT id FROM {table}{condition}{tail}")
        return [int(row[0] or 0) for row in rows]

    @staticmethod
    def _condition(model: str, columns: dict[str, str], term: Any) -> str:
        if not isinstance(term, list | tuple) or len(term) != 3:
            raise Fault(f"LAB: this domain is not played: {term!r}", "")
        name, operator, value = term
        if name not in columns or operator not in _OPERATORS:
            raise Fault(f"LAB: this domain is not played on {model}: {term!r}", "")
        column = identifier(name)
        if operator in ("in", "not in"):
            values = ", ".join(literal(item) for item in value)
            return f"{column} {_OPERATORS[operator]} ({values})" if values else str(operator == "not in").lower()
        if value is False or value is None:
            if columns[name] == "boolean":
                return f"coalesce({column}, false) {_OPERATORS[operator]} false"
            return f"{column} IS {'' if operator == '=' else 'NOT '}NULL"
        if operator in ("like", "ilike"):
            value = f"%{value}%"
        return f"{column} {_OPERATORS[operator]} {literal(value)}"

    async def _read(self, database: str, uid: int, model: str, columns: dict[str, str], ids: Any,
                    fields: list[str] | None = None, context: Any = None) -> Any:  # fmt: skip
        wanted = [ids] if isinstance(ids, int) else [int(number) for number in ids]
        if not wanted:
            return []
        names = list(dict.fromkeys(fields or columns))
        stored = ["id", *(name for name in names if name in columns and name != "id")]
        table = identifier(model.replace(".", "_"))
        rows = await self._server.pool.run(
            database,
            f"SELECT {', '.join(map(identifier, stored))} FROM {table} WHERE id IN ({', '.join(map(str, wanted))})",
        )
        found = {}
        for row in rows:
            record = {name: _value(columns[name], value) for name, value in zip(stored, row, strict=True)}
            for name in names:
                if name.endswith("_id") and name in record and record[name]:
                    record[name] = await self._pair(database, model, name, record[name])
                elif name not in record:
                    record[name] = self._computed(model, name, record)
            found[record["id"]] = record
        await self._translate(database, uid, model, found, names)
        records = [found[number] for number in wanted if number in found]
        return records[0] if isinstance(ids, int) else records

    async def _pair(self, database: str, model: str, name: str, value: int) -> list[Any]:
        """A many2one: id and name of what is meant."""
        targets = {"parent_id": model, "company_id": "res.company", "currency_id": "res.currency",
                   "partner_id": "res.partner", "category_id": "ir.module.category", "user_id": "res.users"}  # fmt: skip
        if name == "res_id":
            return value  # type: ignore[return-value]
        if name not in targets:
            raise Fault(f"LAB: reading {name} of {model} is not played", "")
        table = identifier(targets[name].replace(".", "_"))
        rows = await self._server.pool.run(database, f"SELECT name FROM {table} WHERE id = {int(value)}")
        return [value, rows[0][0] if rows else ""]

    def _computed(self, model: str, name: str, record: dict[str, Any]) -> Any:
        if model == "ir.module.module" and name == "installed_version":
            return self._server.loader.on_disk().get(str(record.get("name")), "")
        raise Fault(f"LAB: the field {name} of {model} is not played", "")

    async def _translate(self, database: str, uid: int, model: str, found: dict[int, Any], names: list[str]) -> None:
        """Translated fields in the user's language (the context of the web client carries it)."""
        fields = [name for name in _TRANSLATED.get(model, ()) if name in names]
        if not fields or not found:
            return
        rows = await self._server.pool.run(
            database,
            f"SELECT t.res_id, t.value FROM ir_translation t JOIN res_users u ON u.context_lang = t.lang WHERE u.id = {int(uid)} "
            f"AND t.name = {literal(f'{model},{fields[0]}')} AND t.value <> ''",
        )
        for number, value in rows:
            if int(number or 0) in found:
                found[int(number or 0)][fields[0]] = value


def _value(kind: str, text: str | None) -> Any:
    """A column's text as XML-RPC carries it; nothing is False."""
    if text is None:
        return False
    if kind in ("integer", "bigint", "smallint"):
        return int(text)
    if kind == "boolean":
        return text == "t"
    if kind in ("numeric", "double precision"):
        return float(text)
    return text
