# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain, namespaces and replication of a lab with real clients: a French and an English domain controller, three members."""

from __future__ import annotations

import os
import time
import xml.etree.ElementTree as ET

import pytest
import requests
from winrm.exceptions import WinRMError, WSManFaultError

from tests.unit.lab.conftest import RunningLab, free_port
from tests.unit.lab.test_windows_wmi import enumerate_all
from tests.unit.lab.winrm_session import Remote

RADMIN, RDIAG, UTIL = (
    "C:\\Windows\\dfsradmin.exe",
    "C:\\Windows\\System32\\dfsrdiag.exe",
    "C:\\Windows\\System32\\dfsutil.exe",
)
NAMESPACE = "root/microsoftdfs"
HOSTS = {
    "srv-dc": "ansible_user: Administrateur, lab_domain_controller: true, lab_dfs: true",
    "srv-a": "ansible_user: Administrateur, lab_disks_physical: [{number: 1}], lab_dfs: true, lab_dfs_delay: 0.005, lab_dfs_scan: 0.1, SHARE",
    "srv-b": "ansible_user: Administrator, lab_language: en, lab_dfs: true, lab_dfs_delay: 0.005, lab_dfs_scan: 0.1, SHARE",
    "dc-en": "ansible_user: Administrator, lab_language: en, lab_windows_version: 10.0.20348, lab_domain: school.example, "
    "lab_domain_controller: true, lab_dfs: true",
    "bare": "ansible_user: Administrateur, lab_domain_controller: true, lab_domain: seul.example",
}  # fmt: skip


class DfsLab(RunningLab):
    """Sessions by host, and what a member says."""

    def on(self, host):
        user = "Administrator" if host in ("srv-b", "dc-en") else "Administrateur"
        return Remote(self.places[host], user)

    def run(self, host, line, code=0):
        session = self.on(host)
        try:
            found, out, error = session.run(line)
        finally:
            session.close()
        assert found == code, (line, found, out, error)
        return out + error

    def rows(self, host, name):
        return [row for _name, row in enumerate_all(self.on(host), f"{NAMESPACE}/{name}", most=50)[0]]

    def states(self):
        return [[row["p:State"] for row in self.rows(host, "DfsrReplicatedFolderInfo")] for host in ("srv-a", "srv-b")]

    def backlog(self, sender, receiver):
        guid = self.rows(receiver, "DfsrReplicatedFolderInfo")[0]["p:ReplicatedFolderGuid"]
        keys = {"namespace": NAMESPACE, "ReplicatedFolderGuid": guid}
        vector = self.on(receiver).invoke("DfsrReplicatedFolderInfo", "GetVersionVector", {}, **keys)
        assert vector["ReturnValue"] == "0"
        given = {"VersionVector": vector["VersionVector"]}
        return self.on(sender).invoke("DfsrReplicatedFolderInfo", "GetOutboundBacklogFileCount", given, **keys)

    def events(self, host):
        text = self.run(host, 'wevtutil qe "DFS Replication"')
        return [int(event.findtext("{*}System/{*}EventID")) for event in ET.fromstring(f"<all>{text}</all>")]

    def group(self, primary="SRV-A", path="C:\\replicat"):
        for words in ("rg new /rgname:G", "rf new /rgname:G /rfname:replicat", "mem new /rgname:G /memname:SRV-A",
                      "mem new /rgname:G /memname:LYCEE\\SRV-B", "conn new /rgname:G /sendmem:SRV-A /recvmem:SRV-B /connenabled:true",
                      "conn new /rgname:G /sendmem:SRV-B /recvmem:SRV-A"):  # fmt: skip
            self.run("srv-dc", f"{RADMIN} {words}")
        for name, place in (("SRV-A", path), ("SRV-B", "C:\\replicat")):
            self.run("srv-dc", f"{RADMIN} membership set /rgname:G /rfname:replicat /memname:{name} /localpath:{place} "
                     f"/membershipenabled:true /isprimary:{str(name == primary).lower()} /force")  # fmt: skip

    def poll(self, *hosts):
        for host in hosts or ("srv-a", "srv-b"):
            self.run(host, f"{RDIAG} pollad")

    def forget(self):
        if "\nG," in self.run("srv-dc", f"{RADMIN} rg list /csv"):
            self.run("srv-dc", f"{RADMIN} rg delete /rgname:G /force")
        self.poll()
        self.run("srv-a", "rd /s /q C:\\replicat")
        self.run("srv-b", "rd /s /q C:\\replicat")
        self.run("srv-a", "md C:\\replicat")
        self.run("srv-b", "md C:\\replicat")


