"""The middle stages of a run: bring the dumps to the destinations, read them back there, and prove them.

Note that this utility is private to the collection.

A dump goes to the first destination that takes it, by the server's own rsync where it has one, else through the session and the
controller. There it is read back and proven, once; the other destinations get what is new. The copy on the server goes when the
bytes were read back at a destination, and not before.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from .. import _storage as storage
from .._errors import LyceeError
from .._postgresql.properties import fingerprint
from . import dumpfile, rsync
from .catalog import DATABASE, GLOBALS, Backup, Item
from .destinations import RsyncDestination, ServerFolderDestination, at_hand, sha256_of, tried
from .dumping import is_sound, note_unchanged, pending, staging_folder
from .errors import DestinationError, ProofError
from .machine import Done, Machine, same_digest
from .run_state import SAVED, DestinationState, RunState, now_stamp
from .script import Content

_GLOBALS_END = b"PostgreSQL database cluster dump complete"
_VOLATILE = re.compile(rb"(?m)^(?:--|\\(?:un)?restrict )[^\n]*\n")


def ship(run: RunState, machine: Machine) -> None:
    """Bring everything that waits on the server to the destinations, proven; remove what is safe from the server.

    Raises:
        LyceeError: no destination took anything.
    """
    waiting = pending(run)
    if not waiting:
        return
    program = None if run.options.rsync == "" else machine.find_rsync(run.options.rsync)
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=max(1, run.options.workers)))
        ahead = _read_ahead(run, machine, pool, waiting)
        first, folder = stack.enter_context(_first_copies(run, machine, program, waiting))
        fresh = _prove(run, machine, pool, first, folder, waiting, program, ahead)
        for state in run.usable:
            if first is not None and state is first:
                continue
            _bring(run, machine, state, folder, fresh)
    for backup in fresh:
        if not backup.stored:
            run.outcome(_item(run, backup)).fail(
                f"{backup.name}: no destination took its dump of {backup.stamp}, which waits on the server for the next run"
            )
    safe = [one for one in waiting if one.stored or one.expired]
    run.step("remove what is safe from the server")
    machine.remove([one.staged for one in safe if one.staged])
    for backup in safe:
        backup.staged = ""
        _save(run, backup)


@contextlib.contextmanager
def _first_copies(
    run: RunState, machine: Machine, program: str | None, waiting: Sequence[Backup]
) -> Iterator[tuple[DestinationState | None, Path]]:
    """Give the destination that the server pushed to, and the controller's folder with its files; or no destination and copies."""
    for state in run.usable:
        if program is None or not isinstance(state.destination, RsyncDestination):
            continue
        try:
            run.step(f"transfer to {state.name}")
            run.say(f"{len(waiting)} files go to {state.name} by the server's rsync")
            _push(run, machine, program, state.destination, waiting)
            state.listing = state.destination.listing()
        except DestinationError as error:
            state.problem = str(error)
            continue
        missing = [one.path for one in waiting if one.path not in state.listing]
        if missing:
            # The server's rsync is no good; the controller's own may be.
            run.problems.append(
                f"{state.name}: the rsync of {machine.name} said that all was done, and {len(missing)} files are not there "
                f"({missing[0]}); they go through the controller"
            )
            continue
        with contextlib.ExitStack() as stack:
            try:
                folder = stack.enter_context(at_hand(state.destination, [one.path for one in waiting], run.scratch))
            except DestinationError as error:
                state.problem = str(error)
                continue
            yield state, folder
            return
    if not run.usable:
        raise DestinationError(
            "no destination took the dumps, which stay on the server for the next run: "
            + "; ".join(one.problem or one.absent for one in run.destinations)
        )
    with tempfile.TemporaryDirectory(dir=run.scratch, prefix="pull-") as copies:
        for backup in waiting:
            run.step(f"fetch {backup.name}")
            target = Path(copies) / backup.path
            storage.make_folder(target.parent)
            run.say(f"{backup.name}: comes through the session")
            try:
                machine.fetch(backup.staged, target)
            except LyceeError as error:
                run.fail(_item(run, backup), error)
        yield None, Path(copies)


def _push(
    run: RunState, machine: Machine, program: str, destination: RsyncDestination, waiting: Sequence[Backup]
) -> None:
    settings = destination.settings
    source = machine.rsync_path(staging_folder(run, machine))
    arguments = rsync.push_arguments(settings.timeout, source, destination.set_url)
    names = "".join(f"{one.path}\n" for one in waiting).encode()

    def attempt() -> Done:
        done = machine.run([program, *arguments], secrets=settings.secrets, stdin=names, timeout=12 * 3600)
        run.sent_by_server += rsync.sent_bytes(done.stdout)
        return done

    tried(settings, attempt, lambda: run.say(f"{settings.name}: the line broke, the transfer is tried again"))


