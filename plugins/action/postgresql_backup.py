# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module postgresql_backup."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.doc_fragments.backup import ModuleDocFragment
from ansible_collections.lycee.openerp.plugins.modules.postgresql_backup import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec, progress_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.hooks import with_hooks
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.night import back_up
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.policy import Keep
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.selection import Options
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup_action import (
    BackupAction,
    catalog_root,
    destinations_of,
    programs_of,
    set_name_of,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.server import Access


class ActionModule(BackupAction):
    """Back up the databases of the task's host."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(ModuleDocFragment.DOCUMENTATION, DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        host = str(task_vars["inventory_hostname"])
        set_name = set_name_of(arguments, task_vars)
        if arguments["standby"]:
            progress_of(host)("skipped: standby")
            return {"changed": False, "skipped": True, "set": set_name, "msg": f"{host}: skipped: standby"}
        options = Options(
            databases=arguments["databases"],
            include=arguments["include"],
            exclude=arguments["exclude"],
            naming_rule=arguments["naming_rule"],
            roles=arguments["roles"],
            files=arguments["files"],
            staging=arguments["staging"] or "",
            compress=arguments["compress"],
            workers=arguments["workers"],
            timeout=arguments["timeout"],
            restore=arguments["restore_sample"],
            restore_within_days=arguments["restore_within_days"],
            restore_at_least=arguments["restore_at_least"],
            retention=arguments["retention"],
            keep=Keep(**{name: value for name, value in arguments["keep"].items() if value is not None}),
            rsync=arguments["rsync"],
            programs=programs_of(arguments),
            language=arguments["language"],
            accept_empty=arguments["accept_empty"],
            check=self.check_mode,
        )
        destinations = destinations_of(arguments)
        root = catalog_root(arguments)
        with self.leases(task_vars, "postgresql_backup", root, set_name) as step:

            def run() -> dict[str, Any]:
                with self.machine(task_vars, arguments["service"]) as machine:
                    return back_up(
                        machine,
                        Access.of(arguments),
                        destinations,
                        options,
                        root=root,
                        set_name=set_name,
                        step=step,
                        progress=progress_of(host),
                    )

            if self.check_mode:
                return run()
            return with_hooks(arguments["before"], arguments["after"], root / set_name / "status.json", run)
