# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""openerp-server.exe, wherever it lies: what it is follows from the folder around it (openerp/files.py)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from lab.windows.openerp import files
from lab.windows.openerp.options import Exit
from lab.windows.openerp.process import Server
from lab.windows.pgtools.ansi import ansi
from lab.windows.processes import Call


def program_of(name: str, data: bytes, path: str) -> Callable[[Call], Awaitable[int]] | None:
    """What runs when this file is started; None when it is no openerp-server.exe."""
    if name.lower() != files.PROGRAMS[files.SERVER] or not files.is_sealed(data):
        return None
    return lambda call: _run(call, path.rpartition("\\")[0])


async def _run(call: Call, folder: str) -> int:
    def text(words: str) -> bytes:
        return words.replace("\n", "\r\n").encode("latin-1", "replace")

    argv = [ansi(word).decode("latin-1") for word in call.argv]
    try:
        server = Server(call.host, folder, argv, call.cwd, call.user, call.write, call.write_error)
        return await server.run()
    except Exit as ended:
        call.write(text(ended.out))
        call.write_error(text(ended.error))
        return ended.code
