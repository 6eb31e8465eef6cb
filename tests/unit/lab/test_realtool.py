# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real program behind an emulated one ends whatever becomes of those who read it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from lab import realtool

_FLOOD = ["head", "-c", "100000000", "/dev/zero"]


def _refuse(data: bytes) -> None:
    raise OSError("the disk is full")


async def _never() -> None:
    await asyncio.Event().wait()


async def _stands(pid: int) -> None:
    """Wait until a program writes no further: the pipe is full, and so is asyncio's own buffer, which then stops reading it."""
    last, same = -1, 0
    while same < 20:
        fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
        now = int(fields["wchar"])
        same = same + 1 if now == last and now > 1 << 17 else 0
        last = now
        await asyncio.sleep(0.005)


def test_a_caller_that_gives_up_on_a_full_pipe_ends_the_program(tmp_path: Path) -> None:
    async def give_up() -> None:
        started: list[int] = []
        disk = realtool.Disk(lambda: False)
        arguments = (_FLOOD, dict(os.environ), str(tmp_path), disk, lambda data: None, lambda data: None)
        task = asyncio.create_task(realtool.run(*arguments, drain=_never, started=started.append))
        while not started:
            await asyncio.sleep(0.001)
        await asyncio.wait_for(_stands(started[0]), 60)
        task.cancel()
        await asyncio.wait_for(asyncio.wait([task]), 20)
        assert task.cancelled()
        assert not Path(f"/proc/{started[0]}").exists()

    asyncio.run(give_up())


def test_a_reader_that_fails_ends_the_program(tmp_path: Path) -> None:
    disk = realtool.Disk(lambda: False)
    running = realtool.run(_FLOOD, dict(os.environ), str(tmp_path), disk, _refuse, lambda data: None)
    with pytest.raises(OSError, match="the disk is full"):
        asyncio.run(asyncio.wait_for(running, 20))
