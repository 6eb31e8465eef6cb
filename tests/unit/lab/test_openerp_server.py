# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenERP on an emulated server with real clients: its program, its services, XML-RPC, the web client, its faults."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import http.client
import urllib.parse
import xmlrpc.client

import pytest

from lab.windows.openerp import netrpc
from lab.windows.openerp.pgwire import Connection, DatabaseError, Target
from tests.unit.lab.openerp_lab import SERVER, WEB, running, until

PROGRAM = f'"{SERVER}\\openerp-server.exe"'
CONF = f"{SERVER}\\openerp-server.conf"
SERVICE, CLIENT, DATABASE = "openerp-server-6.0", "openerp-web-6.0", "PostgreSQL_For_OpenERP"
SMALL = "tables: 20, rows: 5"
HOSTS = {
    "usage": f"lab_postgresql: {{databases: [{{name: A1, {SMALL}}}, {{name: B2, {SMALL}}}, {{name: essais, tables: 5, rows: 5}}, "
    "{name: neuve, tables: 0}]}",
    "panne": f"lab_openerp_version: 6.0.4, lab_postgresql: {{databases: [{', '.join(f'{{name: P{n}, {SMALL}}}' for n in range(6))}]}}",
    "services": "lab_openerp_conf: {xmlrpcs: 'False'}",
}  # fmt: skip


@pytest.fixture(scope="module")
def erp(tmp_path_factory, environment, lab_networks):
    yield from running(tmp_path_factory.mktemp("openerp"), environment, lab_networks, HOSTS)


@pytest.fixture
def on(erp):
    yield erp.session
    erp.close()


def rpc(erp, host, service, method, *arguments):
    """An answer, or the code of a fault behind 'fault'."""
    proxy = xmlrpc.client.ServerProxy(f"http://{erp.address(host)}:8069/xmlrpc/{service}", allow_none=True)
    try:
        return getattr(proxy, method)(*arguments)
    except xmlrpc.client.Fault as fault:
        return "fault", str(fault.faultCode)


def sql(erp, host, database, text):
    async def ask():
        connection = await Connection.open(
            Target("localhost", erp.address(host), 5432, "openpg", "openpgpwd", database)
        )
        try:
            return await connection.run(text)
        finally:
            connection.close()

    return asyncio.run(ask())


def xof(erp, host, database):
    return sql(erp, host, database, "SELECT count(*) FROM ir_model_data WHERE module = 'base' AND name = 'XOF'") == [
        ["1"]
    ]


def states(erp, host, database):
    found = sql(erp, host, database, "SELECT name FROM ir_module_module WHERE state = 'to upgrade'")
    return [name for (name,) in found]


