"""Bring services, files and rights to what is wanted: read, compare, plan, do, read back.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from . import acl, files, services
from .accounts import BUILT_IN, built_in, same_account, sid_of
from .errors import OptionError, StateError
from .session import Session
from .temporary import make_folder

_SC = "C:\\Windows\\System32\\sc.exe"
_REG = "C:\\Windows\\System32\\reg.exe"
_START_MODES = {"auto": ("Automatic", "Auto"), "manual": ("Manual", "Manual"), "disabled": ("Disabled", "Disabled")}
#: SC_ACTION_TYPE (winsvc.h).
_ACTION_TYPES = {"none": 0, "restart": 1, "reboot": 2, "run": 3}
Step = Callable[[str], None]


# Services


def failure_actions(data: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Read the registry's FailureActions of a service: seconds until reset, then type and delay (ms) of each action.

    The value is a SERVICE_FAILURE_ACTIONS of 32-bit Windows (winsvc.h) with the actions behind it, on 64 bits too.

    Raises:
        ValueError: it is no such value.
    """
    if len(data) < 20:
        raise ValueError("too short")
    reset, _message, _command, count, _pointer = struct.unpack_from("<5I", data)
    if len(data) < 20 + 8 * count:
        raise ValueError("cut")
    return reset, [struct.unpack_from("<2I", data, 20 + 8 * number) for number in range(count)]


def recovery_of(session: Session, name: str) -> tuple[int, list[tuple[int, int]]]:
    """Return what Windows does when a service fails: seconds until its counter is reset, then type and delay (ms) of each action."""
    key = f"HKLM\\SYSTEM\\CurrentControlSet\\Services\\{name}"
    done = session.run([_REG, "query", key, "/v", "FailureActions"])
    # Type tokens of the registry are not localized; a value that is not there gives another line and exit code 1.
    match = re.search(r"REG_BINARY\s+([0-9A-Fa-f]+)", done.text)
    if match is None:
        return 0, []
    try:
        return failure_actions(bytes.fromhex(match[1]))
    except ValueError:
        return 0, []


def manage_service(
    session: Session, arguments: Mapping[str, Any], *, check: bool, step: Step = lambda name: None
) -> dict[str, Any]:
    """Bring a service to what ``windows_service`` documents and return its result.

    Raises:
        WindowsError: one of its kinds.
    """
    name, timeout = arguments["name"], arguments["timeout"]
    found = services.service(session, name)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    changes: dict[str, str | None] = {}
    wanted_mode = arguments["start_mode"]
    if wanted_mode is not None and found.start_mode != _START_MODES[wanted_mode][1]:
        changes["StartMode"] = _START_MODES[wanted_mode][0]
        before["start_mode"], after["start_mode"] = found.start_mode, _START_MODES[wanted_mode][1]
    account = arguments["account"]
    if account is not None and not same_account(account, found.account, session.computer_name):
        known = built_in(account)
        changes["StartName"] = BUILT_IN[known][0] if known else account
        changes["StartPassword"] = "" if known else arguments["password"]
        if changes["StartPassword"] is None:
            raise OptionError(f"{session.name}: the account '{account}' needs its password (option password)")
        before["account"], after["account"] = found.account, changes["StartName"]
    elif account is not None and built_in(account) is None and arguments["update_password"] == "always":
        # Windows never tells the password that it has, so setting it is always a change.
        changes |= {"StartName": found.account, "StartPassword": arguments["password"]}
        after["password"] = "set"
    recovery = arguments["recovery"]
    wanted_recovery = _wanted_recovery(recovery)
    if wanted_recovery is not None:
        present = recovery_of(session, name)
        if present != wanted_recovery:
            before["recovery"], after["recovery"] = str(present), str(wanted_recovery)
    running = found.state == services.RUNNING
    wanted_state = arguments["state"]
    restart = (wanted_state == "restarted" and running) or (
        "account" in after and running and wanted_state != "stopped"
    )
    start = wanted_state in ("started", "restarted") and not running
    stop = wanted_state == "stopped" and found.state != services.STOPPED
    if restart or start or stop:
        before["state"], after["state"] = found.state, services.STOPPED if stop else services.RUNNING
        if restart:
            before["process_id"], after["process_id"] = found.process_id, "another"
    result: dict[str, Any] = {"changed": bool(after), "diff": {"before": before, "after": after}}
    if not after or check:
        return {**result, "service": found.as_dict()}
    if restart or stop:
        step("stop")
        services.stop(session, name, timeout, step)
    if changes:
        step("change")
        services.change(session, name, **changes)
    if "recovery" in after and recovery is not None:
        step("recovery")
        actions = "/".join(
            f"{one['type'] if one['type'] != 'none' else ''}/{one['delay']}" for one in recovery["actions"]
        )
        session.run([_SC, "failure", name, "reset=", str(recovery["reset"]), "actions=", actions])
    if restart or start:
        step("start")
        services.start(session, name, timeout, step)
    return {**result, "service": _verify(session, name, arguments, wanted_recovery, after).as_dict()}


def _wanted_recovery(recovery: Mapping[str, Any] | None) -> tuple[int, list[tuple[int, int]]] | None:
    if recovery is None:
        return None
    return recovery["reset"], [(_ACTION_TYPES[one["type"]], one["delay"]) for one in recovery["actions"]]


