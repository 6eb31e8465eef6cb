# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What robocopy makes of two trees: the classes of files, and the copying itself.

Sources: robocopy /? of Windows Server 2008; its manual ("Robocopy.doc" of the Resource Kit): a file is the same when size
and time are; what is being copied carries the time 1980-01-01, so that a copy that was cut is not taken for a good one.
"""

from __future__ import annotations

import fnmatch
import os
from dataclasses import dataclass, field
from pathlib import Path

from lab.windows.files import Drive, WindowsPathError
from lab.windows.refusal import LabRefusal

SAME, NEW, NEWER, OLDER, CHANGED = "same", "new", "newer", "older", "changed"
_UNFINISHED = 315_532_800.0  # 1980-01-01
_PIECE = 1 << 16


@dataclass
class Rules:
    """What is asked for."""

    masks: list[str] = field(default_factory=list)
    recursive: bool = False
    empty: bool = False
    purge: bool = False
    list_only: bool = False
    security: bool = False
    folder_times: bool = False
    same: bool = False
    coarse: bool = False
    times: bool = True
    excluded: set[str] = field(default_factory=set)  # classes
    no_extras: bool = False
    no_files: list[str] = field(default_factory=list)
    no_folders: list[str] = field(default_factory=list)
    levels: int = 0
    no_junctions: bool = False


@dataclass
class Item:
    """One line of the work: a file or a folder. ``path`` is the source, of an extra one the destination."""

    path: str
    target: str
    kind: str
    folder: bool = False
    size: int = 0
    count: int = 0
    extra: bool = False
    mismatch: bool = False
    copied: bool = False  # is to be copied or made


def _matches(name: str, masks: list[str]) -> bool:
    return any(mask in ("*.*", "*") or fnmatch.fnmatchcase(name.lower(), mask.lower()) for mask in masks)


def _named(path: str, other: str, masks: list[str]) -> bool:
    """Whether /XF or /XD names this: by its name, which may have wildcards, or by a path."""
    name = path.rpartition("\\")[2]
    for mask in masks:
        if "\\" in mask:
            wanted = mask.rstrip("\\").lower()
            if fnmatch.fnmatchcase(path.lower(), wanted) or fnmatch.fnmatchcase(other.lower(), wanted):
                return True
        elif fnmatch.fnmatchcase(name.lower(), mask.lower()):
            return True
    return False


class Comparison:
    """The two trees, walked once."""

    def __init__(self, drive: Drive, rules: Rules) -> None:
        self._drive, self._rules = drive, rules
        self.items: list[Item] = []

    def _class(self, source: Path, target: Path | None) -> str:
        if target is None:
            return NEW
        ours, theirs = source.stat(), target.stat()
        gap = ours.st_mtime_ns // 100 - theirs.st_mtime_ns // 100
        if self._rules.coarse and abs(gap) <= 20_000_000:
            gap = 0
        if gap:
            return NEWER if gap > 0 else OLDER
        return SAME if ours.st_size == theirs.st_size else CHANGED

    def walk(self, source: str, target: str, level: int = 1) -> None:
        """Compare a folder, and those below. Raises WindowsPathError."""
        rules, drive = self._rules, self._drive
        entries = drive.listing(source)
        if rules.no_junctions:
            entries = [(name, real) for name, real in entries if not drive.is_mount(real)]
        if any(drive.is_mount(real) and not real.exists() for _unused, real in entries):
            raise LabRefusal(f"a copy of a folder with a mount point whose disk is offline is not played: {source}")
        there = {name.lower(): (name, real) for name, real in drive.listing(target)} if drive.find(target) else {}
        files = [(name, real) for name, real in entries if not real.is_dir() and _matches(name, rules.masks)]
        made = drive.find(target) is None
        row = Item(source, target, NEW if made else "", folder=True, count=len(files), copied=made)
        self.items.append(row)
        seen = {name.lower() for name, _unused in entries}
        for name, real in there.values():
            if name.lower() not in seen:
                self._extra(f"{target}\\{name}", f"{source}\\{name}", real, level)
        for name, real in files:
            self._file(f"{source}\\{name}", f"{target}\\{name}", real, there.get(name.lower()))
        if not rules.recursive or (rules.levels and level >= rules.levels):
            return
        for name, real in entries:
            if real.is_dir() and not _named(f"{source}\\{name}", f"{target}\\{name}", rules.no_folders):
                other = there.get(name.lower())
                if other and not other[1].is_dir():
                    path = f"{source}\\{name}"
                    self.items.append(Item(path, f"{target}\\{name}", "", folder=True, mismatch=True))
                    continue
                before = len(self.items)
                self.walk(f"{source}\\{name}", f"{target}\\{name}", level + 1)
                below = self.items[before:]
                if not rules.empty and all(item.folder and not item.extra for item in below):
                    del self.items[before:]

    def _extra(self, path: str, source: str, real: Path, level: int) -> None:
        rules = self._rules
        if rules.no_extras:
            return
        if real.is_dir():
            deeper = rules.recursive and not (rules.levels and level >= rules.levels)
            if deeper and not _named(source, path, rules.no_folders):
                self.items.append(Item(path, path, "", folder=True, extra=True))
        elif _matches(real.name, rules.masks) and not _named(source, path, rules.no_files):
            self.items.append(Item(path, path, "", extra=True, size=real.stat().st_size))

    def _file(self, source: str, target: str, real: Path, other: tuple[str, Path] | None) -> None:
        rules = self._rules
        size = real.stat().st_size
        if _named(source, target, rules.no_files):
            self.items.append(Item(source, target, "excluded", size=size))
            return
        if other and other[1].is_dir():
            self.items.append(Item(source, target, "", size=size, mismatch=True))
            return
        kind = self._class(real, other[1] if other else None)
        wanted = (rules.same if kind == SAME else True) and kind not in rules.excluded
        self.items.append(Item(source, target, kind, size=size, copied=wanted))


def copy_file(drive: Drive, item: Item, rules: Rules, part: float = 1.0) -> None:
    """Copy one file. Raises WindowsPathError; what was written by then stays, with the time of an unfinished copy.

    Args:
        part: of it, for a copy that is cut.
    """
    real = drive.find(item.path)
    assert real is not None
    target = drive.place(item.target)
    if target.is_dir():
        raise WindowsPathError(5)
    with drive.reader(item.path) as stream:
        writer = drive.writer(item.target)
        left = int(item.size * part)
        try:
            while left > 0 and (data := stream.read(min(_PIECE, left))):
                writer.write(data)
                left -= len(data)
        finally:
            writer.close()
            os.utime(target, (_UNFINISHED, _UNFINISHED))
    if part == 1.0:
        found = real.stat()
        if rules.times:
            os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
        else:
            os.utime(target)
