# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands inside cmd.exe that work on files."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from lab.windows.builtins import builtin, only, syntax, words
from lab.windows.dfs.tree import PRIVATE
from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.interpreter import Cmd


_PIECE = 1 << 20


def matching(call: Call, pattern: str, unc: bool = False) -> tuple[str, list[str]]:
    """(folder, paths) of a path whose last part may have ``*`` and ``?``."""
    folder, _unused, mask = pattern.replace("/", "\\").rpartition("\\")
    if "*" not in mask and "?" not in mask:
        path = call.path(pattern, unc)
        found = [call.host.drive.true_case(path)] if call.host.drive.find(path) else []
        return path.rpartition("\\")[0] or "C:\\", found
    path = call.path(f"{folder}\\" if folder.endswith(":") else folder or ".", unc)
    expression = re.escape(mask).replace(r"\*", ".*").replace(r"\?", ".")
    expression = ".*" if mask == "*.*" else expression
    head = path.rstrip("\\")
    names = [name for name, _unused in call.host.drive.listing(path)]
    return path, [f"{head}\\{name}" for name in names if re.fullmatch(expression, name, re.IGNORECASE)]


@builtin("type")
async def _type(cmd: Cmd, call: Call, tail: str) -> int:
    operands, switches = words(tail)
    only("type", switches, "")
    if not operands:
        return syntax(call)
    for operand in operands:
        with call.host.drive.reader(call.path(operand, unc=True)) as stream:
            data = stream.read(_PIECE)
            if data.startswith(b"\xff\xfe"):  # type converts UTF-16 to the console's code page
                data = (data + stream.read())[2:].decode("utf-16-le", "replace").encode(call.encoding, "replace")
            while data:
                call.write(data)
                await call.drain()
                data = stream.read(_PIECE)
    return 0


@builtin("dir")
async def _dir(cmd: Cmd, call: Call, tail: str) -> int:
    operands, switches = words(tail)
    only("dir", switches, "/b /a /s /ad /a:d /a-d /a:-d /on /o /o:n /-c")
    if "/b" not in switches:
        raise LabRefusal("dir is played with /b only")
    pattern = operands[0] if operands else "."
    drive = call.host.drive
    if drive.is_gone(call.path(pattern.rstrip("\\*"), unc=True)):
        raise WindowsPathError(3)
    if "*" not in pattern and "?" not in pattern and drive.is_folder(call.path(pattern, unc=True)):
        pattern = f"{call.path(pattern, unc=True).rstrip(chr(92))}\\*"
    folder, found = matching(call, pattern, unc=True)
    if "/s" in switches:
        mask = pattern.rpartition("\\")[2]
        todo, found = [folder], []
        while todo:
            here = todo.pop(0)
            found += matching(call, f"{here.rstrip(chr(92))}\\{mask}", unc=True)[1]
            todo += [f"{here.rstrip(chr(92))}\\{name}" for name, real in drive.listing(here)
                     if real.is_dir() and not real.is_symlink()]  # fmt: skip
    folders = {"/ad", "/a:d"} & set(switches)
    files = {"/a-d", "/a:-d"} & set(switches)
    found = [path for path in found if not (folders or files) or drive.is_folder(path) == bool(folders)]
    if not any(switch.startswith("/a") for switch in switches):
        found = [path for path in found if PRIVATE.lower() not in path.lower().split("\\")]  # a hidden folder
    if not found:
        call.err(call.say("Fichier introuvable", "File Not Found"))
        return 1
    for path in found:
        shown = drive.true_case(path)
        call.out(shown if "/s" in switches else shown.rpartition("\\")[2])
    return 0


@builtin("copy")
async def _copy(cmd: Cmd, call: Call, tail: str) -> int:
    operands, switches = words(tail)
    only("copy", switches, "/y /b /v /-y")
    if not operands or len(operands) > 2:
        return syntax(call)
    if "+" in operands[0]:
        raise LabRefusal("joining files with copy is not played")
    _unused, sources = matching(call, operands[0], unc=True)
    sources = [path for path in sources if not call.host.drive.is_folder(path)]
    if not sources:
        call.err(call.host.system(2))
        return 1
    target = call.path(operands[1] if len(operands) > 1 else ".", unc=True)
    copied = 0
    for source in sources:
        into = f"{target}\\{source.rpartition(chr(92))[2]}" if call.host.drive.is_folder(target) else target
        if into.lower() == source.lower():
            call.err(call.say("Le fichier ne peut être copié sur lui-même.", "The file cannot be copied onto itself."))
            call.out(call.say(f"        {copied} fichier(s) copié(s).", f"        {copied} file(s) copied."))
            return 1
        try:
            call.host.drive.copy(source, into)
        except WindowsPathError as error:
            call.err(call.host.system(error.code))
            call.out(call.say(f"        {copied} fichier(s) copié(s).", f"        {copied} file(s) copied."))
            return 1
        copied += 1
    call.out(call.say(f"        {copied} fichier(s) copié(s).", f"        {copied} file(s) copied."))
    return 0


