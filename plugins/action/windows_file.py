# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module windows_file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.lycee.openerp.plugins.modules.windows_file import DOCUMENTATION
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import argument_spec
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import OptionError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.manage import manage_file
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows_action import WindowsAction


class ActionModule(WindowsAction):
    """Bring a file to the wanted bytes."""

    SPEC: ClassVar[dict[str, Any]] = argument_spec(DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read the arguments and hand over to the library."""
        wanted = self._wanted(arguments)
        with self.lease(task_vars, f"windows_file {arguments['dest']}") as step, self.session(task_vars) as session:
            return manage_file(session, arguments, wanted, check=self.check_mode, diff=self.diff_mode, step=step)

    def _wanted(self, arguments: dict[str, Any]) -> bytes | None:
        """Return the wanted bytes, or None when the file is not to exist."""
        if arguments["state"] != "present":
            return None
        content, src = arguments["content"], arguments["src"]
        if (content is None) == (src is None):
            raise OptionError("windows_file takes one of content and src")
        if src is not None:
            try:
                return Path(self._find_needle("files", src)).read_bytes()
            except OSError as error:
                raise OptionError(f"windows_file: src {src} cannot be read ({error.strerror})") from None
        ends = {"crlf": "\r\n", "lf": "\n"}
        text = str(content)
        if arguments["newline"] in ends:
            text = text.replace("\r\n", "\n").replace("\n", ends[arguments["newline"]])
        try:
            return text.encode(arguments["encoding"])
        except (UnicodeEncodeError, LookupError) as error:
            raise OptionError(
                f"windows_file: content cannot be encoded as {arguments['encoding']} ({type(error).__name__})"
            ) from None
