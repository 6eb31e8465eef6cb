"""The catalog: what backups exist, where, how old, proven when and by which version.

Note that this utility is private to the collection.

    BACKUP_DIR/SET/items/FOLDER.json      the backups of one database (or of the roles, or of one file), newest last
    BACKUP_DIR/SET/rows/FOLDER/STAMP.json the rows of each table of a dump, for the proof of a restore
    BACKUP_DIR/SET/destinations.json      when each destination was last there
    BACKUP_DIR/SET/runs/STAMP.json        what a run did                                  LOG in runs/STAMP.log
    BACKUP_DIR/SET/status.json            the last run and the ages, for monitoring

Each file is replaced as a whole, so a run that is killed leaves the state before or after a step. Beside each dump lies its
record (``STAMP.json``), so that a destination can be read without the catalog.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import _storage as storage
from .errors import CatalogError, OptionError
from .names import STAMP_PATTERN, moment_of

DATABASE, GLOBALS, FILE = "database", "globals", "file"
_SUFFIX = {DATABASE: ".dump", GLOBALS: ".sql", FILE: ".copy"}
#: Where roles and files stand at a destination; no database's folder begins with an underscore.
GLOBALS_FOLDER, FILES_FOLDER = "_globals", "_files"


@dataclass(slots=True)
class Backup:
    """One backup. Times are stamps (``2026-11-23T210000Z``), hashes hexadecimal, sizes bytes, durations seconds.

    Attributes:
        kind: database, globals or file.
        name: of the database, or the path of the file on the server.
        folder: where it stands at each destination.
        stamp: of the run that made it.
        size, sha256: of its file.
        content: hash of what the file holds (of a dump: of the script that pg_restore makes of it).
        rows, tables, large_objects: totals of a dump.
        server_version, tool_version, archive_version: what wrote it.
        system_identifier: of the cluster that it was made of.
        owner, encoding, oid: of the database.
        properties: what else is true of the database and stands in no dump: locale, rights, limits, settings, comment.
        duration: of the dump.
        read_proven: when it was last read in full at a destination.
        restore_proven: when a restore of it was last proven.
        seen: later runs that found the same content.
        stored: destination to the time at which its bytes were read back there.
        staged: path on the server of a copy that is at no destination yet.
        staged_digest: what the server said of that copy.
        expired: it is no backup any more, and goes wherever it still is.
    """

    kind: str
    name: str
    folder: str
    stamp: str
    size: int = 0
    sha256: str = ""
    content: str = ""
    rows: int = 0
    tables: int = 0
    large_objects: int = 0
    server_version: str = ""
    tool_version: str = ""
    archive_version: str = ""
    system_identifier: str = ""
    owner: str = ""
    encoding: str = ""
    oid: int = 0
    properties: dict[str, Any] = field(default_factory=dict)
    duration: float = 0.0
    read_proven: str = ""
    restore_proven: str = ""
    seen: list[str] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)
    staged: str = ""
    staged_digest: str = ""
    expired: bool = False

    @property
    def key(self) -> str:
        """Return what names it among the backups of its item."""
        return self.stamp

    @property
    def path(self) -> str:
        """Return where it stands below the set's folder at each destination, with slashes."""
        return f"{self.folder}/{self.stamp}{_SUFFIX[self.kind]}"

    @property
    def record_path(self) -> str:
        """Return where its record stands."""
        return f"{self.folder}/{self.stamp}.json"

    @property
    def proven(self) -> bool:
        """Return whether it was read in full and is somewhere."""
        return bool(self.read_proven and self.stored and not self.expired)

    @property
    def moments(self) -> tuple[datetime, ...]:
        """Return when its content was that of the database."""
        return tuple(moment_of(stamp) for stamp in (self.stamp, *self.seen))

    @property
    def as_of(self) -> str:
        """Return the newest stamp at which its content was that of the database."""
        return max((self.stamp, *self.seen))


