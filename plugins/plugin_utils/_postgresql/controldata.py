"""What a cluster's control file says: whether it was shut down, and up to where its log goes.

Note that this utility is private to the collection.

Two ways to the same file. ``pg_controldata`` writes labels that are those of the C locale in every shell of ours (``LC_MESSAGES``); where
it did not, nothing is concluded. The file itself begins the same way since 8.3 (pg_control.h): the identifier (8 bytes), the version of
the format and of the catalogs (4 each), and the state, an enumeration whose 1 has always been "shut down".
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

SHUT_DOWN = 1
_LINE = re.compile(r"^([^:\n]+):\s+(.*?)\s*$", re.M)
_HEAD = struct.Struct("<QIII")


@dataclass(frozen=True, slots=True)
class ControlData:
    """What pg_controldata prints of a cluster.

    Attributes:
        state: in the words of the C locale, such as ``shut down`` or ``in production``.
        identifier: the number that initdb gave the cluster.
        format, catalog: versions of the control file and of the system catalogs.
        checkpoint: location of the latest checkpoint, ``0/17A3F20``.
        time: of that checkpoint, as the server writes it; for people only.
        passing: how the build passes a float8, by value in a 64-bit one and by reference in a 32-bit one; empty before 8.4.
    """

    state: str
    identifier: str
    format: int
    catalog: int
    checkpoint: str
    time: str
    passing: str

    @property
    def shut_down(self) -> bool:
        """Return whether the cluster was shut down in an orderly way."""
        return self.state == "shut down"

    @property
    def build(self) -> tuple[int, int, str]:
        """Return what the programs that use the cluster have to have in common."""
        return self.format, self.catalog, self.passing


def parse(text: str) -> ControlData | None:
    """Return what pg_controldata printed, None when it is not all there."""
    found = dict(_LINE.findall(text.replace("\r\n", "\n")))
    try:
        return ControlData(
            state=found["Database cluster state"],
            identifier=found["Database system identifier"],
            format=int(found["pg_control version number"]),
            catalog=int(found["Catalog version number"]),
            checkpoint=found["Latest checkpoint location"],
            time=found["Time of latest checkpoint"],
            passing=found.get("Float8 argument passing", ""),
        )
    except (KeyError, ValueError):
        return None


def head(data: bytes) -> tuple[str, int, int, int] | None:
    """Return identifier, format, catalog and state from the bytes of ``global/pg_control``; None when they are too few."""
    if len(data) < _HEAD.size:
        return None
    identifier, layout, catalog, state = _HEAD.unpack_from(data)
    return str(identifier), layout, catalog, state


def agrees(control: ControlData, data: bytes) -> bool:
    """Return whether the file itself says the same as the program said of it."""
    found = head(data)
    if found is None:
        return False
    same = found[:3] == (control.identifier, control.format, control.catalog)
    return same and (found[3] == SHUT_DOWN) == control.shut_down
