# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Linux host of the inventory: what it offers, and a sentence for each mistake."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import school_data
from lab.errors import LabError
from lab.faults import parse_faults

VARIABLES = (
    "ansible_host", "ansible_port", "ansible_user", "inventory_dir", "lab_kind", "lab_rsync", "lab_media", "lab_ssh",
    "lab_http", "lab_postgresql", "lab_faults",
)  # fmt: skip
NOTHING = "lab_kind: linux without lab_rsync, lab_media, lab_ssh, lab_http or lab_postgresql: nothing of it is played"
_POSTGRESQL = {"port": 5432, "superuser": "postgres", "password": "", "databases": []}


@dataclass
class LinuxPlan:
    """One Linux host as the inventory describes it.

    Attributes:
        rsync: ``{port, modules: {name: {path, users}}}``. media: folder of each removable disk. ssh: ``{port, user,
        key_file}``. http: ``{port, path, setups}``. postgresql: ``{port, superuser, password, databases}``.
    """

    name: str
    address: str
    rsync: dict[str, Any] | None = None
    media: dict[str, str] = field(default_factory=dict)
    ssh: dict[str, Any] | None = None
    http: dict[str, Any] | None = None
    postgresql: dict[str, Any] | None = None
    faults: list[tuple[str, str | None]] = field(default_factory=list)
    kind: str = "linux"

    @property
    def ports(self) -> list[int]:
        """Every port that the host listens on."""
        return [int(part["port"]) for part in (self.rsync, self.ssh, self.http, self.postgresql) if part]

    @property
    def port(self) -> int:
        """The port that stands for the host in a table; 0 when it has disks only."""
        return next(iter(self.ports), 0)

    @property
    def services(self) -> str:
        """What it offers, in a few words."""
        names = [name for name in ("rsync", "ssh", "http", "postgresql") if getattr(self, name)]
        return "+".join([*names, *(["media"] if self.media else [])])


def _fail(host: str, text: str) -> LabError:
    return LabError(f"host {host}: {text}")


def _mapping(host: str, name: str, value: object, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _fail(host, f"{name} must be a mapping")
    unknown = {str(key) for key in value} - known
    if known and unknown:
        raise _fail(host, f"{name} knows {', '.join(sorted(known))}, not {', '.join(sorted(unknown))}")
    return {str(key): item for key, item in value.items()}


def _port(host: str, name: str, value: object) -> int:
    try:
        port = int(str(value))
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        raise _fail(host, f"{name}: port is {value!r}, which is not a port number")
    return port


def _path(host: str, name: str, value: object, folder: Path) -> str:
    if not value or "\n" in str(value):
        raise _fail(host, f"{name} needs a path")
    return str(folder / Path(str(value)).expanduser())


def linux_plan(host: str, variables: dict[str, Any], address: str) -> LinuxPlan:
    """Read the (templated) variables of one Linux host that offers something. Raises LabError.

    Args:
        address: ansible_host, already found to be a literal address.
    """
    folder = Path(str(variables.get("inventory_dir") or "."))
    plan = LinuxPlan(host, address)
    if variables.get("lab_rsync"):
        plan.rsync = _rsync(host, variables["lab_rsync"], folder)
    media = _mapping(host, "lab_media", variables.get("lab_media") or {}, set())
    for name, path in media.items():
        plan.media[name] = _path(host, f"lab_media: {name}", path, folder)
    if variables.get("lab_ssh"):
        ssh = _mapping(host, "lab_ssh", variables["lab_ssh"], {"key_file"})
        plan.ssh = {
            "key_file": _path(host, "lab_ssh: key_file", ssh.get("key_file"), folder),
            "port": _port(host, "ansible_port", variables.get("ansible_port") or 22),
            "user": str(variables.get("ansible_user") or "root"),
        }
    if variables.get("lab_http"):
        web = _mapping(host, "lab_http", variables["lab_http"], {"port", "path", "setups"})
        setups = web.get("setups", False)
        if not isinstance(setups, bool):
            raise _fail(host, f"lab_http: setups is {setups!r}; it must be true or false")
        path = _path(host, "lab_http: path", web.get("path"), folder)
        plan.http = {"port": _port(host, "lab_http", web.get("port") or 80), "path": path, "setups": setups}
    if variables.get("lab_postgresql"):
        given = variables["lab_postgresql"]
        found = {**_POSTGRESQL, **_mapping(host, "lab_postgresql", {} if given is True else given, set(_POSTGRESQL))}
        found["port"] = _port(host, "lab_postgresql", found["port"])
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(found["superuser"])):
            raise _fail(host, "lab_postgresql: superuser must be a plain PostgreSQL name")
        if not isinstance(found["databases"], list):
            raise _fail(host, "lab_postgresql: databases must be a list")
        found["databases"] = [school_data.entry(host, item) for item in found["databases"]]
        plan.postgresql = found
    faults = variables.get("lab_faults") or []
    try:
        plan.faults = parse_faults([faults] if isinstance(faults, str) else faults, "linux")
    except LabError as error:
        raise _fail(host, error.sentence) from None
    for name, value in plan.faults:
        if name == "absent" and value not in plan.media:
            raise _fail(host, f"lab_faults: lab_media has no disk {value!r}")
    if len(set(plan.ports)) < len(plan.ports):
        raise _fail(host, f"two of its services want the same port ({', '.join(map(str, plan.ports))})")
    return plan


def _rsync(host: str, value: object, folder: Path) -> dict[str, Any]:
    given = _mapping(host, "lab_rsync", value, {"port", "modules"})
    modules: dict[str, Any] = {}
    for name, entry in _mapping(host, "lab_rsync: modules", given.get("modules") or {}, set()).items():
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            raise _fail(host, f"lab_rsync: {name!r} is not a name for a module")
        module = _mapping(host, f"lab_rsync: {name}", entry, {"path", "users"})
        users = _mapping(host, f"lab_rsync: users of {name}", module.get("users") or {}, set())
        for user, password in users.items():
            if not re.fullmatch(r"[A-Za-z0-9_.-]+", user) or "\n" in str(password) or not str(password):
                raise _fail(host, f"lab_rsync: {user!r} needs a plain name and a password of one line")
        path = _path(host, f"lab_rsync: path of {name}", module.get("path"), folder)
        modules[name] = {"path": path, "users": {user: str(password) for user, password in users.items()}}
    if not modules:
        raise _fail(host, "lab_rsync needs modules, as in {port: 10873, modules: {Backup: {path: /tmp/backup}}}")
    return {"port": _port(host, "lab_rsync", given.get("port") or 873), "modules": modules}
