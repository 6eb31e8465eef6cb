"""Access control lists by SID: what icacls is told, and what it saves.

Note that this utility is private to the collection.

``icacls PATH /save FILE`` writes each path with its DACL in SDDL, whose only words are abbreviations of the format
([MS-DTYP] 2.5.1.1): it reads the same in every language.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from .accounts import SDDL_SIDS, is_sid
from .errors import OptionError, StateError, WindowsError
from .files import check_path, read
from .session import Session

_ICACLS = "C:\\Windows\\System32\\icacls.exe"
#: icacls' simple rights and the access masks that it grants for them (winnt.h: FILE_ALL_ACCESS and so on).
RIGHTS = {"F": 0x1F01FF, "M": 0x1301BF, "RX": 0x1200A9, "R": 0x120089, "W": 0x100116}
_SDDL_RIGHTS = {
    "FA": 0x1F01FF, "FR": 0x120089, "FW": 0x120116, "FX": 0x1200A0,
    "GA": 0x1F01FF, "GR": 0x120089, "GW": 0x120116, "GX": 0x1200A0,
    "RC": 0x020000, "SD": 0x010000, "WD": 0x040000, "WO": 0x080000,
    "CC": 0x1, "DC": 0x2, "LC": 0x4, "SW": 0x8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CR": 0x100,
}  # fmt: skip
#: Stands in the answer of ``saved`` for all paths that icacls could not read.
UNREAD = "(paths that could not be read)"
#: How often icacls walks through a folder in which it does not get at everything.
_WALKS = 3
_ACE = re.compile(r"\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class Ace:
    """One entry of a DACL.

    Attributes:
        allow: it allows; otherwise it denies.
        sid: whom.
        mask: the access mask.
        flags: SDDL flags two letters each: OI, CI, IO, NP, ID (inherited).
    """

    allow: bool
    sid: str
    mask: int
    flags: frozenset[str]

    @property
    def inherited(self) -> bool:
        """Return whether it comes from a folder above."""
        return "ID" in self.flags


def rights_mask(rights: str) -> int:
    """Return the mask of SDDL rights: letters in pairs, or a number."""
    if rights.lower().startswith("0x"):
        return int(rights, 16)
    if rights.isdigit():
        return int(rights)
    mask = 0
    for start in range(0, len(rights), 2):
        mask |= _SDDL_RIGHTS.get(rights[start : start + 2], 0)
    return mask


def parse_sddl(sddl: str) -> list[Ace]:
    """Return the entries of the DACL in an SDDL text.

    Raises:
        ValueError: an entry is not one.
    """
    dacl = sddl.partition("D:")[2].partition("S:(")[0]
    entries = []
    for text in _ACE.findall(dacl):
        parts = text.split(";")
        if len(parts) < 6:
            raise ValueError(f"'{text}' is no entry of an access control list")
        kind, flags, rights, sid = parts[0], parts[1], parts[2], parts[5]
        entries.append(
            Ace(
                allow=kind == "A",
                sid=SDDL_SIDS.get(sid, sid),
                mask=rights_mask(rights),
                flags=frozenset(flags[start : start + 2] for start in range(0, len(flags), 2)),
            )
        )
    return entries


def parse_saved(data: bytes) -> dict[str, list[Ace]]:
    """Return path to entries, from a file that ``icacls /save`` wrote (UTF-16 LE; a path and its SDDL by turns).

    Raises:
        ValueError: it is no such file.
    """
    text = data.decode("utf-16-le").removeprefix("\ufeff").replace("\r\n", "\n")
    lines = [line for line in text.split("\n") if line]
    if len(lines) % 2:
        raise ValueError("icacls saved an odd number of lines")
    return {lines[start]: parse_sddl(lines[start + 1]) for start in range(0, len(lines), 2)}


def grants(entries: Sequence[Ace], sid: str, mask: int, flags: frozenset[str] = frozenset()) -> bool:
    """Return whether the entries allow ``sid`` the whole mask, inherited by what is below as ``flags`` say, and deny none."""
    if any(not one.allow and one.sid == sid and one.mask & mask for one in entries):
        return False
    return any(
        one.allow and one.sid == sid and one.mask & mask == mask and flags <= one.flags and "IO" not in one.flags
        for one in entries
    )


def saved(session: Session, path: str, *, below: bool = False) -> dict[str, list[Ace]]:
    """Return the entries of ``path``, and with ``below`` of everything in it, by the path as icacls writes it.

    ``UNREAD`` without any entry is among them when some could not be read, again and again: in the folder of a running PostgreSQL
    files go away while icacls walks through it.

    Raises:
        StateError: icacls cannot read it.
        WindowsError: one of its kinds.
    """
    for left in range(_WALKS - 1, -1, -1):
        entries, whole = _saved(session, check_path(path), below)
        if whole:
            break
        if not left:
            # With /C it goes on past what it may not read, and those paths are not in the file: they count as granted nothing.
            entries[UNREAD] = []
    return entries


def _saved(session: Session, path: str, below: bool) -> tuple[dict[str, list[Ace]], bool]:
    """Return what one walk of icacls saves, and whether it read everything."""
    # Beside nothing that is asked about: a saved file inside the folder would be listed itself.
    file = f"C:\\Windows\\Temp\\lycee-{uuid.uuid4().hex[:12]}.acl"
    argv = [_ICACLS, path, "/save", file, "/C", "/Q"]
    done = session.run([*argv, "/T"] if below else argv, timeout=1800)
    try:
        entries = parse_saved(read(session, file))
    except (ValueError, StateError):
        raise StateError(
            f"{session.name}: the rights of {path} cannot be read ({done.said or 'icacls said nothing'})"
        ) from None
    finally:
        with contextlib.suppress(WindowsError):
            session.run_line(f'del /f /q "{file}"')
    if not entries:
        raise StateError(f"{session.name}: the rights of {path} cannot be read ({done.said or 'icacls saved nothing'})")
    return entries, done.rc == 0


def grant(session: Session, path: str, sid: str, rights: str, *, inherit: bool, below: bool) -> None:
    """Grant ``sid`` the rights on ``path``, and with ``below`` on everything in it; the caller reads back.

    Raises:
        OptionError: ``rights`` or ``sid`` is none.
        WindowsError: one of its kinds.
    """
    if rights not in RIGHTS or not is_sid(sid):
        raise OptionError(f"rights '{rights}' for '{sid}': rights are one of {', '.join(RIGHTS)}, accounts are SIDs")
    flags = "(OI)(CI)" if inherit else ""
    argv = [_ICACLS, check_path(path), "/grant", f"*{sid}:{flags}{rights}", "/C", "/Q"]
    session.run([*argv, "/T"] if below else argv, timeout=1800)


def revoke(session: Session, path: str, sid: str, *, below: bool) -> None:
    """Take away every explicit entry of ``sid``; the caller reads back.

    Raises:
        WindowsError: one of its kinds.
    """
    argv = [_ICACLS, check_path(path), "/remove", f"*{sid}", "/C", "/Q"]
    session.run([*argv, "/T"] if below else argv, timeout=1800)


def owner(session: Session, path: str) -> str:
    """Return the SID of the owner of a file or folder, by Win32_LogicalFileSecuritySetting.

    Raises:
        StateError: it cannot be read.
        WindowsError: one of its kinds.
    """
    answer = session.invoke("Win32_LogicalFileSecuritySetting", "GetSecurityDescriptor", Path=check_path(path))
    descriptor = answer.get("Descriptor")
    trustee = descriptor.get("Owner") if isinstance(descriptor, dict) else None
    sid = trustee.get("SIDString") if isinstance(trustee, dict) else None
    if not isinstance(sid, str):
        raise StateError(f"{session.name}: the owner of {path} cannot be read")
    return sid


def set_owner(session: Session, path: str, sid: str, *, below: bool) -> None:
    """Make ``sid`` the owner; the caller reads back.

    Raises:
        WindowsError: one of its kinds.
    """
    argv = [_ICACLS, check_path(path), "/setowner", f"*{sid}", "/C", "/Q"]
    session.run([*argv, "/T"] if below else argv, timeout=1800)
