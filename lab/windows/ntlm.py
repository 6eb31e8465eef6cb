# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication of one TCP connection: NTLM (raw or inside Negotiate) with message sealing, or Basic.

Sources: [MS-NTHT] (NTLM over HTTP: the state belongs to the connection), [MS-WSMV] 2.2.9.1.1 (sealed messages),
facts/lab.md 1. pyspnego reads its accounts from the file named by NTLM_USER_FILE at each step; the lab is one thread
and sets it just before, so that every host has its own accounts. The file is anonymous memory: no hash on a disk.
"""

from __future__ import annotations

import base64
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

import spnego
from spnego.exceptions import SpnegoError

_BOUNDARY = b"--Encrypted Boundary"
SEALED_TYPE = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
_memory: list[int] = []


class Refused(Exception):
    """The credentials are not right."""


class BadMessage(Exception):
    """A sealed message that cannot be opened: HTTP 400, as after a payload is sent again on a new connection."""


@dataclass(frozen=True)
class Credentials:
    """What an account may log in with: NT hash and the names of the domains it may give."""

    name: str
    nt_hash: bytes
    domains: tuple[str, ...]


def nt_hash(password: str) -> bytes:
    """MD4 of the UTF-16LE password ([MS-NLMP] NTOWFv1)."""
    from spnego._ntlm_raw.crypto import ntowfv1

    return ntowfv1(password)


def _write_accounts(accounts: Iterable[Credentials]) -> str:
    lines = []
    for account in accounts:
        tail = f":0:{'0' * 32}:{account.nt_hash.hex().upper()}:[U]:LCT-0"
        lines += [(f"{domain}\\" if domain else "") + account.name + tail for domain in account.domains]
    if not _memory:
        _memory.append(os.memfd_create("ntlm-accounts"))
    descriptor = _memory[0]
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, ("\n".join(lines) + "\n").encode(), 0)
    return f"/proc/self/fd/{descriptor}"


class Negotiation:
    """The NTLM handshake and then the sealing of one connection."""

    def __init__(self, scheme: str, computer: str) -> None:
        self.scheme = scheme
        self._computer = computer
        self._context: spnego.ContextProxy | None = None

    def step(self, token: bytes, accounts: Iterable[Credentials]) -> tuple[bytes, str | None]:
        """One step: the token to send back and, when done, the account's name.

        Raises:
            Refused: wrong credentials, or a mechanism that is not offered (Kerberos).
        """
        os.environ["NTLM_USER_FILE"] = _write_accounts(accounts)
        before = os.environ.get("NETBIOS_COMPUTER_NAME")
        os.environ["NETBIOS_COMPUTER_NAME"] = self._computer
        try:
            if self._context is None:
                raw = token.startswith(b"NTLMSSP\0")
                self._context = spnego.server(
                    protocol="ntlm" if raw else "negotiate", options=spnego.NegotiateOptions.use_ntlm
                    if raw else spnego.NegotiateOptions.use_negotiate,
                )  # fmt: skip
            out = self._context.step(token) or b""
        except (SpnegoError, ValueError, struct.error) as error:
            self._context = None
            raise Refused(str(error)) from None
        finally:
            if before is None:
                del os.environ["NETBIOS_COMPUTER_NAME"]
            else:
                os.environ["NETBIOS_COMPUTER_NAME"] = before
        if not self._context.complete:
            return out, None
        return out, (self._context.client_principal or "").rpartition("\\")[2]

    def unseal(self, body: bytes) -> bytes:
        """Open a multipart/encrypted body. Raises BadMessage."""
        _unused, mark, rest = body.partition(b"Content-Type: application/octet-stream\r\n")
        end = rest.rfind(_BOUNDARY)
        if not mark or end < 4 or self._context is None:
            raise BadMessage("not a sealed message")
        payload = rest[:end]
        length = struct.unpack("<i", payload[:4])[0]
        try:
            return self._context.unwrap_winrm(payload[4 : 4 + length], payload[4 + length :])
        except SpnegoError as error:
            raise BadMessage(str(error)) from None

    def seal(self, body: bytes) -> bytes:
        """The multipart/encrypted form of an answer."""
        assert self._context is not None
        wrapped = self._context.wrap_winrm(body)
        return b"".join([
            _BOUNDARY, b"\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n",
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % len(body),
            _BOUNDARY, b"\r\n\tContent-Type: application/octet-stream\r\n",
            struct.pack("<i", len(wrapped.header)), wrapped.header, wrapped.data, _BOUNDARY, b"--\r\n",
        ])  # fmt: skip


def basic(header: str) -> tuple[str, str]:
    """User (without its domain) and password of an ``Authorization: Basic`` value. Raises Refused."""
    try:
        user, colon, password = base64.b64decode(header, validate=True).decode().partition(":")
    except ValueError:
        raise Refused("not Basic credentials") from None
    if not colon:
        raise Refused("not Basic credentials")
    return user.rpartition("\\")[2], password
