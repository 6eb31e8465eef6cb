# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks as XML: what schtasks is given, what it shows, and what counts as the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows import tasks
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import (
    NotFoundError,
    OptionError,
    StateError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.result import RunResult

CMD = "C:\\Windows\\System32\\cmd.exe"
WANTED: dict[str, Any] = {
    "name": "lycee start", "description": "Démarrage <gardé>", "command": CMD, "arguments": '/c "C:\\a & b\\start.cmd"', "user": "SYSTEM",
    "boot": {"delay": 60, "interval": 60, "duration": 86400}, "time_limit": 3600, "enabled": True, "state": "present",
}  # fmt: skip
#: As the Task Scheduler shows it: other durations for the same times, elements of its own, and what it leaves out.
SHOWN = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Author>lycee.openerp</Author>
    <Description>Démarrage &lt;gardé&gt;</Description>
    <URI>\\lycee start</URI>
  </RegistrationInfo>
  <Triggers>
    <BootTrigger>
      <Repetition>
        <Interval>PT1M</Interval>
        <Duration>P1D</Duration>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <Enabled>true</Enabled>
      <Delay>PT1M</Delay>
    </BootTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>S-1-5-18</UserId>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <IdleSettings>
      <Duration>PT10M</Duration>
      <WaitTimeout>PT1H</WaitTimeout>
    </IdleSettings>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT1H</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>C:\\Windows\\System32\\cmd.exe</Command>
      <Arguments>/c "C:\\a &amp; b\\start.cmd"</Arguments>
    </Exec>
  </Actions>
</Task>
"""


class Host:
    """Tasks by name, as schtasks keeps them."""

    def __init__(self, shown: str = "") -> None:
        self.name, self.computer_name, self.code_page = "srv", "SRV", 850
        self.tasks = {"lycee start": shown} if shown else {}
        self.wide = False
        self.broken = self.deaf = False
        self.done: list[str] = []

    def encode(self, text: str) -> bytes:
        try:
            return text.encode("cp850")
        except UnicodeEncodeError:
            raise OptionError("a character that code page 850 has not") from None

    def query(self, wql: str, namespace: str = "") -> list[dict[str, str]]:
        return [{"SID": "S-1-5-18"}] if "Name = 'système'" in wql else []

    def get(self, name: str, namespace: str = "", **keys: str) -> dict[str, str]:
        if name != "CIM_DataFile" or keys["Name"].rpartition("\\")[2] not in self.tasks:
            raise NotFoundError("no")
        return {"FileSize": "9"}

    def run(self, argv: Sequence[str], **rest: Any) -> RunResult:
        assert argv[0].endswith("\\schtasks.exe")
        name = argv[argv.index("/tn") + 1]
        if argv[1] == "/query":
            text = "" if self.broken else self.tasks.get(name, "")
            data = b"\xff\xfe" + text.encode("utf-16-le") if self.wide and text else text.encode("cp850")
            return RunResult(
                0 if text else 1, data.replace(b"\n", b"\r\n") if not self.wide else data, b"ERREUR : introuvable", 850
            )
        self.done.append(argv[1])
        if self.deaf:
            return RunResult(1, b"ERREUR : acc\x8as refus\x82.", b"", 850)
        if argv[1] == "/delete":
            del self.tasks[name]
        else:
            assert argv[-1] == "/f"
            self.tasks[name] = argv[argv.index("/xml") + 1]
        return RunResult(0, b"Op\x82ration r\x82ussie", b"", 850)


@pytest.fixture(autouse=True)
def _file(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def written(session: Host, name: str, data: bytes) -> Iterator[str]:
        assert data.startswith(b"\xff\xfe")
        yield data[2:].decode("utf-16-le")

    monkeypatch.setattr(tasks, "temporary_file", written)


def manage(host: Host, check: bool = False, **wanted: Any) -> Mapping[str, Any]:
    return tasks.manage_task(host, {**WANTED, **wanted}, check=check)  # type: ignore[arg-type]


@pytest.mark.parametrize("wide", [False, True])
def test_what_the_scheduler_shows_of_it_is_the_same_task(wide: bool) -> None:
    host = Host(SHOWN)
    host.wide = wide
    assert manage(host)["changed"] is False
    assert host.done == []


@pytest.mark.parametrize("user", ["SYSTEM", "AUTORITE NT\\Système", "NT AUTHORITY\\SYSTEM"])
def test_a_user_by_name_is_the_same_user(user: str) -> None:
    assert manage(Host(SHOWN.replace("S-1-5-18", user)))["changed"] is False


def test_a_task_is_created_changed_and_removed() -> None:
    host = Host()
    assert manage(host, check=True)["changed"] is True
    assert host.done == []
    result = manage(host)
    assert result["task"] == {
        "command": CMD, "arguments": '/c "C:\\a & b\\start.cmd"', "user": "S-1-5-18", "description": "Démarrage <gardé>", "delay": 60,
        "interval": 60, "duration": 86400, "time_limit": 3600, "enabled": True, "other": [],
    }  # fmt: skip
    assert manage(host)["changed"] is False
    result = manage(
        host, boot=None, enabled=False, user="NETWORK SERVICE", arguments=None, description=None, time_limit=0
    )
    assert (result["task"]["interval"], result["task"]["user"]) == (0, "S-1-5-20")
    assert manage(host, state="absent", command=None)["changed"] is True
    assert manage(host, state="absent", command=None)["changed"] is False
    assert host.done == ["/create", "/create", "/delete"]


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("<Delay>PT1M</Delay>", "<Delay>PT2M</Delay>"),
        ("<Enabled>true</Enabled>", "<Enabled>false</Enabled>"),
        ("<Triggers>", "<Triggers><LogonTrigger/>"),
        ("<Triggers>", "<Triggers><BootTrigger/>"),
        ("</Exec>", "<WorkingDirectory>C:\\x</WorkingDirectory></Exec>"),
        ("</Actions>", "<ComHandler/></Actions>"),
        ("<StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>", ""),
        ("<IdleSettings>", "<RunOnlyIfIdle>true</RunOnlyIfIdle><IdleSettings>"),
        ("<IdleSettings>", "<MultipleInstancesPolicy>Parallel</MultipleInstancesPolicy><IdleSettings>"),
        ("<IdleSettings>", "<Enabled>false</Enabled><IdleSettings>"),
        ("<Enabled>true</Enabled>\n", "<EndBoundary>2026-01-01T00:00:00</EndBoundary>"),
        ("S-1-5-18", "LYCEE\\prof"),
    ],
)
def test_every_difference_counts(there: str, instead: str) -> None:
    assert there in SHOWN
    host = Host(SHOWN.replace(there, instead, 1))
    assert manage(host)["changed"] is True
    assert manage(host)["changed"] is False


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"name": "a\\b"}, "no name for a task"),
        ({"name": 'a"b'}, "no name for a task"),
        ({"name": "100%"}, "no name for a task"),
        ({"command": None}, "full path of a program"),
        ({"command": "cmd.exe"}, "full path of a program"),
        ({"arguments": "a\nb"}, "one line each"),
        ({"description": "Ω"}, "code page 850"),
        ({"boot": {"delay": 0, "interval": 30, "duration": 0}}, "every 60 to"),
        ({"boot": {"delay": 0, "interval": 60, "duration": 60}}, "longer than boot.interval"),
        ({"boot": {"delay": 0, "interval": 0, "duration": 60}}, "longer than boot.interval"),
        ({"boot": {"delay": -1, "interval": 0, "duration": 0}}, "0 or more"),
    ],
)
def test_wrong_input_is_refused(wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        manage(Host(), **wanted)


def test_what_cannot_be_read_or_made_is_an_error() -> None:
    host = Host(SHOWN)
    host.broken = True
    with pytest.raises(StateError, match=r"cannot be read .*ERREUR"):
        manage(host)
    with pytest.raises(StateError, match="it is no XML"):
        manage(Host("no XML"))
    with pytest.raises(StateError, match="is no duration"):
        manage(Host(SHOWN.replace("P1D", "P1Y")))
    refused = Host()
    refused.deaf = True
    with pytest.raises(StateError, match=r"ended with 1 .*accès refusé.*found: none"):
        manage(refused)


@pytest.mark.parametrize(("text", "number"), [("", 0), ("PT1M30S", 90), ("P1DT1H", 90000), ("PT0S", 0)])
def test_durations(text: str, number: int) -> None:
    assert tasks.seconds(text) == number
