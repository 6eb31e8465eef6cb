# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pg_dump and pg_dumpall: the real ones against the cluster of this host, with the options of 8.4 (or 8.3).

Sources: the 8.3 and 8.4 manuals, main() of pg_dump.c and pg_dumpall.c: 8.3 ``abcCdDE:f:F:h:in:N:oOp:RsS:t:T:U:vWxX:Z:``
and ``acdDf:gh:il:oOp:rsS:tU:vWxX:``; 8.4 took -d and -D away, brought -w, --role, --lock-wait-timeout and
--no-tablespaces, and made -i a no-op. The archives are those of the real program and say so in their header.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from lab.windows.files import WindowsPathError
from lab.windows.pgtools import damage, getopt
from lab.windows.pgtools.ansi import argument, file_name
from lab.windows.pgtools.getopt import Words
from lab.windows.pgtools.libpq import Target
from lab.windows.pgtools.relay import relay
from lab.windows.pgtools.tool import (
    Ended,
    Sink,
    Unrestricted,
    crlf,
    fail,
    folder,
    forever,
    on,
    run,
    words,
)
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_DUMP_LONG = (
    "data-only=a blobs=b clean=c create=C file=f format=F host=h ignore-version=i no-reconnect=R oids=o no-owner=O port=p "
    "schema=n exclude-schema=N schema-only=s superuser=S table=t exclude-table=T password=W username=U verbose=v "
    "no-privileges=x no-acl=x compress=Z encoding=E disable-dollar-quoting disable-triggers use-set-session-authorization"
)
_NEW = "no-password=w attribute-inserts binary-upgrade column-inserts inserts lock-wait-timeout: no-tablespaces role:"
_DUMP = (
    getopt.known("abcCE:f:F:h:in:N:oOp:RsS:t:T:U:vwWxX:Z:", f"{_DUMP_LONG} {_NEW}"),
    getopt.known("abcCdDE:f:F:h:in:N:oOp:RsS:t:T:U:vWxX:Z:",
                 f"{_DUMP_LONG} inserts=d attribute-inserts=D column-inserts=D"),
)  # fmt: skip
_ALL_LONG = (
    "data-only=a clean=c file=f globals-only=g host=h ignore-version=i database=l oids=o no-owner=O port=p roles-only=r "
    "schema-only=s superuser=S tablespaces-only=t username=U verbose=v password=W no-privileges=x no-acl=x "
    "disable-dollar-quoting disable-triggers use-set-session-authorization"
)
_ALL = (
    getopt.known("acf:gh:il:oOp:rsS:tU:vwWxX:", f"{_ALL_LONG} {_NEW}"),
    getopt.known("acdDf:gh:il:oOp:rsS:tU:vWxX:", f"{_ALL_LONG} inserts=d attribute-inserts=D column-inserts=D"),
)
_NO_OPS = ("i", "R", "w", "h", "U", "p", "f", "F", "l")
_RENAMED = {"d": "inserts", "D": "column-inserts", "attribute-inserts": "column-inserts"}
_GONE = {"o": "--oids", "X": "-X", "binary-upgrade": "--binary-upgrade"}
_FORMATS = {"p": "p", "plain": "p", "c": "c", "custom": "c", "t": "t", "tar": "t"}
_PIECE = 1 << 16


def _arguments(asked: Words, profile: getopt.Known) -> list[str]:
    """The options that the real program has too, by its names."""
    found: list[str] = []
    for key, value in asked.options:
        if key in _GONE:
            raise LabRefusal(f"{_GONE[key]} is not played: the program behind has it no more")
        if key in _NO_OPS:
            continue
        name = _RENAMED.get(key, key)
        dashed = f"-{name}" if len(name) == 1 else f"--{name}"
        found += [dashed, argument(value)] if profile[key][0] else [dashed]
    if asked.has("U"):
        found += ["-U", argument(asked.value("U") or "")]
    if asked.has("p"):
        found += ["-p", argument(asked.value("p") or "")]
    return found


class _Output:
    """Where a dump goes: straight into a file of the drive, or through a stream that is looked at on its way."""

    def __init__(self, call: Call, name: str, form: str, asked: Words) -> None:
        self._call, self._name = call, name
        self.file: Path | None = None
        self.full = False
        file = asked.value("f")
        if file is not None:
            try:
                path = call.path(file_name(file))
                self._writer = call.host.drive.writer(path)
                self.file = call.host.drive.place(path)
            except WindowsPathError as error:
                reason = {3: "No such file or directory", 5: "Permission denied"}.get(error.code, "Invalid argument")
                raise fail(call, name, f'[archiver] could not open output file "{file}": {reason}') from None
        # Text on standard output passes the C runtime's text mode; a file is opened in binary mode (PG_BINARY_W).
        target = self._write if file is not None else crlf(self._stdout) if form == "p" else self._stdout
        self._plain = Unrestricted(target) if form == "p" and not asked.has("Z") else None
        self.sink: Sink = self._plain or target
        self.direct = self.file is not None and form != "p"

    def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
        except WindowsPathError:
            self.full = True
            raise

    def _stdout(self, data: bytes) -> None:
        try:
            self._call.write(data)
        except WindowsPathError:
            self.full = True
            raise

    def close(self) -> None:
        """The program has ended."""
        try:
            if self._plain and not self.full:
                self._plain.end()
        finally:
            if self.file is not None:
                self._writer.close()


