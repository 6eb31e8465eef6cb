# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands inside cmd.exe. They get their raw tail; only what scripts use is here, the rest is refused.

Sources: ``help <command>`` of Windows, SS64. Exit codes: 0, or 1 for what failed, as ERRORLEVEL shows.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from lab.windows.cmdline import Command
from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.refusal import CommandEnded, Jump, LabRefusal

if TYPE_CHECKING:
    from lab.windows.interpreter import Cmd

Builtin = Callable[["Cmd", Call, str], Awaitable[int]]
BUILTINS: dict[str, Builtin] = {}
_ALIASES = {"md": "mkdir", "rd": "rmdir", "chdir": "cd", "erase": "del", "rename": "ren"}
_REFUSED = ("for", "setlocal", "endlocal", "shift", "assoc", "ftype", "mklink", "color", "date", "time",
            "prompt", "break", "start", "vol", "verify", "dpath", "keys", "path")  # fmt: skip


def builtin(name: str) -> Callable[[Builtin], Builtin]:
    """Register the coroutine that plays a built-in."""

    def register(run: Builtin) -> Builtin:
        BUILTINS[name] = run
        return run

    return register


def builtin_of(name: str, tail: str) -> tuple[str | None, str]:
    """The built-in that a command's first word names, and its tail: ``echo.``, ``cd..``, ``dir/b`` included."""
    match = re.match(r"[A-Za-z]+", name)
    if not match or '"' in name:
        return None, tail
    word = match[0].lower()
    word = _ALIASES.get(word, word)
    rest = name[match.end() :]
    if word in _REFUSED and not rest:
        raise LabRefusal(f"this command of cmd is not played: {name}{tail}")
    if word not in BUILTINS or (rest and rest[0] not in "./\\:+[](,;="):
        return None, tail
    if rest.startswith(".") and word not in ("echo", "cd"):
        return None, tail
    if rest.lower() in (".exe", ".com", ".bat", ".cmd"):
        return None, tail
    return word, rest + tail


def words(tail: str) -> tuple[list[str], list[str]]:
    """(operands without quotes, switches in lower case) of a tail such as ``/b "C:\\a b"``."""
    operands, switches = [], []
    for part in re.findall(r'(?:"[^"]*"|[^\s"])+', tail):
        for index, piece in enumerate(re.split(r"(?=/)", part) if not part.startswith('"') else [part]):
            if piece.startswith("/"):
                switches.append(piece.lower())
            elif piece or index == 0:
                operands.append(piece.replace('"', ""))
    return [operand for operand in operands if operand], switches


def only(name: str, switches: list[str], known: str) -> None:
    for switch in switches:
        if switch not in known.split():
            raise LabRefusal(f"this switch of {name} is not played: {switch}")


def syntax(call: Call) -> int:
    call.err(call.say("La syntaxe de la commande n'est pas correcte.", "The syntax of the command is incorrect."))
    return 1


@builtin("echo")
async def _echo(cmd: Cmd, call: Call, tail: str) -> int:
    cmd.neutral = True
    text = tail[1:]
    if not tail.strip():
        state = call.say("activée" if cmd.echo else "désactivée", "on" if cmd.echo else "off")
        call.out(call.say(f"Commande ECHO {state}.", f"ECHO is {state}."))
    elif tail.strip().lower() in ("on", "off") and tail[0] in " \t":
        cmd.echo = tail.strip().lower() == "on"
    else:
        call.out(text)
    return 0


@builtin("rem")
async def _rem(cmd: Cmd, call: Call, tail: str) -> int:
    cmd.neutral = True
    return 0


@builtin("title")
async def _title(cmd: Cmd, call: Call, tail: str) -> int:
    return 0


@builtin("cls")
async def _cls(cmd: Cmd, call: Call, tail: str) -> int:
    call.write(b"\x0c")
    return 0


@builtin("pause")
async def _pause(cmd: Cmd, call: Call, tail: str) -> int:
    call.out(call.say("Appuyez sur une touche pour continuer...", "Press any key to continue . . . "))
    await call.stdin.read_line()
    return 0


@builtin("ver")
async def _ver(cmd: Cmd, call: Call, tail: str) -> int:
    version = call.host.plan.version
    shown = f"{version}.1" if version.startswith("10.") else version
    call.out(f"\nMicrosoft Windows [{'version' if call.host.plan.language == 'fr' else 'Version'} {shown}]")
    return 0


@builtin("exit")
async def _exit(cmd: Cmd, call: Call, tail: str) -> int:
    operands, switches = words(tail)
    only("exit", switches, "/b")
    try:
        code = int(operands[0]) if operands else cmd.errorlevel
    except ValueError:
        code = cmd.errorlevel
    raise CommandEnded(code + (0x10000 if "/b" in switches and cmd.in_batch else 0))


@builtin("goto")
async def _goto(cmd: Cmd, call: Call, tail: str) -> int:
    label = re.split(r"[\s:+,;=]", tail.strip().removeprefix(":"), maxsplit=1)[0]
    if not cmd.in_batch:
        raise LabRefusal("goto is played in a batch file only")
    raise Jump(label)


