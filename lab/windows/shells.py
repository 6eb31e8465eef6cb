# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRS: shells and the commands in them.

Sources: [MS-WSMV] 3.1.4.5 (Create, Command, Send, Receive, Signal, Delete), 2.2.4; quotas and idle time of WinRM 2.0
(facts/windows.md 1.1); ansible's remark that WinRS does not decrement the operation count of a shell (``leak``).
"""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from lab.windows import programs, soap
from lab.windows.cmdline import crt_argv
from lab.windows.files import WindowsPathError
from lab.windows.interpreter import Cmd, run_program
from lab.windows.processes import Call, Console, Input, codec
from lab.windows.soap import RSP, Fault, Request, text_of

if TYPE_CHECKING:
    from lab.windows.host import Host

_STATE = soap.SHELL + "CommandState/"
_CTRL_C_CODE = -1073741510  # STATUS_CONTROL_C_EXIT
_PIPE = 4 << 20  # a program that writes more than this waits until its output is fetched


def _xml_int(value: int) -> int:
    """An exit code as xs:int, which is what [MS-WSMV] says it is: 32 bits, signed."""
    value &= 0xFFFFFFFF
    return value - 0x100000000 if value >= 0x80000000 else value


class RunningCommand:
    """One command of a shell: what it wrote and has not been fetched, and whether it has ended."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4()).upper()
        self.stdin = Input()
        self.streams: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self.code: int | None = None
        self.wrote = False
        self.task: asyncio.Task[None] | None = None
        self.news = asyncio.Event()
        self.taken = asyncio.Event()

    async def drain(self) -> None:
        """Wait while more is written than a pipe holds."""
        while sum(map(len, self.streams.values())) > _PIPE:
            self.taken.clear()
            await self.taken.wait()

    def writer(self, name: str) -> Callable[[bytes], None]:
        """The function that appends to a stream."""
        stream = self.streams[name]

        def write(data: bytes) -> None:
            if data:
                stream.extend(data)
                self.wrote = True
                self.news.set()

        return write


class Shell:
    """One remote shell."""

    def __init__(self, host: Host, user: str, request: Request) -> None:
        self.host, self.user = host, user
        self.id = str(uuid.uuid4()).upper()
        self.commands: dict[str, RunningCommand] = {}
        self.started = 0
        body = request.body.find(RSP + "Shell") if request.body is not None else None
        page = request.options.get("WINRS_CODEPAGE", "")
        number = int(page) if page.isdigit() else host.plan.oem
        self.console = Console(number if codec(number) else host.plan.oem)
        profile = f"C:\\Users\\{user}"
        self.cwd = profile
        self.env = _environment(host, user)
        self.idle = host.plan.shell_idle_timeout
        if body is not None:
            folder = text_of(body.find(RSP + "WorkingDirectory"))
            if folder:
                self.cwd = _folder(host, folder)
            for variable in body.iterfind(f"{RSP}Environment/{RSP}Variable"):
                self.env[variable.get("Name", "").upper()] = variable.text or ""
            self.idle = soap.seconds(text_of(body.find(RSP + "IdleTimeOut")), self.idle)
        self.used = time.monotonic()
        self.receiving = 0

    def _call(self, command: RunningCommand) -> Call:
        return Call(self.host, [], "", command.stdin, command.writer("stdout"), command.writer("stderr"),
                    dict(self.env), self.cwd, self.console, self.user, command.drain)  # fmt: skip

    def run(self, line: str, skip_cmd: bool) -> RunningCommand:
        """Start a command. Raises Fault when CreateProcess fails."""
        command = RunningCommand()
        call = self._call(command)
        item = None
        if skip_cmd and self.host.plan.skip_cmd_shell == "works":
            item, call.line = created_process(self.host, line, call)
            call.argv = crt_argv(f"x{call.line}")[1:]
        self.commands[command.id] = command
        self.started += 1
        command.task = asyncio.get_running_loop().create_task(self._play(command, call, line, item))
        return command

    async def _play(self, command: RunningCommand, call: Call, line: str, item: programs.Program | None) -> None:
        code = 1
        try:
            if item is not None:
                code = await run_program(item, call, line)
            else:
                code = await Cmd(call).run(line)
        except asyncio.CancelledError:
            code = _CTRL_C_CODE
        except Exception as error:
            import logging

            logging.exception("command failed: %s", line)
            call.err(f"LAB: internal error: {error!r}")
            code = 255
        finally:
            if "exit_code_lost" in self.host.faults and not command.wrote:
                code = 0
            command.code = code
            command.news.set()

    def end(self) -> None:
        """The shell goes: so do its commands."""
        for command in self.commands.values():
            if command.task:
                command.task.cancel()

    def expired(self) -> bool:
        """Whether nothing was asked of it for its idle time; a command alone does not keep a shell, a Receive does."""
        return not self.receiving and self.idle > 0 and time.monotonic() - self.used > self.idle