def until(test, what="it"):
    for _attempt in range(400):
        if test():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} never came true")


@pytest.fixture(scope="module")
def dfslab(tmp_path_factory, environment, lab_networks):
    folder = tmp_path_factory.mktemp("dfs")
    network = lab_networks()
    lines = []
    places = {}
    for number, (host, variables) in enumerate(HOSTS.items(), 10):
        places[host] = (f"{network}.{number}", free_port(f"{network}.{number}"))
        share = "lab_shares: [{name: replicat, path: 'C:\\replicat', anonymous: true}]"
        line = variables.replace("SHARE", share)
        lines.append(f"    {host}: {{ansible_host: {places[host][0]}, ansible_port: {places[host][1]}, {line}}}")
    head = ("all:\n  vars: {ansible_connection: winrm, ansible_password: Cahier-2026, lab_domain: lycee.example, lab_service_time: 0.05, "
            "ansible_winrm_scheme: http}\n  hosts:\n")  # fmt: skip
    (folder / "hosts.yml").write_text(head + "\n".join(lines) + "\n")
    running = DfsLab(folder / "hosts.yml", {**environment, "TMPDIR": str(folder)})
    running.places = places
    result = running.command("up", "--owner-pid", str(os.getpid()))
    assert result.returncode == 0, result.stderr
    yield running
    running.command("down")


@pytest.fixture
def lab(dfslab):
    dfslab.forget()
    yield dfslab
    dfslab.fault("all", "clear")
    until(lambda: all(dfslab.on(host).service("DFSR")["State"] == "Running" for host in ("srv-a", "srv-b")))


@pytest.fixture
def pair(lab):
    lab.run("srv-a", "echo un>C:\\replicat\\a.txt")
    lab.group()
    lab.poll()
    until(lambda: lab.states() == [["4"], ["4"]], "state 4")
    return lab


def test_domain(dfslab):
    system = dfslab.on("srv-dc").get("Win32_ComputerSystem", Name="SRV-DC")
    assert (system["Domain"], system["PartOfDomain"], system["DomainRole"]) == ("lycee.example", "true", "5")
    assert dfslab.on("srv-a").get("Win32_ComputerSystem", Name="SRV-A")["DomainRole"] == "3"
    accounts = enumerate_all(dfslab.on("srv-dc"), "root/cimv2/*", "SELECT * FROM Win32_UserAccount", most=50)[0]
    sid = next(row["p:SID"] for _name, row in accounts if row["p:Name"] == "Administrateur").rpartition("-")[0]
    names = {500: "Administrateur", 512: "Admins du domaine", 515: "Ordinateurs du domaine"}
    for rid, name in names.items():
        found = dfslab.on("srv-b").get("Win32_SID", SID=f"{sid}-{rid}")
        assert (found["ReferencedDomainName"], found["AccountName"]) == ("LYCEE", name)
    dfslab.run("srv-b", f"icacls C:\\replicat /grant *{sid}-512:(OI)(CI)F")
    assert "LYCEE\\Admins du domaine:(OI)(CI)(F)" in dfslab.run("srv-b", "icacls C:\\replicat")
    assert dfslab.run("srv-dc", "whoami").strip() == "lycee\\administrateur"
    dfslab.fault("srv-dc", "off")  # nobody knows these names now
    try:
        assert f"{sid}-512:(OI)(CI)(F)" in dfslab.run("srv-b", "icacls C:\\replicat")
    finally:
        dfslab.fault("srv-dc", "clear")


def test_what_is_there_before_the_features(dfslab):
    session = dfslab.on("bare")
    assert session.service("Dfs")["State"] == "Running"
    with pytest.raises(WSManFaultError):
        session.service("DFSR")
    with pytest.raises(WSManFaultError) as caught:
        enumerate_all(session, f"{NAMESPACE}/DfsrReplicatedFolderInfo", most=50)
    assert "8004100e" in str(caught.value)
    for program in (RADMIN, RDIAG, UTIL):
        dfslab.run("bare", program, code=1)
    dfslab.run("bare", 'wevtutil qe "DFS Replication"', code=15007)


