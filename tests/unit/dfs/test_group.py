# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task on a replication group: read, compare, plan, do, have the members read it, wait, read back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.lycee.openerp.plugins.action import (
    dfs_folder,
    dfs_namespace,
    dfs_replication_group,
    dfs_replication_info,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils import _windows_action
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs import waiting
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.domain import Domain
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.errors import (
    NotInstalledError,
    OptionError,
    WaitError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.manage_group import manage_group, names_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.member import FolderInfo
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.replication import FILE_FILTER
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.work import Seat, Work
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import WindowsError

from .fakes import PATH, Controller, Directory, FakeFolders, FakeMember

HOSTS = {"srv-openerp1": "SRV-OPENERP1", "srv-openerp2": "SRV-OPENERP2"}
OPTIONS: dict[str, Any] = {
    "name": "OpenERP", "folder": "replicat", "primary": None, "connections": "enabled", "file_filter": list(FILE_FILTER),
    "directory_filter": [], "description": "", "state": "present", "wait": True, "timeout": 30.0, "restart_hung": False, "hang_after": 300.0,
}  # fmt: skip


class School:
    """A domain controller and two members."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.controller = Controller(Directory())
        self.members = {host: FakeMember(self.controller.directory, host, name) for host, name in HOSTS.items()}
        self.said: list[str] = []
        self.clock = 0.0
        monkeypatch.setattr(waiting.time, "monotonic", lambda: self.clock)
        monkeypatch.setattr(waiting.time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.clock += max(seconds, 0.01)

    def run(self, check: bool = False, off: str = "", **wanted: Any) -> dict[str, Any]:
        seats: dict[str, Any] = {
            host: Seat(host, None, "no answer") if host == off else Seat(host, member)  # type: ignore[arg-type]
            for host, member in self.members.items()
        }
        members = [{"host": host, "name": None, "path": PATH, "staging_mb": 4096, "conflict_mb": 660} for host in HOSTS]
        domain = Domain(self.controller, progress=self.said.append)  # type: ignore[arg-type]
        work = Work(domain, seats, names_of(seats, {}), self.said.append, lambda text: None)
        return manage_group(work, {**OPTIONS, "members": members, **wanted}, check=check)


@pytest.fixture
def school(monkeypatch: pytest.MonkeyPatch) -> School:
    return School(monkeypatch)


def test_a_group_is_created_once(school: School) -> None:
    planned = school.run(check=True, primary="srv-openerp1")
    assert (planned["changed"], school.controller.done) == (True, [])
    assert planned["diff"]["after"]["steps"][-2] == f"replicate {PATH} of SRV-OPENERP1 as the primary member"
    result = school.run(primary="srv-openerp1")
    assert result["healthy"] is True
    assert [row["config"]["is_primary"] for row in result["members"]] == [True, False]
    assert result["warnings"] == []
    done = list(school.controller.done)
    again = school.run(primary="srv-openerp2")
    assert (again["changed"], school.controller.done) == (False, done)
    assert again["diff"]["before"] == again["diff"]["after"]


def test_recreating_waits_until_the_old_group_is_gone(school: School) -> None:
    school.run(primary="srv-openerp1")
    result = school.run(state="recreated", primary="srv-openerp2")
    assert [row["config"]["is_primary"] for row in result["members"]] == [False, True]
    gone = school.said.index("srv-openerp2: the group OpenERP is gone")
    assert gone < len(school.said) - 1 - school.said[::-1].index("create the group OpenERP")
    with pytest.raises(OptionError, match=r"needs the option 'primary'.*srv-openerp1, srv-openerp2"):
        school.run(state="recreated")


def test_a_fence_is_kept_where_that_is_wanted(school: School) -> None:
    school.run(primary="srv-openerp1")
    assert school.run(connections="disabled")["changed"] is True
    assert school.run(connections="keep")["changed"] is False
    assert school.run(connections="disabled")["changed"] is False
    assert school.run()["healthy"] is True


def test_filters_and_sizes_are_read_back_at_the_members(school: School) -> None:
    school.run(primary="srv-openerp1")
    result = school.run(file_filter=["*.tmp"], directory_filter=["secret"])
    assert result["members"][1]["config"]["file_filter"] == ["*.tmp"]
    assert school.run(file_filter=["*.TMP"], directory_filter=["secret"])["changed"] is False
    two = school.members["srv-openerp2"]
    two.poll = lambda: None  # type: ignore[method-assign]
    with pytest.raises(
        WaitError, match=r"srv-openerp2 does not have the group OpenERP as wanted: it leaves out \*.tmp, secret"
    ):
        school.run()


def test_a_member_that_is_off_is_named_and_learns_later(school: School) -> None:
    result = school.run(primary="srv-openerp1", off="srv-openerp2")
    assert "srv-openerp2 could not be asked" in result["warnings"][0]
    assert result["healthy"] is False
    school.members["srv-openerp1"].polls = 0
    again = school.run()
    assert again["diff"]["after"]["steps"] == ["have srv-openerp2 read its configuration"]
    assert again["healthy"] is True
    assert school.run()["changed"] is False


def test_an_absent_primary_member_is_not_waited_for(school: School) -> None:
    result = school.run(primary="srv-openerp1", off="srv-openerp1")
    assert "primary member SRV-OPENERP1 does not answer" in result["warnings"][0]


def test_a_first_replication_of_an_earlier_run_is_waited_for(school: School) -> None:
    school.members["srv-openerp2"].hung = True
    with pytest.raises(WaitError):
        school.run(primary="srv-openerp1", timeout=5.0)
    with pytest.raises(WaitError):
        school.run(timeout=5.0)
    assert school.run(timeout=5.0, wait=False)["changed"] is False
    school.members["srv-openerp2"].hung = False
    assert school.run(timeout=5.0)["healthy"] is True


def test_a_member_in_error_is_left_alone(school: School) -> None:
    school.run(primary="srv-openerp1")
    school.members["srv-openerp2"].script = [FolderInfo("guid", 5, 9003, 0, 0)]
    assert "srv-openerp2: the folder replicat is in error" in school.run()["warnings"][0]


def test_a_group_is_deleted_once(school: School) -> None:
    school.run(primary="srv-openerp1")
    assert school.run(check=True, state="absent")["changed"] is True
    assert school.run(state="absent")["changed"] is True
    assert school.members["srv-openerp1"].known == {}
    assert school.run(state="absent")["changed"] is False


def test_what_the_options_do_not_speak_of_is_not_touched(school: School) -> None:
    school.run(primary="srv-openerp1")
    group = school.controller.directory.groups["OpenERP"]
    group["mem"].append("SRV-AUTRE")
    with pytest.raises(OptionError, match="has the member SRV-AUTRE"):
        school.run()
    group["rf"]["autre"] = {"file": "", "folder": ""}
    for state in ("recreated", "absent"):
        with pytest.raises(OptionError, match=r"other replicated folders \(autre\)"):
            school.run(state=state, primary="srv-openerp1")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"name": 'a"b'}, "no name of a replication group"),
        ({"primary": "srv-autre"}, "none of members"),
        ({"members": []}, "at least two members"),
        ({"members": [{"host": "srv-openerp1", "path": "C:\\", "staging_mb": 4096, "conflict_mb": 660}]}, "no folder that can be replicated"),
        ({"members": [{"host": "srv-openerp1", "path": PATH, "staging_mb": 4, "conflict_mb": 660}]}, "at least 10"),
        ({"file_filter": ["a,b"]}, "file_filter holds"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(school: School, wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        school.run(**{"primary": "srv-openerp1", **wanted})
    assert school.controller.done == []


def test_the_folder_has_to_be_there_and_no_volume(school: School) -> None:
    member = school.members["srv-openerp2"]
    member.session = FakeFolders(set())
    with pytest.raises(OptionError, match=r"srv-openerp2: the folder .* does not exist"):
        school.run(primary="srv-openerp1")
    member.session = FakeFolders({PATH}, mounted=PATH + "\\")
    with pytest.raises(OptionError, match="root of a volume"):
        school.run(primary="srv-openerp1")
    assert "root of a volume" in school.run(check=True, primary="srv-openerp1")["warnings"][0]
    assert school.controller.done == []


def test_missing_tools_are_a_warning_in_check_mode_only(school: School) -> None:
    school.controller.tools.clear()
    assert "DfsrAdmin.exe is missing" in school.run(check=True, primary="srv-openerp1")["warnings"][0]
    with pytest.raises(NotInstalledError):
        school.run(primary="srv-openerp1")


def test_names_of_members() -> None:
    member: Any = SimpleNamespace(name="SRV-A")
    assert names_of({"a": Seat("a", member), "srv-b": Seat("srv-b")}, {}) == {"a": "SRV-A", "srv-b": "SRV-B"}
    with pytest.raises(OptionError, match="its computer name is SRV-A"):
        names_of({"a": Seat("a", member)}, {"a": "SRV-C"})
    with pytest.raises(OptionError, match="twice"):
        names_of({"a": Seat("a", member), "srv-a": Seat("srv-a")}, {})


class Double:
    """A connection that has options, and fails the test when anything else of it is used."""

    _load_name = "winrm"
    _shell = SimpleNamespace(tmpdir=None)

    def get_option(self, name: str) -> Any:
        return {
            "remote_addr": "192.0.2.1", "remote_user": "u", "remote_password": "p", "port": 5985, "scheme": None, "path": "/wsman",
            "transport": ["ntlm"], "_extras": {},
        }[name]  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the action used connection.{name}")


class Reached(WindowsError):
    """The session was opened, which is as far as this goes."""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        (dfs_namespace, {"path": "\\\\lycee.example\\Donnees"}),
        (dfs_folder, {"path": "\\\\lycee.example\\Donnees\\Data", "targets": [{"path": "\\\\A\\r"}]}),
        (dfs_replication_group, {"name": "G", "folder": "r", "state": "absent"}),
        (dfs_replication_info, {"group": "G", "folder": "r", "members": [], "report": "/nowhere/x.html"}),
    ],
)
def test_only_options_of_the_connection_are_read(
    module: Any, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def session(options: Any) -> Any:
        raise Reached("reached")

    for name in ("_execute_module", "_low_level_execute_command", "_transfer_file", "_make_tmp_path"):
        monkeypatch.setattr(ActionBase, name, lambda *args, **keys: pytest.fail("PowerShell would be needed"))
    monkeypatch.setattr(_windows_action, "Session", session)
    task = SimpleNamespace(
        args=arguments, check_mode=False, diff=False, async_val=0, connection="winrm", action="x", environment=None, delegate_to=None
    )  # fmt: skip
    templar = SimpleNamespace(template=lambda value: value)
    action = module.ActionModule(task, Double(), SimpleNamespace(check_mode=False), None, templar, None)
    result = action.run(task_vars={"inventory_hostname": "dc", "lycee_data_dir": str(tmp_path), "hostvars": {}})
    assert result["msg"] == "reached"


def test_a_member_that_is_not_in_the_inventory_is_refused(tmp_path: Any) -> None:
    task = SimpleNamespace(
        args={"name": "G", "folder": "r", "state": "absent", "members": [{"host": "nobody"}]}, check_mode=True, diff=False, async_val=0,
        connection="winrm", action="x", environment=None, delegate_to=None,
    )  # fmt: skip
    templar = SimpleNamespace(template=lambda value: value)
    action: Any = dfs_replication_group.ActionModule
    result = action(task, Double(), SimpleNamespace(check_mode=True), None, templar, None).run(
        task_vars={"inventory_hostname": "dc", "lycee_data_dir": str(tmp_path), "hostvars": {}}
    )
    assert result["msg"] == "nobody: no such host in the inventory; correct members"
