# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The yardstick for Windows: a bare pywinrm thread pool that runs one program per host.

``python -m bench.plain_winrm TARGETS.json WORKERS`` opens a shell on each target, runs ``hostname.exe``, and closes it. It asks
nothing else and believes the exit code.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from winrm.protocol import Protocol


def run(target: dict[str, str]) -> str:
    """Run the program on one host and return what it printed."""
    protocol = Protocol(
        target["endpoint"],
        transport="ntlm",
        username=target["user"],
        password=target["password"],
        message_encryption="always",
    )
    shell = protocol.open_shell(codepage=850)
    try:
        command = protocol.run_command(shell, "C:\\Windows\\System32\\hostname.exe", skip_cmd_shell=True)
        stdout, _stderr, code = protocol.get_command_output(shell, command)
        protocol.cleanup_command(shell, command)
    finally:
        protocol.close_shell(shell)
    if code or not stdout.strip():
        raise SystemExit(f"{target['endpoint']}: {code}")
    return stdout.decode("cp850")


def main() -> None:
    """Run the pool."""
    targets = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    with ThreadPoolExecutor(max_workers=int(sys.argv[2])) as pool:
        print(len(list(pool.map(run, targets))))


if __name__ == "__main__":
    main()
