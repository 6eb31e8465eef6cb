# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module ios_backup."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants as C
from ansible.plugins.loader import connection_loader
from ansible.utils.display import Display
from ansible_collections.lycee.openerp.plugins.connection.netmiko import Connection
from ansible_collections.lycee.openerp.plugins.modules.ios_backup import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import LyceeAction, argument_spec
from ansible_collections.lycee.openerp.plugins.plugin_utils._errors import LyceeError
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.archive import Archive
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.backup import BackupOptions, backup, backup_names
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.errors import IosError, OptionError
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.pool import run_pool

_CONNECTION = "lycee.openerp.netmiko"
display = Display()


class ActionModule(LyceeAction):
    """Back up the task's device, or with ``hosts`` many devices from one task."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        options = BackupOptions(
            captures=backup_names(arguments["captures"]),
            minimum_ratio=arguments["minimum_ratio"],
            force=arguments["force"],
            volatile=tuple(_expressions(arguments["volatile"])),
            check=self.check_mode,
            diff=self.diff_mode,
        )
        root = Path(arguments["archive"]).expanduser()
        if arguments["hosts"] is None:
            return self._one(root, options, task_vars)
        return self._batch(root, options, arguments, task_vars)

    def _one(self, root: Path, options: BackupOptions, task_vars: dict[str, Any]) -> dict[str, Any]:
        host = str(task_vars["inventory_hostname"])
        connection = self._connection
        if not isinstance(connection, Connection):
            raise OptionError(
                f"{host}: ios_backup needs ansible_connection: {_CONNECTION}, and the connection is "
                f"'{self._task.connection}'"
            )
        result = backup(host, partial(_open, connection, host), _archive(root, connection), options)
        if result.get("unreachable"):
            # Ansible counts a host as unreachable only when its result does not say failed as well.
            del result["failed"]
        return result

    def _batch(
        self, root: Path, options: BackupOptions, arguments: dict[str, Any], task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        hosts = list(dict.fromkeys(arguments["hosts"]))
        connections: dict[str, Connection | str] = {
            host: self._connection_of(host, task_vars["hostvars"]) for host in hosts
        }

        def work(host: str) -> dict[str, Any]:
            connection = connections[host]
            if isinstance(connection, str):
                return {"host": host, "changed": False, "failed": True, "msg": connection}
            return backup(host, partial(_open, connection, host), _archive(root, connection), options)

        count = 0

        def progress(result: dict[str, Any]) -> None:
            nonlocal count
            count += 1
            state = "failed" if result.get("failed") else "changed" if result["changed"] else "unchanged"
            display.display(f"[{count}/{len(hosts)}] {result['host']}: {state} ({result.get('duration_s', 0):.1f} s)")

        results = run_pool(
            hosts,
            work,
            workers=arguments["workers"],
            processes=arguments["processes"] or os.cpu_count() or 1,
            progress=progress,
        )
        failed = [result for result in results if result.get("failed")]
        answer: dict[str, Any] = {
            "changed": any(result["changed"] for result in results),
            "results_by_host": {result["host"]: {k: v for k, v in result.items() if k != "diff"} for result in results},
            "failed_hosts": [result["host"] for result in failed],
            "diff": [part for result in results for part in result.get("diff", [])],
            "warnings": [text for result in results for text in result.get("warnings", [])],
        }
        if failed:
            answer["failed"] = True
            others = ", the others are saved" if len(failed) < len(hosts) else ""
            sentences = " | ".join(result["msg"] for result in failed)
            answer["msg"] = f"{len(failed)} of {len(hosts)} devices failed{others}. {sentences}"
        return answer

    def _connection_of(self, host: str, hostvars: Any) -> Connection | str:
        """Return the connection of ``host``, built from its own variables, or the sentence that says why not."""
        try:
            variables = hostvars[host]
        except KeyError:
            return f"{host}: no such host in the inventory; correct the list of hosts"
        connection = connection_loader.get(_CONNECTION, self._play_context)
        names = C.config.get_plugin_vars("connection", connection._load_name)
        try:
            connection.set_options(var_options={name: variables[name] for name in names if name in variables})
        except Exception as error:  # templates and vaults of one host may fail in any way; the others go on
            return f"{host}: its variables cannot be read: {' '.join(str(error).split())[:200]}"
        return connection


def _open(connection: Connection, host: str) -> Any:
    try:
        return connection.open_session(host)
    except IosError:
        raise
    except LyceeError as error:
        raise IosError(f"{host}: {error}") from None


def _archive(root: Path, connection: Connection) -> Archive:
    return Archive(root, str(connection.get_option("encoding")))


def _expressions(expressions: list[str]) -> list[str]:
    for expression in expressions:
        try:
            re.compile(expression)
        except re.error as error:
            raise OptionError(f"volatile holds '{expression}', which is no regular expression: {error}") from None
    return expressions
