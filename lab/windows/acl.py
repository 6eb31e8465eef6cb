# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control lists by SID: inheritance, SDDL, access checks.

Sources: [MS-DTYP] 2.4.4, 2.5.1 (ACE, SDDL), "How AccessCheck works", icacls' letters (Microsoft's icacls page).
Inherited entries are computed from the parents each time, which is what automatic propagation amounts to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from lab.windows.accounts import (
    ADMINISTRATORS,
    AUTHENTICATED,
    CREATOR_OWNER,
    EVERYONE,
    LOCAL_SERVICE,
    NETWORK_SERVICE,
    SYSTEM,
    TRUSTED_INSTALLER,
    USERS,
)  # fmt: skip

FULL, MODIFY, READ_EXECUTE, READ, WRITE = 0x1F01FF, 0x1301BF, 0x1200A9, 0x120089, 0x100116
DELETE, READ_CONTROL, WRITE_DAC, WRITE_OWNER, SYNCHRONIZE = 0x10000, 0x20000, 0x40000, 0x80000, 0x100000
SIMPLE = {"F": FULL, "M": MODIFY, "RX": READ_EXECUTE, "R": READ, "W": WRITE, "D": DELETE | SYNCHRONIZE, "N": 0}
SPECIFIC = {
    "DE": DELETE, "RC": READ_CONTROL, "WDAC": WRITE_DAC, "WO": WRITE_OWNER, "S": SYNCHRONIZE, "AS": 0x1000000,
    "MA": 0x2000000, "GR": 0x80000000, "GW": 0x40000000, "GE": 0x20000000, "GA": 0x10000000, "RD": 0x1, "WD": 0x2,
    "AD": 0x4, "REA": 0x8, "WEA": 0x10, "X": 0x20, "DC": 0x40, "RA": 0x80, "WA": 0x100,
}  # fmt: skip
_GENERIC = {0x10000000: FULL, 0x20000000: READ_EXECUTE, 0x40000000: WRITE, 0x80000000: READ}
_SDDL_RIGHTS = {FULL: "FA", 0x10000000: "GA", 0x80000000: "GR", 0x40000000: "GW", 0x20000000: "GX"}
_SDDL_SIDS = {SYSTEM: "SY", ADMINISTRATORS: "BA", USERS: "BU", EVERYONE: "WD", AUTHENTICATED: "AU",
              CREATOR_OWNER: "CO", LOCAL_SERVICE: "LS", NETWORK_SERVICE: "NS", "S-1-5-32-551": "BO"}  # fmt: skip
_FLAGS = ("OI", "CI", "NP", "IO", "ID")


@dataclass(frozen=True)
class Ace:
    """One entry. ``flags`` out of OI, CI, NP, IO, ID."""

    sid: str
    mask: int
    flags: frozenset[str] = frozenset()
    deny: bool = False

    def sddl(self, local_administrator: str = "") -> str:
        """``(A;OICI;FA;;;SY)``."""
        flags = "".join(flag for flag in _FLAGS if flag in self.flags)
        rights = _SDDL_RIGHTS.get(self.mask, f"0x{self.mask:x}")
        sid = "LA" if self.sid == local_administrator else _SDDL_SIDS.get(self.sid, self.sid)
        return f"({'D' if self.deny else 'A'};{flags};{rights};;;{sid})"

    def letters(self) -> str:
        """As icacls prints it: ``(OI)(CI)(F)``."""
        flags = "".join(f"({'I' if flag == 'ID' else flag})" for flag in ("ID", "OI", "CI", "NP", "IO")
                        if flag in self.flags)  # fmt: skip
        simple = {FULL: "F", MODIFY: "M", READ_EXECUTE: "RX", READ: "R", WRITE: "W", DELETE | SYNCHRONIZE: "D",
                  READ | WRITE: "R,W", READ_EXECUTE | WRITE: "RX,W"}  # fmt: skip
        rights = simple.get(self.mask) or ",".join(name for name, bit in SPECIFIC.items() if self.mask & bit) or "N"
        return f"{flags}{'(DENY)' if self.deny else ''}({rights})"


@dataclass
class Entry:
    """What is set on one path itself. ``protected``: takes nothing from its parents. ``file``: the real file's number."""

    owner: str = ADMINISTRATORS
    aces: list[Ace] = field(default_factory=list)
    protected: bool = False
    file: int = 0


@dataclass(frozen=True)
class Security:
    """The whole descriptor of a path, inherited entries included."""

    owner: str
    aces: tuple[Ace, ...]
    protected: bool

    def sddl(self, administrator: str = "") -> str:
        """``D:PAI(A;...)...``, as ``icacls /save`` writes it (without owner)."""
        return f"D:{'P' if self.protected else ''}AI" + "".join(ace.sddl(administrator) for ace in self.aces)


def ace(sid: str, mask: int, flags: str = "OICI", deny: bool = False) -> Ace:
    """``ace(SYSTEM, FULL, "OICIIO")``."""
    return Ace(sid, mask, frozenset(flags[index : index + 2] for index in range(0, len(flags), 2)), deny)


def _system_folder() -> Entry:
    return Entry(TRUSTED_INSTALLER, [
        ace(TRUSTED_INSTALLER, FULL, ""), ace(TRUSTED_INSTALLER, 0x10000000, "CIIO"),
        ace(SYSTEM, MODIFY, ""), ace(SYSTEM, 0x10000000, "OICIIO"),
        ace(ADMINISTRATORS, MODIFY, ""), ace(ADMINISTRATORS, 0x10000000, "OICIIO"),
        ace(USERS, READ_EXECUTE, ""), ace(USERS, 0xA0000000, "OICIIO"),
        ace(CREATOR_OWNER, 0x10000000, "OICIIO"),
    ], protected=True)  # fmt: skip


