"""What the actions on Windows hosts share: the session.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from typing import Any

from ._action import Connections, LyceeAction
from ._continuity.marker import require_active
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

    def require_active(self, session: Session, arguments: dict[str, Any], task_vars: dict[str, Any]) -> None:
        """See that the marker on the domain controller of a pair names the task's host.

        Raises:
            OptionError: nobody said which host is the domain controller.
            ContinuityError: it names another server, or nobody.
            WindowsError: the domain controller cannot be asked.
        """
        controller = arguments["domain_controller"]
        if not controller:
            raise OptionError(
                f"{session.name}: it is the active server of a pair, and nobody said where its marker is; give domain_controller (a group "
                "domain_controllers in the inventory)"
            )
        connections = Connections("winrm", task_vars["hostvars"], self._play_context)
        with open_session(controller, connections.of(controller)) as other:
            require_active(other, arguments["marker"], session.computer_name, session.name)
