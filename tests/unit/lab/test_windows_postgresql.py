# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PostgreSQL story: a service account that may not read its folder, the event log's reason, the cure, a query."""

from __future__ import annotations

import subprocess

import pytest

BIN = "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\bin"
DATA = "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\data"
SERVICE = "PostgreSQL_For_OpenERP"


def psql(session, winlab, host, statement, *more, password="openpgpwd"):
    port = str(winlab.places["pg1" if host == "srv1" else "pg2"][1])
    session.close()
    session.open(850, env_vars={"PGPASSWORD": password, "PGPORT": port})
    line = f'"{BIN}\\psql.exe" -h localhost -U openpg -d postgres -X -A -t -c "{statement}"'
    return session.run(line, *more)


def start(session):
    return session.invoke("Win32_Service", "StartService", {}, Name=SERVICE)["ReturnValue"]


def change(session, **arguments):
    return session.invoke("Win32_Service", "Change", arguments, Name=SERVICE)["ReturnValue"]


def newest(winlab, host, log, count=1):
    events = [event for event in winlab.ask("state", host=host)["state"]["events"] if event["log"] == log]
    return events[-count:]


def test_the_story_of_the_source_document(remote, winlab):
    """srv2 came up with files that belong to the other server's account."""
    session = remote("srv2")
    service = session.service(SERVICE)
    assert (service["State"], service["StartName"], service["ExitCode"]) == ("Stopped", ".\\openpgsvc", "1067")
    assert psql(session, winlab, "srv2", "select 1")[0] == 2
    assert start(session) == "0"  # accepted, and it dies just after
    assert session.until(SERVICE, "Stopped")[-1] == "Stopped"
    system, application = newest(winlab, "srv2", "System"), newest(winlab, "srv2", "Application", 2)
    assert (system[0]["source"], system[0]["code"]) == ("Service Control Manager", 7034)
    assert (application[1]["source"], application[1]["code"], application[1]["type"]) == ("PostgreSQL", 0, 1)
    assert application[1]["message"] == (
        f'postgres cannot access the server configuration file "{DATA}/postgresql.conf": Permission denied\n'
    ).replace("\\", "/")
    # LocalSystem alone does not cure it: the folder has no entry for it.
    assert change(session, StartName="LocalSystem", StartPassword="") == "0"
    assert start(session) == "0"
    session.until(SERVICE, "Stopped")
    assert session.run(f'icacls "{DATA}" /grant *S-1-5-18:(OI)(CI)F /T /C /Q')[0] == 0
    assert start(session) == "0"
    assert session.until(SERVICE, "Running")[-1] == "Running"
    assert start(session) == "10"
    code, text, _unused = psql(session, winlab, "srv2", "select 6*7")
    assert (code, text) == (0, "42\n")
    session.invoke("Win32_Service", "StopService", {}, Name=SERVICE)
    assert "Stopped" in session.until(SERVICE, "Stopped")
    assert psql(session, winlab, "srv2", "select 1")[0] == 2


def test_french_reason_and_accounts(remote, winlab):
    session = remote()
    assert psql(session, winlab, "srv1", "select datname from pg_database where datname='lycee'")[1] == "lycee\n"
    assert psql(session, winlab, "srv1", "select 1", password="faux")[0] == 2
    session.run(f"net stop {SERVICE}")
    assert change(session, StartName=".\\service2", StartPassword="Ardoise-2026") == "0"
    assert session.run(f"net start {SERVICE}")[0] == 2
    reason = newest(winlab, "srv1", "Application")[0]["message"]
    assert reason.startswith("postgres n'a pas pu accéder au fichier de configuration « C:/Program Files/")
    assert change(session, StartName=".\\service2", StartPassword="faux") == "0"
    assert start(session) == "15"
    assert newest(winlab, "srv1", "System", 2)[0]["code"] == 7038
    assert change(session, StartName="NT AUTHORITY\\NetworkService", StartPassword="") == "0"
    session.run(f'icacls "{DATA}" /grant *S-1-5-20:(OI)(CI)F')
    assert session.run(f"net start {SERVICE}")[0] == 0
    assert session.service(SERVICE)["StartName"] == "NT AUTHORITY\\NetworkService"
    # The former account, back with its password.
    session.run(f"net stop {SERVICE}")
    assert change(session, StartName=".\\openpgsvc", StartPassword="0p3npgsvcPWD") == "0"
    assert session.run(f"net start {SERVICE}")[0] == 0
    # As the all-in-one installer does: the account is made again, with another SID.
    session.run(f"net stop {SERVICE} & net user openpgsvc /delete")
    assert start(session) == "22"
    session.run("net user openpgsvc 0p3npgsvcPWD /add")
    assert session.run(f"net start {SERVICE}")[0] == 2
    assert change(session, StartName="LocalSystem") == "0"
    session.run(f'icacls "{DATA}" /grant *S-1-5-18:(OI)(CI)F')
    assert session.run(f"net start {SERVICE}")[0] == 0


