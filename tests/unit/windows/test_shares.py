# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares by WMI, their permissions by SID, and the words for accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import xmltodict
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows import principals, shares, wsman
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import (
    NotFoundError,
    OptionError,
    StateError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.result import RunResult

DOMAIN, LOCAL = "S-1-5-21-10-20-30", "S-1-5-21-1-2-3"
PATH = "C:\\Program Files\\replicat\\OpenERP 6.0"
FULL = {"sid": None, "account": "domain_administrator", "access": "full"}
READ = {"sid": "S-1-5-11", "account": None, "access": "read"}
WANTED: dict[str, Any] = {
    "name": "replicat", "path": PATH, "description": None, "permissions": [FULL, READ], "users_limit": None, "replace": False,
    "state": "present",
}  # fmt: skip
Row = dict[str, Any]


class Host:
    """Shares that WMI creates, changes and removes; the domain's accounts by whoami, or by WMI."""

    def __init__(self, me: str = f"{DOMAIN}-500", role: int = 3, domain: str = "true") -> None:
        self.name, self.computer_name = "srv", "SRV"
        self.shares: dict[str, Row] = {}
        self.folders = {PATH, "C:\\other"}
        self.me, self.role, self.domain = me, role, domain
        self.accounts = {"LocalAccount = TRUE": [f"{LOCAL}-500"], "LocalAccount = FALSE": [f"{DOMAIN}-500"]}
        self.refuses = 0
        self.deaf = False
        self.done: list[str] = []

    def one_row(self, wql: str) -> Row:
        return {"PartOfDomain": self.domain, "DomainRole": str(self.role)}

    def query(self, wql: str, namespace: str = "") -> list[Row]:
        if "Win32_Account" in wql:
            return [{"SID": f"{DOMAIN}-1105"}] if "Name = 'prof' AND Domain = 'lycee'" in wql else []
        return [{"SID": sid} for condition, sids in self.accounts.items() if condition in wql for sid in sids]

    def run(self, argv: list[str], **rest: Any) -> RunResult:
        assert argv[1:] == ["/user", "/fo", "csv", "/nh"]
        return RunResult(0, f'"lycee\\administrateur","{self.me}"\r\n'.encode("cp850"), b"", 850)

    def get(self, name: str, namespace: str = "", **keys: str) -> Row:
        rows = self.shares if name == "Win32_Share" else {one: {} for one in self.folders}
        found = rows.get(keys["Name"])
        if found is None:
            raise NotFoundError("no")
        return {"x": "", **found}

    def invoke(
        self, name: str, method: str, arguments: Mapping[str, Any] | None = None, namespace: str = "", **keys: str
    ) -> Row:
        if method == "GetSecurityDescriptor":
            return {"ReturnValue": "0", "Descriptor": self.shares[keys["Name"]]["sd"]}
        self.done.append(method)
        if self.refuses or self.deaf:
            return {"ReturnValue": str(self.refuses)}
        if method == "Delete":
            del self.shares[keys["Name"]]
            return {"ReturnValue": "0"}
        assert arguments is not None
        # What is sent is read as the host reads it: through XML.
        body = xmltodict.unparse({"r": {"env:Body": wsman.invoke_body(name, method, arguments)}})
        sent = wsman.parse_instance(body.replace("env:Body", "Body").encode())
        row = self.shares.setdefault(
            keys.get("Name") or str(sent["Name"]), {"Name": sent.get("Name"), "Path": sent.get("Path")}
        )
        limit = sent.get("MaximumAllowed")
        unlimited = limit in (None, "4294967295")
        row.update(
            Description=sent["Description"],
            MaximumAllowed=None if unlimited else limit,
            AllowMaximum=str(unlimited).lower(),
        )
        access = sent["Access"]
        assert isinstance(access, dict)
        for ace in wsman.objects(access, "DACL"):
            ace["Trustee"]["SIDString"] = text_of(bytes(int(one) for one in ace["Trustee"]["SID"]))
        row["sd"] = access
        return {"ReturnValue": "0"}


def text_of(data: bytes) -> str:
    """Read a SID's bytes."""
    parts = [int.from_bytes(data[start : start + 4], "little") for start in range(8, len(data), 4)]
    assert len(parts) == data[1]
    return "-".join(["S", str(data[0]), str(int.from_bytes(data[2:8], "big")), *map(str, parts)])


def manage(host: Host, check: bool = False, **wanted: Any) -> Mapping[str, Any]:
    return shares.manage_share(host, {**WANTED, **wanted}, check=check)  # type: ignore[arg-type]


def test_a_share_with_exactly_these_permissions() -> None:
    host = Host()
    result = manage(host, description="Données")
    assert result["share"] == {
        "name": "replicat", "path": PATH, "description": "Données", "users_limit": None,
        "permissions": [{"sid": "S-1-5-11", "access": "read"}, {"sid": f"{DOMAIN}-500", "access": "full"}],
    }  # fmt: skip
    assert manage(host)["changed"] is False
    assert manage(host, path=PATH.upper() + "\\", permissions=None)["changed"] is False
    assert host.done == ["Create"]
    result = manage(host, permissions=[{"sid": None, "account": "domain_computers", "access": "change"}], users_limit=5)
    assert result["share"]["permissions"] == [{"sid": f"{DOMAIN}-515", "access": "change"}]
    assert result["share"]["users_limit"] == 5
    assert result["share"]["description"] == "Données"
    assert manage(host, users_limit=0, permissions=None)["share"]["users_limit"] is None
    assert host.done == ["Create", "SetShareInfo", "SetShareInfo"]


def test_check_mode_says_and_does_nothing_even_where_the_folder_is_to_come() -> None:
    host = Host()
    result = manage(host, check=True, path="C:\\later")
    assert result["diff"]["after"]["permissions"][1] == {"sid": f"{DOMAIN}-500", "access": "full"}
    assert host.done == []
    with pytest.raises(StateError, match=r"the folder C:.later does not exist"):
        manage(host, path="C:\\later")


def test_another_folder_is_another_share() -> None:
    host = Host()
    manage(host)
    with pytest.raises(OptionError, match="replace: true removes it, which cuts those who use it"):
        manage(host, path="C:\\other")
    assert manage(host, path="C:\\other", replace=True)["share"]["path"] == "C:\\other"
    assert host.done == ["Create", "Delete", "Create"]
    assert manage(host, state="absent")["changed"] is True
    assert manage(host, state="absent")["changed"] is False


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"permissions": None}, "creating it needs permissions"),
        ({"permissions": []}, "nobody could use it"),
        ({"path": None}, "creating it needs path"),
        ({"path": "replicat"}, "no full path"),
        ({"path": "\\\\srv\\x"}, "a folder of the host itself"),
        ({"name": "a/b"}, "no name for a share"),
        ({"name": "100%"}, "no name for a share"),
        ({"users_limit": -1}, "users_limit is -1"),
        ({"permissions": [{**FULL, "sid": "S-1-1-0"}]}, "one of sid and account"),
        ({"permissions": [{**READ, "sid": "everyone"}]}, "'everyone' is no SID"),
        ({"permissions": [{**READ, "sid": "S-1-5-21-99999999999"}]}, "too large"),
        (
            {"permissions": [READ, {"sid": None, "account": "authenticated_users", "access": "full"}]},
            "two kinds of access",
        ),
        ({"permissions": [{"sid": None, "account": "lycee\\nobody", "access": "full"}]}, "is not known on this host"),
    ],
)
def test_wrong_input_is_refused(wanted: dict[str, Any], words: str) -> None:
    host = Host()
    with pytest.raises(OptionError, match=words):
        manage(host, **wanted)
    assert host.done == []