def _environment(host: Host, user: str) -> dict[str, str]:
    profile = f"C:\\Users\\{user}"
    return {
        "ALLUSERSPROFILE": "C:\\ProgramData", "APPDATA": f"{profile}\\AppData\\Roaming",
        "COMMONPROGRAMFILES": "C:\\Program Files\\Common Files", "COMPUTERNAME": host.plan.computer_name,
        "COMSPEC": "C:\\Windows\\system32\\cmd.exe", "LOCALAPPDATA": f"{profile}\\AppData\\Local",
        "NUMBER_OF_PROCESSORS": "2", "OS": "Windows_NT",
        "PATH": "C:\\Windows\\system32;C:\\Windows;C:\\Windows\\System32\\Wbem",
        "PATHEXT": ".COM;.EXE;.BAT;.CMD;.VBS;.JS;.WSF;.MSC",
        "PROCESSOR_ARCHITECTURE": "x86" if host.plan.architecture == 32 else "AMD64",
        "PROGRAMDATA": "C:\\ProgramData", "PROGRAMFILES": "C:\\Program Files", "PROMPT": "$P$G",
        "PUBLIC": "C:\\Users\\Public", "SYSTEMDRIVE": "C:", "SYSTEMROOT": "C:\\Windows",
        "TEMP": f"{profile}\\AppData\\Local\\Temp", "TMP": f"{profile}\\AppData\\Local\\Temp",
        "USERDOMAIN": host.plan.computer_name, "USERNAME": user, "USERPROFILE": profile, "WINDIR": "C:\\Windows",
    }  # fmt: skip


def _folder(host: Host, text: str) -> str:
    try:
        path = host.drive.absolute(text)
        if host.drive.is_folder(path):
            return host.drive.true_case(path)
    except WindowsPathError:
        pass
    raise Fault(2147942667, "w:InternalError", "The directory name is invalid. ")


def _is_file(host: Host, call: Call, name: str) -> bool:
    """Whether something that is no program lies there."""
    try:
        real = host.drive.find(call.path(name))
    except WindowsPathError:
        return False
    return real is not None and real.is_file() and not programs.runs(real.read_bytes())


def created_process(host: Host, line: str, call: Call) -> tuple[programs.Program, str]:
    """(program, rest of the line) as CreateProcess finds them. An unquoted path with spaces is tried piece by piece.

    Raises:
        Fault: ERROR_FILE_NOT_FOUND; a batch file is not a program for CreateProcess in a shell without cmd.
    """
    text = line.strip()
    trials: list[tuple[str, str]] = []
    if text.startswith('"'):
        name, _unused, rest = text[1:].partition('"')
        trials.append((name, rest))
    else:
        position = 0
        while position >= 0:
            position = text.find(" ", position + 1)
            trials.append((text, "") if position < 0 else (text[:position], text[position:]))
    for name, rest in trials:
        try:
            item = (
                programs.by_path(host, call.path(name)) if "\\" in name or "/" in name else programs.on_path(host, name)
            )
        except WindowsPathError:
            item = None
        if item:
            return item, rest
        if name.lower().endswith(".exe") and "\\" in name and _is_file(host, call, name):
            raise Fault(2147942593, "w:InternalError", "%1 is not a valid Win32 application. ")
    raise Fault(2147942402, "w:InternalError", "The system cannot find the file specified. ")