def test_event_log_over_wmi(remote, winlab):
    session = remote("srv2")
    query = ("SELECT * FROM Win32_NTLogEvent WHERE Logfile='Application' AND SourceName='PostgreSQL' AND EventCode=0 "
             "AND TimeWritten > '20200101000000.000000+000' AND Type = 'Error'")  # fmt: skip
    body = {"n:Enumerate": {"w:OptimizeEnumeration": None, "w:MaxElements": "1",
                            "w:Filter": {"@Dialect": "http://schemas.microsoft.com/wbem/wsman/1/WQL", "#text": query}}}  # fmt: skip
    action = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"
    answer = session.wsman(action, "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*", body)
    event = answer["n:EnumerateResponse"]["w:Items"]["p:Win32_NTLogEvent"]
    assert (event["p:SourceName"], event["p:EventType"]) == ("PostgreSQL", "1")
    assert "Permission denied" in event["p:Message"]


def test_programs_have_the_options_of_8_4(remote):
    session = remote()
    session.open(850)
    assert session.run(f'"{BIN}\\psql.exe" --version')[1] == "psql (PostgreSQL) 8.4.12\n"
    code, _unused, error = session.run(f'"{BIN}\\psql.exe" --csv')
    assert (code, error.split("\n")[0]) == (1, "psql: illegal option -- csv")
    assert session.run(f'"{BIN}\\postgres.exe" --version')[1] == "postgres (PostgreSQL) 8.4.12\n"
    assert session.run(f'"{BIN}\\postgres.exe" -D x')[0] == 1
    assert session.run(f'"{BIN}\\vacuumdb.exe" postgres')[2].startswith("LAB: ")
    assert session.run(f'"{BIN}\\pg_ctl.exe" status -D "{DATA}"')[0] == 0
    assert session.run(f'"{BIN}\\pg_ctl.exe" status -D C:\\nowhere')[0] == 1
    assert "en production" in session.run(f'"{BIN}\\pg_controldata.exe" "{DATA}"')[1]
    session.close()
    session.open(850, env_vars={"LC_MESSAGES": "C"})
    assert (
        "Database cluster state:               in production\n"
        in session.run(f'"{BIN}\\pg_controldata.exe" "{DATA}"')[1]
    )
    assert session.run(f'"{BIN}\\pg_controldata.exe" C:\\nowhere')[0] == 2


def test_a_postmaster_that_is_killed(remote):
    session = remote()
    number = session.run(f'type "{DATA}\\postmaster.pid"')[1].split("\n")[0]
    process = session.get("Win32_Process", Handle=number)
    assert (process["Name"], process["ParentProcessId"]) == ("postgres.exe", session.service(SERVICE)["ProcessId"])
    assert session.run(f"taskkill /f /pid {number}")[0] == 0
    assert session.until(SERVICE, "Stopped")[-1] == "Stopped"
    assert session.run(f"net start {SERVICE}")[0] == 0


def test_broken_files_give_the_real_servers_words(remote, winlab):
    session = remote()
    session.run(f'net stop {SERVICE} & ren "{DATA}\\global\\pg_control" parti')
    assert session.run(f"net start {SERVICE}")[0] == 2
    session.run(f'ren "{DATA}\\global\\parti" pg_control')
    assert session.run(f"net start {SERVICE}")[0] == 0


@pytest.mark.parametrize("program", ["psql"])
def test_a_real_client_from_outside(winlab, program):
    address, port = winlab.places["pg1"]
    from lab.windows.postgres import find_binaries

    command = [find_binaries() / program, "-h", address, "-p", str(port), "-U", "openpg", "-d", "lycee", "-Atc",
               "select rolpassword like 'md5%' from pg_authid where rolname='openpg'"]  # fmt: skip
    result = subprocess.run(
        command, env={"PGPASSWORD": "openpgpwd"}, capture_output=True, text=True, timeout=20, check=False
    )
    assert (result.returncode, result.stdout) == (0, "t\n"), result.stderr