Proof = tuple[str, Content | None, str]


def _read_ahead(
    run: RunState, machine: Machine, pool: ThreadPoolExecutor, waiting: Sequence[Backup]
) -> dict[str, Future[Proof]]:
    """Begin to read in full what the controller sees on the server already, while it is transferred.

    What arrives is compared with it by SHA-256, so that the bytes at the destination are those that were read.
    """
    found = {}
    for backup in waiting:
        path = machine.seen(backup.staged)
        if path is not None and backup.staged_digest.startswith("sha256:"):
            found[backup.path] = pool.submit(_content, backup, path, run.options.programs)
    return found


def _prove(
    run: RunState,
    machine: Machine,
    pool: ThreadPoolExecutor,
    first: DestinationState | None,
    folder: Path,
    waiting: Sequence[Backup],
    program: str | None,
    ahead: dict[str, Future[Proof]],
) -> list[Backup]:
    """Compare and read each file of the first destination; return the backups that are new and sound."""
    sound: dict[str, Proof] = {}
    problems: dict[str, LyceeError] = {}
    bad = _not_arrived(pool, folder, waiting)
    if bad and first is not None and program is not None and isinstance(first.destination, RsyncDestination):
        # A transfer that changed bytes is done once more, from nothing.
        run.warnings.append(f"{first.name}: {len(bad)} files did not arrive as they were sent, and are sent again")
        with contextlib.suppress(DestinationError):
            first.destination.remove([one.path for one in bad])
            _push(run, machine, program, first.destination, bad)
            if folder != first.destination.direct(""):
                first.destination.fetch([one.path for one in bad], folder)

    def one(backup: Backup) -> None:
        path = folder / backup.path
        try:
            if not path.is_file():
                raise DestinationError(f"{backup.name}: its file did not arrive{_at(first)}; it stays on the server")
            # Those that came at the first time were compared then.
            if backup in bad and not same_digest(path, backup.staged_digest):
                raise DestinationError(
                    f"{backup.name}: the bytes that arrived{_at(first)} are not those of the server, where it stays"
                )
            early = ahead.get(backup.path)
            sound[backup.path] = early.result() if early is not None else _content(backup, path, run.options.programs)
        except ProofError as error:
            # The server's own bytes are no dump: nothing is gained by keeping them.
            problems[backup.path] = ProofError(f"{backup.name}: {error}")
        except LyceeError as error:
            problems[backup.path] = error
        except OSError as error:
            problems[backup.path] = DestinationError(f"{backup.name}: {path} cannot be read: {error.strerror}")

    # Those that are being read already are only waited for, so that no thread of the pool waits for another one's work.
    list(pool.map(one, [backup for backup in waiting if backup.path not in ahead]))
    for backup in waiting:
        if backup.path in ahead:
            one(backup)
    fresh = []
    for number, backup in enumerate(waiting, 1):
        item = _item(run, backup)
        run.step(f"prove {backup.name}")
        if backup.path in problems:
            _fail(run, item, backup, first, problems[backup.path])
            continue
        sha256, content, version = sound[backup.path]
        newest = item.newest_proven
        digest = content.sha256 if content else sha256
        if newest is not None and _state(newest, newest.content) == _state(backup, digest) and is_sound(run, newest):
            # What came goes again, and until it has gone the catalog says so.
            backup.expired = True
            if first is not None:
                backup.stored[first.name] = now_stamp()
            note_unchanged(run, item, newest)
            run.say(f"[{number}/{len(waiting)}] {backup.name}: proven, and unchanged since {newest.stamp}")
            continue
        backup.sha256, backup.content, backup.archive_version = sha256, digest, version
        if content is not None:
            backup.rows, backup.tables = sum(content.rows.values()), len(content.rows)
            backup.large_objects = content.large_objects
            with run.lock:
                run.catalog.save_rows(backup, content.rows)
        backup.read_proven = now_stamp()
        if first is not None:
            backup.stored[first.name] = backup.read_proven
        fresh.append(backup)
        outcome = run.outcome(item)
        outcome.state, outcome.backup = outcome.state or SAVED, backup
        run.save(item)
        rows = f", {backup.rows} rows of {backup.tables} tables" if backup.kind == DATABASE else ""
        run.say(f"[{number}/{len(waiting)}] {backup.name}: read in full{rows}")
    return fresh


