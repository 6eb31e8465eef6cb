# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for members, and reading the state of a group."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs import info, waiting
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.domain import Domain
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.errors import WaitError
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.member import FolderInfo
from ansible_collections.lycee.openerp.plugins.plugin_utils._lease import LeaseError

from .fakes import SPEC, Controller, Directory, FakeMember

G, F = "OpenERP", "replicat"


class Scene:
    """A group that was just created, with a clock that only sleeping moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = Directory()
        self.domain = Domain(Controller(self.directory))  # type: ignore[arg-type]
        self.domain.create(SPEC, "SRV-OPENERP1")
        self.one = FakeMember(self.directory, "srv-openerp1", "SRV-OPENERP1")
        self.two = FakeMember(self.directory, "srv-openerp2", "SRV-OPENERP2")
        self.said: list[str] = []
        self.steps: list[str] = []
        self.clock = 0.0
        self.sleeping: Any = lambda: None
        monkeypatch.setattr(waiting.time, "monotonic", lambda: self.clock)
        monkeypatch.setattr(waiting.time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.clock += max(seconds, 0.01)
        self.sleeping()

    @property
    def both(self) -> Any:
        return [self.one, self.two]

    def replicated(self, deadline: float = 60, since: dict[str, str] | None = None, **more: Any) -> None:
        known = {"srv-openerp1": "0000", "srv-openerp2": "0000"} if since is None else since
        waiting.wait_replicated(
            self.one, [self.two], G, F, known, deadline, self.said.append, self.steps.append, **more  # type: ignore[arg-type, list-item]
        )  # fmt: skip

    def drained(self, deadline: float = 60) -> list[int]:
        return waiting.wait_drained(self.one, self.two, G, F, deadline, self.said.append, self.steps.append)  # type: ignore[arg-type]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_a_first_replication_is_waited_for_on_both(scene: Scene) -> None:
    scene.two.backlogs = [3]
    scene.replicated()
    assert [event.id for event in scene.one.log + scene.two.log] == [4112, 4102, 4104]
    # A zero counts when it was measured twice.
    assert scene.said[-2:] == [
        "srv-openerp1 lacks 3 files of srv-openerp2",
        "srv-openerp1 lacks 0 files of srv-openerp2",
    ]
    assert "look at srv-openerp2" in scene.steps


def test_an_event_of_an_earlier_group_does_not_count(scene: Scene) -> None:
    scene.replicated()
    after = {one.host: one.now() for one in scene.both}
    with pytest.raises(WaitError, match=r"in 9 s: .*event 4112 not seen yet.*event 4104 not seen yet"):
        scene.replicated(9, after)
    scene.replicated(9, {})


def test_a_hang_is_named_and_cured_where_that_is_wanted(scene: Scene) -> None:
    scene.two.hung = True
    with pytest.raises(WaitError, match=r"state 2 \(initial sync\).*KB973123.*restart_hung"):
        scene.replicated(100, hang_after=30)
    assert scene.two.restarts == 0
    scene.replicated(100, hang_after=30, restart_hung=True)
    assert scene.two.restarts == 1
    assert any("DFS Replication is restarted there" in text for text in scene.said)


def test_a_hang_that_comes_back_is_restarted_once(scene: Scene) -> None:
    scene.two.hung = True
    scene.two.restart_service = lambda timeout=0.0: None  # type: ignore[method-assign]
    with pytest.raises(WaitError, match="restarted once"):
        scene.replicated(200, hang_after=30, restart_hung=True)
    assert sum("is restarted there" in text for text in scene.said) == 1


def test_progress_is_no_hang(scene: Scene) -> None:
    scene.two.hung = True
    scene.one.backlogs = list(range(100, 0, -1))
    with pytest.raises(WaitError) as error:
        scene.replicated(90, hang_after=30)
    assert "KB973123" not in str(error.value)


def test_a_member_that_is_away_for_a_while_is_asked_again(scene: Scene) -> None:
    scene.two.dead = True
    scene.sleeping = lambda: setattr(scene.two, "dead", scene.clock < 20)
    scene.replicated(60)
    assert "srv-openerp2: cannot be reached" in scene.said
    scene.two.dead = True
    scene.sleeping = lambda: None
    with pytest.raises(WaitError, match="cannot be reached"):
        waiting.wait_gone(scene.both, G, F, 10, scene.said.append, scene.steps.append)


def test_a_run_that_was_ended_from_outside_stops_waiting(scene: Scene) -> None:
    def step(text: str) -> None:
        raise LeaseError("the run was ended from outside")

    with pytest.raises(LeaseError):
        waiting.wait_gone(scene.both, G, F, 10, scene.said.append, step)


def test_a_group_that_was_deleted_is_gone_when_all_have_polled(scene: Scene) -> None:
    scene.replicated()
    with pytest.raises(WaitError, match=r"srv-openerp1 still has the folder replicat \(state 4 \(normal\)\)"):
        waiting.wait_gone(scene.both, G, F, 5, scene.said.append, scene.steps.append)
    scene.domain.delete(G)
    waiting.wait_gone(scene.both, G, F, 5, scene.said.append, scene.steps.append)
    assert scene.said[-1] == "srv-openerp2: the group OpenERP is gone"


def test_a_fence_holds_when_every_member_knows_it(scene: Scene) -> None:
    scene.replicated()
    with pytest.raises(WaitError, match="the connection with SRV-OPENERP2 for not disabled"):
        waiting.wait_fenced(scene.both, G, 5, scene.said.append, scene.steps.append)
    scene.domain.set_connections(G, False)
    waiting.wait_fenced(scene.both, G, 5, scene.said.append, scene.steps.append)
    scene.domain.set_connections(G, True)
    waiting.wait_connections(scene.both, G, True, 5, scene.said.append, scene.steps.append)
    with pytest.raises(WaitError, match="knows no connection"):
        waiting.wait_connections(scene.both, "other", True, 5, scene.said.append, scene.steps.append)


def test_a_group_that_was_created_again_is_known_by_its_identifier(scene: Scene) -> None:
    scene.one.poll()
    scene.one.poll = lambda: None  # type: ignore[method-assign]
    waiting.wait_known([scene.one], G, F, 5, scene.said.append, scene.steps.append)  # type: ignore[list-item]
    with pytest.raises(WaitError, match="does not know the folder"):
        waiting.wait_known([scene.one], G, F, 40, scene.said.append, scene.steps.append, guid="other")  # type: ignore[list-item]
    assert sum("read its configuration" in text for text in scene.steps) > 2


def test_a_zero_has_to_be_measured_twice(scene: Scene) -> None:
    scene.replicated()
    scene.one.backlogs = [12, 0, 3, 0, 0]
    assert scene.drained() == [12, 0, 3, 0, 0]
    scene.one.backlogs = [5] * 50
    with pytest.raises(WaitError, match="srv-openerp2 lacks 5 files of srv-openerp1"):
        scene.drained(20)
    scene.two.dead = True
    with pytest.raises(WaitError, match="cannot be reached"):
        scene.drained(5)


def test_a_zero_that_nobody_confirms_is_none(scene: Scene) -> None:
    scene.replicated()
    scene.sleeping = lambda: setattr(scene.two, "dead", scene.clock % 4 < 2)
    scene.one.backlogs = [0]
    scene.two.dead = False
    assert scene.drained()[-2:] == [0, 0]


def test_the_state_of_a_group(scene: Scene) -> None:
    scene.replicated()
    found = info.read_group(scene.both, G, F, events=1)
    assert found["healthy"] is True
    assert [row["state_name"] for row in found["members"]] == ["normal", "normal"]
    assert [row["events"][0]["id"] for row in found["members"]] == [4112, 4104]
    assert [(one["sender"], one["files"]) for one in found["backlog"]] == [("srv-openerp1", 0), ("srv-openerp2", 0)]


def test_a_member_that_is_off_has_its_reason_in_its_row(scene: Scene) -> None:
    scene.replicated()
    found = info.read_group([scene.one], G, F, missing={"srv-openerp2": "no answer"})  # type: ignore[list-item]
    assert found["healthy"] is False
    assert found["members"][1] | {"why": ""} == info._blank("srv-openerp2", "") | {"reachable": False}
    assert {one["why"] for one in found["backlog"]} == {"no answer"}
    scene.two.dead = True
    found = info.read_group(scene.both, G, F)
    assert found["members"][1]["reachable"] is False
    scene.two.dead, scene.two.known = False, {}
    found = info.read_group(scene.both, G, F)
    assert "knows no replicated folder" in found["members"][1]["why"]


def test_what_is_not_well(scene: Scene) -> None:
    scene.replicated()
    scene.one.backlogs = [4]
    assert info.read_group(scene.both, G, F)["healthy"] is False
    scene.domain.set_connections(G, False)
    scene.one.poll()
    assert info.read_group(scene.both, G, F)["healthy"] is False
    scene.domain.set_connections(G, True)
    scene.one.poll()
    scene.two.script = [FolderInfo("guid", 5, 9003, 0, 0)]
    assert info.read_group(scene.both, G, F)["healthy"] is False
