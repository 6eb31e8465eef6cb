"""Where OpenERP is on a Windows server, and what Windows knows of it.

Note that this utility is private to the collection.

Sources: OpenERP's own scripts of the server and web setups (setup.nsi of 6.0.3 and 6.0.4): services, folders, keys. A folder is
read from the image path of its service and from nowhere else: the setups remember none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .._windows import files, wsman
from .._windows.errors import WindowsError
from .._windows.quoting import split_image_path
from .._windows.services import Service
from .._windows.session import Session
from .conf import SERVER, WEB, Conf
from .errors import InstallationError

_REG = "C:\\Windows\\System32\\reg.exe"
_UNINSTALL = "Microsoft\\Windows\\CurrentVersion\\Uninstall"
_ROOTS = ("HKLM\\SOFTWARE", "HKLM\\SOFTWARE\\Wow6432Node")
_VALUE = re.compile(r"^\s+(\S.*?)\s+(REG_\w+)\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Kind:
    """One of OpenERP's two programs.

    Attributes:
        name: ``server`` or ``web``.
        service: beginning of its service's name.
        display: of the service.
        wrapper: its service's program, below the folder.
        program: what it runs.
        conf: the file that it reads.
        key: beginning of its key of installed programs.
    """

    name: str
    service: str
    display: str
    wrapper: str
    program: str
    conf: str
    key: str


#: The frozen web client reads doc\openerp-web.cfg; the conf\openerp-web.cfg beside it is read by nobody.
KINDS = {
    SERVER: Kind(
        SERVER,
        "openerp-server",
        "OpenERP Server",
        "service\\OpenERPServerService.exe",
        "openerp-server.exe",
        "openerp-server.conf",
        "OpenERP Server",
    ),
    WEB: Kind(
        WEB,
        "openerp-web",
        "OpenERP Web",
        "service\\OpenERPWebService.exe",
        "openerp-web.exe",
        "doc\\openerp-web.cfg",
        "OpenERP Web Client",
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One program as it is installed.

    Attributes:
        kind: which one.
        service: its service.
        folder: where it is.
    """

    kind: Kind
    service: Service
    folder: str

    @property
    def program(self) -> str:
        """Return the path of the program."""
        return f"{self.folder}\\{self.kind.program}"

    @property
    def conf(self) -> str:
        """Return the path of the file that it reads."""
        return f"{self.folder}\\{self.kind.conf}"


def find_part(found: list[Service], kind: str, name: str | None, host: str) -> Part | None:
    """Return a program by the image path of its service, None where there is none.

    Args:
        found: all services of the host.
        kind: ``server`` or ``web``.
        name: of the service, where a host has several.
        host: for sentences.

    Raises:
        InstallationError: there are several, or the named one is none.
    """
    wanted = KINDS[kind]
    parts = []
    for service in found:
        argv = split_image_path(service.path)
        image = argv[0].replace("/", "\\") if argv else ""
        if image.casefold().endswith(f"\\{wanted.wrapper}".casefold()):
            parts.append(Part(wanted, service, image[: -len(wanted.wrapper) - 1]))
    if name is not None:
        parts = [part for part in parts if part.service.name.casefold() == name.casefold()]
        if not parts:
            raise InstallationError(
                f"{host}: '{name}' is no service of OpenERP's {kind}; 'sc query' shows their short names"
            )
    if len(parts) > 1:
        names = ", ".join(part.service.name for part in parts)
        raise InstallationError(f"{host}: there are several OpenERP services of this kind ({names}); name one")
    return parts[0] if parts else None


def read_conf(session: Session, part: Part) -> Conf:
    """Return the configuration that a program reads.

    Raises:
        InstallationError: the file is not there or cannot be read.
        ConfError: the program could not read it.
    """
    try:
        data = files.read(session, part.conf)
    except WindowsError as error:
        raise InstallationError(str(error)) from None
    return Conf(part.kind.name, data, f"{session.name}: {part.conf}")


def uninstall_key(session: Session, part: Part) -> tuple[str, dict[str, tuple[str, str]]]:
    """Return the registry key of an installed program and name to (type, value); empty where there is none.

    Words of ``reg`` that are looked at are not localized: the beginning of keys, and the names of types.
    """
    number = part.service.name.rpartition("-")[2]
    for root in _ROOTS:
        key = f"{root}\\{_UNINSTALL}\\{part.kind.key} {number}"
        values = registry_values(session, key)
        if values:
            return key, values
    return "", {}


def registry_values(session: Session, key: str) -> dict[str, tuple[str, str]]:
    """Return the values of a key, name to (type, value)."""
    done = session.run([_REG, "query", key])
    found = {}
    for line in done.text.splitlines():
        match = _VALUE.match(line)
        if match is not None:
            found[match[1]] = (match[2], match[3].strip())
    return found


def minor(values: dict[str, tuple[str, str]]) -> int | None:
    """Return VersionMinor, the one value that may tell 6.0.3 from 6.0.4 (DisplayVersion is 6.0 in both)."""
    kind, text = values.get("VersionMinor", ("", ""))
    return int(text, 16) if kind == "REG_DWORD" and text.startswith("0x") else None


def postgresql_registered(session: Session) -> bool:
    """Return whether Windows knows an installed PostgreSQL. Where it knows none, the all-in-one setup deletes PostgreSQL's folder."""
    for root in _ROOTS:
        done = session.run([_REG, "query", f"{root}\\PostgreSQL\\Installations"])
        if any(
            line.strip().upper().startswith("HKEY_") and "\\INSTALLATIONS\\" in line.upper()
            for line in done.text.splitlines()
        ):
            return True
    return False


def put_back_values(session: Session, key: str, values: dict[str, tuple[str, str]]) -> list[str]:
    """Give a key the values that it had, and return the names of those that could not be given."""
    for name, (kind, value) in values.items():
        if kind in ("REG_SZ", "REG_DWORD", "REG_EXPAND_SZ"):
            session.run([_REG, "add", key, "/v", name, "/t", kind, "/d", value, "/f"])
    now = registry_values(session, key)
    return [name for name, value in values.items() if now.get(name) != value]


def processes(session: Session, condition: str) -> list[wsman.Instance]:
    """Return the processes of a condition of WQL."""
    return session.query(f"SELECT ProcessId, Name, ExecutablePath, CommandLine FROM Win32_Process WHERE {condition}")


def end_processes(session: Session, mark: str) -> list[str]:
    """End the programs whose command line names a folder of ours, and return their names: a killed run leaves them behind."""
    ended = []
    for row in processes(session, "CommandLine IS NOT NULL"):
        if mark.casefold() not in wsman.text(row, "CommandLine").casefold():
            continue
        if wsman.text(row, "Name").casefold() in ("cmd.exe", "winrshost.exe"):
            continue
        ended.append(wsman.text(row, "Name"))
        number = wsman.number(row, "ProcessId")
        session.invoke("Win32_Process", "Terminate", {"Reason": "1"}, Handle=str(number))
    return ended


def running_programs(session: Session, part: Part) -> int:
    """Return how many processes run a program of this folder."""
    rows = processes(session, f"Name = {wsman.literal(part.kind.program)}")
    return sum(wsman.text(row, "ExecutablePath").casefold() == part.program.casefold() for row in rows)


def facts(part: Part | None, values: dict[str, tuple[str, str]]) -> dict[str, Any] | None:
    """Return what a module returns of a program."""
    if part is None:
        return None
    return {
        "service": part.service.as_dict(),
        "folder": part.folder,
        "configuration_file": part.conf,
        "registry": {"display_version": values.get("DisplayVersion", ("", ""))[1], "version_minor": minor(values)},
    }