@dataclass(slots=True)
class Item:
    """A database, the roles, or a file, with its backups.

    Attributes:
        kind, name, folder: as of its backups.
        last_seen: stamp of the last run that found it on the server.
        backups: oldest first.
        restored: when a restore of any backup of it was last proven; it outlives the backup.
    """

    kind: str
    name: str
    folder: str
    last_seen: str = ""
    backups: list[Backup] = field(default_factory=list)
    restored: str = ""

    @property
    def newest_proven(self) -> Backup | None:
        """Return the newest proven backup."""
        return next((one for one in reversed(self.backups) if one.proven), None)


class Catalog:
    """The catalog of one set of backups: of one server, or of the two that share their data."""

    def __init__(self, root: Path, name: str) -> None:
        """Read it.

        Args:
            root: folder of all catalogs.
            name: of the set.

        Raises:
            CatalogError: it cannot be read.
        """
        self.name = name
        self.root = root / name
        self.items: dict[tuple[str, str], Item] = {}
        self.destinations: dict[str, dict[str, str]] = {}
        # What stands on the disk, so that the same is not written again.
        self._written: dict[str, dict[str, Any]] = {}
        self._read()

    def _read(self) -> None:
        known = {one.name for one in fields(Backup)}
        for path in sorted((self.root / "items").glob("**/*.json")):
            data = self._load(path)
            try:
                backups = [
                    Backup(**{key: value for key, value in one.items() if key in known}) for one in data["backups"]
                ]
                item = Item(
                    data["kind"], data["name"], data["folder"], data["last_seen"], backups, data.get("restored", "")
                )
            except (KeyError, TypeError, AttributeError):
                raise CatalogError(f"{path} is no part of a catalog; move it away and run again") from None
            self.items[item.kind, item.name] = item
            self._written[item.folder] = asdict(item)
        path = self.root / "destinations.json"
        if path.exists():
            self.destinations = self._load(path)

    @staticmethod
    def _load(path: Path) -> Any:
        try:
            return json.loads(path.read_text("utf-8", "surrogatepass"))
        except OSError as error:
            raise CatalogError(f"{path} cannot be read: {error.strerror}") from None
        except ValueError:
            raise CatalogError(
                f"{path} is damaged; move it away (the destinations hold a record beside each dump) and run again"
            ) from None

    def prepare(self) -> None:
        """Make the folders (0700).

        Raises:
            CatalogError: they cannot be made.
        """
        try:
            for name in ("items", "rows", "runs"):
                storage.make_folder(self.root / name)
        except OSError as error:
            raise CatalogError(f"{self.root} cannot be made: {error.strerror}; make it writable") from None

    def of_kind(self, kind: str) -> list[Item]:
        """Return the items of a kind, by name."""
        return sorted((item for item in self.items.values() if item.kind == kind), key=lambda item: item.name)

    def folders(self, kind: str) -> dict[str, str]:
        """Return name to folder of the items of a kind."""
        return {item.name: item.folder for item in self.items.values() if item.kind == kind}

    def item(self, kind: str, name: str, folder: str) -> Item:
        """Return an item, new where there is none."""
        return self.items.setdefault((kind, name), Item(kind, name, folder))

    def save(self, item: Item) -> None:
        """Write an item. One without backups is written too: that a database has none is worth knowing.

        Raises:
            CatalogError: it cannot be written.
        """
        value = asdict(item)
        if self._written.get(item.folder) != value:
            self._write(self.root / "items" / f"{item.folder}.json", value)
            self._written[item.folder] = value

    def drop(self, item: Item) -> None:
        """Forget an item that has no backup any more."""
        self.items.pop((item.kind, item.name), None)
        self._written.pop(item.folder, None)
        (self.root / "items" / f"{item.folder}.json").unlink(missing_ok=True)

    def save_rows(self, backup: Backup, rows: Mapping[tuple[str, str], int]) -> None:
        """Write the rows of each table of a dump.

        Raises:
            CatalogError: they cannot be written.
        """
        self._write(self._rows_path(backup), [[schema, table, count] for (schema, table), count in rows.items()])

    def rows(self, backup: Backup) -> dict[tuple[str, str], int]:
        """Return the rows of each table of a dump, nothing where they are not known.

        Raises:
            CatalogError: they cannot be read.
        """
        path = self._rows_path(backup)
        return {(schema, table): count for schema, table, count in self._load(path)} if path.exists() else {}

    def forget(self, backup: Backup) -> None:
        """Remove what is kept beside a backup that is no more."""
        self._rows_path(backup).unlink(missing_ok=True)

    def _rows_path(self, backup: Backup) -> Path:
        return self.root / "rows" / backup.folder / f"{backup.stamp}.json"

    def save_destinations(self) -> None:
        """Write when each destination was last there.

        Raises:
            CatalogError: it cannot be written.
        """
        self._write(self.root / "destinations.json", self.destinations)

    def write_text(self, name: str, text: str) -> Path:
        """Write a file of the catalog and return its path.

        Raises:
            CatalogError: it cannot be written.
        """
        path = self.root / name
        self._write_bytes(path, text.encode("utf-8", "surrogatepass"))
        return path

    def _write(self, path: Path, value: object) -> None:
        self._write_bytes(path, json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode())

    @staticmethod
    def _write_bytes(path: Path, data: bytes) -> None:
        try:
            storage.make_folder(path.parent)
            storage.write_atomic(path, data)
        except OSError as error:
            raise CatalogError(f"{path} cannot be written: {error.strerror}; free space there, and run again") from None