def _not_arrived(pool: ThreadPoolExecutor, folder: Path, waiting: Sequence[Backup]) -> list[Backup]:
    """Return those whose bytes are not the server's; what is known of the others' SHA-256 is noted."""

    def arrived(backup: Backup) -> bool:
        path = folder / backup.path
        try:
            if not path.is_file() or not same_digest(path, backup.staged_digest):
                return False
        except OSError:
            return False
        algorithm, _colon, digits = backup.staged_digest.partition(":")
        backup.sha256 = digits if algorithm == "sha256" else ""
        return True

    return [one for one, good in zip(waiting, pool.map(arrived, waiting), strict=True) if not good]


def _at(state: DestinationState | None) -> str:
    return f" at {state.name}" if state is not None else ""


def _content(backup: Backup, path: Path, programs: Path) -> Proof:
    """Return the file's hash, what it holds, and its format's version; the hash of roles is without their comments."""
    sha256 = backup.sha256 or sha256_of(path)
    if backup.kind == DATABASE:
        content = dumpfile.read(path, programs)
        return sha256, content, ".".join(map(str, dumpfile.archive_version(path)))
    if backup.kind == GLOBALS:
        text = path.read_bytes().replace(b"\r\n", b"\n")
        if _GLOBALS_END not in text[-2000:] or b"ROLE " not in text:
            raise ProofError("the dump of the roles does not end as pg_dumpall ends it")
        content = Content(sha256=hashlib.sha256(_VOLATILE.sub(b"", text)).hexdigest())
        return sha256, content, ""
    return sha256, None, ""


def _state(backup: Backup, content: str) -> str:
    return fingerprint(content, backup.owner, backup.encoding, backup.properties)


def _fail(run: RunState, item: Item, backup: Backup, first: DestinationState | None, error: LyceeError) -> None:
    """Note a dump that is not proven. Only one that the server made badly is thrown away: any other waits there for the next run."""
    run.fail(item, error)
    if isinstance(error, ProofError):
        backup.expired = True
        if first is not None:
            backup.stored[first.name] = now_stamp()
        run.save(item)
    elif first is not None:
        # What lies there under its name is not its bytes, and would pass for them by size and time.
        with contextlib.suppress(DestinationError):
            first.destination.remove([backup.path])
    run.say(f"{backup.name}: FAILED: {error}")


def _bring(run: RunState, machine: Machine, state: DestinationState, folder: Path, fresh: Sequence[Backup]) -> None:
    """Bring new backups to a further destination and read them back there."""
    todo = [one for one in fresh if state.name not in one.stored]
    if not todo:
        return
    run.step(f"transfer to {state.name}")
    run.say(f"{len(todo)} files go to {state.name}")
    try:
        if isinstance(state.destination, ServerFolderDestination):
            for backup in todo:
                state.destination.take(backup.staged, backup.path)
                if state.destination.digest(backup.path) != backup.staged_digest:
                    raise DestinationError(f"{state.name}: {backup.path} does not read back as it was written")
                backup.stored[state.name] = now_stamp()
                _save(run, backup)
            return
        state.destination.store(folder, [one.path for one in todo])
        read_back(run, state, todo)
    except DestinationError as error:
        state.problem = str(error)


def read_back(run: RunState, state: DestinationState, backups: Sequence[Backup]) -> None:
    """Compare the bytes that a destination holds with the catalog, and enter the sound ones.

    Raises:
        DestinationError: one of them is not as it was written, or cannot be read.
    """
    wrong = []
    with at_hand(state.destination, [one.path for one in backups], run.scratch) as there:
        for backup in backups:
            path = there / backup.path
            try:
                sound = path.is_file() and sha256_of(path) == backup.sha256
            except OSError as error:
                raise DestinationError(f"{state.name}: {path} cannot be read back: {error.strerror}") from None
            if sound:
                backup.stored[state.name] = now_stamp()
                _save(run, backup)
            else:
                wrong.append(backup.path)
    if wrong:
        raise DestinationError(
            f"{state.name}: {len(wrong)} files do not read back as they were written ({wrong[0]}); check the disk"
        )


def _item(run: RunState, backup: Backup) -> Item:
    return run.catalog.items[backup.kind, backup.name]


def _save(run: RunState, backup: Backup) -> None:
    run.save(_item(run, backup))
