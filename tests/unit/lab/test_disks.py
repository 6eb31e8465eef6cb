# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks beside that of the system: diskpart, mountvol, WMI, and what happens when one goes."""

from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.windows.plan import windows_plan
from tests.unit.lab.openerp_lab import running

MOUNT = "C:\\Program Files\\replicat"
HOSTS = {
    "srv": "lab_openerp: false, lab_disks_physical: [{number: 1, size: 80000000000, serial: WD-1}, "
    "{number: 2, serial: WD-2, state: online, data: true}]",
    "english": "lab_openerp: false, lab_language: en, lab_disks_physical: [{number: 1, state: online}]",
    "base": "lab_openerp: false, lab_disks_physical: [{number: 1, state: online}], lab_shares: [{name: D, path: 'C:\\D'}]",
}
PREPARE = f"""
select disk 1
online disk noerr
attributes disk clear readonly noerr
create partition primary
format fs=ntfs quick label=replicat
assign mount="{MOUNT}"
"""


@pytest.fixture(scope="module")
def disklab(tmp_path_factory, environment, lab_networks):
    yield from running(tmp_path_factory.mktemp("disks"), environment, lab_networks, HOSTS)


@pytest.fixture
def on(disklab):
    yield disklab.session
    disklab.close()


def diskpart(disklab, session, host, text):
    disklab.file(host, "C:\\Windows\\Temp\\d.txt").write_bytes(text.strip().replace("\n", "\r\n").encode("cp850"))
    code, out, error = session.run("diskpart /s C:\\Windows\\Temp\\d.txt")
    assert not error, error
    return code, out


def rows(session, name):
    """All instances of a class, properties without prefix."""
    return query(session, f"SELECT * FROM {name}")


def query(session, text):
    uri = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*"
    body = {"n:Enumerate": {
        "@xmlns:n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
        "w:OptimizeEnumeration": None, "w:MaxElements": "500",
        "w:Filter": {"@Dialect": "http://schemas.microsoft.com/wbem/wsman/1/WQL", "#text": text},
    }}  # fmt: skip
    found = session.wsman("http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate", uri, body)
    items = found["n:EnumerateResponse"]["w:Items"] or {}
    name = next(iter(items), "")
    listed = items.get(name) or []
    return [{key[2:]: value for key, value in item.items() if key.startswith("p:")} for item in
            (listed if isinstance(listed, list) else [listed])]  # fmt: skip


