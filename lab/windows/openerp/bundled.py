# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PostgreSQL inside the all-in-one setup: a real cluster behind a service that was not there before.

Source: facts/openerp.md A1 (setup.nsi of the all-in-one, "Services"): account openpgsvc with a public password, superuser openpg
with openpgpwd, port 5432, service PostgreSQL_For_OpenERP; 8.4.12 in the script of mid-2012, 8.4.9 in its commented line. An account
that is made anew has a new SID, and the data folder belongs to that SID and to administrators alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.windows import inventory
from lab.windows.openerp.files import noise
from lab.windows.pgtools import tool
from lab.windows.plan import bundled_postgresql
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.host import Host

ACCOUNT = "openpgsvc"
_UNINSTALL = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\PostgreSQL "


def version_in(openerp: str) -> str:
    """The PostgreSQL that the all-in-one of an OpenERP release carries."""
    return "8.4.9" if openerp == "6.0.3" else "8.4.12"


async def install(host: Host, folder: str, openerp: str) -> None:
    """Install it into a folder that is not there. Raises LabRefusal where this machine has no PostgreSQL to run behind.

    Args:
        folder: ``$INSTDIR\\PostgreSQL``. openerp: the release of the all-in-one.
    """
    from lab.windows.programs import REGISTRY

    if not re.fullmatch(r"[Cc]:\\[^\"%]+", folder):
        raise LabRefusal(f"PostgreSQL in {folder} is not played")
    database = bundled_postgresql(folder, version_in(openerp))
    for part in ("bin", "lib", "share"):
        host.drive.make(f"{folder}\\{part}")
    host.drive.write(f"{folder}\\lib\\plpgsql.dll", noise("plpgsql", 4000))
    host.drive.write(f"{folder}\\share\\postgresql.conf.sample", noise("sample", 2000))
    if host.accounts.user(ACCOUNT) is None:
        host.accounts.add(ACCOUNT, str(database["account_password"]))
    host.plan.postgresql = database  # the programs of PostgreSQL stand there from now on
    for item in REGISTRY.values():
        if item.folder is tool.folder:
            path = item.path(host)
            host.drive.write(path, b"MZ\x90\0LAB: " + path.encode() + b"\r\n")
    for path, values in inventory.database_keys(database).items():
        host.registry.create(path).update(values)
    major = str(database["version"]).rpartition(".")[0]
    host.registry.create(f"{_UNINSTALL}{major}").update({
        "DisplayName": ("REG_SZ", f"PostgreSQL {major} "), "DisplayVersion": ("REG_SZ", major),
        "InstallLocation": ("REG_SZ", folder), "Publisher": ("REG_SZ", "PostgreSQL Global Development Group"),
        "UninstallString": ("REG_SZ", f"{folder}\\uninstall-postgresql.exe"),
    })  # fmt: skip
    former = host.scm.get(str(database["service"]))
    if former:
        if former.state != "Stopped":
            await host.scm.kill(former)
        host.scm.delete(former.name)
    host.scm.create(inventory.database_service(host, database))
    try:
        await host.prepare_database(database, fresh=True)
    except LabError as error:
        raise LabRefusal(error.sentence) from None
