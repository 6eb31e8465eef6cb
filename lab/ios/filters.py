# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows the separator: ``| include``, ``exclude``, ``begin`` and ``section``.

Source: Cisco IOS Configuration Fundamentals, "Searching and Filtering CLI Output"; ``section`` exists since 12.3(2)T,
and a section is a matching line with the more deeply indented lines below it.
"""

from __future__ import annotations

import re

_WORDS = ("append", "begin", "count", "exclude", "format", "include", "redirect", "section", "tee")


def split_filter(line: str) -> tuple[str, str]:
    """The command and what follows its ``|`` (empty when there is none)."""
    command, separator, pipe = line.partition(" |")
    return (command, pipe.strip()) if separator else (line, "")


def _pattern(text: str) -> re.Pattern[str]:
    """IOS's expressions are close to Python's; an underscore also stands for a delimiter."""
    translated = text.replace("_", r"(?:^|$|[ ,{}()_])")
    try:
        return re.compile(translated)
    except re.error:
        return re.compile(re.escape(text))


def apply_filter(text: str, pipe: str) -> str | None:
    """The lines that pass, or None when the filter is not understood."""
    word, _unused, expression = pipe.partition(" ")
    kinds = [name for name in _WORDS if name.startswith(word.lower())]
    if len(kinds) != 1 or not expression or kinds[0] not in ("include", "exclude", "begin", "section"):
        return None
    search = _pattern(expression.strip()).search
    lines = text.split("\n")
    kind = kinds[0]
    if kind == "include":
        kept = [line for line in lines if search(line)]
    elif kind == "exclude":
        kept = [line for line in lines if not search(line)]
    elif kind == "begin":
        first = next((index for index, line in enumerate(lines) if search(line)), len(lines))
        return "\n".join(lines[first:])
    else:
        kept, depth = [], -1
        for line in lines:
            indent = len(line) - len(line.lstrip(" "))
            if depth >= 0 and indent > depth and line.strip():
                kept.append(line)
                continue
            depth = indent if search(line) and not line.startswith("!") else -1
            if depth >= 0:
                kept.append(line)
    return "".join(line + "\n" for line in kept if line or kind == "exclude")
