"""The last stages of a run: the restored sample, what a destination lacks, and what is kept no longer.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from .. import _storage as storage
from .._errors import LyceeError
from .._postgresql.rows import difference
from .catalog import DATABASE, Backup, Item
from .destinations import SIZE_UNKNOWN, at_hand, sha256_of
from .errors import AbsentError, DestinationError, ProofError
from .names import moment_of
from .policy import Candidate, Kept, dropped_expired, kept, sample
from .run_state import DestinationState, RunState, now_stamp
from .scratch import ScratchCluster
from .shipping import read_back

#: Of rsync (``.NAME.XXXXXX``, ``.rsync-partial/NAME``) and of copies of ours (``.NAME.part``, ``NAME.part``).
_LEFTOVER = re.compile(
    r"/(?:\.(?:rsync-partial/)?(\d{4}-\d\d-\d\dT\d{6}Z)\.\w+(?:\.\w+)?|(\d{4}-\d\d-\d\dT\d{6}Z)\.\w+\.part)$"
)


def look(run: RunState) -> None:
    """List each destination and compare it with the catalog: what is gone there is not counted any more, and told."""
    for state in run.destinations:
        run.step(f"list {state.name}")
        try:
            state.listing = state.destination.listing()
        except AbsentError as error:
            _absent(run, state, error)
            continue
        except DestinationError as error:
            state.problem = str(error)
            continue
        run.catalog.destinations[state.name] = {"last_there": run.stamp}
        _compare(run, state, state.listing)


def _absent(run: RunState, state: DestinationState, error: AbsentError) -> None:
    known = run.catalog.destinations.setdefault(state.name, {})
    last = known.get("last_there", "")
    # The age of one that was never there counts from the first run that missed it.
    since = last or known.setdefault("missed_since", run.stamp)
    days = (run.started - moment_of(since)) / timedelta(days=1)
    told = f"it was last there {days:.1f} days ago, on {last}" if last else f"it was never there in {days:.1f} days"
    state.absent = f"{error} ({told})"
    if days > state.destination.settings.absent_days:
        state.problem = f"{state.absent}, longer than the {state.destination.settings.absent_days} days allowed"
    else:
        run.warnings.append(state.absent)


def _compare(run: RunState, state: DestinationState, listing: dict[str, int]) -> None:
    """Strike from the catalog what a destination has lost; one that has lost everything is rather another disk, and is not used."""
    here = [
        (item, backup) for item in run.catalog.items.values() for backup in item.backups if state.name in backup.stored
    ]
    missing = [
        (item, backup)
        for item, backup in here
        if listing.get(backup.path) is None
        or (not backup.expired and listing[backup.path] not in (SIZE_UNKNOWN, backup.size))
    ]
    wanted = [backup for _item, backup in missing if not backup.expired]
    if len(wanted) > 1 and len(missing) == len(here) and state.name not in run.options.accept_empty:
        state.listing = None
        state.problem = (
            f"{state.name}: it holds none of the {len(wanted)} backups that the catalog names there, so it is not used; is its disk "
            f'mounted? If it is a new disk, say so once: -e \'{{"database_backup_accept_empty": ["{state.name}"]}}\''
        )
        return
    for item, backup in missing:
        del backup.stored[state.name]
        if not backup.stored and not backup.staged:
            if not backup.expired:
                run.problems.append(f"{item.name}: the backup of {backup.stamp} is at no destination any more")
            item.backups.remove(backup)
            if not run.options.check:
                run.catalog.forget(backup)
        if not run.options.check:
            run.save(item)
    if wanted:
        run.problems.append(
            f"{state.name}: {len(wanted)} backups of the catalog were missing there, or had another size "
            f"({wanted[0].path}); they are brought again where another destination has them"
        )


def look_for_strangers(run: RunState) -> None:
    """Tell of destinations that the catalog names and the inventory does not."""
    names = {state.name for state in run.destinations}
    strange: dict[str, int] = {}
    for item in run.catalog.items.values():
        for backup in item.backups:
            for name in set(backup.stored) - names:
                strange[name] = strange.get(name, 0) + 1
    for name, count in sorted(strange.items()):
        run.warnings.append(f"{count} backups are counted at '{name}', which is no destination here any more")


def catch_up(run: RunState) -> None:
    """Bring what a destination lacks from another one: a disk that is back, or a file that was damaged.

    What goes over is compared with the catalog first, so that a damaged source is not taken for a bad target.
    """
    for state in run.usable:
        lacking = [
            backup
            for item in run.catalog.items.values()
            for backup in item.backups
            if backup.proven and state.name not in backup.stored
        ]
        for source in run.usable:
            todo = [one for one in lacking if source.name in one.stored and state.name not in one.stored]
            if source is state or not todo:
                continue
            run.step(f"bring {state.name} up to date")
            run.say(f"{len(todo)} older backups go from {source.name} to {state.name}")
            try:
                with at_hand(source.destination, [one.path for one in todo], run.scratch) as folder:
                    sound = _sound(run, source, folder, todo)
                    state.destination.store(folder, [one.path for one in sound])
            except DestinationError as error:
                source.problem = source.problem or str(error)
                continue
            try:
                read_back(run, state, sound)
                run.brought += len(sound)
            except DestinationError as error:
                state.problem = str(error)


def _sound(run: RunState, source: DestinationState, folder: Path, backups: Sequence[Backup]) -> list[Backup]:
    """Return those whose bytes are what was proven; the others count at that destination no more, and are told."""
    sound = []
    for backup in backups:
        path = folder / backup.path
        if path.is_file() and sha256_of(path) == backup.sha256:
            sound.append(backup)
            continue
        del backup.stored[source.name]
        run.problems.append(
            f"{source.name}: {backup.name}: the bytes of the backup of {backup.stamp} have changed; check the disk"
        )
        run.save(run.catalog.items[backup.kind, backup.name])
    return sound


def records(run: RunState) -> None:
    """Lay a record beside each backup that has none, so that a destination can be read without the catalog."""
    for state in run.usable:
        listing = state.listing or {}
        lacking = [
            backup
            for item in run.catalog.items.values()
            for backup in item.backups
            if state.name in backup.stored
            and backup.read_proven
            and not backup.expired
            and backup.record_path not in listing
        ]
        if not lacking:
            continue
        run.step(f"write records at {state.name}")
        with tempfile.TemporaryDirectory(dir=run.scratch, prefix="records-") as folder:
            for backup in lacking:
                path = Path(folder) / backup.record_path
                storage.make_folder(path.parent)
                path.write_text(record_of(backup, run.catalog.rows(backup)), "utf-8")
            try:
                state.destination.store(Path(folder), [one.record_path for one in lacking])
            except DestinationError as error:
                state.problem = str(error)


def record_of(backup: Backup, rows: dict[tuple[str, str], int]) -> str:
    """Return the record that lies beside a backup: what stays true of it, wherever it is copied."""
    record = asdict(backup)
    for private in ("staged", "stored", "seen", "expired", "restore_proven"):
        del record[private]
    record["rows_by_table"] = [[schema, table, count] for (schema, table), count in rows.items()]
    return json.dumps(record, indent=1) + "\n"


def restore_sample(run: RunState, *, everything: bool = False) -> None:
    """Restore tonight's sample into a scratch cluster and compare its rows.

    Raises:
        ToolError: the scratch cluster cannot be made.
    """
    items = {
        item.folder: item
        for item in run.catalog.of_kind(DATABASE)
        # A database that was dropped need not take its turn.
        if _source(run, item.newest_proven) is not None and (everything or item.last_seen == _last_run(run))
    }
    if everything:
        chosen = sorted(items)
    else:
        chosen = sample(
            (_candidate(item) for item in items.values()),
            run.started,
            within_days=run.options.restore_within_days,
            at_least=run.options.restore_at_least,
        )
    backups = [newest for folder in chosen if (newest := items[folder].newest_proven) is not None]
    if not backups:
        return
    run.step("restore the sample")
    run.say(f"{len(backups)} databases are restored into a scratch cluster")
    with ScratchCluster(run.options.programs) as cluster:
        for state in run.usable:
            here = [one for one in backups if _source(run, one) is state]
            if not here:
                continue
            try:
                with at_hand(state.destination, [one.path for one in here], run.scratch) as folder:
                    _restore_all(run, cluster, state, folder, here)
            except DestinationError as error:
                state.problem = str(error)


def _restore_all(
    run: RunState, cluster: ScratchCluster, state: DestinationState, folder: Path, backups: Sequence[Backup]
) -> None:
    def one(numbered: tuple[int, Backup]) -> None:
        number, backup = numbered
        item = run.catalog.items[backup.kind, backup.name]
        try:
            run.step(f"restore {backup.name}")
            passed_over = prove_by_restore(run, cluster, folder / backup.path, number, backup)
        except ProofError as error:
            run.fail(item, ProofError(f"{backup.name}: its backup of {backup.stamp} at {state.name}: {error}"))
            run.say(f"{backup.name}: FAILED: {error}")
            return
        except LyceeError as error:
            run.fail(item, error)
            return
        if passed_over:
            run.warnings.append(f"{backup.name}: restored with all its rows, and pg_restore passed over: {passed_over}")
        item.restored = backup.restore_proven = now_stamp()
        run.outcome(item).restored = True
        run.save(item)
        run.say(f"[{number}/{len(backups)}] {backup.name}: restored, {backup.rows} rows compared")

    with ThreadPoolExecutor(max_workers=max(1, run.options.workers)) as pool:
        for future in [pool.submit(one, numbered) for numbered in enumerate(backups, 1)]:
            future.result()


def prove_by_restore(run: RunState, cluster: ScratchCluster, dump: Path, number: int, backup: Backup) -> str:
    """Restore a dump into the scratch cluster and compare its rows with the catalog; return what pg_restore passed over.

    Raises:
        ProofError: something is missing there, or more than there should be.
    """
    name, passed_over = cluster.restore(dump, number, backup.encoding or "UTF8")
    expected = run.catalog.rows(backup)
    found = cluster.row_counts(name, list(expected), backup.encoding)
    problem = difference(expected, found)
    objects = cluster.large_objects(name)
    if not problem and objects != backup.large_objects:
        # Not a proof by itself: the text of a function may look like one.
        passed_over = (
            f"{passed_over} {backup.large_objects} large objects were counted in the dump, {objects} came".strip()
        )
    cluster.drop(name)
    if problem:
        raise ProofError(f"a restore does not give it back: {problem}" + (f" ({passed_over})" if passed_over else ""))
    return passed_over


def _candidate(item: Item) -> Candidate:
    restored = max([item.restored, *(one.restore_proven for one in item.backups)])
    newest = item.newest_proven
    changed = newest is not None and not newest.restore_proven
    return Candidate(item.folder, moment_of(restored) if restored else None, changed)


def _last_run(run: RunState) -> str:
    return max((item.last_seen for item in run.catalog.of_kind(DATABASE)), default="")


def _source(run: RunState, backup: Backup | None) -> DestinationState | None:
    if backup is None:
        return None
    return next((state for state in run.usable if state.name in backup.stored), None)


def expire(run: RunState) -> None:
    """Remove what the policy does not keep, only what the catalog knows, and never the newest proven backup."""
    going: dict[str, list[str]] = {}
    for item in list(run.catalog.items.values()):
        staying = _staying(run, item)
        for backup in item.backups:
            # One that is not proven yet may still become it.
            if backup.key not in staying and not backup.staged:
                backup.expired = True
            if backup.expired:
                for name in backup.stored:
                    going.setdefault(name, []).extend([backup.path, backup.record_path])
        run.save(item)
    for state in run.usable:
        paths = [*going.get(state.name, []), *_leftovers(run, state)]
        if paths:
            run.step(f"remove old backups at {state.name}")
            try:
                state.destination.remove(paths)
                state.listing = state.destination.listing()
            except DestinationError as error:
                state.problem = str(error)
                continue
            _gone(run, state, state.listing)
    for item in list(run.catalog.items.values()):
        # What was never stored anywhere goes without a word to a destination.
        item.backups = [one for one in item.backups if not one.expired or one.stored or one.staged]
        if not item.backups and _dropped(run, item):
            run.catalog.drop(item)


def _leftovers(run: RunState, state: DestinationState) -> list[str]:
    """Return the parts of files that interrupted transfers left: hidden names with a stamp of ours that is not tonight's."""
    return [
        path
        for path in state.listing or {}
        if (match := _LEFTOVER.search(path)) is not None and (match[1] or match[2]) < run.stamp
    ]


