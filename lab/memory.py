# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the drives of hosts with filled databases stand: in memory, where the machine has it.

A database of 250 tables is a thousand files. ext4 passes over inodes that were deleted in the last minutes one by one
(fs/ext4/ialloc.c, recently_deleted), so that the second lab within five minutes took 9 s to come up instead of 2. On tmpfs
it is always the same. What a killed lab leaves there goes with the next lab of the same user.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from lab.namespace import outer_uid

_SHARED = Path("/dev/shm")  # noqa: S108 (a folder of mode 0700 below it)
_GIGABYTE = 1 << 30


def _start(pid: int | str) -> str:
    """When a process started, which tells it from a later one of the same number; empty when there is none (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return 0


def folder() -> Path | None:
    """A folder in memory for this process; None where there is too little, or where LYCEE_LAB_MEMORY=0 forbids it."""
    base = _SHARED / f"lycee-lab-{outer_uid()}"
    try:
        base.mkdir(mode=0o700, exist_ok=True)
        found = base.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            return None
        for other in base.iterdir():
            pid, _unused, start = other.name.partition("-")
            if pid.isdigit() and _start(pid) != start:
                shutil.rmtree(other, ignore_errors=True)
        enough = shutil.disk_usage(base).free > 2 * _GIGABYTE and _available() > 3 * _GIGABYTE
        if os.environ.get("LYCEE_LAB_MEMORY") == "0" or not enough:
            return None
        mine = base / f"{os.getpid()}-{_start(os.getpid())}"
        mine.mkdir(mode=0o700, exist_ok=True)
        return mine
    except OSError:
        return None


def put(link: Path, wanted: bool) -> None:
    """Make an empty folder of that name: a real one, or a link to one in memory when that is wanted and possible."""
    remove(link)
    place = folder() if wanted else None
    if place is None:
        return
    real = place / link.name
    shutil.rmtree(real, ignore_errors=True)
    real.mkdir(mode=0o700)
    link.symlink_to(real)


def remove(link: Path) -> None:
    """The folder goes, wherever it stands."""
    if link.is_symlink():
        real = link.resolve()
        link.unlink(missing_ok=True)
        if real.is_relative_to(_SHARED):
            shutil.rmtree(real, ignore_errors=True)
    else:
        shutil.rmtree(link, ignore_errors=True)


def clean() -> None:
    """This process ends: so does its folder."""
    shutil.rmtree(_SHARED / f"lycee-lab-{outer_uid()}" / f"{os.getpid()}-{_start(os.getpid())}", ignore_errors=True)
