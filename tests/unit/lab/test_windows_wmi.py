# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WMI over WS-Man: get, enumerate and pull, queries, methods, both shapes of faults."""

from __future__ import annotations

import re

import pytest
from winrm.exceptions import WSManFaultError

URI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
NIL = "@xsi:nil"


def enumerate_all(session, resource, query=None, most=None, mode=None):
    """All elements and the number of messages it took."""
    body = {"w:OptimizeEnumeration": None} if most else {}
    if most:
        body["w:MaxElements"] = str(most)
    if query:
        body["w:Filter"] = {"@Dialect": WQL, "#text": query}
    if mode:
        body["w:EnumerationMode"] = mode
    answer = session.wsman(ENUMERATION + "Enumerate", URI + resource, {"n:Enumerate": body})["n:EnumerateResponse"]
    found, count = _items(answer.get("w:Items")), 1
    context, ended = answer["n:EnumerationContext"], "w:EndOfSequence" in answer
    while not ended:
        pull = {"n:EnumerationContext": context}
        if most:
            pull["n:MaxElements"] = str(most)
        answer = session.wsman(ENUMERATION + "Pull", URI + resource, {"n:Pull": pull})["n:PullResponse"]
        found += _items(answer["n:Items"])
        ended = "n:EndOfSequence" in answer
        count += 1
    return found, count


def _items(items):
    found = []
    for name, value in (items or {}).items():
        if not name.startswith("@"):
            found += [(name, item) for item in (value if isinstance(value, list) else [value])]
    return found


def test_operating_system(remote):
    french = remote().get("Win32_OperatingSystem")
    assert (french["Version"], french["OSLanguage"], french["CodeSet"], french["CSName"]) == (
        "6.0.6002",
        "1036",
        "1252",
        "SRV1",
    )
    assert "OSArchitecture" not in french
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d$", french["LastBootUpTime"]["cim:Datetime"])
    english = remote("srv2").get("Win32_OperatingSystem")
    assert (english["OSLanguage"], english["OSArchitecture"], english["CSDVersion"][NIL]) == ("1033", "64-bit", "true")
    system = remote().get("Win32_ComputerSystem", Name="srv1")
    assert (system["SystemType"], system["PartOfDomain"], system["DomainRole"]) == ("X86-based PC", "false", "2")


def test_unknown_things_have_the_fault_of_the_version(remote):
    with pytest.raises(WSManFaultError) as caught:
        remote().get("Win32_Service", Name="nope")
    assert (caught.value.wsman_fault_code, caught.value.fault_subcode) == (2150858752, None)
    with pytest.raises(WSManFaultError) as caught:
        remote("srv2").get("Win32_Service", Name="nope")
    assert (caught.value.wmierror_code, caught.value.fault_subcode) == (0x80041002, "w:InternalError")
    for class_name, code in (("Win32_Nothing", 0x80041010),):
        with pytest.raises(WSManFaultError) as caught:
            remote("srv2").get(class_name)
        assert caught.value.wmierror_code == code
    with pytest.raises(WSManFaultError) as caught:
        remote().get("Win32_Service", Nom="Spooler")
    assert caught.value.wsman_fault_code == 2150858843


def test_dfs_namespace_only_where_the_host_has_it(remote):
    assert enumerate_all(remote("srv2"), "root/MicrosoftDFS/DfsrReplicatedFolderInfo", most=50) == ([], 1)
    with pytest.raises(WSManFaultError, match="namespace is invalid"):
        enumerate_all(remote(), "root/microsoftdfs/DfsrReplicatedFolderInfo", most=50)


