"""What a Windows host is, and what it can do: facts by WMI, and a probe of what nobody could verify beforehand.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import re
from typing import Any

from . import wsman
from .errors import FaultError, NotFoundError
from .files import exists, file_hash
from .result import OEM_CODE_PAGE, UTF8_CODE_PAGE
from .services import services
from .session import Session

_SYSTEM32 = "C:\\Windows\\System32"
#: Language numbers of Windows ([MS-LCID]) that a French school meets.
LANGUAGES = {1036: "fr", 1033: "en", 2060: "fr", 3084: "fr", 4108: "fr", 2057: "en", 1031: "de", 3082: "es", 1040: "it"}
_ROLES = ("workstation", "workstation", "server", "server", "domain controller", "domain controller")
#: Programs that later jobs choose between, by where Windows keeps them.
TOOLS = {
    "certutil": f"{_SYSTEM32}\\certutil.exe",
    "dfsradmin": "C:\\Windows\\dfsradmin.exe",
    "dfsrdiag": f"{_SYSTEM32}\\dfsrdiag.exe",
    "dfsutil": f"{_SYSTEM32}\\dfsutil.exe",
    "dism": f"{_SYSTEM32}\\dism.exe",
    "icacls": f"{_SYSTEM32}\\icacls.exe",
    "powershell": f"{_SYSTEM32}\\WindowsPowerShell\\v1.0\\powershell.exe",
    "robocopy": f"{_SYSTEM32}\\robocopy.exe",
    "schtasks": f"{_SYSTEM32}\\schtasks.exe",
    "servermanagercmd": f"{_SYSTEM32}\\ServerManagerCmd.exe",
    "wevtutil": f"{_SYSTEM32}\\wevtutil.exe",
    "wmic": f"{_SYSTEM32}\\wbem\\WMIC.exe",
}
_DFS = "root/microsoftdfs"
_MARK = "lycee-probe"


def address_width(session: Session) -> int:
    """Return the bits of the running Windows, 0 where it does not tell.

    Raises:
        WindowsError: one of its kinds.
    """
    # The processor's own width is that of the running system: 32 on a 64-bit processor under 32-bit Windows.
    processors = session.query("SELECT AddressWidth FROM Win32_Processor")
    return max((wsman.number(row, "AddressWidth") or 0 for row in processors), default=0)


def system(session: Session) -> dict[str, Any]:
    """Return version, language, bitness and names, as ``windows_info`` documents them.

    Raises:
        WindowsError: one of its kinds.
    """
    # SELECT *: early builds of NT 6.0 know fewer properties, and one that is not known fails a whole query.
    windows = session.one_row("SELECT * FROM Win32_OperatingSystem")
    computer = session.one_row("SELECT * FROM Win32_ComputerSystem")
    language = wsman.number(windows, "OSLanguage") or 0
    width = address_width(session)
    role = wsman.number(computer, "DomainRole") or 0
    return {
        "version": wsman.text(windows, "Version"),
        "product": wsman.text(windows, "Caption").strip(),
        "service_pack": wsman.number(windows, "ServicePackMajorVersion") or 0,
        "language": LANGUAGES.get(language, ""),
        "language_id": language,
        "ansi_code_page": wsman.text(windows, "CodeSet"),
        "shell_code_page": session.code_page,
        "bitness": width,
        "computer_name": wsman.text(computer, "Name"),
        "domain": wsman.text(computer, "Domain"),
        "domain_member": wsman.text(computer, "PartOfDomain").casefold() == "true",
        "domain_role": _ROLES[role] if 0 <= role < len(_ROLES) else "",
        "last_boot": cim_datetime(wsman.text(windows, "LastBootUpTime")),
    }


def cim_datetime(text: str) -> str:
    """Return a time of WMI as ISO 8601: ``20261124083000.500000+060`` or what WS-Man makes of it, to the second."""
    match = re.match(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.\d+([+-])(\d{3})$", text)
    if match is None:
        return text
    hours, minutes = divmod(int(match[8]), 60)
    return f"{match[1]}-{match[2]}-{match[3]}T{match[4]}:{match[5]}:{match[6]}{match[7]}{hours:02d}:{minutes:02d}"


def roles(session: Session) -> list[dict[str, Any]]:
    """Return the installed roles and features by number and name; empty where Windows has no such class.

    Raises:
        WindowsError: one of its kinds.
    """
    try:
        rows = session.query("SELECT ID, Name FROM Win32_ServerFeature")
    except NotFoundError:
        return []
    found = [{"id": wsman.number(row, "ID") or 0, "name": wsman.text(row, "Name")} for row in rows]
    return sorted(found, key=lambda one: int(str(one["id"])))


def disks(session: Session) -> list[dict[str, Any]]:
    """Return the local disks by letter, sizes in bytes.

    Raises:
        WindowsError: one of its kinds.
    """
    rows = session.query("SELECT DeviceID, FileSystem, Size, FreeSpace FROM Win32_LogicalDisk WHERE DriveType = 3")
    return [
        {
            "letter": wsman.text(row, "DeviceID"),
            "file_system": wsman.text(row, "FileSystem"),
            "size": wsman.number(row, "Size") or 0,
            "free": wsman.number(row, "FreeSpace") or 0,
        }
        for row in sorted(rows, key=lambda one: wsman.text(one, "DeviceID"))
    ]


def all_services(session: Session) -> list[dict[str, object]]:
    """Return the services, by name.

    Raises:
        WindowsError: one of its kinds.
    """
    return [one.as_dict() for one in services(session)]


def probe(session: Session) -> dict[str, Any]:
    """Try on this host what no source could tell, and return each answer.

    Raises:
        WindowsError: the host cannot be asked at all.
    """
    present = tools(session)
    return {
        "skip_cmd_shell": _skips_cmd(session),
        "code_page_65001": _answers_in(session, UTF8_CODE_PAGE),
        "code_page_850": _answers_in(session, OEM_CODE_PAGE),
        "exit_code_of_silent_command": _keeps_exit_code(session),
        "microsoftdfs": _serves_dfs(session),
        "dfs_event_log": _has_event_log(session, "DFS Replication"),
        "os_architecture": _names_architecture(session),
        "certutil_sha256": present["certutil"] and len(file_hash(session, TOOLS["certutil"])) == 64,
        "tools": present,
    }


def tools(session: Session) -> dict[str, bool]:
    """Return which of ``TOOLS`` the host has.

    Raises:
        WindowsError: one of its kinds.
    """
    return {name: exists(session, path) for name, path in TOOLS.items()}


def _skips_cmd(session: Session) -> bool:
    """``echo`` is a word of cmd.exe and no program: it answers only where cmd.exe reads the line."""
    try:
        answer = session.run_builtin_as_program(f"echo {_MARK}")
    except (FaultError, NotFoundError):
        return True
    return _MARK not in answer.text


def _answers_in(session: Session, code_page: int) -> bool:
    """Whether a batch file says anything at all in a shell of this code page."""
    file = f"C:\\Windows\\Temp\\{_MARK}.cmd"
    try:
        return _MARK in session.run_in(code_page, f"echo @echo {_MARK}> {file} & call {file} & del {file}").text
    except FaultError:
        return False


def _keeps_exit_code(session: Session) -> bool:
    """Whether a command that says nothing still reports its exit code (WinRb/WinRM#154)."""
    return session.run_line("exit 100").rc == 100


def _has_event_log(session: Session, name: str) -> bool:
    """Whether there is an event log of this name; on French Windows nobody has verified that it keeps its name."""
    key = f"HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\{name}"
    done = session.run([f"{_SYSTEM32}\\reg.exe", "query", key])
    return done.rc == 0 and name in done.text


def _names_architecture(session: Session) -> bool:
    """Whether Win32_OperatingSystem has OSArchitecture, which early builds of NT 6.0 may lack."""
    rows = session.query("SELECT * FROM Win32_OperatingSystem")
    return any("OSArchitecture" in row for row in rows)


def _serves_dfs(session: Session) -> bool:
    try:
        session.query("SELECT ReplicationGroupName FROM DfsrReplicationGroupConfig", _DFS)
    except NotFoundError:
        return False
    return True
