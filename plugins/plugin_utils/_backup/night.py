"""A night's run: dump every context of a server, prove each dump, bring it to the destinations, keep what the policy says.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import _storage as storage
from .._errors import LyceeError
from .._lease import LeaseError
from .._postgresql.server import Access, Server, major, shown
from . import report
from .catalog import DATABASE, Catalog
from .destinations import Settings, open_destination
from .dumping import check_space, clear, copy_files, dump_databases, dump_roles
from .errors import CatalogError, DestinationError, ToolError
from .machine import Machine
from .names import folders
from .run_state import SAVED, DestinationState, RunState
from .selection import Options, Selection, select
from .shipping import ship
from .tools import program_version
from .upkeep import catch_up, expire, look, look_for_strangers, planned_removals, records, restore_sample

#: So many runs are remembered, each as JSON and as a log.
_RUNS = 1000


@contextlib.contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """Give a private folder for copies of dumps, gone at the end; one that a killed run left is removed first.

    Only one job works on a set at a time (its lease), so what is there is nobody's.

    Raises:
        CatalogError: it cannot be made.
    """
    folder = root / "scratch"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        storage.make_folder(folder)
    except OSError as error:
        raise CatalogError(f"{folder} cannot be used: {error.strerror}; free space, or make it writable") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def back_up(
    machine: Machine,
    access: Access,
    destinations: Sequence[Settings],
    options: Options,
    *,
    root: Path,
    set_name: str,
    step: Callable[[str], None],
    progress: Callable[[str], None],
    now: datetime | None = None,
) -> dict[str, Any]:
    """Do a night's run and return its result, ``failed`` among its fields when something failed.

    Args:
        machine: the server.
        access: to its PostgreSQL.
        destinations: in the order in which they are tried.
        options: how it is done.
        root: folder of the catalogs.
        set_name: names this server's backups (of a pair: the pair's).
        step: asked before each step; raises when the run was ended from outside.
        progress: told what is being done.
        now: the time of the run.

    Raises:
        LyceeError: nothing could be begun.
    """
    catalog = Catalog(root, set_name)
    if not options.check:
        catalog.prepare()
    with contextlib.ExitStack() as stack:
        scratch = Path() if options.check else stack.enter_context(scratch_folder(catalog.root))
        states = [DestinationState(open_destination(one, set_name, machine)) for one in destinations]
        run = RunState(catalog, options, scratch, now or datetime.now(UTC), step, progress, states)
        try:
            server = Server(machine, access)
            selection = _begin(run, server)
            if options.check:
                return _planned(run, selection)
        except LeaseError:
            raise
        except LyceeError as error:
            # Monitoring has to see a night that could not even begin.
            if not options.check:
                report.write_failure(run, str(error))
            raise
        _work(run, server, selection)
        return _finished(run, selection)


def _begin(run: RunState, server: Server) -> Selection:
    """Look at the server, at the destinations and at the catalog; refuse before the first dump what cannot end well."""
    server.identify()
    written, reader = major(server.tool_version), major(program_version(run.options.programs / "pg_restore"))
    if reader < written:
        raise ToolError(
            f"pg_restore {shown(reader)} of the controller does not read what pg_dump {shown(written)} of {server.machine.name} "
            "writes; install PostgreSQL of that version here, or name its folder as local_pg_bin"
        )
    databases = server.databases()
    selection = select(databases, run.options)
    look(run)
    look_for_strangers(run)
    present = {one.name for one in databases}
    _check(run, selection, server.machine, present)
    if run.options.check:
        return selection
    catalog = run.catalog
    names = folders([one.name for one in selection.chosen], catalog.folders(DATABASE))
    for database in selection.chosen:
        catalog.item(DATABASE, database.name, names[database.name])
    # Before the first dump: when this run is ended, the catalog still knows what was on the server.
    for item in catalog.of_kind(DATABASE):
        if item.name in present:
            item.last_seen = run.stamp
            run.save(item)
    catalog.save_destinations()
    return selection


def _check(run: RunState, selection: Selection, machine: Machine, present: set[str]) -> None:
    """Refuse before the first dump what cannot end well, and note what is odd."""
    if not run.usable:
        reasons = "; ".join(one.problem or one.absent for one in run.destinations)
        raise DestinationError(f"nothing was dumped, since no destination is there: {reasons}")
    check_space(run, machine, selection.chosen)
    for name in selection.closed:
        run.problems.append(
            f"{name}: it takes no connections (datallowconn), so it cannot be dumped; exclude it or open it"
        )
    for name in selection.irregular:
        run.warnings.append(
            f"{name}: its name breaks the naming rule ({run.options.naming_rule}); it is saved like any other"
        )
    if not selection.chosen:
        run.problems.append(
            f"{machine.name}: no database matches {', '.join(run.options.include)}; correct include, or look at the server"
        )
    seen = max((item.last_seen for item in run.catalog.of_kind(DATABASE)), default="")
    for item in run.catalog.of_kind(DATABASE):
        if item.name not in present and item.last_seen and item.last_seen == seen:
            run.warnings.append(
                f"{item.name}: it was on the server at the last run and is no more; its backups stay for "
                f"{run.options.keep.dropped_days} days"
            )


def _work(run: RunState, server: Server, selection: Selection) -> None:
    """Go through the stages; one that fails as a whole does not keep the next from doing what it can."""
    machine = server.machine
    stages: list[Callable[[], None]] = [
        lambda: clear(run, machine),
        lambda: dump_databases(run, server, selection.chosen),
        lambda: copy_files(run, machine),
        lambda: ship(run, machine),
        lambda: catch_up(run),
        lambda: records(run),
    ]
    if run.options.roles:
        stages.insert(2, lambda: dump_roles(run, server))
    if run.options.restore:
        stages.append(lambda: restore_sample(run))
    if run.options.retention:
        stages.append(lambda: expire(run))
    for stage in stages:
        try:
            stage()
        except LeaseError:
            raise
        except LyceeError as error:
            run.problems.append(str(error))
    for item in run.catalog.items.values():
        run.save(item)
    run.catalog.save_destinations()


def _planned(run: RunState, selection: Selection) -> dict[str, Any]:
    removals = planned_removals(run)
    for database in selection.chosen:
        run.say(f"{database.name}: would be saved")
    for path in removals:
        run.say(f"{path}: would be removed")
    return {
        "changed": True,
        "set": run.catalog.name,
        "planned_databases": [one.name for one in selection.chosen],
        "planned_removals": removals,
        "not_selected": selection.left_out,
        "destinations": report.destination_lines(run),
        "warnings": run.warnings,
        **({"failed": True, "msg": " | ".join(problems)} if (problems := _problems(run)) else {}),
    }


def _problems(run: RunState) -> list[str]:
    return [*run.problems, *(one.problem for one in run.destinations if one.problem)]


def _finished(run: RunState, selection: Selection) -> dict[str, Any]:
    lines = report.lines(run)
    failed = sorted(outcome.item.name for outcome in run.outcomes.values() if outcome.problems)
    sentences = [text for outcome in run.outcomes.values() for text in outcome.problems] + _problems(run)
    result: dict[str, Any] = {
        # A night that found nothing new changes nothing but when the backups were last good.
        "changed": bool(run.removed) or run.brought > 0 or any(line["state"] == SAVED for line in lines),
        "set": run.catalog.name,
        "stamp": run.stamp,
        "items": lines,
        "failed_items": failed,
        "not_selected": selection.left_out,
        "destinations": report.destination_lines(run),
        "removed": run.removed,
        "bytes_sent": run.sent_by_server + sum(one.destination.sent for one in run.destinations),
        "warnings": run.warnings,
        "table": report.table(lines),
    }
    if sentences:
        saved = sum(1 for line in lines if line["state"] != "failed")
        result["failed"] = True
        result["msg"] = report.failure(failed, saved, sentences)
    run.catalog.write_text(f"runs/{run.stamp}.json", report.as_json({**result, "table": None}))
    log = run.catalog.write_text(f"runs/{run.stamp}.log", report.log(run, selection, run.options.language))
    status = run.catalog.root / "status.json"
    if not run.options.databases:
        # What a run for some databases did says nothing of the night.
        run.catalog.write_text("status.json", report.as_json(report.status(run, result)))
    catalog_runs = sorted((run.catalog.root / "runs").iterdir())
    for path in catalog_runs[: -2 * _RUNS]:
        path.unlink(missing_ok=True)
    return {**result, "log": str(log), "status": str(status)}
