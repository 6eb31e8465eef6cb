# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_Service and Win32_DependentService.

Source: Microsoft's pages of the class and of each method (return values); State and StartMode are words of the MOF,
English in every language.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lab.windows.services import Service, start_mode
from lab.windows.wmi.classes import Arguments, WmiClass, method, register
from lab.windows.wmi.values import Reference, Row

if TYPE_CHECKING:
    from lab.windows.host import Host

# Windows error: return value of the methods.
_RETURNS = {
    0: 0, 5: 2, 1051: 3, 1052: 4, 1061: 5, 1062: 6, 1053: 7, 2: 9, 3: 9, 1056: 10, 1055: 11, 1068: 13, 1058: 14,
    1069: 15, 1072: 16, 1059: 18, 1078: 19, 1213: 20, 87: 21, 1057: 22, 1073: 23,
}  # fmt: skip
_PARAMETERS = (
    "DisplayName", "PathName", "ServiceType", "ErrorControl", "StartMode", "DesktopInteract", "StartName",
    "StartPassword", "LoadOrderGroup", "LoadOrderGroupDependencies", "ServiceDependencies",
)  # fmt: skip
_ERROR_CONTROL = {"0": "Ignore", "1": "Normal", "2": "Severe", "3": "Critical"}


def returned(code: int) -> dict[str, Any]:
    """The output of a method for a Windows error; 8 (unknown failure) for what the page does not list."""
    return {"ReturnValue": _RETURNS.get(code, 8)}


def _row(host: Host, service: Service) -> Row:
    running = service.state == "Running"
    row: Row = {
        "AcceptPause": False, "AcceptStop": running, "Caption": service.display,
        "CheckPoint": 1 if service.state.endswith("Pending") else 0, "CreationClassName": "Win32_Service",
        "Description": service.description or None, "DesktopInteract": service.desktop, "DisplayName": service.display,
        "ErrorControl": service.error_control, "ExitCode": service.exit_code, "InstallDate": None, "Name": service.name,
        "PathName": service.path, "ProcessId": service.pid, "ServiceSpecificExitCode": service.specific,
        "ServiceType": "Own Process" if service.own_process else "Share Process",
        "Started": service.state != "Stopped", "StartMode": service.start_mode, "StartName": service.account,
        "State": service.state, "Status": "OK", "SystemCreationClassName": "Win32_ComputerSystem",
        "SystemName": host.plan.computer_name, "TagId": 0, "WaitHint": 20000 if service.state.endswith("Pending") else 0,
    }  # fmt: skip
    if not host.plan.version.startswith("6."):
        row["DelayedAutoStart"] = service.delayed
    return row


def _rows(host: Host) -> Iterator[Row]:
    for service in host.scm.services.values():
        yield _row(host, service)


def _find(host: Host, keys: dict[str, str]) -> Row | None:
    service = host.scm.get(keys["name"])
    return _row(host, service) if service else None


SERVICE = register(WmiClass("Win32_Service", ("Name",), _rows, _find))


def _dependents(host: Host) -> Iterator[Row]:
    for service in host.scm.services.values():
        for name in service.depends:
            needed = host.scm.get(name)
            if needed:
                yield {
                    "Antecedent": Reference("root/cimv2", "Win32_Service", (("Name", needed.name),)),
                    "Dependent": Reference("root/cimv2", "Win32_Service", (("Name", service.name),)),
                    "TypeOfDependency": None,
                }


register(WmiClass("Win32_DependentService", ("Antecedent", "Dependent"), _dependents))


@method(SERVICE, "StartService")
async def _start(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    return returned(host.scm.start(row["Name"]))


@method(SERVICE, "StopService")
async def _stop(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    return returned(host.scm.stop(row["Name"]))


@method(SERVICE, "PauseService")
async def _pause(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    return returned(1062 if row["State"] == "Stopped" else 1052)


@method(SERVICE, "ResumeService")
async def _resume(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    return returned(1062 if row["State"] == "Stopped" else 1052)


@method(SERVICE, "InterrogateService")
async def _interrogate(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    return returned(1062 if row["State"] == "Stopped" else 0)


@method(SERVICE, "ChangeStartMode", "StartMode")
async def _change_start_mode(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    mode = start_mode(str(arguments.get("StartMode", "")))
    return returned(87 if mode is None else host.scm.change(row["Name"], start_mode=mode))


def _changes(arguments: Arguments) -> dict[str, Any] | None:
    """The SCM's names for what the arguments give; None when one is not valid."""
    changes: dict[str, Any] = {}
    if "StartMode" in arguments:
        changes["start_mode"] = start_mode(str(arguments["StartMode"]))
        if changes["start_mode"] is None:
            return None
    if "ErrorControl" in arguments:
        changes["error_control"] = _ERROR_CONTROL.get(str(arguments["ErrorControl"]))
        if changes["error_control"] is None:
            return None
    for name, key in (("DisplayName", "display"), ("PathName", "path"), ("StartName", "account"),
                      ("StartPassword", "password")):  # fmt: skip
        if name in arguments:
            changes[key] = arguments[name]
    if "DesktopInteract" in arguments:
        changes["desktop"] = str(arguments["DesktopInteract"]).lower() in ("true", "1")
    if "ServiceDependencies" in arguments:
        given = arguments["ServiceDependencies"]
        changes["depends"] = [given] if isinstance(given, str) else list(given)
    return changes


@method(SERVICE, "Change", *_PARAMETERS)
async def _change(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    changes = _changes(arguments)
    if changes is None:
        return returned(87)
    if changes.get("desktop") and str(changes.get("account", row["StartName"])).lower() not in ("", "localsystem"):
        return returned(87)
    return returned(host.scm.change(row["Name"], **changes))


@method(SERVICE, "Create", "Name", *_PARAMETERS, static=True)
async def _create(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    name = str(arguments.get("Name") or "")
    if not name or "/" in name or "\\" in name or len(name) > 256:
        return returned(1213)
    changes = _changes(arguments)
    if changes is None or not arguments.get("PathName"):
        return returned(87)
    display = str(changes.get("display") or name)
    if any(item.display.lower() == display.lower() for item in host.scm.services.values()) and not host.scm.get(name):
        return returned(1078)
    service = Service(name, display, str(arguments["PathName"]), start_mode=changes.get("start_mode") or "Manual")
    for key, value in changes.items():
        setattr(service, key, value)
    service.account = str(changes.get("account") or "LocalSystem")
    return returned(host.scm.create(service))


@method(SERVICE, "Delete")
async def _delete(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    return returned(host.scm.delete(row["Name"]))
