"""Back one device up: ask, judge, compare, store. One call per device, for one task or for a pool.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from .archive import Archive, StorePlan, now
from .captures import CAPTURES
from .collect import Asks, Collected, collect
from .errors import IncompleteError, IosError
from .secrets import masker


class OpenSession(Protocol):
    """Opens the session with the device; called once the archive is known to be writable."""

    def __call__(self) -> AbstractContextManager[Asks]:
        """Return the open session as a context manager."""


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """How devices are backed up; see the documentation of ``ios_backup``.

    Attributes:
        captures: names of the captures, in the order in which they are asked.
        minimum_ratio: share of the last configuration's size below which a new one is not believed.
        force: believe any size.
        volatile: expressions for further lines that are no change.
        check: only read and compare.
        diff: return the masked differences.
    """

    captures: tuple[str, ...] = tuple(CAPTURES)
    minimum_ratio: float = 0.5
    force: bool = False
    volatile: tuple[str, ...] = ()
    check: bool = False
    diff: bool = False


def backup(host: str, open_session: OpenSession, archive: Archive, options: BackupOptions) -> dict[str, Any]:
    """Back up one device and return its result, as ``ios_backup`` documents it.

    A failure of the device is a result with ``failed`` and one sentence in ``msg``, never an exception; what the
    archive holds is then as it was, and a configuration that broke the contract is kept aside.
    """
    started = time.monotonic()
    try:
        if not options.check:
            archive.prepare()
        previous = {} if options.force else archive.previous_sizes(host)
        with open_session() as session:
            collected = collect(
                session,
                host,
                options.captures,
                previous_sizes=previous,
                minimum_ratio=options.minimum_ratio,
                encoding=archive.encoding,
            )
        if not options.force:
            _require_same_device(host, archive.manifest(host), collected)
        plan = archive.plan(host, collected, captures=options.captures, volatile=options.volatile)
        result = _result(host, archive, collected, plan, options)
        if not options.check:
            archive.store(host, plan)
            _record_success(host, archive, collected, result)
        if collected.refused:
            # What is good has been stored; the task fails all the same.
            result = {**result, **_failure(host, archive, collected.refused[0], options), "changed": result["changed"]}
    except IosError as error:
        result = _failure(host, archive, error, options)
    result["duration_s"] = round(time.monotonic() - started, 2)
    return result


def _result(
    host: str, archive: Archive, collected: Collected, plan: StorePlan, options: BackupOptions
) -> dict[str, Any]:
    unsaved = collected.unsaved_changes(options.volatile)
    result: dict[str, Any] = {
        "changed": plan.changed,
        "host": host,
        "device": collected.facts.as_dict(),
        "folder": str(archive.folder(host)),
        "files": [
            {"name": name, "bytes": len(data), "changed": name in {change.filename for change in plan.changes}}
            for name, data in sorted(plan.files.items())
        ],
        "changed_files": [change.filename for change in plan.changes],
        "unsupported": list(collected.unsupported),
        "unsaved_changes": unsaved,
    }
    warnings = [
        f"{host}: '{CAPTURES[name].command}' was not answered ({said}); what the archive holds of it stays"
        for name, said in collected.denied.items()
    ]
    if unsaved:
        warnings.append(
            f"{host}: the running configuration is not saved on the device and is lost when the power goes; "
            "type 'write memory' there if it is meant"
        )
    if warnings:
        result["warnings"] = warnings
    if options.diff:
        result["diff"] = _diff(host, archive, plan, options)
    return result


def _require_same_device(host: str, manifest: dict[str, Any], collected: Collected) -> None:
    """A wrong address in the inventory must not put one device's configuration into another one's history."""
    known = {key: str(manifest.get(key, "")) for key in ("serial", "hostname")}
    found = {key: str(collected.facts.as_dict()[key]) for key in known}
    if all(known[key] and found[key] and known[key] != found[key] for key in known):
        raise IosError(
            f"{host}: another device answers at its address: '{found['hostname']}' with the serial number "
            f"{found['serial']}, where the archive knows '{known['hostname']}' with {known['serial']}; correct "
            "ansible_host, or run once with network_backup_force=true if the device was replaced"
        )


def _diff(host: str, archive: Archive, plan: StorePlan, options: BackupOptions) -> list[dict[str, str]]:
    """Return the differences with each secret masked."""
    mask = masker(archive.fingerprint_key(create=not options.check))
    return [
        {
            "before_header": f"{host}/{change.filename} (archive)",
            "after_header": f"{host}/{change.filename} (device)",
            "before": mask(change.before),
            "after": mask(change.after),
        }
        for change in plan.changes
    ]


def _record_success(host: str, archive: Archive, collected: Collected, result: dict[str, Any]) -> None:
    stamp = now().isoformat()
    archive.record(
        host,
        {
            "last_attempt": stamp,
            "last_success": stamp,
            "failed": False,
            "msg": "",
            "unsaved_changes": result["unsaved_changes"],
            "device": collected.facts.as_dict(),
        },
    )


def _failure(host: str, archive: Archive, error: IosError, options: BackupOptions) -> dict[str, Any]:
    result: dict[str, Any] = {"changed": False, "host": host, "failed": True, "msg": str(error)}
    if error.unreachable:
        result["unreachable"] = True
    if options.check:
        return result
    try:
        if isinstance(error, IncompleteError) and error.partial:
            partial = archive.keep_partial(host, error.capture, error.partial)
            result["partial"] = str(partial)
            result["msg"] += f"; what came is in {partial}"
        archive.record(host, {"last_attempt": now().isoformat(), "failed": True, "msg": str(error)})
    except IosError as second:
        # The first error is what the administrator has to know, unless it was the archive all along.
        if str(second) != str(error):
            result["msg"] += f"; and {second}"
    return result


def backup_names(captures: Sequence[str]) -> tuple[str, ...]:
    """Return the captures in the order in which they are asked, whatever order they are given in."""
    return tuple(name for name in CAPTURES if name in captures)
