"""Read the script that pg_restore makes of a dump: count rows and hash the content, as it streams by.

Note that this utility is private to the collection.

Format: pg_dump's plain output (``pg_backup_archiver.c``). Each table's rows stand between a line ``COPY ... FROM stdin;`` and a
line ``\\.``, which no row can be, after a comment that names schema and table. The rest is SQL.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

_COMMENT = b"-- Data for Name: "
_HEADER = re.compile(rb"-- Data for Name: (.*); Type: TABLE DATA; Schema: (.*?); Owner: ")
_END = b"\n\\.\n"
#: What differs from one reading to the next, or with the program's version, and is no content: ``\restrict`` has a random word.
_VOLATILE = re.compile(rb"(?m)^(?:\\(?:un)?restrict [^\n]*|-- Dumped (?:from|by) [^\n]*)\n")
_LARGE_OBJECT = re.compile(rb"\blo_create\(")
#: Between a table's comment and its COPY stand the comment's end, blank lines, and SET lines of old archives.
_BETWEEN = re.compile(rb"(?:--|SET [^\n]*|SELECT pg_catalog\.set_config[^\n]*)?\n")


@dataclass(slots=True)
class Content:
    """What a dump holds.

    Attributes:
        rows: (schema, table) to the number of its rows.
        large_objects: how many there are.
        sha256: of the script without what is volatile: equal content gives an equal hash.
    """

    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    large_objects: int = 0
    sha256: str = ""


class ScriptReader:
    """Takes the script in pieces, however they are cut; ``close`` gives what it held."""

    def __init__(self) -> None:
        self._content = Content()
        self._hash = hashlib.sha256()
        # Begins at the beginning of a line, but within rows, where it begins at the end of the line before.
        self._buffer = b""
        self._table = ("", "")
        self._state = self._sql

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._buffer += piece
        while self._state():
            pass

    def close(self) -> Content:
        """Return the content.

        Raises:
            ValueError: the script ends within a table's rows.
        """
        if self._state == self._rows:
            raise ValueError(f"the rows of {'.'.join(self._table)} do not end")
        self._pass_sql(len(self._buffer))
        self._content.sha256 = self._hash.hexdigest()
        return self._content

    def _pass_sql(self, end: int) -> None:
        sql = self._buffer[:end]
        self._content.large_objects += len(_LARGE_OBJECT.findall(sql))
        self._hash.update(_VOLATILE.sub(b"", sql))
        self._buffer = self._buffer[end:]

    def _sql(self) -> bool:
        """Pass over statements up to the comment before a table's rows; say whether it was reached."""
        if not self._buffer.startswith(_COMMENT):
            at = self._buffer.find(b"\n" + _COMMENT)
            # Without one, all whole lines are passed: the comment begins a line.
            self._pass_sql((at if at >= 0 else self._buffer.rfind(b"\n")) + 1)
            if at < 0:
                return False
        line_end = self._buffer.find(b"\n")
        if line_end < 0:
            return False
        found = _HEADER.match(self._buffer)
        if found is not None:
            schema, table = (found[number].decode("utf-8", "surrogateescape") for number in (2, 1))
            self._table = (schema, table)
            self._state = self._header
        self._pass_sql(line_end + 1)
        return True

    def _header(self) -> bool:
        """Pass over the lines between the comment and the rows."""
        line_end = self._buffer.find(b"\n")
        if line_end < 0:
            return False
        if self._buffer.startswith(b"COPY ") and self._buffer[:line_end].endswith(b" FROM stdin;"):
            self._content.rows.setdefault(self._table, 0)
            self._hash.update(self._buffer[:line_end])
            self._buffer = self._buffer[line_end:]
            self._state = self._rows
        elif _BETWEEN.match(self._buffer):
            self._pass_sql(line_end + 1)
        else:
            # Only looked like a table's comment.
            self._state = self._sql
        return True

    def _rows(self) -> bool:
        """Count rows up to the line that ends them; say whether it was reached."""
        at = self._buffer.find(_END)
        if at >= 0:
            self._content.rows[self._table] += self._buffer.count(b"\n", 0, at)
            self._hash.update(self._buffer[: at + len(_END)])
            self._buffer = self._buffer[at + len(_END) :]
            self._state = self._sql
            return True
        # The end may be cut: what could be its beginning stays.
        whole = max(0, len(self._buffer) - len(_END))
        self._content.rows[self._table] += self._buffer.count(b"\n", 0, whole)
        self._hash.update(self._buffer[:whole])
        self._buffer = self._buffer[whole:]
        return False