def planned_removals(run: RunState) -> list[str]:
    """Return what ``expire`` would remove today, for check mode."""
    return [
        backup.path
        for item in run.catalog.items.values()
        for backup in item.backups
        if backup.expired or (backup.key not in _staying(run, item) and not backup.staged)
    ]


def _staying(run: RunState, item: Item) -> set[str]:
    backups = [one for one in item.backups if not one.expired]
    if _dropped(run, item):
        return set()
    return kept([Kept(one.key, one.moments, one.proven) for one in backups], run.options.keep)


def _dropped(run: RunState, item: Item) -> bool:
    """Return whether the server has not had it for longer than its backups stay."""
    return not item.last_seen or dropped_expired(moment_of(item.last_seen), run.started, run.options.keep)


def _gone(run: RunState, state: DestinationState, listing: dict[str, int]) -> None:
    left = 0
    for item in list(run.catalog.items.values()):
        for backup in [one for one in item.backups if one.expired and state.name in one.stored]:
            if backup.path in listing:
                left += 1
                continue
            del backup.stored[state.name]
            if backup.read_proven:
                run.removed.append(f"{state.name}: {backup.path}")
            if not backup.stored and not backup.staged:
                item.backups.remove(backup)
                run.catalog.forget(backup)
    if left:
        state.problem = f"{state.name}: {left} old backups could not be removed there"
