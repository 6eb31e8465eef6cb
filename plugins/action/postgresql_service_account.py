# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module postgresql_service_account."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.modules.postgresql_service_account import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec, progress_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.member import enabled_partners
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.service_account import fix
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows_action import WindowsAction


class ActionModule(WindowsAction):
    """Give PostgreSQL's service the wanted account, and prove that it serves."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        progress = progress_of(task_vars["inventory_hostname"])
        with self.lease(task_vars, "postgresql_service_account") as step, self.session(task_vars) as session:
            return fix(
                session,
                arguments,
                check=self.check_mode,
                step=step,
                progress=progress,
                partners=lambda: enabled_partners(session, session.name, arguments["group"]),
            )
