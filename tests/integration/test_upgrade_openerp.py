# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout of an update against the lab: two servers, every fault, power cuts; what counts is asked past the product."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import urllib.request
import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.control import Client
from lab.supervisor import State
from tests.labs import BIN, ROOT, Run
from tests.schools import SERVER, School, make_school

UPGRADE = "playbooks/upgrade_openerp.yml"
SECOND = "srv-openerp2"
OLD, NEW = "6.0.3", "6.0.4"
CONF = "Server/openerp-server.conf"
CONTEXTS = ["SpecibikeA", "SpecibikeB"]
#: The smallest upgrade takes about so many requests of WinRM, the last 450 of them once it has begun. It is cut at a few, spread over
#: all; LYCEE_CUTS=1:680:1 names each.
REQUESTS, CUTS = 680, 6


class Rollout(School):
    """A school whose servers are upgraded, and what they really are."""

    def __enter__(self) -> Rollout:
        super().__enter__()
        return self

    def rpc(self, host: str, service: str) -> Any:
        return xmlrpc.client.ServerProxy(f"http://{self.address(host)}:8069/xmlrpc/{service}")

    def folder(self, host: str) -> Path:
        """Return the folder of OpenERP on a server's drive, in the lab's own files."""
        return next(self.drive(host).glob("Program Files/**/OpenERP 6.0/Server")).parent

    def drive(self, host: str) -> Path:
        """Return a server's C: in the lab's own files."""
        return State([str(self.inventory)]).folder / "windows" / host / "C"

    def verify(self, host: str, release: str, contexts: list[str]) -> None:
        """See by real clients that a server serves a release, and everything else as it was."""
        databases = self.rpc(host, "db")
        assert databases.server_version() == release
        assert [name for name in sorted(databases.list()) if name in contexts] == sorted(contexts)
        assert not [name for name in databases.list() if "_upg_" in name]
        for name in contexts:
            assert self.rpc(host, "common").login(name, "admin", "admin") == 1
            pending = "SELECT count(*) FROM ir_module_module WHERE state LIKE 'to %'"
            assert self.sql(host, name, pending).strip() == "0"
        with urllib.request.urlopen(f"http://{self.address(host)}:8080/openerp/login", timeout=20) as answer:
            page = answer.read().decode()
        assert all(f'<option value="{name}"' in page for name in contexts)

    def installed(self, host: str) -> dict[str, Any]:
        """Return what Windows knows of OpenERP on a server: services with all their settings, registry, configuration, uploads."""
        state = json.loads(self.command("state", host))
        services = {name: one for name, one in state["services"].items() if name.startswith("openerp-")}
        for one in services.values():
            for name in ("exit_code", "failures", "specific"):
                one.pop(name, None)
        folder = self.folder(host)
        places = [path for kind in ("Server", "Web") for path in (folder / kind).rglob("*")]
        wanted = [path for path in places if path.is_file() and ".log" not in path.name]
        files = {str(path.relative_to(folder)): path.read_bytes() for path in wanted}
        registry = {key: values for key, values in state["registry"].items() if "OpenERP" in key}
        return {"services": services, "registry": registry, "files": files}

    def loaded(self, host: str, database: str) -> bool:
        query = "SELECT count(*) FROM ir_model_data WHERE module = 'base' AND name = 'XOF'"
        return self.sql(host, database, query).strip() == "1"

    def upgrade(self, *arguments: str) -> Run:
        return self.playbook(UPGRADE, *arguments)

    def small(self, *arguments: str) -> Run:
        """Upgrade without the backup role, whose nights have tests of their own."""
        return self.upgrade("-e", "openerp_upgrade_backup=false", "-e", "openerp_upgrade_timeout=15", *arguments)

    def report(self, host: str = SERVER) -> dict[str, Any]:
        """Return the newest report."""
        found: dict[str, Any] = json.loads((self.data / "upgrades" / host / "last.json").read_text())
        return found


def two_small_servers(hosts: dict[str, Any]) -> None:
    """Leave two servers with two contexts each, and the backup server with its setups."""
    del hosts["children"]["network"]
    servers = hosts["children"]["windows"]["children"]
    del servers["spare_servers"]
    contexts = [{"name": name, "tables": 20, "rows": 20} for name in CONTEXTS]
    for host in (SERVER, SECOND):
        servers["openerp_servers"]["hosts"][host] |= {"lab_databases": contexts}


