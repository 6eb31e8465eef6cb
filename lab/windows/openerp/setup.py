# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The setups of OpenERP 6.0 at work: what their NSIS scripts do, in the scripts' order.

Sources: facts/openerp.md A1 (setup.nsi of openerp-server, of its web client, of the all-in-one); NSIS manual 3.2.1 (/S, /NCRC,
/D=) and 4.? error levels; exehead/Main.c for the reading of the command line, exehead/exec.c: in a silent run a file
that cannot be opened is passed over (the default button of the message box is Ignore), one that cannot be written aborts.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lab.windows import programs
from lab.windows.files import WindowsPathError
from lab.windows.openerp import bundled, files, ini, setupfile
from lab.windows.openerp.setupfile import ALLINONE, SetupFile
from lab.windows.processes import Call, Input
from lab.windows.refusal import LabRefusal
from lab.windows.services import Service

OK, CANCELLED, ABORTED = 0, 1, 2
DEFAULT_FOLDER = "C:\\Program Files\\OpenERP 6.0"
# The dialog's values, which a silent run takes unasked.
DEFAULTS = {"db_host": "localhost", "db_user": "openpg", "db_password": "openpgpwd", "db_port": "5432"}
_UNINSTALL = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\"
_FOLDERS = {files.SERVER: "\\Server", files.WEB: "\\Web", ALLINONE: ""}
_DISPLAYS = {files.SERVER: "OpenERP Server 6.0", files.WEB: "OpenERP Web 6.0"}
_CLIENT = {"openerp-client.exe": files.sealed("client", 20_000), "doc\\README": b"GTK client\r\n"}


class Aborted(Exception):
    """The script aborts: exit code 2."""


@dataclass
class Switches:
    """What a setup was told. ``folder``: after /D=, as it stands there; None: not given."""

    silent: bool = False
    allinone: bool = False
    folder: str | None = None


def switches(line: str) -> Switches:
    """Read the raw command line as NSIS does: /D= takes all that follows; switches are in upper case."""
    found = Switches()
    head, cut, tail = line.partition(" /D=") if " /D=" in line else (line, "", "")
    if cut:
        found.folder = tail.rstrip(" ")
    for word in head.split():
        name = word.strip('"')
        found.silent = found.silent or name == "/S"
        found.allinone = found.allinone or name.lower().startswith("/allinone")
    return found


def _usable(folder: str) -> bool:
    """Whether folders and files can be made there. Quotes belong to the path, and no path may have them."""
    return bool(re.fullmatch(r'[Cc]:\\[^"/*?<>|:]*', folder))


async def _forever() -> int:
    await asyncio.Event().wait()
    return 1


def quiet(data: bytes) -> None:
    """nsExec::Exec: what the program prints is not seen."""


async def executed(call: Call, program: str, *argv: str, cwd: str | None = None) -> int | None:
    """Run a program of the host, unseen; None when there is none."""
    item = programs.by_path(call.host, program) if "\\" in program else programs.on_path(call.host, program)
    if item is None:
        return None
    from lab.windows.interpreter import run_program

    line = "".join(f' "{word}"' if " " in word else f" {word}" for word in argv)
    errors = bytearray()
    inner = replace(call, argv=list(argv), line=line, stdin=Input(b""), write=quiet, write_error=errors.extend,
                    cwd=cwd or call.cwd)  # fmt: skip
    code = await run_program(item, inner, f'"{program}"{line}')
    if errors.startswith(b"LAB:"):  # what the lab cannot do must be seen, whoever asked for it
        raise LabRefusal(errors.decode(call.encoding, "replace").removeprefix("LAB:").strip())
    return code


