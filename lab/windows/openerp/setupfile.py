# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files ``openerp-KIND-setup-X.exe``: what makes a file one of them is its content, wherever it lies and whatever its name.

They hold no program: the lab plays what the NSIS scripts of that time do (facts/openerp.md A1; setup.nsi of openerp-server).
The same bytes on every machine, so that their SHA-256 can stand in an inventory.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.windows.openerp import files

ALLINONE = "allinone"
KINDS = (files.SERVER, files.WEB, ALLINONE)
VERSIONS = ("6.0.3", "6.0.4")
PRODUCTS = {
    files.SERVER: "OpenERP Server 6.0",
    files.WEB: "OpenERP Web Client 6.0",
    "client": "OpenERP GTK Client 6.0",
    ALLINONE: "OpenERP 6.0",
}
_SIZE = {files.SERVER: 200_000, files.WEB: 160_000, ALLINONE: 420_000}
_MARK = re.compile(rb"LAB SETUP (server|web|allinone) (6\.0\.\d+) (\d+)\n")
_UNINSTALLER = re.compile(rb"LAB UNINSTALL (server|web|client|allinone)\n")


@dataclass(frozen=True)
class SetupFile:
    """What a file is: a setup of this kind and version. ``whole``: none of its bytes is missing; ``intact``: none differs."""

    kind: str
    version: str
    whole: bool
    intact: bool


def name_of(kind: str, version: str) -> str:
    """The file name that OpenERP gave it."""
    return f"openerp-{kind}-setup-{version}.exe"


def contents(kind: str, version: str) -> bytes:
    """The bytes of a setup."""
    size = _SIZE[kind]
    head = b"MZ\x90\0LAB SETUP %s %s %d\n" % (kind.encode(), version.encode(), size)
    return head + files.noise(f"setup {kind} {version}", size)


def parse(data: bytes) -> SetupFile | None:
    """What the bytes of a file are; None when they are no setup of ours."""
    match = _MARK.match(data, 4)
    if data[:2] != b"MZ" or match is None:
        return None
    kind, version = match[1].decode(), match[2].decode()
    good = contents(kind, version)
    return SetupFile(kind, version, len(data) == len(good), data == good)


def write_all(folder: Path) -> list[Path]:
    """Write the setups into a folder; those that are there already, and right, are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for version in VERSIONS:
        for kind in KINDS:
            path, data = folder / name_of(kind, version), contents(kind, version)
            if not path.is_file() or path.read_bytes() != data:
                trial = path.with_name(f".{path.name}-{os.getpid()}")
                trial.write_bytes(data)
                os.utime(trial, (files.released(version), files.released(version)))
                trial.replace(path)
            found.append(path)
    return found


def uninstaller(kind: str) -> bytes:
    """The file Uninstall.exe that a setup leaves in its folder."""
    return b"MZ\x90\0LAB UNINSTALL %s\n" % kind.encode() + files.noise(f"uninstall {kind}", 40_000)


def parse_uninstaller(data: bytes) -> str | None:
    """The kind whose uninstaller these bytes are."""
    match = _UNINSTALLER.match(data, 4)
    return match[1].decode() if match else None


def uninstall_values(product: str, folder: str, version: str) -> dict[str, tuple[str, Any]]:
    """The values of a key below ``...\\CurrentVersion\\Uninstall`` (setup.nsi, section -Post).

    DisplayVersion is 6.0 for every 6.0.x; VersionMinor tells them apart. ``Version``, a text written as a number, becomes 6.
    """
    return {
        "UninstallString": ("REG_EXPAND_SZ", f"{folder}\\Uninstall.exe"),
        "InstallLocation": ("REG_EXPAND_SZ", folder),
        "DisplayName": ("REG_SZ", product),
        "DisplayVersion": ("REG_SZ", "6.0"),
        "Publisher": ("REG_SZ", "OpenERP S.A."),
        "Version": ("REG_DWORD", 6),
        "VersionMajor": ("REG_DWORD", 6),
        "VersionMinor": ("REG_DWORD", int(version.rpartition(".")[2])),
        "NoModify": ("REG_DWORD", 1),
        "NoRepair": ("REG_DWORD", 1),
    }
