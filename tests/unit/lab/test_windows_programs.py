# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cmd.exe and the programs: what they do, in both languages, and the three kinds of refusal."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def srv1(remote):
    """A session with the French server."""
    return remote("srv1")


@pytest.fixture
def srv2(remote):
    """A session with the English one."""
    return remote("srv2")


def state(winlab, host="srv1"):
    return json.loads(winlab.command("state", host).stdout)


def test_cmd(srv1):
    assert srv1.run("echo a&& echo b|| echo c")[1] == "a\nb\n"
    assert srv1.run("nosuch || echo secours %errorlevel%")[1] == "secours 0\n"
    assert srv1.run("nosuch 2>nul & call echo rc=%^errorlevel%")[1] == "rc=9009\n"
    assert srv1.run("echo un^&deux> C:\\Windows\\Temp\\a.txt && type c:\\windows\\temp\\A.TXT")[1] == "un&deux \n"
    assert srv1.run("type C:\\Windows\\Temp\\absent.txt")[::2] == (1, "Le fichier spécifié est introuvable.\n")
    assert srv1.run("echo b>>C:\\Windows\\Temp\\a.txt & findstr /n b < C:\\Windows\\Temp\\a.txt")[1] == "2:b \n"
    assert srv1.run("echo x | findstr ^^ | more")[1] == "x \n"
    assert srv1.run("if exist C:\\Windows\\Temp\\a.txt echo oui")[1] == "oui\n"
    assert srv1.run("if not exist C:\\nope\\ (echo oui)")[0] == 255
    assert srv1.run('set A="b c"& call echo %^A%')[1] == '"b c"\n'
    assert srv1.run('cmd /c "echo "a b"& exit 3"')[:2] == (3, '"a b"\n')
    assert srv1.run("hostname 1>&2") == (0, "", "SRV1\n")


def test_files(srv1):
    root = "C:\\Windows\\Temp\\t"
    assert srv1.run(f"mkdir {root}\\a\\b & mkdir {root}")[0] == 1
    assert srv1.run(f"echo 1>{root}\\Un.txt & copy /y {root}\\un.txt {root}\\a")[0] == 0
    assert srv1.run(f"move /y {root}\\UN.TXT {root}\\deux.txt & dir /b /s {root}")[1].split("\n")[1:] == [
        f"{root}\\a",
        f"{root}\\deux.txt",
        f"{root}\\a\\b",
        f"{root}\\a\\Un.txt",
        "",
    ]
    assert srv1.run(f"rmdir {root}")[2] == "Le répertoire n'est pas vide.\n"
    assert srv1.run(f"del /q {root}\\deux.txt & rmdir /s /q {root} & if not exist {root} echo parti")[1] == "parti\n"
    assert srv1.run("dir /b D:\\")[2] == "Le chemin d'accès spécifié est introuvable.\n"


def test_full_disk(srv1, winlab):
    winlab.fault("srv1", "disk_full")
    assert srv1.run("echo x>C:\\Windows\\Temp\\plein.txt")[::2] == (1, "Espace insuffisant sur le disque.\n")
    assert srv1.get("Win32_LogicalDisk", DeviceID="C:")["FreeSpace"] == "0"
    assert "0" in srv1.run("fsutil volume diskfree c:")[1]


