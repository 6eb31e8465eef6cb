# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server process: all the devices and hosts of a plan, and the control channel."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import logging
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lab import control, memory, realtool
from lab.errors import LabError
from lab.faults import KINDS
from lab.ios.console import run_lines
from lab.ios.device import Device, KnownSecrets
from lab.ios.endpoint import Endpoint
from lab.ios.hostkeys import HostKeys
from lab.linux.host import LinuxHost
from lab.linux.plan import LinuxPlan
from lab.plan import Plan
from lab.windows.dfs import Directory
from lab.windows.endpoint import WindowsEndpoint
from lab.windows.host import Host
from lab.windows.plan import WindowsPlan
from lab.windows.postgres import Installation


def _has_tables(hosts: Iterable[WindowsPlan | LinuxPlan]) -> bool:
    """Whether one of these has a database that is not empty."""
    return any(item["tables"] for host in hosts if host.postgresql for item in host.postgresql["databases"])


Played = Endpoint | WindowsEndpoint | LinuxHost


class Lab:
    """What is up."""

    def __init__(self, plan: Plan, folder: Path, keys: Path) -> None:
        self.plan = plan
        self.started = time.time()
        known, host_keys = KnownSecrets(), HostKeys(keys)
        self.devices: dict[str, Endpoint] = {}
        for device in plan.devices:
            self.devices[device.name] = Endpoint(Device(device, known), host_keys)
        self.windows: dict[str, WindowsEndpoint] = {}
        self._installation = installation = Installation(keys.parent.parent)  # templates are shared by all inventories
        drives, homes = folder / "windows", folder / "linux"
        memory.put(drives, _has_tables(plan.windows))  # each up plays the inventory from its beginning
        memory.put(homes, _has_tables(plan.linux))
        for host in plan.windows:
            self.windows[host.name] = WindowsEndpoint(host, drives / host.name, installation, keys)
        self.directory = Directory(
            plan.windows, lambda name: self.windows[name].host, lambda name: self.windows[name].made_host
        )
        for endpoint in self.windows.values():
            endpoint.find_host = self._computer
            endpoint.reach = self._reach
            endpoint.directory = self.directory
        self.linux = {item.name: LinuxHost(item, homes / item.name, installation, keys) for item in plan.linux}
        if any(host.cygwin for host in plan.windows):
            realtool.rsync()
        self.endpoints: dict[str, Played] = {**self.devices, **self.windows, **self.linux}
        self.stop = asyncio.Event()

    def open(self) -> None:
        """Listen for every device, or for none: raises LabError at the first that cannot."""
        try:
            for endpoint in self.endpoints.values():
                endpoint.refresh()
        except LabError:
            self.shut()
            raise

    async def start(self) -> None:
        """Bring up what the hosts need behind their sockets. Raises LabError."""
        databases = [endpoint.start() for endpoint in self.windows.values()
                     if endpoint.plan.postgresql or endpoint.plan.openerp]  # fmt: skip
        await asyncio.gather(*databases, *(host.start() for host in self.linux.values()))

    def shut(self) -> None:
        """Close everything."""
        for endpoint in self.endpoints.values():
            endpoint.shut()

    async def end(self) -> None:
        """Stop what runs outside this process."""
        await self.directory.end()
        hosts: list[WindowsEndpoint | LinuxHost] = [*self.windows.values(), *self.linux.values()]
        await asyncio.gather(*(host.end() for host in hosts))
        self._installation.clean()

    def _computer(self, name: str) -> Host | None:
        """A Windows host that is on, by its computer name, its name in the inventory or its address."""
        for endpoint in self.windows.values():
            plan = endpoint.plan
            if name.lower() in (plan.name.lower(), plan.computer_name.lower(), plan.address):
                return None if "off" in endpoint.faults else endpoint.host
        return None

    def _reach(self, name: str) -> tuple[str, bool] | None:
        """(address, whether it answers a ping) of a host of the lab by any of its names; an address of nobody never answers."""
        low = name.lower()
        for endpoint in self.endpoints.values():
            plan = endpoint.device.plan if isinstance(endpoint, Endpoint) else endpoint.plan
            names = {plan.name.lower(), plan.address}
            faults = endpoint.device.faults if isinstance(endpoint, Endpoint) else endpoint.faults
            if isinstance(endpoint, WindowsEndpoint):
                computer = endpoint.plan.computer_name.lower()
                names |= {computer, f"{computer}.{endpoint.plan.domain.lower()}"}
            if low in names:
                dark = isinstance(endpoint, WindowsEndpoint) and endpoint.is_dark
                return plan.address, "off" not in faults and not dark
        try:
            return (str(ipaddress.ip_address(name)), False)
        except ValueError:
            return None

    def _check(self, host: str) -> None:
        if host not in self.endpoints:
            raise LabError(f"the lab plays no host {host!r}; it plays: {', '.join(self.endpoints)}", 2)

    def _endpoint(self, host: str) -> Endpoint:
        self._check(host)
        if host not in self.devices:
            kind = "Windows" if host in self.windows else "Linux"
            raise LabError(f"{host} is a {kind} host; only IOS devices have a console and a power switch here", 2)
        return self.devices[host]

    def _windows(self, host: str) -> WindowsEndpoint:
        self._check(host)
        if host not in self.windows:
            what = "an IOS device" if host in self.devices else "a Linux host"
            raise LabError(f"{host} is {what}; only Windows hosts have this", 2)
        return self.windows[host]

    async def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the control channel."""
        operation = request["op"]
        if operation == "ping":
            return {"pid": os.getpid(), "digest": self.plan.digest()}
        if operation == "status":
            return self._status()
        if operation == "stop":
            self.stop.set()
            return {"pid": os.getpid()}
        if operation == "fault":
            return self._fault(request["host"], request["name"], request.get("value"))
        if operation == "console":
            output, refusals = await run_lines(self._endpoint(request["host"]).device, request["lines"])
            return {"output": output, "refusals": refusals}
        if operation == "power_cycle":
            endpoint = self._endpoint(request["host"])
            endpoint.device.power_cycle(endpoint.device.plan.reload_time)
            await endpoint.on.wait()
            return {"seconds": endpoint.device.plan.reload_time}
        if operation == "state":
            return {"state": self._windows(request["host"]).host.dump()}
        if operation == "requests":
            return {"lines": list(self._windows(request["host"]).host.log)}
        raise LabError(f"the lab knows no request {operation!r}", 2)

    def _fault(self, host: str, name: str, value: str | None) -> dict[str, Any]:
        known = {key for faults in KINDS.values() for key in faults}
        named = value if name == "clear" else name
        if named is not None and named not in known:
            names = ", ".join(dict.fromkeys(key for faults in KINDS.values() for key in faults))
            raise LabError(f"there is no fault {named!r}; choose one of: {names}, or clear", 2)
        if host == "all":
            chosen = [item for item in self.endpoints.values() if name == "clear" or name in KINDS[_kind(item)]]
        else:
            self._check(host)
            chosen = [self.endpoints[host]]
        for endpoint in chosen:
            faults = endpoint.device.faults if isinstance(endpoint, Endpoint) else endpoint.faults
            if name == "clear" and value is not None:
                faults.drop(value)
            elif name == "clear":
                faults.clear()
            else:
                faults.set(name, value)
            endpoint.refresh()
        return {"faults": {row["host"]: row["faults"] for row in map(_row, chosen)}}

    def _status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "inventory": self.plan.inventory,
            "since": self.started,
            "devices": [_row(endpoint) for endpoint in self.endpoints.values()],
            "skipped": self.plan.skipped,
        }


def _kind(endpoint: Played) -> str:
    return "ios" if isinstance(endpoint, Endpoint) else endpoint.plan.kind


def _row(endpoint: Played) -> dict[str, Any]:
    """One row of the status."""
    if not isinstance(endpoint, Endpoint):
        return endpoint.row()
    device = endpoint.device
    plan, counters = device.plan, device.counters
    return {
        "host": plan.name,
        "kind": plan.kind,
        "address": plan.address,
        "port": plan.port,
        "transport": plan.transport,
        "model": plan.model,
        "version": plan.ios_version,
        "serial": plan.serial,
        "hostname": device.hostname,
        "faults": device.faults.names(),
        "powered": device.powered,
        "open_sessions": len(device.sessions),
        "sessions": counters.sessions,
        "commands": counters.commands,
        "refused_logins": counters.refused_logins,
        "unsaved": device.is_unsaved,
    }


def _watch_owner(pid: int, lab: Lab) -> None:
    """End with the process that asked for the lab, so that a killed test leaves nothing behind."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        raise LabError(f"the owner, process {pid}, has already ended") from None
    asyncio.get_running_loop().add_reader(descriptor, lab.stop.set)


