# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The setups of OpenERP: what they write, reset and delete, how they are told, how they fail."""

from __future__ import annotations

import hashlib

import pytest

from lab.windows.files import Drive
from lab.windows.openerp import files, ini, setupfile
from lab.windows.openerp.setup import switches
from tests.unit.lab.openerp_lab import SERVER, WEB, running, until

LONG = "C:\\Program Files\\replicat\\OpenERP 6.0"
NEW_SERVER = "C:\\Logiciels\\openerp-server-setup-6.0.4.exe"
NEW_WEB = "C:\\Logiciels\\openerp-web-setup-6.0.4.exe"
ALL = "C:\\Logiciels\\openerp-allinone-setup-6.0.4.exe"
SERVICE = "openerp-server-6.0"
UNINSTALL = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall"
HOSTS = {
    "moved": f"lab_openerp_folder: '{LONG}', lab_accounts: [{{name: tache, password: x, service_logon: true}}], "
    "lab_openerp_conf: {logfile: 'C:\\cygwin\\var\\log\\openerp-server.log', db_password: Autre-2026, maison: un}",
    "english": "lab_language: en",
    "plain": "",
    "broken": "",
    "failing": "",
    "full": "",
    "gone": "",
    "bundle": "",
    "lost": "lab_postgresql: {databases: []}",
}


@pytest.fixture(scope="module")
def setlab(tmp_path_factory, environment, lab_networks):
    yield from running(tmp_path_factory.mktemp("setups"), environment, lab_networks, HOSTS)


@pytest.fixture
def on(setlab):
    yield setlab.session
    setlab.close()


def version(setlab, host, kind=files.SERVER, folder=SERVER):
    root = setlab.folder() / "windows" / host / "C"
    drive = Drive(root, lambda drive: None, lambda: False)
    return files.version_of(drive, kind, folder)


def conf(setlab, host, folder=SERVER):
    text = setlab.file(host, f"{folder}\\openerp-server.conf").read_text()
    return dict(line.replace(" = ", "=").split("=", 1) for line in text.splitlines() if "=" in line)


def test_release_lies_in_the_folder(tmp_path):
    drive = Drive(tmp_path / "C", lambda drive: None, lambda: False)
    for kind in (files.SERVER, files.WEB):
        assert files.version_of(drive, kind, "C:\\A") is None
        files.lay(drive, kind, f"C:\\A\\{kind}", "6.0.3")
        assert files.version_of(drive, kind, f"c:\\a\\{kind.upper()}") == "6.0.3"
        drive.find("C:\\A").joinpath(kind).rename(tmp_path / "C" / kind)
        assert files.version_of(drive, kind, f"C:\\{kind}") == "6.0.3"
        files.lay(drive, kind, f"C:\\{kind}", "6.0.4")
        assert files.version_of(drive, kind, f"C:\\{kind}") == "6.0.4"
        for name in ("library.zip", files.PROGRAMS[kind], files.WRAPPERS[kind], "python25.dll"):
            path = drive.find(f"C:\\{kind}\\{name}")
            good = path.read_bytes()
            path.write_bytes(good[:-1000])
            assert files.version_of(drive, kind, f"C:\\{kind}") is None, name
            path.write_bytes(good)
        assert files.version_of(drive, kind, f"C:\\{kind}") == "6.0.4"


def test_setups_are_the_same_everywhere(tmp_path, setlab):
    paths = setupfile.write_all(tmp_path)
    assert [path.name for path in paths if "6.0.4" in path.name] == [
        "openerp-server-setup-6.0.4.exe", "openerp-web-setup-6.0.4.exe", "openerp-allinone-setup-6.0.4.exe"
    ]  # fmt: skip
    digest = hashlib.sha256((tmp_path / "openerp-server-setup-6.0.4.exe").read_bytes()).hexdigest()
    assert digest == "43c3836d8c18f95902225847bd1ad13ab5bffec78a72d9fcc4344e21c49f7031"
    times = [path.stat().st_ino for path in paths]
    assert [path.stat().st_ino for path in setupfile.write_all(tmp_path)] == times
    parsed = setupfile.parse(paths[0].read_bytes())
    assert (parsed.kind, parsed.version, parsed.whole, parsed.intact) == ("server", "6.0.3", True, True)
    assert setupfile.parse(b"<html>404</html>") is None


@pytest.mark.parametrize(
    ("line", "silent", "folder"),
    [
        ("/S", True, None),
        ("/s", False, None),
        ("/NCRC /S /D=C:\\Program Files\\X", True, "C:\\Program Files\\X"),
        ('/S /D="C:\\X"', True, '"C:\\X"'),
        ("/D=C:\\X /S", False, "C:\\X /S"),
        ('/S "/D=C:\\X"', True, None),
    ],
)
def test_switches(line, silent, folder):
    found = switches(f" {line}")
    assert (found.silent, found.folder, found.allinone) == (silent, folder, False)


