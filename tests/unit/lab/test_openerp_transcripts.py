# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated OpenERP against transcripts of real ones: OPENERP_DATA is the folder that holds them."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import subprocess
import time
import xmlrpc.client
from pathlib import Path

import pytest

from lab.windows.files import Drive
from lab.windows.openerp import files, options
from lab.windows.openerp.pgwire import Connection, Target
from tests.unit.lab.openerp_lab import SERVER, running, until

CONF = "lab_openerp_conf: {db_host: 127.0.0.1, xmlrpcs: 'False'%s}"
HOSTS = {
    "vide": "lab_postgresql: {databases: []}, " + CONF % ", pg_path: 'C:\\nulle-part'",
    "copie": "lab_postgresql: {databases: []}, " + CONF % "",
    "nouveau": "lab_postgresql: {databases: []}, " + CONF % "",
}
LOG = f"{SERVER}\\openerp-server.log"
NAMES = ("SpecibikeSTMG2", "Specibiketoto", "Specibiketutu")
PREFIX = re.compile(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]\[([^\]]*)\] ([A-Z_]+):([^:]+):(.*)$")


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("OPENERP_DATA")
    if not folder:
        pytest.skip("OPENERP_DATA is not set: the transcripts of real servers are no part of the project")
    return Path(folder)


@pytest.fixture(scope="module")
def replay(data, tmp_path_factory, environment, lab_networks):
    yield from running(tmp_path_factory.mktemp("replay"), environment, lab_networks, HOSTS)


def plain(text):
    """Log lines or messages without times, paths, ports and the frames of a traceback."""
    found = []
    for line in text.replace("\r\n", "\n").splitlines():
        if line.startswith("  "):
            continue
        match = PREFIX.match(line)
        shown = f"[{match[1]}] {match[2]}:{match[3]}:{match[4]}" if match else line
        shown = re.sub(r"(addons_path - |loading )\S.*?(?=base[\\/]i18n|$)", lambda m: m[1], shown) \
            if "addons_path" in shown or "i18n:loading" in shown else shown  # fmt: skip
        shown = shown.replace("\\", "/")
        shown = re.sub(r"\bat \S+ port \d+", "at HERE", shown)
        shown = re.sub(r"(port - |port=|on port )\d+", r"\1N", shown)
        found.append(shown)
    return found


def log_of(replay, host):
    return replay.file(host, LOG).read_text("latin-1")


def cleared(replay, host, session):
    """The service starts anew with an empty log."""
    assert session.run("net stop openerp-server-6.0")[0] == 0
    replay.file(host, LOG).unlink()
    assert session.run("net start openerp-server-6.0")[0] == 0
    until(lambda: "waiting for connections" in log_of(replay, host))


def proxy(replay, host, service):
    return xmlrpc.client.ServerProxy(f"http://{replay.address(host)}:8069/xmlrpc/{service}", allow_none=True)


def called(replay, host, service, method, *arguments):
    try:
        return getattr(proxy(replay, host, service), method)(*arguments)
    except xmlrpc.client.Fault as fault:
        return {"fault": str(fault.faultCode), "string": fault.faultString}


def created(replay, host, *names):
    for name in names:
        number = called(replay, host, "db", "create", "admin", name, False, "fr_FR", "admin")
        until(lambda number=number: called(replay, host, "db", "get_progress", "admin", number)[0] == 1.0)


def played(replay, host, rows, before=lambda row: None):
    """Make the recorded calls and compare each answer."""
    dump = ""
    for row in rows:
        before(row)
        arguments = [dump if item == "<base64>" else item for item in row["args"]]
        answer = called(replay, host, row["service"], row["method"], *arguments)
        where = f"{row['service']}.{row['method']}{row['args']}"
        if "fault" in row:
            assert (plain(answer["fault"]), where) == (plain(row["fault"]["code"]), where)
            if row["fault"]["string"]:
                assert plain(answer["string"])[-1:] == plain(row["fault"]["string"])[-1:]
        elif row["method"] == "dump":
            dump = answer
        elif row["method"] == "get_os_time":
            assert len(answer) == len(row["result"])
        elif row["method"] == "get_stats":
            assert re.sub(r"\d+ threads", "", answer) == re.sub(r"\d+ threads", "", row["result"])
        else:
            assert (answer, where) == (row["result"], where)
    return dump


def rows_of(data, name):
    found = []
    for line in (data / name).read_text().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:  # cut by whoever recorded it: the code of the fault is there, its string is not
            found.append(json.loads(re.sub(r', "string": .*', ', "string": ""}}', line)))
    return found


def get(replay, host, path):
    connection = http.client.HTTPConnection(replay.address(host), 8069, timeout=10)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def query(replay, host, database, sql):
    async def ask():
        connection = await Connection.open(
            Target("localhost", replay.address(host), 5432, "openpg", "openpgpwd", database)
        )
        found = await connection.run(sql)
        connection.close()
        return found

    return asyncio.run(ask())