@builtin("call")
async def _call(cmd: Cmd, call: Call, tail: str) -> int:
    from lab.windows.interpreter import Cmd as Shell

    if tail.strip().startswith(":"):
        raise LabRefusal(f"labels are not played: call{tail}")
    inner = Shell(call, cmd.errorlevel, cmd.in_batch, cmd.echo, cmd.depth + 1, cmd.arguments, cmd.pushed)
    if inner.depth > 15:
        raise LabRefusal("calls nested too deeply")
    return await inner._program(tail.strip())


@builtin("set")
async def _set(cmd: Cmd, call: Call, tail: str) -> int:
    text = tail.strip()
    if text.startswith("/"):
        raise LabRefusal(f"this switch of set is not played: {text}")
    if text.startswith('"') and text.rfind('"') > 0:
        text = text[1 : text.rfind('"')]
    name, equals, value = text.partition("=")
    if equals:
        if value:
            call.env[name.upper()] = value
        else:
            call.env.pop(name.upper(), None)
        return 0
    found = {key: value for key, value in sorted(call.env.items()) if key.startswith(name.upper())}
    if name and not found:
        call.err(
            call.say(
                f"La variable d'environnement {name} n'est pas définie", f"Environment variable {name} not defined"
            )
        )
        return 1
    for key, value in found.items():
        call.out(f"{key}={value}")
    return 0


@builtin("cd")
async def _cd(cmd: Cmd, call: Call, tail: str) -> int:
    text = tail.strip()
    if text.lower().startswith("/d"):
        text = text[2:].strip()
    if not text:
        call.out(call.cwd)
        return 0
    path = call.path(text)
    if not call.host.drive.is_folder(path):
        there = call.host.drive.find(path) and not call.host.drive.is_gone(path)
        call.err(call.host.system(267 if there else 3))
        return 1
    call.cwd = call.host.drive.true_case(path)
    cmd.call.cwd = call.cwd
    return 0


@builtin("pushd")
async def _pushd(cmd: Cmd, call: Call, tail: str) -> int:
    before = call.cwd
    code = await _cd(cmd, call, tail)
    if not code:
        cmd.pushed.append(before)
    return code


@builtin("popd")
async def _popd(cmd: Cmd, call: Call, tail: str) -> int:
    if not cmd.pushed:
        return 1
    return await _cd(cmd, call, f" {cmd.pushed.pop()}")


def _condition(cmd: Cmd, call: Call, text: str) -> tuple[bool, str]:
    """The truth of what follows ``if``, and the rest of the line."""
    from lab.windows.builtins_files import matching

    match = re.match(r'exist\s+("[^"]*"|\S+)\s*(.*)', text, re.IGNORECASE | re.DOTALL)
    if match:
        path = match[1].strip('"')
        folder = path.endswith("\\")
        try:
            there = bool(matching(call, path.rstrip("\\") if folder else path, unc=True)[1])
        except WindowsPathError:
            there = False
        return there and (not folder or call.host.drive.is_folder(call.path(path, unc=True))), match[2]
    match = re.match(r"errorlevel\s+(-?\d+)\s*(.*)", text, re.IGNORECASE | re.DOTALL)
    if match:
        return cmd.errorlevel >= int(match[1]), match[2]
    match = re.match(r"defined\s+(\S+)\s*(.*)", text, re.IGNORECASE | re.DOTALL)
    if match:
        return match[1].upper() in call.env, match[2]
    match = re.match(r'("[^"]*"|[^\s=]+)\s*(==|equ|neq|lss|leq|gtr|geq)\s*("[^"]*"|\S+)\s*(.*)', text,
                     re.IGNORECASE | re.DOTALL)  # fmt: skip
    if match:
        return _compare(match[1], match[2].lower(), match[3]), match[4]
    raise LabRefusal(f"this condition is not played: if {text}")


def _compare(left: str, operator: str, right: str) -> bool:
    if operator == "==":
        return left == right
    try:
        order = int(left) - int(right)
    except ValueError:
        order = (left > right) - (left < right)
    return {"equ": order == 0, "neq": order != 0, "lss": order < 0, "leq": order <= 0, "gtr": order > 0,
            "geq": order >= 0}[operator]  # fmt: skip


@builtin("if")
async def _if(cmd: Cmd, call: Call, tail: str) -> int:
    text = tail.strip()
    if text.startswith("/"):
        raise LabRefusal(f"this switch of if is not played: {text}")
    negated = text.lower().startswith("not ")
    truth, rest = _condition(cmd, call, text[4:].strip() if negated else text)
    if re.search(r"\selse\s", rest, re.IGNORECASE) or rest.startswith("("):
        raise LabRefusal(f"else and parentheses are not played: if{tail}")
    if truth == negated:
        cmd.neutral = True
        return 0
    name, _blank, more = rest.partition(" ")
    return await cmd.command(Command(name, f" {more}" if more else ""), call)
