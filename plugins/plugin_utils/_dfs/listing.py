"""What dfsradmin prints of replication groups.

Note that this utility is private to the collection.

"/CSV dumps the list output in CSV format" is all that its usage tells; public scripts show a first line of attribute names. Yes, no and
the closing sentence may be in the language of the host.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence

from .errors import ReplicationError
from .names import short_name
from .replication import Connection, Group, Membership

#: Nobody could see whether a French dfsradmin translates them; a word of any other language is refused.
_BOOLEANS = {
    **dict.fromkeys(("yes", "true", "oui", "vrai", "1"), True),
    **dict.fromkeys(("no", "false", "non", "faux", "0"), False),
}
_GUID = re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.I)


def parse_csv(text: str, columns: Sequence[str], host: str) -> list[dict[str, str]]:
    """Return the rows of a list: attribute names, rows, and perhaps an empty line and a closing sentence in the host's language.

    Args:
        text: what was printed.
        columns: the attributes that were asked for.
        host: for the sentence.

    Raises:
        ReplicationError: it is no such list. An empty list may be without a first line.
    """
    lines = text.splitlines()
    wanted = {name.casefold() for name in columns}
    rows = [next(csv.reader([line], skipinitialspace=True), []) for line in lines]
    start = next((at for at, row in enumerate(rows) if {cell.strip().casefold() for cell in row} == wanted), None)
    if start is None:
        if sum(bool(line.strip()) for line in lines) > 1:
            raise ReplicationError(
                f"{host}: dfsradmin printed no list of {', '.join(columns)}, but: {' '.join(text.split())[:200]}"
            )
        return []
    names = [cell.strip().casefold() for cell in rows[start]]
    back = {name.casefold(): name for name in columns}
    found = []
    for at in range(start + 1, len(rows)):
        row = [cell.strip() for cell in rows[at]]
        if not any(row):
            break
        if len(row) != len(names):
            if len(row) == 1 and not any(line.strip() for line in lines[at + 1 :]):
                break
            raise ReplicationError(f"{host}: dfsradmin printed a row that cannot be read: {lines[at][:200]}")
        found.append({back[name]: cell for name, cell in zip(names, row, strict=True)})
    return found


def boolean(text: str, host: str) -> bool:
    """Return a yes or no of dfsradmin.

    Raises:
        ReplicationError: it is a word of a language that is not known here.
    """
    if text.casefold() not in _BOOLEANS:
        raise ReplicationError(
            f"{host}: dfsradmin prints '{text}' for yes or no, which is not known here; please report it with the language of the host"
        )
    return _BOOLEANS[text.casefold()]


def is_guid(text: str) -> bool:
    """Return whether ``text`` is a GUID."""
    return _GUID.fullmatch(text) is not None


def _megabytes(text: str) -> int:
    match = re.match(r"\d+", text)
    return int(match[0]) if match else 0


def assemble(
    name: str,
    guid: str,
    folders: Iterable[Mapping[str, str]],
    members: Iterable[Mapping[str, str]],
    memberships: Iterable[Mapping[str, str]],
    connections: Iterable[Mapping[str, str]],
    host: str,
) -> Group:
    """Return the group from the rows of dfsradmin's lists.

    Raises:
        ReplicationError: a row holds what is not known.
    """
    return Group(
        name=name,
        guid=guid.strip("{}").lower(),
        folders=tuple(sorted(row["RfName"] for row in folders)),
        # A closing sentence that no empty line precedes is no computer's name.
        members=tuple(sorted(short_name(row["MemName"]) for row in members if " " not in row["MemName"])),
        memberships=tuple(
            Membership(
                member=short_name(row["MemName"]),
                folder=row["RfName"],
                path=row["LocalPath"],
                enabled=boolean(row["MembershipEnabled"], host),
                staging_mb=_megabytes(row["StagingSize"]),
                conflict_mb=_megabytes(row["CdSize"]),
            )
            for row in memberships
        ),
        connections=tuple(
            Connection(short_name(row["SendMem"]), short_name(row["RecvMem"]), boolean(row["ConnEnabled"], host))
            for row in connections
        ),
    )
