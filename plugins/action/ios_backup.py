# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module ios_backup."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.connection.netmiko import Connection
from ansible_collections.lycee.openerp.plugins.modules.ios_backup import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import (
    Connections,
    LyceeAction,
    argument_spec,
    batch,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._errors import LyceeError
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.archive import Archive
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.backup import BackupOptions, backup, backup_names
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.errors import IosError, OptionError

_CONNECTION = "lycee.openerp.netmiko"


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
        connections = Connections(_CONNECTION, task_vars["hostvars"], self._play_context)

        def work(host: str) -> dict[str, Any]:
            connection = connections.of(host)
            return backup(host, partial(_open, connection, host), _archive(root, connection), options)

        return batch(
            arguments["hosts"], work, workers=arguments["workers"], processes=arguments["processes"], noun="devices"
        )


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
