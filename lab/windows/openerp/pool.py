# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections of a server to its databases, as bin/sql_db.py of 6.0 pools them [K: from memory of it, not read again; the log lines are real ones].

A connection that was used goes back into the pool, except one to template1, template0 or postgres. The pool looks at none
of them before it hands it out: after PostgreSQL was restarted the first call on each database finds a dead one
(facts/openerp.md A5).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from lab.windows.openerp.log import Log, traceback
from lab.windows.openerp.pgwire import Connection, ConnectionClosed, ConnectionFailed, Row, Target
from lab.windows.pgtools.libpq import conninfo

_NOT_KEPT = ("template1", "template0", "postgres")
_BORROW = [("sql_db.pyo", 303, "borrow")]


class Pool:
    """All connections of one server.

    Args:
        target: where a database is. most: db_maxconn.
    """

    def __init__(self, target: Callable[[str], Target], log: Log, most: int) -> None:
        self._target, self._log, self._most = target, log, most
        self._idle: dict[str, list[Connection]] = {}
        self._busy: set[Connection] = set()
        self._ended = False

    async def _open(self, database: str) -> Connection:
        target = self._target(database)
        try:
            if conninfo(target.dsn) is None:  # the string is put together without quotes
                word = target.dsn.rpartition(" ")[2]
                raise ConnectionFailed(f'missing "=" after "{word}" in connection info string\n')
            return await Connection.open(target)
        except ConnectionFailed as error:
            trace = traceback(_BORROW, f"OperationalError: {error.text}")
            self._log.write(database, "ERROR", "db.connection_pool", "Connection to the database failed", trace)
            raise

    @contextlib.asynccontextmanager
    async def cursor(self, database: str) -> AsyncIterator[Connection]:
        """A connection for one piece of work. Raises ConnectionFailed."""
        idle = self._idle.get(database)
        connection = idle.pop() if idle else await self._open(database)
        self._busy.add(connection)
        kept = False
        try:
            yield connection
            kept = True
        except ConnectionClosed:
            raise
        except Exception as error:
            kept = type(error).__name__ == "DatabaseError"
            raise
        finally:
            self._busy.discard(connection)
            if kept and database not in _NOT_KEPT and not self._ended:
                self._idle.setdefault(database, []).append(connection)
            else:
                connection.close()

    async def run(self, database: str, sql: str) -> list[Row]:
        """Statements in a transaction of their own. Raises DatabaseError."""
        async with self.cursor(database) as connection:
            return await connection.run(sql)

    def close_all(self, database: str) -> None:
        """sql_db.close_db(): the line that it logs holds the password (facts/openerp.md A3)."""
        count = sum(map(len, self._idle.values())) + len(self._busy)
        shown = f"ConnectionPool(used={len(self._busy)}/count={count}/max={self._most})"
        self._log.info("", "db.connection_pool", f"{shown}: Close all connections to '{self._target(database).dsn}'")
        for connection in self._idle.pop(database, []):
            connection.close()

    def end(self) -> None:
        """The process is gone."""
        self._ended = True
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        for connection in self._busy:
            connection.close()
        self._idle.clear()
