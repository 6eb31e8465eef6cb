# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines: what cmd.exe makes of a line, and what a program makes of its own. Pure functions.

The two are separate on Windows and here: cmd expands percent signs, takes carets, redirections and operators; the
program that is started gets one string and splits it by the C runtime's rules. Built-ins see their raw tail.

Sources: "How does the Windows Command Interpreter parse scripts?" (the phases), ``cmd /?``, SS64 "Syntax: escape
characters", Microsoft "Parsing C command-line arguments" (post-2008: ``""`` inside quotes is a quote and quoting goes
on), oldnewthing 2010-09-17.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lab.windows.refusal import LabRefusal

_DELIMITERS = " \t,;=\v\f\xa0"
_OPERATORS = "&|<>"


@dataclass(frozen=True)
class Redirect:
    """``handle`` takes ``kind`` (``>``, ``>>``, ``<``, ``>&``, ``<&``) from or to ``target``."""

    handle: int
    kind: str
    target: str


@dataclass
class Command:
    """One simple command: its name as written (quotes kept) and all that follows, redirections taken out."""

    name: str = ""
    tail: str = ""
    redirects: list[Redirect] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What CreateProcess gets as command line."""
        return self.name + self.tail


Pipeline = list[Command]
# cmd's precedence, loosest first: & then || then && then |
Program = list[list[list[Pipeline]]]


class SyntaxProblem(Exception):
    """cmd refuses the line: ``near`` is the word it complains about."""

    def __init__(self, near: str) -> None:
        super().__init__(near)
        self.near = near


def _modified(value: str, modifier: str) -> str | None:
    """``:~2,3`` or ``:old=new`` of a variable's value; None when the modifier is neither."""
    if modifier.startswith("~"):
        first, comma, length = modifier[1:].partition(",")
        try:
            start = int(first or 0)
            count = int(length) if comma else None
        except ValueError:
            return None
        start = max(0, len(value) + start) if start < 0 else start
        end = len(value) if count is None else (len(value) + count if count < 0 else start + count)
        return value[start : max(end, start)]
    old, equals, new = modifier.partition("=")
    if not equals or not old:
        return None
    if old.startswith("*"):
        at = value.lower().find(old[1:].lower())
        return value if at < 0 else new + value[at + len(old) - 1 :]
    result, low, search, position = [], value.lower(), old.lower(), 0
    while (at := low.find(search, position)) >= 0:
        result += [value[position:at], new]
        position = at + len(search)
    return "".join([*result, value[position:]])


def expand(line: str, env: Mapping[str, str], arguments: Sequence[str] | None = None) -> str:
    """Phase 1. On a command line an undefined ``%x%`` stays as it is; in a batch file it becomes nothing.

    Args:
        env: names in lower case. arguments: of a batch file, its own name first; None on a command line.
    """
    result, position = [], 0
    while (start := line.find("%", position)) >= 0:
        result.append(line[position:start])
        if arguments is not None and (special := re.match(r"%(%|\*|~?\d)", line[start:])):
            position = start + special.end()
            result.append(_argument(special[1], arguments))
            continue
        end = line.find("%", start + 1)
        name = line[start + 1 : end] if end > start + 1 else ""
        plain, colon, modifier = name.partition(":")
        value = env.get(name.lower()) if name else None
        if value is None and colon and plain.lower() in env:
            value = _modified(env[plain.lower()], modifier)
        if value is None and arguments is not None:
            position = end + 1 if end > 0 else start + 1
        elif value is None:
            result.append("%")
            position = start + 1
        else:
            result.append(value)
            position = end + 1
    return "".join([*result, line[position:]])


def _argument(mark: str, arguments: Sequence[str]) -> str:
    """``%%``, ``%*``, ``%1`` or ``%~1`` of a batch file."""
    if mark == "%":
        return "%"
    if mark == "*":
        return " ".join(arguments[1:])
    index = int(mark.lstrip("~"))
    value = arguments[index] if index < len(arguments) else ""
    return value.strip('"') if mark.startswith("~") else value