def test_ini():
    text = ini.written(
        b"; mot\r\n[options]\r\nDB_User = a\r\n\r\n[autre]\r\ndb_user = b\r\n", "options", "db_user", "c"
    )
    assert text == b"; mot\r\n[options]\r\ndb_user=c\r\n\r\n[autre]\r\ndb_user = b\r\n"
    assert ini.written(text, "options", "k", "v").startswith(b"; mot\r\n[options]\r\ndb_user=c\r\nk=v\r\n")
    assert ini.written(b"", "options", "k", "v") == b"[options]\r\nk=v\r\n"


def test_upgrade_resets_what_facts_say(setlab, on):
    session = on("moved")
    folder = f"{LONG}\\Server"
    own = setlab.file("moved", f"{folder}\\addons\\specibike\\__init__.py")
    own.parent.mkdir()
    own.write_text("mien")
    assert session.run(f"sc config {SERVICE} obj= .\\tache password= x start= demand")[0] == 0
    assert session.run(f"{NEW_SERVER} /S /D={folder}") == (0, "", "")
    assert version(setlab, "moved", folder=folder) == "6.0.4"
    found = conf(setlab, "moved", folder)
    assert (found["db_host"], found["db_user"], found["db_password"], found["db_port"]) == (
        "localhost", "openpg", "openpgpwd", "5432"
    )  # fmt: skip
    assert found["logfile"] == f"{folder}\\openerp-server.log"
    assert found["maison"] == "un"
    assert own.read_text() == "mien"
    assert "Password openpgpwd" in setlab.file("moved", f"{folder}\\install.log").read_text()
    service = session.service(SERVICE)
    assert (service["StartName"], service["StartMode"], service["State"]) == ("LocalSystem", "Auto", "Running")
    assert service["PathName"] == f'"{folder}\\service\\OpenERPServerService.exe"'
    code, out, _unused = session.run(f'reg query "{UNINSTALL}\\OpenERP Server 6.0" /v VersionMinor')
    assert (code, "0x4" in out) == (0, True)
    # Nothing remembers a folder: the next run goes to the default one, and takes the service with it.
    assert session.run(f"{NEW_SERVER} /S")[0] == 0
    assert "OpenERP 6.0\\Server\\service" in session.service(SERVICE)["PathName"]
    assert "replicat" not in session.service(SERVICE)["PathName"]


def test_section_keeps_what_the_first_step_wrote(setlab, on):
    session = on("english")
    path = setlab.file("english", f"{SERVER}\\openerp-server.conf")
    path.write_bytes(path.read_bytes() + b"[autre]\r\na = b\r\n")
    assert session.run(f"{NEW_SERVER} /S")[0] == 0
    found = conf(setlab, "english")
    assert (found["db_password"], found["a"]) == ("openpgpwd", "b")


def test_web(setlab, on):
    session = on("plain")
    for name in ("doc", "conf"):
        setlab.file("plain", f"{WEB}\\{name}\\openerp-web.cfg").write_text("mien")
    assert session.run(f"{NEW_WEB} /NCRC /S /D={WEB}")[0] == 0
    for name in ("doc", "conf"):
        assert "socket_port" in setlab.file("plain", f"{WEB}\\{name}\\openerp-web.cfg").read_text()
    assert version(setlab, "plain", files.WEB, WEB) == "6.0.4"
    assert session.service("openerp-web-6.0")["State"] == "Running"


def test_quoted_folder_installs_nothing(setlab, on):
    session = on("plain")
    before = conf(setlab, "plain")
    assert session.run(f'{NEW_SERVER} /S /D="{SERVER}"')[0] == 0
    assert version(setlab, "plain") == "6.0.3"
    assert conf(setlab, "plain") == before
    assert session.service(SERVICE)["State"] == "Running"


@pytest.mark.parametrize("words", ["", "/s", "/S /allinone", f"/D={SERVER} /S"])
def test_window_that_nobody_sees(setlab, on, words):
    session = on("plain")
    command = session.start(f"{NEW_SERVER} {words}")
    until(lambda: "openerp-server-setup-6.0.4.exe" in on("plain").run("tasklist /fo csv")[1])
    assert on("plain").run("taskkill /f /im openerp-server-setup-6.0.4.exe")[0] == 0
    session.protocol.get_command_output(session.shell, command)
    assert version(setlab, "plain") == "6.0.3"


