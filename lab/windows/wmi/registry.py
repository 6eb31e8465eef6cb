# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StdRegProv in root/default: reading the registry.

Source: Microsoft's page of the class; return values are Windows' errors (0, 2 not found, 1 wrong type as seen [K]).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.windows.registry import short
from lab.windows.wmi.classes import Arguments, WmiClass, method, register
from lab.windows.wmi.values import Row

if TYPE_CHECKING:
    from lab.windows.host import Host

_HIVES = {"2147483648": "HKCR", "2147483649": "HKCU", "2147483650": "HKLM", "2147483651": "HKU", "2147483653": "HKCC"}
_TYPES = {"REG_SZ": 1, "REG_EXPAND_SZ": 2, "REG_BINARY": 3, "REG_DWORD": 4, "REG_MULTI_SZ": 7}

REGISTRY = register(WmiClass("StdRegProv", (), None, None, namespace="root/default", singleton=True))


def _path(arguments: Arguments) -> str | None:
    hive = _HIVES.get(str(arguments.get("hDefKey", "2147483650")))
    return short(f"{hive}\\{arguments.get('sSubKeyName', '')}") if hive else None


def _value(host: Host, arguments: Arguments, output: str, *kinds: str) -> dict[str, Any]:
    path = _path(arguments)
    values = host.registry.values(path) if path else None
    if values is None:
        return {"ReturnValue": 2, output: None}
    wanted = str(arguments.get("sValueName", "")).lower()
    found = next((value for name, value in values.items() if name.lower() == wanted), None)
    if found is None:
        return {"ReturnValue": 1, output: None}
    if found[0] not in kinds:
        return {"ReturnValue": 2147749893, output: None}
    value = found[1]
    if output == "sValue" and kinds == ("REG_EXPAND_SZ",):
        for name, expansion in (("%systemroot%", "C:\\Windows"), ("%programfiles%", "C:\\Program Files")):
            at = value.lower().find(name)
            value = value if at < 0 else value[:at] + expansion + value[at + len(name) :]
    return {"ReturnValue": 0, output: value}


@method(REGISTRY, "GetStringValue", "hDefKey", "sSubKeyName", "sValueName", static=True)
async def _string(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    return _value(host, arguments, "sValue", "REG_SZ", "REG_EXPAND_SZ")


@method(REGISTRY, "GetExpandedStringValue", "hDefKey", "sSubKeyName", "sValueName", static=True)
async def _expanded(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    return _value(host, arguments, "sValue", "REG_EXPAND_SZ")


@method(REGISTRY, "GetMultiStringValue", "hDefKey", "sSubKeyName", "sValueName", static=True)
async def _multi(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    return _value(host, arguments, "sValue", "REG_MULTI_SZ")


@method(REGISTRY, "GetDWORDValue", "hDefKey", "sSubKeyName", "sValueName", static=True)
async def _dword(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    return _value(host, arguments, "uValue", "REG_DWORD")


@method(REGISTRY, "EnumKey", "hDefKey", "sSubKeyName", static=True)
async def _enum_key(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    path = _path(arguments)
    if path is None or host.registry.values(path) is None:
        return {"ReturnValue": 2, "sNames": None}
    return {"ReturnValue": 0, "sNames": host.registry.subkeys(path)}


@method(REGISTRY, "EnumValues", "hDefKey", "sSubKeyName", static=True)
async def _enum_values(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    path = _path(arguments)
    values = host.registry.values(path) if path else None
    if values is None:
        return {"ReturnValue": 2, "sNames": None, "Types": None}
    return {"ReturnValue": 0, "sNames": list(values), "Types": [_TYPES[kind] for kind, _unused in values.values()]}
