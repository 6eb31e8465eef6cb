# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that Windows has and the lab does not play: each says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.windows.dfs import NAMESPACE
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.host import Host

_EVERYWHERE = (
    "xcopy", "netstat", "nslookup", "attrib", "sort", "find",
    "forfiles", "cacls", "bcdedit", "systeminfo", "shutdown", "netsh", "msiexec", "regsvr32", "cscript", "wscript",
    "route", "arp", "tracert", "subst", "openfiles", "gpupdate", "gpresult", "setx", "auditpol", "secedit", "bitsadmin",
    "sfc", "vssadmin", "w32tm", "driverquery", "fc", "comp", "expand", "makecab", "compact", "cipher", "winrs",
)  # fmt: skip


async def _refuse(call: Call) -> int:
    raise LabRefusal("this program is not played")


def _with_namespaces(host: Host) -> bool:
    return NAMESPACE in host.dfs.features


def _has_wmic(host: Host) -> bool:
    return host.plan.build < 26100  # not installed by default on Server 2025 (facts/windows.md 2.7)


for _name in _EVERYWHERE:
    program(_name)(_refuse)
program("dfscmd", on=_with_namespaces)(_refuse)
program("wmic", folder=lambda host: "C:\\Windows\\System32\\Wbem", on=_has_wmic)(_refuse)