async def _made(call: Call, name: str, output: _Output, form: str, target: Target, arguments: list[str], asked: Words,
                trouble: str, address: str | None) -> int:  # fmt: skip
    """Run the real program; what a fault has to spoil is made in a scratch file or in the file itself."""
    if output.direct or trouble:
        with tempfile.TemporaryDirectory(prefix="lab-dump") as folder_name:
            place = output.file if output.direct and output.file else Path(folder_name) / "dump"
            code = await run(call, name, target, ["-f", str(place), *arguments], asked, call.write, None, address)
            if code == 0 and trouble:
                {"dump_fails": lambda path: damage.truncate(path, 1, 2),
                 "dump_truncated": lambda path: damage.truncate(path, 9, 10),
                 "dump_flipped": damage.flip}[trouble](place)  # fmt: skip
            if not output.direct:
                with place.open("rb") as stream:
                    while data := stream.read(_PIECE):
                        output.sink(data)
                        await call.drain()
            return code
    return await run(call, name, target, arguments, asked, output.sink, None, address)


@program("pg_dump", folder, on)
async def _pg_dump(call: Call) -> int:
    try:
        return await _dump(call)
    except Ended as ended:
        return ended.code


async def _dump(call: Call) -> int:
    name = "pg_dump"
    asked = words(call, name, _DUMP)
    if len(asked.operands) > 1:
        raise fail(call, name, f'too many command-line arguments (first is "{asked.operands[1]}")', hint=True)
    if asked.has("a") and asked.has("s"):
        raise fail(call, name, "options -s/--schema-only and -a/--data-only cannot be used together")
    given = asked.value("F") or "p"
    if given.lower() in ("a", "append", "f", "file"):
        raise LabRefusal(f"pg_dump -F {given}, which is not documented, is not played")
    form = _FORMATS.get(given.lower())
    if form is None:
        raise fail(call, name, f'invalid output format "{given}" specified')
    database = argument(asked.operands[0]) if asked.operands else None
    user, port = asked.value("U"), asked.value("p")
    target = Target(call, asked.value("h"), database, user and argument(user), port and argument(port))
    arguments = ["-F", form, *_arguments(asked, _DUMP[0] | _DUMP[1])]
    if target.database() is not None:
        arguments += ["--", str(target.database())]
    faults = call.host.faults
    on_now = [fault for fault in ("dump_hangs", "dump_silent", "dump_fails", "dump_truncated", "dump_flipped")
              if damage.concerns(faults, fault, target.bytes_of_name)]  # fmt: skip
    trouble = on_now[0] if on_now else ""
    output = _Output(call, name, form, asked)
    try:
        if trouble == "dump_hangs":
            return await forever()
        if trouble == "dump_silent":
            output.sink(b"PGDMP")
            return 0
        limit = faults.number("server_stops")
        if limit is not None and target.is_here:
            async with relay(target.address, int(target.port), limit, call.host.lose_server) as address:
                return await _made(call, name, output, form, target, arguments, asked, trouble, address)
        code = await _made(call, name, output, form, target, arguments, asked, trouble, None)
    except WindowsPathError:
        raise fail(call, name, "could not write to output file: No space left on device") from None
    finally:
        output.close()
    if code == 0 and trouble == "dump_fails":
        call.err("pg_dump: Error message from server: ERROR:  invalid memory alloc request size 4294967293\n"
                 "pg_dump: The command was: COPY public.account_move_line TO stdout;")  # fmt: skip
        return 1
    return code


@program("pg_dumpall", folder, on)
async def _pg_dumpall(call: Call) -> int:
    try:
        return await _dump_all(call)
    except Ended as ended:
        return ended.code


async def _dump_all(call: Call) -> int:
    name = "pg_dumpall"
    asked = words(call, name, _ALL)
    if asked.operands:
        raise fail(call, name, f'too many command-line arguments (first is "{asked.operands[0]}")', hint=True)
    for first, second in (("g", "r"), ("g", "t"), ("r", "t")):
        if asked.has(first) and asked.has(second):
            longs = {"g": "globals-only", "r": "roles-only", "t": "tablespaces-only"}
            raise fail(call, name, f"options -{first}/--{longs[first]} and -{second}/--{longs[second]} cannot be used "
                       "together", hint=True)  # fmt: skip
    user, port = asked.value("U"), asked.value("p")
    default = asked.value("l")
    target = Target(call, asked.value("h"), None, user and argument(user), port and argument(port))
    arguments = _arguments(asked, _ALL[0] | _ALL[1])
    if default is not None:
        arguments += ["-l", argument(default)]
    output = _Output(call, name, "p", asked)
    try:
        return await run(call, name, target, arguments, asked, output.sink)
    except WindowsPathError:
        raise fail(call, name, "could not write to output file: No space left on device") from None
    finally:
        output.close()
