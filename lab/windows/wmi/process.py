# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_Process: the list, Create and Terminate.

Source: Microsoft's class page (return values 0, 2 access denied, 9 path not found, 21 invalid parameter).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lab.windows.cmdline import crt_argv
from lab.windows.interpreter import run_program
from lab.windows.processes import Call, Console, Input
from lab.windows.soap import Fault
from lab.windows.wmi.classes import Arguments, WmiClass, method, register
from lab.windows.wmi.values import DateTime, Row

if TYPE_CHECKING:
    from lab.windows.host import Host

_background: set[asyncio.Task[int]] = set()


def _rows(host: Host) -> Iterator[Row]:
    for process in host.process_list():
        yield {
            "Caption": process.name, "CommandLine": process.command_line, "CreationDate": DateTime(process.started),
            "CSName": host.plan.computer_name, "Description": process.name, "ExecutablePath": process.path,
            "Handle": str(process.pid), "HandleCount": 64, "Name": process.name, "ParentProcessId": process.parent,
            "Priority": 8, "ProcessId": process.pid, "SessionId": 0, "ThreadCount": 4, "WorkingSetSize": 4_194_304,
        }  # fmt: skip


PROCESS = register(WmiClass("Win32_Process", ("Handle",), _rows))


@method(PROCESS, "Create", "CommandLine", "CurrentDirectory", "ProcessStartupInformation", static=True)
async def _create(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    from lab.windows.shells import created_process

    line = str(arguments.get("CommandLine") or "").strip()
    if not line:
        return {"ProcessId": None, "ReturnValue": 21}
    folder = str(arguments.get("CurrentDirectory") or "C:\\Windows\\System32")
    call = Call(host, [], "", Input(b""), lambda data: None, lambda data: None, {}, folder, Console(host.plan.oem),
                host.plan.user.rpartition("\\")[2])  # fmt: skip
    try:
        item, call.line = created_process(host, line, call)
    except Fault:
        return {"ProcessId": None, "ReturnValue": 9}
    call.argv = crt_argv(f"x{call.line}")[1:]
    before = set(host.processes)
    task = asyncio.get_running_loop().create_task(run_program(item, call, line))
    _background.add(task)
    task.add_done_callback(_background.discard)
    await asyncio.sleep(0)  # it has its number now, even when it has ended already
    made = set(host.processes) - before
    return {"ProcessId": max(made) if made else host.last_pid, "ReturnValue": 0}


@method(PROCESS, "Terminate", "Reason")
async def _terminate(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    assert row is not None
    await host.kill(row["ProcessId"])
    return {"ReturnValue": 0}
