# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module openerp_replication."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.doc_fragments.openerp import ModuleDocFragment as OpenErp
from ansible_collections.lycee.openerp.plugins.doc_fragments.pair import ModuleDocFragment as PairOptions
from ansible_collections.lycee.openerp.plugins.doc_fragments.pair_group import ModuleDocFragment as GroupOptions
from ansible_collections.lycee.openerp.plugins.modules.openerp_replication import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity import operations
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.pair import Pair
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.switch import Outcome
from ansible_collections.lycee.openerp.plugins.plugin_utils._pair_action import PairAction


class ActionModule(PairAction):
    """Suspend the replication of a pair, or create it again."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(
        OpenErp.DOCUMENTATION, PairOptions.DOCUMENTATION, GroupOptions.DOCUMENTATION, DOCUMENTATION
    )
    JOB = "openerp_replication"

    def move(self, pair: Pair, arguments: dict[str, Any]) -> Outcome:
        """Read the arguments and hand over to the library."""
        if arguments["state"] == "suspended":
            return operations.suspend(pair, arguments["to"], check=self.check_mode)
        return operations.resume(pair, check=self.check_mode)
