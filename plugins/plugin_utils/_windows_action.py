"""What the actions on Windows hosts share: the session.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from typing import Any

from ._action import LyceeAction
from ._windows.errors import OptionError
from ._windows.options import winrm_options
from ._windows.session import Session, protocol_arguments


def open_session(host: str, connection: Any) -> Session:
    """Return the session with ``host`` by the options of its ``winrm`` connection; the caller closes it.

    Raises:
        WindowsError: the options cannot be used.
    """
    return Session(winrm_options(host, connection.get_option, protocol_arguments()))


class WindowsAction(LyceeAction):
    """An action on a Windows host. It uses nothing of Ansible's connection but its options: the rest needs PowerShell."""

    def session(self, task_vars: dict[str, Any]) -> Session:
        """Return the session with the task's host; the caller closes it.

        Raises:
            WindowsError: the connection is another one, or its options cannot be used.
        """
        host = str(task_vars["inventory_hostname"])
        name = str(getattr(self._connection, "_load_name", ""))
        if name.rpartition(".")[2] != "winrm":
            raise OptionError(f"{host}: this needs ansible_connection: winrm, and the connection is '{name}'")
        return open_session(host, self._connection)