def test_dfsradmin(lab):
    lab.group()
    done = "\nLa commande s'est terminée correctement.\n"
    shown = lab.run("srv-dc", f"{RADMIN} membership list /rgname:G /attr:MemName,IsPrimary,LocalPath /csv")
    assert shown == f"MemName,IsPrimary,LocalPath\nSRV-A,Oui,C:\\replicat\nSRV-B,Non,C:\\replicat\n{done}"
    shown = lab.run("srv-dc", f"{RADMIN} conn list /rgname:G")
    assert shown == f"SendMem  RecvMem  ConnEnabled\nSRV-A    SRV-B    Oui\nSRV-B    SRV-A    Oui\n{done}"
    lab.run("srv-dc", f"{RADMIN} conn set /rgname:G /sendmem:SRV-A /recvmem:SRV-B /connenabled:false")
    assert "SRV-A,Non" in lab.run("srv-dc", f"{RADMIN} conn list /rgname:G /attr:sendmem,connenabled /csv")
    lab.run("srv-dc", f'{RADMIN} rf set /rgname:G /rfname:replicat "/rffilefilter:*.tmp, *.old" /rfdirfilter:cache')
    shown = lab.run("srv-dc", f"{RADMIN} rf list /rgname:G /attr:RfFileFilter,RfDirFilter /csv")
    assert '"*.tmp, *.old",cache\n' in shown
    for words in ("rg new /rgname:G", "rg delete /rgname:H", "mem new /rgname:G /memname:NOBODY", "rg list /attr:Nope /csv",
                  "conn new /rgname:G /sendmem:SRV-A /recvmem:SRV-B", "rg new", "rg new /rgname:X /nope:1", "nope list",
                  "membership set /rgname:G /rfname:replicat /memname:SRV-A /localpath:D:\\x", "rg list /domain:other.example",
                  "membership set /rgname:G /rfname:replicat /memname:SRV-A /isprimary:oui"):  # fmt: skip
        assert lab.run("srv-dc", f"{RADMIN} {words}", code=1)
    assert "LAB:" in lab.run(
        "srv-dc", f"{RADMIN} membership set /rgname:G /rfname:replicat /memname:SRV-B /isprimary:true", code=255
    )
    assert "LAB:" in lab.run("srv-dc", f"{RADMIN} rg set schedule full /rgname:G", code=255)
    assert "Accès refusé" in lab.run("srv-a", f"{RADMIN} rg list", code=1)  # AD is a second hop away
    assert "SRV-B    lycee.example" in lab.run("srv-dc", f"{RADMIN} mem list /rgname:G")


def test_dfsradmin_in_english_of_a_later_release(dfslab):
    dfslab.run("dc-en", f"{RADMIN} rg new /rgname:G")
    assert dfslab.run("dc-en", f"{RADMIN} rg list /attr:rgname /csv") == "RgName\nG\n"
    assert dfslab.run("dc-en", f"{RADMIN} rg list") == (
        "RgName  RgDomain\nG       school.example\n\nCommand completed successfully.\n"
    )
    assert dfslab.run("dc-en", f"{RADMIN} rg new /rgname:G", code=1) == "The object G already exists.\n"


