# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled tasks that run at the host's boot, batch files, who SYSTEM is for another computer, and pings."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from lab.windows.taskxml import Malformed, read
from tests.unit.lab.openerp_lab import running, until
from tests.unit.lab.test_disks import query

DOMAIN = "lab_openerp: false, lab_domain: lycee.example, lab_task_time_scale: 600"
HOSTS = {
    "srv-domaine": f"{DOMAIN}, lab_domain_controller: true",
    "un": f"{DOMAIN}, lab_services: [{{name: Manuel, start_mode: manual}}]",
    "deux": f"{DOMAIN}, lab_language: en",
    "seul": "lab_openerp: false",
}
NS = "http://schemas.microsoft.com/windows/2004/02/mit/task"
BATCH = """@echo off
rem the marker on the other server decides
if exist C:\\jamais.txt goto fin
findstr /b "actif=UN" \\\\deux\\marque\\actif.txt >nul 2>&1
if errorlevel 2 exit /b 2
if not errorlevel 1 goto demarrer
echo refus>> C:\\journal.txt
exit /b 1
:demarrer
echo demarre>> C:\\journal.txt
net start Manuel >nul 2>&1
:fin
exit /b 0
"""


def document(command, arguments="", boot="", user="S-1-5-18", settings=""):
    trigger = f"<Triggers><BootTrigger>{boot}</BootTrigger></Triggers>"
    return (
        f'<?xml version="1.0" encoding="UTF-16"?><Task version="1.2" xmlns="{NS}">{trigger}<Principals><Principal id="Author">'
        f'<UserId>{user}</UserId></Principal></Principals><Settings>{settings}</Settings><Actions Context="Author"><Exec>'
        f"<Command>{command}</Command><Arguments>{arguments}</Arguments></Exec></Actions></Task>"
    )


def utf16(text):
    return b"\xff\xfe" + text.encode("utf-16-le")


@pytest.fixture(scope="module")
def tasklab(tmp_path_factory, environment, lab_networks):
    yield from running(tmp_path_factory.mktemp("tasks"), environment, lab_networks, HOSTS)


@pytest.fixture
def on(tasklab):
    yield tasklab.session
    tasklab.close()


def make(tasklab, session, host, name, text, *more):
    tasklab.file(host, "C:\\t.xml").write_bytes(text if isinstance(text, bytes) else utf16(text))
    return session.run(f"schtasks /create /tn {name} /xml C:\\t.xml /f {' '.join(more)}")


def reboot(tasklab, host):
    tasklab.fault(host, "no_power")
    until(lambda: not tasklab.listens(host))
    assert tasklab.row(host)["powered"] is False
    tasklab.fault(host, "clear", "no_power")
    until(lambda: tasklab.listens(host))


def ping(session, name):
    return query(session, f"SELECT * FROM Win32_PingStatus WHERE Address='{name}' AND Timeout=500")[0]["StatusCode"]


def test_life_of_a_task(tasklab, on):
    session = on("seul")
    code, out, error = make(
        tasklab, session, "seul", "\\Lycee\\essai", document("cmd.exe", "/c echo x&gt;&gt; C:\\x.txt")
    )
    assert (code, error, "Opération réussie" in out) == (0, "", True)
    found = ET.fromstring(session.run("schtasks /query /tn \\Lycee\\essai /xml")[1].replace('encoding="UTF-16"', ""))
    assert found.findtext(f".//{{{NS}}}UserId") == "S-1-5-18"
    assert found.findtext(f".//{{{NS}}}Command") == "cmd.exe"
    assert '"\\Lycee\\essai","N/A","Prêt"' in session.run("schtasks /query /fo csv")[1]
    assert session.run("schtasks /run /tn \\Lycee\\essai")[0] == 0
    until(tasklab.file("seul", "C:\\x.txt").exists)
    assert session.run("schtasks /change /tn Lycee\\essai /disable")[0] == 0
    assert session.run("schtasks /run /tn \\Lycee\\essai")[0] == 1
    reboot(tasklab, "seul")
    session = on("seul")
    assert tasklab.ask("state", host="seul")["state"]["tasks"]["\\Lycee\\essai"]["runs"] == 1
    assert session.run("schtasks /change /tn Lycee\\essai /enable")[0] == 0
    assert session.run("schtasks /end /tn Lycee\\essai")[0] == 0
    assert session.run("schtasks /delete /tn Lycee\\essai /f")[0] == 0
    assert session.run("schtasks /query /tn Lycee\\essai /xml")[0] == 1