def test_story(disklab, on):
    session = on("srv")
    drives = {row["Index"]: row for row in rows(session, "Win32_DiskDrive")}
    assert (drives["1"]["Size"], drives["1"]["SerialNumber"], drives["1"]["Partitions"]) == ("80000000000", "WD-1", "0")
    assert (drives["2"]["Partitions"], drives["0"]["Partitions"]) == ("1", "1")
    # Nothing is mounted as long as the folder is not there, and what was done before the error stays done.
    code, out = diskpart(disklab, session, "srv", PREPARE)
    assert (code, "montage" in out) == (4, True)
    session.run(f'mkdir "{MOUNT}"')
    assert diskpart(disklab, session, "srv", "select disk 1\nselect partition 1\n" + PREPARE.splitlines()[-1])[0] == 0
    volume = next(row for row in rows(session, "Win32_Volume") if row["Label"] == "replicat")
    assert (volume["FileSystem"], volume["Name"], volume["DriveLetter"]) == ("NTFS", f"{MOUNT}\\", {"@xsi:nil": "true"})
    point = next(row for row in rows(session, "Win32_MountPoint") if "replicat" in str(row["Directory"]))
    assert volume["DeviceID"][10:48] in str(point["Volume"])
    assert session.run(f'mountvol "{MOUNT}" /L')[1].strip() == volume["DeviceID"]
    assert {row["DeviceID"] for row in rows(session, "Win32_DiskPartition")} == {
        "Disk #0, Partition #0", "Disk #1, Partition #0", "Disk #2, Partition #0"
    }  # fmt: skip
    # Files below, and their access lists, which the volume takes with it.
    session.run(f'mkdir "{MOUNT}\\A b"')
    session.run(f'echo un> "{MOUNT}\\A b\\f.txt"')
    session.run(f'icacls "{MOUNT}\\A b" /grant *S-1-5-19:(OI)(CI)F')
    assert "SERVICE LOCAL" in session.run(f'icacls "{MOUNT}\\A b\\f.txt"')[1]
    real = disklab.file("srv", f"{MOUNT}\\A b\\f.txt")
    assert real.read_bytes() == b"un\r\n"
    assert session.run(f'robocopy "{MOUNT}\\A b" C:\\copie /E /NJH')[0] == 1
    assert session.run(f'dir /b /s "{MOUNT}"')[1].splitlines() == [f"{MOUNT}\\A b", f"{MOUNT}\\A b\\f.txt"]
    assert session.get("CIM_DataFile", Name=f"{MOUNT}\\a B\\f.TXT")["FileSize"] == "4"
    assert session.run('robocopy "C:\\Program Files" C:\\copie2 f.txt /E /XJ /NJH')[0] < 8
    assert not disklab.file("srv", "C:\\copie2\\replicat\\A b\\f.txt").exists()
    # To another volume a folder is not moved, a file is copied and inherits there.
    assert session.run(f'move C:\\copie "{MOUNT}\\copie"')[0] == 1
    assert session.run(f'move "{MOUNT}\\A b\\f.txt" C:\\f.txt')[0] == 0
    assert "SERVICE LOCAL" not in session.run("icacls C:\\f.txt")[1]
    assert session.run(f'move C:\\f.txt "{MOUNT}\\A b\\f.txt"')[0] == 0
    # The disk fails: the mount point is there, nothing below.
    disklab.fault("srv", "disk_offline", "1")
    assert not real.exists()
    assert session.run(f'if exist "{MOUNT}" echo oui')[1] == "oui\n"
    for line in (f'type "{MOUNT}\\A b\\f.txt"', f'dir /b "{MOUNT}"', f'echo x> "{MOUNT}\\neuf.txt"', f'cd /d "{MOUNT}"',
                 f'copy C:\\copie\\f.txt "{MOUNT}\\"', f'mkdir "{MOUNT}\\C"'):  # fmt: skip
        code, out, error = session.run(line)
        assert (code, "introuvable" in out + error) == (1, True), line
    assert session.get("Win32_Directory", Name=MOUNT)["Name"] == MOUNT.lower()
    drive = next(row for row in rows(session, "Win32_DiskDrive") if row["Index"] == "1")
    assert (drive["Partitions"], drive["Size"]) == ("0", "80000000000")
    assert not [row for row in rows(session, "Win32_Volume") if row["Label"] == "replicat"]
    assert diskpart(disklab, session, "srv", "select disk 1\nonline disk")[0] == 4
    # When it works again somebody must bring it online; then all is as it was.
    disklab.fault("srv", "clear")
    assert not real.exists()
    assert diskpart(disklab, session, "srv", "select disk 1\nonline disk")[0] == 0
    assert session.run(f'type "{MOUNT}\\A b\\f.txt"')[1] == "un\n"
    assert "SERVICE LOCAL" in session.run(f'icacls "{MOUNT}\\A b\\f.txt"')[1]
    # The seed's way, then a mount somewhere else.
    assert diskpart(disklab, session, "srv", "select disk 1\noffline disk")[0] == 0
    assert not real.exists()
    assert diskpart(disklab, session, "srv", "select disk 1\nonline disk\nonline disk noerr\nonline disk")[0] == 4
    assert session.run(f'mountvol "{MOUNT}" /D')[0] == 0
    assert session.run(f'dir /b "{MOUNT}"')[0] == 1
    session.run("mkdir C:\\ailleurs")
    assert session.run(f"mountvol C:\\ailleurs {volume['DeviceID']}")[0] == 0
    assert "SERVICE LOCAL" in session.run('icacls "C:\\ailleurs\\a b\\f.txt"')[1]
    assert session.run("rd C:\\ailleurs")[0] == 0
    assert session.run("if exist C:\\ailleurs echo oui")[1] == ""
    assert session.run(f'mountvol "{MOUNT}" {volume["DeviceID"]}')[0] == 0
    assert session.run(f'type "{MOUNT}\\A b\\f.txt"')[1] == "un\n"
    assert session.run(f'mountvol "C:\\copie" {volume["DeviceID"]}')[0] in (1, 255)