def _verify(
    session: Session,
    name: str,
    arguments: Mapping[str, Any],
    wanted_recovery: tuple[int, list[tuple[int, int]]] | None,
    after: Mapping[str, Any],
) -> services.Service:
    found = services.service(session, name)
    wrong = []
    if "start_mode" in after and found.start_mode != after["start_mode"]:
        wrong.append(f"its start mode is {found.start_mode}")
    if "account" in after and not same_account(after["account"], found.account, session.computer_name):
        wrong.append(f"its account is {found.account}")
    if "state" in after and found.state != after["state"]:
        wrong.append(f"its state is {found.state}")
    if "recovery" in after and recovery_of(session, name) != wanted_recovery:
        wrong.append("its recovery actions are others")
    if wrong:
        raise StateError(f"{session.name}: the service {name} is not as wanted: {', '.join(wrong)}")
    return found


# Files


def manage_file(
    session: Session,
    arguments: Mapping[str, Any],
    wanted: bytes | None,
    *,
    check: bool,
    diff: bool,
    step: Step = lambda name: None,
) -> dict[str, Any]:
    """Bring a file to ``wanted`` bytes (None: it is not to exist) and return the result of ``windows_file``.

    Raises:
        WindowsError: one of its kinds.
    """
    path = files.check_path(arguments["dest"])
    result: dict[str, Any] = {"changed": False, "dest": path}
    if arguments["state"] == "directory":
        result["changed"] = not files.folder_exists(session, path)
        if result["changed"] and not check:
            step("make the folder")
            make_folder(session, path)
        return result
    present = files.size(session, path)
    if wanted is None:
        if present is not None:
            result["changed"] = True
            if not check:
                step("remove")
                result |= _kept(session, arguments, path)
                files.remove(session, path)
        return result
    result["size"] = len(wanted)
    if present == len(wanted) and _same_content(session, path, wanted):
        return result
    result["changed"] = True
    if diff and not arguments["sensitive"]:
        former = files.read(session, path) if present is not None and present < 200_000 else b""
        encoding = arguments["encoding"]
        result["diff"] = {
            "before_header": path,
            "after_header": path,
            "before": former.decode(encoding, "replace"),
            "after": wanted.decode(encoding, "replace"),
        }
    if not check:
        step("write")
        if present is not None:
            result |= _kept(session, arguments, path)
        files.write(session, path, wanted)
    return result


def _same_content(session: Session, path: str, wanted: bytes) -> bool:
    found = files.file_hash(session, path, len(wanted))
    name = "sha1" if len(found) == 40 else "sha256"
    return found == hashlib.new(name, wanted, usedforsecurity=False).hexdigest()


def _kept(session: Session, arguments: Mapping[str, Any], path: str) -> dict[str, str]:
    if not arguments["backup"]:
        return {}
    copy = f"{path}.{datetime.now(UTC).strftime('%Y-%m-%dT%H%M%SZ')}.bak"
    files.copy(session, path, copy)
    return {"backup_file": copy}


# Rights


def manage_acl(
    session: Session, arguments: Mapping[str, Any], *, check: bool, step: Step = lambda name: None
) -> dict[str, Any]:
    """Bring the rights on a path to what ``windows_acl`` documents and return its result.

    Raises:
        WindowsError: one of its kinds.
    """
    path, recurse = files.check_path(arguments["path"]), arguments["recurse"]
    entries = [{**one, "sid": sid_of(session, one["account"], session.computer_name)} for one in arguments["entries"]]
    wanted_owner = sid_of(session, arguments["owner"], session.computer_name) if arguments["owner"] else None
    former = acl.owner(session, path) if wanted_owner else None
    todo = _wrong_entries(session, path, recurse, entries)
    changed = [{key: one[key] for key in ("sid", "rights", "state", "paths")} for one in todo]
    result: dict[str, Any] = {
        "changed": bool(todo) or former != wanted_owner,
        "path": path,
        "changed_entries": changed,
        "diff": {"before": {"entries": [], "owner": former}, "after": {"entries": changed, "owner": wanted_owner}},
    }
    if check or not result["changed"]:
        return result
    if wanted_owner is not None and former != wanted_owner:
        step("owner")
        acl.set_owner(session, path, wanted_owner, below=recurse)
        if acl.owner(session, path) != wanted_owner:
            raise StateError(
                f"{session.name}: the owner of {path} is not {wanted_owner} after icacls; it is {former} still"
            )
    for one in todo:
        step(f"rights of {one['sid']}")
        if one["state"] == "absent":
            acl.revoke(session, path, one["sid"], below=recurse)
        else:
            acl.grant(session, path, one["sid"], one["rights"], inherit=one["inherit"], below=recurse)
    left = _wrong_entries(session, path, recurse, entries)
    if left:
        shown = ", ".join(f"{one['sid']} on {one['paths']} paths, such as {one['first']}" for one in left)
        raise StateError(f"{session.name}: the rights on {path} are not as wanted after icacls: {shown}")
    return result


def _wrong_entries(
    session: Session, path: str, recurse: bool, entries: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    present = acl.saved(session, path, below=recurse)
    wrong = []
    for one in entries:
        mask = acl.RIGHTS[one["rights"]]
        if one["state"] == "absent":
            found = [
                name
                for name, aces in present.items()
                if any(ace.sid == one["sid"] and not ace.inherited for ace in aces)
            ]
        else:
            found = [name for name, aces in present.items() if not acl.grants(aces, one["sid"], mask)]
        count = len(found)
        if one["state"] != "absent":
            first = next(iter(present.values()), [])
            if one["inherit"] and not count and files.folder_exists(session, path):
                count = int(not acl.grants(first, one["sid"], mask, frozenset({"OI", "CI"})))
        if count:
            wrong.append({**one, "paths": count, "first": found[0] if found else path})
    return wrong
