# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module dfs_replication_group."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.modules.dfs_replication_group import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec, progress_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.manage_group import manage_group, names_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.work import Work
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs_action import DfsAction


class ActionModule(DfsAction):
    """Bring a replication group to what is wanted."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        host = str(task_vars["inventory_hostname"])
        given = {one["host"]: one["name"] for one in arguments["members"]}
        job = f"dfs_replication_group {arguments['name']}"
        with contextlib.ExitStack() as stack:
            step = stack.enter_context(self.lease(task_vars, job))
            # The members' data move: no backup, upgrade or failover may be under way there.
            for other in given:
                if other != host:
                    stack.enter_context(self.lease(task_vars, job, other))
            session = stack.enter_context(self.session(task_vars))
            seats = stack.enter_context(self.seats(task_vars, list(given)))
            work = Work(
                domain=self.domain(session, task_vars, arguments, step),
                seats=seats,
                names=names_of(seats, given),
                progress=progress_of(host),
                step=step,
            )
            return manage_group(work, arguments, check=self.check_mode)
