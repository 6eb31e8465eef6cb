# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions touch nothing of Ansible's connection but its options: everything else of it goes through PowerShell."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.lycee.openerp.plugins.action import (
    postgresql_service_account,
    windows_acl,
    windows_command,
    windows_feature,
    windows_file,
    windows_info,
    windows_scheduled_task,
    windows_service,
    windows_share,
    windows_volume,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils import _windows_action
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import WindowsError

OPTIONS = {
    "remote_addr": "192.0.2.1", "remote_user": "u", "remote_password": "p", "port": 5985, "scheme": None, "path": "/wsman",
    "transport": ["ntlm"], "_extras": {},
}  # fmt: skip


class Double:
    """A connection that has options, and fails the test when anything else of it is used."""

    _load_name = "winrm"
    # Ansible's own base class looks here whether it has made a temporary folder.
    _shell = SimpleNamespace(tmpdir=None)

    def get_option(self, name: str) -> Any:
        return OPTIONS[name]

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the action used connection.{name}")


class Reached(WindowsError):
    """The session was opened, which is as far as these tests go."""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        (windows_info, {}),
        (windows_command, {"argv": ["C:\\x.exe"]}),
        (windows_service, {"name": "web", "state": "started"}),
        (windows_file, {"dest": "C:\\x", "content": "x"}),
        (windows_acl, {"path": "C:\\x", "entries": [{"account": "LocalSystem"}]}),
        (windows_share, {"name": "x", "state": "absent"}),
        (windows_volume, {"disk": 1, "state": "online"}),
        (windows_feature, {"names": ["FS-DFS-Namespace"]}),
        (windows_scheduled_task, {"name": "x", "state": "absent"}),
        (postgresql_service_account, {}),
    ],
)
def test_only_options_are_read(
    module: Any, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def forbidden(name: str) -> Any:
        def use(*_args: object, **_keys: object) -> None:
            raise AssertionError(f"the action used {name}")

        return use

    for name in ("_execute_module", "_low_level_execute_command", "_transfer_file", "_transfer_data", "_make_tmp_path"):
        monkeypatch.setattr(ActionBase, name, forbidden(name))

    def session(options: Any) -> Any:
        assert options.endpoint == "http://192.0.2.1:5985/wsman"
        assert options.extras["message_encryption"] == "always"
        raise Reached("reached")

    monkeypatch.setattr(_windows_action, "Session", session)
    task = SimpleNamespace(
        args=arguments,
        check_mode=False,
        diff=False,
        async_val=0,
        connection="winrm",
        action="x",
        environment=None,
        delegate_to=None,
    )
    templar = SimpleNamespace(template=lambda value: value)
    action = module.ActionModule(task, Double(), SimpleNamespace(check_mode=False), None, templar, None)
    result = action.run(task_vars={"inventory_hostname": "srv", "lycee_data_dir": str(tmp_path)})
    assert result["msg"] == "reached"