def test_initial_replication_and_what_the_members_say(lab):
    lab.run("srv-a", "echo un>C:\\replicat\\a.txt")
    lab.run("srv-b", "echo deux>C:\\replicat\\b.txt")
    lab.run("srv-b", "echo deux>C:\\replicat\\a.txt")
    lab.group()
    assert lab.states() == [[], []]  # nobody has polled
    before = {host: len(lab.events(host)) for host in ("srv-a", "srv-b")}
    lab.poll("srv-b")
    until(lambda: lab.states() == [[], ["2"]], "state 2")  # it waits for the primary
    lab.poll("srv-a")
    until(lambda: lab.states() == [["4"], ["4"]], "state 4")
    assert [code for code in lab.events("srv-a")[before["srv-a"] :] if code > 4000 and code < 5000] == [4112]
    assert [code for code in lab.events("srv-b")[before["srv-b"] :] if code > 4000 and code < 5000] == [4102, 4104]
    assert lab.run("srv-b", "dir /b C:\\replicat") == "a.txt\n"  # DfsrPrivate is hidden
    assert "un" in lab.run("srv-b", "type C:\\replicat\\a.txt")
    assert "a-{" in lab.run("srv-b", "dir /b /a C:\\replicat\\DfsrPrivate\\ConflictAndDeleted")
    assert "b-{" in lab.run("srv-b", "dir /b /a C:\\replicat\\DfsrPrivate\\PreExisting")
    assert "SRV-A,Non" in lab.run(
        "srv-dc", f"{RADMIN} membership list /rgname:G /attr:memname,isprimary /csv"
    )  # cleared in AD
    (config,) = lab.rows("srv-b", "DfsrReplicatedFolderConfig")
    assert (config["p:RootPath"], config["p:Enabled"], config["p:IsPrimary"], config["p:FileFilter"]) == (
        "C:\\replicat", "true", "false", "~*, *.bak, *.tmp"
    )  # fmt: skip
    (group,) = lab.rows("srv-b", "DfsrReplicationGroupConfig")
    assert group["p:ReplicationGroupName"] == "G"
    (info,) = lab.rows("srv-b", "DfsrReplicatedFolderInfo")
    assert (info["p:MemberName"], info["p:LastErrorCode"]) == ("SRV-B", "0")
    connections = lab.rows("srv-b", "DfsrConnectionConfig")
    assert [(row["p:PartnerName"], row["p:Inbound"], row["p:Enabled"]) for row in connections] == [
        ("SRV-A", "true", "true"), ("SRV-A", "false", "true")
    ]  # fmt: skip
    assert {row["p:State"] for row in lab.rows("srv-b", "DfsrConnectionInfo")} == {"1"}
    assert lab.backlog("srv-a", "srv-b") == {"BacklogFileCount": "0", "IdRecordIndex": "0", "ReturnValue": "0"}


def test_disabled_connections_count_and_stop(pair):
    pair.run("srv-dc", f"{RADMIN} conn set /rgname:G /sendmem:SRV-A /recvmem:SRV-B /connenabled:false")
    pair.run("srv-a", "echo encore>C:\\replicat\\c.txt")
    until(lambda: "c.txt" in pair.run("srv-b", "dir /b C:\\replicat"))  # nobody knows of it yet
    pair.poll("srv-b")
    pair.run("srv-a", "echo plus>C:\\replicat\\d.txt")
    assert pair.backlog("srv-a", "srv-b")["BacklogFileCount"] == "1"
    assert [row["p:Enabled"] for row in pair.rows("srv-b", "DfsrConnectionConfig")] == ["false", "true"]
    pair.run("srv-dc", f"{RADMIN} conn set /rgname:G /sendmem:SRV-A /recvmem:SRV-B /connenabled:true")
    pair.poll()
    until(lambda: pair.backlog("srv-a", "srv-b")["BacklogFileCount"] == "0")
    assert "d.txt" in pair.run("srv-b", "dir /b C:\\replicat")


def test_permissions_and_a_stopped_service(pair):
    pair.run("srv-b", "net stop DFSR")
    assert pair.rows("srv-b", "DfsrReplicatedFolderInfo") == []
    assert pair.rows("srv-b", "DfsrReplicatedFolderConfig")
    pair.run("srv-a", "icacls C:\\replicat\\a.txt /grant *S-1-5-20:F")
    until(lambda: 5002 in pair.events("srv-a"))
    assert "NETWORK SERVICE" not in pair.run("srv-b", "icacls C:\\replicat\\a.txt")
    pair.run("srv-b", "net start DFSR")
    until(lambda: "NETWORK SERVICE:(F)" in pair.run("srv-b", "icacls C:\\replicat\\a.txt"))


def test_a_folder_that_is_gone(pair):
    pair.run("srv-a", "move C:\\replicat C:\\ailleurs")
    until(lambda: pair.states()[0] == ["5"])
    assert pair.rows("srv-a", "DfsrReplicatedFolderInfo")[0]["p:LastErrorCode"] == "3"
    assert 4004 in pair.events("srv-a")
    assert pair.backlog("srv-a", "srv-b")["ReturnValue"] == "3"
    assert "a.txt" in pair.run("srv-b", "dir /b C:\\replicat")
    pair.run("srv-a", "move C:\\ailleurs C:\\replicat")
    until(lambda: pair.states() == [["4"], ["4"]])