def test_sc(srv1, srv2):
    code, text, _unused = srv1.run("sc stop Dessus")
    assert (code, "3  STOP_PENDING" in text) == (0, True)
    assert srv1.until("Dessus", "Stopped")[-1] == "Stopped"
    assert "2  START_PENDING" in srv1.run("sc start Dessus")[1]
    assert srv1.until("Dessus", "Running")[-1] == "Running"
    assert srv1.run("sc stop Dessus")[0] == 0
    assert srv1.run("sc stop Dessus")[0] in (1061, 1062)
    assert srv1.run("sc qc Spooler")[1].startswith("[SC] QueryServiceConfig réussite(s)\n\nSERVICE_NAME: Spooler")
    assert srv2.run("sc qc Spooler")[1].startswith("[SC] QueryServiceConfig SUCCESS\n")
    assert srv1.run("sc config Dessus obj= LocalSystem start= demand") == (
        0,
        "[SC] ChangeServiceConfig réussite(s)\n",
        "",
    )
    assert srv1.service("Dessus")["StartMode"] == "Manual"
    assert srv1.run("sc config Dessus obj=LocalSystem")[0] == 1639
    assert srv1.run("sc config Dessus obj= .\\nobody")[0] == 1057
    assert srv1.run("sc failure Dessus reset= 86400 actions= restart/60000/run/1000")[0] == 0
    binary = srv1.run("reg query HKLM\\SYSTEM\\CurrentControlSet\\Services\\Dessus /v FailureActions")[1].split()
    assert binary[-2:] == ["REG_BINARY", "80510100000000000000000002000000140000000100000060EA000003000000E8030000"]
    assert "REDEMARRER -- Délai = 60000" in srv1.run("sc qfailure Dessus")[1]
    assert srv1.run('sc create Neuf binPath= "C:\\Program Files\\n.exe -x" start= auto')[0] == 0
    assert srv1.service("Neuf")["PathName"] == "C:\\Program Files\\n.exe -x"
    assert srv1.run("sc delete Neuf & sc query Neuf")[0] == 1060
    assert "[SC] EnumQueryServicesStatus:OpenService FAILED 1060" in srv2.run("sc query nope")[1]
    assert srv1.run("sc query state= all")[1].count("SERVICE_NAME") > 25


def test_hanging_stop_ends_with_its_fault(srv1, winlab):
    winlab.fault("srv1", "hang_stop", "Spooler")
    assert srv1.run("sc stop spooler")[0] == 0
    assert srv1.run("sc stop spooler")[0] == 1061
    assert srv1.service("Spooler")["State"] == "Stop Pending"
    winlab.fault("srv1", "clear")
    assert srv1.until("Spooler", "Stopped")[-1] == "Stopped"
    assert srv1.run("net start spooler") == (
        0,
        "Le service Spouleur d'impression démarre.\nLe service Spouleur d'impression a démarré.\n\n",
        "",
    )


def test_net(srv1, srv2, winlab):
    srv1.run("net start Dessus")
    assert srv1.run("net stop Appui")[0] == 255  # Windows asks here
    assert srv1.run("net stop Appui /y")[0] == 0
    assert srv1.run("net start Dessus")[0] == 0
    assert srv1.service("Appui")["State"] == "Running"
    assert srv1.run("net start Dessus")[0] == 2
    assert srv2.run("net start nope")[::2] == (
        2,
        "The service name is invalid.\n\nMore help is available by typing NET HELPMSG 2185.\n\n",
    )
    assert srv1.run('net share depot="C:\\Program Files" /GRANT:Administrateurs,FULL')[0] == 0
    assert state(winlab)["shares"]["depot"]["grants"] == [["S-1-5-32-544", "FULL"]]
    assert srv1.run("net share x=C:\\Windows /GRANT:Administrators,FULL")[0] == 2  # not a name on a French host
    assert srv1.run("net share x=C:\\Windows /GRANT:*S-1-5-32-544,FULL")[0] == 2
    assert srv1.run("net share depot /delete /y")[0] == 0
    assert srv1.run("net user tmp Secret-1 /add & net user tmp /delete")[0] == 0


