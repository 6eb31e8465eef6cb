# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server with OpenERP in memory, which can be cut before, in the middle of, and after each effect of an upgrade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp import upgrade, waiting, work
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.conf import SERVER, WEB
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.errors import (
    InstallationError,
    ServiceError,
    UpdateError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.installation import KINDS, Part
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.journal import DatabaseEntry, Journal
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.outcome import Options
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.preflight import Rules
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.source import Setup
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.services import RUNNING, STOPPED, Service

OLD, NEW = "6.0.3", "6.0.4"
CONF = {SERVER: b"[options]\ndb_password = craie\nlogfile = C:\\log\n", WEB: b"[global]\nserver.socket_port = 8080\n"}
RESET = b"[options]\ndb_password = openpgpwd\n"
FOLDERS = {SERVER: "C:\\OpenERP\\Server", WEB: "C:\\OpenERP\\Web"}
NAMES = {SERVER: "openerp-server-6.0", WEB: "openerp-web-6.0"}
SETTINGS: dict[str, dict[str, Any]] = {
    kind: {
        "name": NAMES[kind],
        "display": NAMES[kind],
        "path": f'"{FOLDERS[kind]}\\{KINDS[kind].wrapper}"',
        "account": "LocalSystem",
        "start_mode": "Auto",
        "reset": 0,
        "actions": [],
    }
    for kind in FOLDERS
}
TORN = "torn"


class Cut(BaseException):
    """The power went, or the controller was killed."""


@dataclass
class School:
    """The server's state, and what goes wrong."""

    version: dict[str, str] = field(default_factory=lambda: {SERVER: OLD, WEB: OLD})
    conf: dict[str, bytes] = field(default_factory=lambda: dict(CONF))
    running: dict[str, bool] = field(default_factory=lambda: {SERVER: True, WEB: True})
    services: set[str] = field(default_factory=lambda: {SERVER, WEB})
    modes: dict[str, str] = field(default_factory=lambda: {SERVER: "Auto", WEB: "Auto"})
    uploads: list[str] = field(default_factory=lambda: ["before"])
    kept_uploads: list[str] = field(default_factory=list)
    minor: dict[str, str] = field(default_factory=lambda: {SERVER: OLD, WEB: OLD})
    databases: dict[str, str] = field(default_factory=lambda: {"SpecibikeA": OLD, "SpecibikeB": OLD})
    copies: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    dumps: dict[str, str] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    fault: str = ""
    limit: int | None = None
    count: int = 0
    told: list[str] = field(default_factory=list)

    def happen(self) -> None:
        """Note an effect; after the last that may happen nothing works any more."""
        if self.limit is not None and self.count >= self.limit:
            raise Cut
        self.count += 1

    def boot(self) -> None:
        """Everything of the machine that starts by itself does, where its folder is whole."""
        for kind in (SERVER, WEB):
            starts = kind in self.services and self.version[kind] != TORN and self.modes[kind] == "Auto"
            self.running[kind] = starts
        if self.running[SERVER]:
            # Where the server serves, people work.
            self.uploads.append("later")
            for name, state in self.databases.items():
                assert state != TORN, f"{name} is served while it is being updated"

    def serves(self) -> bool:
        """Return whether OpenERP serves."""
        return self.running[SERVER] and self.version[SERVER] != TORN and self.conf[SERVER] == CONF[SERVER]

    def sound(self, release: str) -> list[str]:
        """Return what is not as a verified server of a release has it."""
        wrong = []
        if set(self.version.values()) != {release} or set(self.minor.values()) != {release}:
            wrong.append(f"versions {self.version} {self.minor}")
        if self.conf != CONF:
            wrong.append("the configuration")
        if self.running != {SERVER: True, WEB: True} or self.modes != {SERVER: "Auto", WEB: "Auto"}:
            wrong.append(f"running {self.running} {self.modes}")
        if "before" not in self.uploads:
            wrong.append("an upload is gone")
        if any(state == TORN for state in self.databases.values()) or self.damaged:
            wrong.append(f"databases {self.databases} {self.damaged}")
        if release == NEW and set(self.databases.values()) != {NEW}:
            wrong.append(f"databases {self.databases}")
        return wrong

    # What the upgrade calls

    def _kind(self, path: str) -> str:
        return SERVER if path.casefold().endswith("server") else WEB

    def part(self, kind: str) -> Part | None:
        """Return a program as its service tells it."""
        if kind not in self.services:
            return None
        return Part(KINDS[kind], self._service(kind), FOLDERS[kind])

    def _service(self, kind: str) -> Service:
        state = RUNNING if self.running[kind] else STOPPED
        return Service(
            NAMES[kind], NAMES[kind], state, self.modes[kind], "LocalSystem", SETTINGS[kind]["path"], 1, 0, 0
        )

    def stop(self, session: Any, part: Part, *_rest: Any) -> None:
        kind = part.kind.name
        if self.running[kind]:
            self.happen()
            self.running[kind] = False

    def start(self, session: Any, name: str, *_rest: Any) -> None:
        kind = SERVER if name == NAMES[SERVER] else WEB
        if not self.running[kind]:
            self.happen()
            if self.version[kind] == TORN:
                raise InstallationError(f"{name} does not start")
            self.running[kind] = True
        if self.fault == "dies" and self.version[SERVER] == NEW and kind == SERVER:
            self.running[kind] = False

    def hold(self, session: Any, part: Part) -> None:
        if self.modes[part.kind.name] != "Manual":
            self.happen()
            self.modes[part.kind.name] = "Manual"

    def copy_ahead(self, session: Any, source: str, target: str, timeout: float) -> None:
        self.happen()
        self.copies[self._kind(source)] = (TORN, b"")

    def bring_missing(self, session: Any, source: str, target: str, timeout: float) -> None:
        self.happen()
        self.uploads += [name for name in self.kept_uploads if name not in self.uploads]

    def difference(self, session: Any, source: str, target: str, timeout: float, *_rest: str) -> int:
        return 0 if self.fault == "setup_nothing" else 3

    def mirror(self, session: Any, source: str, target: str, timeout: float, *options: str) -> None:
        kind = self._kind(source)
        self.happen()
        if source == FOLDERS[kind]:
            assert not self.running[kind], "people still work in what is copied"
            self.kept_uploads = list(self.uploads)
            self.copies[kind] = (TORN, b"")
            if self.fault == "disk":
                raise InstallationError("the disk is full")
            self.happen()
            self.copies[kind] = (self.version[kind], self.conf[kind])
        else:
            assert not self.running[kind], "files in use"
            assert options == ("/XD", "filestore")
            self.version[kind] = TORN
            self.happen()
            self.version[kind], self.conf[kind] = self.copies[kind]

    def put_over(
        self, session: Any, kind: Any, folder: str, setup: str, conf: bytes, settings: Any, **_rest: Any
    ) -> Any:
        name = kind.name
        if self.fault == "setup_before":
            raise InstallationError("the setup ended with code 1")
        self.happen()
        self.running[name] = False
        self.services.discard(name)
        self.modes[name] = "Auto"
        self.version[name] = TORN
        if self.fault == "setup_middle":
            raise InstallationError("the setup ended with code 2")
        self.happen()
        self.version[name], self.minor[name] = NEW, NEW
        self.conf[name] = RESET if name == SERVER else self.conf[name]
        self.services.add(name)
        self.running[name] = True
        if self.fault == "setup_end":
            raise InstallationError("the setup ended with code 2")
        self.happen()
        self.running[name] = False
        self.happen()
        self.conf[name] = conf
        return self.part(name), []

    def put_settings_back(self, session: Any, settings: Any, *_rest: Any) -> None:
        kind = SERVER if settings.name == NAMES[SERVER] else WEB
        if kind not in self.services or self.modes[kind] != "Auto":
            self.happen()
            self.services.add(kind)
            self.modes[kind] = "Auto"

    def put_back_values(self, session: Any, key: str, values: dict[str, Any]) -> list[str]:
        kind = self._kind(key)
        self.happen()
        self.minor[kind] = values["VersionMinor"][1]
        return []

    def update(self, session: Any, server: Any, part: Part, name: str, wanted: Any, **_rest: Any) -> Any:
        assert not self.running[SERVER], "OpenERP serves while its databases are updated"
        assert self.version[SERVER] == NEW
        self.happen()
        self.databases[name] = TORN
        last = name == "SpecibikeB"
        assert self.modes[SERVER] == "Manual", "a boot would serve what is half done"
        if last and self.fault in ("update_fails", "update_damages"):
            if self.fault == "update_damages":
                self.damaged.add(name)
            return SimpleNamespace(seconds=1.0, problem="the update ended with code 1")
        self.happen()
        self.databases[name] = NEW
        if last and self.fault == "update_breaks_first":
            # What was updated before does not serve with the older code.
            self.damaged.add("SpecibikeA")
            return SimpleNamespace(seconds=1.0, problem="the update ended with code 1")
        return SimpleNamespace(seconds=1.0, problem="")

    def save_dump(self, server: Any, name: str, entry: DatabaseEntry, path: str, *_rest: Any) -> None:
        self.happen()
        assert self.databases[name] != TORN, "a torn database is dumped"
        assert name not in self.damaged
        self.dumps[path] = self.databases[name]
        entry.dump = path

    def bring_back(self, server: Any, name: str, entry: DatabaseEntry, *_rest: Any) -> None:
        assert not self.running[SERVER], "a database in use is restored"
        self.happen()
        if self.fault == "restore_fails":
            raise UpdateError("the restore failed")
        self.databases[name] = self.dumps[entry.dump]
        self.damaged.discard(name)
        self.happen()

    def login(self, target: Any, server: Any, rpc: Any, name: str) -> str:
        if not self.serves():
            raise ServiceError("no answer")
        return "good" if self.serves() and name not in self.damaged and self.databases[name] != TORN else "fault"

    def server(self) -> Any:
        def databases() -> list[Any]:
            return [
                SimpleNamespace(name=name, connectable=True, owner="openpg") for name in [*self.databases, "essais"]
            ]

        return SimpleNamespace(identify=lambda: None, properties=lambda: {}, databases=databases)

    def bring(self, *_rest: Any) -> str:
        self.happen()
        return "C:\\work\\setup.exe"

    def rpc(self, *_rest: Any) -> Any:
        def version() -> str:
            if not self.running[SERVER]:
                raise ServiceError("no answer")
            return self.version[SERVER]

        def databases() -> list[str]:
            if not self.serves():
                raise ServiceError("no answer")
            return sorted(self.databases)

        return SimpleNamespace(version=version, databases=databases)

    def page(self, *_rest: Any) -> list[str]:
        if not self.running[WEB]:
            raise ServiceError("no answer")
        return sorted(self.databases)

    def session(self) -> Any:
        def run_line(line: str) -> None:
            self.happen()
            if line.startswith("rd "):
                self.copies.clear()
                self.dumps.clear()
                self.happen()

        return SimpleNamespace(name="srv1", run_line=run_line, one_row=lambda query: {})


OPTIONS = Options(
    rules=Rules(to_release=(6, 0, 4)),
    setups={kind: Setup("a.exe", "0" * 64) for kind in (SERVER, WEB)},
    service_timeout=0,
)


def fresh_journal() -> Journal:
    """Return the journal of an upgrade that has not begun."""
    found = Journal(
        "srv1",
        "2026-11-24T100000Z",
        OLD,
        NEW,
        "C:\\work",
        listed=["SpecibikeA", "SpecibikeB"],
        page=["SpecibikeA", "SpecibikeB"],
    )
    found.databases = {"SpecibikeA": DatabaseEntry(login="good"), "SpecibikeB": DatabaseEntry(login="good")}
    found.logins = {"SpecibikeA": "good", "SpecibikeB": "good"}
    found.present = ["SpecibikeA", "SpecibikeB", "essais"]
    found.setups = {kind: {"source": f"{kind}.exe", "sha256": "0" * 64} for kind in FOLDERS}
    found.server, found.web = (
        {
            "folder": FOLDERS[kind],
            "settings": SETTINGS[kind],
            "running": True,
            "setup": True,
            "port": 1,
            "key": f"HKLM\\{kind}",
            "values": {"VersionMinor": ["REG_DWORD", OLD]},
        }
        for kind in (SERVER, WEB)
    )
    return found


def put_in_place(monkeypatch: pytest.MonkeyPatch, current: Callable[[], School]) -> None:
    """Have the upgrade work on the school that ``current`` returns."""

    def later(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            return getattr(current(), name)(*arguments, **options)

        return call

    for theirs, ours in {
        "stop": "stop",
        "hold": "hold",
        "copy_ahead": "copy_ahead",
        "bring_missing": "bring_missing",
        "difference": "difference",
        "mirror": "mirror",
        "put_over": "put_over",
        "put_settings_back": "put_settings_back",
        "put_back_values": "put_back_values",
        "update": "update",
        "try_login": "login",
        "Rpc": "rpc",
        "login_page": "page",
    }.items():
        for module in (upgrade, work):
            if hasattr(module, theirs):
                monkeypatch.setattr(module, theirs, later(ours))
    monkeypatch.setattr(upgrade, "end_leftovers", lambda session, folder: [])
    monkeypatch.setattr(upgrade, "bring", later("bring"))
    monkeypatch.setattr(work, "find_part", lambda found, kind, name, host: current().part(kind))
    services = SimpleNamespace(
        services=lambda session: [current()._service(kind) for kind in sorted(current().services)],
        service=lambda session, name: current()._service(SERVER if name == NAMES[SERVER] else WEB),
        start=later("start"),
    )
    for module in (work, waiting):
        monkeypatch.setattr(module, "services", services)
    monkeypatch.setattr(
        upgrade,
        "files",
        SimpleNamespace(
            read=lambda session, path: current().copies[SERVER if "server" in path else WEB][1],
            folder_exists=lambda session, path: True,
            exists=lambda session, path: False,
        ),
    )
    names = SimpleNamespace(
        save=later("save_dump"),
        bring_back=later("bring_back"),
        drop_left_overs=lambda server, names: [],
        left_overs=lambda names: {f"{name}_upg_new" for name in names},
    )
    for module in (upgrade, work):
        monkeypatch.setattr(module, "dumps", names)
    monkeypatch.setattr(work, "Server", lambda machine, access: current().server())
