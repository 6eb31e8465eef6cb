# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that lose power: what is gone, what is left half-way, and what comes back."""

from __future__ import annotations

import contextlib
import socket
import subprocess

import pytest
import requests
from winrm.exceptions import WinRMError

from lab.windows.files import Drive
from lab.windows.openerp import files
from tests.unit.lab.openerp_lab import SERVER, running, until

DATABASE = "PostgreSQL_For_OpenERP"
HOSTS = {
    "court": "lab_postgresql: {databases: [{name: toto, tables: 40, rows: 20000}]}, "
    "lab_services: [{name: Manuel, start_mode: manual, state: running}]",
    "copie": "",
    "pose": "",
}


@pytest.fixture(scope="module")
def powerlab(tmp_path_factory, environment, lab_networks):
    yield from running(tmp_path_factory.mktemp("power"), environment, lab_networks, HOSTS)


@pytest.fixture
def on(powerlab):
    yield powerlab.session
    powerlab.close()
    for host in HOSTS:
        until(lambda host=host: powerlab.listens(host))


def refused(action):
    with contextlib.suppress(requests.exceptions.RequestException, OSError, WinRMError):
        action()
        return False
    return True


def back(powerlab, on, host):
    powerlab.fault(host, "clear")
    session = on(host)
    until(lambda: not any(item.endswith("Pending") for item in states(session).values()))
    return session


def states(session):
    return {name: session.service(name)["State"] for name in ("openerp-server-6.0", "openerp-web-6.0")}


def test_after_requests(powerlab, on):
    session = on("court")
    boot = session.get("Win32_OperatingSystem")["LastBootUpTime"]
    process = session.get("Win32_Service", Name=DATABASE)["ProcessId"]
    port = 5432
    for number in (8069, 8070, 8080):
        until(lambda number=number: powerlab.listens("court", number))
    with socket.create_connection((powerlab.address("court"), port), timeout=5) as line:
        powerlab.fault("court", "power_cut_after", "3")
        before = powerlab.row("court")["requests"]
        assert refused(lambda: [session.run("hostname") for _unused in range(3)])
        line.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert line.recv(1) == b""
    for number in (5985, port, 8069, 8070, 8080):
        until(lambda number=number: not powerlab.listens("court", number))
    row = powerlab.row("court")
    assert (row["powered"], row["faults"], row["requests"] - before) == (False, ["power_cut_after=0"], 3)
    assert powerlab.listens("copie")
    # Another fault changes nothing; only the end of this one brings the power back.
    powerlab.fault("court", "slow", "0.01")
    powerlab.fault("court", "clear", "slow")
    assert not powerlab.listens("court")
    session = back(powerlab, on, "court")
    until(lambda: session.service(DATABASE)["State"] == "Running")
    assert session.service(DATABASE)["ProcessId"] != process
    assert session.service("Manuel")["State"] == "Stopped"
    assert session.service("openerp-server-6.0")["State"] == "Running"
    assert str(session.get("Win32_OperatingSystem")["LastBootUpTime"]) > str(boot)
    until(lambda: powerlab.listens("court", 8069))
    log = (powerlab.folder() / "windows" / "court" / "postgres.log").read_text()
    assert "automatic recovery in progress" in log
    assert "6008" in session.run("wevtutil qe System /q:*[System[(EventID=6008)]] /f:xml")[1]


