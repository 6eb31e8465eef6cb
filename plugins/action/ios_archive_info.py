# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module ios_archive_info."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.modules.ios_archive_info import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import LyceeAction, argument_spec
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.archive import Archive, now
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.report import report, table


class ActionModule(LyceeAction):
    """Report on the archive."""

    _requires_connection = False
    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        archive = Archive(Path(arguments["archive"]).expanduser())
        reports = report(archive, arguments["hosts"], now())
        return {
            "changed": False,
            "devices": [one.as_dict() for one in reports],
            "table": table(reports),
            "json": json.dumps([one.as_dict() for one in reports], ensure_ascii=False),
        }