def _real_mask(mask: int) -> int:
    """Generic rights become the file's own when an entry is applied."""
    for generic, rights in _GENERIC.items():
        if mask & generic:
            mask = mask & ~generic | rights
    return mask


def _inherit(aces: Iterable[Ace], is_folder: bool) -> list[Ace]:
    found = []
    for entry in aces:
        wanted = "CI" if is_folder else "OI"
        if wanted in entry.flags:
            flags = entry.flags & {"OI", "CI"} if is_folder and "NP" not in entry.flags else frozenset()
            found.append(Ace(entry.sid, _real_mask(entry.mask), frozenset(flags | {"ID"}), entry.deny))
        elif is_folder and "OI" in entry.flags and "NP" not in entry.flags:
            found.append(replace(entry, flags=frozenset({"OI", "IO", "ID"})))
    return [entry if entry.sid != CREATOR_OWNER else replace(entry, flags=entry.flags | {"IO"}) for entry in found]


class Acls:
    """The descriptors of a host's files; only what was set somewhere is kept.

    Args:
        look: tells of a path whether it is a folder, and the number of the real file (0: there is none). A file that a real
            program removed and made again is another one, which has what it inherits.
    """

    def __init__(self, look: Callable[[str], tuple[bool, int]]) -> None:
        self._look = look
        self.entries: dict[str, Entry] = {
            "c:\\": Entry(TRUSTED_INSTALLER, [ace(SYSTEM, FULL), ace(ADMINISTRATORS, FULL), ace(USERS, READ_EXECUTE)]),
            "c:\\program files": _system_folder(),
            "c:\\windows": _system_folder(),
        }

    def entry(self, path: str) -> Entry:
        """The own entry of a path, made when it has none yet."""
        owner = self.security(path).owner
        return self.entries.setdefault(path.lower(), Entry(owner, file=self._look(path)[1]))

    def security(self, path: str) -> Security:
        """The descriptor of a path (canonical form: ``C:\\a\\b``)."""
        parts = path.lower().rstrip("\\").split("\\")
        inherited: list[Ace] = []
        owner = ADMINISTRATORS
        own = None
        is_folder, number = self._look(path)
        known = self.entries.get("\\".join(parts))
        if known and known.file and number and number != known.file:
            del self.entries["\\".join(parts)]
        for index in range(1, len(parts) + 1):
            here = "\\".join(parts[:index]) if index > 1 else parts[0] + "\\"
            last = index == len(parts)
            own = self.entries.get(here)
            if index > 1:
                inherited = _inherit(inherited, not last or is_folder)
            if own:
                inherited = [*own.aces, *([] if own.protected else inherited)]
                owner = own.owner if last or own.owner != TRUSTED_INSTALLER else owner
        return Security(owner, tuple(sorted(inherited, key=_canonical)), bool(own and own.protected))

    def allows(self, path: str, token: set[str], mask: int) -> bool:
        """AccessCheck: whether a token has all of a mask on a path."""
        security = self.security(path)
        left = mask & ~(READ_CONTROL | WRITE_DAC if security.owner in token else 0)
        for entry in security.aces:
            if entry.sid in token and "IO" not in entry.flags:
                rights = _real_mask(entry.mask)
                if entry.deny and rights & left:
                    return False
                left &= ~rights
            if not left:
                return True
        return not left

    def forget(self, path: str) -> None:
        """A file or tree was removed."""
        low = path.lower()
        for key in [key for key in self.entries if key == low or key.startswith(low + "\\")]:
            del self.entries[key]

    def move(self, source: str, target: str) -> None:
        """A file or tree was renamed: it keeps what was set on it."""
        low, new = source.lower(), target.lower()
        self.forget(target)
        for key in [key for key in self.entries if key == low or key.startswith(low + "\\")]:
            self.entries[new + key[len(low) :]] = self.entries.pop(key)

    def dump(self) -> dict[str, dict[str, object]]:
        """For comparison: what is set where."""
        return {
            path: {"owner": entry.owner, "protected": entry.protected, "aces": [item.sddl() for item in entry.aces]}
            for path, entry in sorted(self.entries.items())
        }


def _canonical(entry: Ace) -> int:
    """Explicit before inherited, denials before grants."""
    return (2 if "ID" in entry.flags else 0) + (0 if entry.deny else 1)


def parse_sddl(text: str, machine_sid: str) -> tuple[bool, list[Ace]]:
    """(protected, explicit entries) of ``D:PAI(...)``. Raises ValueError."""
    if not text.startswith("D:"):
        raise ValueError(text)
    head, _unused, rest = text[2:].partition("(")
    aces = []
    names = {abbreviation: sid for sid, abbreviation in _SDDL_SIDS.items()} | {"LA": f"{machine_sid}-500"}
    rights = {abbreviation: mask for mask, abbreviation in _SDDL_RIGHTS.items()}
    for part in rest.rstrip().rstrip(")").split(")(") if rest else []:
        fields = part.split(";")
        if len(fields) != 6 or fields[0] not in ("A", "D"):
            raise ValueError(part)
        mask = rights.get(fields[2])
        entry = ace(names.get(fields[5], fields[5]), int(fields[2], 16) if mask is None else mask, fields[1],
                    fields[0] == "D")  # fmt: skip
        if "ID" not in entry.flags:
            aces.append(entry)
    return "P" in head, aces
