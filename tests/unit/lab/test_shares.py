# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares by WMI: security descriptors inside requests and answers."""

from __future__ import annotations

import pytest

from lab.windows.wmi.shares import binary
from tests.unit.lab.openerp_lab import running

CIMV2 = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
HOSTS = {
    "part": "lab_openerp: false",
    "disque": "lab_openerp: false, lab_disks_physical: [{number: 1, data: true, state: online}]",
}
SYSTEM, EVERYONE = "S-1-5-18", "S-1-1-0"


@pytest.fixture(scope="module")
def sharelab(tmp_path_factory, environment, lab_networks):
    yield from running(tmp_path_factory.mktemp("shares"), environment, lab_networks, HOSTS)


@pytest.fixture
def on(sharelab):
    yield sharelab.session
    sharelab.close()


def descriptor(*grants, typed=True):
    """A Win32_SecurityDescriptor as clients send it: (trustee's properties, mask)."""
    entries = [
        {
            "@xsi:type": "ace:Win32_ACE_Type", "ace:AceFlags": "0", "ace:AccessMask": str(mask), "ace:AceType": "0",
            "ace:Trustee": {"@xsi:type": "trustee:Win32_Trustee_Type", **{f"trustee:{key}": value for key, value in who.items()}},
        }
        for who, mask in grants
    ]  # fmt: skip
    found = {
        "@xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "@xmlns:sd": f"{CIMV2}/Win32_SecurityDescriptor",
        "@xmlns:ace": f"{CIMV2}/Win32_ACE", "@xmlns:trustee": f"{CIMV2}/Win32_Trustee", "sd:DACL": entries,
    }  # fmt: skip
    return {**found, "@xsi:type": "sd:Win32_SecurityDescriptor_Type"} if typed else found


def granted(session, name):
    answer = session.invoke("Win32_LogicalShareSecuritySetting", "GetSecurityDescriptor", {}, Name=name)
    assert answer["Descriptor"]["@xsi:type"] == "p1:Win32_SecurityDescriptor_Type"
    entries = answer["Descriptor"]["p1:DACL"]
    return {
        entry["p2:Trustee"]["p3:SIDString"]: entry["p2:AccessMask"]
        for entry in (entries if isinstance(entries, list) else [entries])
    }


def test_life_of_a_share(sharelab, on):
    session = on("part")
    session.run("mkdir C:\\Donnees")
    access = descriptor(({"SID": [str(part) for part in binary(SYSTEM)]}, 2032127), ({"SIDString": EVERYONE}, 1179817))
    given = {"Path": "C:\\donnees", "Name": "replicat", "Type": "0", "Description": "Données", "Access": access}
    assert session.invoke("Win32_Share", "Create", given)["ReturnValue"] == "0"
    assert session.invoke("Win32_Share", "Create", given)["ReturnValue"] == "22"
    row = session.get("Win32_Share", Name="replicat")
    assert (row["Path"], row["Description"], row["AllowMaximum"]) == ("C:\\Donnees", "Données", "true")
    assert granted(session, "replicat") == {SYSTEM: "2032127", EVERYONE: "1179817"}
    access = descriptor(({"Name": "Administrateurs", "Domain": "BUILTIN"}, 1245631))
    changed = {"MaximumAllowed": "5", "Description": "Autre", "Access": access}
    assert session.invoke("Win32_Share", "SetShareInfo", changed, Name="replicat")["ReturnValue"] == "0"
    assert granted(session, "replicat") == {"S-1-5-32-544": "1245631"}
    assert session.get("Win32_Share", Name="replicat")["MaximumAllowed"] == "5"
    assert session.invoke("Win32_Share", "Delete", {}, Name="replicat")["ReturnValue"] == "0"
    assert session.invoke("Win32_Share", "Create", {**given, "Path": "C:\\rien"})["ReturnValue"] == "24"


def test_by_net_and_without_a_descriptor(sharelab, on):
    session = on("part")
    session.run("mkdir C:\\A")
    assert session.run('net share A=C:\\A "/REMARK:un deux" /GRANT:Système,FULL "/GRANT:Tout le monde,READ"')[0] == 0
    assert granted(session, "A") == {SYSTEM: "2032127", EVERYONE: "1179817"}
    assert session.invoke("Win32_Share", "Create", {"Path": "C:\\A", "Name": "B", "Type": "0"})["ReturnValue"] == "0"
    assert granted(session, "B") == {EVERYONE: "1179817"}


@pytest.mark.parametrize(
    ("access", "what"),
    [
        (descriptor(({"SIDString": "S-1-x"}, 2032127)), "21"),
        (descriptor(({"Name": "Personne"}, 2032127)), "21"),
        (descriptor(({"SIDString": EVERYONE}, 1), typed=True), "LAB:"),
        (descriptor(({"SIDString": EVERYONE}, 2032127), typed=False), "LAB:"),
    ],
)
def test_bad_descriptors(sharelab, on, access, what):
    session = on("part")
    session.run("mkdir C:\\C")
    given = {"Path": "C:\\C", "Name": "C", "Type": "0", "Access": access}
    if what == "LAB:":
        with pytest.raises(Exception, match="LAB:"):
            session.invoke("Win32_Share", "Create", given)
    else:
        assert session.invoke("Win32_Share", "Create", given)["ReturnValue"] == what


def test_folder_on_a_disk_that_goes(sharelab, on):
    session = on("disque")
    session.run("mkdir C:\\m")
    sharelab.file("disque", "C:\\Windows\\Temp\\d.txt").write_text("select disk 1\nselect partition 1\n"
                                                                   "attributes disk clear readonly\nassign mount=C:\\m")  # fmt: skip
    assert session.run("diskpart /s C:\\Windows\\Temp\\d.txt")[0] == 0
    assert session.run("net share compta=C:\\m")[0] == 0
    sharelab.fault("disque", "disk_offline", "1")
    assert session.get("Win32_Share", Name="compta")["Path"] == "C:\\m"
    assert session.invoke("Win32_Share", "Create", {"Path": "C:\\m\\Compta 2011", "Name": "D"})["ReturnValue"] == "24"
