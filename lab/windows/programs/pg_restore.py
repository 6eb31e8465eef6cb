# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pg_restore, createdb and dropdb: the real ones against the cluster of this host, with the options of 8.4 (or 8.3).

Sources: the 8.3 and 8.4 manuals, main() of pg_restore.c (8.4: ``acCd:ef:F:h:iI:j:lL:n:Op:P:RsS:t:T:U:vwWxX:1``),
createdb.c and dropdb.c. Without -d pg_restore of 8.4 writes a script to its standard output; newer ones ask for ``-f -``.
"""

from __future__ import annotations

import re

from lab.windows.files import WindowsPathError
from lab.windows.pgtools import getopt
from lab.windows.pgtools.ansi import argument, file_name
from lab.windows.pgtools.getopt import Words
from lab.windows.pgtools.libpq import Target
from lab.windows.pgtools.tool import Ended, Sink, Unrestricted, crlf, fail, folder, on, run, version, words
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_LONG = (
    "clean=c create=C data-only=a dbname=d exit-on-error=e file=f format=F function=P host=h ignore-version=i index=I "
    "list=l no-privileges=x no-acl=x no-owner=O no-reconnect=R port=p password=W schema=n schema-only=s superuser=S "
    "table=t trigger=T use-list=L username=U verbose=v single-transaction=1 disable-triggers no-data-for-failed-tables "
    "use-set-session-authorization"
)
_RESTORE = (
    getopt.known("acCd:ef:F:h:iI:j:lL:n:Op:P:RsS:t:T:U:vwWxX:1", f"{_LONG} no-password=w jobs=j no-tablespaces role:"),
    getopt.known("acCd:ef:F:h:iI:lL:n:Op:P:RsS:t:T:U:vWxX:1", _LONG),
)
_CREATE_LONG = "host=h port=p username=U password=W echo=e owner=O tablespace=D template=T encoding=E"
_CREATE = (
    getopt.known("h:p:U:wWeO:D:T:E:l:", f"{_CREATE_LONG} no-password=w locale=l lc-collate: lc-ctype:"),
    getopt.known("h:p:U:WeO:D:T:E:", _CREATE_LONG),
)
_DROP_LONG = "host=h port=p username=U password=W echo=e interactive=i"
_DROP = (getopt.known("h:p:U:wWei", f"{_DROP_LONG} no-password=w"), getopt.known("h:p:U:Wei", _DROP_LONG))
# The comments at the head of a table of contents: the played version stands there too.
_DUMPED = re.compile(rb"(?m)^(;\s+Dumped (?:from database|by pg_dump) version: ).*$")


def _target(call: Call, asked: Words, database: str | None) -> Target:
    user, port = asked.value("U"), asked.value("p")
    return Target(call, asked.value("h"), database, user and argument(user), port and argument(port))


def _place(call: Call, text: str, what: str) -> str:
    """The real path of a file that is read."""
    try:
        real = call.host.drive.find(call.path(file_name(text)))
    except WindowsPathError:
        real = None
    if real is None:
        raise fail(call, "pg_restore", f'[archiver] could not open {what} "{text}": No such file or directory')
    return str(real)


@program("pg_restore", folder, on)
async def _pg_restore(call: Call) -> int:
    try:
        return await _restore(call)
    except Ended as ended:
        return ended.code
    except WindowsPathError:
        call.err("pg_restore: could not write to output file: No space left on device")
        return 1


async def _restore(call: Call) -> int:
    asked = words(call, "pg_restore", _RESTORE)
    if asked.has("d") and asked.has("f"):
        raise fail(call, "pg_restore", "options -d/--dbname and -f/--file cannot be used together", hint=True)
    arguments: list[str] = []
    for key, value in asked.options:
        if key in ("i", "R", "w", "W", "h", "d", "f"):
            continue
        if key == "X":
            raise LabRefusal("pg_restore -X is not played: the program behind has it no more")
        if key == "F" and value.lower() not in ("c", "custom", "t", "tar"):
            if value.lower() in ("f", "file"):
                raise LabRefusal(f"pg_restore -F {value}, which is not documented, is not played")
            text = f'unrecognized archive format "{value}"; please specify "c" or "t"'
            raise fail(call, "pg_restore", text)
        dashed = f"-{key}" if len(key) == 1 else f"--{key}"
        value = _place(call, value, "TOC file") if key == "L" else argument(value)  # noqa: PLW2901
        arguments += [dashed, value] if _RESTORE[0][key][0] else [dashed]
    database = asked.value("d")
    target = _target(call, asked, None if database is None else argument(database))
    sink: Sink = call.write
    plain = None
    writer = None
    if database is not None:
        arguments += ["-d", str(target.database())]
    else:
        file = asked.value("f")
        if file is not None:
            try:
                writer = call.host.drive.writer(call.path(file_name(file)))
            except WindowsPathError:
                text = f'[archiver] could not open output file "{file}": No such file or directory'
                raise fail(call, "pg_restore", text) from None
        sink = writer.write if writer else crlf(call.write)
        if asked.has("l"):
            sink = _listed(sink, version(call))
        else:
            sink = plain = Unrestricted(sink)
        arguments += ["-f", "-"]
    if asked.operands:
        arguments += ["--", _place(call, asked.operands[0], "input file")]
    try:
        code = await run(call, "pg_restore", target, arguments, asked, sink,
                         None if asked.operands else call.stdin.pieces())  # fmt: skip
        if plain:
            plain.end()
        return code
    finally:
        if writer:
            writer.close()


def _listed(sink: Sink, played: str) -> Sink:
    """A table of contents whose head names the played version."""
    return lambda data: sink(_DUMPED.sub(rb"\g<1>" + played.encode(), data))


async def _small(call: Call, name: str, profiles: tuple[getopt.Known, getopt.Known], operands: int) -> int:
    asked = words(call, name, profiles)
    if len(asked.operands) > operands:
        text = f'too many command-line arguments (first is "{asked.operands[operands]}")'
        raise fail(call, name, text, hint=True)
    if name == "dropdb" and not asked.operands:
        raise fail(call, name, "missing required argument database name", hint=True)
    if name == "dropdb" and asked.has("i"):
        raise LabRefusal("dropdb -i, which asks, is not played")
    arguments: list[str] = []
    for key, value in asked.options:
        if key not in ("h", "w", "W"):
            dashed = f"-{key}" if len(key) == 1 else f"--{key}"
            arguments += [dashed, argument(value)] if profiles[0][key][0] else [dashed]
    if asked.operands:
        arguments += ["--", *map(argument, asked.operands)]
    return await run(call, name, _target(call, asked, None), arguments, asked, crlf(call.write))


@program("createdb", folder, on)
async def _createdb(call: Call) -> int:
    try:
        return await _small(call, "createdb", _CREATE, 2)
    except Ended as ended:
        return ended.code


@program("dropdb", folder, on)
async def _dropdb(call: Call) -> int:
    try:
        return await _small(call, "dropdb", _DROP, 1)
    except Ended as ended:
        return ended.code
