# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask Wine how Windows splits command lines, and write the answers to ``tests/golden/command_lines.json``.

``.venv/bin/python tools/quoting_judge/regenerate.py`` needs wine and a mingw compiler (Debian: wine wine64
gcc-mingw-w64-x86-64). Wine is an outsider: neither the product's quoting nor the lab's splitting takes part in the answers.
It is trusted for arguments, not for exit codes, nor for ``||``, nor for ``^%`` (Wine expands what Windows leaves). Two kinds
of lines are judged: lists of arguments, quoted by the product, which have to come out as they went in; and raw lines, whose
answer is what Wine says.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.quoting import quote

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent.parent / "tests" / "golden" / "command_lines.json"
COMPILER = "x86_64-w64-mingw32-gcc"
PROGRAM = "show.exe"

ARGUMENTS: list[list[str]] = [
    ["plain"],
    ["two", "words"],
    ["with blank"],
    [""],
    ["", "", "x"],
    ["C:\\Program Files\\replicat"],
    ["C:\\Program Files\\replicat\\"],
    ["C:\\"],
    ["ends in backslash\\"],
    ["ends in two\\\\"],
    ["\\\\server\\share"],
    ["\\\\server\\share with blank\\"],
    ['say "hello"'],
    ['"'],
    ['""'],
    ['a"b'],
    ['back\\"slash'],
    ['back\\\\"slashes'],
    ["tab\there"],
    ["a&b"],
    ["a|b"],
    ["a>b", "c<d"],
    ["x^y"],
    ["(OI)(CI)F"],
    ["*S-1-5-18:(OI)(CI)F"],
    ["a;b", "c,d", "e=f"],
    ["x!y"],
    ["obj=", "LocalSystem"],
    ["actions=", "restart/60000//0"],
    ["-c", "SELECT 40 + 2"],
    ["a & b", "c | d"],
    ["'single'"],
    ["@file"],
    ["mixed \\ and / and &"],
    ["trailing blank "],
    [" leading blank"],
]
RAW: list[str] = [
    "show.exe a b",
    "show.exe  a   b ",
    'show.exe "a b"',
    'show.exe "a b',
    'show.exe a"b c"d',
    'show.exe "a\\"b"',
    'show.exe "a\\\\"',
    'show.exe "a\\\\\\"b"',
    "show.exe a\\\\b",
    'show.exe a\\"b',
    'show.exe ""',
    'show.exe "" x',
    'show.exe "a""b"',
    'show.exe "a"" b"',
    'show.exe """a b"""',
    'show.exe "C:\\dir\\" next',
    'show.exe "C:\\dir\\\\" next',
    'show.exe -x="a b" y',
    "show.exe 'a b'",
]
CMD_ONLY: list[str] = [
    "show.exe a^&b",
    'show.exe "a&b"',
    'show.exe "a^b"',
    "show.exe a^^b",
    "show.exe one & show.exe two",
    "show.exe one && show.exe two",
    "show.exe a ^| b",
    'show.exe "a | b" c',
    "show.exe a > nul && show.exe b",
    "show.exe a 2>&1",
]


def judge(lines: list[str], folder: Path, *, through_cmd: bool) -> list[list[str]]:
    """Return the arguments that ``show.exe`` got, for each line."""
    command = ["wine", str(folder / "judge.exe"), *(["cmd"] if through_cmd else [])]
    done = subprocess.run(
        command, input="".join(f"{line}\n" for line in lines), cwd=folder, capture_output=True, text=True, check=True
    )
    answers: list[list[str]] = [[]]
    for row in done.stdout.replace("\r", "").split("\n")[:-1]:
        if row == "=":
            answers.append([])
        else:
            answers[-1].append(bytes.fromhex(row).decode("ascii"))
    return answers[:-1]


def main() -> None:
    """Compile, ask, and write the golden file."""
    os.environ["WINEDEBUG"] = "-all"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for program in ("show", "judge"):
            subprocess.run([COMPILER, "-o", str(folder / f"{program}.exe"), str(HERE / f"{program}.c")], check=True)
        quoted = [" ".join([PROGRAM, *map(quote, argv)]) for argv in ARGUMENTS]
        rows = []
        for through_cmd in (False, True):
            lines = [*quoted, *RAW, *(CMD_ONLY if through_cmd else [])]
            for number, (line, answer) in enumerate(
                zip(lines, judge(lines, folder, through_cmd=through_cmd), strict=True)
            ):
                row: dict[str, object] = {"line": line, "cmd": through_cmd, "argv": answer}
                if number < len(ARGUMENTS):
                    row["wanted"] = ARGUMENTS[number]
                rows.append(row)
    GOLDEN.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    print(f"{GOLDEN.name}: {len(rows)} lines judged by Wine")


if __name__ == "__main__":
    main()
