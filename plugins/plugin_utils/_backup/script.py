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
    """Takes the script in pieces, however they are cut; ``close`` gives what it held.

    A position moves over the buffer, which is cut once per piece: cutting it for each of 250 tables took most of the time.
    """

    def __init__(self) -> None:
        self._content = Content()
        self._hash = hashlib.sha256()
        self._buffer = b""
        # At the beginning of a line, but within rows, where it is at the end of the line before.
        self._at = 0
        self._table = ("", "")
        self._schema = ""
        self._codec = "utf-8"
        self._state = self._sql

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._buffer = self._buffer[self._at :] + piece
        self._at = 0
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
        """Pass over statements; the searches are made only where a plain one says that they may find something."""
        sql = self._buffer[self._at : end]
        if b"client_encoding" in sql and (found := _ENCODING.search(sql)) is not None:
            self._codec = codec_of(found[1].decode("ascii", "replace"))
        if b"lo_create(" in sql:
            self._content.large_objects += len(_LARGE_OBJECT.findall(sql))
        if b"restrict " in sql or b"-- Dumped " in sql:
            sql = _VOLATILE.sub(b"", sql)
        self._hash.update(sql)
        self._at = end

    def _sql(self) -> bool:
        """Pass over statements up to the comment before a table's rows; say whether it was reached."""
        buffer = self._buffer
        if not buffer.startswith(_COMMENT, self._at):
            found_at = buffer.find(b"\n" + _COMMENT, self._at)
            # Without one, all whole lines are passed: the comment begins a line.
            end = (found_at if found_at >= 0 else buffer.rfind(b"\n", self._at)) + 1
            if end > self._at:
                self._pass_sql(end)
            if found_at < 0:
                return False
        line_end = buffer.find(b"\n", self._at)
        if line_end < 0:
            return False
        found = _HEADER.match(buffer, self._at)
        if found is not None:
            self._schema = self._text(found[2])
            self._state = self._header
        self._pass_sql(line_end + 1)
        return True

    def _header(self) -> bool:
        """Pass over the lines between the comment and the rows."""
        buffer = self._buffer
        line_end = buffer.find(b"\n", self._at)
        if line_end < 0:
            return False
        if not buffer.startswith(b"COPY ", self._at):
            if _BETWEEN.match(buffer, self._at):
                self._pass_sql(line_end + 1)
            else:
                # Only looked like a table's comment.
                self._state = self._sql
            return True
        # A name may hold a line end, so the statement may take several lines.
        end = buffer.find(_COPY_END, self._at)
        if end < 0 and len(buffer) - self._at < _COPY_LIMIT:
            return False
        found = _COPY.match(buffer, self._at) if end >= 0 else None
        if found is None:
            self._state = self._sql
            return True
        schema = _identifier(self._text(found[1])) if found[1] else self._schema
        self._table = (schema, _identifier(self._text(found[2])))
        self._content.rows.setdefault(self._table, 0)
        end += len(_COPY_END) - 1
        self._hash.update(buffer[self._at : end])
        self._at = end
        self._state = self._rows
        return True

    def _rows(self) -> bool:
        """Count rows up to the line that ends them; say whether it was reached."""
        buffer = self._buffer
        found_at = buffer.find(_END, self._at)
        if found_at >= 0:
            self._content.rows[self._table] += buffer.count(b"\n", self._at, found_at)
            end = found_at + len(_END)
            self._state = self._sql
        else:
            # The end may be cut: what could be its beginning stays.
            end = max(self._at, len(buffer) - len(_END))
            self._content.rows[self._table] += buffer.count(b"\n", self._at, end)
        self._hash.update(memoryview(buffer)[self._at : end])
        self._at = end
        return found_at >= 0

    def _text(self, raw: bytes) -> str:
        return raw.decode(self._codec, "surrogateescape")


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