def school_of(folder: Path, network: str) -> Rollout:
    return Rollout(make_school(folder / "inventories" / "lab", network, two_small_servers).inventory)


@pytest.fixture(scope="module")
def rollouts(lab_networks: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rollout]:
    """Bring two small servers up, once per module: each test that takes back what failed leaves them as they were."""
    with school_of(tmp_path_factory.mktemp("rollouts"), lab_networks()) as school:
        yield school


@pytest.fixture
def rollout(rollouts: Rollout, tmp_path: Path) -> Iterator[Rollout]:
    """Give them with empty reports; take faults back at the end."""
    rollouts.data = tmp_path / "data"
    yield rollouts
    rollouts.command("fault", "all", "clear")


@pytest.fixture
def alone(lab_networks: Callable[[], str], tmp_path: Path) -> Iterator[Rollout]:
    """Give two small servers that may end on another release."""
    with school_of(tmp_path, lab_networks()) as school:
        school.data = tmp_path / "data"
        yield school


def test_two_servers_with_twelve_contexts_each(lab_networks: Callable[[], str], tmp_path: Path) -> None:
    def whole(hosts: dict[str, Any]) -> None:
        del hosts["children"]["network"]

    with Rollout(make_school(tmp_path / "inventories" / "lab", lab_networks(), whole).inventory) as school:
        contexts = {
            host: sorted(
                name
                for name in school.databases(host)
                if name.startswith("Specibike") and name.isalnum() and name.isascii()
            )
            for host in (SERVER, SECOND)
        }
        assert {host: len(names) for host, names in contexts.items()} == {SERVER: 12, SECOND: 12}
        confs = {host: (school.folder(host) / CONF).read_bytes() for host in contexts}
        before = {host: school.installed(host) for host in contexts}
        assert b"db_password = Base-De-Donnees-2026" in confs[SERVER]
        assert b"logfile = C:\\cygwin\\var\\log" in confs[SERVER]

        plan = school.upgrade("--check")
        assert plan.status == 0, plan.output
        assert plan.changed == sorted(contexts)
        for host, names in contexts.items():
            assert f"{host}: 6.0.3 would be taken to 6.0.4, with 12 databases" in plan.text
            school.verify(host, OLD, names)
            assert (school.folder(host) / CONF).read_bytes() == confs[host]
            assert not (
                school.folder(host).anchor and list(school.folder(host).glob("../../Windows/Temp/lycee-upgrade"))
            )
        assert not (school.data / "backups").exists()

        run = school.upgrade()
        assert run.status == 0, run.output
        for host, names in contexts.items():
            school.verify(host, NEW, names)
            assert all(school.loaded(host, name) for name in names)
            assert (school.folder(host) / CONF).read_bytes() == confs[host]
            now = school.installed(host)
            assert now["services"] == before[host]["services"]
            kept = [
                path for path in now["files"] if "filestore" in path or path.endswith((".conf", "doc/openerp-web.cfg"))
            ]
            assert len(kept) > 2
            assert all(now["files"][path] == before[host]["files"][path] for path in kept)
            report = school.report(host)
            assert (report["outcome"], report["version"], len(report["databases"])) == ("upgraded", NEW, 12)
            assert report["interrupted"] > 0
            assert f"{host}: [12/12] " in run.output
            assert f"{host}: 6.0.4 serves its databases, verified" in run.text
        assert "Base-De-Donnees-2026" not in run.output + json.dumps(report)
        # What was never served is left, and told.
        assert not school.loaded(SERVER, "SpecibikeX;touch PWNED")

        again = school.upgrade()
        assert (again.status, again.changed) == (0, []), again.output
        for host in contexts:
            assert f"{host}: 6.0.4 runs and 12 databases carry its data" in again.text
            assert "logged in within" not in again.text


