# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ConfigParser of Python 2.5, whose traps decide what an openerp-server.conf means.

Source: Lib/ConfigParser.py of Python 2.5 (RawConfigParser._read, ConfigParser._interpolate); facts/openerp.md A2.
"""

from __future__ import annotations

import re
from pathlib import PureWindowsPath

_SECTION = re.compile(r"\[(?P<header>[^]]+)\]")
_OPTION = re.compile(r"(?P<option>[^:=\s][^:=]*)\s*(?P<vi>[:=])\s*(?P<value>.*)$")
_DEEPEST = 10


class PythonError(Exception):
    """An exception of the played program: its class as a traceback names it, and its message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message


def parse(text: str, shown: str) -> dict[str, dict[str, str]]:
    """The sections of a file and their raw values. Raises PythonError."""
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    last = ""
    wrong: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line[0] in "#;":
            continue
        words = line.split(None, 1)
        if words[0].lower() == "rem" and line[0] in "rR":
            continue
        if line[0].isspace() and current is not None and last:
            value = line.strip()
            current[last] = f"{current[last]}\n{value}"
            continue
        header = _SECTION.match(line)
        if header:
            current = sections.setdefault(header["header"], {})
            last = ""
        elif current is None:
            raise PythonError("ConfigParser.MissingSectionHeaderError",
                              f"File contains no section headers.\nfile: {shown}, line: {number}\n{line + chr(10)!r}")  # fmt: skip
        elif option := _OPTION.match(line):
            value = option["value"]
            at = value.find(";")
            if at > 0 and value[at - 1].isspace():  # ';' begins a comment only after a blank
                value = value[:at]
            value = value.strip()
            last = option["option"].rstrip().lower()
            current[last] = "" if value == '""' else value
        else:
            wrong.append((number, repr(line + "\n")))
    if wrong:
        lines = "".join(f"\n\t[line {number:2d}]: {line}" for number, line in wrong)
        raise PythonError("ConfigParser.ParsingError", f"File contains parsing errors: {shown}{lines}")
    return sections


def items(sections: dict[str, dict[str, str]], section: str) -> dict[str, str]:
    """The values of a section with ``%(name)s`` replaced. Raises PythonError."""
    values = sections[section]
    return {
        name: _interpolated(section, name, value, {**values, "__name__": section}) for name, value in values.items()
    }


def _interpolated(section: str, option: str, raw: str, values: dict[str, str]) -> str:
    value = raw
    for _depth in range(_DEEPEST):
        if "%(" not in value:
            return value
        rest = value
        # What % makes of the rest: a reference must be complete, and every other % must be doubled.
        for match in re.finditer(r"%(?:\(([^)]*)\)s|%)|%(.)?", rest):
            name = match[1]
            if name is not None and name.lower() not in values:
                raise PythonError(
                    "ConfigParser.InterpolationMissingOptionError",
                    f"Bad value substitution:\n\tsection: [{section}]\n\toption : {option}\n\tkey    : {name.lower()}\n"
                    f"\trawval : {raw}\n",
                )
            if name is None and match[0] != "%%":
                if match[0].startswith("%("):
                    raise PythonError("ValueError", "incomplete format key" if ")" not in rest[match.start() :]
                                      else "unsupported format character")  # fmt: skip
                raise PythonError("TypeError", "not enough arguments for format string")
        value = re.sub(
            r"%(?:\(([^)]*)\)s|%)", lambda found: values[found[1].lower()] if found[1] is not None else "%", value
        )
    raise PythonError("ConfigParser.InterpolationDepthError",
                      f"Value interpolation too deeply recursive:\n\tsection: [{section}]\n\toption : {option}\n"
                      f"\trawval : {raw}\n")  # fmt: skip


def written(values: dict[str, object]) -> bytes:
    """``[options]`` as RawConfigParser.write puts it into a file that Windows holds in text mode."""
    lines = ["[options]"]
    for key, value in values.items():
        shown = str(value).replace("\n", "\n\t")
        lines.append(f"{key} = {shown}")
    return "\r\n".join([*"\n".join(lines).split("\n"), "", ""]).encode("latin-1", "replace")


def folder_of(path: str) -> str:
    """The folder of a Windows path."""
    return str(PureWindowsPath(path).parent)
