"""The first stages of a run: clear what an interrupted one left on the server, and dump.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from datetime import timedelta

from .._errors import LyceeError
from .._postgresql.server import Database, Server, shown
from .catalog import DATABASE, FILE, FILES_FOLDER, GLOBALS, GLOBALS_FOLDER, Backup, Item
from .destinations import sha256_of
from .errors import DestinationError, ServerError
from .machine import Machine
from .names import encoded, moment_of
from .pool import with_machines
from .run_state import UNCHANGED, RunState

_PART = ".part"
#: So long a stored file is believed that the controller does not see.
_BELIEVED = timedelta(days=7)
#: More nights than any policy counts.
_SEEN = 1000
#: Of a database that was never dumped: what a dump needs at most of its size on the disk, from measured ones (a fifteenth).
_FIRST_RATIO = 0.3


def staging_folder(run: RunState, machine: Machine) -> str:
    """Return the folder of the server where this set's dumps wait, which no destination has: set names begin with a letter."""
    return machine.join(run.options.staging or machine.default_staging(), "_staging", run.catalog.name)


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
        try:
            there = one.destination.free()
        except DestinationError as error:
            one.problem = str(error)
            continue
        if there is not None and there < needed:
            run.warnings.append(
                f"{one.name} has {megabytes(there)} MB free, and a night in which everything changes needs "
                f"{megabytes(needed)} MB"
            )


def megabytes(count: float) -> str:
    """Return bytes as MB (10^6) for a sentence."""
    return f"{count / 1e6:.1f}"


def dump_databases(run: RunState, server: Server, databases: Iterable[Database]) -> None:
    """Dump each database, some at a time; one that fails does not keep the others."""
    identifier = server.system_identifier()
    properties = server.properties()
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
            properties=properties.get(database.name, {}),
        )
        begun = time.monotonic()
        path = staged_path(run, machine, backup)
        machine.make_private_folder(machine.parent(path))
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
    server.machine.make_private_folder(server.machine.parent(path))
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
            item = run.catalog.item(FILE, path, f"{FILES_FOLDER}/{encoded(path)}")
            try:
                run.step(f"copy {path}")
                _copy_file(run, machine, item)
            except LyceeError as error:
                run.fail(item, error)


def _copy_file(run: RunState, machine: Machine, item: Item) -> None:
    digest = machine.digest(item.name)
    newest = item.newest_proven
    if newest is not None and digest and digest == newest.staged_digest and is_sound(run, newest):
        note_unchanged(run, item, newest)
        return
    backup = Backup(FILE, item.name, item.folder, run.stamp)
    begun = time.monotonic()
    target = staged_path(run, machine, backup)
    machine.make_private_folder(machine.parent(target))
    machine.copy(item.name, target + _PART)
    _finish(run, machine, item, backup, target, begun)


def is_sound(run: RunState, backup: Backup) -> bool:
    """Return whether a backup may stand for tonight: its bytes are what was proven, at a destination that is there.

    Where the controller sees the files they are read again. A module's files were read within a week, by the run that brought
    them or by verify_backups.yml; after that the dump is stored anew. A copy that has changed counts no more, and is told.
    """
    sound = False
    for state in run.usable:
        if state.name not in backup.stored:
            continue
        path = state.destination.direct(backup.path)
        try:
            if path is None or not path.is_file():
                recent = run.started - moment_of(backup.read_proven) < _BELIEVED
                sound = sound or (path is None and recent)
            elif sha256_of(path) == backup.sha256:
                sound = True
            else:
                del backup.stored[state.name]
                run.problems.append(
                    f"{state.name}: {backup.name}: the bytes of the backup of {backup.stamp} have changed; check the disk"
                )
        except OSError as error:
            run.problems.append(f"{state.name}: {path} cannot be read: {error.strerror}")
    return sound


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
            f"{machine.name}: {item.name}: the program ended well and left no file in {machine.parent(path)}; is the disk full?"
        )
    machine.move(path + _PART, path)
    backup.duration = round(time.monotonic() - begun, 2)
    backup.size, backup.staged, backup.staged_digest = size, path, digest
    item.last_seen = run.stamp
    item.backups.append(backup)
    outcome = run.outcome(item)
    outcome.backup, outcome.duration = backup, backup.duration
    run.save(item)