def test_windows_numbers_are_explained_and_claims_are_read_back() -> None:
    host = Host()
    host.refuses = 22
    with pytest.raises(StateError, match="there is a share of this name already"):
        manage(host)
    host.refuses, host.deaf = 0, True
    with pytest.raises(StateError, match=r"is not as wanted: wanted .* found none"):
        manage(host)


def test_other_entries_are_shown_and_replaced_only_when_permissions_are_given() -> None:
    host = Host()
    manage(host)
    host.shares["replicat"]["sd"] = {
        "DACL": [
            {"AccessMask": "2032127", "AceType": "1", "Trustee": {"SIDString": "S-1-5-32-546"}},
            {"AccessMask": "1", "AceType": "0", "Trustee": {"SIDString": "S-1-1-0"}},
        ]
    }
    assert manage(host, permissions=None)["share"]["permissions"] == [
        {"sid": "S-1-1-0", "access": "0x1"}, {"sid": "S-1-5-32-546", "access": "deny full"},
    ]  # fmt: skip
    with pytest.raises(OptionError, match="entries that these words cannot say"):
        manage(host, permissions=None, description="x")
    assert manage(host)["changed"] is True
    host.shares["replicat"]["sd"] = {"DACL": None}
    with pytest.raises(OptionError, match="no list, so everyone may do everything"):
        manage(host, permissions=None, description="x")


def test_one_entry_is_no_list_in_xml() -> None:
    one = {"AccessMask": "1179817", "AceType": "0", "Trustee": {"SIDString": "S-1-1-0"}}
    assert shares.permissions_of({"DACL": one}) == (("S-1-1-0", "read"),)


@pytest.mark.parametrize(
    ("host", "sid"),
    [
        (Host(), DOMAIN),
        (Host(me=f"{LOCAL}-500"), DOMAIN),
        (Host(me=f"{DOMAIN}-500", role=5), DOMAIN),
    ],
)
def test_the_domain_by_the_session_or_by_wmi(host: Host, sid: str) -> None:
    assert principals.domain_sid(host) == sid  # type: ignore[arg-type]


def test_a_domain_that_cannot_be_told_is_asked_for() -> None:
    host = Host(me=f"{LOCAL}-500")
    host.accounts["LocalAccount = FALSE"] = []
    with pytest.raises(OptionError, match=r"does not tell it to this account.*whoami /user"):
        manage(host)
    host.accounts["LocalAccount = FALSE"] = [f"{DOMAIN}-500", "S-1-5-21-7-8-9-500"]
    with pytest.raises(OptionError, match="several answer: S-1-5-21-10-20-30, S-1-5-21-7-8-9"):
        manage(host)
    with pytest.raises(OptionError, match="is in no domain"):
        manage(Host(domain="false"))


def test_words_and_names_of_accounts() -> None:
    known = principals.Principals(Host())  # type: ignore[arg-type]
    assert known.sid("S-1-5-9") == "S-1-5-9"
    assert known.sid("everyone") == "S-1-1-0"
    assert known.sid("LocalSystem") == "S-1-5-18"
    assert known.sid("LYCEE\\prof") == f"{DOMAIN}-1105"
