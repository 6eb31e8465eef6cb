# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an OpenERP release puts into its folder, and the release told from what lies in a folder.

The release is that of ``release.py`` in ``library.zip``, where py2exe puts a program's modules (facts/openerp.md A1): whoever
copies, renames or restores a folder moves the release with it. The binaries carry their own checksum, so that a file
that was cut or altered on its way is one that does not load.
"""

from __future__ import annotations

import calendar
import functools
import hashlib
import io
import os
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.windows.files import Drive

SERVER, WEB = "server", "web"
PROGRAMS = {SERVER: "openerp-server.exe", WEB: "openerp-web.exe"}
WRAPPERS = {SERVER: "service\\OpenERPServerService.exe", WEB: "service\\OpenERPWebService.exe"}
SERVICES = {SERVER: "openerp-server-6.0", WEB: "openerp-web-6.0"}
CONF = "openerp-server.conf"
WEB_CONF = "doc\\openerp-web.cfg"
_LIBRARY = "library.zip"
_DLLS = {SERVER: ("python25.dll", "libpq.dll"), WEB: ("python25.dll",)}
_ADDONS = ("account", "base", "base_setup", "crm", "hr", "l10n_fr", "product", "purchase", "sale", "stock")
_MARKER = {SERVER: "addons\\base\\__openerp__.py", WEB: "addons\\openerp\\__openerp__.py"}
# Dates of the two releases in the server's history (facts/openerp.md, sources); NSIS keeps the times of what it packs.
_DATES = {"6.0.3": (2011, 8, 18), "6.0.4": (2012, 3, 8)}
_WEB_CFG = """\
[global]
server.environment = "production"
server.socket_host = "0.0.0.0"
server.socket_port = 8080
server.thread_pool = 10
tools.sessions.on = True
tools.csrf.on = True
#log.access_file = "access.log"
#log.error_file = "error.log"
log.screen = False

