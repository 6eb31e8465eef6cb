# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_Share and Win32_LogicalShareSecuritySetting.

Sources: Microsoft's pages of the classes and of Create, SetShareInfo and Delete (return values; without Access, everyone reads),
Win32_SecurityDescriptor, Win32_ACE, Win32_Trustee (SID is an array of bytes); masks of Full, Change and Read (facts/windows.md 2.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lab.windows.accounts import EVERYONE
from lab.windows.files import WindowsPathError
from lab.windows.host import Share
from lab.windows.refusal import LabRefusal
from lab.windows.wmi.classes import Arguments, WmiClass, method, register
from lab.windows.wmi.values import Embedded, Row

if TYPE_CHECKING:
    from lab.windows.host import Host

_OK, _UNKNOWN, _NAME, _PARAMETER, _DUPLICATE, _FOLDER = 0, 8, 9, 21, 22, 24
MASKS = {"FULL": 2032127, "CHANGE": 1245631, "READ": 1179817}
_PRESENT = 0x8004  # SE_SELF_RELATIVE and SE_DACL_PRESENT


def binary(sid: str) -> list[int]:
    """A SID as its bytes ([MS-DTYP] 2.4.2). Raises ValueError, IndexError, OverflowError for what is none."""
    parts = [int(part) for part in sid.split("-")[1:]]
    data = bytes([parts[0], len(parts) - 2]) + parts[1].to_bytes(6, "big")
    return list(data + b"".join(part.to_bytes(4, "little") for part in parts[2:]))


def _text(data: bytes) -> str:
    if len(data) < 8 or len(data) != 8 + 4 * data[1]:
        raise ValueError(data)
    rest = [str(int.from_bytes(data[at : at + 4], "little")) for at in range(8, len(data), 4)]
    return "-".join(["S", str(data[0]), str(int.from_bytes(data[2:8], "big")), *rest])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _trustee(host: Host, trustee: Embedded) -> str | None:
    """The SID of a Win32_Trustee: its bytes, else its text, else the account's name [K: the order]."""
    try:
        if trustee.get("SID") is not None:
            return _text(bytes(int(part) for part in _listed(trustee["SID"])))
        if trustee.get("SIDString"):
            return _text(bytes(binary(str(trustee["SIDString"]))))
    except (ValueError, IndexError, OverflowError):
        return None
    domain, name = trustee.get("Domain"), str(trustee.get("Name") or "")
    return host.accounts.sid_of(f"{domain}\\{name}" if domain else name) if name else None


def _grants(host: Host, access: Any) -> list[tuple[str, str]] | None:
    """(SID, right) of each entry of a Win32_SecurityDescriptor; None for one that is not understood. Raises LabRefusal."""
    if not isinstance(access, Embedded) or access.class_name != "Win32_SecurityDescriptor":
        return None
    entries = _listed(access.get("DACL"))
    if not entries:
        raise LabRefusal("a share's security descriptor without entries in its DACL is not played")
    found = []
    for entry in entries:
        if not isinstance(entry, Embedded) or not isinstance(entry.get("Trustee"), Embedded):
            return None
        sid = _trustee(host, entry["Trustee"])
        right = next((name for name, mask in MASKS.items() if str(mask) == str(entry.get("AccessMask"))), None)
        if right is None or str(entry.get("AceType") or 0) != "0":
            raise LabRefusal(
                f"a share's access of {entry.get('AccessMask')}, type {entry.get('AceType')}, is not played"
            )
        if sid is None:
            return None
        found.append((sid, right))
    return found


def _shares(host: Host) -> Iterator[Row]:
    for share in host.shares.values():
        yield {
            "AccessMask": None, "AllowMaximum": share.users is None, "Caption": share.remark,
            "Description": share.remark, "InstallDate": None, "MaximumAllowed": share.users, "Name": share.name,
            "Path": share.path, "Status": "OK", "Type": share.kind,
        }  # fmt: skip


SHARE = register(WmiClass("Win32_Share", ("Name",), _shares))


def _limit(arguments: Arguments) -> int | None:
    """MaximumAllowed; 4294967295 stands for no limit. Raises ValueError."""
    number = int(arguments.get("MaximumAllowed") or 0)
    return number if 0 < number < 0xFFFFFFFF else None


@method(SHARE, "Create", "Path", "Name", "Type", "MaximumAllowed", "Description", "Password", "Access", static=True)
async def _create(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    name = str(arguments.get("Name") or "")
    if not name or set(name) & set('\\/:*?"<>|') or len(name) > 80:
        return {"ReturnValue": _NAME}
    if name.lower() in host.shares:
        return {"ReturnValue": _DUPLICATE}
    try:
        path = host.drive.absolute(str(arguments.get("Path") or ""))
        known = host.drive.is_folder(path)
    except WindowsPathError:
        return {"ReturnValue": _FOLDER}
    if not known:
        return {"ReturnValue": _FOLDER}
    grants: list[tuple[str, str]] | None = [(EVERYONE, "READ")]
    if arguments.get("Access") is not None:
        grants = _grants(host, arguments["Access"])
    try:
        users, kind = _limit(arguments), int(arguments.get("Type") or 0)
    except ValueError:
        return {"ReturnValue": _PARAMETER}
    if grants is None:
        return {"ReturnValue": _PARAMETER}
    shown = host.drive.true_case(path)
    host.shares[name.lower()] = Share(name, shown, str(arguments.get("Description") or ""), kind, grants, users)
    return {"ReturnValue": _OK}


@method(SHARE, "SetShareInfo", "MaximumAllowed", "Description", "Access")
async def _set_info(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    share = host.shares[str(row["Name"]).lower()]
    grants = _grants(host, arguments["Access"]) if arguments.get("Access") is not None else share.grants
    try:
        users = _limit(arguments) if arguments.get("MaximumAllowed") is not None else share.users
    except ValueError:
        return {"ReturnValue": _PARAMETER}
    if grants is None:
        return {"ReturnValue": _PARAMETER}
    share.grants, share.users = grants, users
    if arguments.get("Description") is not None:
        share.remark = str(arguments["Description"])
    return {"ReturnValue": _OK}


@method(SHARE, "Delete")
async def _delete(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    del host.shares[str(row["Name"]).lower()]
    return {"ReturnValue": _OK}


def _settings(host: Host) -> Iterator[Row]:
    for share in host.shares.values():
        if not share.kind:  # the administrative shares have no setting of their own
            yield {
                "Caption": host.say(f"Paramètre de sécurité de {share.name}", f"Security settings of {share.name}"),
                "ControlFlags": _PRESENT, "Description": share.remark, "Name": share.name, "SettingID": None,
            }  # fmt: skip


SETTING = register(WmiClass("Win32_LogicalShareSecuritySetting", ("Name",), _settings))


def trustee(host: Host, sid: str) -> Embedded:
    """A Win32_Trustee; of a SID that nobody has the name is empty."""
    parts = host.accounts.parts_of(sid)
    data = binary(sid)
    return Embedded("Win32_Trustee", {
        "Domain": (parts[0] or None) if parts else None, "Name": parts[1] if parts else None, "SID": data,
        "SidLength": len(data), "SIDString": sid,
    })  # fmt: skip


@method(SETTING, "GetSecurityDescriptor")
async def _descriptor(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    entries = [
        Embedded("Win32_ACE", {"AccessMask": MASKS[right], "AceFlags": 0, "AceType": 0, "GuidInheritedObjectType": None,
                               "GuidObjectType": None, "Trustee": trustee(host, sid)})
        for sid, right in host.shares[str(row["Name"]).lower()].grants
    ]  # fmt: skip
    descriptor = {"ControlFlags": _PRESENT, "DACL": entries, "Group": None, "Owner": None, "SACL": None}
    return {"Descriptor": Embedded("Win32_SecurityDescriptor", descriptor), "ReturnValue": _OK}


@method(SETTING, "SetSecurityDescriptor", "Descriptor")
async def _set_descriptor(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    grants = _grants(host, arguments.get("Descriptor"))
    if grants is None:
        return {"ReturnValue": _PARAMETER}
    host.shares[str(row["Name"]).lower()].grants = grants
    return {"ReturnValue": _OK}
