"""Names: of databases on command lines, of folders and files at the destinations.

Note that this utility is private to the collection.

A database's name is data. It may hold anything but NUL; it stands in a connection string, in SQL, in a folder's name, and
never in a shell line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

#: Letters that stay as they are in a folder's name. All others are written as ``=XX``, one per byte of UTF-8: rsync, NTFS, FAT
#: and Cygwin disagree about accents, and Windows forbids ``<>:"/\\|?*``. A cmd line cannot protect ``%``, so it is not used.
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
#: Names of devices, with any extension ("Naming Files, Paths, and Namespaces" in Microsoft's documentation).
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_LONGEST = 110
_STAMP = "%Y-%m-%dT%H%M%SZ"
STAMP_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")


def encoded(name: str) -> str:
    """Return ``name`` as the name of a folder or file that every file system takes.

    ``Spécibike 2`` gives ``Sp=C3=A9cibike=202``. Names that differ in case only are kept apart by ``folders``.
    """
    raw = name.encode("utf-8", "surrogateescape")
    text = "".join(chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in raw)
    # A leading dot or underscore is ours or hidden, a trailing dot is dropped by Windows, and some names are devices.
    if text[:1] in (".", "_", "-") or _DEVICES.match(text):
        text = f"={ord(text[0]):02X}{text[1:]}"
    if text.endswith("."):
        text = f"{text[:-1]}=2E"
    # Windows' paths end at 260 characters (MAX_PATH), and the staging folder and the stamp need some.
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 17]}~{hashlib.sha256(raw).hexdigest()[:16]}"


def folders(names: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Return the folder of each name; those in ``known`` keep theirs, and no two differ in case only.

    The second of two names that a file system ignoring case would mix gets ``~`` and eight digits of its hash.

    Args:
        names: database names.
        known: name to folder, as the catalog holds them.
    """
    found = dict(known)
    used = {folder.casefold() for folder in found.values()}
    for name in sorted(set(names) - set(found)):
        folder = encoded(name)
        if folder.casefold() in used:
            folder = f"{folder}~{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
        used.add(folder.casefold())
        found[name] = folder
    return found


def stamp_of(moment: datetime) -> str:
    """Return the time as it stands in file names: UTC with seconds, without colons, in an order that sorts."""
    return moment.astimezone(UTC).strftime(_STAMP)


def moment_of(stamp: str) -> datetime:
    """Return the time of a stamp.

    Raises:
        ValueError: it is none.
    """
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


def conninfo(name: str) -> str:
    """Return a connection string that names the database and nothing else (libpq, "Connection Strings").

    A name that holds ``=`` would itself be read as one. libpq takes it where a database's name stands since 8.3.
    """
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{quoted}'"


def identifier(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as an SQL string that means the same whatever ``standard_conforming_strings`` is."""
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else f"'{quoted}'"


def printable(name: str) -> str:
    """Return ``name`` for tables, logs and sentences: a control character in it must not begin a line of its own."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in name)


def seen_as_ansi(text: str) -> str:
    """Return what has to be written so that a Windows program of the ANSI kind gets the UTF-8 bytes of ``text``.

    PostgreSQL's programs are such (``main``, not ``wmain``): Windows converts their arguments and environment to code page
    1252, and libpq sends the bytes as they are, while the server compares them with a name in UTF-8. So ``é`` is written as
    the two characters that its two bytes are in 1252; the five bytes that 1252 lacks are C1 controls there, both ways.
    """
    return "".join(_CP1252[byte] for byte in text.encode("utf-8", "surrogateescape"))


_CP1252 = [
    chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252") for byte in range(256)
]


def replaced_name(name: str, word: str, stamp: str) -> str:
    """Return another name for a database that is put aside, at most 63 bytes as PostgreSQL allows (``NAMEDATALEN``)."""
    tail = f"_{word}_{stamp}"
    raw = name.encode("utf-8", "surrogateescape")[: 63 - len(tail)]
    return raw.decode("utf-8", "ignore") + tail
