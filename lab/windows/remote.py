# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a program is for another computer.

A program under WinRM is nobody there (facts/windows.md 1.5). One that runs as LocalSystem on a member of a domain is the
computer's account, DOMAIN\\HOST$ (Microsoft, "LocalSystem Account"); outside a domain it is anonymous.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from lab.windows import acl
from lab.windows.accounts import ADMINISTRATORS, AUTHENTICATED, EVERYONE, SYSTEM, USERS
from lab.windows.files import WindowsPathError

if TYPE_CHECKING:
    from lab.windows.host import Host, Share

#: Whether what runs now runs as LocalSystem and not under WinRM.
AS_SYSTEM: ContextVar[bool] = ContextVar("AS_SYSTEM", default=False)
_NETWORK, _COMPUTERS = "S-1-5-2", 515


def may_read(host: Host, other: Host, share: Share, path: str) -> bool:
    """Whether what runs now on a host may read this path, as the other host names it, through a share there."""
    if share.anonymous:
        return True
    domain = host.dfs.domain
    if not AS_SYSTEM.get() or domain is None or other.dfs.domain is not domain:
        return False
    token = {
        EVERYONE,
        AUTHENTICATED,
        USERS,
        _NETWORK,
        f"{domain.sid}-{_COMPUTERS}",
        domain.computer_sid(host.plan.computer_name),
    }
    if other is host:
        token |= {SYSTEM, ADMINISTRATORS}
    if not any(sid in token for sid, _unused in share.grants):
        return False
    try:
        return other.drive.find(path) is None or other.acls.allows(path, token, acl.READ)
    except WindowsPathError:
        return True
