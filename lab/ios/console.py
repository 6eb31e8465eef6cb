# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial console: somebody on the cable types lines in privileged mode."""

from __future__ import annotations

import asyncio

from lab.faults import FaultSet
from lab.ios.device import Device
from lab.ios.session import Session
from lab.ios.terminal import Terminal


class _Paper:
    """A wire that keeps what is printed."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        """Keep the bytes."""
        self.data += data

    def close(self) -> None:
        """Nothing to close."""

    def abort(self) -> None:
        """Nothing to abort."""


async def run_lines(device: Device, lines: list[str]) -> tuple[str, int]:
    """Type lines and return what the console printed, and how many lines were refused.

    A line answers whatever the device asks at that moment. Faults of the network do not reach the console.
    """
    paper = _Paper()
    terminal = Terminal(paper, FaultSet(), length=0)
    session = Session(device, terminal, "", 15, line_name="con 0")
    for line in lines:
        terminal.feed(line.encode("latin-1", "replace") + b"\r")
    terminal.eof()
    counted = device.counters.sessions
    await asyncio.wait_for(session.run(), 60)
    device.counters.sessions = counted  # the console is not a client
    try:
        text = paper.data.decode("utf-8")  # a configuration file may hold either; nearly no Latin-1 text is valid UTF-8
    except UnicodeDecodeError:
        text = paper.data.decode("latin-1")
    return text.replace("\r\n", "\n"), session.refusals
