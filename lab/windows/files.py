# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The C: drive of a host: a real folder, looked up without regard to case, made when it is first needed."""

from __future__ import annotations

import errno
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from lab.windows.refusal import LabRefusal

_INVALID = set('<>:"|?*')


class WindowsPathError(Exception):
    """A path that Windows refuses: ``code`` is the Windows error."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Writer:
    """A file that is open for writing. A write that finds the disk full raises WindowsPathError 112."""

    def __init__(self, real: Path, append: bool, is_full: Callable[[], bool]) -> None:
        self._is_full = is_full
        try:
            self._stream = real.open("ab" if append else "wb", buffering=0)
        except OSError:
            raise WindowsPathError(5) from None

    def write(self, data: bytes) -> None:
        """Write all of it, or raise."""
        if not data:
            return
        if self._is_full():
            raise WindowsPathError(112)
        try:
            self._stream.write(data)
        except OSError as error:
            raise WindowsPathError(112 if error.errno == errno.ENOSPC else 5) from None

    def close(self) -> None:
        """Close it."""
        self._stream.close()


Remote = Callable[[str], "tuple[Drive, str, str]"]


def _leads_nowhere(real: Path) -> bool:
    """Whether this is a mount point whose volume is not there (disks.py)."""
    return real.is_symlink() and not real.exists()


def _nobody(path: str) -> tuple[Drive, str, str]:
    raise WindowsPathError(53)


class Drive:
    """Windows paths on one side, files on the other.

    Args:
        root: the folder that is C:. populate: called once, before the first use, with this drive.
        is_full: whether writing must fail for want of space.

    Attributes:
        remote: for a path as ``absolute(..., unc=True)`` gives it: the drive that it is on, the path there, and the path
            of the share's folder there. Raises WindowsPathError: 53 no such computer, 67 no such share, 5 access denied.
        is_locked: whether somebody holds files of this name (in lower case) open and shares them with nobody.
        played: what a file seems to hold, by its name, where that is not what it holds; None: it does.
        busy: paths, in lower case, of the programs that run: they are neither written nor deleted.
    """

    def __init__(self, root: Path, populate: Callable[[Drive], None], is_full: Callable[[], bool]) -> None:
        self._root = root
        self._populate = populate
        self._is_full = is_full
        self._ready = False
        self.remote: Remote = _nobody
        self.is_locked: Callable[[str], bool] = lambda name: False
        self.busy: Callable[[], set[str]] = set
        self.played: Callable[[str], bytes | None] = lambda name: None

    @property
    def is_made(self) -> bool:
        """Whether somebody has used it already."""
        return self._ready

    @property
    def root(self) -> Path:
        """The real folder of C:, made and filled when it is not there yet."""
        if not self._ready:
            self._ready = True
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._populate(self)
        return self._root

    @staticmethod
    def absolute(text: str, cwd: str = "C:\\", unc: bool = False) -> str:
        """A Windows path as ``C:\\a\\b``: slashes, ``.`` and ``..`` resolved, no backslash at the end but the root's.

        Raises:
            WindowsPathError: 123 bad syntax, 3 a drive that is not there. LabRefusal: UNC paths where they are not played.
        """
        path = text.strip().strip('"').replace("/", "\\")
        path = path.removeprefix("\\\\?\\")
        head = "C:\\"
        if path.startswith("\\\\") and unc:
            computer, _unused, rest = path[2:].partition("\\")
            share, _unused, path = rest.partition("\\")
            if not computer or not share:
                raise WindowsPathError(53 if not computer else 67)
            head, path = f"\\\\{computer}\\{share}\\", f"\\{path}"
        if path.startswith("\\\\"):
            raise LabRefusal(f"network paths are not played: {text}")
        if len(path) > 1 and path[1] == ":":
            if path[0].upper() != "C":
                raise WindowsPathError(3)
            rest = path[2:]
            path = rest if rest.startswith("\\") else f"{cwd[2:]}\\{rest}"
        elif not path.startswith("\\"):
            path = f"{cwd[2:]}\\{path}"
        parts: list[str] = []
        for part in path.split("\\"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part.rstrip(" ."))
        if any(_INVALID & set(part) or not part for part in parts):
            raise WindowsPathError(123)
        return head + "\\".join(parts) if parts or head == "C:\\" else head.rstrip("\\")

    def _walk(self, path: str) -> tuple[Path, list[str]]:
        """The real path of the part that exists, and the names that do not."""
        if path.startswith("\\\\"):
            drive, local, _unused = self.remote(path)
            return drive._walk(local)
        real = self.root
        names = [part for part in path[3:].split("\\") if part]
        for index, name in enumerate(names):
            child = real / name
            if not child.exists() and not child.is_symlink():
                match = next((entry for entry in self._children(real) if entry.name.lower() == name.lower()), None)
                if match is None:
                    return real, names[index:]
                child = match
            real = child
        return real, []

    @staticmethod
    def _children(folder: Path) -> list[Path]:
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def find(self, path: str) -> Path | None:
        """The real path of something that exists."""
        real, missing = self._walk(path)
        return None if missing else real

    def is_folder(self, path: str) -> bool:
        """Whether a path exists and is a folder."""
        real = self.find(path)
        return bool(real and real.is_dir())

    @staticmethod
    def is_mount(real: Path) -> bool:
        """Whether a real folder of C: is a mount point (disks.py)."""
        return real.is_symlink() and real.readlink().parent.name == "volumes"

    def is_gone(self, path: str) -> bool:
        """Whether this is a mount point whose disk is not there."""
        real = self.find(path)
        return real is not None and _leads_nowhere(real)

    def look(self, path: str) -> tuple[bool, int]:
        """Whether a path is a folder, and the number of the real file; 0 where there is none."""
        real = self.find(path)
        try:
            found = real.stat() if real else None
        except OSError:
            found = None
        return (stat.S_ISDIR(found.st_mode), found.st_ino) if found else (False, 0)

    def true_case(self, path: str) -> str:
        """The path with the case that the names have on the disk."""
        if path.startswith("\\\\"):
            drive, local, share = self.remote(path)
            rest = drive.true_case(local)[len(share) :]
            return path[: len(path) - len(rest)] + rest
        real, missing = self._walk(path)
        parts = [*real.relative_to(self.root).parts, *missing]
        return "C:\\" + "\\".join(parts)

    def _mine(self, path: str) -> None:
        """What is on another computer can only be read: raises WindowsPathError 5, or what keeps one from reaching it."""
        if path.startswith("\\\\"):
            self.remote(path)
            raise WindowsPathError(5)

    def place(self, path: str) -> Path:
        """The real path of something to create in a folder that exists. Raises WindowsPathError 3, 5 (a share)."""
        self._mine(path)
        real, missing = self._walk(path)
        if len(missing) > 1 or (missing and not real.is_dir()) or _leads_nowhere(real):
            raise WindowsPathError(3)
        return real / missing[0] if missing else real

    def make(self, path: str) -> Path:
        """A folder with all its parents, as mkdir does. Raises WindowsPathError 183 when something is there."""
        self._mine(path)
        real, missing = self._walk(path)
        if not missing:
            raise WindowsPathError(183)
        if not real.is_dir():
            raise WindowsPathError(3)
        for name in missing:
            real = real / name
            real.mkdir()
        return real

    def write(self, path: str, data: bytes, append: bool = False) -> None:
        """Write a file. Raises WindowsPathError: 3, 5 (a folder), 112 (disk full)."""
        writer = self.writer(path, append)
        try:
            writer.write(data)
        finally:
            writer.close()

    def writer(self, path: str, append: bool = False) -> Writer:
        """A file open for writing. Raises WindowsPathError: 3, 5 (a folder), 32 (a program that runs)."""
        real = self.place(path)
        if path.lower() in self.busy():
            raise WindowsPathError(32)
        if real.is_dir():
            raise WindowsPathError(5)
        self._shared(real)
        return Writer(real, append, self._is_full)

    def copy(self, source: str, target: str) -> None:
        """Copy a file piece by piece; an incomplete copy is removed, as CopyFile does. Raises WindowsPathError."""
        real, missing = self._walk(source)
        if missing or _leads_nowhere(real):
            raise WindowsPathError(2 if len(missing) == 1 and real.is_dir() else 3)
        self._shared(real)
        writer = self.writer(target)
        try:
            with real.open("rb") as stream:
                while data := stream.read(1 << 20):
                    writer.write(data)
        except WindowsPathError:
            self.place(target).unlink(missing_ok=True)
            raise
        finally:
            writer.close()

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises WindowsPathError: 2 or 3 absent, 5 a folder."""
        with self.reader(path) as stream:
            return self.played(path.rpartition("\\")[2]) or stream.read()

    def reader(self, path: str) -> BinaryIO:
        """A file open for reading. Raises WindowsPathError: 2 or 3 absent, 5 a folder."""
        real, missing = self._walk(path)
        if missing or _leads_nowhere(real):
            raise WindowsPathError(2 if len(missing) == 1 and real.is_dir() else 3)
        if real.is_dir():
            raise WindowsPathError(5)
        self._shared(real)
        return real.open("rb")

    def _shared(self, real: Path) -> None:
        if self.is_locked(real.name.lower()):
            raise WindowsPathError(32)

    def remove(self, path: str) -> None:
        """Remove a file or a whole folder."""
        self._mine(path)
        real = self.find(path)
        if real is None:
            raise WindowsPathError(2)
        self.free(path)
        if real.is_dir() and not real.is_symlink():
            shutil.rmtree(real)
        else:
            real.unlink()

    def free(self, path: str) -> None:
        """Raises WindowsPathError 5 when this is, or holds, a program that runs: it can be neither deleted nor moved away."""
        low = path.lower()
        if any(name == low or name.startswith(f"{low}\\") for name in self.busy()):
            raise WindowsPathError(5)

    def listing(self, path: str) -> list[tuple[str, Path]]:
        """(name, real path) of a folder's entries, in the order NTFS lists them."""
        real = self.find(path)
        if real is None or not real.is_dir():
            raise WindowsPathError(3)
        return sorted(((entry.name, entry) for entry in real.iterdir()), key=lambda item: item[0].lower())
