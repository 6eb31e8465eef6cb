# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certutil -urlcache: a file fetched over HTTP, really, by the lab's own process.

Sources: certutil -urlcache -? ; wininet.h (12002 timeout, 12007 no such name, 12029 cannot connect, 12030 aborted, 12031 reset);
the HTTP status as an HRESULT of the facility 0x19 (winhttp, bitsmsg.h: 0x80190194 is 404). What was fetched stays in the
URL cache until ``-urlcache URL delete``; without -f a cached answer is taken and the line is not used.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.refusal import LabRefusal

_TIMEOUT = 60.0
_WORDS = {
    2: ("Le fichier spécifié est introuvable.", "The system cannot find the file specified."),
    1168: ("Élément introuvable.", "Element not found."),
    12002: ("Le délai de l'opération est dépassé", "The operation timed out"),
    12007: ("Le nom de serveur ou l'adresse n'a pas pu être résolu", "The server name or address could not be resolved"),
    12029: ("Une connexion avec le serveur n'a pas pu être établie", "A connection with the server could not be established"),
    12030: ("La connexion avec le serveur s'est terminée anormalement",
            "The connection with the server was terminated abnormally"),
    12031: ("La connexion avec le serveur a été réinitialisée", "The connection with the server was reset"),
}  # fmt: skip


class _Failed(Exception):
    """A Windows error, or an HTTP status."""

    def __init__(self, code: int, status: int = 0) -> None:
        super().__init__(code, status)
        self.code, self.status = code, status


async def fetched(url: str) -> bytes:
    """The body behind a URL. Raises _Failed, LabRefusal."""
    parts = urlsplit(url)
    if parts.scheme.lower() != "http" or not parts.hostname:
        raise LabRefusal(f"certutil -urlcache is played for http only: {url}")
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    except OSError as error:
        raise _Failed(12007 if isinstance(error.errno, int) and error.errno < 0 else 12029) from None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    place = parts.netloc.rpartition("@")[2]
    head = f"GET {target} HTTP/1.1\r\nAccept: */*\r\nUser-Agent: CertUtil URL Agent\r\nHost: {place}\r\n"
    try:
        writer.write(f"{head}Connection: close\r\n\r\n".encode())
        await writer.drain()
        data = await reader.read()
    except OSError:
        raise _Failed(12031) from None
    finally:
        writer.close()
    top, end, body = data.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if not end or len(words) < 2 or not words[1].isdigit():
        raise _Failed(12030)
    headers = {
        name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines[1:])
    }
    status = int(words[1])
    if 300 <= status < 400 or "chunked" in headers.get("transfer-encoding", ""):
        raise LabRefusal(f"certutil -urlcache: this answer is not played: {lines[0]}")
    if status != 200:
        raise _Failed(0, status)
    length = headers.get("content-length", "")
    if length.isdigit() and len(body) < int(length):
        raise _Failed(12030)
    return body


def _failed(call: Call, wrong: _Failed) -> int:
    if wrong.status:
        hresult = 0x80190000 | wrong.status
        shown = f"0x{hresult:x} ({hresult - 0x100000000})"
        words = f"HTTP {wrong.status}."
    else:
        hresult = 0x80070000 | wrong.code
        shown = f"0x{hresult:x} (WIN32: {wrong.code})"
        words = call.say(*_WORDS[wrong.code]) if wrong.code in _WORDS else call.host.system(wrong.code)
    call.out(
        call.say(f"CertUtil: -URLCache ÉCHEC de la commande : {shown}", f"CertUtil: -URLCache command FAILED: {shown}")
    )
    call.out(f"CertUtil: {words}")
    return hresult - 0x100000000


def _done(call: Call) -> int:
    call.out(call.say("CertUtil: -URLCache La commande s'est terminée correctement.",
                      "CertUtil: -URLCache command completed successfully."))  # fmt: skip
    return 0


async def url_cache(call: Call, words: list[str], force: bool) -> int:
    """``-urlcache [-split] [-f] URL [FILE]``, ``-urlcache URL|* delete``."""
    cache = call.host.url_cache
    url = words[0]
    if [word.lower() for word in words[1:]] == ["delete"]:
        gone = [name for name in cache if url in ("*", name)]
        for name in gone:
            del cache[name]
            call.out(name)
        call.out(call.say(f"\nEntrées du cache WinINet supprimées : {len(gone)}",
                          f"\nWinINet Cache entries deleted: {len(gone)}"))  # fmt: skip
        return _done(call)
    if len(words) > 2 or url == "*":
        raise LabRefusal(f"this form of certutil is not played: {call.line.strip()}")
    target = call.path(words[1] if len(words) > 1 else urlsplit(url).path.rpartition("/")[2] or "blob")
    try:
        if force:
            call.out(call.say("****  En ligne  ****", "****  Online  ****"))
            try:
                cache[url] = await asyncio.wait_for(fetched(url), _TIMEOUT)
            except TimeoutError:
                raise _Failed(12002) from None
        elif url not in cache:
            raise _Failed(1168)
        await call.host.power.halfway("certutil")
        data = cache[url]
        call.out(f"  000000  ...\n  {len(data):06x}")
        try:
            call.host.drive.write(target, data)
        except WindowsPathError as error:
            raise _Failed(error.code) from None
    except _Failed as wrong:
        return _failed(call, wrong)
    return _done(call)
