# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listening socket of a Windows host: HTTP or HTTPS, authentication, and the faults of the line."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.faults import FaultSet
from lab.listener import Listener
from lab.windows import ntlm, soap
from lab.windows.certificate import server_context
from lab.windows.dfs import Directory
from lab.windows.host import Host
from lab.windows.http import HttpAnswer, HttpConnection, HttpRequest
from lab.windows.ntlm import BadMessage, Negotiation, Refused
from lab.windows.plan import WindowsPlan
from lab.windows.postgres import Installation
from lab.windows.wsman import Wsman


class WindowsEndpoint(Listener):
    """Accepts the connections of one host. The host itself is made when somebody first comes."""

    def __init__(self, plan: WindowsPlan, folder: Path, installation: Installation, certificates: Path) -> None:
        super().__init__(plan.name, plan.address, plan.port, FaultSet("windows"))
        self.plan = plan
        for name, value in plan.faults:
            self.faults.set(name, value)
        self._folder, self._installation, self._certificates = folder, installation, certificates
        self._tls: ssl.SSLContext | None = None
        self._connections: set[HttpConnection] = set()
        self._wsman: Wsman | None = None
        self.find_host: Callable[[str], Host | None] = lambda name: None
        self.reach: Callable[[str], tuple[str, bool] | None] = lambda name: None
        self.directory: Directory | None = None

    @property
    def made_host(self) -> Host | None:
        """The host behind, when somebody has asked it something already."""
        return self._wsman.host if self._wsman else None

    @property
    def wsman(self) -> Wsman:
        """The service behind, made when it is first needed."""
        if self._wsman is None:
            self._wsman = Wsman(Host(self.plan, self._folder, self._installation, self.faults))
            self._wsman.host.power.on_cut = self._cut
            self._wsman.host.find_host = self.find_host
            self._wsman.host.reach = self.reach
            if self.directory:
                self._wsman.host.dfs.join(self.directory)
        return self._wsman

    @property
    def host(self) -> Host:
        """The host behind."""
        return self.wsman.host

    def _drop(self, reset: bool = False) -> None:
        for connection in list(self._connections):
            connection.drop(reset)
        self._drop_mute()

    def _cut(self) -> None:
        """The host lost power."""
        self.close()
        self._drop(reset=True)
        if self._wsman:
            self._wsman.shells.drop_all()

    @property
    def is_dark(self) -> bool:
        """Whether the host has no power."""
        return self._wsman is not None and self._wsman.host.power.lost

    def refresh(self) -> None:
        """Follow the faults."""
        if self._wsman or "no_power" in self.faults:
            self.host.power.follow()
        if "off" in self.faults or self.is_dark:
            self.close()
            self._drop()
        else:
            self.open()
        if "mute" not in self.faults:
            self._drop_mute()
        if self._wsman:
            self._wsman.host.scm.release()
            self._wsman.host.disk.follow()
            self._wsman.host.disks.follow()

    def shut(self) -> None:
        """The end of the lab: nobody listens, everybody is dropped."""
        self.close()
        self._drop()
        if self._wsman:
            self._wsman.shells.drop_all()

    async def start(self) -> None:
        """Bring up what must be there before the first request: the database, and OpenERP."""
        if self.plan.postgresql or self.plan.openerp:
            try:
                await self.host.prepare()
            except LabError as error:
                raise LabError(f"host {self.plan.name}: {error.sentence}") from None
            if self.is_dark:  # it has no power from the beginning: what was prepared is there, and does not run
                self.host.power.lost = False
                self.host.power.cut()

    async def end(self) -> None:
        """Stop what runs outside this process."""
        if self._wsman:
            await self._wsman.host.end()

    def _admit(self, connection: socket.socket) -> bool:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return True

    async def _serve(self, connection: socket.socket) -> None:
        if self.plan.scheme == "https" and self._tls is None:
            self._tls = await asyncio.to_thread(server_context, self._certificates, self.plan)
        protocol = HttpConnection(self._answer, lambda: self.faults.number("cut"), self._connections.discard)
        self._connections.add(protocol)
        self.host.counters.connections += 1
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection, ssl=self._tls)
        except OSError:
            self._connections.discard(protocol)
            connection.close()

    async def _answer(self, request: HttpRequest, connection: HttpConnection) -> HttpAnswer:
        self.host.counters.requests += 1
        pause = self.faults.seconds("slow")
        if pause:
            await asyncio.sleep(pause)
        self.faults.strike()
        if self.faults.cuts_power():
            self.host.power.cut()
            return HttpAnswer(500, close=True)
        if request.path.split("?")[0].rstrip("/").lower() != "/wsman":
            return HttpAnswer(404)
        if request.method != "POST":
            return HttpAnswer(405)
        header = request.headers.get("authorization", "")
        if not header and connection.identity is None:
            if "wsmanidentify" in request.headers and Wsman.is_identify(request.body):
                return HttpAnswer(200, soap.identify(self.plan.version, False))
            return self._challenge()
        extra: list[tuple[str, str]] = []
        if header:
            scheme, _unused, value = header.partition(" ")
            answer = self._authenticate(scheme, value.strip(), connection, extra)
            if answer is not None:
                return answer
        return await self._serve_body(request, connection, extra)

    def _challenge(self) -> HttpAnswer:
        headers = [("WWW-Authenticate", "Negotiate")]
        if self.plan.basic:
            headers.append(("WWW-Authenticate", 'Basic realm="WSMAN"'))
        return HttpAnswer(401, headers=headers)

    def _refuse(self, connection: HttpConnection) -> HttpAnswer:
        connection.identity = connection.negotiation = None
        self.host.counters.refused_logins += 1
        return self._challenge()

    def _authenticate(
        self, scheme: str, value: str, connection: HttpConnection, extra: list[tuple[str, str]]
    ) -> HttpAnswer | None:
        """None when the user is known, else the answer that the handshake needs now."""
        kind = scheme.lower()
        if kind == "basic":
            allowed = self.plan.basic and (self.plan.scheme == "https" or self.plan.allow_unencrypted)
            if not allowed or not self._basic(value, connection):
                return self._refuse(connection)
            return None
        if kind not in ("negotiate", "ntlm"):
            return self._refuse(connection)
        try:
            token = base64.b64decode(value, validate=True)
        except ValueError:
            return HttpAnswer(400, close=True)
        negotiation = connection.negotiation
        if not isinstance(negotiation, Negotiation) or token.startswith(b"NTLMSSP\0\x01"):
            negotiation = connection.negotiation = Negotiation(scheme, self.plan.computer_name)
            connection.identity = None
        try:
            out, user = negotiation.step(token, self.host.accounts.credentials())
        except Refused:
            return self._refuse(connection)
        if user is None:
            shown = base64.b64encode(out).decode()
            return HttpAnswer(401, headers=[("WWW-Authenticate", f"{scheme} {shown}")])
        if "wrong_password" in self.faults:
            return self._refuse(connection)
        connection.identity = user
        if out:
            extra.append(("WWW-Authenticate", f"{scheme} {base64.b64encode(out).decode()}"))
        return None

    def _basic(self, value: str, connection: HttpConnection) -> bool:
        try:
            name, password = ntlm.basic(value)
        except Refused:
            return False
        account = self.host.accounts.user(name)
        good = account is not None and not account.disabled and account.password == password
        if not good or "wrong_password" in self.faults:
            return False
        connection.identity, connection.negotiation = name, None
        return True

    async def _serve_body(
        self, request: HttpRequest, connection: HttpConnection, extra: list[tuple[str, str]]
    ) -> HttpAnswer:
        if not request.body:
            return HttpAnswer(200, headers=extra)
        negotiation: Any = connection.negotiation
        sealed = request.headers.get("content-type", "").lower().startswith("multipart/")
        body = request.body
        if sealed:
            if not isinstance(negotiation, Negotiation):
                return HttpAnswer(400, close=True)
            try:
                body = negotiation.unseal(body)
            except BadMessage:
                return HttpAnswer(400, close=True)
        elif self.plan.scheme != "https" and not self.plan.allow_unencrypted:
            # AllowUnencrypted=false: a clear body is not served.
            return HttpAnswer(500, close=True)
        status, envelope = await self.wsman.answer(str(connection.identity), body)
        if sealed:
            return HttpAnswer(status, negotiation.seal(envelope), ntlm.SEALED_TYPE, extra)
        return HttpAnswer(status, envelope, headers=extra)

    def row(self) -> dict[str, Any]:
        """The row of ``lab status``; a host that nobody came to is not made for it."""
        counters = self._wsman.host.counters if self._wsman else None
        shells = self._wsman.shells.open if self._wsman else {}
        return {
            "host": self.plan.name,
            "kind": "windows",
            "address": self.plan.address,
            "port": self.plan.port,
            "transport": f"winrm/{self.plan.scheme}",
            "model": self.plan.edition,
            "version": self.plan.version,
            "serial": self.plan.machine_sid,
            "hostname": self.plan.computer_name,
            "faults": self.faults.names(),
            "powered": "off" not in self.faults and not self.is_dark,
            "open_sessions": len(self._connections),
            "sessions": counters.connections if counters else 0,
            "commands": counters.commands if counters else 0,
            "refused_logins": counters.refused_logins if counters else 0,
            "unsaved": False,
            "requests": counters.requests if counters else 0,
            "shells": counters.shells if counters else 0,
            "open_shells": len(shells),
        }