class Shells:
    """The shells of a host and the operations on them."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.open: dict[str, Shell] = {}

    def _reap(self) -> None:
        for shell in list(self.open.values()):
            if shell.expired():
                self.drop(shell)

    def drop(self, shell: Shell) -> None:
        """Remove a shell at once."""
        shell.end()
        self.open.pop(shell.id, None)

    def drop_all(self) -> None:
        """Every shell goes."""
        for shell in list(self.open.values()):
            self.drop(shell)

    def create(self, user: str, request: Request) -> str:
        """Create: the body of the answer."""
        self._reap()
        allowed = 0 if self.host.faults.text("quota") == "shells" else int(self.host.plan.quota["shells"])
        if sum(shell.user == user for shell in self.open.values()) >= allowed:
            raise Fault(2150859173, "w:QuotaLimit", f"The WS-Management service cannot process the request. This user "
                        f"is allowed a maximum number of {allowed} concurrent shells, which has been exceeded. Close "
                        "existing shells or raise the quota for this user. ", wmi=2150859173)  # fmt: skip
        shell = Shell(self.host, user, request)
        self.open[shell.id] = shell
        self.host.counters.shells += 1
        return (
            f"<x:ResourceCreated><a:Address>http://{self.host.plan.address}:{self.host.plan.port}/wsman</a:Address>"
            f"<a:ReferenceParameters><w:ResourceURI>{soap.SHELL_CMD}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{shell.id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            "</x:ResourceCreated>"
            f"<rsp:Shell><rsp:ShellId>{shell.id}</rsp:ShellId><rsp:ResourceUri>{soap.SHELL_CMD}</rsp:ResourceUri>"
            f"<rsp:Owner>{shell.user}</rsp:Owner><rsp:IdleTimeOut>PT{shell.idle:.3f}S</rsp:IdleTimeOut>"
            "<rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
        )

    def find(self, request: Request, user: str) -> Shell:
        """The shell a request is about. Raises Fault when it is not there or somebody else's."""
        self._reap()
        wanted = request.selectors.get("ShellId", "")
        shell = self.open.get(wanted.upper())
        if shell is None or shell.user != user:
            raise soap.no_shell(wanted)
        shell.used = time.monotonic()
        return shell

    def delete(self, user: str, request: Request) -> str:
        """Delete: ends the shell."""
        self.drop(self.find(request, user))
        return ""

    def command(self, user: str, request: Request) -> str:
        """Command: starts one; the answer holds its id."""
        shell = self.find(request, user)
        self._check_operations(shell)
        body = request.body.find(RSP + "CommandLine") if request.body is not None else None
        if body is None:
            raise Fault(2150858817, "w:SchemaValidationError", "The Command message has no CommandLine.", sender=True)
        # The text is taken as it is: WinRS joins command and arguments with blanks and quotes nothing.
        parts = [element.text or "" for element in body if element.tag in (RSP + "Command", RSP + "Arguments")]
        line = " ".join(part for part in parts if part)
        skip = request.options.get("WINRS_SKIP_CMD_SHELL", "FALSE").upper() == "TRUE"
        # CONSOLEMODE_STDIN TRUE is a console without a keyboard; stdin is open in both cases until End comes.
        self.host.counters.commands += 1
        self.host.remember(f"{'run' if skip else 'cmd'}: {line}")
        command = shell.run(line, skip)
        return f"<rsp:CommandResponse><rsp:CommandId>{command.id}</rsp:CommandId></rsp:CommandResponse>"

    def _check_operations(self, shell: Shell) -> None:
        quota = self.host.plan.quota
        allowed = int(quota["operations"])
        used = shell.started if quota["leak"] else len(shell.commands)
        fault = self.host.faults.text("quota") == "operations" and shell.started > 0
        if fault or used >= allowed or len(shell.commands) >= int(quota["processes"]):
            raise Fault(2150859174, "w:QuotaLimit", "The WS-Management service cannot process the request. The maximum "
                        f"number of concurrent operations for this user has been exceeded ({allowed}). Close existing "
                        "operations for this user, or raise the quota for this user. ", wmi=2150859174)  # fmt: skip

    @staticmethod
    def _running(shell: Shell, command_id: str) -> RunningCommand:
        command = shell.commands.get(command_id.upper())
        if command is None:
            raise Fault(2150858843, "w:InvalidSelectors", "The WS-Management service cannot process the request because "
                        "the request contained invalid selectors for the resource. ", sender=True)  # fmt: skip
        return command

    def send(self, user: str, request: Request) -> str:
        """Send: bytes for stdin."""
        shell = self.find(request, user)
        body = request.body.find(RSP + "Send") if request.body is not None else None
        for stream in body.iterfind(RSP + "Stream") if body is not None else ():
            command = self._running(shell, stream.get("CommandId", ""))
            end = stream.get("End", "").lower() in ("true", "1")
            command.stdin.feed(base64.b64decode(stream.text or ""), end)
        return "<rsp:SendResponse/>"

    def signal(self, user: str, request: Request) -> str:
        """Signal: terminate removes a command, ctrl_c stops it and leaves its last output to be fetched."""
        shell = self.find(request, user)
        body = request.body.find(RSP + "Signal") if request.body is not None else None
        if body is not None:
            command = self._running(shell, body.get("CommandId", ""))
            code = text_of(body.find(RSP + "Code"))
            if command.task:
                command.task.cancel()
            if not code.endswith(("ctrl_c", "ctrl_break")):
                del shell.commands[command.id]
        return "<rsp:SignalResponse/>"

    async def receive(self, user: str, request: Request) -> str:
        """Receive: what was written, or the end; waits up to OperationTimeout."""
        shell = self.find(request, user)
        desired = request.body.find(f"{RSP}Receive/{RSP}DesiredStream") if request.body is not None else None
        command = self._running(shell, desired.get("CommandId", "") if desired is not None else "")
        if "drop_shell" in self.host.faults:
            self.drop(shell)
            raise soap.no_shell(shell.id)
        if self.host.faults.consume("operation_timeout"):
            raise soap.timed_out()
        deadline = asyncio.get_running_loop().time() + request.timeout
        shell.receiving += 1
        try:
            while not any(command.streams.values()) and command.code is None:
                command.news.clear()
                await asyncio.wait_for(command.news.wait(), deadline - asyncio.get_running_loop().time())
        except TimeoutError:
            raise soap.timed_out() from None
        finally:
            shell.receiving -= 1
            shell.used = time.monotonic()
        return self._received(command, request.max_envelope)

    @staticmethod
    def _received(command: RunningCommand, envelope: int) -> str:
        # Base64 takes 4 bytes for 3; header, fault of rounding and state fit into 4 kB.
        room = max(1024, (min(envelope, 153600) - 4096) * 3 // 4)
        parts = []
        for name, stream in command.streams.items():
            data = bytes(stream[:room])
            del stream[:room]
            room -= len(data)
            if data:
                text = base64.b64encode(data).decode()
                parts.append(f'<rsp:Stream Name="{name}" CommandId="{command.id}">{text}</rsp:Stream>')
                command.taken.set()
        if command.code is None or any(command.streams.values()):
            state = f'<rsp:CommandState CommandId="{command.id}" State="{_STATE}Running"/>'
        else:
            parts += [f'<rsp:Stream Name="{name}" CommandId="{command.id}" End="true"/>' for name in command.streams]
            state = (
                f'<rsp:CommandState CommandId="{command.id}" State="{_STATE}Done">'
                f"<rsp:ExitCode>{_xml_int(command.code)}</rsp:ExitCode></rsp:CommandState>"
            )
        return f"<rsp:ReceiveResponse>{''.join(parts)}{state}</rsp:ReceiveResponse>"
