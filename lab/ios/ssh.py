# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSH server of a device, on asyncssh.

Algorithms: facts/cisco.md 3: a 2960 with 12.2 or 15.0 and an early 2901 offer diffie-hellman-group1-sha1 and
group14-sha1, an ssh-rsa key, CBC ciphers and hmac-sha1, and nothing else. They have to be named: asyncssh does not
offer all by default.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Any

import asyncssh

from lab.ios.device import Device
from lab.ios.hostkeys import HostKeys
from lab.ios.login import free_line, greeting
from lab.ios.scp import ScpServer, is_scp
from lab.ios.session import Session
from lab.ios.terminal import Disconnected, Terminal

_OLD_CIPHERS = ["aes128-cbc", "3des-cbc"]
_ALGORITHMS: dict[str, dict[str, list[str]]] = {
    "legacy": {"kex_algs": ["diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1"],
               "encryption_algs": _OLD_CIPHERS, "mac_algs": ["hmac-sha1"], "signature_algs": ["ssh-rsa"]},
    "group1": {"kex_algs": ["diffie-hellman-group1-sha1"],
               "encryption_algs": _OLD_CIPHERS, "mac_algs": ["hmac-sha1"], "signature_algs": ["ssh-rsa"]},
    "modern": {"kex_algs": ["ecdh-sha2-nistp256", "diffie-hellman-group14-sha256"],
               "encryption_algs": ["aes256-ctr", "aes128-ctr"], "mac_algs": ["hmac-sha2-256"],
               "signature_algs": ["rsa-sha2-512", "rsa-sha2-256"]},
}  # fmt: skip
# In no release of paramiko 3 or 4 (transport._preferred_kex), so that its answer is "no acceptable kex algorithm".
_KEX_FAULT = ["diffie-hellman-group18-sha512"]
_TRIES = 3  # Cisco "ip ssh authentication-retries": default 3


class SshFront:
    """Makes SSH connections of accepted sockets; options are built once per device and fault."""

    def __init__(self, device: Device, keys: HostKeys) -> None:
        self.device = device
        self._keys = keys
        self._bits = 2048 if device.plan.ssh_algorithms == "modern" else 1024
        self._options: dict[tuple[bool, bool], asyncssh.SSHServerConnectionOptions] = {}
        self.connections: set[asyncssh.SSHServerConnection] = set()

    def new_key(self, bits: int) -> None:
        """``crypto key generate rsa``. Below 1024 bits today's libraries refuse the key: the lab makes 1024."""
        self._bits = max(bits, 1024)
        self._keys.forget(self.device.plan.name)
        self._options.clear()

    def drop_all(self) -> None:
        """Abort every connection."""
        for connection in list(self.connections):
            connection.abort()

    async def serve(self, sock: socket.socket) -> None:
        """Run the protocol on a connected socket."""
        faults = self.device.faults
        variant = ("kex" in faults, "hostkey" in faults)
        options = self._options.get(variant)
        if options is None:
            options = self._options[variant] = await self._build(*variant)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A client that cannot agree on algorithms or breaks off is its own affair.
        with contextlib.suppress(asyncssh.Error, OSError):
            await asyncssh.run_server(sock, options=options)

    async def _build(self, kex_fault: bool, other_key: bool) -> asyncssh.SSHServerConnectionOptions:
        plan = self.device.plan
        key = await self._keys.key(plan.name, self._bits, ".other" if other_key else "")
        algorithms: dict[str, Any] = dict(_ALGORITHMS[plan.ssh_algorithms])
        if kex_fault:
            algorithms["kex_algs"] = _KEX_FAULT
        # An RSA key also signs with SHA-2 unless these signatures are taken away: a 2960 knows ssh-rsa only.
        pair = asyncssh.load_keypairs(key)[0]
        pair.host_key_algorithms = [name.encode() for name in algorithms["signature_algs"]]
        return asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: _Server(self),
            server_host_keys=[pair],
            server_version="Cisco-1.25",
            compression_algs=["none"],
            public_key_auth=False,
            host_based_auth=False,
            gss_host=None,
            encoding=None,
            line_editor=False,
            allow_scp=False,
            agent_forwarding=False,
            x11_forwarding=False,
            **algorithms,
        )


