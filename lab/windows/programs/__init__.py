# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of an emulated host, one file each: grammar, exit codes, French and English messages, sources."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.windows.host import Host
    from lab.windows.processes import Call

Run = Callable[["Call"], Awaitable[int]]
SYSTEM32 = "C:\\Windows\\System32"


def _everywhere(host: Host) -> bool:
    return True


@dataclass(frozen=True)
class Program:
    """A program: where it stands (a folder, or one that the host decides) and which hosts have it."""

    name: str
    run: Run
    folder: Callable[[Host], str]
    on: Callable[[Host], bool]

    def path(self, host: Host) -> str:
        """Its full path on a host."""
        return f"{self.folder(host)}\\{self.name}"


REGISTRY: dict[str, Program] = {}


def program(name: str, folder: Callable[[Host], str] | None = None, on: Callable[[Host], bool] = _everywhere
            ) -> Callable[[Run], Run]:  # fmt: skip
    """Register the coroutine that plays ``name.exe``."""

    def register(run: Run) -> Run:
        full = name if "." in name else f"{name}.exe"
        REGISTRY[full] = Program(full, run, folder or (lambda host: SYSTEM32), on)
        return run

    return register


def paths(host: Host) -> list[str]:
    """Full paths of the programs a host has."""
    return [item.path(host) for item in REGISTRY.values() if has(host, item)]


def has(host: Host, item: Program) -> bool:
    """Whether a host has a program (``lab_missing_programs`` takes some away)."""
    missing = host.plan.missing_programs
    return item.on(host) and item.name not in missing and item.name.removesuffix(".exe") not in missing


def _named(name: str) -> Program | None:
    """A program by its file name; the endings of PATHEXT may be left out."""
    return REGISTRY.get(name) or REGISTRY.get(f"{name}.com") or REGISTRY.get(f"{name}.exe")


def by_path(host: Host, path: str) -> Program | None:
    """The program at an absolute path; ``.exe`` may be left out."""
    low = path.lower().replace("\\sysnative\\", "\\system32\\").replace("\\syswow64\\", "\\system32\\")
    base = low.rpartition("\\")[2]
    item = _named(base)
    if item is not None and has(host, item) and item.folder(host).lower() == low.rpartition("\\")[0] and (
        # What Windows brings itself is there; of what was installed the file must be (its disk may have gone).
        low.startswith("c:\\windows\\") or host.drive.find(item.path(host)) is not None
    ):  # fmt: skip
        return item
    return _by_content(host, path)


def _by_content(host: Host, path: str) -> Program | None:
    """A program that is one by what its file holds: a setup, the uninstaller that it left, an OpenERP server."""
    from lab.windows.openerp.setup import program_of
    from lab.windows.programs import openerp_server

    for ending in ("", ".exe"):
        real = host.drive.find(path + ending) if (path + ending).lower().endswith(".exe") else None
        if real is not None and real.is_file():
            data, true = real.read_bytes(), host.drive.true_case(path + ending)
            run = program_of(data, real.name, true) or openerp_server.program_of(real.name, data, true)
            if run is not None:
                return Program(real.name, run, lambda _host: path.rpartition("\\")[0], _everywhere)
    return None


def runs(data: bytes) -> bool:
    """Whether Windows would take these bytes for a program: one that the lab lays anywhere, or a copy of it."""
    from lab.windows.openerp.files import is_sealed

    return data.startswith(b"MZ\x90\0LAB: ") or is_sealed(data)


def on_path(host: Host, name: str) -> Program | None:
    """A program by its bare name, as the default PATH finds it (System32, Windows)."""
    item = _named(name.lower())
    if item is None or not has(host, item):
        return None
    return item if item.folder(host).lower().startswith("c:\\windows") else None


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
