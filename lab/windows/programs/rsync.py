# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rsync of a Cygwin of 2013 (3.0.9): the real one of this machine, with the options and the protocol of 3.0.9.

Sources: rsync(1) of 3.0.9, main.c (start_client, check_for_hostspec), Cygwin's user guide on paths and on file names,
which are UTF-8 by default. A path with a drive letter is a remote host of that name to rsync: ``C:\\x`` has a colon before
any slash. Of remote sources and targets only those of a daemon are played: the host has no ssh.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lab import realtool
from lab.windows.cygwin.rsync_options import BadOption, Words, read
from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.host import Host

_BIN = "C:\\cygwin\\bin"
_ROOT = "C:\\cygwin"
_LOCAL_FILES = ("password-file", "exclude-from", "include-from", "files-from", "log-file")
_LOCAL_FOLDERS = ("temp-dir", "backup-dir", "partial-dir", "compare-dest", "copy-dest", "link-dest")
_NOT_PLAYED = ("rsh", "rsync-path", "write-batch", "only-write-batch", "read-batch", "daemon", "server", "config", "iconv",
               "protocol", "help")  # fmt: skip
_CODES = {1: "syntax or usage error", 14: "error in IPC code"}


def _on(host: Host) -> bool:
    return host.plan.cygwin


class _Refused(Exception):
    """rsync says something and ends."""

    def __init__(self, code: int, *lines: str) -> None:
        super().__init__(code)
        self.code, self.lines = code, lines


def _remote(word: str) -> bool:
    """Whether rsync takes a word for something on another host (check_for_hostspec)."""
    if word.lower().startswith("rsync://"):
        return True
    return ":" in word.partition("/")[0] and not word.startswith(":")


def _daemon(word: str) -> bool:
    return word.lower().startswith("rsync://") or "::" in word.partition("/")[0]


def _local(call: Call, word: str) -> str:
    """The real path of a Cygwin path; a slash at its end, which says "the content", stays."""
    if "\\" in word:
        raise LabRefusal(f"backslashes in a path of Cygwin's rsync are not played: {word}")
    here = call.host.drive.find(call.cwd)
    if not word.startswith("/") and here is not None and (here / word).exists():
        return word  # relative names stay: rsync sends them as they were written
    match = re.match(r"/cygdrive/([a-zA-Z])(/.*)?$", word)
    if match and match[1].lower() != "c":
        raise _Refused(23, f'rsync: link_stat "{word}" failed: No such file or directory (2)')
    path = f"C:{match[2] or '/'}" if match else f"{_ROOT}{word}" if word.startswith("/") else word
    try:
        wanted = call.path(path)
        folder, _unused, last = wanted.rpartition("\\")
        base = call.host.drive.find(wanted)
        if base is None:
            above = call.host.drive.find(f"{folder}\\" if folder.endswith(":") else folder)
            base = (above / last) if above else call.host.drive.root / wanted[3:].replace("\\", "/")
    except WindowsPathError:
        raise LabRefusal(f"this path is not played: {word}") from None
    return str(base) + ("/" if word.endswith("/") else "/." if word.endswith("/.") else "")


def _operands(call: Call, asked: Words) -> list[str]:
    """Sources and target for the real program. Raises _Refused."""
    words = asked.operands
    if not words:
        raise _Refused(1, "rsync  version 3.0.9  protocol version 30")
    target = words[-1] if len(words) > 1 else ""
    sources = words[:-1] if len(words) > 1 else words
    if any(map(_remote, sources)) and target and _remote(target):
        raise _Refused(1, "The source and destination cannot both be remote.")
    if any(map(_remote, sources)) and not all(map(_remote, sources)):
        raise _Refused(1, "All source args must come from the same machine.")
    if any(_remote(word) and not _daemon(word) for word in words):
        raise _Refused(14, "rsync: Failed to exec ssh: No such file or directory (2)")
    if asked.has("relative") and any(word.startswith("/") for word in sources):
        raise LabRefusal("--relative with an absolute source is not played")
    return [word if _remote(word) else _local(call, word) for word in words]


def _arguments(call: Call, asked: Words, scratch: Path) -> list[str]:
    """The options for the real program."""
    found: list[str] = []
    receives = len(asked.operands) > 1 and not _remote(asked.operands[-1])
    for name, value in asked.options:
        if name in _NOT_PLAYED:
            raise LabRefusal(f"this option of rsync is not played: --{name}")
        dashed = f"-{name}" if len(name) == 1 else f"--{name}"
        if value is None:
            found.append(dashed)
            continue
        text = value
        if name in _LOCAL_FILES and value != "-":
            text = _local(call, value)
            if name == "password-file":
                text = _password(text, scratch)
        elif name in _LOCAL_FOLDERS and receives and value.startswith("/"):
            text = _local(call, value)
        # A value that may be empty or begin with a dash stands behind an equals sign.
        found.append(f"{dashed}={text}" if len(name) > 1 else f"{dashed}{text}")
    return found


def _password(path: str, scratch: Path) -> str:
    """A copy of a password file with rights that the real rsync accepts; on the drive rights are not its business."""
    copy = scratch / "password"
    copy.touch(mode=0o600)
    try:
        shutil.copyfile(path, copy)
    except OSError:
        return path
    return str(copy)


@program("rsync", lambda host: _BIN, _on)
async def _rsync(call: Call) -> int:
    try:
        asked = read(call.argv)
        if asked.has("version"):
            call.write(b"rsync  version 3.0.9  protocol version 30\nCopyright (C) 1996-2011 by Andrew Tridgell, Wayne "
                       b"Davison, and others.\nWeb site: http://rsync.samba.org/\n")  # fmt: skip
            return 0
        with tempfile.TemporaryDirectory(prefix="lab-rsync") as folder:
            operands = _operands(call, asked)
            arguments = _arguments(call, asked, Path(folder))
            if "rsync_silent" in call.host.faults:
                return 0
            return await _run(call, [*arguments, "--", *operands], asked)
    except BadOption as problem:
        _say(call, f"rsync: {problem.option}: {problem.reason}", "rsync error: syntax or usage error (code 1) at "
             "main.c(1453) [client=3.0.9]")  # fmt: skip
        return 1
    except _Refused as refused:
        what = _CODES.get(refused.code, "some files could not be transferred")
        _say(call, *refused.lines, f"rsync error: {what} (code {refused.code}) at main.c(1292) [sender=3.0.9]")
        return refused.code


def _say(call: Call, *lines: str) -> None:
    """Cygwin's programs write UTF-8 and no CR."""
    call.write_error("".join(f"{line}\n" for line in lines).encode())


async def _run(call: Call, arguments: list[str], asked: Words) -> int:
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    environment.update({name: value for name, value in call.env.items() if name in ("RSYNC_PASSWORD", "USER")})
    environment.setdefault("LOGNAME", call.user)
    here = call.host.drive.find(call.cwd)
    root = str(call.host.drive.root).encode()

    def out(data: bytes) -> None:
        call.write(data.replace(root, b"/cygdrive/c"))

    def error(data: bytes) -> None:
        call.write_error(data.replace(root, b"/cygdrive/c"))

    reads = "-" in [asked.value(name) for name in ("files-from", "exclude-from", "include-from", "password-file")]
    # The wire is that of 3.0.9: protocol 30, without what newer ones agree upon.
    return await realtool.run(
        [realtool.rsync(), "--protocol=30", *arguments], environment, str(here or call.host.drive.root), call.host.disk, out, error,
        call.stdin.pieces() if reads else None, call.drain,
    )  # fmt: skip
