# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking through a replicated folder: names, stamps, contents.

Sources: facts/windows.md 4 (what is not replicated: filtered names, reparse points, the folder DfsrPrivate); filters take
``*`` only and are compared without regard to case (Microsoft, "Edit the Replication Filters").
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PRIVATE = "DfsrPrivate"
#: What a file that is on its way in is called where it cannot be renamed in from the staging folder.
ARRIVING = "~dfsr-"
# A file system's clock ticks every few milliseconds: a change right after a look may leave the same stamp.
_UNCERTAIN_NS = 60_000_000

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A file or folder. ``name``: below the root, with ``/``. ``stamp``: size, mtime, ctime (ns), inode."""

    name: str
    is_folder: bool
    stamp: Stamp


class Filter:
    """The names that one folder's filters leave out."""

    def __init__(self, files: str, folders: str) -> None:
        self._files, self._folders = _pattern(files), _pattern(folders)

    def leaves_out(self, name: str, is_folder: bool) -> bool:
        """Whether a name (the last part of a path) is not replicated."""
        pattern = self._folders if is_folder else self._files
        return pattern is not None and pattern.fullmatch(name) is not None


def _pattern(text: str) -> re.Pattern[str] | None:
    parts = [
        fnmatch.translate(part.strip().replace("[", "[[]").replace("?", "[?]"))
        for part in text.split(",")
        if part.strip()
    ]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def stamp_of(found: os.stat_result) -> Stamp:
    """What tells a changed file from an unchanged one without reading it."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def is_certain(stamp: Stamp, looked: int) -> bool:
    """Whether a file cannot have changed since without another stamp. ``looked``: time_ns when its content was read."""
    return looked - stamp[2] > _UNCERTAIN_NS


def walk(root: Path, skipped: Filter, follows: Callable[[Path], bool]) -> Iterator[Found]:
    """All that is replicated below a folder, parents first. What vanishes meanwhile is left out.

    Args:
        follows: whether a symbolic link is a folder of the lab's own making, and no junction.
    """
    folders = [("", str(root))]
    while folders:
        below, real = folders.pop()
        try:
            entries = list(os.scandir(real))
        except OSError:
            continue
        for entry in entries:
            if (not below and entry.name == PRIVATE) or entry.name.startswith(ARRIVING):
                continue
            name = f"{below}/{entry.name}" if below else entry.name
            try:
                linked = entry.is_symlink()
                if linked and not follows(Path(entry.path)):
                    continue
                found = entry.stat(follow_symlinks=linked)
            except OSError:
                continue
            is_folder = stat.S_ISDIR(found.st_mode)
            if skipped.leaves_out(entry.name, is_folder) or not (is_folder or stat.S_ISREG(found.st_mode)):
                continue
            if is_folder:
                folders.append((name, entry.path))
            yield Found(name, is_folder, stamp_of(found))


def digest(real: Path) -> bytes:
    """A fingerprint of a file's content. Raises OSError."""
    with real.open("rb") as stream:
        return hashlib.file_digest(stream, "sha1").digest()


def read_stamped(real: Path) -> tuple[bytes, Stamp | None]:
    """The fingerprint of a file, and its stamp; None as long as a further look is needed to be sure. Raises OSError."""
    looked = time.time_ns()
    before = stamp_of(real.stat())
    content = digest(real)
    return content, before if is_certain(before, looked) and stamp_of(real.stat()) == before else None


def copy(source: Path, target: Path) -> bytes:
    """Copy a file with mode, owner and time, piece by piece while others may write it; its fingerprint. Raises OSError."""
    state = source.stat()
    seen = hashlib.sha1(usedforsecurity=False)
    with source.open("rb") as reader, target.open("wb") as writer:
        while piece := reader.read(1 << 18):
            seen.update(piece)
            writer.write(piece)
    like(state, target)
    os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))
    return seen.digest()


def like(state: os.stat_result, target: Path) -> None:
    """Give a file or folder the mode of another, and its owner where we may. Raises OSError."""
    target.chmod(stat.S_IMODE(state.st_mode))
    if os.geteuid() == 0:
        os.chown(target, state.st_uid, state.st_gid)
