# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_PingStatus: one echo request for each query that names an address.

Source: Microsoft's page of the class: StatusCode 0 success, 11010 request timed out, empty when the address does not resolve
(PrimaryAddressResolutionStatus is then not 0). The time of a request that is not answered does not pass in the lab.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.windows.wmi.classes import WmiClass, register
from lab.windows.wmi.values import Row

if TYPE_CHECKING:
    from lab.windows.host import Host

_TIMED_OUT, _NO_HOST = 11010, 11001
_SELF = ("localhost", "127.0.0.1", "::1")


def _number(keys: dict[str, str], name: str, default: int) -> int:
    text = keys.get(name, "")
    return int(text) if text.isdigit() else default


def _status(host: Host, keys: dict[str, str]) -> Row | None:
    name = keys["address"]
    found = ("127.0.0.1", True) if name.lower() in _SELF else host.reach(name)
    answers = found is not None and found[1]
    return {
        "Address": name, "BufferSize": _number(keys, "buffersize", 32), "NoFragmentation": False,
        "PrimaryAddressResolutionStatus": 0 if found else _NO_HOST, "ProtocolAddress": found[0] if found else "",
        "ProtocolAddressResolved": "", "RecordRoute": 0, "ReplyInconsistency": False if answers else None,
        "ReplySize": 32 if answers else None, "ResolveAddressNames": False, "ResponseTime": 0 if answers else None,
        "ResponseTimeToLive": 128 if answers else None, "RouteRecord": None, "RouteRecordResolved": None, "SourceRoute": "",
        "SourceRouteType": 0, "StatusCode": (0 if answers else _TIMED_OUT) if found else None,
        "Timeout": _number(keys, "timeout", 1000), "TimeStampRecord": None, "TimeStampRecordAddress": None,
        "TimeStampRecordAddressResolved": None, "TimestampRoute": 0, "TimeToLive": _number(keys, "timetolive", 80), "TypeofService": 0,
    }  # fmt: skip


register(WmiClass("Win32_PingStatus", ("Address",), None, _status))
