"""Read the script that pg_restore makes of a dump: count rows and hash the content, as it streams by.

Note that this utility is private to the collection.

Format: pg_dump's plain output (``pg_backup_archiver.c``). Each table's rows stand between a line ``COPY ... FROM stdin;`` and a
line ``\\.``, which no row can be, after a comment that names schema and table. The rest is SQL.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from dataclasses import dataclass, field

_COMMENT = b"-- Data for Name: "
_HEADER = re.compile(rb"-- Data for Name: (.*); Type: TABLE DATA; Schema: (.*?); Owner: ")
_END = b"\n\\.\n"
#: What differs from one reading to the next, or with the program's version, and is no content: ``\restrict`` has a random word.
_VOLATILE = re.compile(rb"(?m)^(?:\\(?:un)?restrict [^\n]*|-- Dumped (?:from|by) [^\n]*)\n")
_LARGE_OBJECT = re.compile(rb"(?m)^SELECT pg_catalog\.lo_(?:create\('\d+'\)|open\(pg_catalog\.lo_create\()")
#: Between a table's comment and its COPY stand the comment's end, blank lines, and SET lines of old archives.
_BETWEEN = re.compile(rb"(?:--|-- load via [^\n]*|SET [^\n]*|SELECT pg_catalog\.set_config[^\n]*)?\n")
_COPY = re.compile(rb"COPY (?:(%s)\.)?(%s) (?:\(.*\) )?FROM stdin;" % ((rb'"(?:[^"]|"")*"|[^\s".(]+',) * 2), re.S)
_COPY_END = b" FROM stdin;\n"
#: A COPY is never longer: names are 63 bytes, and a table has 1600 columns at most.
_COPY_LIMIT = 256 * 1024
_ENCODING = re.compile(rb"^SET client_encoding = '([^']+)';", re.M)
#: PostgreSQL's names of encodings to Python's, where those differ ("Character Set Support").
_CODECS = {"UTF8": "utf-8", "SQL_ASCII": "utf-8", "LATIN9": "iso8859-15", "LATIN10": "iso8859-16", "EUC_JP": "euc_jp"}


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
        self._schema = ""
        self._codec = "utf-8"
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
        found = _ENCODING.search(sql)
        if found is not None:
            self._codec = codec_of(found[1].decode("ascii", "replace"))
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
            self._schema = self._text(found[2])
            self._state = self._header
        self._pass_sql(line_end + 1)
        return True

    def _header(self) -> bool:
        """Pass over the lines between the comment and the rows."""
        line_end = self._buffer.find(b"\n")
        if line_end < 0:
            return False
        if not self._buffer.startswith(b"COPY "):
            if _BETWEEN.match(self._buffer):
                self._pass_sql(line_end + 1)
            else:
                # Only looked like a table's comment.
                self._state = self._sql
            return True
        # A name may hold a line end, so the statement may take several lines.
        end = self._buffer.find(_COPY_END)
        if end < 0 and len(self._buffer) < _COPY_LIMIT:
            return False
        found = _COPY.match(self._buffer) if end >= 0 else None
        if found is None:
            self._state = self._sql
            return True
        schema = _identifier(self._text(found[1])) if found[1] else self._schema
        self._table = (schema, _identifier(self._text(found[2])))
        self._content.rows.setdefault(self._table, 0)
        end += len(_COPY_END) - 1
        self._hash.update(self._buffer[:end])
        self._buffer = self._buffer[end:]
        self._state = self._rows
        return True

    def _text(self, raw: bytes) -> str:
        return raw.decode(self._codec, "surrogateescape")

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


def codec_of(encoding: str) -> str:
    """Return Python's name of an encoding of PostgreSQL's; that of UTF-8 for one that Python does not know."""
    name = _CODECS.get(encoding, encoding.replace("WIN", "cp", 1) if encoding.startswith("WIN") else encoding)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


def _identifier(text: str) -> str:
    """Return the name that an SQL identifier stands for."""
    return text[1:-1].replace('""', '"') if text.startswith('"') else text