def fingerprint(replay, host, database):
    sql = (
        "SELECT (SELECT latest_version FROM ir_module_module WHERE name='base'), (SELECT state FROM ir_module_module WHERE "
        "name='base'), max(date_update), count(*), count(CASE WHEN name IN ('XOF','XAF','UGX','HNL','CLP') THEN 1 END), (SELECT "
        "count(*) FROM ir_model_fields WHERE model='publisher_warranty.contract') FROM ir_model_data WHERE module='base'"
    )
    return query(replay, host, database, sql)[0]


def test_create_and_a_dump_that_is_silently_empty(replay, data):
    session = replay.session("vide")
    cleared(replay, "vide", session)
    created(replay, "vide", "SpecibikeSTMG2")
    assert called(replay, "vide", "common", "login", "SpecibikeSTMG2", "admin", "admin") == 1
    assert called(replay, "vide", "common", "login", "SpecibikeSTMG2", "admin", "wrong") is False
    expected = plain((data / "server-6.0.3-first-start-and-create.log").read_text())
    assert plain(log_of(replay, "vide")) == expected
    users = query(replay, "vide", "SpecibikeSTMG2", "SELECT id, login, password, active, context_lang FROM res_users")
    assert users == [["1", "admin", "admin", "t", "fr_FR"]]
    assert query(replay, "vide", "SpecibikeSTMG2", "SELECT id, name FROM ir_ui_menu WHERE parent_id IS NULL ORDER BY 1 DESC"
                 ) == [["73", "Sales"], ["3", "Administration"]]  # fmt: skip
    assert played(replay, "vide", rows_of(data, "xmlrpc-6.0.3-dump-silently-empty.jsonl")) == ""
    whole = (data / "server-6.0.3-dump-without-pgpassword.log").read_text()
    real = whole[: whole.index("[?] ERROR:http:Junk")].rpartition("\n")[0]
    assert plain(log_of(replay, "vide")) == plain(real)


def test_dump_restore_rename_and_drop(replay, data):
    session = replay.session("copie")
    created(replay, "copie", "SpecibikeSTMG2")
    cleared(replay, "copie", session)

    def before(row):
        if row["method"] == "get_stats":  # somebody looked for the web client at this moment
            assert get(replay, "copie", "/openerp/login") == 404

    dump = played(replay, "copie", rows_of(data, "xmlrpc-6.0.3.jsonl"), before)
    assert dump.startswith("UEdETVA")  # PGDMP

    # Windows' restore restores nothing (database_service.py): the copy is filled anew, which the real log of Linux has not.
    def kept(lines):
        return [
            line for line in lines if not re.match(r"\[SpecibikeSTMG2Copie\] (INFO|WARNING):(init|data|i18n)", line)
        ]

    expected = plain((data / "server-6.0.3-dump-restore.log").read_text())
    assert kept(plain(log_of(replay, "copie"))) == kept(expected)


def test_update(replay, data):
    host = "nouveau"
    session = replay.session(host)
    created(replay, host, *NAMES)
    for name in NAMES:
        assert fingerprint(replay, host, name)[:2] + fingerprint(replay, host, name)[3:] == [
            "6.0.1.3", "installed", "1640", "0", "7"]  # fmt: skip
    session.run("net stop openerp-server-6.0")
    drive = Drive(replay.file(host, "C:\\"), lambda drive: None, lambda: False)
    files.lay(drive, files.SERVER, SERVER, "6.0.4")
    session.run("net start openerp-server-6.0")
    cleared(replay, host, session)
    before = {name: fingerprint(replay, host, name) for name in NAMES}
    called(replay, host, "common", "login", "SpecibikeSTMG2", "admin", "admin")
    assert plain(log_of(replay, host)) == plain((data / "server-6.0.4-on-6.0.3-database-no-update.log").read_text())
    assert {name: fingerprint(replay, host, name) for name in NAMES} == before

    def program(*words):
        replay.file(host, "C:\\trial.log").unlink(missing_ok=True)
        line = f'"{SERVER}\\openerp-server.exe" {" ".join(words)} --stop-after-init --logfile C:\\trial.log'
        code, _out, error = session.run(line)
        return code, error, plain(replay.file(host, "C:\\trial.log").read_text("latin-1"))

    started = time.strftime("%Y-%m-%d %H:%M:%S")
    code, error, log = program("-u base -d SpecibikeSTMG2")
    assert (code, error) == (0, "")
    assert log == plain((data / "server-6.0.4-u-base-stop-after-init.log").read_text())
    code, error, log = program("-u all -d Specibiketoto,Specibiketutu")
    assert (code, error) == (0, "")
    assert log == plain((data / "server-6.0.4-u-all-two-databases.log").read_text())
    assert fingerprint(replay, host, "Specibiketutu") == before["Specibiketutu"]
    for name in NAMES[:2]:
        found = fingerprint(replay, host, name)
        assert found[:2] + found[3:] == ["6.0.1.3", "installed", "1650", "5", "7"]
        assert started <= (found[2] or "") <= time.strftime("%Y-%m-%d %H:%M:%S")
    rows = query(replay, host, "Specibiketoto", "SELECT name, noupdate FROM ir_model_data WHERE name IN ('EUR', 'XOF') AND "
                 "date_init = date_update ORDER BY 1")  # fmt: skip
    assert rows == [["EUR", "t"], ["XOF", "t"]]
    for name, words in (("absent-database", "-u all -d SpecibikeAbsent"),
                        ("wrong-db_password-u", "-u all -d Specibiketutu --db_password=faux")):  # fmt: skip
        real = (data / f"server-6.0.4-{name}.txt").read_text()
        real_log, _unused, rest = real.partition("== stdout+stderr\n")
        code, error, log = program(words)
        assert code == 1
        assert [line for line in log if line] == [line for line in plain(real_log)[1:] if line]
        assert plain(error)[0] == plain(rest)[0]
        assert plain(error)[1] == plain(rest)[1]
    assert ["SpecibikeAbsent"] not in query(replay, host, "postgres", "SELECT datname FROM pg_database")


