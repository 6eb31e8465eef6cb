"""What the actions of the database backup share: the machine behind the task's connection, and options by name.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ansible.plugins.loader import connection_loader

from ._action import LyceeAction
from ._backup.destinations import Settings, settings_of
from ._backup.errors import OptionError
from ._backup.local import LocalMachine
from ._backup.machine import Machine
from ._backup.posix import AnsibleTransport, PosixMachine, Transport
from ._backup.tools import find_programs
from ._lease import lease

_LOCAL, _WINRM = "local", "winrm"
#: Connections that speak to a POSIX shell and give standard input to a command.
_POSIX = ("ssh",)


class BackupAction(LyceeAction):
    """An action on a server of either kind."""

    @contextlib.contextmanager
    def leases(self, task_vars: dict[str, Any], job: str, root: Path, set_name: str) -> Iterator[Callable[[str], None]]:
        """Hold the lease of the host and that of the set, whose catalog another host's job may work on; check mode needs none.

        Raises:
            LeaseError: another job holds one of them.
        """
        with contextlib.ExitStack() as stack:
            step = stack.enter_context(self.lease(task_vars, job))
            if not self.check_mode:
                stack.enter_context(lease(root / "leases", set_name, job, "these backups"))
            yield step

    @contextlib.contextmanager
    def machine(self, task_vars: dict[str, Any], service: str | None) -> Iterator[Machine]:
        """Give the task's host.

        Raises:
            OptionError: its connection is none that this can use.
            WindowsError: the session cannot be opened.
        """
        host = str(task_vars["inventory_hostname"])
        name = str(getattr(self._connection, "_load_name", "")).rpartition(".")[2]
        if self._play_context.become and name != _WINRM:
            raise OptionError(f"{host}: become is not used here; log in as a user who may run PostgreSQL's programs")
        if name == _WINRM:
            # Here and not above: pywinrm and what it needs take longer to load than all else, and a Linux server has no use for it.
            from ._backup.windows import WindowsMachine
            from ._windows_action import open_session

            with open_session(host, self._connection) as session:
                yield WindowsMachine(session, service=service)
        elif name == _LOCAL:
            yield LocalMachine(host)
        elif name in _POSIX:
            yield PosixMachine(host, lambda: self._ssh(host, name))
        else:
            raise OptionError(
                f"{host}: this needs ansible_connection: winrm, ssh or local, and the connection is '{name}'"
            )

    def _ssh(self, host: str, name: str) -> Transport:
        """Return a connection of its own, with the task's options: one is not made for several threads."""
        connection = connection_loader.get(name, self._play_context)
        connection._options = self._connection._options
        for attribute in ("_load_name", "host", "port", "user", "control_path", "control_path_dir"):
            with contextlib.suppress(AttributeError):
                setattr(connection, attribute, getattr(self._connection, attribute))
        return AnsibleTransport(host, connection)


def destinations_of(arguments: dict[str, Any]) -> list[Settings]:
    """Return the destinations, from the arguments.

    Raises:
        OptionError: one is not complete.
    """
    return settings_of(arguments["destinations"])


def catalog_root(arguments: dict[str, Any]) -> Path:
    """Return the folder of the catalogs."""
    return Path(arguments["catalog_dir"]).expanduser()


def set_name_of(arguments: dict[str, Any], task_vars: dict[str, Any]) -> str:
    """Return the name of the set.

    Raises:
        OptionError: it cannot be a folder's name.
    """
    name = str(arguments["set"] or task_vars["inventory_hostname"])
    if (
        not name.isascii()
        or not all(character.isalnum() or character in "-_." for character in name)
        or name[0] in ".-_"
    ):
        raise OptionError(f"set '{name}' is no name of a folder; letters, digits, dots and hyphens are")
    return name


def programs_of(arguments: dict[str, Any]) -> Path:
    """Return the folder of the controller's PostgreSQL programs.

    Raises:
        ToolError: there are none.
    """
    return find_programs(arguments["local_pg_bin"])
