# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault does to a dump that was really made."""

from __future__ import annotations

import mmap
import os
import re
from pathlib import Path

from lab.faults import FaultSet

# A block of table data of the custom format: its mark, the dump id, the length of its first piece, a zlib header
# (pg_backup_custom.c, _StartData and _PrintData; integers are a sign byte and four bytes, RFC 1950 2.2).
_BLOCK = re.compile(rb"\x01\x00[\s\S]{4}\x00([\s\S]{4})\x78[\x01\x5e\x9c\xda]")


def concerns(faults: FaultSet, name: str, database: bytes) -> bool:
    """Whether a fault that may name a database is on for this one."""
    wanted = faults.text(name)
    return wanted is not None and wanted.encode() in (b"", database)


def truncate(path: Path, numerator: int, denominator: int) -> None:
    """Only the first part is left."""
    os.truncate(path, path.stat().st_size * numerator // denominator)


def flip(path: Path) -> None:
    """One bit, in the middle of the largest compressed block; where there is none, at seven tenths of the file."""
    size = path.stat().st_size
    if not size:
        return
    with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as content:
        best, length = size * 7 // 10, 0
        for match in _BLOCK.finditer(content):
            here = int.from_bytes(match[1], "little")
            if length < here <= size - match.end():
                best, length = match.end() - 2 + here // 2, here
        content[best] ^= 0x10
