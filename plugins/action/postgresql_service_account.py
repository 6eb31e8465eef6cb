# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module postgresql_service_account."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.doc_fragments.pair_member import ModuleDocFragment
from ansible_collections.lycee.openerp.plugins.modules.postgresql_service_account import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec, progress_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.member import enabled_partners
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.service_account import fix
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import OptionError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.session import Session
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows_action import WindowsAction


class ActionModule(WindowsAction):
    """Give PostgreSQL's service the wanted account, and prove that it serves."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(ModuleDocFragment.DOCUMENTATION, DOCUMENTATION)

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
                guard=lambda: self._guard(session, arguments, task_vars),
            )

    def _guard(self, session: Session, arguments: dict[str, Any], task_vars: dict[str, Any]) -> None:
        """Raise where a server of a pair may not be touched.

        Raises:
            OptionError: the standby replicates, or nobody said where the marker is.
            ContinuityError: the marker names another active server.
        """
        if arguments["pair"] == "standby" and (names := enabled_partners(session, session.name, arguments["group"])):
            # What is changed here would be newer than the same file on the active server, and go there.
            raise OptionError(
                f"{session.name}: it is the standby of its pair and replicates with {', '.join(names)}, so what is changed here would go there; run "
                "fix_postgres_service_account.yml for both servers and localhost, which suspends the replication"
            )
        if arguments["pair"] == "active":
            self.require_active(session, arguments, task_vars)