class _Server(asyncssh.SSHServer):
    """One connection: authentication and the channels it opens."""

    def __init__(self, front: SshFront) -> None:
        self._front = front
        self._device = front.device
        self._failures = 0
        self.user = ""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember the connection so that it can be dropped."""
        self.connection = conn
        self._front.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._front.connections.discard(self.connection)

    def begin_auth(self, username: str) -> bool:
        """Cisco "banner login": SSH version 2 shows it during authentication."""
        self.user = username
        banner = self._device.banner("login")
        if banner and not self._failures:
            self.connection.send_auth_banner("\r\n" + banner.replace("\n", "\r\n") + "\r\n")
        return True

    def password_auth_supported(self) -> bool:
        """IOS takes passwords, also by keyboard-interactive."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Check a login, as slowly as the device is."""
        device = self._device
        slow = device.faults.pair("slow")
        pause = slow[0] if slow else device.plan.latency.get("login", 0.0)
        if pause:
            await asyncio.sleep(pause)
        if device.check_login(username, password):
            return True
        self._failures += 1
        device.counters.refused_logins += 1
        if self._failures >= _TRIES:
            # RFC 4253 11.1: 14 is "no more authentication methods available".
            self.connection.disconnect(14, "Too many authentication failures")
        return False

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        """A channel for a shell or a command."""
        return _Channel(self._device, self.connection, self.user)


class _Channel(asyncssh.SSHServerSession[bytes]):
    """One session channel: the wire of a terminal, or an SCP transfer."""

    def __init__(self, device: Device, connection: asyncssh.SSHServerConnection, user: str) -> None:
        self._device = device
        self._connection = connection
        self._user = user
        self._command: str | None = None
        self._sink: Terminal | ScpServer | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """The channel is open."""
        self._chan = chan

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: Any) -> bool:
        """A terminal is granted; IOS takes 24 lines and 80 columns when the client names none."""
        return True

    def shell_requested(self) -> bool:
        """The command line."""
        return True

    def exec_requested(self, command: str) -> bool:
        """One command, or scp."""
        self._command = command
        return True

    def session_started(self) -> None:
        """Start serving."""
        if self._command is not None and is_scp(self._command):
            self._sink = scp = ScpServer(self._device, self, self._command)
            self._task = asyncio.get_running_loop().create_task(scp.run())
            return
        peer = self._connection.get_extra_info("peername") or ("",)
        rows = self._chan.get_terminal_size()[1]
        terminal = Terminal(self, self._device.faults, length=rows or 24)
        session = Session(
            self._device,
            terminal,
            self._user,
            self._device.login_privilege(self._user),
            line_name=free_line(self._device),
            host=str(peer[0]),
        )
        self._sink = terminal
        self._task = asyncio.get_running_loop().create_task(self._serve(session))

    async def _serve(self, session: Session) -> None:
        if self._command is None:
            self.write(greeting(self._device, with_motd=True))
            await session.run()
            return
        session.terminal.length = 0
        with contextlib.suppress(Disconnected):
            await session.execute(self._command)
        self.close()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Bytes from the client."""
        if self._sink:
            self._sink.feed(data)

    def eof_received(self) -> bool:
        """The client has nothing more to say; the channel stays open for what is still to be sent."""
        if self._sink:
            self._sink.eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """IOS has one channel per connection: the end of the one is the end of the other."""
        self._closed = True
        if self._sink:
            self._sink.eof()
        self._connection.close()

    def write(self, data: bytes) -> None:
        """Send bytes; what a client that has already hung up cannot get is dropped."""
        if not self._closed:
            with contextlib.suppress(OSError):
                self._chan.write(data)

    def close(self, status: int = 0) -> None:
        """End the channel in good order."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError):
                self._chan.exit(status)

    def abort(self) -> None:
        """Reset the TCP connection, after a moment that lets what was sent arrive."""
        self._closed = True
        asyncio.get_running_loop().call_later(0.1, self._reset)

    def _reset(self) -> None:
        sock = self._connection.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.abort()
