"""The last stages of a run: the restored sample, what a destination lacks, and what is kept no longer.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from .. import _storage as storage
from .._errors import LyceeError
from .catalog import DATABASE, Backup, Item
from .destinations import at_hand
from .errors import AbsentError, DestinationError, ProofError
from .names import moment_of
from .policy import Candidate, Kept, dropped_expired, kept, sample
from .run_state import DestinationState, RunState, now_stamp
from .scratch import ScratchCluster
from .shipping import read_back


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
    last = run.catalog.destinations.get(state.name, {}).get("last_there", "")
    if not last:
        state.absent = f"{error} (it was never there so far)"
        # Its age counts from the first run that missed it.
        if not run.options.check:
            run.catalog.destinations[state.name] = {"last_there": "", "missed_since": run.stamp}
        run.warnings.append(state.absent)
        return
    days = (run.started - moment_of(last)) / timedelta(days=1)
    state.absent = f"{error} (it was last there {days:.1f} days ago, on {last})"
    if days > state.destination.settings.absent_days:
        state.problem = f"{state.absent}, longer than the {state.destination.settings.absent_days} days allowed"
    else:
        run.warnings.append(state.absent)


def _compare(run: RunState, state: DestinationState, listing: dict[str, int]) -> None:
    missing = 0
    for item in list(run.catalog.items.values()):
        changed = False
        for backup in list(item.backups):
            if state.name not in backup.stored:
                continue
            size = listing.get(backup.path)
            if size is not None and (size in (-1, backup.size) or backup.expired):
                continue
            del backup.stored[state.name]
            changed = True
            if not backup.expired:
                missing += 1
            if not backup.stored and not backup.staged:
                if not backup.expired:
                    run.warnings.append(f"{item.name}: the backup of {backup.stamp} is at no destination any more")
                item.backups.remove(backup)
                if not run.options.check:
                    run.catalog.forget(backup)
        if changed and not run.options.check:
            run.save(item)
    if missing:
        run.warnings.append(f"{state.name}: {missing} backups of the catalog are missing there, or have another size")


def catch_up(run: RunState) -> None:
    """Bring the newest proven backup of each item to the destinations that lack it, such as a disk that is back."""
    for state in run.usable:
        lacking = [
            newest
            for item in run.catalog.items.values()
            if (newest := item.newest_proven) is not None and state.name not in newest.stored
        ]
        for source in run.usable:
            todo = [one for one in lacking if source.name in one.stored and state.name not in one.stored]
            if source is state or not todo:
                continue
            run.step(f"bring {state.name} up to date")
            run.say(f"{len(todo)} older backups go from {source.name} to {state.name}")
            try:
                with at_hand(source.destination, [one.path for one in todo], run.scratch) as folder:
                    state.destination.store(folder, [one.path for one in todo])
                read_back(run, state, todo)
                run.brought += len(todo)
            except DestinationError as error:
                state.problem = str(error)


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
        item.folder: item for item in run.catalog.of_kind(DATABASE) if _source(run, item.newest_proven) is not None
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
        backup.restore_proven = now_stamp()
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
    found = cluster.row_counts(name, list(expected))
    problem = difference(expected, found)
    if not problem and cluster.large_objects(name) != backup.large_objects:
        problem = "the number of large objects differs"
    cluster.drop(name)
    if problem:
        raise ProofError(f"a restore does not give it back: {problem}" + (f" ({passed_over})" if passed_over else ""))
    return passed_over


def difference(expected: dict[tuple[str, str], int], found: dict[tuple[str, str], int]) -> str:
    """Return the first difference of two row counts in words, empty when there is none."""
    for table, count in expected.items():
        if found.get(table) != count:
            return f"the table {'.'.join(table)} should have {count} rows and has {found.get(table, 'none, nor is it there')}"
    return ""


def _candidate(item: Item) -> Candidate:
    restored = max((one.restore_proven for one in item.backups if one.restore_proven), default="")
    newest = item.newest_proven
    changed = newest is not None and not newest.restore_proven
    return Candidate(item.folder, moment_of(restored) if restored else None, changed)


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
    for state in run.usable:
        paths = going.get(state.name)
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