def page(erp, host, method, path, body=None, cookie="", referer=False):
    connection = http.client.HTTPConnection(erp.address(host), 8080, timeout=20)
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    if referer:
        headers["Referer"] = f"http://{erp.address(host)}:8080/openerp/login"
    connection.request(method, path, body and urllib.parse.urlencode(body), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    cookies = "; ".join(value.partition(";")[0] for name, value in answer.getheaders() if name == "Set-Cookie")
    connection.close()
    return answer.status, text, answer.getheader("Location"), cookies


def log_in(erp, host, database="A1", password="admin"):
    body = {"db": database, "user": "admin", "password": password, "login_action": "login"}
    return page(erp, host, "POST", "/", body, referer=True)


def restarted(session, name=SERVICE):
    session.run(f"net stop {name}")
    return session.run(f"net start {name}")[0]


def test_program(erp, on):
    session = on("usage")
    assert session.run(f"{PROGRAM} --version") == (0, "OpenERP Server 6.0.3\n", "")
    code, out, error = session.run(f"{PROGRAM} --absent")
    assert (code, out, "no such option: --absent" in error) == (2, "", True)
    code, out, _error = session.run(f"{PROGRAM} --stop-after-init --logfile=None -d A1")
    assert code == 0
    assert session.run(f"{PROGRAM} -r postgres --stop-after-init")[0] == 1
    for refused in ("-i sale -d A1", "-u all -d essais --stop-after-init"):
        code, _out, error = session.run(f"{PROGRAM} {refused}")
        assert (code, error[:4]) == (255, "LAB:")
    code, out, _error = session.run(f"{PROGRAM} -c C:\\absent.conf --stop-after-init")
    assert (code, "doesn't exist" in out) == (1, True)


def test_update_by_the_same_release_brings_no_new_data(erp, on):
    session = on("usage")
    before = sql(erp, "usage", "A1", "SELECT max(date_update) FROM ir_model_data")
    assert session.run(f"{PROGRAM} -u all -d A1 --stop-after-init") == (0, "", "")
    assert not xof(erp, "usage", "A1")
    assert sql(erp, "usage", "A1", "SELECT max(date_update) FROM ir_model_data") > before
    assert sql(erp, "usage", "A1", "SELECT count(*) FROM ir_model_data") == [["1640"]]


def test_conf_with_a_further_section_cannot_be_saved(erp, on):
    session = on("usage")
    conf = erp.file("usage", CONF)
    good = conf.read_bytes()
    conf.write_bytes(good + b"[journal]\r\na = b\r\n")
    code, _out, error = session.run(f"{PROGRAM} --stop-after-init --logfile C:\\x.log -s")
    assert (code, "ConfigParser.NoSectionError: No section: 'journal'" in error) == (1, True)
    assert conf.read_bytes().endswith(b"a = b\r\n")
    conf.write_bytes(good)
    assert session.run(f"{PROGRAM} --stop-after-init --logfile C:\\x.log -s")[0] == 0
    assert b"\r\nlogfile = C:\\x.log\r\n" in conf.read_bytes()
    conf.write_bytes(good)


def test_web_services(erp, on):
    assert rpc(erp, "usage", "db", "server_version") == "6.0.3"
    assert rpc(erp, "usage", "db", "list") == ["A1", "B2", "essais", "neuve"]
    sql(erp, "usage", "postgres", "CREATE ROLE autre; ALTER DATABASE essais OWNER TO autre")
    assert rpc(erp, "usage", "db", "list") == ["A1", "B2", "neuve"]
    sql(erp, "usage", "postgres", "ALTER DATABASE essais OWNER TO openpg")
    assert rpc(erp, "usage", "common", "login", "A1", "prof", "craie") == 2
    assert rpc(erp, "usage", "common", "login", "A1", "prof", "") is False
    execute = ("usage", "object", "execute", "B2", 1, "admin")
    assert len(rpc(erp, *execute, "ir.module.module", "search", [["state", "=", "installed"]])) == 9
    found = rpc(erp, *execute, "res.users", "search", [["login", "in", ["admin", "prof"]]])
    assert rpc(erp, *execute, "res.users", "read", found, ["login"])[0] == {"id": 1, "login": "admin"}
    assert rpc(erp, *execute, "res.currency", "search_count", [["name", "=", "XOF"]]) == 0
    assert rpc(erp, *execute, "ir.ui.menu", "read", 73, ["name"]) == {"id": 73, "name": "Ventes"}
    assert rpc(erp, *execute, "no.model", "search", [])[0] == "fault"
    assert rpc(erp, *execute, "res.users", "write", [1], {})[1].startswith("LAB:")
    assert rpc(erp, "usage", "common", "login", "SpecibikeÉté", "admin", "admin")[1].startswith("'ascii' codec")
    assert rpc(erp, "usage", "common", "login", "a b", "admin", "admin")[1].startswith('missing "="')
    with pytest.raises(xmlrpc.client.ProtocolError) as error:
        rpc(erp, "usage", "absent", "list")
    assert error.value.errcode == 404
    assert rpc(erp, "usage", "db", "drop", "admin", "A1") is True
    assert rpc(erp, "usage", "db", "list") == ["B2", "essais", "neuve"]


def test_an_empty_database_is_filled_by_the_first_login(erp, on):
    assert rpc(erp, "usage", "common", "login", "neuve", "admin", "admin") == 1
    assert sql(erp, "usage", "neuve", "SELECT count(*) FROM ir_model_data") == [["1640"]]


def test_netrpc(erp, on):
    address = erp.address("usage")
    assert asyncio.run(netrpc.call(address, 8070, "db", "server_version")) == "6.0.3"

    async def junk():
        reader, writer = await asyncio.open_connection(address, 8070)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert await reader.read() == b""
        writer.close()

    asyncio.run(junk())


def test_an_open_connection_keeps_a_database_from_being_dropped(erp, on):
    assert rpc(erp, "usage", "common", "login", "B2", "admin", "admin") == 1
    with pytest.raises(DatabaseError, match="being accessed by other users"):
        sql(erp, "usage", "postgres", 'ALTER DATABASE "B2" RENAME TO "C3"')
    session = on("usage")
    session.run(f"net stop {SERVICE}")
    sql(erp, "usage", "postgres", 'ALTER DATABASE "B2" RENAME TO "C3"')
    sql(erp, "usage", "postgres", 'ALTER DATABASE "C3" RENAME TO "B2"')
    session.run(f"net start {SERVICE}")


def test_hidden_list(erp, on):
    session = on("usage")
    conf = erp.file("usage", CONF)
    good = conf.read_bytes()
    conf.write_bytes(good + b"list_db = False\r\n")
    restarted(session)
    assert rpc(erp, "usage", "db", "list") == ("fault", "AccessDenied")
    assert '<input type="text" name="db"' in page(erp, "usage", "GET", "/openerp/login")[1]
    conf.write_bytes(good)
    restarted(session)


def test_web_client_when_the_server_is_down(erp, on):
    session = on("panne")
    status, text, _unused, cookie = log_in(erp, "panne", "P0")
    assert (status, 'href="/openerp/logout"' in text) == (200, True)
    assert page(erp, "panne", "GET", "/openerp/menu?active=73", cookie=cookie)[0] == 200
    by_get = "/openerp/menu?active=73&db=P0&user=admin&password=admin&login_action=login"
    assert 'href="/openerp/logout"' in page(erp, "panne", "GET", by_get)[1]
    assert log_in(erp, "panne", "P0", "faux")[1].count("Bad username or password") == 1
    assert page(erp, "panne", "POST", "/", {"login_action": "login"})[0] == 403
    session.run(f"net stop {SERVICE}")
    status, text, _unused, _cookie = page(erp, "panne", "GET", "/openerp/login?db=&user=")
    assert (status, "Could not connect to server" in text, 'name="db" id="db" class="db_user_pass"' in text) == (
        200,
        True,
        True,
    )
    status, text, _unused, _cookie = page(erp, "panne", "GET", "/openerp/menu", cookie=cookie)
    assert (status, "Connection refused" in text) == (500, True)
    session.run(f"net start {SERVICE}")
    assert page(erp, "panne", "GET", "/openerp/menu", cookie=cookie)[0] == 200
    status, _text, target, _cookie = page(erp, "panne", "GET", "/openerp/logout", cookie=cookie)
    assert (status, target) == (303, f"http://{erp.address('panne')}:8080/")
    assert page(erp, "panne", "GET", "/openerp/menu", cookie=cookie)[0] == 303
    session.run(f"net stop {CLIENT}")
    assert not erp.listens("panne", 8080)
    session.run(f"net start {CLIENT}")
    assert erp.listens("panne", 8080)


def test_update_that_fails(erp, on):
    session = on("panne")
    erp.fault("panne", "update_fails", "P1")
    code, _out, error = session.run(f"{PROGRAM} -u all -d P1 --stop-after-init")
    assert (code, error.startswith("Traceback (most recent call last):\n")) == (1, True)
    assert states(erp, "panne", "P1") == ["base_setup"]
    assert session.run(f"{PROGRAM} -u all -d P2 --stop-after-init")[0] == 0
    erp.close()
    session = on("panne")
    assert session.run(f"{PROGRAM} -u all -d P1 --stop-after-init")[0] == 0
    assert (states(erp, "panne", "P1"), xof(erp, "panne", "P1")) == ([], True)


def test_update_that_is_silent_or_hangs(erp, on):
    session = on("panne")
    erp.fault("panne", "update_silent", "P3")
    assert session.run(f"{PROGRAM} -u all -d P3 --stop-after-init") == (0, "", "")
    assert not xof(erp, "panne", "P3")
    erp.fault("panne", "clear")
    erp.fault("panne", "update_hangs", "P3")
    command = session.start(f"{PROGRAM} -u all -d P3 --stop-after-init")
    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'P3' AND state = 'idle in transaction'"
    until(lambda: sql(erp, "panne", "postgres", busy) == [["1"]])
    session.protocol.cleanup_command(session.shell, command)
    until(lambda: sql(erp, "panne", "postgres", busy) == [["0"]])
    assert (states(erp, "panne", "P3"), xof(erp, "panne", "P3")) == ([], False)


def test_update_that_damages(erp, on):
    session = on("panne")
    dump = f'"C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\bin\\pg_%s.exe" -w -h {erp.address("panne")} -U openpg '
    session.run("set PGPASSWORD=openpgpwd& " + dump % "dump" + "-F c -f C:\\p4.dump P4")
    erp.fault("panne", "update_damages", "P4")
    assert session.run(f"{PROGRAM} -u all -d P4 --stop-after-init")[0] == 1
    erp.close()
    session = on("panne")
    kind, said = rpc(erp, "panne", "common", "login", "P4", "admin", "admin")
    assert (kind, said.startswith('ERROR:  column "password"')) == ("fault", True)
    restarted(session)
    sql(erp, "panne", "postgres", 'DROP DATABASE "P4"')
    session.run("set PGPASSWORD=openpgpwd& " + dump % "restore" + "-C -d postgres C:\\p4.dump")
    assert rpc(erp, "panne", "common", "login", "P4", "admin", "admin") == 1


def test_power_goes_in_an_update(erp, on):
    session = on("panne")
    erp.fault("panne", "power_cut_in", "openerp-server.exe")
    with concurrent.futures.ThreadPoolExecutor(1) as pool, contextlib.suppress(Exception):
        pool.submit(session.run, f"{PROGRAM} -u base -d P5 --stop-after-init").result(timeout=20)
    for port in (5985, 8069, 8070, 8080):
        until(lambda port=port: not erp.listens("panne", port))
    erp.fault("panne", "clear")
    for port in (5985, 5432, 8069, 8080):
        until(lambda port=port: erp.listens("panne", port))
    until(lambda: rpc(erp, "panne", "common", "login", "P5", "admin", "admin") == 1)
    assert (states(erp, "panne", "P5"), xof(erp, "panne", "P5")) == ([], False)


def test_services_start_stop_and_die(erp, on):
    session = on("services")
    for port in (8069, 8070, 8080):
        assert erp.listens("services", port)
    log = erp.file("services", f"{SERVER}\\openerp-server.log")
    lines = log.read_bytes()
    assert lines.count(b"waiting for connections...\r\n") == 1
    assert session.run(f"net stop {SERVICE}")[0] == 0
    assert log.read_bytes() == lines
    assert not erp.listens("services", 8069)
    assert not erp.listens("services", 8070)
    assert session.run(f"net start {SERVICE}")[0] == 0
    rows = session.run("tasklist /fo csv /nh")[1]
    number = next(line.split('","')[1] for line in rows.splitlines() if line.startswith('"openerp-server.exe'))
    assert session.run(f"taskkill /f /pid {number}")[0] == 0
    session.until(SERVICE, "Stopped")
    assert not erp.listens("services", 8069)
    erp.fault("services", "service_dies", SERVICE)
    session.run(f"net start {SERVICE}")
    session.until(SERVICE, "Stopped")
    assert session.service(SERVICE)["ExitCode"] == "1067"
    events = [event for event in erp.ask("state", host="services")["state"]["events"] if event["code"] == 7034]
    assert len(events) == 2
    erp.fault("services", "clear")
    assert session.run(f"net start {SERVICE}")[0] == 0
    assert erp.listens("services", 8070)


@pytest.mark.parametrize(
    "line", [b"log_level = bavard", b"db_password = a%(b", b"db_user = postgres", b"xmlrpc_port = abc"]
)
def test_a_conf_with_which_the_service_does_not_stay(erp, on, line):
    session = on("services")
    conf = erp.file("services", CONF)
    good = conf.read_bytes()
    session.run(f"net stop {SERVICE}")
    conf.write_bytes(good + line + b"\r\n")
    session.run(f"net start {SERVICE}")
    session.until(SERVICE, "Stopped")
    assert not erp.listens("services", 8069)
    conf.write_bytes(good)
    session.run(f"net start {SERVICE}")
    assert erp.listens("services", 8069)


def test_program_files_that_are_missing(erp, on):
    session = on("services")
    session.run(f"net stop {SERVICE}")
    session.run(f"net stop {CLIENT}")
    cases = (
        ("library.zip", "1067"),
        ("service\\OpenERPServerService.exe", "2"),
        ("addons\\base\\__openerp__.py", "1067"),
    )
    for name, code in cases:
        real = erp.file("services", f"{SERVER}\\{name}")
        data = real.read_bytes()
        real.unlink()
        session.run(f"net start {SERVICE}")
        session.until(SERVICE, "Stopped")
        assert session.service(SERVICE)["ExitCode"] == code
        if code == "1067":
            assert session.run(f"{PROGRAM} --version")[0] == 2
        real.write_bytes(data)
    real = erp.file("services", f"{WEB}\\doc\\openerp-web.cfg")
    data = real.read_bytes()
    real.write_bytes(data.replace(b"8080", b"8090"))
    assert session.run(f"net start {CLIENT}")[0] == 0
    assert (erp.listens("services", 8080), erp.listens("services", 8090)) == (False, True)
    session.run(f"net stop {CLIENT}")
    real.write_bytes(data)
    for name in (SERVICE, CLIENT):
        assert session.run(f"net start {name}")[0] == 0


def test_a_conf_that_nobody_can_read(erp, on):
    session = on("services")
    erp.fault("services", "conf_unreadable")
    for line in (f'type "{CONF}"', f'copy "{CONF}" C:\\copie.conf', f'certutil -hashfile "{CONF}" SHA1'):
        assert session.run(line)[0] != 0
    # ConfigParser passes over a file that it cannot open: the server starts with its defaults (Python 2.5, read()).
    assert restarted(session) == 0
    assert rpc(erp, "services", "db", "server_version") == "6.0.3"
    assert rpc(erp, "services", "db", "list")[0] == "fault"
    code, _out, error = session.run(f"{PROGRAM} -s --stop-after-init")
    assert (code, error) == (0, "ERROR: couldn't write the config file\n")
    erp.fault("services", "clear")
    assert session.run(f'type "{CONF}"')[0] == 0
    assert restarted(session) == 0


def test_database_and_server_start_in_any_order(erp, on):
    session = on("panne")
    session.run(f"net stop {DATABASE}")
    assert restarted(session) == 0
    assert rpc(erp, "panne", "db", "list")[0] == "fault"
    session.run(f"net start {DATABASE}")
    assert "P0" in rpc(erp, "panne", "db", "list")
