"""The first stages of a run: clear what an interrupted one left on the server, and dump.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable

from .._errors import LyceeError
from .._postgresql.server import Database, Server, shown
from .catalog import DATABASE, FILE, FILES_FOLDER, GLOBALS, GLOBALS_FOLDER, Backup, Item
from .errors import ServerError
from .machine import Machine
from .names import encoded
from .pool import with_machines
from .run_state import UNCHANGED, RunState

_PART = ".part"
#: More nights than any policy counts.
_SEEN = 1000
#: Of a database that was never dumped: what a dump needs at most of its size on the disk, from measured ones (a fifteenth).
_FIRST_RATIO = 0.3


def staging_folder(run: RunState, machine: Machine) -> str:
    """Return the folder of the server where this set's dumps wait."""
    return machine.join(run.options.staging or machine.default_staging(), run.catalog.name)


def staged_path(run: RunState, machine: Machine, backup: Backup) -> str:
    """Return where a backup waits on the server."""
    return machine.join(staging_folder(run, machine), *backup.path.split("/"))


def pending(run: RunState) -> list[Backup]:
    """Return the backups that are on the server and at no destination."""
    return [
        backup
        for item in run.catalog.items.values()
        for backup in item.backups
        if backup.staged and not backup.stored and not backup.expired
    ]


def clear(run: RunState, machine: Machine) -> None:
    """Take up what an interrupted run left: a whole dump is transferred with this run, all else is removed.

    Raises:
        LyceeError: the server cannot be asked.
    """
    whole = set()
    for item in list(run.catalog.items.values()):
        for backup in [one for one in item.backups if one.staged]:
            waits = not backup.stored and not backup.expired and backup.staged_digest
            if waits and machine.digest(backup.staged) == backup.staged_digest:
                whole.add(backup.staged)
                run.say(f"{item.name}: the dump of {backup.stamp}, which a former run left, is taken up")
                continue
            machine.remove([backup.staged])
            backup.staged = ""
            if not backup.stored:
                item.backups.remove(backup)
                run.catalog.forget(backup)
            run.catalog.save(item)
    folder = staging_folder(run, machine)
    left = [path for path in machine.files_below(folder) if path not in whole]
    if left:
        run.say(f"{len(left)} files that an interrupted run left in {folder} are removed")
        machine.remove(left)


def check_space(run: RunState, machine: Machine, databases: Iterable[Database]) -> None:
    """Compare what the dumps will need with what is free.

    Raises:
        ServerError: the server has not enough room.
    """
    needed = 0.0
    for database in databases:
        item = run.catalog.items.get((DATABASE, database.name))
        newest = item.newest_proven if item else None
        needed += newest.size * 1.2 if newest else database.size * _FIRST_RATIO
    folder = staging_folder(run, machine)
    free = machine.free(folder)
    if free is not None and free < needed:
        raise ServerError(
            f"{machine.name}: the dumps need about {megabytes(needed)} MB in {folder}, and {megabytes(free)} MB "
            "are free; free space, or name another folder as staging"
        )
    for one in run.usable:
        there = one.destination.free()
        if there is not None and there < needed:
            run.warnings.append(
                f"{one.name} has {megabytes(there)} MB free, and a night in which everything changes needs "
                f"{megabytes(needed)} MB"
            )


def megabytes(count: float) -> str:
    """Return bytes as MB (10^6) for a sentence."""
    return f"{count / 1e6:.1f}"


