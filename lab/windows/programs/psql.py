# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""psql: the real one against the cluster of this host, with the options of 8.4 (or 8.3).

Sources: the 8.4 manual, startup.c of 8.4 (``aAc:d:eEf:F:h:HlL:no:p:P:qR:sStT:U:v:VwWxX?1``; -w came with 8.4).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from lab.windows.files import WindowsPathError
from lab.windows.pgtools import getopt
from lab.windows.pgtools.ansi import ansi, argument, file_name
from lab.windows.pgtools.libpq import Target
from lab.windows.pgtools.played import rewritten
from lab.windows.pgtools.tool import Ended, crlf, fail, folder, on, run, version, words
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_LONG = (
    "echo-all=a no-align=A command=c dbname=d echo-queries=e echo-hidden=E file=f field-separator=F host=h html=H "
    "list=l log-file=L no-readline=n output=o port=p pset=P quiet=q record-separator=R single-step=s single-line=S "
    "tuples-only=t table-attr=T username=U set=v variable=v password=W expanded=x no-psqlrc=X single-transaction=1"
)
_PROFILES = (
    getopt.known("aAc:d:eEf:F:h:HlL:no:p:P:qR:sStT:U:v:wWxX1", f"{_LONG} no-password=w"),
    getopt.known("aAc:d:eEf:F:h:HlL:no:p:P:qR:sStT:U:v:WxX1", _LONG),
)
_NOT_PLAYED = ("s", "n", "L")


async def _lines(source: AsyncIterator[bytes], played: str) -> AsyncIterator[bytes]:
    """Standard input, whole lines at a time, without the CRs that a stream in text mode takes away."""
    rest = b""
    async for data in source:
        whole, newline, rest = (rest + data).rpartition(b"\n")
        if newline:
            yield rewritten(whole.replace(b"\r\n", b"\n").removesuffix(b"\r") + newline, played)
    if rest:
        yield rewritten(rest, played)


def _script(call: Call, name: str, scratch: Path, number: int) -> str:
    """A file for -f, or a copy in which the server's version is the played one."""
    real = call.host.drive.find(call.path(file_name(name)))
    if real is None or not real.is_file():
        raise fail(call, "psql", f"{name}: No such file or directory")
    copy = scratch / f"script{number}.sql"
    changed = False
    with real.open("rb") as source, copy.open("wb") as target:
        for line in source:
            new = rewritten(line, version(call))
            changed = changed or new != line
            target.write(new)
    return str(copy if changed else real)


@program("psql", folder, on)
async def _psql(call: Call) -> int:
    try:
        with tempfile.TemporaryDirectory(prefix="lab-psql") as scratch:
            return await _run(call, Path(scratch))
    except Ended as ended:
        return ended.code


async def _run(call: Call, scratch: Path) -> int:
    asked = words(call, "psql", _PROFILES)
    operands = list(asked.operands)
    database = asked.value("d")
    if database is None and operands:
        database = operands.pop(0)
    user = asked.value("U")
    if user is None and operands:
        user = operands.pop(0)
    for word in operands:
        call.err(call.say(f"psql : attention : option supplémentaire « {word} » ignorée",
                          f'psql: warning: extra command-line argument "{word}" ignored'))  # fmt: skip
    given = None if database is None else argument(database)
    target = Target(call, asked.value("h"), given, user and argument(user), asked.value("p"))
    arguments: list[str] = []
    for letter, value in asked.options:
        if letter in _NOT_PLAYED:
            raise LabRefusal(f"psql -{letter} is not played")
        if letter in ("h", "d", "U", "w", "W"):
            continue
        if letter == "c":
            arguments += ["-c", os.fsdecode(rewritten(ansi(value), version(call)))]
        elif letter == "f":
            arguments += ["-f", "-" if value == "-" else _script(call, value, scratch, len(arguments))]
        elif letter == "o":
            try:
                arguments += ["-o", str(call.host.drive.place(call.path(file_name(value))))]
            except WindowsPathError:
                raise fail(call, "psql", f"{value}: No such file or directory") from None
        else:
            takes = _PROFILES[0][letter][0]
            arguments += [f"-{letter}", argument(value)] if takes else [f"-{letter}"]
    if target.database() is not None:
        arguments += ["-d", str(target.database())]
    if user is not None:
        arguments += ["-U", argument(user)]
    reads = ("f", "-") in asked.options or not asked.has("c", "f", "l")
    stdin = _lines(call.stdin.pieces(), version(call)) if reads else None
    return await run(call, "psql", target, arguments, asked, crlf(call.write), stdin)
