"""Roles and features of Windows Server: ServerManagerCmd up to 2008 R2, dism later, read back by number.

Note that this utility is private to the collection.

The names are those of Server Manager; Win32_ServerFeature knows the same features by numbers ("Win32_ServerFeature class" in
Microsoft's documentation), with names in the language of Windows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import services, wsman
from .errors import NotFoundError, OptionError, StateError
from .session import Session

_SYSTEM32 = "C:\\Windows\\System32"
_SERVER_MANAGER = f"{_SYSTEM32}\\ServerManagerCmd.exe"
_DISM = f"{_SYSTEM32}\\dism.exe"
#: The first version of Windows without ServerManagerCmd: Server 2012.
_DISM_VERSION = (6, 2)
#: Seconds that an installation may take.
_TIMEOUT = 3600.0
_DONE, _RESTART, _NOTHING = 0, 3010, 1003
#: "Interpreting Output from Server Manager Commands" (cc733119).
_SERVER_MANAGER_CODES = {
    4: "it does not know a name; does this edition of Windows have the feature?",
    5: "the account is no administrator of the host",
    110: "it cannot read its answer file",
    1004: "a wizard of Server Manager is open on the host; close it and run again",
}
_DISM_CODES = {
    87: "it does not know an option; is it the dism of another version of Windows?",
    740: "the account has no elevated rights on the host",
    0x800F080C: "it does not know a name; does this edition of Windows have the feature?",
    0x800F0906: "it does not find the files of the feature; they have to come from the installation medium",
    0x800F081F: "it does not find the files of the feature; they have to come from the installation medium",
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature.

    Attributes:
        number: the ID of Win32_ServerFeature.
        dism: its name for dism; empty when it is none there.
        service: the service that it brings; empty when it brings none.
    """

    number: int
    dism: str
    service: str = ""


FEATURES = {
    "FS-FileServer": Feature(255, "CoreFileServer"),
    "FS-DFS": Feature(100, ""),
    "FS-DFS-Namespace": Feature(101, "DFSN-Server", "Dfs"),
    "FS-DFS-Replication": Feature(102, "DFSR-Infrastructure-ServerEdition", "DFSR"),
    "RSAT-DFS-Mgmt-Con": Feature(278, "DfsMgmt"),
}


def installed(session: Session) -> dict[str, bool]:
    """Return name to whether it is there, of ``FEATURES``; one that the host has no way to tell is left out.

    Raises:
        WindowsError: one of its kinds.
    """
    try:
        numbers = {wsman.number(row, "ID") for row in session.query("SELECT ID FROM Win32_ServerFeature")}
    except NotFoundError:
        names = {one.name.casefold() for one in services.services(session)}
        return {name: one.service.casefold() in names for name, one in FEATURES.items() if one.service}
    return {name: one.number in numbers for name, one in FEATURES.items()}


def command(name: str, version: tuple[int, ...]) -> list[str]:
    """Return the command that installs a feature on this version of Windows, without a restart.

    Raises:
        OptionError: the feature has no name there.
    """
    if version < _DISM_VERSION:
        return [_SERVER_MANAGER, "-install", name]
    known = FEATURES[name].dism
    if not known:
        raise OptionError(
            f"{name} is a feature of Server 2008 and 2008 R2 only; name FS-DFS-Namespace and FS-DFS-Replication"
        )
    return [_DISM, "/online", "/enable-feature", f"/featurename:{known}", "/all", "/norestart", "/quiet"]


def explain(rc: int, version: tuple[int, ...]) -> str:
    """Return what an exit code of the installing program means."""
    codes = _SERVER_MANAGER_CODES if version < _DISM_VERSION else _DISM_CODES
    return codes.get(rc & 0xFFFFFFFF, f"it ended with {rc}")


def manage_features(
    session: Session, arguments: Mapping[str, Any], *, check: bool, step: Callable[[str], None] = lambda name: None
) -> dict[str, Any]:
    """Install what ``windows_feature`` documents and return its result. The host is never restarted.

    Raises:
        WindowsError: one of its kinds.
    """
    names = list(dict.fromkeys(arguments["names"]))
    before = installed(session)
    untold = [name for name in names if name not in before]
    if untold:
        raise StateError(
            f"{session.name}: Windows does not tell whether {', '.join(untold)} is installed (no Win32_ServerFeature); is it a server?"
        )
    missing = [name for name in names if not before[name]]
    result: dict[str, Any] = {
        "changed": bool(missing),
        "reboot_required": False,
        "installed": [name for name in names if before[name]],
        "diff": {
            "before": {"missing": missing} if missing else {},
            "after": {"missing": []} if missing else {},
        },
    }
    commands = {name: command(name, session.version) for name in missing}
    if not missing or check:
        return result
    codes = {}
    for name, argv in commands.items():
        step(f"install {name}")
        codes[name] = _install(session, name, argv)
    after = installed(session)
    left = [name for name in missing if not after.get(name)]
    # What is installed and waits for a restart is no more to do, and not there yet.
    waiting = _RESTART in codes.values() or any(codes[name] == _NOTHING for name in left)
    if left and not waiting:
        raise StateError(
            f"{session.name}: {', '.join(left)} is not there after the installation; restart the host and run again"
        )
    return {
        **result,
        "changed": len(left) < len(missing) or set(codes.values()) != {_NOTHING},
        "reboot_required": waiting,
        "installed": [name for name in names if after.get(name)],
    }


def _install(session: Session, name: str, argv: list[str]) -> int:
    """Run the installing program and return its code, one of the three that are no failure."""
    done = session.run(argv, timeout=_TIMEOUT)
    if done.rc not in (_DONE, _RESTART, _NOTHING):
        program = argv[0].rpartition("\\")[2]
        raise StateError(
            f"{session.name}: {program} cannot install {name}: {explain(done.rc, session.version)} "
            f"({done.said[-200:] or 'it said nothing'})"
        )
    return done.rc
