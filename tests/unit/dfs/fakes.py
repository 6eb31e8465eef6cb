# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain controller and members that answer from a small model, for the library of DFS."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.events import DfsEvent
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.member import (
    FolderConfig,
    FolderInfo,
    MemberConnection,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.replication import GroupSpec, MemberSpec
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import NotFoundError, UnreachableError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.result import RunResult

PATH = "C:\\Program Files\\replicat\\OpenERP 6.0"
SPEC = GroupSpec("OpenERP", "replicat", (MemberSpec("SRV-OPENERP1", PATH), MemberSpec("SRV-OPENERP2", PATH)))
FRENCH = ("Oui", "Non", "\nLa commande s'est terminée correctement.")
ENGLISH = ("Yes", "No", "\nCommand completed successfully.")
Row = dict[str, Any]


@dataclass
class Directory:
    """What dfsradmin changes: parts of groups by name."""

    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: int = 0


class Controller:
    """The session with a domain controller whose dfsradmin speaks a language."""

    def __init__(self, directory: Directory, words: tuple[str, str, str] = FRENCH) -> None:
        self.name = "srv-domaine"
        self.directory, self.words = directory, words
        self.role = "5"
        self.done: list[str] = []
        self.fails: Callable[[list[str]], bool] = lambda words: False
        self.tools = {"C:\\Windows\\DfsrAdmin.exe"}

    def one_row(self, wql: str) -> Row:
        """Return what the controller is."""
        return {"Name": "SRV-DOMAINE", "Domain": "lycee.example", "DomainRole": self.role, "PartOfDomain": "true"}

    def get(self, name: str, namespace: str = "", **keys: str) -> Row:
        """Return a file."""
        if keys["Name"] not in self.tools:
            raise NotFoundError(f"{self.name}: {keys['Name']} does not exist")
        return {"FileSize": "1"}

    def run(self, argv: Sequence[str], *, timeout: float = 0) -> RunResult:
        """Play dfsradmin."""
        assert argv[0] == "C:\\Windows\\DfsrAdmin.exe"
        words = [word for word in argv[1:] if not word.startswith("/")]
        given = dict(word[1:].partition(":")[::2] for word in argv[1:] if word.startswith("/"))
        assert given.pop("domain") == "lycee.example"
        if words[1] != "list":
            self.done.append(" ".join(argv[1:]).replace(" /domain:lycee.example", ""))
            if self.fails(words):
                return RunResult(1, b"", "Accès refusé".encode("cp850"), 850)
            self._change(words[0], words[1], given)
            return RunResult(0, self.words[2].encode("cp850"), b"", 850)
        rows = self._rows(words[0], given)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        names = given["attr"].split(",")
        writer.writerows([names, *([row[name] for name in names] for row in rows)])
        return RunResult(0, (text.getvalue() + self.words[2]).encode("cp850"), b"", 850)

    def _change(self, what: str, verb: str, given: dict[str, str]) -> None:
        groups = self.directory.groups
        name = given["rgname"]
        if what == "rg" and verb == "new":
            self.directory.made += 1
            guid = f"{self.directory.made:08X}-0000-0000-0000-000000000000"
            groups[name] = {"guid": guid, "rf": {}, "mem": [], "conn": {}, "membership": {}}
            return
        if what == "rg":
            del groups[name]
            return
        group = groups[name]
        if what == "rf":
            known = group["rf"].setdefault(given["rfname"], {"file": "~*, *.bak, *.tmp", "folder": ""})
            known["file"] = given.get("rffilefilter", known["file"])
            known["folder"] = given.get("rfdirfilter", known["folder"])
        elif what == "mem":
            group["mem"].append(given["memname"])
        elif what == "conn":
            group["conn"][given["sendmem"], given["recvmem"]] = given["connenabled"] == "true"
        else:
            known = group["membership"].setdefault((given["memname"], given["rfname"]), {})
            known |= {key: value for key, value in given.items() if key not in ("rgname", "rfname", "memname", "force")}

    def _rows(self, what: str, given: dict[str, str]) -> list[Row]:
        if what == "rg":
            return [{"RgName": name, "RgGuid": one["guid"]} for name, one in self.directory.groups.items()]
        group = self.directory.groups[given["rgname"]]
        if what == "rf":
            return [{"RfName": name, "RfGuid": group["guid"]} for name in group["rf"]]
        if what == "mem":
            return [{"MemName": f"LYCEE\\{name}"} for name in group["mem"]]
        if what == "conn":
            return [
                {"SendMem": sender, "RecvMem": receiver, "ConnEnabled": self.words[0 if enabled else 1]}
                for (sender, receiver), enabled in group["conn"].items()
            ]
        found = []
        for member in group["mem"]:
            for folder in group["rf"]:
                known = group["membership"].get((member, folder), {})
                found.append(
                    {
                        "MemName": member, "RfName": folder, "LocalPath": known.get("localpath", ""),
                        "MembershipEnabled": self.words[0 if known.get("membershipenabled") == "true" else 1],
                        "StagingSize": known.get("stagingsize", "4096"), "CdSize": known.get("cdsize", "660"),
                    }
                )  # fmt: skip
        return found


class FakeMember:
    """A member that takes over the directory when it polls, and then replicates a step at a time."""

    def __init__(self, directory: Directory, host: str, name: str) -> None:
        self.host, self.name = host, name
        self.directory = directory
        self.session: Any = FakeFolders({PATH})
        self.known: dict[str, dict[str, Any]] = {}
        self.script: list[FolderInfo] = []
        self.backlogs: list[int] = []
        self.log: list[DfsEvent] = []
        self.polls = self.restarts = 0
        self.dead = self.hung = False
        self.time = 0

    def _asked(self) -> None:
        if self.dead:
            raise UnreachableError(f"{self.host}: cannot be reached")

    def poll(self) -> None:
        """Take over the directory; a new folder begins its first replication."""
        self._asked()
        self.polls += 1
        before, self.known = self.known, {}
        for name, group in self.directory.groups.items():
            if self.name in group["mem"]:
                self.known[name] = {
                    **group,
                    "conn": dict(group["conn"]),
                    "rf": {folder: dict(one) for folder, one in group["rf"].items()},
                    "membership": {key: dict(one) for key, one in group["membership"].items()},
                }
                if before.get(name, {}).get("guid") != group["guid"]:
                    leading = any(
                        one.get("isprimary") == "true"
                        for key, one in group["membership"].items()
                        if key[0] == self.name
                    )
                    event = 4112 if leading else 4104
                    self._say(0 if leading else 4102, name)
                    self.script = [self._info(2), self._info(4)]
                    self._pending = (event, name)

    def _say(self, event: int, group: str) -> None:
        self.time += 1
        if event:
            self.log.append(DfsEvent(event, f"{self.time:04d}", ("guid", PATH, "replicat", group)))

    def _info(self, state: int) -> FolderInfo:
        return FolderInfo("guid", state, 0, 0, 0)

    def now(self) -> str:
        """Return the clock, which goes on with every event."""
        self._asked()
        self.time += 1
        return f"{self.time:04d}"

    def check_installed(self) -> None:
        """Be installed."""

    def group_guid(self, group: str) -> str:
        """Return the identifier that was taken over."""
        self._asked()
        return str(self.known[group]["guid"]).lower() if group in self.known else ""

    def folder(self, group: str, folder: str) -> FolderInfo | None:
        """Return the state, and go one step further for the next question."""
        self._asked()
        if group not in self.known:
            return None
        if len(self.script) > 1 and not self.hung:
            found = self.script.pop(0)
            if len(self.script) == 1:
                self._say(*self._pending)
            return found
        return self.script[0]

    def config(self, group: str, folder: str) -> FolderConfig | None:
        """Return what was taken over."""
        self._asked()
        known = self.known.get(group)
        if known is None or (self.name, folder) not in known["membership"]:
            return None
        one, filters = known["membership"][self.name, folder], known["rf"][folder]
        return FolderConfig(
            one["localpath"], one["membershipenabled"] == "true", one.get("isprimary") == "true",
            tuple(part.strip() for part in filters["file"].split(",")),
            tuple(part.strip() for part in filters["folder"].split(",") if part.strip()),
            int(one["stagingsize"]), int(one["cdsize"]),
        )  # fmt: skip

    def connections(self, group: str) -> list[MemberConnection]:
        """Return what was taken over."""
        self._asked()
        return [
            MemberConnection(receiver if sender == self.name else sender, receiver == self.name, enabled)
            for (sender, receiver), enabled in self.known.get(group, {"conn": {}})["conn"].items()
        ]

    def version_vector(self, group: str, folder: str) -> str:
        """Return a vector."""
        self._asked()
        return self.name

    def outbound_backlog(self, group: str, folder: str, vector: str) -> int:
        """Return the next number of the script, 0 when it is over."""
        self._asked()
        return self.backlogs.pop(0) if self.backlogs else 0

    def events(self, since: str, ids: Sequence[int]) -> list[DfsEvent]:
        """Return events of these numbers since a time."""
        self._asked()
        return [one for one in self.log if one.id in ids and one.time >= since]

    def latest(self, count: int, ids: Sequence[int] = ()) -> list[DfsEvent]:
        """Return the newest events."""
        self._asked()
        return self.log[::-1][:count]

    def restart_service(self, timeout: float = 0) -> None:
        """Go on where it hung."""
        self.restarts += 1
        self.hung = False


class FakeFolders:
    """A session that knows folders, and volumes mounted in some of them."""

    def __init__(self, folders: set[str], mounted: str = "") -> None:
        self.name = "srv"
        self.folders, self.mounted = folders, mounted

    def get(self, name: str, namespace: str = "", **keys: str) -> Row:
        """Return a folder."""
        if keys["Name"] not in self.folders:
            raise NotFoundError("no such folder")
        return {"Name": keys["Name"]}

    def query(self, wql: str, namespace: str = "") -> list[Row]:
        """Return the mounted volume."""
        volume = "\\\\?\\Volume{00000000-0000-0000-0000-000000000001}\\"
        if "Win32_Volume" in wql:
            return (
                [{"DeviceID": volume, "Label": "replicat", "Capacity": "1", "DriveType": "3"}] if self.mounted else []
            )
        if "Win32_MountPoint" in wql and self.mounted:
            return [{"Directory": {"Name": self.mounted}, "Volume": {"DeviceID": volume}}]
        return []

    def run(self, argv: Sequence[str], **options: Any) -> RunResult:
        """Say nothing."""
        return RunResult(0, b"", b"", 850)


class Tables:
    """A session that answers WMI from tables, methods and programs from functions."""

    def __init__(self, tables: Mapping[str, list[Row]]) -> None:
        self.name = "srv-openerp1"
        self.computer_name = "srv-openerp1"
        self.tables = dict(tables)
        self.asked: list[str] = []
        self.methods: dict[str, Row] = {}
        self.called: list[tuple[str, Row, Row]] = []
        self.answer: Callable[[list[str]], RunResult] = lambda argv: RunResult(0, b"", b"", 850)
        self.ran: list[list[str]] = []

    def query(self, wql: str, namespace: str = "") -> list[Row]:
        """Return the rows whose properties are those of the condition."""
        self.asked.append(wql)
        table = re.search(r"FROM (\w+)", wql)
        assert table is not None
        if table[1] not in self.tables:
            raise NotFoundError("no such namespace")
        tests = re.findall(r"(\w+) = '((?:[^'\\]|\\.)*)'", wql)
        rows = self.tables[table[1]]
        return [row for row in rows if all(str(row[name]).casefold() == value.casefold() for name, value in tests)]

    def one_row(self, wql: str) -> Row:
        """Return the one row of a table."""
        (row,) = self.query(wql)
        return row

    def invoke(self, name: str, method: str, arguments: Row, namespace: str = "", **keys: str) -> Row:
        """Call a method."""
        self.called.append((method, arguments, keys))
        return self.methods[method]

    def run(self, argv: Sequence[str], **options: Any) -> RunResult:
        """Run a program."""
        self.ran.append(list(argv))
        return self.answer(list(argv))


def spec(**changes: Any) -> GroupSpec:
    """Return the usual group with changes."""
    return replace(SPEC, **changes)
