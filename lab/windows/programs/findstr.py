# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""findstr.exe: lines of files or of standard input.

Source: SS64 and Microsoft's page (regular expressions: . * ^ $ [class] \\< \\> \\x). Exit code 0 found, 1 not.
"""

from __future__ import annotations

import re

from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal


def _expression(text: str, literal: bool) -> str:
    if literal:
        return re.escape(text)
    result, index = [], 0
    while index < len(text):
        char = text[index]
        if char == "\\" and index + 1 < len(text):
            index += 1
            result.append({"<": r"\b", ">": r"\b"}.get(text[index], re.escape(text[index])))
        elif char == "[" and "]" in text[index:]:
            end = text.index("]", index)
            result.append(text[index : end + 1])
            index = end
        else:
            result.append(char if char in ".*^$" else re.escape(char))
        index += 1
    return "".join(result)


@program("findstr")
async def _findstr(call: Call) -> int:
    flags, strings, files = set(), [], []
    mode = ""
    for word in call.argv:
        low = word.lower()
        if low.startswith("/c:"):
            strings.append((word[3:], mode != "r"))
        elif low in ("/l", "/r"):
            mode = low[1]
        elif word.startswith("/") and all(letter in "beixvnm" for letter in low[1:].replace("/", "")):
            flags |= set(low[1:].replace("/", ""))
        elif word.startswith("/"):
            raise LabRefusal(f"findstr {word} is not played")
        elif not strings:
            strings = [(part, mode == "l") for part in word.split(" ") if part]
        else:
            files.append(word)
    if not strings:
        call.err(call.say("FINDSTR : ligne de commande incorrecte", "FINDSTR: Bad command line"))
        return 2
    parts = [f"(?:{_expression(text, literal and mode != 'r')})" for text, literal in strings]
    pattern = "|".join(parts)
    pattern = (
        f"^(?:{pattern})$"
        if "x" in flags
        else f"{'^' if 'b' in flags else ''}(?:{pattern}){'$' if 'e' in flags else ''}"
    )
    try:
        expression = re.compile(pattern.encode(call.encoding, "replace"), re.IGNORECASE if "i" in flags else 0)
    except re.error:
        raise LabRefusal(f"this expression of findstr is not played: {call.line.strip()}") from None
    sources = [] if files else [("", await call.stdin.read_all())]
    for name in files:
        try:
            sources.append((name, call.host.drive.read(call.path(name, unc=True))))
        except WindowsPathError:
            call.err(call.say(f"FINDSTR : impossible d'ouvrir {name}", f"FINDSTR: Cannot open {name}"))
    found = False
    for name, data in sources:
        for number, line in enumerate(data.splitlines(), 1):
            if bool(expression.search(line)) == ("v" in flags):
                continue
            found = True
            if "m" in flags:
                call.write(name.encode(call.encoding, "replace") + b"\r\n")
                break
            head = f"{name}:" if len(files) > 1 else ""
            head += f"{number}:" if "n" in flags else ""
            call.write(head.encode(call.encoding, "replace") + line + b"\r\n")
    return 0 if found else 1
