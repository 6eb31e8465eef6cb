# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_ServerFeature (what is installed) and Win32_OptionalFeature (what dism knows).

Source: Microsoft's pages of the two classes; the second came with Windows 7. InstallState: 1 enabled, 2 disabled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.windows.wmi.classes import WmiClass, register
from lab.windows.wmi.values import Row

if TYPE_CHECKING:
    from lab.windows.host import Host


def _server_features(host: Host) -> Iterator[Row]:
    for number, name, parent in host.features.rows():
        yield {"ID": number, "Name": name, "ParentID": parent}


def _optional_features(host: Host) -> Iterator[Row]:
    for item in host.features.known():
        if item.dism:
            yield {
                "Caption": host.say(item.french, item.english), "Description": None, "InstallDate": None,
                "InstallState": 1 if host.features.has(item.name) else 2, "Name": item.dism, "Status": None,
            }  # fmt: skip


register(WmiClass("Win32_ServerFeature", ("ID",), _server_features, on=lambda host: host.plan.is_server))
register(WmiClass("Win32_OptionalFeature", ("Name",), _optional_features, on=lambda host: not host.plan.is_nt60))
