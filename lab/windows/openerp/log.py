# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of an OpenERP 6.0 server.

Source: facts/openerp.md A3. A file in text mode has CR LF. The rotation at
midnight is not played. py2exe leaves the lines of the source out of a traceback: library.zip holds only bytecode.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from lab.windows.files import Drive, WindowsPathError

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
Frame = tuple[str, int, str]  # file, line, function


class Log:
    """Where a server writes what it does.

    Args:
        path: a file of the drive, or empty for standard output. stdout: standard output. level: the lowest that is written.
    """

    def __init__(self, drive: Drive, path: str, stdout: Callable[[bytes], None], level: int) -> None:
        self._drive, self._path, self._stdout, self._level = drive, path, stdout, level
        if path:
            folder = path.rpartition("\\")[0]
            if folder and drive.find(folder) is None:
                with contextlib.suppress(WindowsPathError):
                    drive.make(folder)
            self._put(b"")

    def _put(self, data: bytes) -> None:
        if not self._path:
            self._stdout(data)
            return
        # A handler that cannot write says so on a standard error that a service does not have.
        with contextlib.suppress(WindowsPathError, OSError):
            self._drive.write(self._path, data, append=True)

    def write(self, database: str, level: str, name: str, message: str, trace: str = "") -> None:
        """One record; ``trace``: a traceback that follows it without prefix, and an empty line."""
        if _LEVELS[level] < self._level:
            return
        now = time.time()
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now)) + f",{int(now * 1000) % 1000:03d}"
        text = f"[{stamp}][{database or '?'}] {level}:{name}:{message}\n"
        if trace:
            text += trace if trace.endswith("\n") else f"{trace}\n"
        self._put(text.replace("\n", "\r\n").encode("latin-1", "replace"))

    def info(self, database: str, name: str, message: str) -> None:
        """The usual record."""
        self.write(database, "INFO", name, message)


def as_bytes(text: str) -> str:
    """A unicode text as Python 2 puts it into a file of bytes: UTF-8, one character per byte."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def traceback(frames: list[Frame], error: str) -> str:
    """A traceback of the frozen program; ``error``: class and message, which may end with a line end of its own."""
    lines = "".join(f'  File "{name}", line {line}, in {function}\n' for name, line, function in frames)
    return f"Traceback (most recent call last):\n{lines}{error}\n"
