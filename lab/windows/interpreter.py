# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cmd.exe: runs what cmdline.py has split.

Exit codes: an unknown program gives 1 to whoever started cmd, and 9009 only inside (``%ERRORLEVEL%``, a batch file)
(facts/lab.md 1, finding 4). In a shell of code page 65001 on NT 6.0 batch files do nothing and say nothing
(WinRb #232, ansible #21915); programs and built-ins work there.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from lab.windows import builtins_files as _builtins_files  # noqa: F401 (registers its commands)
from lab.windows import programs
from lab.windows.builtins import BUILTINS, builtin_of
from lab.windows.cmdline import Command, Pipeline, Redirect, SyntaxProblem, crt_argv, split_cmd
from lab.windows.files import WindowsPathError, Writer
from lab.windows.processes import Call, Input, Process
from lab.windows.refusal import CommandEnded, Jump, LabRefusal

_DEVICES = {"nul", "con", "nul:"}


def _nowhere(data: bytes) -> None:
    """Write to NUL."""


class _Environment(Mapping[str, str]):
    """The variables of a shell with cmd's dynamic ones, by lower-case name."""

    def __init__(self, shell: Cmd) -> None:
        self._shell = shell

    def __getitem__(self, name: str) -> str:
        env = self._shell.env
        if name.upper() in env:
            return env[name.upper()]
        if name == "errorlevel":
            return str(self._shell.errorlevel)
        if name == "cd":
            return self._shell.cwd
        if name == "random":
            return str(random.randrange(32768))  # noqa: S311
        if name == "time":
            return time.strftime("%H:%M:%S") + ",00"
        if name == "date":
            return time.strftime("%d/%m/%Y")
        raise KeyError(name)

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(name.lower() for name in self._shell.env)

    def __len__(self) -> int:
        return len(self._shell.env)


@dataclass
class Cmd:
    """One cmd.exe. ``call`` holds the streams and the environment; ``depth`` counts nested ones."""

    call: Call
    errorlevel: int = 0
    in_batch: bool = False
    echo: bool = True
    depth: int = 0
    arguments: list[str] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)
    unknown: bool = False  # the last program was not found by this cmd itself
    # The last command leaves ERRORLEVEL as it was (SS64, "Errorlevel": echo, rem, an if that is false).
    neutral: bool = False

    @property
    def env(self) -> dict[str, str]:
        """The variables."""
        return self.call.env

    @property
    def cwd(self) -> str:
        """The current folder."""
        return self.call.cwd

    async def run(self, line: str) -> int:
        """Run one line; returns the exit code cmd would have."""
        try:
            return await self._program(line)
        except CommandEnded as ended:
            return ended.code
        except LabRefusal as refusal:
            self.call.err(f"LAB: {refusal}")
            return LabRefusal.status

    async def _program(self, line: str) -> int:
        try:
            parsed = split_cmd(line, _Environment(self), self.arguments if self.in_batch else None)
        except SyntaxProblem as problem:
            near = problem.near
            self.call.err(self.call.say(f"{near} était inattendu.", f"{near} was unexpected at this time."))
            return 255 if self.in_batch else 1
        code = 0
        for alternatives in parsed:
            for chain in alternatives:
                for pipeline in chain:
                    code = await self._pipeline(pipeline)
                    self.errorlevel = self.errorlevel if self.neutral else code
                    if code:
                        break
                if not code:
                    break
        return 1 if code == 9009 and self.unknown and not self.in_batch else code

    async def _pipeline(self, pipeline: Pipeline) -> int:
        stdin, code = self.call.stdin, 0
        for index, command in enumerate(pipeline):
            if index == len(pipeline) - 1:
                return await self.command(command, replace(self.call, stdin=stdin))
            buffer = bytearray()
            side = Cmd(replace(self.call, stdin=stdin, write=buffer.extend, env=dict(self.env)), self.errorlevel,
                       self.in_batch, depth=self.depth, arguments=self.arguments)  # fmt: skip
            code = await side.command(command, side.call)
            stdin = Input(bytes(buffer))
        return code

    async def command(self, command: Command, call: Call) -> int:
        """Run one simple command with its redirections."""
        outputs: dict[str, Writer] = {}
        try:
            for redirect in command.redirects:
                call = self._redirected(call, redirect, outputs)
            code = await self._simple(command, call)
        except WindowsPathError as error:
            self.call.err(self.call.host.system(error.code))
            return 1
        finally:
            for writer in outputs.values():
                writer.close()
        if call is not self.call:
            self.call.cwd = call.cwd
        return code

    def _redirected(self, call: Call, redirect: Redirect, outputs: dict[str, Writer]) -> Call:
        host = self.call.host
        if redirect.kind == ">&":
            source = call.write if redirect.target == "1" else call.write_error
            return replace(call, write_error=source) if redirect.handle == 2 else replace(call, write=source)
        if redirect.kind == "<":
            device = redirect.target.lower() in _DEVICES
            return replace(call, stdin=Input(b"" if device else host.drive.read(call.path(redirect.target))))
        if redirect.kind not in (">", ">>"):
            raise LabRefusal(f"this redirection is not played: {redirect.handle}{redirect.kind}{redirect.target}")
        write: Callable[[bytes], None] = _nowhere
        if redirect.target.lower() not in _DEVICES:
            path = call.path(redirect.target)
            # cmd opens the file before it runs the command: a bad path stops the command.
            if path not in outputs:
                outputs[path] = host.drive.writer(path, append=redirect.kind == ">>")
            write = outputs[path].write
        return replace(call, write_error=write) if redirect.handle == 2 else replace(call, write=write)

    async def _simple(self, command: Command, call: Call) -> int:
        self.neutral = False
        if not command.name:
            return 0
        name, tail = builtin_of(command.name, command.tail)
        if name is not None:
            return await BUILTINS[name](self, call, tail)
        return await self.execute(command, call)

    async def execute(self, command: Command, call: Call) -> int:
        """Start a program or a batch file."""
        host = call.host
        self.unknown = False
        word = command.name
        tail = command.tail
        bare = word.replace('"', "")
        if "/" in word and ":" not in word and '"' not in word:
            word, _unused, rest = word.partition("/")
            bare, tail = word, f"/{rest}{tail}"
        if "\\" in bare or ":" in bare:
            path = call.path(bare)
            found = programs.by_path(host, path)
            batch = self._batch(path)
        else:
            found = programs.on_path(host, bare)
            path = "" if found else call.path(bare)
            found = found or programs.by_path(host, path)
            batch = None if found else self._batch(path)
        if found:
            call = replace(call, argv=crt_argv(command.text if tail == command.tail else f"{word} {tail}")[1:],
                           line=tail)  # fmt: skip
            return await run_program(found, call, command.text)
        if batch:
            return await self._run_batch(batch, tail, call)
        here = "\\" in bare or ":" in bare or path.lower().endswith(".exe")
        if here and host.drive.find(path) is not None:
            if host.drive.is_folder(path):
                call.err(self._unknown(word))
                return 9009
            if path.lower().endswith(".exe") and not programs.runs(host.drive.read(path)):
                call.err(f"{word} {host.system(193)}")
                return 1
            raise LabRefusal(f"the file exists, its program is not played: {path}")
        if "\\" in bare and host.drive.find(path.rpartition("\\")[0] or "C:\\") is None:
            call.err(host.system(3))
            return 1
        call.err(self._unknown(word))
        return 9009

    def _unknown(self, word: str) -> str:
        self.unknown = True
        return self.call.say(
            f"'{word}' n'est pas reconnu en tant que commande interne\n"
            "ou externe, un programme exécutable ou un fichier de commandes.",
            f"'{word}' is not recognized as an internal or external command,\noperable program or batch file.",
        )

    def _batch(self, path: str) -> str | None:
        drive = self.call.host.drive
        for ending in ("", ".bat", ".cmd"):
            if (path + ending).lower().endswith((".bat", ".cmd")) and drive.find(path + ending):
                return path + ending
        return None

    async def _run_batch(self, path: str, tail: str, call: Call) -> int:
        """A batch file: its lines one after the other."""
        host = self.call.host
        if host.plan.is_nt60 and call.code_page == 65001:
            return 0
        if self.depth > 15:
            raise LabRefusal("batch files nested too deeply")
        text = host.drive.read(path).decode(call.encoding, "replace")
        inner = Cmd(call, self.errorlevel, in_batch=True, echo=self.echo, depth=self.depth + 1,
                    arguments=[path, *tail.split()])  # fmt: skip
        lines, index, steps = text.splitlines(), 0, 0
        while index < len(lines):
            line = lines[index].strip()
            low, index, steps = line.lower(), index + 1, steps + 1
            if not line or low.startswith((":", "rem ", "@rem ")) or low == "rem":
                continue
            if low.lstrip("@").split()[0] in ("setlocal", "endlocal", "shift"):
                raise LabRefusal(f"this line of a batch file is not played: {line}")
            if inner.echo and not line.startswith("@"):
                call.out(f"\n{call.cwd}>{line} ")
            if not steps % 64:
                await asyncio.sleep(0)  # a loop of gotos must not hold up the other hosts
            try:
                code = await inner._program(line)
                inner.errorlevel = inner.errorlevel if inner.neutral else code
            except CommandEnded as ended:
                if ended.code >= 0x10000:  # exit /b
                    return ended.code - 0x10000
                raise
            except Jump as jump:
                if jump.label.lower() == "eof":
                    return inner.errorlevel
                found = _label(lines, jump.label, index)
                if found is None:
                    call.err(call.say(f"Le système ne trouve pas l'étiquette de commandes spécifiée - {jump.label}",
                                      f"The system cannot find the batch label specified - {jump.label}"))  # fmt: skip
                    return 1
                index = found + 1
        return inner.errorlevel


def _label(lines: list[str], label: str, start: int) -> int | None:
    """Where a label stands: cmd looks for it from the current line to the end, then from the beginning (``goto /?``)."""
    order = [*range(start, len(lines)), *range(min(start, len(lines)))]
    wanted = label.lower()
    for index in order:
        text = lines[index].strip()
        if text.startswith(":") and text[1:].strip().lower().split(" ")[0] == wanted:
            return index
    return None


async def run_program(item: programs.Program, call: Call, command_line: str) -> int:
    """Run an emulated program as a process of the host."""
    host = call.host
    process = Process(host.new_pid(), item.name, item.path(host), command_line)
    process.task = asyncio.current_task()
    host.processes[process.pid] = process
    try:
        return await item.run(call)
    except LabRefusal as refusal:
        call.err(f"LAB: {refusal}")
        return LabRefusal.status
    except WindowsPathError as error:
        call.err(host.system(error.code))
        return 1
    finally:
        host.processes.pop(process.pid, None)
