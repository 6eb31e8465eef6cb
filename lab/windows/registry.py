# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of a host: stored keys, and the services' keys made from the SCM's state."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from lab.windows.inventory import registry as initial_keys

if TYPE_CHECKING:
    from lab.windows.host import Host
    from lab.windows.services import Service

Values = dict[str, tuple[str, Any]]
HIVES = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER", "HKCR": "HKEY_CLASSES_ROOT", "HKU": "HKEY_USERS",
         "HKCC": "HKEY_CURRENT_CONFIG"}  # fmt: skip
_SERVICES = "hklm\\system\\currentcontrolset\\services"
_START = {"Boot": 0, "System": 1, "Auto": 2, "Manual": 3, "Disabled": 4}
_ERROR_CONTROL = {"Ignore": 0, "Normal": 1, "Severe": 2, "Critical": 3}


def short(path: str) -> str | None:
    """A key's path with the short name of its hive, without a backslash at the end; None for an unknown hive."""
    hive, _unused, rest = path.strip("\\").partition("\\")
    for name, full in HIVES.items():
        if hive.upper() in (name, full):
            return f"{name}\\{rest}".rstrip("\\")
    return None


class Registry:
    """Keys by path; case does not count."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._keys: dict[str, tuple[str, Values]] = {}
        for path, values in initial_keys(host).items():
            self.create(path).update(values)

    def create(self, path: str) -> Values:
        """The values of a key, made with its parents when it is absent."""
        parts = path.split("\\")
        for index in range(1, len(parts) + 1):
            here = "\\".join(parts[:index])
            self._keys.setdefault(here.lower(), (here, {}))
        return self._keys[path.lower()][1]

    def _service(self, low: str) -> Service | None:
        head, _unused, name = low.rpartition("\\")
        return self._host.scm.get(name) if head == _SERVICES else None

    def values(self, path: str) -> Values | None:
        """The values of a key; None when there is no such key."""
        low = path.lower()
        service = self._service(low)
        if service:
            return _service_values(service) | (self._keys[low][1] if low in self._keys else {})
        if low in self._keys:
            return self._keys[low][1]
        return {} if _SERVICES.startswith(low + "\\") or low in (_SERVICES, "hklm", "hkcu", "hkcr", "hku") else None

    def set(self, path: str, name: str, kind: str, value: Any) -> None:
        """Write a value. Of a service's own values those that the SCM reads act on the service."""
        service = self._service(path.lower())
        own = {"objectname": "account", "imagepath": "path", "displayname": "display", "description": "description"}
        if service and name.lower() in own:
            setattr(service, own[name.lower()], str(value))
        elif service and name.lower() == "start":
            service.start_mode = next((word for word, code in _START.items() if code == value), service.start_mode)
        else:
            values = self.create(path)
            existing = next((key for key in values if key.lower() == name.lower()), name)
            values[existing] = (kind, value)

    def delete(self, path: str, name: str | None = None) -> bool:
        """Remove a value, or a key with all below; False when it was not there."""
        low = path.lower()
        if name is not None:
            values = self._keys.get(low, ("", {}))[1]
            existing = next((key for key in values if key.lower() == name.lower()), None)
            if existing is None:
                return False
            del values[existing]
            return True
        doomed = [key for key in self._keys if key == low or key.startswith(low + "\\")]
        for key in doomed:
            del self._keys[key]
        return bool(doomed)

    def subkeys(self, path: str) -> list[str]:
        """Names of the keys just below."""
        low = path.lower()
        names = {}
        for key, (real, _unused) in self._keys.items():
            if key.startswith(low + "\\") and "\\" not in key[len(low) + 1 :]:
                names[key] = real.rpartition("\\")[2]
        if low == _SERVICES:
            for service in self._host.scm.services.values():
                names.setdefault(f"{low}\\{service.name.lower()}", service.name)
        elif _SERVICES.startswith(low + "\\"):
            part = ["SYSTEM", "CurrentControlSet", "Services"][low.count("\\")]
            names.setdefault(f"{low}\\{part.lower()}", part)
        return [names[key] for key in sorted(names)]

    def dump(self) -> dict[str, dict[str, list[Any]]]:
        """For comparison: the stored keys that have values."""
        return {real: {name: [value[0], value[1].hex() if isinstance(value[1], bytes) else value[1]] for name, value in values.items()}
                for real, values in self._keys.values() if values}  # fmt: skip


def _service_values(service: Service) -> Values:
    values: Values = {
        "DisplayName": ("REG_SZ", service.display),
        "ImagePath": ("REG_EXPAND_SZ", service.path),
        "ObjectName": ("REG_SZ", service.account),
        "Start": ("REG_DWORD", _START[service.start_mode]),
        "Type": ("REG_DWORD", 0x10 if service.own_process else 0x20),
        "ErrorControl": ("REG_DWORD", _ERROR_CONTROL[service.error_control]),
    }
    if service.description:
        values["Description"] = ("REG_SZ", service.description)
    if service.depends:
        values["DependOnService"] = ("REG_MULTI_SZ", list(service.depends))
    if service.delayed:
        values["DelayedAutostart"] = ("REG_DWORD", 1)
    if service.failure:
        values["FailureActions"] = ("REG_BINARY", _failure_actions(service))
        for key, name in (("reboot", "RebootMessage"), ("command", "FailureCommand")):
            if service.failure.get(key):
                values[name] = ("REG_SZ", str(service.failure[key]))
    return values


def _failure_actions(service: Service) -> bytes:
    """SERVICE_FAILURE_ACTIONS as the SCM keeps it (winsvc.h; exported .reg files agree).

    Five 32-bit words (reset, flags of two texts, count, offset 0x14), then type (0 none, 1 restart, 2 reboot, 3 run)
    and delay of each action.
    """
    failure = service.failure
    reset = str(failure.get("reset", 0))
    seconds = 0xFFFFFFFF if reset.upper() == "INFINITE" else int(reset)
    actions = failure.get("actions", [])
    head = struct.pack("<5I", seconds, bool(failure.get("reboot")), bool(failure.get("command")), len(actions), 0x14)
    types = {"": 0, "restart": 1, "reboot": 2, "run": 3}
    return head + b"".join(struct.pack("<2I", types[action], delay) for action, delay in actions)
