# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module postgresql_backup_verify."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.doc_fragments.backup import ModuleDocFragment
from ansible_collections.lycee.openerp.plugins.modules.postgresql_backup_verify import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec, progress_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.policy import Keep
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.selection import Options
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.verify import verify
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup_action import (
    BackupAction,
    catalog_root,
    destinations_of,
    programs_of,
    set_name_of,
)


class ActionModule(BackupAction):
    """Read the backups of the task's host again."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(ModuleDocFragment.DOCUMENTATION, DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        options = Options(
            databases=(),
            include=(),
            exclude=(),
            naming_rule="",
            roles=False,
            files=(),
            staging="",
            compress=0,
            workers=arguments["workers"],
            timeout=0,
            restore=arguments["restore"] != "none",
            restore_within_days=arguments["restore_within_days"],
            restore_at_least=arguments["restore_at_least"],
            retention=False,
            keep=Keep(),
            rsync="",
            programs=programs_of(arguments),
            language="fr",
            accept_empty=(),
            check=self.check_mode,
        )
        settings = destinations_of(arguments)
        with contextlib.ExitStack() as stack:
            root, set_name = catalog_root(arguments), set_name_of(arguments, task_vars)
            step = stack.enter_context(self.leases(task_vars, "postgresql_backup_verify", root, set_name))
            # The server is asked only where one of its own folders is a destination.
            on_server = any(one.type == "server_folder" for one in settings)
            machine = stack.enter_context(self.machine(task_vars, arguments["service"])) if on_server else None
            return verify(
                settings,
                options,
                root=root,
                set_name=set_name,
                machine=machine,
                every=arguments["every"],
                everything=arguments["restore"] == "all",
                rebuild=arguments["rebuild"],
                step=step,
                progress=progress_of(str(task_vars["inventory_hostname"])),
            )