def _raise_file_limit() -> None:
    """One descriptor per device and per session: take what the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))


async def serve(folder: Path, keys: Path, plan: Plan, owner_pid: int | None, ready: int) -> None:
    """Play a plan until told to stop.

    Args:
        folder: state folder with the control socket. ready: file descriptor that gets one line of JSON when all
            devices listen, or the reason why they do not.
    """
    loop = asyncio.get_running_loop()
    lab = Lab(plan, folder, keys)
    try:
        lab.open()
        await lab.start()
    except LabError:
        lab.shut()
        await lab.end()
        memory.clean()
        raise
    if owner_pid is not None:
        _watch_owner(owner_pid, lab)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lab.stop.set)
    server = await control.listen(folder, lab.handle)
    gc.freeze()  # the plan and the grammars live as long as the process: no need to look at them again
    os.write(ready, b"{}\n")
    os.close(ready)
    await lab.stop.wait()
    server.close()
    (folder / control.SOCKET).unlink(missing_ok=True)
    lab.shut()
    await lab.end()
    for name in ("windows", "linux"):
        memory.remove(folder / name)
    memory.clean()
    await asyncio.sleep(0.02)  # let the last bytes of the answer to "stop" go


def main(folder: Path, keys: Path, owner_pid: int | None, ready: int) -> int:
    """Entry of the server process: the plan comes on standard input."""
    import json

    # cryptography warns on every old key exchange; that is what this lab is for.
    warnings.filterwarnings("ignore")
    # asyncio warns about each byte for a client that has gone; for a lab that cuts lines this is daily business.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    _raise_file_limit()
    plan = Plan.from_json(sys.stdin.read())
    try:
        asyncio.run(serve(folder, keys, plan, owner_pid, ready))
    except LabError as error:
        os.write(ready, json.dumps({"error": error.sentence}).encode() + b"\n")
        return 1
    return 0