FAULTS = {
    "setup writes nothing": (SERVER, ["setup_fails", "before"], "ended with code 1"),
    "setup stops half-way": (SERVER, ["setup_fails", "middle"], "ended with code 2"),
    "setup fails at its end": (SERVER, ["setup_fails", "end"], "ended with code 2"),
    "setup hangs": (SERVER, ["setup_hangs"], "did not end within 5 s"),
    "update fails": (SERVER, ["update_fails", "SpecibikeB"], "SpecibikeB: the update ended with code 1"),
    "update does nothing": (
        SERVER,
        ["update_silent", "SpecibikeB"],
        "SpecibikeB: the update ended with code 0 and did not load",
    ),
    "update damages": (SERVER, ["update_damages", "SpecibikeB"], "SpecibikeB: the update ended with code 1"),
    "update hangs": (SERVER, ["update_hangs", "SpecibikeB"], "the update of SpecibikeB did not end within 5 s"),
    "server dies": (SERVER, ["service_dies", "openerp-server-6.0"], "openerp-server-6.0"),
    "web client dies": (SERVER, ["service_dies", "openerp-web-6.0"], "openerp-web-6.0"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_server_that_fails_is_taken_back_and_the_next_is_not_touched(rollout: Rollout, name: str) -> None:
    host, fault, said = FAULTS[name]
    before = rollout.installed(SERVER)
    assert [path for path in before["files"] if "filestore" in path]
    commands = {row["host"]: row["commands"] for row in rollout.status()}
    rollout.fault(host, *fault)
    run = rollout.small("-e", "openerp_upgrade_setup_timeout=5", "-e", "openerp_upgrade_update_timeout=5")
    assert run.status != 0
    assert said in run.text, run.output
    dying = name.endswith("dies")
    if dying:
        # Nothing can start a service that dies at each start, on the former release either: that is told, and the next run ends it.
        assert "could not be taken back to 6.0.3" in run.text, run.output
        assert rollout.report()["outcome"] == "unfinished"
        rollout.command("fault", SERVER, "clear")
        run = rollout.small()
        assert run.status != 0
    assert "It was taken back: 6.0.3 serves its databases as before, verified" in run.text, run.output
    assert rollout.report()["outcome"] == "rolled back"
    rollout.command("fault", SERVER, "clear")
    rollout.verify(SERVER, OLD, CONTEXTS)
    assert rollout.installed(SERVER) == before
    # 6.0.3 serves what 6.0.4 updated; what was being updated is as it was.
    assert not rollout.loaded(SERVER, "SpecibikeB") or name == "web client dies" or name == "server dies"
    assert {row["host"]: row["commands"] for row in rollout.status()}[SECOND] == commands[SECOND]
    rollout.verify(SECOND, OLD, CONTEXTS)


@pytest.mark.parametrize(
    ("fault", "arguments", "said"),
    [
        ("", ("-e", f"openerp_upgrade_server_sha256={'0' * 64}"), "is not the setup that is wanted"),
        ("", ("-e", "openerp_upgrade_release=6.1.0"), "is no minor update"),
        ("", ("-e", "openerp_upgrade_release=6.0.2"), "6.0.2 is older than 6.0.3"),
        (
            "",
            ("-e", "openerp_upgrade_server_source=/nowhere/openerp-server-setup-6.0.4.exe"),
            "cannot be read on this machine",
        ),
        (
            "",
            ("-e", json.dumps({"openerp_upgrade_server_source": "\\\\srv\\Logiciels\\openerp-server-setup-6.0.4.exe"})),
            "cannot use its account on another",
        ),
        (
            "",
            ("-e", "openerp_upgrade_server_source=http://{{ lab_network }}.110:10080/openerp-allinone-setup-6.0.4.exe"),
            "deletes PostgreSQL",
        ),
        ("", ("-e", "openerp_upgrade_backup=true", "-e", "database_backup_destinations=[]"), "destination"),
        ("conf_unreadable", (), "openerp-server.conf cannot be read"),
        ("disk_full", (), "(WIN32: 112)"),
    ],
)
def test_what_stands_against_it_is_told_and_nothing_is_changed(
    rollout: Rollout, fault: str, arguments: tuple[str, ...], said: str
) -> None:
    if fault:
        rollout.fault(SERVER, fault)
    run = rollout.small("--limit", SERVER, *arguments)
    assert run.status != 0
    assert said in run.text, run.output
    assert "Base-De-Donnees-2026" not in run.output
    assert not (rollout.data / "upgrades" / SERVER / "journal.json").exists()
    rollout.command("fault", SERVER, "clear")
    rollout.verify(SERVER, OLD, CONTEXTS)


def test_a_standby_is_skipped(rollout: Rollout) -> None:
    run = rollout.small("--limit", SERVER, "-e", "openerp_topology=dfs_pair", "-e", f"openerp_active_server={SECOND}")
    assert run.status == 0, run.output
    assert run.changed == []
    assert "srv-openerp1: skipped: standby" in run.output


def start(school: Rollout, *arguments: str) -> subprocess.Popen[str]:
    """Start the smallest upgrade in a process group of its own."""
    command = [
        *(str(BIN / "ansible-playbook"), "-i", str(school.inventory), "-e", f"lycee_data_dir={school.data}"),
        *(
            "-e",
            "openerp_upgrade_backup=false",
            "-e",
            "openerp_upgrade_timeout=15",
            "--limit",
            SERVER,
            UPGRADE,
            *arguments,
        ),
    ]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=school.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_a_disk_that_fills_up_in_the_middle(rollout: Rollout) -> None:
    with start(rollout) as process:
        assert process.stdout is not None
        lines = []
        control = Client(State([str(rollout.inventory)]).folder)
        for line in process.stdout:
            lines.append(line)
            if "complete the copy of the folder of the web" in line:
                control.ask("fault", host=SERVER, name="disk_full", value=None)
        control.close()
        process.wait(timeout=120)
    assert process.returncode != 0
    assert "It was taken back: 6.0.3 serves its databases as before, verified" in " ".join("".join(lines).split()), (
        lines
    )
    rollout.command("fault", SERVER, "clear")
    rollout.verify(SERVER, OLD, CONTEXTS)


def ends_well(school: Rollout) -> None:
    """The run after one that was cut ends on a verified server, and the one after that finds it upgraded."""
    run = school.small("--limit", f"{SERVER},localhost")
    if run.status != 0:
        assert "It was taken back: 6.0.3 serves its databases as before, verified" in run.text, run.output
        school.verify(SERVER, OLD, CONTEXTS)
        run = school.small("--limit", f"{SERVER},localhost")
    assert run.status == 0, run.output
    school.verify(SERVER, NEW, CONTEXTS)
    assert all(school.loaded(SERVER, name) for name in CONTEXTS)
    assert not (school.data / "upgrades" / SERVER / "journal.json").exists()


@pytest.mark.parametrize(
    "program",
    ["openerp-server-setup-6.0.4.exe", "robocopy", "openerp-server", "pg_dump", "openerp-web-setup-6.0.4.exe"],
)
def test_a_server_that_loses_power_in_the_middle_of_a_program(alone: Rollout, program: str) -> None:
    alone.fault(SERVER, "power_cut_in", program)
    run = alone.small("--limit", SERVER)
    assert run.status != 0
    # robocopy is first run to measure, when nothing has begun.
    assert (run.recap[SERVER]["unreachable"] == 1) == (program != "robocopy"), run.output
    assert ("the next run completes it" in run.text) == (program != "robocopy"), run.output
    alone.command("fault", SERVER, "clear")
    ends_well(alone)


def _places() -> list[int]:
    wanted = os.environ.get("LYCEE_CUTS")
    if wanted:
        first, last, by = (int(part) for part in wanted.split(":"))
        return list(range(first, last, by))
    return [101 + number * ((REQUESTS - 101) // CUTS) for number in range(CUTS)]


@pytest.mark.parametrize("place", _places())
def test_power_is_cut_anywhere(alone: Rollout, place: int) -> None:
    """The server's at even places; at odd ones the controller is killed with all its workers."""
    if place % 2 == 0:
        alone.fault(SERVER, "power_cut_after", str(place))
        run = alone.small("--limit", SERVER)
        assert run.status != 0 or place > REQUESTS - 40, run.output
        alone.command("fault", SERVER, "clear")
    else:
        with start(alone) as process:
            alone.fault(SERVER, "kill_tree_after", f"{place}:{process.pid}")
            process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL or place > REQUESTS - 40
    ends_well(alone)


def test_a_controller_that_is_killed_alone_leaves_no_worker_behind_that_goes_on(alone: Rollout) -> None:
    with start(alone) as process:
        alone.fault(SERVER, "kill_after", f"300:{process.pid}")
        process.communicate(timeout=120)
    ends_well(alone)


def test_installers_come_from_the_controller_or_from_the_server_itself(alone: Rollout) -> None:
    disks = alone.disks / "logiciels"
    local = alone.data / "openerp-web-setup-6.0.4.exe"
    local.parent.mkdir(parents=True)
    shutil.copyfile(disks / local.name, local)
    place = alone.drive(SERVER) / "openerp-server-setup-6.0.4.exe"
    shutil.copyfile(disks / place.name, place)
    run = alone.small(
        "--limit",
        SERVER,
        "-e",
        f"openerp_upgrade_web_source={local}",
        "-e",
        f"openerp_upgrade_server_source=C:\\{place.name}",
    )
    assert run.status == 0, run.output
    alone.verify(SERVER, NEW, CONTEXTS)
