# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module windows_command."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.modules.windows_command import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows_action import WindowsAction


class ActionModule(WindowsAction):
    """Run a program."""

    _supports_check_mode = False
    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        with self.session(task_vars) as session:
            stdin = session.encode(arguments["stdin"] or "")
            done = session.run(arguments["argv"], timeout=arguments["timeout"], stdin=stdin)
            result = {"changed": True, "rc": done.rc, "stdout": done.text, "stderr": session.decode(done.stderr)}
        if done.rc not in arguments["success_codes"]:
            result["failed"] = True
            result["msg"] = (
                f"{session.name}: {arguments['argv'][0]} ended with {done.rc}: {done.said or 'it said nothing'}"
            )
        return result