def test_icacls(srv1, srv2, winlab):
    folder = "C:\\Windows\\Temp\\acl"
    srv1.run(f"mkdir {folder}\\sous & echo x>{folder}\\f.txt")
    before = state(winlab)
    code, text, _unused = srv1.run(f'icacls "{folder}" /grant *S-1-5-18:(OI)(CI)F /T /C /Q')
    assert (code, text) == (0, "3 fichiers correctement traités ; échec du traitement de 0 fichiers\n")
    after = state(winlab)
    changed = {path for path in after["acls"] if before["acls"].get(path) != after["acls"][path]}
    assert changed == {folder.lower(), f"{folder.lower()}\\sous", f"{folder.lower()}\\f.txt"}
    assert "(A;OICI;FA;;;SY)" in after["acls"][folder.lower()]["aces"]
    assert "(A;;FA;;;SY)" in after["acls"][f"{folder.lower()}\\f.txt"]["aces"]
    assert srv1.run(f"icacls {folder} /save C:\\Windows\\Temp\\acl.sav /T")[0] == 0
    saved = srv1.raw("more < C:\\Windows\\Temp\\acl.sav")[1].decode("utf-16-le").split("\r\n")
    assert saved[0::2] == ["acl", "acl\\f.txt", "acl\\sous", ""]
    assert saved[1].startswith("D:AI(A;OICI;FA;;;SY)")
    assert "AUTORITE NT\\Système:(OI)(CI)(F)" in srv1.run(f"icacls {folder}")[1]
    orphan = "S-1-5-21-111-222-333-1001"
    assert srv1.run(f"icacls {folder} /grant:r *{orphan}:(M) /deny *S-1-1-0:W")[0] == 0
    assert f"{orphan}:(M)" in srv1.run(f"icacls {folder}")[1]
    assert srv1.run(f"icacls {folder} /findsid *{orphan} /T")[1].count("SID trouvé") == 1
    assert srv1.run(f"icacls {folder} /remove:g *{orphan} /setowner x")[0] == 87
    assert srv1.run(f"icacls {folder} /remove *{orphan}")[0] == 0
    assert srv1.run(f"icacls {folder} /setowner *S-1-5-20")[0] == 0
    assert state(winlab)["acls"][folder.lower()]["owner"] == "S-1-5-20"
    assert srv1.run("icacls C:\\Windows\\Temp /restore C:\\Windows\\Temp\\acl.sav")[0] == 0
    assert state(winlab)["acls"][folder.lower()]["aces"] == after["acls"][folder.lower()]["aces"]
    assert srv1.run(f"icacls {folder} /grant Administrators:F")[0] == 1332
    assert srv1.run(f"icacls {folder} /inheritance:r")[0] == 87
    assert srv2.run("icacls C:\\Windows\\Temp /inheritance:d")[0] == 0
    assert srv1.run(f"takeown /f {folder} /a")[0] == 0
    assert srv1.run("icacls C:\\absent")[::2] == (2, "C:\\absent: Le fichier spécifié est introuvable.\n")


def test_certutil(srv1, srv2):
    srv1.run("echo bonjour>C:\\Windows\\Temp\\h.txt")
    code, text, _unused = srv1.run("certutil -hashfile C:\\Windows\\Temp\\h.txt")
    assert code == 0
    assert "CertUtil: -hashfile La commande s'est terminée correctement.\n" in text
    assert len(text.split("\n")[1].replace(" ", "")) == 40
    assert srv1.run("certutil -hashfile C:\\Windows\\Temp\\h.txt SHA256")[0] == -2146893816
    srv2.run("echo hello>C:\\Windows\\Temp\\h.txt")
    assert len(srv2.run("certutil -hashfile C:\\Windows\\Temp\\h.txt SHA256")[1].split("\n")[1]) == 64
    data = bytes(range(256)) * 20
    import base64

    srv1.raw("findstr ^^>C:\\Windows\\Temp\\b64", stdin=base64.encodebytes(data).replace(b"\n", b"\r\n"))
    assert srv1.run("certutil -f -decode C:\\Windows\\Temp\\b64 C:\\Windows\\Temp\\bin")[0] == 0
    assert srv1.raw("type C:\\Windows\\Temp\\bin")[1] == data
    assert srv1.run("certutil -decode C:\\Windows\\Temp\\b64 C:\\Windows\\Temp\\bin")[0] == -2147024816
    assert srv1.run("certutil -f -encode C:\\Windows\\Temp\\bin C:\\Windows\\Temp\\b2")[0] == 0
    assert srv1.raw("type C:\\Windows\\Temp\\b2")[1].startswith(b"-----BEGIN CERTIFICATE-----\r\n")


