# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The C: drive of a host: a real folder, looked up without regard to case, made when it is first needed."""

from __future__ import annotations

import errno
import shutil
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


class Drive:
    """Windows paths on one side, files on the other.

    Args:
        root: the folder that is C:. populate: called once, before the first use, with this drive.
        is_full: whether writing must fail for want of space.
    """

    def __init__(self, root: Path, populate: Callable[[Drive], None], is_full: Callable[[], bool]) -> None:
        self._root = root
        self._populate = populate
        self._is_full = is_full
        self._ready = False

    @property
    def root(self) -> Path:
        """The real folder of C:, made and filled when it is not there yet."""
        if not self._ready:
            self._ready = True
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._populate(self)
        return self._root

    @staticmethod
    def absolute(text: str, cwd: str = "C:\\") -> str:
        """A Windows path as ``C:\\a\\b``: slashes, ``.`` and ``..`` resolved, no backslash at the end but the root's.

        Raises:
            WindowsPathError: 123 bad syntax, 3 a drive that is not there. LabRefusal: UNC paths.
        """
        path = text.strip().strip('"').replace("/", "\\")
        path = path.removeprefix("\\\\?\\")
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
        return "C:\\" + "\\".join(parts)

    def _walk(self, path: str) -> tuple[Path, list[str]]:
        """The real path of the part that exists, and the names that do not."""
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

    def true_case(self, path: str) -> str:
        """The path with the case that the names have on the disk."""
        real, missing = self._walk(path)
        parts = [*real.relative_to(self.root).parts, *missing]
        return "C:\\" + "\\".join(parts)

    def place(self, path: str) -> Path:
        """The real path of something to create in a folder that exists. Raises WindowsPathError 3."""
        real, missing = self._walk(path)
        if len(missing) > 1 or (missing and not real.is_dir()):
            raise WindowsPathError(3)
        return real / missing[0] if missing else real

    def make(self, path: str) -> Path:
        """A folder with all its parents, as mkdir does. Raises WindowsPathError 183 when something is there."""
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
        """A file open for writing. Raises WindowsPathError: 3, 5 (a folder)."""
        real = self.place(path)
        if real.is_dir():
            raise WindowsPathError(5)
        return Writer(real, append, self._is_full)

    def copy(self, source: str, target: str) -> None:
        """Copy a file piece by piece; an incomplete copy is removed, as CopyFile does. Raises WindowsPathError."""
        real, missing = self._walk(source)
        if missing:
            raise WindowsPathError(2 if len(missing) == 1 else 3)
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
            return stream.read()

    def reader(self, path: str) -> BinaryIO:
        """A file open for reading. Raises WindowsPathError: 2 or 3 absent, 5 a folder."""
        real, missing = self._walk(path)
        if missing:
            raise WindowsPathError(2 if len(missing) == 1 else 3)
        if real.is_dir():
            raise WindowsPathError(5)
        return real.open("rb")

    def remove(self, path: str) -> None:
        """Remove a file or a whole folder."""
        real = self.find(path)
        if real is None:
            raise WindowsPathError(2)
        if real.is_dir() and not real.is_symlink():
            shutil.rmtree(real)
        else:
            real.unlink()

    def listing(self, path: str) -> list[tuple[str, Path]]:
        """(name, real path) of a folder's entries, in the order NTFS lists them."""
        real = self.find(path)
        if real is None or not real.is_dir():
            raise WindowsPathError(3)
        return sorted(((entry.name, entry) for entry in real.iterdir()), key=lambda item: item[0].lower())
