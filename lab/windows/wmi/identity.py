# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_UserAccount, Win32_Group, Win32_SystemAccount, Win32_Account, Win32_SID, Win32_Share.

Source: Microsoft's class pages; names are in the host's language, SIDs are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lab.windows.files import WindowsPathError
from lab.windows.host import Share
from lab.windows.wmi.classes import Arguments, WmiClass, method, register
from lab.windows.wmi.values import Row

if TYPE_CHECKING:
    from lab.windows.host import Host


def _account(host: Host, domain: str, name: str, sid: str, kind: int) -> Row:
    computer = host.plan.computer_name
    return {
        "Caption": f"{domain or computer}\\{name}", "Description": "", "Domain": domain or computer,
        "InstallDate": None, "LocalAccount": True, "Name": name, "SID": sid, "SIDType": kind, "Status": "OK",
    }  # fmt: skip


def _users(host: Host) -> Iterator[Row]:
    for account in host.accounts.users.values():
        yield {
            **_account(host, host.plan.computer_name, account.name, account.sid, 1), "AccountType": 512,
            "Description": account.description, "Disabled": account.disabled, "FullName": account.full_name,
            "Lockout": False, "PasswordChangeable": True, "PasswordExpires": False, "PasswordRequired": True,
            "Status": "Degraded" if account.disabled else "OK",
        }  # fmt: skip


def _groups(host: Host) -> Iterator[Row]:
    for sid, name in host.accounts.groups():
        yield _account(host, host.plan.computer_name, name, sid, 4)


def _system_accounts(host: Host) -> Iterator[Row]:
    for sid, _unused, name in host.accounts.system_accounts():
        yield _account(host, host.plan.computer_name, name, sid, 5)


def _accounts(host: Host) -> Iterator[Row]:
    for rows in (_users, _groups, _system_accounts):
        for row in rows(host):
            yield {name: row[name] for name in _account(host, "", "", "", 0)}


def _binary(sid: str) -> list[int]:
    parts = [int(part) for part in sid.split("-")[1:]]
    data = bytes([parts[0], len(parts) - 2]) + parts[1].to_bytes(6, "big")
    return list(data + b"".join(part.to_bytes(4, "little") for part in parts[2:]))


def _sid(host: Host, keys: dict[str, str]) -> Row | None:
    """Win32_SID answers for every well-formed SID; one that nobody has gets empty names."""
    sid = keys["sid"].upper()
    parts = host.accounts.parts_of(sid)
    try:
        binary = _binary(sid)
    except (ValueError, IndexError, OverflowError):
        return None
    return {
        "AccountName": parts[1] if parts else "", "BinaryRepresentation": binary,
        "ReferencedDomainName": parts[0] if parts else "", "SID": sid, "SidLength": len(binary),
    }  # fmt: skip


register(WmiClass("Win32_UserAccount", ("Domain", "Name"), _users))
register(WmiClass("Win32_Group", ("Domain", "Name"), _groups))
register(WmiClass("Win32_SystemAccount", ("Domain", "Name"), _system_accounts))
register(WmiClass("Win32_Account", ("Domain", "Name"), _accounts))
register(WmiClass("Win32_SID", ("SID",), None, _sid))


def _shares(host: Host) -> Iterator[Row]:
    for share in host.shares.values():
        yield {
            "AccessMask": None, "AllowMaximum": share.users is None, "Caption": share.remark,
            "Description": share.remark, "InstallDate": None, "MaximumAllowed": share.users, "Name": share.name,
            "Path": share.path, "Status": "OK", "Type": share.kind,
        }  # fmt: skip


SHARE = register(WmiClass("Win32_Share", ("Name",), _shares))


@method(SHARE, "Create", "Path", "Name", "Type", "MaximumAllowed", "Description", "Password", "Access", static=True)
async def _create(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    name = str(arguments.get("Name") or "")
    if not name or set(name) & set('\\/:*?"<>|'):
        return {"ReturnValue": 9}
    if name.lower() in host.shares:
        return {"ReturnValue": 22}
    try:
        path = host.drive.absolute(str(arguments.get("Path") or ""))
        known = host.drive.is_folder(path)
    except WindowsPathError:
        return {"ReturnValue": 24}
    if not known:
        return {"ReturnValue": 24}
    users = arguments.get("MaximumAllowed")
    share = Share(name, path, str(arguments.get("Description") or ""), int(arguments.get("Type") or 0))
    share.users = int(users) if users else None
    host.shares[name.lower()] = share
    return {"ReturnValue": 0}


@method(SHARE, "Delete")
async def _delete(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    del host.shares[str(row["Name"]).lower()]
    return {"ReturnValue": 0}
