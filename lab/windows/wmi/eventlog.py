# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_NTLogEvent.

Source: Microsoft's class page: EventCode is the number people know, EventIdentifier has the severity bits too; Type is
localized, EventType is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.windows.wmi.classes import WmiClass, register
from lab.windows.wmi.values import DateTime, Row

if TYPE_CHECKING:
    from lab.windows.host import Host


def _rows(host: Host) -> Iterator[Row]:
    words = {1: host.say("Erreur", "Error"), 2: host.say("Avertissement", "Warning"), 3: "Information"}
    for event in reversed(host.events.events):
        yield {
            "Category": 0, "CategoryString": None, "ComputerName": host.plan.computer_name, "Data": None,
            "EventCode": event.code, "EventIdentifier": event.identifier, "EventType": event.type,
            "InsertionStrings": list(event.strings), "Logfile": event.log, "Message": event.message,
            "RecordNumber": event.record, "SourceName": event.source, "TimeGenerated": DateTime(event.time),
            "TimeWritten": DateTime(event.time), "Type": words[event.type], "User": None,
        }  # fmt: skip


register(WmiClass("Win32_NTLogEvent", ("Logfile", "RecordNumber"), _rows))
