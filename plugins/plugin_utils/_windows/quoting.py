"""Make a command line of a list of arguments, for programs that split it by the C runtime's rules.

Note that this utility is private to the collection.

Windows passes one string to a program, which splits it itself; programs built with Microsoft's C runtime, and .NET,
follow the rules of ``CommandLineToArgvW`` ("Parsing C++ command-line arguments" in Microsoft's documentation).
WinRS runs a line through cmd.exe unless ``WINRS_SKIP_CMD_SHELL`` is set and honoured, which on WinRM 2.0 nobody has
verified. So the lines that are made here mean the same with cmd.exe and without it: what is special to cmd.exe stands
between quotes, and an argument that cannot be protected (``%``, or a quote beside a special character) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .errors import OptionError

_NEEDS_QUOTES = frozenset(" \t&|<>^()@,;=!")
_SPECIAL_TO_CMD = frozenset("&|<>^")


def quote(argument: str) -> str:
    """Return ``argument`` as it stands in a command line.

    Backslashes are doubled only before a quote, or before the quote that ends the argument.

    Raises:
        OptionError: it holds what no quoting protects (a line end, NUL, ``%``, a quote beside a character that is special
            to cmd.exe).
    """
    for character, name in (
        ("\0", "a NUL character"),
        ("\r", "a line end"),
        ("\n", "a line end"),
        ("%", "a per cent sign"),
    ):
        if character in argument:
            raise OptionError(f"an argument holds {name}, which cannot stand in a Windows command line")
    if '"' in argument and _SPECIAL_TO_CMD & set(argument):
        raise OptionError(
            "an argument holds a quote and one of & | < > ^, which cannot stand in a Windows command line together"
        )
    if argument and '"' not in argument and not _NEEDS_QUOTES & set(argument):
        return argument
    result: list[str] = []
    backslashes = 0
    for character in argument:
        if character == "\\":
            backslashes += 1
            continue
        if character == '"':
            result.append("\\" * (2 * backslashes + 1) + '"')
        else:
            result.append("\\" * backslashes + character)
        backslashes = 0
    return '"' + "".join(result) + "\\" * (2 * backslashes) + '"'


def command_line(argv: Sequence[str]) -> str:
    """Return the command line of ``argv``, whose first item is the program's full path.

    Raises:
        OptionError: there is no program, its path is not a full one, or an argument cannot be protected.
    """
    if not argv or not is_full_path(argv[0]):
        raise OptionError(f"the program '{argv[0] if argv else ''}' is not named by its full path")
    return " ".join(quote(argument) for argument in argv)


def is_full_path(path: str) -> bool:
    """Return whether ``path`` begins with a drive and a backslash, or is a UNC path."""
    return (path[1:3] == ":\\" and path[:1].isalpha()) or path.startswith("\\\\")


def split(line: str) -> list[str]:
    """Split a command line as the C runtime does, such as the image path of a service.

    The first item, the program, knows no escapes: it ends at the next quote or blank ("The first argument is treated
    specially"). In the others 2n backslashes before a quote are n and end or begin a quoted part, 2n+1 are n and a quote.
    """
    arguments: list[str] = []
    line = line.strip()
    if not line:
        return arguments
    if line.startswith('"'):
        end = line.find('"', 1)
        end = len(line) if end < 0 else end
        arguments.append(line[1:end])
        rest = line[end + 1 :]
    else:
        program, _separator, rest = line.partition(" ")
        arguments.append(program)
    current: list[str] = []
    quoted = started = False
    position = 0
    while position < len(rest):
        run = len(rest[position:]) - len(rest[position:].lstrip("\\"))
        position += run
        character = rest[position : position + 1]
        if character == '"':
            started = True
            current.append("\\" * (run // 2))
            if run % 2:
                current.append('"')
            elif quoted and rest[position + 1 : position + 2] == '"':
                # Two quotes inside a quoted part are one, which does not end it (C runtimes since 2008).
                current.append('"')
                position += 1
            else:
                quoted = not quoted
        else:
            current.append("\\" * run + character.strip(" \t" if not quoted else ""))
            started = started or run > 0 or character not in ("", " ", "\t") or quoted
            if not quoted and character in ("", " ", "\t") and started:
                arguments.append("".join(current))
                current, started = [], False
        position += 1
    if started:
        arguments.append("".join(current))
    return arguments


_PROGRAM = re.compile(r'\s*(?:"([^"]+)"|(.+?\.exe)(?=\s|$))(.*)', re.I | re.S)


def split_image_path(path: str) -> list[str]:
    """Split the image path of a service: the program may hold blanks without quotes, as early pg_ctl registers it.

    Windows tries the words up to each blank in turn ("CreateProcess", lpCommandLine); the program ends at the first
    ``.exe`` that a blank follows.
    """
    match = _PROGRAM.match(path)
    if match is None:
        return split(path)
    return [match[1] or match[2], *split(f"x {match[3]}")[1:]]