def diskpart(lab, *lines):
    """Run a script of diskpart on srv-a."""
    lab.run("srv-a", "del /q C:\\disque.txt 2>nul & " + " & ".join(f"echo {line} >>C:\\disque.txt" for line in lines))
    lab.run("srv-a", "C:\\Windows\\System32\\diskpart.exe /s C:\\disque.txt")


def test_a_disk_that_goes_offline(lab):
    lab.run("srv-a", "md C:\\volume")
    diskpart(lab, "select disk 1", "online disk noerr", "attributes disk clear readonly noerr", "create partition primary",
             "format fs=ntfs quick", "assign mount=C:\\volume")  # fmt: skip
    lab.run("srv-a", "md C:\\volume\\replicat")
    lab.run("srv-a", "echo un>C:\\volume\\replicat\\a.txt")
    lab.group(path="C:\\volume\\replicat")
    lab.poll()
    until(lambda: lab.states() == [["4"], ["4"]])
    assert "a.txt" in lab.run("srv-b", "dir /b C:\\replicat")
    lab.fault("srv-a", "disk_offline", "1")
    until(lambda: lab.states() == [["5"], ["4"]])
    lab.run("srv-b", "echo deux>C:\\replicat\\b.txt")
    lab.fault("srv-a", "clear")
    assert lab.states()[0] == ["5"]
    diskpart(lab, "select disk 1", "online disk")
    until(lambda: lab.states() == [["4"], ["4"]])
    until(lambda: lab.backlog("srv-b", "srv-a")["BacklogFileCount"] == "0")
    assert lab.run("srv-a", "dir /b C:\\volume\\replicat") == "a.txt\nb.txt\n"
    assert lab.run("srv-b", "dir /b C:\\replicat") == "a.txt\nb.txt\n"


def test_power_loss_and_a_new_group(pair):
    session = pair.on("srv-a")
    pair.fault("srv-a", "power_cut_after", "1")
    with pytest.raises((WinRMError, OSError, requests.exceptions.RequestException)):
        session.run("echo lost")
    pair.run("srv-b", "echo seul>C:\\replicat\\b.txt")
    pair.fault("srv-a", "clear")
    until(lambda: "b.txt" in pair.run("srv-a", "dir /b C:\\replicat"))
    assert {2212, 2214} <= set(pair.events("srv-a"))
    pair.run("srv-dc", f"{RADMIN} rg delete /rgname:G")
    pair.poll()
    assert pair.states() == [[], []]
    assert pair.events("srv-b")[-1] == 4008
    pair.run("srv-b", "echo perdu>C:\\replicat\\a.txt")
    pair.group("SRV-B")
    pair.poll()
    until(lambda: pair.states() == [["4"], ["4"]])
    assert "perdu" in pair.run("srv-a", "type C:\\replicat\\a.txt")


def test_faults(lab):
    lab.fault("srv-b", "dfsr_hang")
    lab.fault("srv-b", "dfsr_missing", "secret.txt")
    lab.run("srv-a", "echo 1>C:\\replicat\\secret.txt")
    lab.run("srv-a", "echo 1>C:\\replicat\\autre.txt")
    lab.group()
    lab.poll()
    until(lambda: lab.states() == [["4"], ["2"]])
    assert lab.backlog("srv-a", "srv-b")["BacklogFileCount"] != "0"
    lab.run("srv-b", "net stop DFSR")
    lab.run("srv-b", "net start DFSR")
    until(lambda: lab.states() == [["4"], ["4"]])
    assert lab.backlog("srv-a", "srv-b")["BacklogFileCount"] == "0"
    assert lab.run("srv-b", "dir /b C:\\replicat") == "autre.txt\n"


def test_dfsrdiag(pair):
    assert "0x80070005" in pair.run("srv-dc", f"{RDIAG} pollad /mem:SRV-A", code=1)
    assert "0x80070005" in pair.run(
        "srv-a", f"{RDIAG} backlog /rgname:G /rfname:replicat /smem:SRV-A /rmem:SRV-B", code=1
    )
    assert "Operation Succeeded" in pair.run("srv-b", f"{RDIAG} pollad")
    assert "LAB:" in pair.run("srv-b", f"{RDIAG} syncnow", code=255)
    assert "[ERROR]" in pair.run("srv-b", f"{RDIAG} replicationstate", code=87)
    assert "[ERREUR]" in pair.run("srv-a", f"{RDIAG} pollad /nope:1", code=87)
    pair.fault("srv-dc", "off")
    pair.poll("srv-a")
    assert pair.events("srv-a")[-1] == 1202
    assert pair.states()[0] == ["4"]


