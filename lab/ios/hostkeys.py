# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH host keys: one per device, made when the first client comes and kept for the next ``up``."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import asyncssh


class HostKeys:
    """A folder of keys, mode 0700; the key of a device stays the same as long as the folder does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = asyncio.Lock()

    def _path(self, host: str, variant: str) -> Path:
        return self._folder / f"{hashlib.sha256(host.encode()).hexdigest()[:24]}{variant}.pem"

    async def key(self, host: str, bits: int, variant: str = "") -> asyncssh.SSHKey:
        """The RSA key of a host; a variant is another key for the same host. Made in a thread: 20 to 50 ms."""
        async with self._lock:
            return await asyncio.to_thread(self._load_or_make, self._path(host, variant), bits)

    def forget(self, host: str) -> None:
        """The next connection gets a new key, as after ``crypto key generate rsa``."""
        self._path(host, "").unlink(missing_ok=True)

    @staticmethod
    def _load_or_make(path: Path, bits: int) -> asyncssh.SSHKey:
        try:
            return asyncssh.read_private_key(path)
        except (OSError, asyncssh.KeyImportError):
            key = asyncssh.generate_private_key("ssh-rsa", key_size=bits)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(key.export_private_key("openssh"))
            return key
