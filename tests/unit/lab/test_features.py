# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and features: ServerManagerCmd up to 2008 R2, dism later, and what WMI says of them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from winrm.exceptions import WinRMError

from tests.unit.lab.openerp_lab import running
from tests.unit.lab.test_disks import rows

HOSTS = {
    "vieux": "lab_openerp: false",
    "attend": "lab_openerp: false, lab_language: en",
    "r2": "lab_openerp: false, lab_windows_version: 6.1.7601",
    "neuf": "lab_openerp: false, lab_language: en, lab_windows_version: 10.0.20348",
}
NAMESPACE = "{http://schemas.microsoft.com/sdm/Windows/ServerManager/Configuration/2007/1}"
REPLICATION = "/featurename:DFSR-Infrastructure-ServerEdition"


@pytest.fixture(scope="module")
def featurelab(tmp_path_factory, environment, lab_networks):
    yield from running(tmp_path_factory.mktemp("features"), environment, lab_networks, HOSTS)


@pytest.fixture
def on(featurelab):
    yield featurelab.session
    featurelab.close()


def numbers(session):
    return {int(row["ID"]) for row in rows(session, "Win32_ServerFeature")}


def test_server_manager(featurelab, on):
    session = on("vieux")
    assert numbers(session) == set()
    code, out, error = session.run("ServerManagerCmd.exe -install FS-DFS-Namespace -resultPath C:\\r.xml")
    assert (code, error, "Réussite" in out) == (0, "", True)
    assert session.run("ServerManagerCmd.exe -install FS-DFS-Replication")[0] == 0
    assert session.run("servermanagercmd -install FS-DFS-Replication")[0] == 1003
    assert numbers(session) == {6, 100, 101, 102}
    root = ET.fromstring(featurelab.file("vieux", "C:\\r.xml").read_bytes())
    assert (root.tag, root.get("Success")) == (f"{NAMESPACE}ServerManagerConfigurationResult", "true")
    assert {child.get("Id") for child in root} == {"File-Services", "FS-DFS", "FS-DFS-Namespace"}
    assert session.run("ServerManagerCmd.exe -query C:\\q.xml")[0] == 0
    found = {
        child.get("Id"): child.get("Installed")
        for child in ET.fromstring(featurelab.file("vieux", "C:\\q.xml").read_bytes())
    }
    assert (found["FS-DFS-Replication"], found["FS-FileServer"]) == ("true", "false")
    for name in ("Dfs", "DFSR"):
        assert session.service(name)["State"] == "Running"


@pytest.mark.parametrize(
    "line", ["-install Rien", "-install FS-DFS FS-FileServer", "-sottise", "-install RSAT-DFS-Mgmt-Con", ""]
)
def test_bad_arguments(featurelab, on, line):
    assert on("attend").run(f"ServerManagerCmd.exe {line}")[0] == 4


def test_restart_needed(featurelab, on):
    session = on("attend")
    featurelab.fault("attend", "feature_needs_reboot")
    assert session.run("ServerManagerCmd.exe -install FS-FileServer")[0] == 3010
    assert numbers(session) == set()
    featurelab.fault("attend", "power_cut_after", "1")
    with pytest.raises(Exception):  # noqa: B017 (whatever a cut line gives)
        session.get("Win32_OperatingSystem")
    featurelab.close()
    session = on("attend")
    assert numbers(session) == {6, 255}


def test_r2_brings_both_services(featurelab, on):
    session = on("r2")
    assert session.run("ServerManagerCmd.exe -install FS-DFS-Namespace")[0] == 0
    assert numbers(session) == {6, 100, 101}
    assert session.service("DFSR")["State"] == "Running"
    assert session.run("ServerManagerCmd.exe -install RSAT-DFS-Mgmt-Con")[0] == 0
    assert session.run(f"dism /online /enable-feature {REPLICATION} /norestart")[0] == 0
    assert session.run(f"dism /online /enable-feature {REPLICATION} /all /norestart")[0] == 87


def test_dism(featurelab, on):
    session = on("neuf")
    assert session.run("ServerManagerCmd.exe -query")[0] == 1
    assert session.run(f"dism /online /enable-feature {REPLICATION} /norestart /quiet")[0] == 50
    code, out, _error = session.run(f"dism /online /enable-feature {REPLICATION} /all /norestart /quiet")
    assert (code, "completed successfully" in out) == (0, True)
    assert numbers(session) == {6, 100, 102}
    states = {row["Name"]: row["InstallState"] for row in rows(session, "Win32_OptionalFeature")}
    assert (states["DFSR-Infrastructure-ServerEdition"], states["DFSN-Server"]) == ("1", "2")
    assert "Enabled" in session.run(f"dism /online /get-featureinfo {REPLICATION}")[1]
    assert session.run("dism /online /get-features")[0] == 0
    assert session.run("dism /online /enable-feature /featurename:Rien /norestart")[0] & 0xFFFFFFFF == 0x800F080C
    assert session.run(f"dism /online /disable-feature {REPLICATION} /norestart")[0] == 3010
    assert session.run("dism /image:C:\\ /get-features")[0] == 255


def test_old_windows_has_no_dism(featurelab, on):
    session = on("vieux")
    assert session.run("dism /online /get-features")[0] == 1
    with pytest.raises(WinRMError):
        rows(session, "Win32_OptionalFeature")