def test_enumerate_and_pull(remote):
    session = remote()
    everything, messages = enumerate_all(session, "root/cimv2/Win32_Service", most=32000)
    assert messages == 1
    some, messages = enumerate_all(session, "root/cimv2/Win32_Service", most=10)
    assert messages == -(-len(everything) // 10)
    assert [row["p:Name"] for _unused, row in some] == [row["p:Name"] for _unused, row in everything]
    one_by_one, messages = enumerate_all(session, "root/cimv2/Win32_Service")
    assert messages == len(everything) + 1
    assert len(one_by_one) == len(everything)


def test_queries(remote):
    session = remote()
    query = "SELECT * FROM Win32_Service WHERE PathName LIKE '%\\\\pg_ctl.exe%' AND NOT State = 'Nothing'"
    rows, _unused = enumerate_all(session, "root/cimv2/*", query, 50)
    assert [(name, row["p:Name"]) for name, row in rows] == [("p:Win32_Service", "PostgreSQL_For_OpenERP")]
    query = "select name, state from Win32_Service where (Name='spooler' or Name = \"winrm\") and Started = TRUE"
    rows, _unused = enumerate_all(session, "root/cimv2/*", query, 50)
    assert {name for name, _unused in rows} == {"w:XmlFragment"}
    assert [row["p:Name"] for _unused, row in rows] == ["Spooler", "WinRM"]
    assert not [
        key for _unused, row in rows for key in row if key.startswith("p:") and key not in ("p:Name", "p:State")
    ]
    for query in ("SELECT * FROM Win32_Service WHERE", "SELECT Nom FROM Win32_Service", "INSERT x"):
        with pytest.raises(WSManFaultError) as caught:
            enumerate_all(session, "root/cimv2/*", query, 5)
        assert caught.value.wsman_fault_code == 2150858809
    with pytest.raises(WSManFaultError, match="LAB: "):
        enumerate_all(session, "root/cimv2/CIM_DataFile", most=5)


def test_objects_with_their_references(remote):
    rows, _unused = enumerate_all(remote(), "root/cimv2/Win32_ComputerSystem", most=5, mode="EnumerateObjectAndEPR")
    item = rows[0][1]
    selectors = item["a:EndpointReference"]["a:ReferenceParameters"]["w:SelectorSet"]["w:Selector"]
    assert {entry["@Name"]: entry["#text"] for entry in selectors}["Name"] == "SRV1"
    assert item["p:Win32_ComputerSystem"]["p:Name"] == "SRV1"
    rows, _unused = enumerate_all(remote(), "root/cimv2/Win32_DependentService", most=100)
    parameters = rows[0][1]["p:Antecedent"]["a:ReferenceParameters"]
    assert parameters["w:ResourceURI"].endswith("Win32_Service")


def test_service_methods_and_their_return_values(remote):
    session = remote()

    def call(method, name="Verrou", **arguments):
        return session.invoke("Win32_Service", method, arguments, Name=name)["ReturnValue"]

    assert call("StartService") == "10"
    assert call("StopService") == "0"
    assert call("StopService") == "5"
    assert session.until("Verrou", "Stopped") in (["Stop Pending", "Stopped"], ["Stopped"])
    assert call("StopService") == "6"
    assert call("ChangeStartMode", StartMode="Disabled") == "0"
    assert call("StartService") == "14"
    assert call("Change", StartMode="Automatic", DisplayName="Autre nom") == "0"
    assert session.service("Verrou")["StartMode"] == "Auto"
    assert call("Change", StartName=".\\nobody", StartPassword="x") == "22"
    assert call("Change", StartName=".\\service2", StartPassword="faux") == "0"
    assert call("StartService") == "15"
    assert call("Change", StartName=".\\service2", StartPassword="Ardoise-2026") == "0"
    assert call("StartService") == "0"
    assert session.until("Verrou", "Running")[-1] == "Running"
    assert session.service("Verrou")["StartName"] == ".\\service2"
    assert call("ChangeStartMode", StartMode="Sometimes") == "21"
    assert call("StopService", "RpcSs") == "3"
    created = {"Name": "Neuf", "DisplayName": "Neuf", "PathName": "C:\\neuf.exe", "StartMode": "Manual"}
    assert session.invoke("Win32_Service", "Create", created)["ReturnValue"] == "0"
    assert session.invoke("Win32_Service", "Create", created)["ReturnValue"] == "23"
    assert call("Delete", "Neuf") == "0"
    with pytest.raises(WSManFaultError, match="no parameter"):
        call("Change", Compte="x")


def test_names_and_sids(remote):
    session = remote()
    for sid, french, english in (
        ("S-1-5-32-544", "Administrateurs", "Administrators"),
        ("S-1-5-18", "Système", "SYSTEM"),
    ):
        assert session.get("Win32_SID", SID=sid)["AccountName"] == french
        assert remote("srv2").get("Win32_SID", SID=sid)["AccountName"] == english
    assert session.get("Win32_SID", SID="S-1-5-21-1-2-3-1005")["AccountName"] is None
    query = "SELECT * FROM Win32_UserAccount WHERE SID LIKE 'S-1-5-21-%-500'"
    rows, _unused = enumerate_all(session, "root/cimv2/*", query, 50)
    assert [row["p:Name"] for _unused, row in rows] == ["Administrateur"]


def test_files_disks_and_shares(remote):
    session = remote()
    session.run(r"echo 12345>C:\Windows\Temp\Taille.txt")
    found = session.get("CIM_DataFile", Name=r"C:\windows\temp\taille.TXT")
    assert (found["FileSize"], found["Name"]) == ("7", r"c:\windows\temp\taille.txt")
    assert session.get("Win32_Directory", Name=r"C:\Windows")["FileSize"][NIL] == "true"
    with pytest.raises(WSManFaultError):
        session.get("CIM_DataFile", Name=r"C:\Windows\absent.txt")
    assert int(session.get("Win32_LogicalDisk", DeviceID="C:")["FreeSpace"]) > 10**9
    created = {"Path": "C:\\Windows\\Temp", "Name": "replicat", "Type": "0"}
    assert session.invoke("Win32_Share", "Create", created)["ReturnValue"] == "0"
    assert session.invoke("Win32_Share", "Create", created)["ReturnValue"] == "22"
    assert session.get("Win32_Share", Name="REPLICAT")["Path"] == "C:\\Windows\\Temp"
    assert session.invoke("Win32_Share", "Delete", {}, Name="replicat")["ReturnValue"] == "0"


def test_processes(remote):
    session = remote()
    created = session.invoke(
        "Win32_Process", "Create", {"CommandLine": "C:\\Windows\\System32\\ping.exe -n 60 localhost"}
    )
    assert created["ReturnValue"] == "0"
    found = session.get("Win32_Process", Handle=created["ProcessId"])
    assert found["Name"] == "ping.exe"
    assert session.run(f"taskkill /f /pid {created['ProcessId']}")[0] == 0
    assert session.invoke("Win32_Process", "Create", {"CommandLine": "nosuch.exe"})["ReturnValue"] == "9"


def test_registry(remote):
    session = remote()
    key = "SYSTEM\\CurrentControlSet\\Services\\Dhcp"

    def ask(method, **arguments):
        return session.invoke("StdRegProv", method, {"hDefKey": "2147483650", **arguments}, "root/default")

    assert ask("GetStringValue", sSubKeyName=key, sValueName="objectname")["sValue"] == "NT AUTHORITY\\LocalService"
    assert ask("GetExpandedStringValue", sSubKeyName=key, sValueName="ImagePath")["sValue"].endswith(
        "NetworkRestricted"
    )
    assert ask("GetDWORDValue", sSubKeyName=key, sValueName="Start")["uValue"] == "2"
    assert ask("GetStringValue", sSubKeyName="SOFTWARE\\nothing", sValueName="x")["ReturnValue"] == "2"
    uninstall = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall"
    assert "OpenERP Server 6.0" in ask("EnumKey", sSubKeyName=uninstall)["sNames"]
    names = ask("EnumValues", sSubKeyName=f"{uninstall}\\OpenERP Server 6.0")
    assert dict(zip(names["sNames"], names["Types"], strict=True))["VersionMinor"] == "4"