def test_reg_whoami_and_tasks(srv1, srv2):
    key = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Spooler"
    assert "    ObjectName    REG_SZ    LocalSystem\n" in srv1.run(f"reg query {key} /v ObjectName")[1]
    assert srv1.run("reg query HKLM\\SOFTWARE\\Rien")[0] == 1
    assert srv1.run("reg add HKLM\\SOFTWARE\\Essai /v n /t REG_DWORD /d 5 /f & reg query HKLM\\SOFTWARE\\Essai")[
        1
    ].count("0x5")
    assert srv1.run("reg delete HKLM\\SOFTWARE\\Essai /f & reg query HKLM\\SOFTWARE\\Essai")[0] == 1
    assert srv1.run("whoami /user /fo csv /nh")[1].startswith('"srv1\\administrateur","S-1-5-21-')
    assert "S-1-5-32-544" in srv2.run("whoami /groups /fo csv /nh")[1]
    assert srv1.run('tasklist /fi "IMAGENAME eq postgres.exe" /fo csv /nh')[1].startswith('"postgres.exe","')
    assert srv1.run('tasklist /fi "PID eq 99999" /fo csv /nh')[0] == 0
    assert srv1.run("taskkill /pid 99999")[0] == 128
    assert srv1.run("where sc.exe")[1] == "C:\\Windows\\System32\\sc.exe\n"
    assert srv1.run("where /q nosuch")[0] == 1


def test_wevtutil(srv1, srv2):
    srv1.run("net stop Verrou & net start Verrou")
    query = "*[System[Provider[@Name='Service Control Manager'] and (EventID=7036 or EventID=7034) and TimeCreated[timediff(@SystemTime) <= 600000]]]"
    code, text, _unused = srv1.run(f'wevtutil qe System /q:"{query}" /c:1 /rd:true /f:xml')
    assert code == 0
    assert text.count("<Event ") == 1
    assert "<EventID Qualifiers='16384'>7036</EventID>" in text
    assert "Le service" in srv1.run("wevtutil qe System /c:1 /rd:true /f:text")[1]
    assert srv2.run("wevtutil qe Nothing")[0] == 15007
    assert srv2.run('wevtutil qe System /q:"*[Sys"')[0] == 15001
    assert srv2.run('wevtutil qe System /q:"*[System[EventID=1]]"') == (0, "", "")


@pytest.mark.parametrize(
    "line",
    ["xcopy a b", "schtasks /query", "powershell -Command x", "dir C:\\", "for %i in (1) do echo %i", "wmic os get",
     "whoami /all", "certutil -store", "net use", "sc qtriggerinfo Spooler", "(echo a)", "icacls \\\\srv\\x"],
)  # fmt: skip
def test_what_the_lab_has_not(srv1, line):
    code, _unused, error = srv1.run(line)
    assert (code, error.startswith("LAB: ")) == (255, True)


@pytest.mark.parametrize(
    ("line", "code"),
    [("icacls C:\\Windows /frobnicate", 87), ("sc frobnicate", 1639), ("reg frobnicate", 1), ("net frobnicate", 1),
     ("dfsutil", 1), ("wevtutil frobnicate", 87)],
)  # fmt: skip
def test_what_windows_has_not(srv1, line, code):
    found, out, error = srv1.run(line)
    assert found == code
    assert "LAB:" not in out + error


def test_a_file_that_was_made_again_has_what_it_inherits(remote, winlab):
    session = remote()
    session.run("md C:\\Refait")
    session.run("echo un>C:\\Refait\\a.txt")
    assert session.run("icacls C:\\Refait\\a.txt /grant *S-1-5-32-546:F /Q")[0] == 0
    assert "a.txt." in session.run("icacls C:\\Refait\\a.txt /findsid *S-1-5-32-546")[1]
    real = winlab.folder() / "windows" / "srv1" / "C" / "Refait" / "a.txt"
    other = real.with_name("b.txt")
    other.write_text("deux")
    other.replace(real)
    code, out, _unused = session.run("icacls C:\\Refait\\a.txt /findsid *S-1-5-32-546")
    assert (code, "a.txt." in out) == (0, False)
    session.run("rd /s /q C:\\Refait")