def test_bad_files(tasklab, on):
    session = on("deux")
    good = document("cmd.exe")
    for text in (good.encode(), utf16(good[:-5]), utf16(good.replace("<Command>cmd.exe</Command>", "")),
                 utf16(document("cmd.exe", boot="<Delay>1M</Delay>")),
                 utf16(document("cmd.exe", boot="<Repetition><Interval>PT10S</Interval></Repetition>"))):  # fmt: skip
        code, _out, error = make(tasklab, session, "deux", "essai", text)
        assert (code, "malformed" in error) == (1, True)
    assert session.run("schtasks /create /tn x /xml C:\\nichts.xml")[0] == 1
    assert make(tasklab, session, "deux", "essai", document("cmd.exe", user="LYCEE\\prof"))[0] == 255
    assert session.run("schtasks /create /tn x /tr cmd /sc onstart")[0] == 255
    assert session.run("schtasks /sottise")[0] == 1
    with pytest.raises(Malformed):
        read(b"<Task/>", None)


def test_boot_marker_on_another_server(tasklab, on):
    """At boot the task reads the other server's share as the computer's account, and starts the service when it may."""
    session, other = on("un"), on("deux")
    other.run("mkdir C:\\marque")
    tasklab.file("deux", "C:\\marque\\actif.txt").write_bytes(b"actif=DEUX\r\n")
    assert other.run("net share marque=C:\\marque /GRANT:Everyone,READ")[0] == 0
    tasklab.file("un", "C:\\garde.cmd").write_bytes(BATCH.replace("\n", "\r\n").encode("cp850"))
    boot = "<Repetition><Interval>PT1M</Interval><Duration>PT20M</Duration></Repetition><Delay>PT30S</Delay>"
    assert make(tasklab, session, "un", "garde", document("C:\\garde.cmd", boot=boot))[0] == 0
    # Under WinRM the other server sees nobody.
    assert session.run("type \\\\deux\\marque\\actif.txt")[0] == 1
    reboot(tasklab, "un")
    journal = tasklab.file("un", "C:\\journal.txt")
    until(lambda: journal.exists() and journal.read_text())
    assert journal.read_text().split()[0] == "refus"
    session = on("un")
    assert session.service("Manuel")["State"] == "Stopped"
    tasklab.file("deux", "C:\\marque\\actif.txt").write_bytes(b"actif=UN\r\n")
    session.until("Manuel", "Running")
    # Rights that leave the computer's account out.
    assert other.run("icacls C:\\marque /grant *S-1-5-32-544:F")[0] == 0
    assert session.run("schtasks /change /tn garde /disable")[0] == 0
    until(lambda: tasklab.ask("state", host="un")["state"]["tasks"]["\\garde"]["result"] == 0)
    assert other.run("net share marque /delete /y")[0] == 0
    assert other.run("net share marque=C:\\marque /GRANT:Administrators,FULL")[0] == 0
    assert session.run("schtasks /change /tn garde /enable")[0] == 0
    before = journal.read_text().count("refus")
    assert session.run("schtasks /run /tn garde")[0] == 0
    until(lambda: journal.read_text().count("refus") > before)


def test_labels(tasklab, on):
    session = on("seul")
    lines = '@echo off\nset n=0\n:encore\nif "%n%"=="xxx" goto :sortie\nset n=%n%x\nif %n%==0x set n=x\ngoto encore\n:sortie\n'
    tasklab.file("seul", "C:\\b.cmd").write_text(lines + "echo %n%\ngoto :eof\necho jamais\n", newline="\r\n")
    assert session.run("C:\\b.cmd") == (0, "xxx\n", "")
    tasklab.file("seul", "C:\\c.cmd").write_text("@goto nulle\n", newline="\r\n")
    code, _out, error = session.run("C:\\c.cmd")
    assert (code, "nulle" in error) == (1, True)


def test_ping(tasklab, on):
    session = on("deux")
    for name in ("un", "UN", "un.lycee.example", tasklab.address("un"), "localhost"):
        assert ping(session, name) == "0", name
    assert ping(session, "inconnu") == {"@xsi:nil": "true"}
    assert ping(session, "127.77.0.99") == "11010"
    tasklab.fault("un", "no_power")
    assert ping(session, "un") == "11010"
    tasklab.fault("un", "clear")
    assert ping(session, "un") == "0"
    tasklab.fault("un", "off")
    assert ping(session, "un") == "11010"