def test_namespace(lab):
    lab.run("srv-a", "echo un>C:\\replicat\\qui.txt")
    lab.run("srv-b", "echo deux>C:\\replicat\\qui.txt")
    assert "67" in lab.run("srv-dc", f"{UTIL} root adddom \\\\SRV-DC\\Donnees", code=67)  # the share comes first
    lab.run("srv-dc", "md C:\\DFSRoots\\Donnees")
    lab.run("srv-dc", "net share Donnees=C:\\DFSRoots\\Donnees")
    lab.run("srv-dc", f'{UTIL} root adddom \\\\SRV-DC\\Donnees v2 "Les données"')
    lab.run("srv-dc", f"{UTIL} root adddom \\\\SRV-DC\\Donnees", code=80)
    data = "\\\\lycee.example\\Donnees\\Data"
    lab.run("srv-dc", f"{UTIL} link {data}", code=1168)
    lab.run("srv-dc", f"{UTIL} link add {data} \\\\SRV-A\\replicat")
    lab.run("srv-dc", f"{UTIL} target add {data} \\\\SRV-B\\replicat")
    lab.run("srv-dc", f"{UTIL} target add {data} \\\\SRV-B\\replicat", code=80)
    lab.run("srv-dc", f"{UTIL} target add {data} \\\\SRV-C\\replicat", code=53)
    lab.run("srv-dc", f"{UTIL} root export \\\\lycee.example\\Donnees C:\\x.xml")
    real = lab.folder() / "windows" / "srv-dc" / "C" / "x.xml"
    root = ET.fromstring(real.read_bytes())
    assert (root.get("Name"), root.get("Comment")) == ("\\\\LYCEE\\Donnees", "Les données")
    assert [(item.get("Server"), item.get("Folder"), item.get("State")) for item in root.iterfind("Link/Target")] == [
        ("SRV-A", "replicat", "2"), ("SRV-B", "replicat", "2")
    ]  # fmt: skip
    assert "un" in lab.run("srv-b", f"type {data}\\qui.txt")
    assert lab.run("srv-b", f"dir /b {data}") == "qui.txt\n"
    lab.run("srv-dc", f"{UTIL} property state offline {data} \\\\SRV-A\\replicat")
    assert 'Cible="\\\\SRV-A\\replicat" État="HORS CONNEXION"' in lab.run("srv-dc", f"{UTIL} link {data}")
    assert "deux" in lab.run("srv-b", f"type {data}\\qui.txt")
    lab.fault("srv-b", "off")
    lab.run("srv-a", f"type {data}\\qui.txt", code=1)
    lab.fault("srv-b", "clear")
    lab.run("srv-a", f"{UTIL} root \\\\lycee.example\\Donnees", code=5)
    lab.run("srv-dc", f"{UTIL} nonsense", code=1)
    lab.run("srv-dc", f"{UTIL} link remove {data}")
    lab.run("srv-dc", f"{UTIL} root remove \\\\lycee.example\\Donnees")
    lab.run("dc-en", "md C:\\DFSRoots\\Data")
    lab.run("dc-en", "net share Data=C:\\DFSRoots\\Data")
    assert "Done processing this command." in lab.run("dc-en", f"{UTIL} root addstd \\\\DC-EN\\Data")
    assert 'Root Name="\\\\DC-EN\\Data"' in lab.run("dc-en", f"{UTIL} root \\\\DC-EN\\Data")
    assert "System error 1168 has occurred.\nElement not found." in lab.run(
        "dc-en", f"{UTIL} root \\\\DC-EN\\Nope", code=1168
    )


def test_health(pair):
    pair.fault("srv-b", "off")
    pair.run("srv-dc", f"{RADMIN} health new /rgname:G /refmemname:LYCEE\\SRV-A /reportname:C:\\rapport.html")
    report = ET.fromstring((pair.folder() / "windows" / "srv-dc" / "C" / "rapport.xml").read_bytes())
    assert {item.get("name"): item.get("error") for item in report.iterfind("server")} == {
        "SRV-A": "5",
        "SRV-B": "1722",
    }
    assert "Rapport" in pair.run("srv-dc", "type C:\\rapport.html")
