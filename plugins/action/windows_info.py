# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module windows_info."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.modules.windows_info import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows import facts
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows_action import WindowsAction


class ActionModule(WindowsAction):
    """Read facts of a Windows host, and probe it where that is asked."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        parts = {
            "system": facts.system,
            "roles": facts.roles,
            "disks": facts.disks,
            "services": facts.all_services,
            "tools": facts.tools,
            "probe": facts.probe,
        }
        with self.session(task_vars) as session:
            return {"changed": False, **{name: parts[name](session) for name in arguments["gather"]}}