def test_data_is_lost_only_by_whoever_formats(disklab, on):
    session = on("srv")
    script = "select disk 2\ncreate partition primary"
    assert diskpart(disklab, session, "srv", script)[0] == 4
    session.run("mkdir C:\\autre")
    assert diskpart(disklab, session, "srv", 'select disk 2\nsel par 1\nassign mount="C:\\autre"')[0] == 0
    assert session.run("dir /b C:\\autre")[1].split("\n")[0] == "Compta 2011"
    assert (
        diskpart(disklab, session, "srv", "select disk 2\nclean\ncreate partition primary\nformat fs=ntfs quick")[0]
        == 0
    )
    assert session.run("dir /b C:\\autre\\*")[0] == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("list disk\nlist volume\nrescan\nexit\nsottise", 0),
        ("select disk 9", 5),
        ("online disk", 5),
        ("sottise", 5),
        ("select disk 1\nformat fs=ntfs", 5),
        ("select disk 1\nassign mount=C:\\Windows\\Temp noerr\nselect disk 7 noerr\nselect volume 0", 0),
        ("select disk 1\ncreate partition primary\ncreate partition primary", 4),
        ("select disk 1\ndetail disk\nlist partition\nattributes disk\nclean\nconvert gpt\nclean\nconvert mbr", 0),
        ("select disk 1\nattributes disk set readonly\nclean", 4),
    ],
)
def test_exit_codes(disklab, on, text, code):
    session = on("english")
    assert diskpart(disklab, session, "english", text)[0] == code
    assert diskpart(disklab, session, "english", "select disk 1\nattributes disk clear readonly\nclean")[0] == 0


def test_command_line(disklab, on):
    session = on("english")
    assert session.run("diskpart /s C:\\Windows\\Temp\\nichts.txt")[0] == 3
    assert session.run("diskpart /x")[0] == 2
    assert session.run("diskpart")[0] == 255
    assert "On computer: ENGLISH" in diskpart(disklab, session, "english", "list disk")[1]
    disklab.file("english", "C:\\Windows\\Temp\\e.txt").write_text("san policy=OnlineAll")
    code, _out, error = session.run("diskpart /s C:\\Windows\\Temp\\e.txt")
    assert (code, error.startswith("LAB:")) == (255, True)
    assert session.run("mountvol C:\\Windows /L")[0] == 1
    assert "*** NO MOUNT POINTS ***" not in session.run("mountvol")[1]


def test_postgresql_on_a_mounted_disk(disklab, on):
    """The all-in-one in a folder of the volume; the disk goes, and comes back with the data."""
    session = on("base")
    session.run(f'mkdir "{MOUNT}"')
    assert diskpart(disklab, session, "base", PREPARE)[0] == 0
    folder = f"{MOUNT}\\OpenERP 6.0"
    assert session.run(f"C:\\Logiciels\\openerp-allinone-setup-6.0.3.exe /S /D={folder}") == (0, "", "")
    assert session.service("PostgreSQL_For_OpenERP")["State"] == "Running"
    data = f"{folder}\\PostgreSQL\\data"
    control = f'"{folder}\\PostgreSQL\\bin\\pg_controldata.exe" "{data}"'
    psql = f'set PGPASSWORD=openpgpwd& "{folder}\\PostgreSQL\\bin\\psql.exe" -U openpg -d postgres -t -c '
    assert session.run(f'{psql}"CREATE TABLE eleve AS SELECT 7 AS numero"')[0] == 0
    disklab.fault("base", "disk_offline", "1")
    session.until("PostgreSQL_For_OpenERP", "Stopped")
    assert session.service("PostgreSQL_For_OpenERP")["ExitCode"] == "1067"
    assert session.service("openerp-server-6.0")["State"] == "Running"
    assert session.run(control)[0] != 0
    assert session.invoke("Win32_Service", "StartService", {}, Name="PostgreSQL_For_OpenERP")["ReturnValue"] == "9"
    events = session.run("wevtutil qe Application /q:*[System[Provider[@Name='PostgreSQL']]] /f:xml")[1]
    assert "PANIC" in events
    disklab.fault("base", "clear")
    assert diskpart(disklab, session, "base", "select disk 1\nonline disk")[0] == 0
    assert "en production" in session.run(control)[1]
    assert session.run("net start PostgreSQL_For_OpenERP")[0] == 0
    assert session.run(f'{psql}"SELECT numero FROM eleve"')[1].strip() == "7"


@pytest.mark.parametrize(
    ("disks", "words"),
    [
        ([{"number": 0}], "0 is the system's"),
        ([{"number": 1}, {"number": 1}], "number of its own"),
        ([{"number": 1, "state": "dehors"}], "choose offline or online"),
        ([{"number": 1, "size": 5}], "number of bytes"),
        ([{"number": 1, "model": "x"}], "knows data, number"),
    ],
)
def test_plan_refuses(disks, words):
    with pytest.raises(LabError, match=words):
        windows_plan("srv", {"lab_disks_physical": disks}, "127.77.220.1")
