"""Look at the backups again: are all bytes still those that were proven, and what does a destination lack?

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import dumpfile
from .catalog import DATABASE, FILE, GLOBALS, Backup, Catalog, overview
from .destinations import Settings, at_hand, open_destination, sha256_of
from .errors import DestinationError, OptionError, ProofError
from .machine import Machine
from .names import STAMP_PATTERN
from .night import scratch_folder
from .report import destination_lines, overview_table
from .run_state import DestinationState, RunState, now_stamp
from .selection import Options
from .upkeep import catch_up, look, look_for_strangers, records, restore_sample

#: So many files are fetched from a module at once, to be read and thrown away.
_BATCH = 20


def verify(
    settings: Sequence[Settings],
    options: Options,
    *,
    root: Path,
    set_name: str,
    machine: Machine | None,
    every: bool,
    everything: bool,
    rebuild: bool,
    step: Callable[[str], None],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Read the stored backups again and repair a destination from another one; return the result.

    Args:
        settings: the destinations.
        options: of a run; what concerns the server is not looked at.
        root: folder of the catalogs.
        set_name: the set.
        machine: the server, where one of its folders is a destination.
        every: read every stored backup, not only the newest of each database.
        everything: restore every database, not only the sample.
        rebuild: make the catalog anew from the records beside the dumps.
        step: asked before each step; raises when the run was ended from outside.
        progress: told what is being done.

    Raises:
        LyceeError: nothing could be begun.
    """
    catalog = Catalog(root, set_name)
    if not catalog.items and not rebuild:
        raise OptionError(
            f"the catalog of {set_name} in {root} is empty; correct set and catalog_dir, or make it anew from the records at the "
            "destinations (rebuild: true)"
        )
    if not options.check:
        catalog.prepare()
    states = [DestinationState(open_destination(one, set_name, machine)) for one in settings]
    found: dict[str, int] = {}
    wrong: list[str] = []
    with contextlib.ExitStack() as stack:
        scratch = (
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lycee-")))
            if options.check
            else stack.enter_context(scratch_folder(catalog.root))
        )
        run = RunState(catalog, options, scratch, datetime.now(UTC), step, progress, states)
        look(run)
        look_for_strangers(run)
        if rebuild and not options.check:
            for state in run.usable:
                _rebuild(run, state)
        for state in run.usable:
            # A record is only what somebody wrote: all that it tells of is read.
            found[state.name] = _read_again(run, state, every or rebuild, wrong)
        if not options.check:
            catch_up(run)
            records(run)
            if options.restore:
                restore_sample(run, everything=everything)
            catalog.save_destinations()
    return _result(run, found, wrong)


def _read_again(run: RunState, state: DestinationState, every: bool, wrong: list[str]) -> int:
    """Read what a destination holds and strike from the catalog what is not what was proven; return how many were read."""
    wanted = []
    for item in run.catalog.items.values():
        here = [one for one in item.backups if state.name in one.stored and not one.expired and not one.staged]
        wanted += here if every else here[-1:]
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        run.step(f"read {state.name}")
        try:
            there = [one.path for one in part if one.path in (state.listing or {})]
            with at_hand(state.destination, there, run.scratch) as folder:
                problems = _problems(run, folder, part)
        except DestinationError as error:
            state.problem = str(error)
            return start
        for backup, problem in zip(part, problems, strict=True):
            if problem:
                sentence = (
                    f"{state.name}: {backup.name}: the backup of {backup.stamp} is not what was proven: {problem}"
                )
                wrong.append(sentence)
                run.say(f"FAILED: {sentence}")
                if not run.options.check:
                    del backup.stored[state.name]
            else:
                backup.read_proven = now_stamp()
            if not run.options.check:
                run.save(run.catalog.items[backup.kind, backup.name])
        run.say(f"{state.name}: {min(start + _BATCH, len(wanted))} of {len(wanted)} backups read")
    return len(wanted)


def _problems(run: RunState, folder: Path, backups: Sequence[Backup]) -> list[str]:
    def one(backup: Backup) -> str:
        path = folder / backup.path
        try:
            if not path.is_file():
                return "its file is gone"
            if sha256_of(path) != backup.sha256:
                return "its bytes have changed"
            if backup.kind == DATABASE and dumpfile.read(path, run.options.programs).sha256 != backup.content:
                return "its content has changed"
        except ProofError as error:
            return str(error)
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
        return ""

    with ThreadPoolExecutor(max_workers=max(1, run.options.workers)) as pool:
        return list(pool.map(one, backups))


def _rebuild(run: RunState, state: DestinationState) -> None:
    """Enter what the records at a destination tell and the catalog does not know; it counts as proven when it was read again."""
    records = [path for path in state.listing or {} if path.endswith(".json") and STAMP_PATTERN.search(path)]
    known = {one.name for one in fields(Backup)}
    run.say(f"{state.name}: {len(records)} records")
    try:
        with at_hand(state.destination, records, run.scratch) as folder:
            for path in records:
                try:
                    data = json.loads((folder / path).read_text("utf-8", "surrogatepass"))
                    rows = {(schema, table): count for schema, table, count in data.pop("rows_by_table")}
                    backup = Backup(**{key: value for key, value in data.items() if key in known})
                    sound = backup.record_path == path and backup.kind in (DATABASE, GLOBALS, FILE)
                except (OSError, ValueError, KeyError, TypeError, AttributeError):
                    run.warnings.append(f"{state.name}: the record {path} cannot be read")
                    continue
                if not sound:
                    run.warnings.append(f"{state.name}: the record {path} tells of another file")
                    continue
                item = run.catalog.item(backup.kind, backup.name, backup.folder)
                # It counts as proven when it was read again.
                backup.read_proven, backup.restore_proven = "", ""
                mine = next((one for one in item.backups if one.stamp == backup.stamp), None)
                if mine is None:
                    mine = backup
                    item.backups.append(backup)
                    item.backups.sort(key=lambda one: one.stamp)
                    item.last_seen = max(item.last_seen, backup.stamp)
                    run.catalog.save_rows(backup, rows)
                if (state.listing or {}).get(backup.path) is not None:
                    mine.stored.setdefault(state.name, now_stamp())
                run.save(item)
    except DestinationError as error:
        state.problem = str(error)


def _result(run: RunState, found: dict[str, int], wrong: list[str]) -> dict[str, Any]:
    contexts = overview(run.catalog.of_kind(DATABASE), run.started)
    restored = sorted(outcome.item.name for outcome in run.outcomes.values() if outcome.restored)
    problems = [
        *wrong,
        *(text for outcome in run.outcomes.values() for text in outcome.problems),
        *run.problems,
        *(one.problem for one in run.destinations if one.problem),
    ]
    result: dict[str, Any] = {
        "changed": (bool(wrong) or run.brought > 0) and not run.options.check,
        "set": run.catalog.name,
        "read": found,
        "restored": restored,
        "damaged": wrong,
        "contexts": contexts,
        "table": overview_table(contexts),
        "destinations": destination_lines(run),
        "warnings": run.warnings,
    }
    if problems:
        result |= {"failed": True, "msg": " | ".join(dict.fromkeys(problems))}
    return result
