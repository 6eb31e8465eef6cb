# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSH server of a Linux host: public keys, commands run by /bin/sh in a home folder, SFTP; scp is the machine's own.

The client's key pair is made by the lab and written to ``lab_ssh: key_file`` (sshd(8), ssh_config(5) IdentityFile).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import asyncssh

from lab import realtool
from lab.errors import LabError
from lab.faults import FaultSet
from lab.listener import Listener


class SshServer(Listener):
    """Accepts the SSH connections of one host."""

    def __init__(
        self, name: str, address: str, settings: dict[str, Any], faults: FaultSet, folder: Path, keys: Path
    ) -> None:
        super().__init__(name, address, int(settings["port"]), faults)
        self._settings, self._home, self._keys = settings, folder / "home", keys
        self._options: asyncssh.SSHServerConnectionOptions | None = None
        self._open: set[asyncssh.SSHServerConnection] = set()
        self.connections = self.commands = self.refused = 0

    @property
    def open_connections(self) -> int:
        """How many clients are there now."""
        return len(self._open)

    def prepare(self) -> None:
        """Make the home and the keys; write the client's private key. Raises LabError."""
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(parents=True)
        host_key = _key(self._keys / f"linux-{self._name}.pem")
        client = _key(self._keys / f"linux-{self._name}-client.pem")
        key_file = Path(self._settings["key_file"])
        try:
            key_file.parent.mkdir(parents=True, exist_ok=True)
            key_file.unlink(missing_ok=True)
            _write(key_file, client.export_private_key("openssh"))
        except OSError as error:
            raise LabError(f"host {self._name}: lab_ssh: {key_file} cannot be written ({error.strerror})") from None
        public = client.export_public_key("openssh").decode()
        self._options = asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: _Server(self, public),
            server_host_keys=[host_key],
            process_factory=self._run,
            sftp_factory=lambda channel: _Sftp(channel, self._home),
            allow_scp=False,
            encoding=None,
            line_editor=False,
            password_auth=False,
            kbdint_auth=False,
            gss_host=None,
            agent_forwarding=False,
            x11_forwarding=False,
        )

    def drop(self) -> None:
        """Cut every connection."""
        for connection in list(self._open):
            connection.abort()
        for task in list(self._tasks):
            task.cancel()
        self._drop_mute()

    def entered(self, connection: asyncssh.SSHServerConnection) -> None:
        """A client is there."""
        self._open.add(connection)

    def left(self, connection: asyncssh.SSHServerConnection) -> None:
        """It has gone."""
        self._open.discard(connection)

    def may_enter(self, user: str) -> bool:
        """Whether the account exists."""
        return user == self._settings["user"] and "wrong_password" not in self.faults

    async def _serve(self, connection: socket.socket) -> None:
        self.connections += 1
        pause = self.faults.seconds("slow")
        if pause:
            await asyncio.sleep(pause)
        self.faults.strike()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(asyncssh.Error, OSError):
            await asyncssh.run_server(connection, options=self._options)

    async def _run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """A command, or a login shell that reads its commands from the client."""
        self.commands += 1
        user = str(self._settings["user"])
        environment = {
            "HOME": str(self._home), "USER": user, "LOGNAME": user, "SHELL": "/bin/sh", "LANG": "C.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        }  # fmt: skip
        words = ["/bin/sh", "-c", process.command] if process.command else ["/bin/sh", "-s"]
        child = await asyncio.create_subprocess_exec(
            *words, cwd=self._home, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        feeder = asyncio.create_task(_pass(process.stdin, child.stdin))
        pumps = [
            asyncio.create_task(_pass(child.stdout, process.stdout)),
            asyncio.create_task(_pass(child.stderr, process.stderr)),
        ]
        try:
            await asyncio.gather(*pumps)
            code = await child.wait()
            if code < 0:
                process.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
            else:
                process.exit(code)
        finally:
            for task in (feeder, *pumps):
                task.cancel()
            with contextlib.suppress(OSError):
                os.killpg(child.pid, signal.SIGKILL)
            await asyncio.gather(*pumps, return_exceptions=True)
            await realtool.reaped(child)


async def _pass(source: Any, target: Any) -> None:
    """Pass bytes on up to the end, which the other side is told only where it is a program of ours."""
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    if isinstance(target, asyncio.StreamWriter):
        with contextlib.suppress(OSError):
            target.close()


class _Server(asyncssh.SSHServer):
    """One connection."""

    def __init__(self, front: SshServer, public: str) -> None:
        self._front, self._public = front, public

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember the connection so that it can be dropped."""
        self._connection = conn
        self._front.entered(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._front.left(self._connection)

    async def begin_auth(self, username: str) -> bool:
        """The key of the lab opens the one account."""
        if self._front.may_enter(username):
            self._connection.set_authorized_keys(asyncssh.import_authorized_keys(self._public))
        else:
            self._front.refused += 1
        return True


class _Sftp(asyncssh.SFTPServer):
    """Files of this machine, relative names in the home folder."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], home: Path) -> None:
        super().__init__(channel)
        self._channel = channel
        self._here = os.fsencode(home)

    def map_path(self, path: bytes) -> bytes:
        """An absolute path as it is, a relative one from the home."""
        return os.path.join(self._here, path)  # noqa: PTH118 (bytes)

    def exit(self) -> None:
        """The end, with the exit status of sftp-server, which scp looks at."""
        self._channel.exit(0)

    def realpath(self, path: bytes) -> bytes:
        """Where a path leads."""
        return os.path.realpath(self.map_path(path))


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(data)


def _key(path: Path) -> asyncssh.SSHKey:
    """An ed25519 key, kept for the next ``up``."""
    try:
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError):
        key = asyncssh.generate_private_key("ssh-ed25519")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        _write(path, key.export_private_key("openssh"))
        return key