class _Reader:
    """Phase 2: one pass over the expanded line."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        self.program: Program = [[[[]]]]

    def _peek(self, ahead: int = 0) -> str:
        index = self._at + ahead
        return self._line[index] if index < len(self._line) else ""

    def read(self) -> Program:
        """The whole line."""
        self._pipeline().append(self._command())
        while self._at < len(self._line):
            operator = self._operator()
            if operator == "&" and not self._line[self._at :].strip():
                break
            if operator == "&":
                self.program.append([[[]]])
            elif operator == "||":
                self.program[-1].append([[]])
            elif operator == "&&":
                self.program[-1][-1].append([])
            command = self._command()
            if not command.name and not command.redirects:
                raise SyntaxProblem(self._peek() or operator)
            self._pipeline().append(command)
        return self.program

    def _pipeline(self) -> Pipeline:
        return self.program[-1][-1][-1]

    def _operator(self) -> str:
        two = self._line[self._at : self._at + 2]
        operator = two if two in ("&&", "||") else two[0]
        self._at += len(operator)
        if not self._pipeline()[0].name and not self._pipeline()[0].redirects:
            raise SyntaxProblem(operator)
        return operator

    def _command(self) -> Command:
        while self._peek() and (self._peek() in _DELIMITERS or self._peek() == "@"):
            self._at += 1
        if self._peek() == "(":
            raise LabRefusal(f"parentheses in a command line are not played: {self._line}")
        command = Command()
        text: list[str] = []
        name_end = -1
        quoted = False
        while self._at < len(self._line):
            char = self._peek()
            if char == '"':
                quoted = not quoted
            elif not quoted and char == "^":
                self._at += 1
                char = self._peek()
                if char:
                    text.append(char)
                    self._at += 1
                continue
            elif not quoted and char in "&|":
                break
            elif not quoted and char in "<>":
                self._redirect(command, text, name_end)
                continue
            elif not quoted and name_end < 0 and char in _DELIMITERS and text:
                name_end = len(text)
            text.append(char)
            self._at += 1
        whole = "".join(text)
        name_end = len(whole) if name_end < 0 else name_end
        command.name, command.tail = whole[:name_end], whole[name_end:]
        return command

    def _redirect(self, command: Command, text: list[str], name_end: int) -> None:
        char = self._peek()
        handle = 0 if char == "<" else 1
        # A digit just before belongs to the redirection when it is a word of its own.
        if text and text[-1].isdigit() and (len(text) == 1 or text[-2] in _DELIMITERS or self._closes(text)):
            handle = int(text.pop())
        self._at += 1
        kind = char
        if char == ">" and self._peek() == ">":
            kind, self._at = ">>", self._at + 1
        if self._peek() == "&":
            self._at += 1
            digit = self._peek()
            if not digit.isdigit():
                raise SyntaxProblem(digit or "&")
            self._at += 1
            command.redirects.append(Redirect(handle, char + "&", digit))
            return
        while self._peek() and self._peek() in _DELIMITERS:
            self._at += 1
        target, quoted = [], False
        while self._at < len(self._line):
            char = self._peek()
            if char == '"':
                quoted = not quoted
            elif not quoted and char == "^":
                self._at += 1
                char = self._peek()
            elif not quoted and (char in _DELIMITERS or char in _OPERATORS):
                break
            target.append(char)
            self._at += 1
        if not target:
            raise SyntaxProblem(self._peek() or kind)
        command.redirects.append(Redirect(handle, kind, "".join(target).replace('"', "")))

    @staticmethod
    def _closes(text: list[str]) -> bool:
        return len(text) > 1 and text[-2] == '"' and text.count('"') % 2 == 0


def split_cmd(line: str, env: Mapping[str, str], arguments: Sequence[str] | None = None) -> Program:
    """What cmd.exe executes for a line: expanded, unescaped, split at its operators.

    Args:
        env: environment, names in lower case (with cmd's dynamic ones such as errorlevel).
        arguments: those of the batch file whose line it is, else None.

    Raises:
        SyntaxProblem: cmd refuses the line. LabRefusal: parentheses.
    """
    expanded = expand(line.partition("\n")[0].rstrip("\r"), env, arguments)
    if not expanded.strip(_DELIMITERS):
        return []
    return _Reader(expanded).read()


def crt_argv(line: str) -> list[str]:
    """argv of a C program for its command line, argv[0] included, by the rules since Visual C++ 2008.

    * argv[0]: up to white space outside quotes, quotes dropped, backslashes literal.
    * 2n backslashes and a quote: n backslashes and the quote opens or closes; 2n+1: n backslashes and a literal quote;
      backslashes elsewhere are literal. ``""`` inside quotes: a literal quote, still inside.
    """
    argv, position, quoted, word = [], 0, False, []
    while position < len(line) and (quoted or line[position] not in " \t"):
        if line[position] == '"':
            quoted = not quoted
        else:
            word.append(line[position])
        position += 1
    argv.append("".join(word))
    while True:
        while position < len(line) and line[position] in " \t":
            position += 1
        if position >= len(line):
            return argv
        word, quoted = [], False
        while position < len(line) and (quoted or line[position] not in " \t"):
            slashes = 0
            while position < len(line) and line[position] == "\\":
                slashes += 1
                position += 1
            if position < len(line) and line[position] == '"':
                word.append("\\" * (slashes // 2))
                if slashes % 2:
                    word.append('"')
                elif quoted and line[position + 1 : position + 2] == '"':
                    word.append('"')
                    position += 1
                else:
                    quoted = not quoted
                position += 1
            else:
                word.append("\\" * slashes)
                if position < len(line) and (quoted or line[position] not in " \t"):
                    word.append(line[position])
                    position += 1
        argv.append("".join(word))
