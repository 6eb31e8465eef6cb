# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with databases for the tests, and what really stands in them, past the product and the emulated programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.catalog import Catalog
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.tools import find_programs

from tests.labs import ROOT, Lab

SERVER, SPARE, DAEMON = "srv-openerp1", "srv-rechange", "srv-sauvegarde"


class School(Lab):
    """A lab with databases, and what its destinations hold."""

    def __enter__(self) -> School:
        super().__enter__()
        return self

    @property
    def disks(self) -> Path:
        """Return the folder of the emulated disks."""
        return self.inventory.parent.parent.parent / "var" / "lab-disks"

    def catalog(self, name: str = SERVER) -> Catalog:
        """Return the catalog of a server."""
        return Catalog(self.data / "backups", name)

    def address(self, host: str) -> str:
        """Return the address of a host."""
        (found,) = (row["address"] for row in self.status() if row["host"] == host)
        return str(found)

    def sql(self, host: str, database: str, text: str) -> str:
        """Ask a server's real cluster, past the product and the emulated programs."""
        name = database.replace("\\", "\\\\").replace("'", "\\'")
        done = subprocess.run(
            [
                find_programs(None) / "psql",
                "-h",
                self.address(host),
                "-U",
                "openpg",
                "-d",
                f"dbname='{name}'",
                "-Atqc",
                text,
            ],
            env={"PGPASSWORD": "Base-De-Donnees-2026", "PATH": os.environ["PATH"], "PGCLIENTENCODING": "UTF8"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def databases(self, host: str) -> list[str]:
        """Return the databases of a server."""
        return self.sql(
            host, "postgres", "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1"
        ).splitlines()

    def counts(self, host: str, database: str) -> str:
        """Return the rows of every table, counted by the server itself."""
        query = self.sql(
            host,
            database,
            "SELECT string_agg(format('SELECT %L, count(*) FROM %I.%I', schemaname||'.'||tablename, schemaname, tablename),"
            " ' UNION ALL ') FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        )
        return "\n".join(sorted(self.sql(host, database, query).splitlines()))

    def change(self, host: str = SERVER, database: str = "Specibiketoto") -> None:
        """A pupil works."""
        self.sql(host, database, "INSERT INTO res_partner (name) VALUES ('nouveau')")


def make_school(folder: Path, network: str, edit: Callable[[dict[str, Any]], None]) -> School:
    """Return a lab of its own after ``edit`` of its inventory; it is not up yet."""
    shutil.copytree(ROOT / "inventories" / "lab", folder)
    main = folder / "group_vars" / "all" / "main.yml"
    text, count = re.subn(r"^lab_network: .*$", f"lab_network: {network}", main.read_text("utf-8"), flags=re.M)
    assert count == 1
    main.write_text(text, "utf-8")
    hosts = yaml.safe_load((folder / "hosts.yml").read_text("utf-8"))
    edit(hosts["all"])
    (folder / "hosts.yml").write_text(yaml.safe_dump(hosts, allow_unicode=True), "utf-8")
    return School(folder / "hosts.yml")
