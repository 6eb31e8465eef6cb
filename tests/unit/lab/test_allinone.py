# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PostgreSQL that the all-in-one setup installs where none is registered."""

from __future__ import annotations

import os

import pytest

from lab.windows.postgres import _forget_foreign_lock
from tests.unit.lab.openerp_lab import running, until

ROOT = "C:\\OpenERP 6.0"
BIN = f"{ROOT}\\PostgreSQL\\bin"
SETUP = "C:\\Logiciels\\openerp-allinone-setup-6.0.3.exe"
SERVICE = "PostgreSQL_For_OpenERP"
INSTALLATION = "HKLM\\SOFTWARE\\PostgreSQL\\Installations\\postgresql-8.4"
HOSTS = {"neuf": "lab_openerp: false", "deux": "lab_openerp: false, lab_language: en"}


@pytest.fixture(scope="module")
def newlab(tmp_path_factory, environment, lab_networks):
    yield from running(tmp_path_factory.mktemp("allinone"), environment, lab_networks, HOSTS)


@pytest.fixture
def on(newlab):
    yield newlab.session
    newlab.close()


def identifier(text):
    return next(line for line in text.splitlines() if line.startswith(("Database system id", "Identifiant du s")))


def account(session, host):
    return session.get("Win32_UserAccount", Domain=host.upper(), Name="openpgsvc")["SID"]


def test_installs_a_real_cluster(newlab, on):
    session = on("neuf")
    assert session.run(f'"{BIN}\\psql.exe" --version')[0] == 1
    assert session.run(f"{SETUP} /S /D={ROOT}") == (0, "", "")
    service = session.service(SERVICE)
    assert (service["State"], service["StartMode"], service["StartName"]) == ("Running", "Auto", ".\\openpgsvc")
    assert service["PathName"] == f'"{BIN}\\pg_ctl.exe" runservice -N "{SERVICE}" -D "{ROOT}\\PostgreSQL\\data" -w'
    assert "8.4.9" in session.run(f'reg query "{INSTALLATION}" /v Version')[1]
    assert session.run(f'"{BIN}\\postgres.exe" --version')[1] == "postgres (PostgreSQL) 8.4.9\n"
    assert session.run(f'"{BIN}\\pg_ctl.exe" --version')[1] == "pg_ctl (PostgreSQL) 8.4.9\n"
    line = f'set PGPASSWORD=openpgpwd& "{BIN}\\psql.exe" -U openpg -d postgres -t -c "SELECT version()"'
    assert session.run(line)[1].strip().startswith("PostgreSQL 8.4.9")
    assert newlab.listens("neuf", 5432)
    # The data folder is the account's and the administrators' alone.
    sid = account(session, "neuf")
    session.run(f'icacls "{ROOT}\\PostgreSQL\\data" /save C:\\acl.txt')
    text = newlab.file("neuf", "C:\\acl.txt").read_bytes().decode("utf-16-le")
    assert "D:P" in text
    assert f";;;{sid})" in text
    assert ";;;SY)" not in text
    # OpenERP was told where the programs are, and answers from its new databases.
    conf = newlab.file("neuf", f"{ROOT}\\Server\\openerp-server.conf").read_text()
    assert f"pg_path={BIN}" in conf.replace(" = ", "=")
    # A second run finds PostgreSQL registered and leaves it alone.
    control = f'"{BIN}\\pg_controldata.exe" "{ROOT}\\PostgreSQL\\data"'
    before = identifier(session.run(control)[1])
    assert session.run(f"{SETUP} /S /D={ROOT}") == (0, "", "")
    assert identifier(session.run(control)[1]) == before
    assert account(session, "neuf") == sid
    # Where the key was deleted it begins anew: another account, and the data are gone.
    session.run("reg delete HKLM\\SOFTWARE\\PostgreSQL\\Installations /f")
    assert session.run(f"{SETUP} /S /D={ROOT}") == (0, "", "")
    assert identifier(session.run(control)[1]) != before
    assert account(session, "neuf") != sid
    assert session.service(SERVICE)["State"] == "Running"


def test_controldata_tells_a_damaged_file(newlab, on):
    session = on("neuf")
    session.run(f'robocopy "{ROOT}\\PostgreSQL\\data\\global" C:\\copie\\global /NJH')
    control = newlab.file("neuf", "C:\\copie\\global\\pg_control")
    data = bytearray(control.read_bytes())
    data[40] ^= 1
    control.write_bytes(data)
    code, out, _error = session.run(f'"{BIN}\\pg_controldata.exe" C:\\copie')
    assert (code, "CRC" in out) == (0, True)
    control.write_bytes(b"")
    assert session.run(f'"{BIN}\\pg_controldata.exe" C:\\copie')[0] == 2


def test_starts_with_the_host(newlab, on):
    on("neuf")
    newlab.fault("neuf", "no_power")
    until(lambda: not newlab.listens("neuf", 5432))
    newlab.fault("neuf", "clear")
    until(lambda: newlab.listens("neuf"))
    on("neuf").until(SERVICE, "Running")


def test_accounts_of_a_pair_differ(newlab, on):
    session = on("deux")
    assert session.run(f"{SETUP} /S /D={ROOT}") == (0, "", "")
    assert account(session, "deux") != account(on("neuf"), "neuf")


def test_initdb(newlab, on):
    session = on("deux")
    if session.service(SERVICE)["State"] != "Running":
        session.run(f"net start {SERVICE}")
    newlab.file("deux", "C:\\mot.txt").write_bytes(b"Craie-2026\r\n")
    session.run("mkdir C:\\neuve")
    line = f'"{BIN}\\initdb.exe" -D "C:\\neuve" -U openpg -E UTF8 --locale=C --pwfile=C:\\mot.txt -A md5'
    assert "Permission denied" in session.run(line)[2]
    session.run("icacls C:\\neuve /grant *S-1-5-32-545:(OI)(CI)F")
    code, out, error = session.run(line)
    assert (code, error) == (0, "")
    assert "Success" in out
    assert newlab.file("deux", "C:\\neuve\\PG_VERSION").exists()
    code, out, _error = session.run(f'"{BIN}\\pg_controldata.exe" C:\\neuve')
    assert (code, "shut down" in out) == (0, True)
    other = session.run(f'"{BIN}\\pg_controldata.exe" "{ROOT}\\PostgreSQL\\data"')[1]
    assert identifier(out) != identifier(other)
    assert "exists but is not empty" in session.run(line)[2]
    assert session.run(f'"{BIN}\\initdb.exe" -D C:\\neuve --no-sync')[0] == 1
    assert session.run(f'"{BIN}\\initdb.exe" --version')[1] == "initdb (PostgreSQL) 8.4.9\n"


def test_lock_of_another_host(tmp_path, monkeypatch):
    """A postmaster.pid that was copied from a host whose postmaster lives on this machine too is no lock here."""
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.chdir(own)
    for folder, kept in ((tmp_path, False), (own, True)):
        lock = folder / "postmaster.pid"
        lock.write_text(f"{os.getpid()}\n{folder}\n")
        _forget_foreign_lock(folder)
        assert lock.exists() == kept
