# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module windows_command."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.modules.windows_command import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import Connections, argument_spec, batch
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.session import Session
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows_action import WindowsAction, open_session


class ActionModule(WindowsAction):
    """Run a program."""

    _supports_check_mode = False
    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        if arguments["hosts"] is None:
            with self.lease(task_vars, "windows_command"), self.session(task_vars) as session:
                return _run(session, arguments)
        connections = Connections("winrm", task_vars["hostvars"], self._play_context)

        def work(host: str) -> dict[str, Any]:
            with self.lease(task_vars, "windows_command", host), open_session(host, connections.of(host)) as session:
                return _run(session, arguments)

        return batch(
            arguments["hosts"], work, workers=arguments["workers"], processes=arguments["processes"], noun="hosts"
        )


def _run(session: Session, arguments: dict[str, Any]) -> dict[str, Any]:
    stdin = session.encode(arguments["stdin"] or "")
    done = session.run(arguments["argv"], timeout=arguments["timeout"], stdin=stdin)
    result = {"changed": True, "rc": done.rc, "stdout": done.text, "stderr": session.decode(done.stderr)}
    if done.rc not in arguments["success_codes"]:
        result["failed"] = True
        result["msg"] = f"{session.name}: {arguments['argv'][0]} ended with {done.rc}: {done.said or 'it said nothing'}"
    return result