@builtin("move")
async def _move(cmd: Cmd, call: Call, tail: str) -> int:
    operands, switches = words(tail)
    only("move", switches, "/y /-y")
    if len(operands) != 2:
        return syntax(call)
    drive = call.host.drive
    source, target = call.path(operands[0]), call.path(operands[1])
    real = drive.find(source)
    if real is None:
        call.err(call.host.system(2))
        return 1
    if real.is_dir():
        drive.free(source)
    if drive.is_folder(target):
        target = f"{target}\\{drive.true_case(source).rpartition(chr(92))[2]}"
    place = drive.place(target)
    if place.is_dir():
        raise WindowsPathError(5)
    disks = call.host.disks
    if disks.of_path(source) is not disks.of_path(target):
        # To another volume a file is copied, and has what it inherits there; a folder is not moved (MoveFileEx).
        if real.is_dir():
            raise WindowsPathError(5)
        call.host.acls.forget(source)
    real.replace(place)
    call.host.acls.move(source, target)
    kind = call.say("fichier(s) déplacé(s)", "file(s) moved") if not place.is_dir() else "dir"
    call.out(f"        1 {kind}.")
    return 0


@builtin("ren")
async def _ren(cmd: Cmd, call: Call, tail: str) -> int:
    operands, switches = words(tail)
    only("ren", switches, "")
    if len(operands) != 2 or "\\" in operands[1]:
        return syntax(call)
    source = call.path(operands[0])
    real = call.host.drive.find(source)
    if real is None:
        raise WindowsPathError(2)
    target = f"{source.rpartition(chr(92))[0]}\\{operands[1]}"
    if call.host.drive.find(target) is not None and target.lower() != source.lower():
        call.err(call.say("Un fichier en double existe, ou le fichier est introuvable.",
                          "A duplicate file name exists, or the file cannot be found."))  # fmt: skip
        return 1
    if real.is_dir():
        call.host.drive.free(source)
    real.replace(real.parent / operands[1])
    call.host.acls.move(source, target)
    return 0


@builtin("del")
async def _del(cmd: Cmd, call: Call, tail: str) -> int:
    operands, switches = words(tail)
    only("del", switches, "/f /q /a")
    if not operands:
        return syntax(call)
    for operand in operands:
        wild = "*" in operand or "?" in operand
        pattern = f"{operand}\\*" if not wild and call.host.drive.is_folder(call.path(operand)) else operand
        found = [path for path in matching(call, pattern)[1] if not call.host.drive.is_folder(path)]
        if not found:
            # del of an absent file says so and still gives 0.
            shown = operand if wild else call.path(operand)
            call.err(call.say(f"Impossible de trouver {shown}", f"Could Not Find {shown}"))
        for path in found:
            call.host.drive.remove(path)
            call.host.acls.forget(path)
    return 0


@builtin("mkdir")
async def _mkdir(cmd: Cmd, call: Call, tail: str) -> int:
    operands, switches = words(tail)
    only("mkdir", switches, "")
    if not operands:
        return syntax(call)
    code = 0
    for operand in operands:
        try:
            call.host.drive.make(call.path(operand))
        except WindowsPathError as error:
            if error.code != 183:
                raise
            call.err(call.say(f"Un sous-répertoire ou un fichier {operand} existe déjà.",
                              f"A subdirectory or file {operand} already exists."))  # fmt: skip
            code = 1
    return code


@builtin("rmdir")
async def _rmdir(cmd: Cmd, call: Call, tail: str) -> int:
    operands, switches = words(tail)
    only("rmdir", switches, "/s /q")
    if not operands:
        return syntax(call)
    for operand in operands:
        path = call.path(operand)
        real = call.host.drive.find(path)
        if real is None:
            raise WindowsPathError(2)
        if real.is_symlink():  # a mount point: RemoveDirectory takes it away, the volume keeps its files
            call.host.drive.remove(path)
            continue
        if not real.is_dir():
            raise WindowsPathError(267)
        if "/s" not in switches and any(real.iterdir()):
            raise WindowsPathError(145)
        kept = [name for name in call.host.drive.busy() if name.startswith(f"{path.lower()}\\")]
        if kept:  # what can be deleted is, the programs that run stay
            _emptied(call, path, set(kept))
            raise WindowsPathError(5)
        shutil.rmtree(real)
        call.host.acls.forget(path)
    return 0


def _emptied(call: Call, path: str, kept: set[str]) -> None:
    for name, real in call.host.drive.listing(path):
        below = f"{path}\\{name}"
        if any(item == below.lower() or item.startswith(f"{below.lower()}\\") for item in kept):
            if real.is_dir():
                _emptied(call, below, kept)
        else:
            call.host.drive.remove(below)
