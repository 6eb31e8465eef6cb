# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces: exports in their forms, and the way from what is found to what is wanted."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs import namespace
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.errors import (
    NamespaceError,
    NotInstalledError,
    OptionError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.manage_namespace import manage_folder, manage_namespace
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import NotFoundError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.result import RunResult

NS, DATA = "\\\\lycee.example\\Donnees", "\\\\lycee.example\\Donnees\\Data"
ONE, TWO = "\\\\SRV-OPENERP1\\replicat", "\\\\SRV-OPENERP2\\replicat"
ROOT = {"path": NS, "type": None, "mode": "v2", "targets": None, "description": "", "state": "present", "force": False}
FOLDER = {"path": DATA, "targets": [], "description": "", "state": "present"}


class Host:
    """A domain controller with dfsutil: roots are kept in a dictionary, and exported."""

    def __init__(self) -> None:
        self.name = "srv-domaine"
        self.roots: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.done: list[str] = []
        self.made: list[str] = []
        self.gone: list[str] = []
        self.state = "Running"
        self.share_names = {"Donnees"}
        self.lies = False
        self.number: Callable[[str], str] = lambda state: {"online": "2", "offline": "1"}[state]

    def one_row(self, wql: str) -> dict[str, str]:
        return {"Name": "SRV-DOMAINE", "Domain": "lycee.example", "PartOfDomain": "True"}

    def query(self, wql: str, namespace: str = "") -> list[dict[str, str]]:
        if "Win32_Service" in wql:
            return [{"Name": "DFS", "State": self.state}] if self.state else []
        return [{"Name": name, "Type": "0"} for name in self.share_names if f"'{name}'" in wql]

    def get(self, name: str, namespace: str = "", **keys: str) -> dict[str, str]:
        data = b"MZ" if keys["Name"].endswith("dfsutil.exe") else self.files.get(keys["Name"])
        if name != "Win32_Share" and data is not None:
            return {"FileSize": str(len(data))}
        if name == "Win32_Share" and keys["Name"] in self.share_names:
            return {"Name": keys["Name"], "Path": "C:\\DFSRoots\\Donnees"}
        if name == "Win32_Directory" and keys["Name"] in self.made:
            return {"Name": keys["Name"]}
        raise NotFoundError("no such thing")

    def invoke(self, *words: Any, **keys: str) -> dict[str, Any]:
        return {"ReturnValue": "0", "Descriptor": {"DACL": None}}

    def run_line(self, line: str, **options: Any) -> RunResult:
        program, _blank, path = line.partition(" ")
        if program == "md":
            self.made.append(path.strip('"'))
        elif program == "rd":
            self.gone.append(path.removeprefix("/s /q ").strip('"'))
        out = base64.b64encode(self.files[path[:-4]]) if program == "type" else b""
        return RunResult(0, out, b"", 850)

    def run(self, argv: Sequence[str], **options: Any) -> RunResult:
        if argv[0].endswith("certutil.exe"):
            self.files[argv[-1][:-4]] = self.files[argv[-2]]
            return RunResult(0, b"", b"", 850)
        words = list(argv[1:])
        if words[:2] == ["root", "export"]:
            if words[2].casefold() not in self.roots:
                return RunResult(1168, "Élément introuvable.".encode("cp850"), b"", 850)
            self.files[words[3]] = self._export(words[2].casefold())
            return RunResult(0, b"", b"", 850)
        self.done.append(" ".join(words))
        if not self.lies:
            self._change(words)
        return RunResult(0, b"", b"", 850)

    def _export(self, root: str) -> bytes:
        one = self.roots[root]
        targets = self._targets(one["targets"])
        links = "".join(
            f"<Link Name={quoteattr(name)} State='1' Comment={quoteattr(link['comment'])}>{self._targets(link['targets'])}</Link>"
            for name, link in one["links"].items()
        )
        return f"<?xml version='1.0'?><Root Name={quoteattr(root)} Comment={quoteattr(one['comment'])}>{targets}{links}</Root>".encode()

    def _targets(self, targets: dict[str, str]) -> str:
        parts = [(*path.strip("\\").split("\\", 1), state) for path, state in targets.items()]
        return "".join(
            f"<Target Server={quoteattr(server)} Folder={quoteattr(folder)} State='{self.number(state)}'/>"
            for server, folder, state in parts
        )

    def _change(self, words: list[str]) -> None:
        what, verb, *rest = words
        if what == "root" and verb.startswith("add"):
            comment = rest[2] if len(rest) > 2 else ""
            share = rest[0].rpartition("\\")[2]
            name = f"\\\\lycee.example\\{share}" if verb == "adddom" else rest[0]
            self.roots[name.casefold()] = {"targets": {rest[0]: "online"}, "links": {}, "comment": comment}
        elif what == "root":
            del self.roots[rest[0].casefold()]
        elif what == "link" and verb == "add":
            links = self.roots[NS.casefold()]["links"]
            links[rest[0].rpartition("\\")[2]] = {"targets": {rest[1]: "online"}, "comment": "".join(rest[2:])}
        elif what == "link":
            del self.roots[NS.casefold()]["links"]["Data"]
        elif what == "target" and len(rest) == 1:
            targets = self.roots[NS.casefold()]["targets"]
            targets.pop(rest[0], None) if verb == "remove" else targets.update({rest[0]: "online"})
        elif what == "target":
            targets = self.roots[NS.casefold()]["links"]["Data"]["targets"]
            targets.pop(rest[1], None) if verb == "remove" else targets.update({rest[1]: "online"})
        else:
            self.roots[NS.casefold()]["links"]["Data"]["targets"][rest[2]] = rest[0]


def root(host: Any, check: bool = False, **wanted: Any) -> dict[str, Any]:
    return manage_namespace(host, {**ROOT, **wanted}, check=check)


def folder(host: Any, *targets: tuple[str, str], check: bool = False, **wanted: Any) -> dict[str, Any]:
    listed = [{"path": path, "state": state} for path, state in targets]
    return manage_folder(host, {**FOLDER, "targets": listed, **wanted}, check=check)


def test_a_namespace_is_created_once_and_removed_once() -> None:
    host = Host()
    assert root(host, check=True, description="x")["changed"] is True
    assert host.done == []
    result = root(host, description="Données de l'école")
    assert host.done == ["root adddom \\\\SRV-DOMAINE\\Donnees V2 Données de l'école"]
    assert result["namespace"] == {
        "path": NS.casefold(), "targets": ["\\\\SRV-DOMAINE\\Donnees"], "folders": [], "description": "Données de l'école",
    }  # fmt: skip
    assert root(host, description="another")["changed"] is False
    assert root(host, state="absent")["changed"] is True
    assert root(host, state="absent")["changed"] is False
    # Every folder of an export is removed again.
    assert host.made
    assert host.made == host.gone


def test_other_namespace_servers_are_added_and_removed() -> None:
    host = Host()
    servers = ["\\\\srv-domaine.lycee.example\\Donnees", "\\\\SRV-AUTRE\\Donnees"]
    root(host, targets=servers)
    assert root(host, targets=servers)["changed"] is False
    root(host)
    assert host.done[1:] == ["target add \\\\SRV-AUTRE\\Donnees", "target remove \\\\SRV-AUTRE\\Donnees"]


def test_a_standalone_namespace_is_of_the_host() -> None:
    host = Host()
    root(host, path="\\\\srv-domaine\\Donnees", type="standalone")
    assert host.done == ["root addstd \\\\SRV-DOMAINE\\Donnees"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"path": "\\\\autre.example\\Donnees"}, "neither the domain of the host nor the host"),
        ({"path": DATA}, "no such path"),
        ({"type": "standalone"}, "type is standalone"),
        ({"targets": ["\\\\SRV-AUTRE\\Donnees"]}, "share of another server"),
        ({"targets": ["\\\\SRV-DOMAINE\\Autre"]}, "bear its name"),
        (
            {"path": "\\\\SRV-DOMAINE\\Donnees", "targets": ["\\\\SRV-DOMAINE\\Donnees", "\\\\B\\Donnees"]},
            "has one server",
        ),
        ({"description": 'a"b'}, "no quote"),
    ],
)
def test_what_cannot_be_meant_is_refused(wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        root(Host(), **wanted)


def test_the_share_and_the_service_have_to_be_there() -> None:
    host = Host()
    host.share_names.clear()
    with pytest.raises(NamespaceError, match="windows_share"):
        root(host)
    host.state = "Stopped"
    with pytest.raises(NamespaceError, match="'Stopped'"):
        root(host)
    host.state = ""
    with pytest.raises(NotInstalledError, match="windows_feature"):
        root(host)
    assert "windows_feature" in root(host, check=True)["warnings"][0]


def test_a_folder_has_exactly_its_targets() -> None:
    host = Host()
    with pytest.raises(NamespaceError, match="dfs_namespace"):
        folder(host, (ONE, "online"))
    assert folder(host, (ONE, "online"), check=True)["changed"] is True
    root(host)
    host.done.clear()
    result = folder(host, (ONE, "online"), (TWO, "offline"), description="x")
    assert host.done == [
        f"link add {DATA} {ONE} x", f"target add {DATA} {TWO}", f"property state offline {DATA} {TWO}",
    ]  # fmt: skip
    assert result["folder"]["targets"] == [{"path": ONE, "state": "online"}, {"path": TWO, "state": "offline"}]
    assert folder(host, (TWO.lower(), "offline"), (ONE, "online"))["changed"] is False
    host.done.clear()
    folder(host, (TWO, "online"))
    assert host.done == [f"property state online {DATA} {TWO}", f"target remove {DATA} {ONE}"]
    with pytest.raises(NamespaceError, match="has the folders Data"):
        root(host, state="absent")
    assert folder(host, state="absent")["changed"] is True
    assert folder(host, state="absent")["changed"] is False


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ((), "needs targets"),
        (((ONE, "online"), (ONE.lower(), "offline")), "twice"),
        ((("C:\\x", "online"),), "no such path"),
    ],
)
def test_targets_that_cannot_be_meant(targets: tuple[tuple[str, str], ...], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        folder(Host(), *targets)


def test_a_claim_that_does_not_read_back_is_an_error() -> None:
    host = Host()
    root(host)
    host.lies = True
    with pytest.raises(NamespaceError, match=r"what is left: create the folder .*Data with"):
        folder(host, (ONE, "online"))
    with pytest.raises(NamespaceError, match="still there"):
        root(host, state="absent")


def test_exports_in_other_forms() -> None:
    children = (
        "<Root><Name>\\\\d\\n</Name><Link><Name>Data</Name><Target><Server>\\\\A</Server><Folder>r</Folder>"
        "<State>ONLINE</State></Target></Link></Root>"
    )
    link = namespace.parse_export(children.encode("utf-16"), "dc").links[0]
    assert (link.name, link.targets) == ("Data", (namespace.Target("\\\\A\\r", "online"),))
    silent = namespace.parse_export(
        b"<Root Name='n'><Link Name='Data'><Target Server='A' Folder='r'/></Link></Root>", "dc"
    ).links[0]
    wanted = namespace.LinkSpec(namespace.UncPath("d", "n", "Data"), (namespace.Target("\\\\a\\R", "online"),))
    assert namespace.link_steps(wanted, silent) == []
    for text in (b"<Root><Target State='9' Server='a' Folder='b'/></Root>", b"<Autre/>", b"no xml"):
        with pytest.raises(NamespaceError, match="not known here"):
            namespace.parse_export(text, "dc")