def dump_databases(run: RunState, server: Server, databases: Iterable[Database], identifier: str) -> None:
    """Dump each database, some at a time; one that fails does not keep the others."""
    folders = run.catalog.folders(DATABASE)
    items = {one.name: run.catalog.item(DATABASE, one.name, folders[one.name]) for one in databases}
    wanted = list(databases)
    done = 0

    def work(machine: Machine, database: Database) -> None:
        nonlocal done
        run.step(f"dump {database.name}")
        item = items[database.name]
        backup = Backup(
            DATABASE,
            item.name,
            item.folder,
            run.stamp,
            server_version=shown(server.version),
            tool_version=shown(server.tool_version),
            system_identifier=identifier,
            owner=database.owner,
            encoding=database.encoding,
            oid=database.oid,
        )
        begun = time.monotonic()
        path = staged_path(run, machine, backup)
        machine.make_private_folder(_parent(path, machine))
        try:
            server.at(machine).dump(database.name, path + _PART, run.options.compress, run.options.timeout)
            _finish(run, machine, item, backup, path, begun)
        except LyceeError:
            with contextlib.suppress(LyceeError):
                machine.remove([path + _PART])
            raise
        with run.lock:
            done += 1
            count = done
        run.say(f"[{count}/{len(wanted)}] {database.name}: dumped, {megabytes(backup.size)} MB")

    with_machines(
        server.machine,
        wanted,
        work,
        lambda database, error: run.fail(items[database.name], error),
        run.options.workers,
    )


def dump_roles(run: RunState, server: Server) -> None:
    """Dump the roles of the server.

    Raises:
        LyceeError: it fails.
    """
    item = run.catalog.item(GLOBALS, "roles", GLOBALS_FOLDER)
    run.step("dump roles")
    backup = Backup(
        GLOBALS,
        item.name,
        item.folder,
        run.stamp,
        server_version=shown(server.version),
        tool_version=shown(server.tool_version),
    )
    begun = time.monotonic()
    path = staged_path(run, server.machine, backup)
    server.machine.make_private_folder(_parent(path, server.machine))
    server.dump_globals(path + _PART, run.options.timeout, run.scratch)
    _finish(run, server.machine, item, backup, path, begun)
    run.say("roles: dumped")


def copy_files(run: RunState, machine: Machine) -> None:
    """Copy the wanted files of the server; one whose bytes equal those of its last proven backup is recorded only."""
    for wanted in run.options.files:
        paths = machine.files_below(wanted)
        if not paths:
            run.problems.append(f"{machine.name}: {wanted}, which is to be saved, is not there; correct files")
        for path in paths:
            run.step(f"copy {path}")
            item = run.catalog.item(FILE, path, f"{FILES_FOLDER}/{encoded(path)}")
            digest = machine.digest(path)
            newest = item.newest_proven
            if newest is not None and digest and digest == newest.staged_digest:
                note_unchanged(run, item, newest)
                continue
            backup = Backup(FILE, path, item.folder, run.stamp)
            begun = time.monotonic()
            target = staged_path(run, machine, backup)
            machine.make_private_folder(_parent(target, machine))
            machine.copy(path, target + _PART)
            _finish(run, machine, item, backup, target, begun)


def note_unchanged(run: RunState, item: Item, newest: Backup) -> None:
    """Record that a run found the content of the last proven backup."""
    newest.seen = [*newest.seen, run.stamp][-_SEEN:]
    item.last_seen = run.stamp
    outcome = run.outcome(item)
    outcome.state, outcome.backup = UNCHANGED, newest
    run.save(item)


def _finish(run: RunState, machine: Machine, item: Item, backup: Backup, path: str, begun: float) -> None:
    """Rename what was written, and only now enter it into the catalog."""
    digest = machine.digest(path + _PART)
    size = machine.size(path + _PART)
    if not size or not digest:
        raise ServerError(
            f"{machine.name}: {item.name}: the program ended well and left no file in {_parent(path, machine)}; is the disk full?"
        )
    machine.move(path + _PART, path)
    backup.duration = round(time.monotonic() - begun, 2)
    backup.size, backup.staged, backup.staged_digest = size, path, digest
    item.last_seen = run.stamp
    item.backups.append(backup)
    outcome = run.outcome(item)
    outcome.backup, outcome.duration = backup, backup.duration
    run.save(item)


def _parent(path: str, machine: Machine) -> str:
    separator = machine.join("", "")[-1]
    return path.rpartition(separator)[0]
