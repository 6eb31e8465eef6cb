# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps and restores with the programs of an emulated server, and the faults that spoil them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time

import pytest

from lab.windows.postgres import find_binaries

BIN = "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\bin"
SERVICE = "PostgreSQL_For_OpenERP"
ODD = "A;b'\"%=c"


class Tools:
    """PostgreSQL's programs on srv1, in a folder of their own."""

    def __init__(self, session, winlab, **environment):
        self.session, self.winlab = session, winlab
        self.address, self.port = winlab.places["pg1"]
        session.close()
        session.open(850, env_vars={"PGPASSWORD": "openpgpwd", "PGPORT": str(self.port), **environment})
        session.run("md C:\\Dumps")
        self.drive = winlab.folder() / "windows" / "srv1" / "C"

    def run(self, program, *words, **options):
        """Run a program with a connection; arguments are quoted as the C runtime wants them."""
        quoted = ['"' + word.replace('"', '\\"') + '"' for word in words]
        return self.session.raw(f'"{BIN}\\{program}.exe" -w -h 127.0.0.1 -U openpg {" ".join(quoted)}', **options)

    def dump(self, database, *words, name="x.dump"):
        """pg_dump in the custom format; exit code and error."""
        code, out, error = self.run("pg_dump", "-Fc", "-f", f"C:\\Dumps\\{name}", *words, database)
        assert out == b""
        return code, error.decode("cp850")

    def file(self, name="x.dump"):
        return self.drive / "Dumps" / name

    def readable(self, name="x.dump"):
        """Whether the real pg_restore reads all of a dump."""
        command = [find_binaries() / "pg_restore", "-f", os.devnull, self.file(name)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def sql(self, statement, database="postgres"):
        """A query by a real psql from outside."""
        return subprocess.run(self.outside(database, statement), env=self.environment(), capture_output=True, text=True,
                              check=True).stdout.strip()  # fmt: skip

    def outside(self, database, statement):
        return [find_binaries() / "psql", "-h", self.address, "-p", str(self.port), "-U", "openpg", "-d", database, "-XAtqc",
                statement]  # fmt: skip

    @staticmethod
    def environment():
        return {"PGPASSWORD": "openpgpwd", "PATH": os.environ["PATH"]}


@pytest.fixture
def tools(remote, winlab):
    session = remote()
    session.run(f"net start {SERVICE}")
    found = Tools(session, winlab)
    yield found
    winlab.fault("srv1", "clear")
    session.run("rd /s /q C:\\Dumps")


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_dump_restore_and_globals(tools):
    assert tools.dump("lycee", "-i", "-Z1", "-v")[0] == 0
    assert tools.readable()
    assert tools.run("createdb", "-E", "UTF8", "-T", "template0", "retour")[0] == 0
    assert tools.run("pg_restore", "-1", "-O", "-d", "retour", "C:\\Dumps\\x.dump")[0] == 0
    count = "select count(*), sum(length(note)) from account_move_line"
    assert tools.sql(count, "retour") == tools.sql(count, "lycee")
    assert tools.run("dropdb", "retour")[0] == 0
    assert tools.run("dropdb", "retour")[0] == 1
    code, out, _unused = tools.run("pg_restore", "-l", "C:\\Dumps\\x.dump")
    assert code == 0
    assert b"Dumped from database version: 8.4.12\r\n" in out
    code, out, _unused = tools.run("pg_restore", "-t", "res_users", "C:\\Dumps\\x.dump")
    assert code == 0
    assert b"COPY public.res_users" in out
    assert b"restrict " not in out
    code, _unused, _unused2 = tools.run("pg_dumpall", "-g", "-f", "C:\\Dumps\\globals.sql")
    text = tools.file("globals.sql").read_bytes()
    assert code == 0
    assert b"CREATE ROLE pupille;\n" in text
    assert b"PASSWORD 'md5" in text
    assert b"restrict " not in text
    assert tools.run("pg_dumpall", "-g", "-r")[0] == 1


def test_what_8_4_refuses(tools):
    for words, said in (
        (("--dbname=lycee",), "pg_dump: illegal option -- dbname=lycee"),
        (("-j", "2", "lycee"), "pg_dump: illegal option -- j"),
        (("-Fd", "lycee"), 'pg_dump: invalid output format "d" specified'),
        (("lycee", "-Fc"), 'pg_dump: too many command-line arguments (first is "-Fc")'),
    ):
        code, out, error = tools.run("pg_dump", *words)
        assert (code, out, error.decode("cp850").split("\r\n")[0]) == (1, b"", said)
    assert tools.run("pg_dump", "-o", "lycee")[2].startswith(b"LAB: ")
    assert tools.session.run(f'"{BIN}\\pg_dump.exe" --version')[1] == "pg_dump (PostgreSQL) 8.4.12\n"
    assert tools.dump("absente")[0] == 1
    assert tools.run("pg_dump", "-f", "C:\\Nulle part\\x", "lycee")[0] == 1
    assert tools.run("pg_restore", "C:\\Dumps\\absent")[0] == 1


def test_names_are_ansi_bytes(tools):
    assert tools.dump("Spéci bike")[0] == 1  # the byte E9 is no UTF-8
    assert tools.dump("SpÃ©ci bike")[0] == 0
    quoted = ODD.replace("'", "\\'")
    assert tools.dump(f"dbname='{quoted}' host=localhost")[0] == 0
    assert tools.dump(ODD)[0] == 1  # a conninfo string that is none
    seen = Tools(tools.session, tools.winlab, PGDATABASE="SpÃ©ci bike", PGCLIENTENCODING="UTF8")
    code, out, _unused = seen.run("psql", "-XAtc", "select current_database(), 'Ã‰tÃ©'")
    assert (code, out) == (0, "Spéci bike|Été\r\n".encode())
    code, out, _unused = seen.run("psql", "-XAt", stdin="show server_version;\r\nselect 'é', version();\n".encode())
    assert (code, out.split(b",")[0]) == (0, "8.4.12\r\né|PostgreSQL 8.4.12".encode())


def test_password_file_and_the_prompt_nobody_sees(tools, remote):
    tools.session.close()
    plain = f'"{BIN}\\psql.exe" -h 127.0.0.1 -p {tools.port} -U openpg -d postgres -XAtc "select 7"'
    strict = plain.replace('psql.exe"', 'psql.exe" -w')
    code, _unused, error = tools.session.run(strict)
    assert (code, "no password supplied" in error) == (2, True)
    command = tools.session.start(plain)
    other = remote()
    until(lambda: '"psql.exe"' in other.run("tasklist /fo csv /nh")[1])
    tools.session.protocol.cleanup_command(tools.session.shell, command)
    until(lambda: '"psql.exe"' not in other.run("tasklist /fo csv /nh")[1])
    folder = "C:\\Users\\Administrateur\\AppData\\Roaming\\postgresql"
    tools.session.run(f"md {folder}")
    for host, wanted in (("localhost", 2), ("127.0.0.1", 0)):
        tools.session.run(f"echo {host}:*:*:openpg:openpgpwd>{folder}\\pgpass.conf")
        assert tools.session.run(strict)[0] == wanted
    tools.session.run(f"rd /s /q {folder}")


def test_redirections_and_text_mode(tools):
    line = f'"{BIN}\\pg_dump.exe" -w -h 127.0.0.1 -U openpg'
    assert tools.session.run(f"{line} lycee > C:\\Dumps\\plain.sql")[0] == 0
    text = tools.file("plain.sql").read_bytes()
    assert b"\r\nCOPY public.account_move_line" in text
    assert tools.session.run(f"{line} -f C:\\Dumps\\file.sql lycee")[0] == 0
    assert tools.file("file.sql").read_bytes() == text.replace(b"\r\n", b"\n")
    assert tools.session.run(f"{line} -Fc lycee > C:\\Dumps\\r.dump")[0] == 0
    assert tools.readable("r.dump")
    assert tools.session.run(f'"{BIN}\\pg_restore.exe" -l < C:\\Dumps\\r.dump')[0] == 0
    assert len(tools.session.raw("type C:\\Dumps\\r.dump")[1]) == tools.file("r.dump").stat().st_size


def test_a_full_disk(tools):
    tools.winlab.fault("srv1", "disk_full")
    for line in ("-Fc -f C:\\Dumps\\x.dump lycee", "-f C:\\Dumps\\x.dump lycee", "lycee > C:\\Dumps\\x.dump"):
        code, _unused, error = tools.session.run(f'"{BIN}\\pg_dump.exe" -w -h 127.0.0.1 -U openpg {line}')
        assert code == 1, line
        assert "No space left on device" in error, line
        assert tools.file().stat().st_size == 0
    assert tools.session.get("Win32_LogicalDisk", DeviceID="C:")["FreeSpace"] == "0"
    tools.winlab.fault("srv1", "clear")
    assert tools.dump("lycee")[0] == 0
    tools.winlab.fault("srv1", "disk_full")
    code, out, _unused = tools.session.run("copy /b /y C:\\Dumps\\x.dump C:\\Dumps\\y.dump")
    assert (code, out.strip()) == (1, "0 fichier(s) copié(s).")
    assert not tools.file("y.dump").exists()


def test_a_disk_that_fills_up_in_the_middle(tools):
    lock = subprocess.Popen(
        tools.outside("lycee", "begin; lock table account_move_line; select pg_sleep(600)"), env=tools.environment()
    )
    try:
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        until(lambda: tools.sql("select count(*) from pg_stat_activity where query like '%pg_sleep(600)%' "
                                "and wait_event = 'PgSleep'") == "1")  # fmt: skip
        line = f'"{BIN}\\pg_dump.exe" -w -h 127.0.0.1 -U openpg -Fc -f C:\\Dumps\\x.dump lycee'
        command = tools.session.start(line)
        until(lambda: tools.sql(waiting) == "1")
        tools.winlab.fault("srv1", "disk_full")
        tools.sql("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'")
        _unused, error, code = tools.session.protocol.get_command_output(tools.session.shell, command)
        assert code == 1
        assert b"No space left on device" in error
    finally:
        lock.kill()
        lock.wait()


@pytest.mark.parametrize(
    ("fault", "code", "readable"),
    [("dump_fails", 1, False), ("dump_silent", 0, False), ("dump_truncated", 0, False), ("dump_flipped", 0, False)],
)
def test_dumps_that_are_not_sound(tools, fault, code, readable):
    assert tools.dump("lycee")[0] == 0
    sound = tools.file().stat().st_size
    tools.winlab.fault("srv1", fault, "Spéci bike")
    assert tools.dump("lycee")[0] == 0
    assert tools.readable()
    found, error = tools.dump("SpÃ©ci bike")
    assert found == code
    assert bool(error) == (code != 0)
    tools.winlab.fault("srv1", fault)
    assert tools.dump("lycee")[0] == code
    size = tools.file().stat().st_size
    assert tools.readable() is readable
    wanted = {"dump_fails": sound // 2, "dump_silent": 5, "dump_truncated": sound * 9 // 10, "dump_flipped": sound}[
        fault
    ]
    assert abs(size - wanted) < 64


def test_a_server_that_dies_under_the_dump(tools):
    assert tools.dump("lycee")[0] == 0
    tools.winlab.fault("srv1", "server_stops", "30000")
    code, error = tools.dump("lycee")
    assert code == 1
    assert "server closed the connection unexpectedly" in error
    assert tools.session.until(SERVICE, "Stopped")[-1] == "Stopped"
    assert not tools.readable()
    tools.winlab.fault("srv1", "clear")
    assert tools.session.run(f"net start {SERVICE}")[0] == 0
    assert tools.dump("lycee")[0] == 0


def test_a_dump_that_hangs_until_it_is_killed(tools, remote):
    tools.winlab.fault("srv1", "dump_hangs", "lycee")
    command = tools.session.start(f'"{BIN}\\pg_dump.exe" -w -h 127.0.0.1 -U openpg -Fc -f C:\\Dumps\\x.dump lycee')
    other = remote()
    until(lambda: '"pg_dump.exe"' in other.run("tasklist /fo csv /nh")[1])
    until(tools.file().exists)
    assert other.run("taskkill /f /im pg_dump.exe")[0] == 0
    assert tools.session.protocol.get_command_output(tools.session.shell, command)[2] != 0
    assert tools.dump("SpÃ©ci bike")[0] == 0


def test_whoever_asks_is_killed_at_the_nth_request(tools, winlab):
    with subprocess.Popen(["sleep", "600"]) as victim:
        winlab.fault("srv1", "kill_after", f"3:{victim.pid}")
        tools.session.service("Spooler")
        tools.session.service("Spooler")
        assert victim.poll() is None
        tools.session.service("Spooler")
        assert victim.wait(timeout=20) == -9
    with subprocess.Popen(["sh", "-c", "sleep 600 & wait"], start_new_session=True) as victim:
        winlab.fault("srv1", "kill_tree_after", f"1:{victim.pid}")
        tools.session.service("Spooler")
        assert victim.wait(timeout=20) == -9
        with contextlib.suppress(ProcessLookupError):
            until(lambda: os.killpg(victim.pid, 0))
    assert winlab.ask("status")["devices"][0]["faults"] == []


def test_files_of_a_backup(tools):
    session = tools.session
    assert session.run('md "C:\\Dumps\\2012\\a b"')[0] == 0
    assert session.run("echo un>C:\\Dumps\\2012\\un.txt")[0] == 0
    assert session.run('copy /b /y C:\\Dumps\\2012\\un.txt "C:\\Dumps\\2012\\a b\\deux.txt"')[0] == 0
    assert session.run("copy C:\\Dumps\\2012\\un.txt C:\\Dumps\\2012\\un.txt")[0] == 1
    assert session.run("move /y C:\\Dumps\\2012\\un.txt C:\\Dumps\\2012\\trois.txt")[0] == 0
    assert session.run("ren C:\\Dumps\\2012\\trois.txt quatre.txt")[0] == 0
    code, out, _unused = session.run('dir /s /b /a-d "C:\\Dumps\\2012"')
    assert (code, sorted(out.split("\n"))) == (0, ["", "C:\\Dumps\\2012\\a b\\deux.txt", "C:\\Dumps\\2012\\quatre.txt"])
    assert session.run("dir /b C:\\Dumps\\2012")[1] == "a b\nquatre.txt\n"
    assert session.get("CIM_DataFile", Name="C:\\Dumps\\2012\\quatre.txt")["FileSize"] == "4"
    assert session.get("Win32_Directory", Name="c:\\dumps\\2012\\a b")["FileType"] == "Dossier de fichiers"
    assert session.run("del /f /q C:\\Dumps\\2012\\quatre.txt")[0] == 0
    assert session.run("rd /s /q C:\\Dumps\\2012")[0] == 0
    assert session.run("dir /b C:\\Dumps\\2012")[0] == 1