[openerp]
openerp.server.host = 'localhost'
openerp.server.port = '8070'
openerp.server.protocol = 'socket'
openerp.server.timeout = 450
dblist.filter = 'NONE'
dbbutton.visible = True
company.url = ''
"""


def _day(version: str) -> tuple[int, int, int]:
    return _DATES.get(version, (2011, 1, 1 + int(version.rpartition(".")[2]) % 28))


def released(version: str) -> float:
    """When the files of a release were made."""
    return float(calendar.timegm((*_day(version), 9, 30, 0)))


def noise(seed: str, size: int) -> bytes:
    """Bytes that do not compress, the same on every machine."""
    return hashlib.shake_256(seed.encode()).digest(size)


def sealed(seed: str, size: int) -> bytes:
    """A binary that ends with the checksum of all that comes before."""
    body = b"MZ\x90\0" + noise(seed, size)
    return body + hashlib.sha256(body).digest()


def is_sealed(data: bytes) -> bool:
    """Whether a binary is as it was made."""
    return data[:2] == b"MZ" and hashlib.sha256(data[:-32]).digest() == data[-32:]


def _library(kind: str, version: str) -> bytes:
    year, month, day = _day(version)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (
            ("release.py", f"name = 'openerp-{kind}'\nversion = '{version}'\nmajor_version = '6.0'\n".encode()),
            ("zipimport.pyo", noise(f"{kind} zipimport", 2000)),
            ("tools/config.pyo", noise(f"{kind} {version} config", 6000)),
        ):
            archive.writestr(zipfile.ZipInfo(name, (year, month, day, 9, 30, 0)), data)
    return stream.getvalue()


def _server(version: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in _ADDONS:
        folder = f"addons\\{name}\\"
        found[f"{folder}__init__.py"] = f"import {name}\n".encode()
        found[f"{folder}__openerp__.py"] = (
            f"{{'name': '{name}', 'version': '1.{3 if name == 'base' else 1}', 'installable': True}}\n".encode()
        )
        found[f"{folder}{name}.py"] = noise(f"{name} {version}", 3000)
        found[f"{folder}i18n\\fr.po"] = noise(f"{name} fr {version}", 1500)
    found["addons\\base\\base_data.xml"] = noise(f"base_data {version}", 9000)
    found["import_xml.rng"] = noise("rng", 1200)
    found["doc\\Changelog"] = f"{version}\n".encode()
    return found


def _web(version: str) -> dict[str, bytes]:
    cfg = _WEB_CFG.replace("\n", "\r\n").encode()
    return {
        "addons\\openerp\\__init__.py": b"import controllers\n",
        "addons\\openerp\\__openerp__.py": f"{{'name': 'Core', 'version': '{version}'}}\n".encode(),
        "addons\\openerp\\controllers\\root.py": noise(f"root {version}", 4000),
        "addons\\openerp\\static\\css\\style.css": noise("style", 3000),
        "addons\\openerp\\static\\javascript\\openerp.ui.js": noise(f"ui {version}", 9000),
        "addons\\openerp\\static\\images\\openerp_small.png": noise("logo", 2000),
        # The frozen client reads the one below doc; the other is only copied there (facts/openerp.md A1, 6).
        WEB_CONF: cfg,
        "conf\\openerp-web.cfg": cfg,
        "doc\\Changelog": f"{version}\n".encode(),
    }


@functools.cache
def contents(kind: str, version: str) -> dict[str, bytes]:
    """Every file of a release by its path in the folder, in the order in which a setup writes them.

    The program itself comes in the middle: a setup that stops half-way leaves one that does not start.
    """
    data = list((_server(version) if kind == SERVER else _web(version)).items())
    half = len(data) // 2
    return {
        **dict(data[:half]),
        PROGRAMS[kind]: sealed(f"{kind} {version}", 24000),
        _LIBRARY: _library(kind, version),
        **{name: sealed(f"{kind} {name}", 40000) for name in _DLLS[kind]},
        **dict(data[half:]),
        WRAPPERS[kind]: sealed(f"{kind} service {version}", 16000),
        f"service\\{_LIBRARY}": noise(f"{kind} service library {version}", 4000),
        "service\\python25.dll": sealed(f"{kind} service dll", 20000),
    }


def put(folder: Path, name: str, data: bytes, version: str) -> None:
    """Write one file of a release below the real path of its folder; a name that is there in another case is kept."""
    *parents, last = name.split("\\")
    for part in parents:
        folder = _same(folder, part)
        folder.mkdir(exist_ok=True)
    real = _same(folder, last)
    real.write_bytes(data)
    os.utime(real, (released(version), released(version)))


def _same(folder: Path, name: str) -> Path:
    real = folder / name
    if real.exists() or not folder.is_dir():
        return real
    return next((entry for entry in folder.iterdir() if entry.name.lower() == name.lower()), real)


def lay(drive: Drive, kind: str, folder: str, version: str) -> None:
    """Put the program files of a release into a folder: everything but the server's conf."""
    real = drive.find(folder) or drive.make(folder)
    for name, data in contents(kind, version).items():
        put(real, name, data, version)


def loaded(kind: str) -> tuple[str, ...]:
    """The files that a running program holds."""
    return (PROGRAMS[kind], *_DLLS[kind])


def version_of(drive: Drive, kind: str, folder: str) -> str | None:
    """The release of the program in a folder; None when it is incomplete or damaged, so that it does not start."""
    if drive.find(folder) is None:
        return None
    found: list[bytes] = []
    for name in (_LIBRARY, _MARKER[kind], PROGRAMS[kind], WRAPPERS[kind], *_DLLS[kind]):
        real = drive.find(f"{folder}\\{name}")
        if real is None or not real.is_file():
            return None
        found.append(real.read_bytes())
    if not all(map(is_sealed, found[2:])):
        return None
    return packed(found[0])


def packed(library: bytes) -> str | None:
    """The release that ``release.py`` in a library.zip tells; None when the archive does not read."""
    try:
        with zipfile.ZipFile(io.BytesIO(library)) as archive:
            if archive.testzip() is not None:
                return None
            text = archive.read("release.py").decode("utf-8", "replace")
    except (zipfile.BadZipFile, KeyError, EOFError, OSError):
        return None
    match = re.search(r"^version = '([^']+)'", text, re.MULTILINE)
    return match[1] if match else None
