# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module postgresql_restore."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.doc_fragments.backup import ModuleDocFragment
from ansible_collections.lycee.openerp.plugins.modules.postgresql_restore import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec, progress_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.restore import Request, restore
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup_action import (
    BackupAction,
    catalog_root,
    destinations_of,
    programs_of,
    set_name_of,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.server import Access


class ActionModule(BackupAction):
    """Restore databases onto the task's host."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(ModuleDocFragment.DOCUMENTATION, DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        request = Request(
            names=arguments["databases"],
            date=arguments["date"],
            rename=arguments["rename"],
            scratch=arguments["scratch"],
            roles=arguments["roles"],
            keep_replaced=arguments["keep_replaced"],
            staging=arguments["staging"] or "",
            rsync=arguments["rsync"],
            timeout=arguments["timeout"],
            check=self.check_mode,
        )
        settings = destinations_of(arguments)
        root, set_name = catalog_root(arguments), set_name_of(arguments, task_vars)
        with (
            self.leases(task_vars, "postgresql_restore", root, set_name) as step,
            self.machine(task_vars, arguments["service"]) as machine,
        ):
            return restore(
                machine,
                Access.of(arguments),
                settings,
                request,
                root=root,
                set_name=set_name,
                programs=programs_of(arguments),
                step=step,
                progress=progress_of(str(task_vars["inventory_hostname"])),
            )
