# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands behind the two services of OpenERP while they run.

Sources: facts/openerp.md A1, "Services"; win32/OpenERPServerService.py [K: from memory of it, not read again]: the wrapper starts
the program one folder up without an argument and with that folder as its own, waits for it, and ends it with
TerminateProcess, of which the log shows nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.errors import LabError
from lab.windows.openerp import files, netrpc, rpc, xmlrpc_http
from lab.windows.openerp.configparser2 import PythonError
from lab.windows.openerp.options import Exit
from lab.windows.openerp.process import Server
from lab.windows.openerp.sockets import Sockets
from lab.windows.openerp.web import WebClient, WebFailure
from lab.windows.processes import Process
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.host import Host
    from lab.windows.services import Service

_KINDS = {path.rpartition("\\")[2].lower(): kind for kind, path in files.WRAPPERS.items()}
_ANYWHERE = ("", "0.0.0.0", "False", "None")  # noqa: S104 (what a conf may hold)


def kind_of(service: Service) -> str | None:
    """``server`` or ``web`` for a service of OpenERP, told by its image."""
    return _KINDS.get(service.image.rpartition("\\")[2].lower())


def _nowhere(data: bytes) -> None:
    """CREATE_NO_WINDOW: the program has no console."""


@dataclass
class Running:
    """One program behind a service. ``pid``: its own, not the wrapper's."""

    service: Service
    pid: int
    path: str
    sockets: Sockets
    server: Server | None = None
    task: asyncio.Task[None] | None = None

    def end(self) -> None:
        """TerminateProcess."""
        if self.task:
            self.task.cancel()
        self.sockets.end()
        if self.server:
            self.server.end()


class Runtime:
    """The programs of OpenERP that run on a host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._running: dict[str, Running] = {}

    def image_error(self, service: Service) -> int:
        """Why the wrapper itself cannot be started: 2 or 3 absent, 193 no program; 0 it can."""
        if kind_of(service) is None:
            return 0
        real = self._host.drive.find(self._host.drive.absolute(service.image))
        if real is None or not real.is_file():
            return 2 if self._host.drive.is_folder(self._host.drive.absolute(service.image).rpartition("\\")[0]) else 3
        return 0 if files.is_sealed(real.read_bytes()) else 193

    async def up(self) -> None:
        """The lab comes up: what the inventory says is running starts. Raises LabError for a port that is taken."""
        for service in list(self._host.scm.services.values()):
            if kind_of(service) and service.state == "Running":
                await self._start(service)

    async def started(self, service: Service) -> None:
        """A service of OpenERP has reached RUNNING: its wrapper starts the program."""
        if kind_of(service) is None:
            return
        try:
            await self._start(service)
        except LabError as error:
            logging.error("%s", error.sentence)
            self._died(service)

    async def _start(self, service: Service) -> None:
        host, kind = self._host, kind_of(service)
        folder = host.drive.absolute(service.image).rpartition("\\")[0].rpartition("\\")[0]
        if host.drive.find(folder) is not None:
            folder = host.drive.true_case(folder)
        running = Running(service, host.new_pid(), f"{folder}\\{files.PROGRAMS[kind or '']}", Sockets())
        self.stopped(service)
        self._running[service.name.lower()] = running
        if (host.faults.text("service_dies") or "").lower() == service.name.lower():
            self._died(service)
            return
        try:
            if kind == files.SERVER:
                await self._start_server(running, folder)
            else:
                await self._start_web(running, folder)
        except (Exit, WebFailure, PythonError):
            self._died(service)
        except LabRefusal as refusal:
            logging.error("LAB: %s: %s", host.plan.name, refusal)
            self._died(service)
        except OSError as error:
            self._died(service)
            raise LabError(f"host {host.plan.name}: OpenERP cannot listen on {host.plan.address}: {error.strerror or error}; "
                           "end the program that has the port ('ss -ltnp' names it)") from None  # fmt: skip

    def _died(self, service: Service) -> None:
        """The program has ended by itself: the wrapper, which waits for it, goes as well."""
        self.stopped(service)
        if service.pid and service.state in ("Running", "Start Pending"):
            self._host.scm.died(service, 1067)

    async def _start_server(self, running: Running, folder: str) -> None:
        host = self._host
        server = Server(host, folder, [], folder, "SYSTEM", _nowhere, _nowhere)
        running.server = server
        services = rpc.Services(server, lambda: 5 + running.sockets.busy)
        server.banner()
        settings, say = server.settings, server.log.info

        async def dispatch(service: str, method: str, params: list[Any]) -> Any:
            return await services.dispatch(service, method, params)

        count = 0
        if settings.on("xmlrpc"):
            port = settings.port("xmlrpc_port")
            if address := self._address(settings.values["xmlrpc_interface"]):
                await running.sockets.http(
                    address, port, lambda request: xmlrpc_http.answer(request, dispatch, rpc.SERVICES, server.log)
                )
            shown = settings.text("xmlrpc_interface") or "0.0.0.0"  # noqa: S104 (a text of the log)
            say("", "web-services", f"starting HTTP service at {shown} port {port}")
            say("", "web-services", "Registered XML-RPC over HTTP")
            count += 1
        if settings.on("netrpc"):
            port = settings.port("netrpc_port")
            if address := self._address(settings.values["netrpc_interface"]):
                await running.sockets.talk(address, port, lambda reader, writer: netrpc.serve(reader, writer, dispatch))
            shown = settings.text("netrpc_interface") or "0.0.0.0"  # noqa: S104
            say("", "web-services", f"starting NET-RPC service at {shown} port {port}")
            count += 1

        def ready() -> None:
            say("", "server", f"Starting {count} services")
            say("", "server", "OpenERP server is running, waiting for connections...")

        if settings.text("db_name"):
            running.task = asyncio.get_running_loop().create_task(self._preload(running, server, ready))
        else:
            ready()

    async def _preload(self, running: Running, server: Server, ready: Callable[[], None]) -> None:
        """db_name is set: its databases are loaded before anything is served."""
        try:
            await server.preload()
            ready()
        except Exit:
            running.task = None
            self._died(running.service)

    def _address(self, interface: object) -> str:
        """Where a program listens in the lab; empty for an interface that nobody outside the host reaches."""
        text = str(interface)
        return self._host.plan.address if text in (*_ANYWHERE, self._host.plan.address) else ""

    async def _start_web(self, running: Running, folder: str) -> None:
        client = WebClient(self._host, folder)
        if address := self._address(client.interface):
            await running.sockets.http(address, client.port, client.answer)

    def stopped(self, service: Service) -> None:
        """The service stops, or its process was killed."""
        running = self._running.pop(service.name.lower(), None)
        if running:
            running.end()

    def vanish(self) -> None:
        """The power is gone, or the lab goes down."""
        for running in self._running.values():
            running.end()
        self._running.clear()

    def rows(self) -> list[Process]:
        """The programs, for the process list."""
        return [
            Process(item.pid, item.path.rpartition("\\")[2], item.path, f'"{item.path}"', item.service.pid)
            for item in self._running.values()
        ]

    def kill(self, pid: int) -> bool:
        """End a program by its number; its service notices."""
        for running in list(self._running.values()):
            if running.pid == pid:
                self._died(running.service)
                return True
        return False
