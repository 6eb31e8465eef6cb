# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenERP's single modules against the lab: a configuration, a fresh and an older installation, the data of one database."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.supervisor import State
from tests.labs import Run
from tests.schools import SERVER, SPARE, School, make_school

PASSWORD = "Base-De-Donnees-2026"
REACH = {"database_host": "{{ ansible_host }}", "database_password": "{{ vault_postgresql_password }}"}


class Tools(School):
    """A school on which one module at a time is run."""

    def __enter__(self) -> Tools:
        super().__enter__()
        return self

    def task(self, module: str, host: str = SERVER, *arguments: str, **options: Any) -> Run:
        play = {
            "hosts": host,
            "gather_facts": False,
            "tasks": [
                {f"lycee.openerp.{module}": {**REACH, **options}, "register": "found"},
                {"debug": {"var": "found"}},
            ],
        }
        path = self.inventory.parent / "task.yml"
        path.write_text(yaml.safe_dump([play], allow_unicode=True), "utf-8")
        return self.playbook(str(path), *arguments)

    def conf(self, host: str = SERVER) -> Path:
        drive = State([str(self.inventory)]).folder / "windows" / host / "C"
        return drive / "Program Files" / "OpenERP 6.0" / "Server" / "openerp-server.conf"

    def listed(self, host: str = SERVER) -> list[str]:
        found: Any = xmlrpc.client.ServerProxy(f"http://{self.address(host)}:8069/xmlrpc/db").list()
        return sorted(found)

    def setup(self, program: str = "server") -> dict[str, str]:
        upgrade = yaml.safe_load((self.inventory.parent / "group_vars" / "all" / "upgrade.yml").read_text("utf-8"))
        return {
            "program": program,
            "release": "6.0.4",
            "source": upgrade[f"openerp_upgrade_{program}_source"],
            "sha256": upgrade[f"openerp_upgrade_{program}_sha256"],
        }


@pytest.fixture(scope="module")
def tools(lab_networks: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    """Bring up a server with OpenERP and one context, and a spare one with PostgreSQL alone."""

    def two(hosts: dict[str, Any]) -> None:
        del hosts["children"]["network"]
        servers = hosts["children"]["windows"]["children"]
        one = servers["openerp_servers"]["hosts"][SERVER]
        servers["openerp_servers"]["hosts"] = {
            SERVER: one | {"lab_databases": [{"name": "SpecibikeA", "tables": 20, "rows": 20}]}
        }
        servers["spare_servers"]["hosts"][SPARE]["lab_openerp"] = False

    folder = tmp_path_factory.mktemp("tools") / "inventories" / "lab"
    with Tools(make_school(folder, lab_networks(), two).inventory) as school:
        yield school


def test_a_configuration_keeps_its_comments_and_is_proven(tools: Tools) -> None:
    path = tools.conf()
    text = b"; le lyc\xe9e\r\n" + path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    path.write_bytes(text)
    options = {"log_level": "warn", "db_password": "{{ vault_postgresql_password }}"}
    check = tools.task("openerp_config", SERVER, "--check", "--diff", options=options)
    assert check.changed == [SERVER], check.output
    assert path.read_bytes() == text
    done = tools.task("openerp_config", options=options)
    assert (done.status, done.changed) == (0, [SERVER]), done.output
    assert "restarted: true" in done.output
    assert path.read_bytes() == text + b"log_level = warn\r\n"
    again = tools.task("openerp_config", options=options)
    assert (again.status, again.changed) == (0, []), again.output
    for value, said in (("un%(deux", "keeps the program from starting"), ("un ;deux", "reads less")):
        bad = tools.task("openerp_config", options={"db_password": value})
        assert bad.status != 0
        assert said in bad.text, bad.output
    wrong = tools.task("openerp_config", options={"db_password": "Fausse-2026"}, timeout=8)
    assert wrong.status != 0
    assert "does not serve with the new values of db_password" in wrong.text, wrong.output
    assert "Fausse-2026" not in wrong.output.replace("'Fausse-2026'", "")
    assert path.read_bytes() == text + b"log_level = warn\r\n"
    assert tools.listed() == ["SpecibikeA"]
    assert PASSWORD not in check.output + done.output + wrong.output


def test_a_spare_server_gets_openerp_with_the_right_password(tools: Tools) -> None:
    folder = "C:\\Program Files\\OpenERP 6.0\\Server"
    check = tools.task("openerp_install", SPARE, "--check", folder=folder, **tools.setup())
    assert (check.status, check.changed) == (0, [SPARE]), check.output
    assert not tools.conf(SPARE).exists()
    done = tools.task("openerp_install", SPARE, folder=folder, configuration={"log_level": "info"}, **tools.setup())
    assert (done.status, done.changed) == (0, [SPARE]), done.output
    # The setup itself writes openpgpwd, with which nothing is listed.
    assert f"db_password = {PASSWORD}".encode() in tools.conf(SPARE).read_bytes()
    assert tools.listed(SPARE) == []
    again = tools.task("openerp_install", SPARE, folder=folder, **tools.setup())
    assert (again.status, again.changed) == (0, []), again.output
    assert PASSWORD not in check.output + done.output


def test_a_setup_over_an_older_release_and_the_data_after_it(tools: Tools) -> None:
    before = tools.conf().read_bytes()
    wrong = tools.task("openerp_install", **(tools.setup() | {"sha256": "0" * 64}))
    assert "it was not run" in wrong.text or "is not the setup that is wanted" in wrong.text, wrong.output
    early = tools.task("openerp_database_update", databases=["SpecibikeA"], release="6.0.4")
    assert "6.0.3 runs, so it cannot load the data of 6.0.4" in early.text, early.output
    done = tools.task("openerp_install", **tools.setup())
    assert (done.status, done.changed) == (0, [SERVER]), done.output
    assert "db_password" in done.output
    assert tools.conf().read_bytes() == before
    assert tools.listed() == ["SpecibikeA"]

    check = tools.task("openerp_database_update", SERVER, "--check", databases=["SpecibikeA"], release="6.0.4")
    assert check.changed == [SERVER], check.output
    tools.fault(SERVER, "update_silent", "SpecibikeA")
    silent = tools.task("openerp_database_update", databases=["SpecibikeA"], release="6.0.4")
    tools.command("fault", SERVER, "clear")
    assert "did not load the data of 6.0.4" in silent.text, silent.output
    updated = tools.task("openerp_database_update", databases=["SpecibikeA"], release="6.0.4")
    assert (updated.status, updated.changed) == (0, [SERVER]), updated.output
    assert tools.sql(SERVER, "SpecibikeA", "SELECT count(*) FROM ir_model_data WHERE name = 'XOF'").strip() == "1"
    again = tools.task("openerp_database_update", databases=["SpecibikeA"], release="6.0.4")
    assert (again.status, again.changed) == (0, []), again.output
    absent = tools.task("openerp_database_update", databases=["Absente"], release="6.0.4")
    assert "there is no database Absente here" in absent.text
    info = tools.task("openerp_info", configuration={"db_user": "openpg", "list_db": False})
    assert info.status == 0
    assert "healthy: true" in info.output
    assert "loaded: true" in info.output
    assert "option: list_db" in info.output
