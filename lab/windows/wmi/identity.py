# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_UserAccount, Win32_Group, Win32_SystemAccount, Win32_Account, Win32_SID.

Source: Microsoft's class pages; names are in the host's language, SIDs are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.windows.wmi.classes import WmiClass, register
from lab.windows.wmi.shares import binary
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
            **_account(host, host.plan.authority, account.name, account.sid, 1), "AccountType": 512,
            "Description": account.description, "Disabled": account.disabled, "FullName": account.full_name,
            "Lockout": False, "PasswordChangeable": True, "PasswordExpires": False, "PasswordRequired": True,
            "Status": "Degraded" if account.disabled else "OK",
        }  # fmt: skip
    for row in _of_domain(host, 1):
        yield {**row, "AccountType": 512, "Disabled": False, "FullName": "", "Lockout": False, "PasswordChangeable": True,
               "PasswordExpires": False, "PasswordRequired": True}  # fmt: skip


def _of_domain(host: Host, kind: int) -> Iterator[Row]:
    """The domain's users (1) or groups (2), which WMI lists after the host's own; computer accounts are no users for it."""
    domain = host.accounts.domain
    for sid, name, found in domain.principals() if domain else ():
        if found == kind and not name.endswith("$") and host.accounts.by_sid(sid) is None:
            yield {**_account(host, domain.netbios if domain else "", name, sid, kind), "LocalAccount": False}


def _groups(host: Host) -> Iterator[Row]:
    for sid, name in host.accounts.groups():
        yield _account(host, host.plan.computer_name, name, sid, 4)
    yield from _of_domain(host, 2)


def _system_accounts(host: Host) -> Iterator[Row]:
    for sid, _unused, name in host.accounts.system_accounts():
        yield _account(host, host.plan.computer_name, name, sid, 5)


def _accounts(host: Host) -> Iterator[Row]:
    for rows in (_users, _groups, _system_accounts):
        for row in rows(host):
            yield {name: row[name] for name in _account(host, "", "", "", 0)}


def _sid(host: Host, keys: dict[str, str]) -> Row | None:
    """Win32_SID answers for every well-formed SID; one that nobody has gets empty names."""
    sid = keys["sid"].upper()
    parts = host.accounts.parts_of(sid)
    try:
        data = binary(sid)
    except (ValueError, IndexError, OverflowError):
        return None
    return {
        "AccountName": parts[1] if parts else "", "BinaryRepresentation": data,
        "ReferencedDomainName": parts[0] if parts else "", "SID": sid, "SidLength": len(data),
    }  # fmt: skip


register(WmiClass("Win32_UserAccount", ("Domain", "Name"), _users))
register(WmiClass("Win32_Group", ("Domain", "Name"), _groups))
register(WmiClass("Win32_SystemAccount", ("Domain", "Name"), _system_accounts))
register(WmiClass("Win32_Account", ("Domain", "Name"), _accounts))
register(WmiClass("Win32_SID", ("SID",), None, _sid))
