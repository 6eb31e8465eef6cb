# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module postgresql_catalog_info."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.modules.postgresql_catalog_info import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import LyceeAction, argument_spec
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.catalog import DATABASE, Catalog, find, overview
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.errors import CatalogError
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.report import overview_table
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup_action import catalog_root


class ActionModule(LyceeAction):
    """Read the catalogs."""

    _requires_connection = False
    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and the catalogs."""
        root = catalog_root(arguments)
        names = arguments["sets"] or sorted(path.parent.name for path in root.glob("*/items"))
        if not names and arguments["database"] is not None:
            raise CatalogError(f"{root} holds no catalog; correct catalog_dir, or make a backup first")
        now = datetime.now(UTC)
        contexts: list[dict[str, Any]] = []
        result: dict[str, Any] = {"changed": False}
        problems: list[CatalogError] = []
        warnings: list[str] = []
        ages = []
        for name in names:
            try:
                catalog = Catalog(root, name)
                if not catalog.items and arguments["sets"]:
                    raise CatalogError(f"{root} holds no catalog of the set {name}; correct sets")
            except CatalogError as error:
                if arguments["sets"]:
                    raise
                # One that is damaged, or whose first night failed, does not hide the others.
                warnings.append(str(error))
                continue
            items = catalog.of_kind(DATABASE)
            lines = {line["name"]: {"set": name, **line} for line in overview(items, now)}
            if arguments["database"] is not None:
                items = [item for item in items if item.name == arguments["database"]]
                for item in items:
                    result["backups"] = [*result.get("backups", []), *(asdict(one) for one in item.backups)]
                    try:
                        found = {"set": name, **asdict(find(item, arguments["date"]))}
                    except CatalogError as error:
                        problems.append(error)
                    else:
                        result["found"] = [*result.get("found", []), found]
            here = [lines[item.name] for item in items]
            ages += [line["age_hours"] for line in here if line["on_server"] and line["age_hours"] is not None]
            contexts += here
        if arguments["database"] is not None and not contexts:
            raise CatalogError(
                f"{arguments['database']}: no catalog in {root} holds such a database; look at the table of all"
            )
        if problems and "found" not in result:
            raise problems[0]
        return {
            **result,
            "contexts": contexts,
            "warnings": warnings,
            "oldest_hours": max(ages, default=None),
            "table": overview_table(contexts) if contexts else [f"Nothing is saved yet: {root} holds no catalog"],
        }
