"""Count the rows of tables by SQL.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .._backup.names import identifier

Table = tuple[str, str]
_AT_ONCE = 500
#: Names divided by a character that none of them has.
_PRESENT = "SELECT schemaname || E'\\x1f' || tablename || E'\\x1e' FROM pg_tables;"


def count_rows(sql: Callable[[str], str], tables: Iterable[Table]) -> dict[Table, int]:
    """Return the number of rows of each (schema, table); one that is not there is left out.

    Args:
        sql: runs statements in the database and returns what psql printed, unaligned.
        tables: those that are wanted. Rows of an inheriting table are its own, as in its COPY.
    """
    present = {
        (schema, table)
        for schema, _bar, table in (row.lstrip("\n").partition("\x1f") for row in sql(_PRESENT).split("\x1e"))
    }
    wanted = [table for table in tables if table in present]
    counts: dict[Table, int] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        selects = [
            f"SELECT {number}, count(*) FROM ONLY {identifier(schema)}.{identifier(table)}"
            for number, (schema, table) in enumerate(part)
        ]
        for line in sql(" UNION ALL ".join(selects) + ";").split():
            number, _bar, count = line.partition("|")
            counts[part[int(number)]] = int(count)
    return counts


def client_encoding(encoding: str) -> str:
    """Return the encoding in which names are exchanged with a database: those of one without (SQL_ASCII) are taken as they are."""
    return "SQL_ASCII" if encoding == "SQL_ASCII" else "UTF8"


def difference(expected: dict[Table, int], found: dict[Table, int]) -> str:
    """Return the first difference of two row counts in words, empty when there is none."""
    for table, count in expected.items():
        if found.get(table) != count:
            return f"the table {'.'.join(table)} should have {count} rows and {_has(found.get(table))}"
    return ""


def _has(count: int | None) -> str:
    return "is not there" if count is None else f"has {count}"
