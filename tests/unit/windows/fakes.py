# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session that answers from tables, for the pure halves of the Windows library."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import NotFoundError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.result import RunResult

Row = dict[str, Any]
PG_PATH = (
    '"C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\bin\\pg_ctl.exe" runservice -N "PostgreSQL_For_OpenERP" '
    '-D "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\data\\"'
)


def service(name: str, path: str = "C:\\x.exe", account: str = "LocalSystem", state: str = "Running") -> Row:
    """Return a row of Win32_Service."""
    return {
        "Name": name,
        "DisplayName": name,
        "State": state,
        "StartMode": "Auto",
        "StartName": account,
        "PathName": path,
        "ProcessId": "7" if state == "Running" else "0",
        "ExitCode": "0",
        "ServiceSpecificExitCode": "0",
    }


class FakeSession:
    """Services that start and stop, programs that answer by a function, and a record of what was done."""

    def __init__(self, services: Sequence[Row], version: tuple[int, ...] = (6, 0, 6002)) -> None:
        self.name = "srv"
        self.version = version
        self.code_page = 850
        self.computer_name = "SRV"
        self.services = {row["Name"]: dict(row) for row in services}
        self.programs: dict[str, Callable[[Sequence[str]], str]] = {}
        self.refuses: dict[tuple[str, str], int] = {}
        self.dies: set[tuple[str, str]] = set()
        self.done: list[str] = []
        self.tables: dict[str, list[Row]] = {
            "Win32_OperatingSystem": [{"LocalDateTime": "2026-11-24T08:00:00.5+01:00", "Version": "6.0.6002"}],
            "Win32_NTLogEvent": [],
        }
        self.objects: dict[str, Row] = {}

    def query(self, wql: str, namespace: str = "") -> list[Row]:
        """Answer from the tables; services by name."""
        table = re.search(r"FROM (\w+)", wql)
        assert table is not None
        if table[1] == "Win32_Service":
            name = re.search(r"Name = '([^']*)'", wql)
            return [row for row in self.services.values() if name is None or row["Name"] == name[1]]
        if table[1] not in self.tables:
            raise NotFoundError(f"srv: {table[1]} does not exist")
        return self.tables[table[1]]

    def one_row(self, wql: str) -> Row:
        """Return the one row of a table."""
        (row,) = self.query(wql)
        return row

    def get(self, name: str, namespace: str = "", **keys: str) -> Row:
        """Return an object by its key."""
        key = next(iter(keys.values()))
        if key not in self.objects:
            raise NotFoundError(f"srv: {key} does not exist")
        return self.objects[key]

    def invoke(
        self, name: str, method: str, arguments: Mapping[str, Any] | None = None, namespace: str = "", **keys: str
    ) -> Row:
        """Play a method of Win32_Service."""
        row = self.services[keys["Name"]]
        self.done.append(f"{method} {row['Name']}" + (f" {arguments.get('StartName')}" if arguments else ""))
        number = self.refuses.get((method, row["Name"]), 0)
        if number == 0 and method == "StartService":
            dead = (row["Name"], row["StartName"]) in self.dies
            row.update(
                State="Stopped" if dead else "Running", ProcessId="0" if dead else "8", ExitCode="1067" if dead else "0"
            )
        elif number == 0 and method == "StopService":
            number = 0 if row["State"] == "Running" else 6
            row.update(State="Stopped", ProcessId="0")
        elif number == 0 and method == "Change" and arguments:
            row["StartName"] = arguments.get("StartName") or row["StartName"]
            modes = {"Automatic": "Auto", "Manual": "Manual", "Disabled": "Disabled"}
            row["StartMode"] = modes.get(str(arguments.get("StartMode")), row["StartMode"])
        return {"ReturnValue": str(number)}

    def run(
        self, argv: Sequence[str], *, timeout: float = 0, stdin: bytes = b"", secrets: Mapping[str, str] | None = None
    ) -> RunResult:
        """Run a program by the function that was given for it."""
        program = argv[0].rpartition("\\")[2]
        self.done.append(" ".join([program, *argv[1:]]))
        assert secrets is None or not any(secret in " ".join(argv) for secret in secrets.values())
        return RunResult(0, self.programs[program](argv).encode("cp850"), b"", 850)

    def run_line(self, line: str, *, timeout: float = 0, stdin: bytes = b"") -> RunResult:
        """Note a line of cmd.exe."""
        self.done.append(line)
        return RunResult(0, b"", b"", 850)
