# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS-Management service of one host: which operation an envelope asks for."""

from __future__ import annotations

from lab.windows import soap
from lab.windows.host import Host
from lab.windows.shells import Shells
from lab.windows.soap import Fault, Request
from lab.windows.wmi.service import WMI_PREFIX, Wmi

_IDENTIFY = "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}Identify"


class Wsman:
    """Answers the envelopes of authenticated users."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.shells = Shells(host)
        self.wmi = Wmi(host)

    @staticmethod
    def is_identify(data: bytes) -> bool:
        """Whether a body is an Identify request."""
        try:
            body = soap.parse(data).body
        except Fault:
            return False
        return body is not None and body.find(_IDENTIFY) is not None

    async def answer(self, user: str, data: bytes) -> tuple[int, bytes]:
        """(HTTP status, envelope) for a request of a user who may or may not be an administrator."""
        message_id = ""
        try:
            request = soap.parse(data)
            message_id = request.message_id
            if request.body is not None and request.body.find(_IDENTIFY) is not None:
                return 200, soap.identify(self.host.plan.version, True)
            account = self.host.accounts.user(user)
            if account is None or not account.is_administrator:
                raise soap.denied()
            self.host.remember(f"{request.action.rsplit('/', 1)[-1]} {request.resource.rsplit('/', 1)[-1]}")
            body = await self._dispatch(account.name, request)
            return 200, soap.answer(self._reply_action(request.action), message_id, body)
        except Fault as fault:
            return fault.status, soap.fault(fault, message_id, self.host.plan.computer_name, self.host.plan.winrm3)

    @staticmethod
    def _reply_action(action: str) -> str:
        return f"{action}Response" if not action.endswith("/") else action

    async def _dispatch(self, user: str, request: Request) -> str:
        if request.resource.startswith(WMI_PREFIX):
            return await self.wmi.answer(request)
        if not request.resource.startswith(soap.SHELL_CMD):
            raise Fault(2150858752, "a:DestinationUnreachable", "The WS-Management service cannot process the request. "
                        "The resource URI is missing or it has an incorrect format. Check the documentation or use the "
                        "following command for information on how to construct a resource URI: \"winrm help uris\". ",
                        sender=True)  # fmt: skip
        shells, action = self.shells, request.action
        if action == soap.SHELL + "Receive":
            return await shells.receive(user, request)
        handler = {
            soap.TRANSFER + "Create": shells.create,
            soap.TRANSFER + "Delete": shells.delete,
            soap.SHELL + "Command": shells.command,
            soap.SHELL + "Send": shells.send,
            soap.SHELL + "Signal": shells.signal,
        }.get(action)
        if handler is None:
            raise Fault(2150858762, "a:ActionNotSupported", "The WS-Management service cannot process the request. The "
                        f"action {action} is not supported. ", sender=True)  # fmt: skip
        return handler(user, request)