@pytest.mark.parametrize("program", ["pg_dump", "pg_restore"])
def test_in_a_real_program(powerlab, on, program):
    session = on("court")
    until(lambda: session.service(DATABASE)["State"] == "Running")
    folder = '"C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\bin'
    asked = f"-h {powerlab.address('court')} -U openpg"
    head = f"set PGPASSWORD=openpgpwd& {folder}"
    assert session.run(f'{head}\\pg_dump.exe" {asked} -Fc -f C:\\whole.dump toto')[0] == 0
    whole = powerlab.file("court", "C:\\whole.dump").stat().st_size
    session.run(f'{head}\\createdb.exe" {asked} retour')
    powerlab.fault("court", "power_cut_in", f"{program}.exe")
    line = {
        "pg_dump": f'{head}\\pg_dump.exe" {asked} -Fc -f C:\\half.dump toto',
        "pg_restore": f'{head}\\pg_restore.exe" {asked} -d retour C:\\whole.dump',
    }[program]
    assert refused(lambda: session.run(line))
    assert not powerlab.listens("court")
    session = back(powerlab, on, "court")
    until(lambda: session.service(DATABASE)["State"] == "Running")
    if program == "pg_dump":
        assert powerlab.file("court", "C:\\half.dump").stat().st_size < whole
        return
    for kind, table in (
        ("pg_class", "relkind = 'r' and relnamespace"),
        ("pg_constraint", "contype = 'p' and connamespace"),
    ):
        query = f"select count(*) from {kind} where {table} = 'public'::regnamespace"
        code, out, _unused = session.run(f'{head}\\psql.exe" {asked} -At -c "{query}" retour')
        # The keys come last: a restore that stopped in its middle has made tables and no key.
        assert (code, int(out) > 0) == (0, kind == "pg_class")


def test_in_an_update(powerlab, on):
    session = on("court")
    until(lambda: session.service(DATABASE)["State"] == "Running")
    powerlab.fault("court", "power_cut_in", "openerp-server")
    line = f'"{SERVER}\\openerp-server.exe" -u all -d toto --stop-after-init'
    assert refused(lambda: session.run(line))
    assert not powerlab.listens("court")
    session = back(powerlab, on, "court")
    until(lambda: session.service(DATABASE)["State"] == "Running")
    assert session.run(line)[0] == 0


def test_in_robocopy(powerlab, on):
    session = on("copie")
    powerlab.fault("copie", "power_cut_in", "robocopy")
    assert refused(lambda: session.run(f'robocopy "{SERVER}" C:\\Copie /MIR /R:0 /NP'))
    copied = [path for path in powerlab.file("copie", "C:\\Copie").rglob("*") if path.is_file()]
    whole = [path for path in powerlab.file("copie", SERVER).rglob("*") if path.is_file()]
    assert 0 < len(copied) < len(whole)
    assert [path for path in copied if path.stat().st_mtime < 400_000_000]
    session = back(powerlab, on, "copie")
    assert session.run(f'robocopy "{SERVER}" C:\\Copie /MIR /R:0 /NP')[0] == 1
    assert session.run(f'robocopy "{SERVER}" C:\\Copie /MIR /R:0 /NP')[0] == 0


def test_in_a_setup(powerlab, on):
    session = on("pose")
    powerlab.fault("pose", "power_cut_in", "openerp-server-setup-6.0.4.exe")
    assert refused(lambda: session.run("C:\\Logiciels\\openerp-server-setup-6.0.4.exe /S"))
    drive = Drive(powerlab.file("pose", "C:\\"), lambda drive: None, lambda: False)
    assert files.version_of(drive, files.SERVER, SERVER) is None
    powerlab.fault("pose", "clear", "power_cut_in")
    session = on("pose")
    assert session.run("sc query openerp-server-6.0")[0] == 1060
    assert session.service("openerp-web-6.0")["State"] in ("Start Pending", "Running")
    assert session.run("C:\\Logiciels\\openerp-server-setup-6.0.4.exe /S")[0] == 0
    assert files.version_of(drive, files.SERVER, SERVER) == "6.0.4"


def test_clear_names_a_fault(powerlab):
    result: subprocess.CompletedProcess[str] = powerlab.command("fault", "pose", "clear", "nulle")
    assert (result.returncode, "there is no fault 'nulle'" in result.stderr) == (2, True)
    for value in ("0", "x"):
        assert powerlab.command("fault", "pose", "power_cut_after", value).returncode == 2
