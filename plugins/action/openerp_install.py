# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module openerp_install."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.doc_fragments.openerp import ModuleDocFragment
from ansible_collections.lycee.openerp.plugins.modules.openerp_install import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec, progress_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.member import enabled_partners
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.allinone import install_all
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.fresh import install
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp_action import OpenErpAction


class ActionModule(OpenErpAction):
    """Run a setup and put back what it overwrites."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(ModuleDocFragment.DOCUMENTATION, DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        with self.lease(task_vars, "openerp_install") as step, self.target(task_vars, arguments) as target:
            if arguments["program"] == "all":
                return install_all(
                    target, arguments, check=self.check_mode, step=step, progress=progress_of(target.name)
                )
            return install(
                target,
                arguments,
                check=self.check_mode,
                step=step,
                progress=progress_of(target.name),
                partners=lambda: enabled_partners(target.session, target.name, arguments["group"]),
            )
