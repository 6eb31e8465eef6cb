# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module dfs_replication_info."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.modules.dfs_replication_info import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.errors import OptionError
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.info import fetch_report, read_group
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs_action import DfsAction


class ActionModule(DfsAction):
    """Read the state of a replication group."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        group, folder = arguments["group"], arguments["folder"]
        target = Path(arguments["report"]).expanduser() if arguments["report"] else None
        if target is not None and target.suffix.lower() not in (".html", ".htm"):
            raise OptionError(f"report: {target} is no page; give a path that ends in .html")
        if arguments["events"] < 0:
            raise OptionError("events is a number of events, 0 for none")
        with contextlib.ExitStack() as stack:
            seats = stack.enter_context(self.seats(task_vars, arguments["members"], tolerant=True))
            reached = [one.member for one in seats.values() if one.member is not None]
            missing = {one.host: one.why for one in seats.values() if one.member is None}
            result = read_group(reached, group, folder, missing=missing, events=arguments["events"])
            if target is not None and not self.check_mode:
                session = stack.enter_context(self.session(task_vars))
                domain = self.domain(session, task_vars, arguments, lambda text: None)
                reference = reached[0].name if reached else arguments["members"][0].upper()
                result["report"] = fetch_report(domain, group, reference, target)
        return {"changed": False, **result}