def test_what_is_no_setup(setlab, on):
    for host, words in (("broken", "n'est pas une application Win32 valide."),
                        ("english", "is not a valid Win32 application.")):  # fmt: skip
        session = on(host)
        session.run("echo 404 Not Found> C:\\Logiciels\\page.exe")
        assert session.run("C:\\Logiciels\\page.exe /S")[::2] == (1, f"C:\\Logiciels\\page.exe {words}\n")
    session = on("broken")
    path = setlab.file("broken", NEW_SERVER)
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    assert session.run(f"{NEW_SERVER} /S") == (2, "", "")
    assert version(setlab, "broken") == "6.0.3"
    path.write_bytes(good[:90_000] + b"\0" + good[90_001:])
    assert session.run(f"{NEW_SERVER} /S") == (0, "", "")
    library = setlab.file("broken", f"{SERVER}\\library.zip").read_bytes()
    assert (files.packed(library), version(setlab, "broken")) == ("6.0.4", None)


def test_failing_setups(setlab, on):
    session = on("failing")
    setlab.fault("failing", "setup_fails", "before")
    assert session.run(f"{NEW_SERVER} /S")[0] == 1
    assert (version(setlab, "failing"), session.service(SERVICE)["State"]) == ("6.0.3", "Running")
    setlab.fault("failing", "setup_fails")
    assert session.run(f"{NEW_SERVER} /S")[0] == 2
    assert version(setlab, "failing") is None
    assert session.run(f"sc query {SERVICE}")[0] == 1060
    setlab.fault("failing", "setup_fails", "end")
    assert session.run(f"{NEW_SERVER} /S")[0] == 2
    assert (version(setlab, "failing"), session.service(SERVICE)["State"]) == ("6.0.4", "Running")
    setlab.fault("failing", "clear", "setup_fails")
    setlab.fault("failing", "setup_hangs")
    command = session.start(f"{NEW_WEB} /S")
    until(lambda: version(setlab, "failing", files.WEB, WEB) is None)
    assert on("failing").run("taskkill /f /im openerp-web-setup-6.0.4.exe")[0] == 0
    session.protocol.get_command_output(session.shell, command)


def test_full_disk(setlab, on):
    session = on("full")
    setlab.fault("full", "disk_full")
    assert session.run(f"{NEW_SERVER} /S")[0] == 2
    assert version(setlab, "full") is None
    setlab.fault("full", "clear")
    assert session.run(f"{NEW_SERVER} /S")[0] == 0
    assert version(setlab, "full") == "6.0.4"


def test_uninstall(setlab, on):
    session = on("gone")
    assert session.run(f'"{WEB}\\Uninstall.exe" /S _?={WEB}')[0] == 0
    assert not setlab.file("gone", WEB).exists()
    assert session.run(f'"{SERVER}\\uninstall.exe" /S')[0] == 0  # it goes on behind
    until(lambda: not setlab.file("gone", SERVER).exists())
    until(lambda: session.run(f"sc query {SERVICE}")[0] == 1060)
    assert session.run(f'reg query "{UNINSTALL}\\OpenERP Server 6.0"')[0] == 1


def test_all_in_one(setlab, on):
    session = on("bundle")
    session.run("reg add HKLM\\SOFTWARE\\PostgreSQL\\Installations\\postgresql-8.4 /v Version /d 8.4.12 /f")
    assert session.run(f"{ALL} /S") == (0, "", "")
    assert (version(setlab, "bundle"), version(setlab, "bundle", files.WEB, WEB)) == ("6.0.4", "6.0.4")
    assert setlab.file("bundle", "C:\\Program Files\\OpenERP 6.0\\Client\\openerp-client.exe").exists()
    assert conf(setlab, "bundle")["pg_path"] == "None"


def test_all_in_one_destroys_an_unregistered_postgresql(setlab, on):
    session = on("lost")
    data = setlab.file("lost", "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\data")
    assert (data / "PG_VERSION").exists()
    session.run("reg delete HKLM\\SOFTWARE\\PostgreSQL\\Installations /f")
    (data / "base" / "marque").write_bytes(b"x")
    sid = session.get("Win32_UserAccount", Domain="LOST", Name="openpgsvc")["SID"]
    assert session.run(f"{ALL} /S") == (0, "", "")
    assert (data / "PG_VERSION").exists()
    assert not (data / "base" / "marque").exists()
    assert session.service("PostgreSQL_For_OpenERP")["State"] == "Running"
    assert session.get("Win32_UserAccount", Domain="LOST", Name="openpgsvc")["SID"] != sid
    assert conf(setlab, "lost")["pg_path"] == "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\bin"
