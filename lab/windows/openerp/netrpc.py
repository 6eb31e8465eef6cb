# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NET-RPC, OpenERP's own protocol on port 8070, which the web client and the GTK client speak.

Source: bin/tiny_socket.py [K: from memory of it, not read again; no capture to compare with]: eight characters of length, one
that says whether it is an exception, and a pickle of [value, traceback]. A call is the list of service, method and arguments.
Pickles are read without any class.
"""

from __future__ import annotations

import asyncio
import io
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

from lab.windows.openerp.faults import Fault

_MOST = 256 << 20


class _Plain(pickle.Unpickler):
    """Lists, texts and numbers; nothing that could do anything."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"LAB: no classes over NET-RPC: {module}.{name}")


def _packed(value: Any, trace: str = "", is_exception: bool = False) -> bytes:
    data = pickle.dumps([value, trace], protocol=0)
    return f"{len(data):8d}{'1' if is_exception else '0'}".encode() + data


async def _received(reader: asyncio.StreamReader) -> tuple[Any, str, bool]:
    head = await reader.readexactly(9)
    size = int(head[:8])
    if not 0 <= size <= _MOST:
        raise pickle.UnpicklingError("size")
    value, trace = _Plain(io.BytesIO(await reader.readexactly(size)), encoding="utf-8").load()
    return value, trace, head[8:] == b"1"


Dispatch = Callable[[str, str, list[Any]], Awaitable[Any]]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dispatch: Dispatch) -> None:
    """Answer the calls of one connection until it ends."""
    while True:
        try:
            call, _trace, _flag = await _received(reader)
            service, method, *params = call
        except (ValueError, TypeError, EOFError, IndexError, KeyError, pickle.UnpicklingError):
            return  # what is no call: the thread of the server ends with its connection
        try:
            answer = _packed(await dispatch(str(service), str(method), params))
        except Fault as fault:
            answer = _packed(fault.code, fault.string, is_exception=True)
        writer.write(answer)
        await writer.drain()


async def call(address: str, port: int, service: str, method: str, *params: Any) -> Any:
    """One call, as the web client makes it. Raises OSError, Fault."""
    reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 20)
    try:
        writer.write(_packed([service, method, *params]))
        await writer.drain()
        value, trace, is_exception = await _received(reader)
    except (asyncio.IncompleteReadError, ValueError, pickle.UnpicklingError):
        raise OSError("connection lost") from None
    finally:
        writer.close()
    if is_exception:
        raise Fault(str(value), trace)
    return value
