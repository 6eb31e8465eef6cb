# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows hosts in the inventory, the commands of the lab about them, and Ansible's own winrm plugin."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.plan import Plan, build_plan
from lab.windows.endpoint import WindowsEndpoint
from lab.windows.plan import computer_name, machine_sid
from lab.windows.postgres import Installation, find_binaries

HOST = {"lab_kind": "windows", "ansible_host": "127.77.251.1"}


def windows(**variables):
    return build_plan("x", {"srv-1": {**HOST, **variables}}).windows[0]


def test_defaults():
    plan = windows()
    assert (plan.port, plan.scheme, plan.language, plan.version, plan.architecture) == (
        5985,
        "http",
        "fr",
        "6.0.6002",
        32,
    )
    assert (plan.user, plan.computer_name, plan.domain, plan.openerp) == ("Administrateur", "SRV-1", "WORKGROUP", False)
    assert plan.quota == {"shells": 5, "operations": 15, "processes": 15, "leak": False}
    newer = windows(lab_windows_version="10.0.20348", ansible_port=5986, lab_postgresql=True)
    assert (newer.scheme, newer.architecture, newer.openerp, newer.certutil_sha256) == ("https", 64, True, True)
    assert newer.postgresql["version"] == "8.4.12"
    plan = build_plan(
        "x", {"a": {"ansible_connection": "winrm", "ansible_host": "127.77.251.1", "lab_faults": "slow=1"}}
    )
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ansible_host": "srv1.lycee.example"}, "can only play literal addresses"),
        ({"ansible_port": "http"}, "not a port number"),
        ({"ansible_winrm_scheme": "ftp"}, "choose http or https"),
        ({"lab_language": "de"}, "choose fr or en"),
        ({"lab_windows_version": "5.2.3790"}, "choose one of: 6.0.6002"),
        ({"lab_windows_version": "10.0.20348", "lab_architecture": 32}, "a server is 32 only with 6.0.6002"),
        ({"lab_computer_name": "SERVEUR_BEAUCOUP_TROP_LONG"}, "15 at most"),
        ({"lab_machine_sid": "S-1-5-32"}, "must look like"),
        ({"lab_accounts": [{"password": "x"}]}, "needs a name"),
        ({"lab_services": {"name": "x"}}, "lab_services must be a list"),
        ({"lab_services": [{"name": "x", "colour": 1}]}, "lab_services knows"),
        ({"lab_postgresql": {"port": 80}}, "a number above 1023"),
        ({"lab_postgresql": {"prot": 80}}, "not prot"),
        ({"lab_postgresql": {"version": "9.4.1"}}, "8.3 or 8.4"),
        ({"lab_quota": {"shells": "many"}}, "whole number"),
        ({"lab_faults": ["pager"]}, "there is no fault 'pager'"),
        ({"lab_faults": ["slow=fast"]}, "fault slow needs a number of seconds"),
        ({"lab_faults": ["quota=x"]}, "needs one of: shells, operations"),
        ({"lab_basic": "perhaps"}, "true or false"),
        ({"lab_skip_cmd_shell": "maybe"}, "works or ignored"),
    ],
)
def test_variables_that_are_wrong(variables, said):
    with pytest.raises(LabError, match=said):
        build_plan("x", {"srv": {**HOST, **variables}})


def test_two_databases_cannot_share_an_address():
    hosts = {name: {**HOST, "ansible_port": port, "lab_postgresql": True} for name, port in (("a", 5985), ("b", 5986))}
    with pytest.raises(LabError, match=r"both want 127\.77\.251\.1:5432"):
        build_plan("x", hosts)


def test_names_are_stable():
    assert computer_name("srv_openerp-01.lycee.example") == "SRVOPENERP-01"
    assert machine_sid("a") == machine_sid("a")
    assert machine_sid("a") != machine_sid("b")


def test_no_postgresql_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("LYCEE_LAB_PG_BIN", str(tmp_path))
    with pytest.raises(LabError, match="no PostgreSQL older than 19"):
        find_binaries()


def test_five_hundred_hosts_listen_at_once(tmp_path):
    async def measure():
        hosts = {}
        for number in range(500):
            address = f"127.77.251.{number % 200 + 20}"
            hosts[f"pc{number}"] = {
                **HOST,
                "ansible_host": address,
                "ansible_port": 20000 + number,
                "ansible_winrm_scheme": "http",
            }
        plan = build_plan("x", hosts)
        installation = Installation(tmp_path)
        before = time.process_time()
        endpoints = [WindowsEndpoint(item, tmp_path / item.name, installation, tmp_path) for item in plan.windows]
        for endpoint in endpoints:
            endpoint.open()
        used = time.process_time() - before
        for endpoint in endpoints:
            endpoint.shut()
        return used

    assert asyncio.run(measure()) < 2
    assert list(tmp_path.iterdir()) == []


def test_state_requests_and_status(winlab, remote):
    session = remote("poste")
    session.run("echo trace-unique")
    assert "cmd: echo trace-unique" in winlab.command("console", "poste", "--requests").stdout
    state = json.loads(winlab.command("state", "poste").stdout)
    assert state["services"]["Spooler"]["state"] == "Running"
    assert "Cahier-2026" not in json.dumps(state)
    rows = {row["host"]: row for row in json.loads(winlab.command("status", "--json").stdout)["devices"]}
    assert rows["poste"]["kind"] == "windows"
    assert rows["poste"]["open_shells"] >= 1
    assert rows["poste"]["requests"] > rows["poste"]["commands"] > 0
    assert "only IOS devices have a console" in winlab.command("console", "poste", "x").stderr
    result = winlab.command("fault", "poste", "trickle", "1:1")
    assert (result.returncode, "there is no fault 'trickle'" in result.stderr) == (2, True)
    assert "hang_stop" in winlab.command("fault", "--list").stdout


def test_drives_go_with_the_lab_and_stay_empty_until_needed(winlab):
    drives = winlab.folder() / "windows"
    assert (drives / "srv1" / "C" / "Program Files" / "OpenERP 6.0" / "PostgreSQL" / "data" / "PG_VERSION").exists()
    assert not (drives / "tls" / "C" / "Windows").exists()


def test_ansible_raw_arrives_and_is_refused(winlab, tmp_path):
    command = [Path(sys.executable).parent / "ansible", "-i", str(winlab.inventory), "srv1", "-m", "raw", "-a",
               "sc query Spooler", "-e", "ansible_winrm_server_cert_validation=ignore"]  # fmt: skip
    result = subprocess.run(
        command, cwd=tmp_path, env={**winlab.environment, "ANSIBLE_NOCOLOR": "1"}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert "LAB: no PowerShell" in result.stdout + result.stderr
    assert "rc=255" in result.stdout
    requests = winlab.command("console", "srv1", "--requests").stdout
    assert "PowerShell: sc query Spooler" in requests
