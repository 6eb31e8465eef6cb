"""The dumps that bring a server's databases back: made when nobody works any more, kept on the server until it is done.

Note that this utility is private to the collection.

They are beside the proven backups, which are older by what was entered since.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .._backup.catalog import DATABASE, Catalog
from .._backup.errors import ServerError
from .._backup.names import replaced_name, stamp_of
from .._errors import LyceeError
from .._postgresql.properties import statements
from .._postgresql.server import Server
from .databases import read
from .errors import UpdateError
from .journal import DatabaseEntry
from .versions import Release

_COMPRESS = 1


def save(server: Server, name: str, entry: DatabaseEntry, path: str, wanted: Release, timeout: float) -> None:
    """Dump a database, and read what the dump says that it holds.

    Raises:
        ServerError: pg_dump failed, or its file is none.
    """
    machine = server.machine
    entry.fingerprint = read(server, name, wanted).as_dict()
    server.dump(name, path, _COMPRESS, timeout)
    entry.dump, entry.size, entry.digest = path, machine.size(path) or 0, machine.digest(path)
    done = machine.run([machine.program(server.bin, "pg_restore"), "-l", path], timeout=timeout)
    # Lines of the list begin with a number; with a semicolon, what is said about it.
    entries = [line for line in done.stdout.splitlines() if line[:1].isdigit()]
    if done.rc != 0 or not entries or not entry.digest:
        raise ServerError(
            f"{machine.name}: the dump of {name} cannot be read ({done.said or 'pg_restore lists nothing'}); is the disk full?"
        )


def bring_back(server: Server, name: str, entry: DatabaseEntry, wanted: Release, timeout: float) -> None:
    """Make a database what its dump holds: beside it, compared, and put in its place. It may be cut anywhere and done again.

    Raises:
        ServerError: PostgreSQL or one of its programs failed.
        UpdateError: the dump is not the one that was made, or what came of it is not what it held.
    """
    machine = server.machine
    if machine.digest(entry.dump) != entry.digest:
        raise UpdateError(
            f"{machine.name}: {entry.dump} is not the dump that was made of {name}; restore it from a backup (restore_context.yml)"
        )
    fresh, aside = replaced_name(name, "upg", "new"), replaced_name(name, "upg", "old")
    present = {one.name for one in server.databases()}
    if name not in present and aside in present:
        # Cut between the two renamings.
        server.rename_database(aside, name)
        present = (present - {aside}) | {name}
    for left in {fresh, aside} & present:
        server.drop_database(left)
    properties = entry.properties
    locale = (str(properties.get("collate", "")), str(properties.get("ctype", "")))
    server.create_database(fresh, entry.owner or server.access.user, entry.encoding, locale if all(locale) else None)
    server.restore(fresh, entry.dump, whole=True, timeout=timeout)
    for statement in statements(fresh, entry.owner, properties):
        server.sql(statement)
    found = read(server, fresh, wanted).as_dict()
    if found != entry.fingerprint:
        server.drop_database(fresh)
        raise UpdateError(
            f"{machine.name}: what was restored of {name} is not what was dumped; restore it from a backup (restore_context.yml)"
        )
    if name in present:
        server.rename_database(name, aside)
    server.rename_database(fresh, name)
    if name in present:
        server.drop_database(aside)
    names = {one.name for one in server.databases()}
    if name not in names or names & {fresh, aside}:
        raise UpdateError(f"{machine.name}: {name} was restored, and did not come into its place")


def without_backup(
    root: Path, set_name: str, databases: dict[str, int], hours: float, now: datetime | None = None
) -> list[str]:
    """Return the databases of which no proven backup of the last hours is at a destination.

    Args:
        root: folder of the catalogs.
        set_name: of the server's backups.
        databases: name to oid, which tells one that was dropped and made again.
        hours: how old a backup may be.
        now: for tests.

    Raises:
        CatalogError: the catalog cannot be read.
    """
    catalog = Catalog(root, set_name)
    since = stamp_of((now or datetime.now(UTC)) - timedelta(hours=hours))
    missing = []
    for name, oid in databases.items():
        item = catalog.items.get((DATABASE, name))
        newest = item.newest_proven if item is not None else None
        if newest is None or newest.as_of < since or newest.oid not in (0, oid):
            missing.append(name)
    return missing


def left_overs(names: Iterable[str]) -> set[str]:
    """Return the names that a restore gives to what it has not yet put in its place, or has taken from there."""
    return {replaced_name(name, "upg", word) for name in names for word in ("new", "old")}


def drop_left_overs(server: Server, names: list[str]) -> list[str]:
    """Drop the databases beside these that an interrupted restore left; returns what could not be."""
    present = {one.name for one in server.databases()}
    wrong = []
    for name in names:
        for left in left_overs([name]) & present if name in present else ():
            try:
                server.drop_database(left)
            except LyceeError as error:
                wrong.append(str(error))
    return wrong
