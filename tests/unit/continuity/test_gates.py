# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each gate alone: open, closed, or to be measured later, with what was seen and what opens it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity import gates, rejoin
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.facts import (
    CRASH,
    PLANNED,
    AsideFacts,
    Facts,
    FolderFacts,
    ServerFacts,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.gates import CLOSED, LATER, OPEN
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.marker import Marker, moving
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.rejoin import BackFacts
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.controldata import ControlData

SHUT = ControlData("shut down", "6001", 843, 200904091, "0/17A3F20", "24/11/2026 16:30:00", "by reference")
RUNS = ControlData("in production", "6001", 843, 200904091, "0/17A3F20", "24/11/2026 16:30:00", "by reference")
LATER_ONE = ControlData("shut down", "6001", 843, 200904091, "0/17A4000", "24/11/2026 17:00:00", "by reference")
OTHER = ControlData("shut down", "7002", 843, 200904091, "0/17A3F20", "24/11/2026 16:30:00", "by reference")
WIDE = ControlData("shut down", "6001", 843, 200904091, "0/17A3F20", "24/11/2026 16:30:00", "by value")


def server(number: int, **changes: Any) -> ServerFacts:
    """Return a server whose PostgreSQL stands."""
    values: dict[str, Any] = {
        "host": f"srv{number}",
        "name": f"SRV{number}",
        "service": "PostgreSQL_For_OpenERP",
        "state": "Stopped",
        "account": "LocalSystem",
        "start_modes": {"PostgreSQL_For_OpenERP": "Manual"},
        "data": "C:\\data",
        "data_seen": True,
        "cluster": "8.4",
        "program": "8.4.17",
        "width": 32,
        "control": SHUT,
        "denied": 0,
        "sid": "S-1-5-18",
        "size": 1_000_000,
        "free": 9_000_000,
    }
    return ServerFacts(**{**values, **changes})


def away(**changes: Any) -> ServerFacts:
    """Return a source that does not answer."""
    return ServerFacts("srv1", "SRV1", **{"reachable": False, "why": "timed out", **changes})


def facts(mode: str = PLANNED, *, stopped: bool = True, **changes: Any) -> Facts:
    """Return the facts of a pair with which nothing is wrong."""
    values: dict[str, Any] = {
        "accept_loss": mode == CRASH,
        "source": server(1),
        "target": server(2),
        "marker": Marker("srv1", since="2026-11-24T16:30:00+00:00"),
        "folders": {"srv1": FolderFacts(True, 4, 0, ("Srv2",)), "srv2": FolderFacts(True, 4, 0, ("SRV1",))},
        "backlog": [0, 0],
        "aside": AsideFacts("C:\\aside", 0, "0/17A3F20"),
        "stopped": stopped,
    }
    return Facts(mode=mode, **{**values, **changes})


FENCED = {"srv1": FolderFacts(True, 4), "srv2": FolderFacts(True, 4)}
CASES: list[tuple[str, Facts, str, str]] = [
    ("marker", facts(), OPEN, "srv1 (since 2026"),
    ("marker", facts(marker=None), CLOSED, "has no marker"),
    ("marker", facts(marker=Marker("SRV2")), CLOSED, "SRV2"),
    ("marker", facts(marker=moving("SRV2", "SRV1", "now")), CLOSED, "SRV2 to SRV1"),
    ("marker", facts(marker=moving("SRV1", "SRV2", "now"), ours=True), OPEN, "SRV1 to SRV2"),
    ("accept_loss", facts(), OPEN, "loses nothing"),
    ("accept_loss", facts(CRASH), OPEN, "24/11/2026 16:30:00"),
    ("accept_loss", facts(CRASH, accept_loss=False), CLOSED, "nobody knows when srv2 last received"),
    (
        "accept_loss",
        facts(CRASH, target=server(2, control=None), folders={"srv2": FolderFacts(True, 4, last_sync="16:29")}),
        OPEN,
        "cannot be read; srv2 last received something at 16:29",
    ),
    ("other_stopped", facts(), OPEN, "no postgres.exe runs there"),
    ("other_stopped", facts(source=server(1, data_seen=False)), OPEN, "C:\\data is not there"),
    ("other_stopped", facts(stopped=False, source=server(1, state="Running")), LATER, "is stopped by the move"),
    ("other_stopped", facts(source=server(1, state="Running", processes=[7])), CLOSED, "process 7"),
    ("other_stopped", facts(source=server(1, processes=[7, 8])), CLOSED, "is Stopped on srv1, postgres.exe runs"),
    ("other_stopped", facts(CRASH, source=server(1, state="Stop Pending")), CLOSED, "Stop Pending"),
    ("other_stopped", facts(CRASH, source=away(silent=["a ping of srv2 is not answered"])), OPEN, "a ping of srv2"),
    ("other_stopped", facts(CRASH, source=away(signs=["port 445 answers this machine"])), CLOSED, "port 445"),
    ("other_stopped", facts(CRASH, source=away()), CLOSED, "nobody else could ask it"),
    ("replication", facts(stopped=False), OPEN, "srv1: state 4 (normal); srv2: state 4 (normal)"),
    ("replication", facts(stopped=False, folders=FENCED), CLOSED, "connections are disabled"),
    ("replication", facts(folders=FENCED), OPEN, "state 4"),
    ("replication", facts(CRASH, folders={"srv2": FolderFacts(True, 4)}), OPEN, "srv1: cannot be asked"),
    ("replication", facts(CRASH, folders={"srv2": FolderFacts(True, 2)}), CLOSED, "state 2 (initial sync)"),
    ("replication", facts(folders={"srv2": FolderFacts(True, 4)}), CLOSED, "srv1: cannot be asked"),
    (
        "replication",
        facts(folders={**FENCED, "srv2": FolderFacts(True, 5, 9036)}),
        CLOSED,
        "state 5 (in error), error 9036",
    ),
    ("replication", facts(folders={**FENCED, "srv2": FolderFacts(False)}), CLOSED, "does not know the folder"),
    ("backlog", facts(), OPEN, "0, then 0"),
    ("backlog", facts(backlog=[5, 0, 0]), OPEN, "5, then 0, then 0"),
    ("backlog", facts(backlog=[0]), CLOSED, "lacks: 0"),
    ("backlog", facts(backlog=[0, 3]), CLOSED, "0, then 3"),
    ("backlog", facts(backlog=[]), CLOSED, "not counted"),
    ("backlog", facts(stopped=False, backlog=[12]), LATER, "12 now"),
    ("backlog", facts(CRASH, backlog=[]), OPEN, "the loss was accepted"),
    ("same_build", facts(), OPEN, "cluster 8.4, programs 8.4.17 on srv2; programs 8.4.17 on srv1"),
    ("same_build", facts(target=server(2, program="8.4.20")), OPEN, "8.4.20"),
    ("same_build", facts(target=server(2, program="9.0.4")), CLOSED, "programs 9.0.4"),
    ("same_build", facts(target=server(2, program="")), CLOSED, "programs ?"),
    ("same_build", facts(target=server(2, width=64)), CLOSED, "32 and 64 bits"),
    ("same_build", facts(source=server(1, control=WIDE)), CLOSED, "other formats"),
    ("same_build", facts(target=server(2, data_seen=False, cluster="")), CLOSED, "no cluster is in C:\\data"),
    ("same_build", facts(CRASH, source=away()), OPEN, "cluster 8.4"),
    ("same_build", facts(CRASH, source=away(), target=server(2, cluster="15", program="15.14")), OPEN, "15.14"),
    ("same_build", facts(CRASH, source=away(), target=server(2, cluster="15", program="16.1")), CLOSED, "16.1"),
    ("shut_down", facts(), OPEN, "srv2: shut down"),
    ("shut_down", facts(target=server(2, control=RUNS)), CLOSED, "in production"),
    ("shut_down", facts(stopped=False, target=server(2, control=RUNS)), LATER, "in production"),
    ("shut_down", facts(CRASH, target=server(2, control=RUNS)), OPEN, "a copy of a crash"),
    ("shut_down", facts(target=server(2, control=None)), CLOSED, "cannot read the copy on srv2"),
    ("shut_down", facts(CRASH, target=server(2, control=None)), CLOSED, "cannot read the copy on srv2"),
    ("shut_down", facts(target=server(2, control_agrees=False)), CLOSED, "says something else"),
    ("shut_down", facts(CRASH, target=server(2, control_agrees=False)), CLOSED, "says something else"),
    ("copies_agree", facts(), OPEN, "0/17A3F20 on srv1, 0/17A3F20 on srv2"),
    ("copies_agree", facts(source=server(1, control=LATER_ONE)), CLOSED, "0/17A4000 on srv1, 0/17A3F20 on srv2"),
    ("copies_agree", facts(CRASH, source=server(1, control=LATER_ONE)), OPEN, "the loss was accepted"),
    ("copies_agree", facts(source=server(1, control=OTHER)), CLOSED, "cluster 7002"),
    ("copies_agree", facts(CRASH, source=server(1, control=OTHER)), CLOSED, "cluster 7002"),
    ("copies_agree", facts(source=server(1, control=None)), CLOSED, "cannot be read"),
    ("copies_agree", facts(CRASH, source=away()), OPEN, "the copy of srv1 cannot be read"),
    ("copies_agree", facts(stopped=False), LATER, "when nothing is written"),
    ("no_live_pid", facts(), OPEN, "no postmaster.pid on srv2"),
    ("no_live_pid", facts(target=server(2, pid=4711)), OPEN, "process 4711, which is no postgres.exe of srv2"),
    ("no_live_pid", facts(target=server(2, pid=4711, processes=[4711])), CLOSED, "process 4711"),
    ("no_live_pid", facts(target=server(2, state="Running")), CLOSED, "PostgreSQL runs on srv2 (Running)"),
    ("account", facts(), OPEN, "may use every file"),
    ("account", facts(target=server(2, denied=3)), CLOSED, "may not use 3 paths"),
    ("account", facts(target=server(2, denied=None)), CLOSED, "could not be read"),
    ("account", facts(target=server(2, account=".\\openpgsvc", sid="")), CLOSED, "which it does not know"),
    ("start_modes", facts(), OPEN, "srv1: PostgreSQL_For_OpenERP Manual"),
    ("start_modes", facts(source=server(1, start_modes={"openerp-web-6.0": "Auto"})), CLOSED, "openerp-web-6.0 Auto"),
    ("start_modes", facts(target=server(2, start_modes={"openerp-web-6.0": "Auto"})), CLOSED, "openerp-web-6.0 Auto"),
    ("start_modes", facts(CRASH, source=away()), OPEN, "srv1: cannot be asked"),
    ("room", facts(), OPEN, "1 MB are set aside, 9 MB are free"),
    ("room", facts(target=server(2, free=1_050_000)), CLOSED, "1 MB are free"),
    ("room", facts(target=server(2, size=None)), CLOSED, "not known"),
    ("set_aside", facts(), OPEN, "C:\\aside: latest checkpoint 0/17A3F20, differences 0"),
    ("set_aside", facts(aside=None), LATER, "before the first start"),
    ("set_aside", facts(aside=AsideFacts("C:\\aside", 3, "0/17A3F20")), CLOSED, "differences 3"),
    ("set_aside", facts(aside=AsideFacts("C:\\aside", 0, "0/17A0000")), CLOSED, "0/17A0000"),
]


@pytest.mark.parametrize(("name", "found", "state", "seen"), CASES)
def test_gate(name: str, found: Facts, state: str, seen: str) -> None:
    gate = gates.GATES[name](found)
    assert (gate.name, gate.state) == (name, state)
    assert seen in gate.evidence
    assert bool(gate.cure) == (state == CLOSED)


def test_each_gate_is_seen_open_and_closed() -> None:
    for state in (OPEN, CLOSED):
        assert {name for name, _facts, found, _seen in CASES if found == state} == set(gates.GATES)


def test_what_is_judged_before_and_what_while_it_stands() -> None:
    assert set(gates.BEFORE) | set(gates.STANDING) == set(gates.GATES) - {"set_aside"}
    good = facts(stopped=False, source=server(1, state="Running", processes=[7]))
    assert gates.closed(gates.look(good, gates.BEFORE)) == []
    assert gates.closed(gates.look(facts(), gates.STANDING)) == []


def test_a_table_for_people_and_a_result() -> None:
    shown = gates.look(facts(target=server(2, denied=3)), ["room", "account"])
    assert gates.table(shown)[0] == "room     open    1 MB are set aside, 9 MB are free"
    assert gates.as_result(shown)[1]["cure"].startswith("run fix_postgres_service_account.yml")


def back(**changes: Any) -> BackFacts:
    """Return what is found when the second server has the data, and the first comes back."""
    values: dict[str, Any] = {
        "marker": Marker("SRV2"),
        "primary": server(2, state="Running", processes=[7], control=LATER_ONE),
        "other": server(1),
        "named": "srv2",
        "group": False,
        "folders": {"srv1": FolderFacts(False), "srv2": FolderFacts(False)},
    }
    return BackFacts(**{**values, **changes})


BACK_CASES: list[tuple[str, BackFacts, str, str]] = [
    ("primary_named", back(), OPEN, "on srv2: 24/11/2026 17:00:00; latest checkpoint on srv1: 24/11/2026 16:30:00"),
    ("primary_named", back(named=""), CLOSED, "failback_primary=srv2"),
    ("primary_named", back(named="srv1"), CLOSED, "failback_primary=srv2"),
    ("primary_named", back(marker=Marker("SRV1")), CLOSED, "the marker names SRV1"),
    ("primary_named", back(marker=None), CLOSED, "the marker names nobody"),
    ("primary_named", back(other=server(1, control=None)), OPEN, "is its disk offline?"),
    ("primary_named", back(other=away()), OPEN, "srv1: it does not answer"),
    ("other_answers", back(), OPEN, "srv1 answers"),
    ("other_answers", back(other=away()), CLOSED, "timed out"),
    ("other_stands", back(), OPEN, "Stopped on srv1"),
    ("other_stands", back(other=server(1, state="Running")), CLOSED, "Running on srv1"),
    ("other_stands", back(other=server(1, processes=[9])), CLOSED, "process 9"),
    ("other_stands", back(other=away()), CLOSED, "unknown on srv1"),
    ("group_gone", back(), OPEN, "no member knows the folder"),
    ("group_gone", back(group=True), CLOSED, "the group is in the domain"),
    ("group_gone", back(folders={"srv1": None, "srv2": FolderFacts(False)}), CLOSED, "known to srv1"),
    ("group_gone", back(folders={"srv1": FolderFacts(False), "srv2": FolderFacts(True)}), CLOSED, "known to srv2"),
]


@pytest.mark.parametrize(("name", "found", "state", "seen"), BACK_CASES)
def test_gate_of_a_failback(name: str, found: BackFacts, state: str, seen: str) -> None:
    gate = rejoin.GATES[name](found)
    assert (gate.name, gate.state) == (name, state)
    assert seen in f"{gate.evidence} {gate.cure}"
    assert bool(gate.cure) == (state == CLOSED)


def test_each_gate_of_a_failback_is_seen_open_and_closed() -> None:
    for state in (OPEN, CLOSED):
        assert {name for name, _facts, found, _seen in BACK_CASES if found == state} == set(rejoin.GATES)