_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d{0,6}Z?)?)?)?")


def check_date(date: str) -> str:
    """Return a date that ``find`` takes.

    Raises:
        OptionError: it is none; above all one that is written day first.
    """
    wrong = _DATE.fullmatch(date) is None
    if not wrong and len(date) >= len("2026-11-23"):
        try:
            datetime.strptime(date[: len("2026-11-23")], "%Y-%m-%d")
        except ValueError:
            wrong = True
    if wrong:
        raise OptionError(f"'{date}' is no date of a backup; write it as 2026-11-23, or as 2026-11-23T210000Z")
    return date


def find(item: Item, date: str | None) -> Backup:
    """Return the newest proven backup of an item, or the newest that is not younger than a date.

    Args:
        item: of the catalog.
        date: a stamp, its beginning (``2026-11-23`` means: as of the end of that day), or None.

    Raises:
        CatalogError: there is none.
        OptionError: the date is none.
    """
    if date is not None:
        check_date(date)
    proven = [one for one in item.backups if one.proven]
    if not proven:
        raise CatalogError(f"{item.name}: the catalog holds no proven backup of it")
    if date is None:
        return max(proven, key=lambda one: one.as_of)
    # A stamp that was begun sorts after everything that completes it, by a letter behind all of theirs.
    limit = date if STAMP_PATTERN.fullmatch(date) else f"{date}~"
    known = [(stamp, one) for one in proven for stamp in (one.stamp, *one.seen) if stamp <= limit]
    if not known:
        oldest = min(one.stamp for one in proven)
        raise CatalogError(f"{item.name}: no proven backup is as old as {date}; the oldest is of {oldest}")
    return max(known, key=lambda point: point[0])[1]


def overview(items: Iterable[Item], now: datetime) -> list[dict[str, Any]]:
    """Return a line per item for people and monitoring: its newest proven backup with its age in hours.

    Args:
        items: of one kind and one catalog.
        now: from when the age counts.
    """
    lines = []
    items = list(items)
    last_run = max((item.last_seen for item in items), default="")
    for item in items:
        newest = item.newest_proven
        line: dict[str, Any] = {
            "kind": item.kind,
            "name": item.name,
            "backups": len(item.backups),
            "last_seen": item.last_seen,
            "on_server": item.last_seen == last_run,
            "newest_proven": newest.as_of if newest else None,
            "age_hours": round((now - moment_of(newest.as_of)).total_seconds() / 3600, 1) if newest else None,
        }
        if newest:
            line |= {
                "made": newest.stamp,
                "read_proven": newest.read_proven,
                "restore_proven": newest.restore_proven or None,
                "server_version": newest.server_version,
                "size": newest.size,
                "rows": newest.rows,
                "destinations": dict(newest.stored),
            }
        lines.append(line)
    return lines
