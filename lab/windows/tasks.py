# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduled tasks of a host: those with a BootTrigger run when the host boots, in the lab's own time.

A minute of a trigger lasts 60 / ``lab_task_time_scale`` seconds. Sources: [MS-TSCH] 2.5 and 3.2 (SCHED_S_TASK_HAS_NOT_RUN
0x41303, SCHED_S_TASK_RUNNING 0x41301; a command that is not found 0x80070002; the result is the program's exit code).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.windows.cmdline import crt_argv
from lab.windows.files import WindowsPathError
from lab.windows.processes import Call, Console, Input
from lab.windows.remote import AS_SYSTEM
from lab.windows.taskxml import Boot, Definition, Exec

if TYPE_CHECKING:
    from lab.windows.host import Host

NEVER_RUN, NOT_FOUND = 0x41303, 0x80070002


@dataclass(eq=False)
class Task:
    """A task. ``path``: as ``\\Folder\\Name``. ``result``: of its last run."""

    path: str
    definition: Definition
    result: int = NEVER_RUN
    runs: set[asyncio.Task[None]] = field(default_factory=set)
    count: int = 0


def _unseen(data: bytes) -> None:
    """What a task prints nobody sees."""


class Tasks:
    """The Task Scheduler of a host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._tasks: dict[str, Task] = {}
        self._triggers: set[asyncio.Task[None]] = set()

    @staticmethod
    def path(name: str) -> str:
        """``\\Name``, whether it is written with its backslash or without."""
        return "\\" + name.strip("\\")

    def find(self, name: str) -> Task | None:
        """A task by name."""
        return self._tasks.get(self.path(name).lower())

    def all(self) -> list[Task]:
        """All of them."""
        return list(self._tasks.values())

    def put(self, name: str, definition: Definition) -> Task:
        """Register a task, in the place of one of this name."""
        former = self.find(name)
        if former:
            self.end(former)
        task = Task(self.path(name), definition)
        self._tasks[task.path.lower()] = task
        return task

    def delete(self, task: Task) -> None:
        """It is gone; what it started runs on."""
        self._tasks.pop(task.path.lower(), None)

    def run(self, task: Task) -> None:
        """Start it now, unless it runs and wants to run but once."""
        if task.runs and not task.definition.parallel:
            return
        run = asyncio.get_running_loop().create_task(self._running(task))
        task.runs.add(run)
        task.count += 1
        run.add_done_callback(task.runs.discard)

    @staticmethod
    def end(task: Task) -> None:
        """End what it started."""
        for run in task.runs:
            run.cancel()

    async def _running(self, task: Task) -> None:
        # A context variable of this asyncio task alone: what others run stays what it is.
        AS_SYSTEM.set(True)
        for action in task.definition.actions:
            task.result = await self._execute(action)

    async def _execute(self, action: Exec) -> int:
        from lab.windows import programs
        from lab.windows.interpreter import run_program

        host = self._host
        system = {
            "SYSTEMROOT": "C:\\Windows",
            "WINDIR": "C:\\Windows",
            "PROGRAMFILES": "C:\\Program Files",
            "TEMP": "C:\\Windows\\TEMP",
        }
        call = Call(host, [], "", Input(b""), _unseen, _unseen, system, action.folder or "C:\\Windows\\system32",
                    Console(host.plan.oem), "SYSTEM")  # fmt: skip
        command = action.command.strip('"')
        for name, value in system.items():
            command = command.replace(f"%{name}%", value).replace(f"%{name.lower()}%", value)
        arguments = action.arguments
        if command.lower().endswith((".cmd", ".bat")):
            arguments, command = f'/c ""{command}" {arguments}"', "C:\\Windows\\System32\\cmd.exe"
        try:
            plain = "\\" not in command
            item = programs.on_path(host, command) if plain else programs.by_path(host, call.path(command))
        except WindowsPathError:
            item = None
        if item is None:
            return NOT_FOUND
        call.line = f" {arguments}" if arguments else ""
        call.argv = crt_argv(f"x{call.line}")[1:]
        host.remember(f"task: {command}{call.line}")
        return await run_program(item, call, f'"{command}"{call.line}')

    def boot(self) -> None:
        """The host starts: the triggers of its tasks begin to count."""
        schedule = self._host.scm.get("Schedule")
        if schedule is None or schedule.start_mode == "Disabled":
            return
        for task in self._tasks.values():
            for trigger in task.definition.boots:
                if trigger.enabled and task.definition.enabled:
                    watch = asyncio.get_running_loop().create_task(self._triggered(task, trigger))
                    self._triggers.add(watch)
                    watch.add_done_callback(self._triggers.discard)

    async def _triggered(self, task: Task, trigger: Boot) -> None:
        scale, passed = self._host.plan.task_time_scale, 0.0
        await asyncio.sleep(trigger.delay / scale)
        while self._tasks.get(task.path.lower()) is task and task.definition.enabled:
            self.run(task)
            passed += trigger.interval
            if not trigger.interval or (trigger.duration and passed > trigger.duration):
                return
            await asyncio.sleep(trigger.interval / scale)

    def vanish(self) -> None:
        """The power is gone, or the lab goes down."""
        for watch in self._triggers:
            watch.cancel()
        for task in self._tasks.values():
            self.end(task)

    def dump(self) -> dict[str, object]:
        """For comparison."""
        return {
            task.path: {"xml": task.definition.xml(), "result": task.result, "runs": task.count} for task in self.all()
        }
