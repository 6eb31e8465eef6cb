# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two servers with one set of data: failover and failback as an administrator runs them, on real clusters that are really replicated."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.supervisor import State
from tests.labs import BIN, ROOT, Run
from tests.schools import School

FIRST, SECOND, CONTROLLER = "srv-openerp1", "srv-openerp2", "srv-domaine"
CONTEXT = "SpecibikeSTMG1"
CRASH = ("-e", "openerp_failover_mode=crash", "-e", "openerp_failover_accept_loss=true")
#: A planned failover takes about so many requests of WinRM to the server that takes over. It is cut at a few; LYCEE_CUTS=1:230:1 names each.
REQUESTS, CUTS = 230, 3


class Pair(School):
    """A pair, and what is really on it."""

    def __enter__(self) -> Pair:
        super().__enter__()
        return self

    def user(self, host: str, *words: str) -> dict[str, Any]:
        """A user works; returns what he sees then."""
        program = ROOT / "rehearsals" / "files" / "user.py"
        done = subprocess.run(
            [sys.executable, program, self.address(host), *words],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def employees(self, host: str) -> list[str]:
        """Return the employees that a server serves."""
        return list(self.user(host, "count", CONTEXT)["employees"])

    def serves(self, host: str, employee: str) -> bool:
        """Return whether a server answers and shows an employee; one that is still starting does not answer."""
        try:
            return employee in self.employees(host)
        except AssertionError:
            return False

    def state(self, host: str) -> dict[str, Any]:
        """Return the lab's own state of a host."""
        found: dict[str, Any] = json.loads(self.command("state", host))
        return found

    def runs(self, host: str) -> bool:
        """Return whether PostgreSQL runs on a host, by the lab's own state."""
        return bool(self.state(host)["services"]["PostgreSQL_For_OpenERP"]["state"] == "Running")

    def marker(self) -> str:
        """Return the name in the marker, from the domain controller's own disk."""
        folder = State([str(self.inventory)]).folder / "windows" / CONTROLLER / "C" / "lycee" / "continuite"
        match = re.search(r"^active=(.*?)\r?$", (folder / "openerp.txt").read_text(), re.M)
        assert match is not None
        return match[1]

    def cluster(self, host: str) -> Path:
        """Return the data folder of a server, in the lab's own files."""
        drive = State([str(self.inventory)]).folder / "windows" / host / "C"
        return drive / "Program Files" / "replicat" / "OpenERP 6.0" / "PostgreSQL" / "data"

    def power(self, host: str, *, on: bool) -> None:
        """Take the power of a host away, or give it back."""
        if on:
            self.command("fault", host, "clear")
        else:
            self.fault(host, "no_power")

    def until(self, what: Callable[[], bool], about: str, seconds: float = 60.0) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, f"{about}: not in {seconds:g} s"
            time.sleep(0.3)

    def failover(self, *arguments: str) -> Run:
        return self.playbook("playbooks/failover.yml", "-e", "openerp_failover_timeout=30", *arguments)

    def failback(self, *arguments: str) -> Run:
        return self.playbook("playbooks/failback.yml", "-e", "openerp_failover_timeout=30", *arguments)

    def fix(self, *arguments: str) -> Run:
        return self.playbook("playbooks/fix_postgres_service_account.yml", *arguments)

    def module(self, host: str, name: str, arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one module on a host."""
        program, inventory = str(BIN / "ansible"), str(self.inventory)
        command = [program, "-i", inventory, host, "-o", "-m", f"lycee.openerp.{name}", "-a", arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, timeout=60, check=False
        )

    def settle(self) -> None:
        """Wait until each member has what the other has, by the members' own count."""
        asked = f"group=OpenERP folder=replicat members={FIRST},{SECOND} events=0"
        self.until(
            lambda: '"healthy": true' in self.module(CONTROLLER, "dfs_replication_info", asked).stdout,
            "the replication settles",
        )


def make_pair(folder: Path, network: str) -> Pair:
    """Return a pair of its own; it is not up yet."""
    shutil.copytree(ROOT / "inventories" / "lab_pair", folder)
    main = folder / "group_vars" / "all" / "main.yml"
    text, count = re.subn(r"^lab_network: .*$", f"lab_network: {network}", main.read_text("utf-8"), flags=re.M)
    assert count == 1
    main.write_text(text, "utf-8")
    return Pair(folder / "hosts.yml")


@pytest.fixture(scope="module")
def standing(lab_networks: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Give a pair that is configured, with accounts that both servers know and a context with one employee; one for the module."""
    folder = tmp_path_factory.mktemp("pair") / "inventories" / "lab_pair"
    with make_pair(folder, lab_networks()) as pair:
        run = pair.playbook("playbooks/configure_dfs_replication.yml")
        assert run.status == 0, run.output
        assert pair.fix().status == 0
        pair.user(FIRST, "create", CONTEXT)
        pair.user(FIRST, "hire", CONTEXT, "Dupont")
        yield pair


@pytest.fixture
def pair(standing: Pair) -> Iterator[Pair]:
    """Give the pair, and see that it is left as it was: the first server active, and the second one following."""
    standing.settle()
    before = standing.employees(FIRST)
    yield standing
    standing.command("fault", "all", "clear")
    assert standing.marker() == "SRV-OPENERP1"
    assert set(before) <= set(standing.employees(FIRST))
    assert not standing.runs(SECOND)


def test_the_story_of_the_source_document(lab_networks: Callable[[], str], tmp_path: Path) -> None:
    with make_pair(tmp_path / "inventories" / "lab_pair", lab_networks()) as pair:
        run = pair.playbook("rehearsals/pair/continuity.yml")
        assert run.status == 0, run.output
        assert pair.employees(FIRST) == ["Bernard", "Dupont", "Martin"]
        run = pair.playbook("rehearsals/pair/jobs.yml")
        assert run.status == 0, run.output
        assert pair.employees(FIRST) == ["Bernard", "Dupont", "Martin"]
        assert "skipped: standby" in run.output


def test_a_second_configuration_changes_nothing(pair: Pair) -> None:
    run = pair.playbook("playbooks/configure_dfs_replication.yml")
    assert run.status == 0, run.output
    assert run.changed == []
    run = pair.fix()
    assert run.status == 0, run.output
    assert run.changed == []


def test_check_mode_shows_every_gate_and_changes_nothing(pair: Pair) -> None:
    before = [pair.state(host) for host in (FIRST, SECOND)]
    run = pair.failover("--check")
    assert run.status == 0, run.output
    for gate in (
        "marker",
        "other_stopped",
        "replication",
        "backlog",
        "shut_down",
        "copies_agree",
        "no_live_pid",
        "account",
        "set_aside",
    ):
        assert re.search(rf"^openerp: {gate} +(open|later) ", run.output, re.M), run.output
    after = [pair.state(host) for host in (FIRST, SECOND)]
    assert [one["services"] for one in before] == [one["services"] for one in after]
    assert pair.marker() == "SRV-OPENERP1"


def test_a_server_that_runs_is_never_taken_for_dead(pair: Pair) -> None:
    run = pair.failover(*CRASH)
    assert run.status != 0
    assert "The gate other_stopped is closed: PostgreSQL_For_OpenERP is Running on srv-openerp1" in run.text, run.output
    # Off the network of this machine and yet alive: the lab's switch cuts its WinRM only.
    pair.fault(FIRST, "off")
    run = pair.failover(*CRASH)
    assert run.status != 0
    assert "and yet it lives: " in run.text, run.output
    assert pair.runs(FIRST)
    assert not pair.runs(SECOND)


def test_a_server_that_comes_back_starts_nothing_and_overwrites_nothing(pair: Pair) -> None:
    pair.power(FIRST, on=False)
    run = pair.failover(*CRASH)
    assert run.status == 0, run.output
    assert "a ping of srv-openerp2 is not answered" in run.output
    assert pair.marker() == "SRV-OPENERP2"
    pair.user(SECOND, "hire", CONTEXT, "Petit")
    pair.power(FIRST, on=True)
    tasks = 5
    pair.until(
        lambda: pair.command("console", FIRST, "--requests").count("start.cmd") >= tasks, "the starter runs at boot"
    )
    assert not pair.runs(FIRST)
    assert "Petit" in pair.employees(SECOND)
    # The active one starts by itself after a power cut, since the marker names it.
    pair.power(SECOND, on=False)
    pair.power(SECOND, on=True)
    pair.until(lambda: pair.runs(SECOND), "the starter starts the active server")
    pair.until(lambda: pair.serves(SECOND, "Petit"), "OpenERP serves again")
    run = pair.failback("-e", f"failback_primary={SECOND}")
    assert run.status == 0, run.output
    assert "Petit" in pair.employees(FIRST)


def test_a_copy_that_is_of_no_use_is_replaced_by_the_newest_dumps(pair: Pair) -> None:
    run = pair.playbook("playbooks/backup_databases.yml")
    assert run.status == 0, run.output
    assert "skipped: standby" in run.output
    pair.user(FIRST, "hire", CONTEXT, "Perdu")
    pair.settle()
    pair.power(FIRST, on=False)
    (pair.cluster(SECOND) / "global" / "pg_control").unlink()
    run = pair.failover(*CRASH)
    assert run.status == 0, run.output
    assert "Dupont" in pair.employees(SECOND)
    assert "Perdu" not in pair.employees(SECOND)
    pair.power(FIRST, on=True)
    run = pair.failback("-e", f"failback_primary={SECOND}")
    assert run.status == 0, run.output
    assert "Dupont" in pair.employees(FIRST)


def test_the_event_that_explains_a_wrong_account(pair: Pair) -> None:
    """PostgreSQL is started by hand with the account of an installer that the files do not know."""
    pair.fault(FIRST, "no_power")
    service = "name=PostgreSQL_For_OpenERP"
    wrong = f"{service} account=.\\\\openpgsvc password=0p3npgsvcPWD state=stopped"
    assert pair.module(SECOND, "windows_service", wrong).returncode == 0
    assert pair.module(SECOND, "windows_service", f"{service} state=started").returncode != 0
    events = json.dumps(pair.state(SECOND)["events"], ensure_ascii=False)
    assert "postgres cannot access the server configuration file" in events
    assert "Permission denied" in events
    assert pair.module(SECOND, "windows_service", f"{service} account=LocalSystem state=stopped").returncode == 0
    pair.command("fault", FIRST, "clear")
    pair.until(lambda: pair.runs(FIRST), "the starter starts the active server")
    pair.until(lambda: pair.serves(FIRST, "Dupont"), "OpenERP serves again")


def _places() -> list[int]:
    wanted = os.environ.get("LYCEE_CUTS")
    if wanted:
        first, last, by = (int(part) for part in wanted.split(":"))
        return list(range(first, last, by))
    return [41 + number * ((REQUESTS - 41) // CUTS) for number in range(CUTS)]


@pytest.mark.parametrize("place", _places())
def test_a_planned_failover_is_cut_anywhere(pair: Pair, place: int) -> None:
    with subprocess.Popen(
        [BIN / "ansible-playbook", "-i", pair.inventory, "-e", f"lycee_data_dir={pair.data}", "playbooks/failover.yml"],
        cwd=ROOT, env=pair.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        pair.fault(SECOND, "kill_tree_after", f"{place}:{process.pid}")
        output, _none = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL or place > REQUESTS - 60, output
    pair.command("fault", SECOND, "clear")
    assert not (pair.runs(FIRST) and pair.runs(SECOND))
    run = pair.failover()
    assert run.status == 0, run.output
    assert pair.marker() == "SRV-OPENERP2"
    assert not pair.runs(FIRST)
    pair.user(SECOND, "hire", CONTEXT, f"Coupe{place}")
    run = pair.failback()
    assert run.status == 0, run.output
    assert f"Coupe{place}" in pair.employees(FIRST)


def test_an_upgrade_and_a_standby_are_refused_while_the_replication_goes_on(pair: Pair) -> None:
    run = pair.playbook("playbooks/upgrade_openerp.yml", "--limit", FIRST, "-e", "openerp_upgrade_backup=false")
    assert run.status != 0
    assert "which has to be suspended before" in run.text, run.output
    assert '"version": "6.0.3"' in pair.module(FIRST, "openerp_info", f"database_host={pair.address(FIRST)}").stdout


def test_an_inventory_that_names_another_active_server_is_refused(pair: Pair) -> None:
    run = pair.playbook("playbooks/configure_dfs_replication.yml", "-e", f"openerp_active_server={SECOND}")
    assert run.status != 0
    assert (
        "by the marker C:\\lycee\\continuite\\openerp.txt the active server is SRV-OPENERP1, and by the inventory SRV-OPENERP2"
        in run.text
    )
    assert pair.runs(FIRST)


def test_no_clear_text_of_the_password_is_shown(pair: Pair) -> None:
    run = pair.failover("--check", "-vvv")
    assert "Base-De-Donnees-2026" not in run.output