def test_what_answers_when_postgresql_does_not(replay, data):
    host = "copie"
    session = replay.session(host)
    created(replay, host, *(name for name in NAMES if name not in called(replay, host, "db", "list")))
    for old in ("6.0.3", "6.0.4"):
        session.run("net stop openerp-server-6.0")
        files.lay(Drive(replay.file(host, "C:\\"), lambda drive: None, lambda: False), files.SERVER, SERVER, old)
        session.run("net start openerp-server-6.0")
        called(replay, host, "common", "login", "SpecibikeSTMG2", "admin", "admin")
        assert session.run("net stop PostgreSQL_For_OpenERP")[0] == 0
        assert session.run("net start PostgreSQL_For_OpenERP")[0] == 0
        played(replay, host, rows_of(data, f"xmlrpc-{old}-after-postgresql-restart.jsonl"))
    session.run("net stop PostgreSQL_For_OpenERP")
    cleared(replay, host, session)
    played(replay, host, rows_of(data, "xmlrpc-6.0.4-postgresql-down.jsonl"))
    assert plain(log_of(replay, host)) == plain((data / "server-6.0.4-postgresql-down.log").read_text())
    session.run("net start PostgreSQL_For_OpenERP")
    conf = replay.file(host, f"{SERVER}\\openerp-server.conf")
    good = conf.read_bytes()
    conf.write_bytes(good.replace(b"openpgpwd", b"faux"))
    cleared(replay, host, session)
    played(replay, host, rows_of(data, "xmlrpc-6.0.4-wrong-db_password.jsonl"))
    assert plain(log_of(replay, host)) == plain((data / "server-6.0.4-wrong-db_password-service.log").read_text())
    conf.write_bytes(good)
    cleared(replay, host, session)


def test_the_saved_conf(data):
    real = (data / "openerp-server.conf.saved-by-6.0.4").read_text()
    given = ("db_host", "db_password", "db_port", "db_user", "netrpc_interface", "netrpc_port", "pg_path", "xmlrpc_interface",
             "xmlrpc_port", "xmlrpcs", "root_path", "addons_path")  # fmt: skip
    lines = [line for line in real.splitlines() if line.partition(" =")[0] in given]
    line = options.read_arguments(
        ["--stop-after-init", "--logfile", "/opt/lab/openerp-server.log", "-s"], "x.exe", "6.0.4"
    )
    found = options.settings(
        line, "\n".join(["[options]", *lines]).encode(), "C:\\S", "SYSTEM", "C:\\S\\x.conf"
    ).saved()
    assert found.decode().replace("\r\n", "\n") == real


def sections(text):
    """The steps of a recorded scenario: title, curl words, status, redirect and marks."""
    for part in text.split("===== ")[1:]:
        title, *lines = part.splitlines()
        (status,) = (re.search(r"status=(\d+).*redirect=(\S*)", line) for line in lines if line.startswith("status="))
        (command,) = (line for line in lines if line.startswith("$ curl"))
        marks = {match[2]: int(match[1]) for line in lines if (match := re.match(r" +(\d+) (.*)", line))}
        yield title, command, status, marks


def test_web_scenario(replay, data, tmp_path):
    host = "nouveau"
    created(replay, host, *(name for name in NAMES if name not in called(replay, host, "db", "list")))
    base = f"http://{replay.address(host)}:8080"
    jar = tmp_path / "cookies"
    for title, command, status, marks in sections((data / "web-6.0.3-scenario.txt").read_text()):
        words = command.replace("http://127.0.0.1:38180", base).split(" ")[2:]
        page = subprocess.run(["curl", "-s", "-c", jar, "-b", jar, "-w", "\n%{http_code} %{redirect_url}", *words],
                              capture_output=True, text=True, check=True).stdout  # fmt: skip
        body, _unused, last = page.rpartition("\n")
        redirect = status[2].replace("http://127.0.0.1:38180", base)
        assert (title, *last.split(" ")) == (title, status[1], redirect)
        for mark, count in marks.items():
            assert (title, mark, body.count(mark)) == (title, mark, count)
