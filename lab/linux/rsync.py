# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rsync daemon of a Linux host: the real one, one process per connection, behind a socket of the lab.

rsync(1), "STARTING AN RSYNC DAEMON TO ACCEPT CONNECTIONS": started with a socket as standard input it serves that one
connection, as under inetd. The lab accepts, looks at its faults, and passes the bytes on; a full disk is RLIMIT_FSIZE
(realtool.py), so that the daemon really cannot write. rsyncd.conf(5): a daemon that is not root changes to nobody else and
asks nothing of who owns the secrets; the lab's root is made such a one by a user namespace, where the system has them.
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

from lab import realtool
from lab.errors import LabError
from lab.faults import FaultSet
from lab.linux.front import Front, will_reset
from lab.realtool import Disk

_HEAD = """use chroot = no
read only = no
list = yes
reverse lookup = no
timeout = 600
log file = {log}
strict modes = yes
{owner}
"""
_MODULE = """
[{name}]
path = {path}
comment = {name}
{users}
"""


def _unprivileged() -> list[str]:
    """How root runs the daemon as nobody in particular; the files stay his."""
    command = ["unshare", "-U", "--map-user=1", "--map-group=1", "--"]
    if os.geteuid() or not shutil.which("unshare"):
        return []
    works = subprocess.run([*command, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return command if works.returncode == 0 else []


class RsyncDaemon(Front):
    """Accepts the connections for one host's daemon."""

    variable = "lab_rsync: port"

    def __init__(self, name: str, address: str, settings: dict[str, Any], faults: FaultSet, folder: Path) -> None:
        super().__init__(name, address, int(settings["port"]), faults)
        self._modules = settings["modules"]
        self._folder = folder
        self._binary = realtool.rsync()
        self._prefix = _unprivileged()
        self.disk = Disk(lambda: "disk_full" in faults)

    def prepare(self) -> None:
        """Make the modules' folders, which are never emptied, and the daemon's configuration."""
        for name, module in self._modules.items():
            try:
                Path(module["path"]).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LabError(f"host {self._name}: lab_rsync: the folder of {name} cannot be made ({error})") from None
        self._folder.mkdir(parents=True, exist_ok=True)
        for wrong in (False, True):
            self._configure(wrong)

    def _file(self, wrong: bool) -> Path:
        return self._folder / ("rsyncd-wrong.conf" if wrong else "rsyncd.conf")

    def _configure(self, wrong: bool) -> None:
        """A configuration; in the second one every password is another one."""
        # Without a user namespace root stays root: the module is the lab's own folder.
        owner = "uid = 0\ngid = 0" if os.geteuid() == 0 and not self._prefix else ""
        text = [_HEAD.format(log=self._folder / "rsyncd.log", owner=owner)]
        for name, module in self._modules.items():
            users = ""
            if module["users"] or wrong:
                secrets = self._folder / f"{name}{'-wrong' if wrong else ''}.secrets"
                users = f"auth users = {', '.join(module['users']) or 'nobody'}\nsecrets file = {secrets}"
                secrets.unlink(missing_ok=True)
                secrets.touch(mode=0o600)
                pairs = {user: os.urandom(16).hex() if wrong else word for user, word in module["users"].items()}
                secrets.write_text("".join(f"{user}:{word}\n" for user, word in pairs.items()))
            text.append(_MODULE.format(name=name, path=module["path"], users=users))
        self._file(wrong).write_text("".join(text))

    def drop(self) -> None:
        """Cut every connection; the daemons behind go with them."""
        for connection in self.running:
            will_reset(connection)
        for task in list(self._tasks):
            task.cancel()
        self._drop_mute()

    async def _converse(self, connection: socket.socket) -> None:
        near, far = await _pair()
        command = [self._binary, "--daemon", f"--config={self._file('wrong_password' in self.faults)}"]
        process = None
        pumps: list[asyncio.Task[bool]] = []
        try:
            process = await asyncio.create_subprocess_exec(
                *self._prefix,
                *realtool.tied(self.disk.command(command)),
                cwd="/",
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"},
                stdin=far.fileno(),
                stdout=far.fileno(),
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                restore_signals=False,
            )
            far.close()
            self.disk.add(process.pid)
            up = asyncio.create_task(self._pump(connection, near, True))
            down = asyncio.create_task(self._pump(near, connection, False))
            pumps = [up, down]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if not up.done() or up.result():
                await down  # what the daemon still has to say goes out before the connection ends
                await process.wait()
        finally:
            far.close()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)  # nobody may look at a socket that is closed
            near.close()
            if process:
                if process.returncode is None:
                    with contextlib.suppress(OSError):
                        os.killpg(process.pid, signal.SIGKILL)
                    await process.wait()
                self.disk.remove(process.pid)

    async def _pump(self, source: socket.socket, target: socket.socket, counted: bool) -> bool:
        """Pass bytes on up to the end; False when the fault ``cut``, which counts those of the client, strikes."""
        loop = asyncio.get_running_loop()
        passed = 0
        with contextlib.suppress(OSError):
            while data := await loop.sock_recv(source, 65536):
                limit = self.faults.number("cut") if counted else None
                if limit is not None and passed + len(data) > limit:
                    await loop.sock_sendall(target, data[: max(0, limit - passed)])
                    will_reset(source)
                    return False
                passed += len(data)
                await loop.sock_sendall(target, data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
        return True


async def _pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a TCP connection of our own: rsync wants to know the address of its peer."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        near = socket.socket()
        near.setblocking(False)
        connecting = asyncio.ensure_future(loop.sock_connect(near, listener.getsockname()))
        far, _unused = await loop.sock_accept(listener)
        await connecting
    far.setblocking(True)
    return near, far
