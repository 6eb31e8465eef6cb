# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pywinrm session for the tests: shells, commands, WMI."""

from __future__ import annotations

from typing import Any

import xmltodict
from winrm.protocol import Protocol

WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"


class Remote:
    """A real pywinrm session with a host of the lab."""

    def __init__(self, place: tuple[str, int], user: str, password: str = "Cahier-2026", **options: Any) -> None:
        scheme = options.pop("scheme", "http")
        settings = {"transport": "ntlm", "message_encryption": "auto", "server_cert_validation": "ignore", **options}
        self.protocol = Protocol(
            f"{scheme}://{place[0]}:{place[1]}/wsman", username=user, password=password, **settings
        )
        self.shell = ""
        self.code_page = 0

    def open(self, code_page: int = 850, **options: Any) -> str:
        """Open the shell that run uses."""
        self.code_page = code_page
        self.shell = self.protocol.open_shell(codepage=code_page, **options)
        return self.shell

    def start(self, line: str, *arguments: str, skip: bool = False) -> str:
        """Start a command, return its id."""
        if not self.shell:
            self.open()
        return self.protocol.run_command(self.shell, line, arguments, console_mode_stdin=False, skip_cmd_shell=skip)

    def raw(
        self, line: str, *arguments: str, skip: bool = False, stdin: bytes | None = None
    ) -> tuple[int, bytes, bytes]:
        """Run a command: exit code and the bytes it wrote."""
        command = self.start(line, *arguments, skip=skip)
        data = stdin or b""
        try:
            for position in range(0, len(data), 60000):
                part = data[position : position + 60000]
                self.protocol.send_command_input(self.shell, command, part, position + 60000 >= len(data))
            out, error, code = self.protocol.get_command_output(self.shell, command)
        finally:
            self.protocol.cleanup_command(self.shell, command)
        return code, out, error

    def run(self, line: str, *arguments: str, **options: Any) -> tuple[int, str, str]:
        """Run a command: exit code and text."""
        code, out, error = self.raw(line, *arguments, **options)
        codec = "utf-8" if self.code_page == 65001 else f"cp{self.code_page}"
        return code, out.decode(codec).replace("\r\n", "\n"), error.decode(codec).replace("\r\n", "\n")

    def wsman(self, action: str, resource: str, body: Any = None, **selectors: str) -> Any:
        """Send any envelope; the parsed body of the answer."""
        envelope = self.protocol.build_wsman_header(action, resource)
        if selectors:
            chosen = [{"@Name": name, "#text": value} for name, value in selectors.items()]
            envelope["env:Header"]["w:SelectorSet"] = {"w:Selector": chosen}
        envelope["env:Body"] = body or {}
        answer = self.protocol.send_message(xmltodict.unparse({"env:Envelope": envelope}))
        return xmltodict.parse(answer)["s:Envelope"]["s:Body"]

    def get(self, name: str, namespace: str = "root/cimv2", **selectors: str) -> dict[str, Any]:
        """WMI Get, property names without prefix."""
        action = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
        found = self.wsman(action, f"{WMI}{namespace}/{name}", **selectors)[f"p:{name}"]
        return {key[2:]: value for key, value in found.items() if key.startswith("p:")}

    def invoke(self, name: str, method: str, arguments: dict[str, Any], namespace: str = "root/cimv2",
               **selectors: str) -> dict[str, Any]:  # fmt: skip
        """WMI method."""
        uri = f"{WMI}{namespace}/{name}"
        given = {f"p:{key}": value for key, value in arguments.items()}
        body = {f"p:{method}_INPUT": {"@xmlns:p": uri, **given}}
        found = self.wsman(f"{uri}/{method}", uri, body, **selectors)[f"p:{method}_OUTPUT"]
        return {key[2:]: value for key, value in found.items() if key.startswith("p:")}

    def service(self, name: str) -> dict[str, Any]:
        """Win32_Service."""
        return self.get("Win32_Service", Name=name)

    def until(self, name: str, state: str) -> list[str]:
        """Read a service until it is in a state; the states that were seen."""
        seen: list[str] = []
        for _attempt in range(400):
            now = self.service(name)["State"]
            if not seen or seen[-1] != now:
                seen.append(now)
            if now == state:
                return seen
        raise AssertionError(f"{name} is {seen[-1]}, not {state}")

    def close(self) -> None:
        """Close the shell."""
        if self.shell:
            self.protocol.close_shell(self.shell)
            self.shell = ""
