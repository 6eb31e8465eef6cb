"""What the actions on OpenERP share: the Windows host, its PostgreSQL and OpenERP's ports, by the task's options.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ._backup.windows import WindowsMachine
from ._openerp.look import Target
from ._openerp.manage import target_of
from ._windows_action import WindowsAction


class OpenErpAction(WindowsAction):
    """An action on a Windows host with OpenERP."""

    @contextlib.contextmanager
    def target(self, task_vars: dict[str, Any], arguments: dict[str, Any]) -> Iterator[Target]:
        """Give the task's host.

        Raises:
            OptionError: an option cannot be used.
            WindowsError: the session cannot be opened.
        """
        with self.session(task_vars) as session:
            yield target_of(session, WindowsMachine(session, service=arguments["service"]), arguments)