class Setup:
    """One run of a setup."""

    def __init__(self, call: Call, setup: SetupFile, name: str) -> None:
        self.call, self.host, self.setup, self.name = call, call.host, setup, name
        self.trouble = self.host.faults.text("setup_fails") or ""

    async def run(self) -> int:
        """Run it; returns the exit code."""
        asked = switches(f" {self.call.line.strip()}")
        if not asked.silent or asked.allinone:
            # A wizard, or the message box "All In One", on a desktop that nobody sees.
            return await _forever()
        if self.trouble == "before":
            return CANCELLED
        if (
            not self.setup.whole
        ):  # "Installer integrity check has failed", in a message box that a silent run leaves out
            return ABORTED
        folder = asked.folder or self._remembered() or DEFAULT_FOLDER + _FOLDERS[self.setup.kind]
        folder = folder.rstrip("\\") if len(folder) > 3 else folder
        try:
            if self.setup.kind == ALLINONE:
                await self._all_in_one(folder)
            else:
                await self._alone(self.setup.kind, folder)
        except Aborted:
            return ABORTED
        return ABORTED if self.trouble == "end" else OK

    def _remembered(self) -> str:
        """InstallDirRegKey: a value that no script ever writes."""
        values = self.host.registry.values(f"HKCU\\Software\\{setupfile.PRODUCTS[self.setup.kind]}") or {}
        return str(next((value for name, (_unused, value) in values.items() if not name), ""))

    async def _alone(self, kind: str, folder: str) -> None:
        """The sections of the server's or of the web client's script."""
        service = files.SERVICES[kind]
        await executed(self.call, "net", "stop", service)
        usable = _usable(folder)
        if usable:
            self._remove_service(service)
            await self._extract(kind, folder)
            if kind == files.SERVER:
                await self._configure(folder)
            self._register(kind, folder)
        await executed(self.call, "net", "start", service)
        self._post(kind, folder, usable)

    def _remove_service(self, name: str) -> None:
        found = self.host.scm.get(name)
        if found and found.state == "Stopped":
            self.host.scm.delete(name)

    async def _extract(self, kind: str, folder: str) -> None:
        """File /r: whatever the setup carries replaces what has its name, the rest stays."""
        drive, version = self.host.drive, self.setup.version
        try:
            real = drive.find(folder) or drive.make(folder)
        except WindowsPathError:
            return
        carried = files.contents(kind, version)
        if not self.setup.intact:  # one of its bytes differs: it comes out in the first file that does not show it
            carried = {**carried, "python25.dll": files.noise("damaged", len(carried["python25.dll"]))}
        for name, data in carried.items():
            if name == files.PROGRAMS[kind]:
                await self._middle(real, name, data)
            files.put(real, name, data, version)
            await asyncio.sleep(0)

    async def _middle(self, real: Path, name: str, data: bytes) -> None:
        if "disk_full" in self.host.faults:
            files.put(real, name, b"", self.setup.version)
            raise Aborted
        struck = self.trouble == "middle" or "setup_hangs" in self.host.faults
        if struck or any(map(self.host.power.due, self._names())):
            files.put(real, name, data[: len(data) // 2], self.setup.version)
        await self.host.power.halfway(*self._names())
        if "setup_hangs" in self.host.faults:
            await _forever()
        if self.trouble == "middle":
            raise Aborted

    def _names(self) -> tuple[str, str]:
        """The names by which a fault may call it: that of the file, and the one that OpenERP gave."""
        return self.name, setupfile.name_of(self.setup.kind, self.setup.version)

    def _write_ini(self, folder: str, values: dict[str, str]) -> None:
        path = f"{folder}\\{files.CONF}"
        if "conf_unreadable" in self.host.faults:
            return
        try:
            data = self.host.drive.read(path) if self.host.drive.find(path) else b""
            for key, value in values.items():
                data = ini.written(data, "options", key, value)
            self.host.drive.write(path, data)
        except WindowsPathError:  # WriteIniStr sets NSIS' error flag, which the script does not look at
            return

    async def _configure(self, folder: str) -> None:
        lines = (("Hostname", "db_host"), ("Port", "db_port"), ("Username", "db_user"), ("Password", "db_password"))
        text = "".join(f"{label} {DEFAULTS[key]}\r\n" for label, key in lines)
        with contextlib.suppress(WindowsPathError):
            self.host.drive.write(f"{folder}\\install.log", text.encode())
        self._write_ini(folder, DEFAULTS)
        await executed(self.call, f"{folder}\\openerp-server.exe", "--stop-after-init", "--logfile",
                       f"{folder}\\openerp-server.log", "-s", cwd=folder)  # fmt: skip

    def _register(self, kind: str, folder: str) -> None:
        """``OpenERPServerService.exe -auto -install``: automatic, LocalSystem."""
        if self.host.drive.find(f"{folder}\\{files.WRAPPERS[kind]}"):
            path = f'"{folder}\\{files.WRAPPERS[kind]}"'
            self.host.scm.create(Service(files.SERVICES[kind], _DISPLAYS[kind], path))

    def _post(self, kind: str, folder: str, usable: bool) -> None:
        """Section -Post: the uninstall key and the uninstaller."""
        product = setupfile.PRODUCTS[kind]
        values = self.host.registry.create(_UNINSTALL + product)
        values.clear()
        values.update(setupfile.uninstall_values(product, folder, self.setup.version))
        if usable:
            with contextlib.suppress(WindowsPathError):
                self.host.drive.write(f"{folder}\\Uninstall.exe", setupfile.uninstaller(kind))

    async def _all_in_one(self, folder: str) -> None:
        """Server, GTK client, web client, then PostgreSQL where none is registered."""
        has_postgresql = bool(self.host.registry.subkeys("HKLM\\SOFTWARE\\PostgreSQL\\Installations"))
        if not _usable(folder):
            raise LabRefusal(f"an all-in-one setup with the folder {folder} is not played")
        await self._alone(files.SERVER, f"{folder}\\Server")
        extra = {} if has_postgresql else {"pg_path": f"{folder}\\PostgreSQL\\bin"}
        self._write_ini(f"{folder}\\Server", DEFAULTS | extra)
        await executed(self.call, "net", "stop", files.SERVICES[files.SERVER])
        await executed(self.call, "net", "start", files.SERVICES[files.SERVER])
        client = f"{folder}\\Client"
        real = self.host.drive.find(client) or self.host.drive.make(client)
        for name, data in _CLIENT.items():
            files.put(real, name, data, self.setup.version)
        self._post("client", client, usable=True)
        await self._alone(files.WEB, f"{folder}\\Web")
        self._post(ALLINONE, folder, usable=True)
        if not has_postgresql:
            await self._postgresql(folder)

    async def _postgresql(self, folder: str) -> None:
        """``RMDir /r "$INSTDIR\\PostgreSQL"``, with its data, then PostgreSQL's own setup."""
        await executed(self.call, "net", "user", "openpgsvc", "/delete")
        doomed = f"{folder}\\PostgreSQL"
        for service in list(self.host.scm.services.values()):
            if service.is_postgresql and service.image.lower().startswith(doomed.lower() + "\\"):
                await self.host.stop_cluster(service, immediate=True)
        if self.host.drive.find(doomed):
            self.host.drive.remove(doomed)
            self.host.acls.forget(doomed)
        if "disk_full" in self.host.faults:
            raise Aborted
        await bundled.install(self.host, doomed, self.setup.version)


async def uninstall(call: Call, kind: str, path: str) -> int:
    """Uninstall.exe: copies itself away and ends at once, unless it is told ``_?=`` (NSIS manual 3.2.2)."""
    asked = switches(f" {call.line.strip()}".replace(" _?=", " /D="))
    if not asked.silent:
        return await _forever()
    folder = path.rpartition("\\")[0]
    if asked.folder:
        await _uninstalled(call, kind, asked.folder)
    else:
        inner = replace(call, write=quiet, write_error=quiet)
        call.host.behind("Au_.exe", _uninstalled(inner, kind, folder))
    return OK


async def _uninstalled(call: Call, kind: str, folder: str) -> None:
    host = call.host
    if kind == ALLINONE:
        for part in (files.SERVER, "client", files.WEB):
            values = host.registry.values(_UNINSTALL + setupfile.PRODUCTS[part]) or {}
            if "InstallLocation" in values:
                await _uninstalled(call, part, str(values["InstallLocation"][1]))
    elif kind in files.SERVICES:
        await executed(call, "net", "stop", files.SERVICES[kind])
        host.scm.delete(files.SERVICES[kind])
    if kind != ALLINONE and host.drive.find(folder):
        host.drive.remove(folder)
        host.acls.forget(folder)
    elif host.drive.find(f"{folder}\\Uninstall.exe"):
        host.drive.remove(f"{folder}\\Uninstall.exe")
    host.registry.delete(_UNINSTALL + setupfile.PRODUCTS[kind])


def program_of(data: bytes, name: str, path: str) -> Callable[[Call], Awaitable[int]] | None:
    """What runs when a file with these bytes is started; None when they are neither a setup nor an uninstaller."""
    setup = setupfile.parse(data)
    if setup is not None:
        return lambda call: Setup(call, setup, name).run()
    kind = setupfile.parse_uninstaller(data)
    if kind is not None:
        return lambda call: uninstall(call, kind, path)
    return None
