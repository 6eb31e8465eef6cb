"""The state of a replication group, read from each member about itself.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import _storage as storage
from .._errors import LyceeError
from .._windows import files
from .._windows.temporary import temporary_folder
from .domain import Domain
from .errors import OptionError, ReplicationError
from .member import NORMAL, Member

Step = Callable[[str], None]
_UNKNOWN = "the member could not be asked"


def backlog(sender: Member, receiver: Member, group: str, folder: str) -> int:
    """Return how many files ``receiver`` lacks of what ``sender`` has; each is asked about itself in its own session.

    Raises:
        MemberError: one has no such folder, or does not tell.
        NotInstalledError: DFS Replication is not installed on one.
        WindowsError: one of its kinds.
    """
    return sender.outbound_backlog(group, folder, receiver.version_vector(group, folder))


def read_group(
    members: Sequence[Member],
    group: str,
    folder: str,
    *,
    missing: Mapping[str, str] | None = None,
    events: int = 10,
    step: Step = lambda text: None,
) -> dict[str, Any]:
    """Return the state of a group, as ``dfs_replication_info`` documents it; a member that cannot be asked has its reason in its row.

    Args:
        members: those that answer.
        group: its name.
        folder: the replicated folder.
        missing: inventory host to why it does not answer.
        events: how many of the newest events each member tells.
        step: asked before each member.
    """
    rows = []
    for one in members:
        step(f"read the state of {one.host}")
        rows.append(_row(one, group, folder, events))
    rows += [_blank(host, why) for host, why in (missing or {}).items()]
    names = {one.host: one for one in members}
    directions = []
    for sender in rows:
        for receiver in rows:
            if sender["host"] != receiver["host"]:
                step(f"count what {receiver['host']} lacks of {sender['host']}")
                directions.append(_direction(sender, receiver, names, group, folder))
    return {
        "group": group,
        "folder": folder,
        "members": rows,
        "backlog": directions,
        "healthy": bool(rows) and all(_well(row) for row in rows) and all(one["files"] == 0 for one in directions),
    }


def _blank(host: str, why: str, name: str = "") -> dict[str, Any]:
    return {
        "host": host,
        "name": name,
        "reachable": not why,
        "why": why,
        "state": None,
        "state_name": "",
        "last_error": None,
        "stage_mb": None,
        "conflict_mb": None,
        "config": None,
        "connections": [],
        "events": [],
    }


def _row(member: Member, group: str, folder: str, events: int) -> dict[str, Any]:
    row = _blank(member.host, "")
    try:
        row["name"] = member.name
        info = member.folder(group, folder)
        if info is None:
            row["why"] = f"it knows no replicated folder {folder} of the group {group}, or its service does not run"
        else:
            row |= {
                "state": info.state,
                "state_name": info.word,
                "last_error": info.last_error,
                "stage_mb": info.stage_mb,
                "conflict_mb": info.conflict_mb,
            }
        config = member.config(group, folder)
        row["config"] = config.as_dict() if config else None
        row["connections"] = [one.as_dict() for one in member.connections(group)]
        row["events"] = [one.as_dict() for one in member.latest(events)] if events else []
    except LyceeError as error:
        row |= {"reachable": not error.unreachable, "why": str(error)}
    return row


def _direction(
    sender: Mapping[str, Any], receiver: Mapping[str, Any], members: Mapping[str, Member], group: str, folder: str
) -> dict[str, Any]:
    found: dict[str, Any] = {"sender": sender["host"], "receiver": receiver["host"], "files": None, "why": ""}
    lame = next((row for row in (sender, receiver) if row["state"] is None), None)
    if lame is not None:
        return found | {"why": lame["why"] or _UNKNOWN}
    try:
        found["files"] = backlog(members[sender["host"]], members[receiver["host"]], group, folder)
    except LyceeError as error:
        found["why"] = str(error)
    return found


def _well(row: Mapping[str, Any]) -> bool:
    return row["state"] == NORMAL and bool(row["connections"]) and all(one["enabled"] for one in row["connections"])


def fetch_report(
    domain: Domain, group: str, reference: str, target: Path, *, step: Step = lambda text: None
) -> list[str]:
    """Have the health report of a group made on the controller, fetch it, and return the files that were written here.

    On the controller dfsradmin asks the members in the name of whoever logged in, which Windows allows only with delegation: without,
    the report says of each that it could not be reached.

    Args:
        domain: the controller.
        group: its name.
        reference: computer name of the member against which the files of the others are counted.
        target: local path of the HTML; the XML is put beside it.
        step: asked before each step.

    Raises:
        ReplicationError: dfsradmin made no report.
        OptionError: ``target`` cannot be written.
        WindowsError: one of its kinds.
    """
    session = domain.session
    step("make the health report")
    with temporary_folder(session) as folder:
        done = domain.health(group, reference, f"{folder}\\health.html")
        fetched = {suffix: _fetched(domain, f"{folder}\\health{suffix}") for suffix in (".html", ".xml")}
    if not fetched[".html"]:
        raise ReplicationError(
            f"{domain.host}: dfsradmin made no health report of the group {group} (exit code {done.rc}): {done.said}"
        )
    written = []
    for suffix, data in fetched.items():
        path = target if suffix == ".html" else target.with_suffix(suffix)
        if data:
            try:
                storage.make_folder(path.parent)
                storage.write_atomic(path, data)
            except OSError as error:
                raise OptionError(f"report: {path} cannot be written ({error.strerror}); give another path") from None
            written.append(str(path))
    return written


def _fetched(domain: Domain, path: str) -> bytes:
    return files.read(domain.session, path) if files.size(domain.session, path) else b""
