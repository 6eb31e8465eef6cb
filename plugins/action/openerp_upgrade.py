# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module openerp_upgrade."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.doc_fragments.openerp import ModuleDocFragment
from ansible_collections.lycee.openerp.plugins.doc_fragments.pair_member import ModuleDocFragment as MemberOptions
from ansible_collections.lycee.openerp.plugins.modules.openerp_upgrade import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec, progress_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.member import enabled_partners
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.errors import PreflightError
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.job import upgrade
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp_action import OpenErpAction


class ActionModule(OpenErpAction):
    """Take a server to another release, and back when a step fails."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(
        ModuleDocFragment.DOCUMENTATION, MemberOptions.DOCUMENTATION, DOCUMENTATION
    )

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        host = str(task_vars["inventory_hostname"])
        if arguments["standby"]:
            progress_of(host)("skipped: standby")
            return {"changed": False, "skipped": True, "outcome": "skipped", "msg": f"{host}: skipped: standby"}
        with self.lease(task_vars, "openerp_upgrade") as step, self.target(task_vars, arguments) as target:
            begins = arguments["phase"] == "run" and not self.check_mode
            if (
                begins
                and arguments["pair"]
                and (partners := enabled_partners(target.session, host, arguments["group"]))
            ):
                raise PreflightError(
                    f"{host}: it replicates its data with {', '.join(partners)}, which has to be suspended before; run upgrade_openerp.yml for "
                    "both servers and localhost, which does it."
                )
            if begins and arguments["pair"]:
                self.require_active(target.session, arguments, task_vars)
            return upgrade(
                target,
                arguments,
                host,
                arguments["set"] or host,
                check=self.check_mode,
                step=step,
                progress=progress_of(host),
            )
