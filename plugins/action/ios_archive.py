# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module ios_archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.modules.ios_archive import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import LyceeAction, argument_spec
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.archive import Archive
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.export import export
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.git import Repository


class ActionModule(LyceeAction):
    """Commit what the runs left, remove old partial captures, and export a redacted copy where that is wanted."""

    _requires_connection = False
    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        archive = Archive(Path(arguments["archive"]).expanduser(), arguments["encoding"])
        if not self.check_mode:
            archive.prepare()
        commit = Repository(archive).commit(dry_run=self.check_mode)
        expired = archive.expired_partials(arguments["partial_keep_days"])
        if not self.check_mode:
            with archive.lock():
                for path in [*expired, *archive.leftovers()]:
                    path.unlink(missing_ok=True)
        result: dict[str, Any] = {
            "changed": bool(commit.devices) or bool(expired),
            "archive": str(archive.root),
            "commit": commit.sha,
            "devices": commit.devices,
            "commit_message": commit.message,
            "removed_partials": [str(path) for path in expired],
        }
        if arguments["export_dir"] is not None:
            exported = export(
                archive,
                Path(arguments["export_dir"]).expanduser(),
                keep_days=arguments["export_keep_days"],
                keep_minimum=arguments["export_keep_minimum"],
                dry_run=self.check_mode,
            )
            result["export"] = str(exported.path)
            result["removed_exports"] = [str(path) for path in exported.removed]
            result["changed"] = result["changed"] or exported.created or bool(exported.removed)
        return result
