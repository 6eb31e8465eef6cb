# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The yardstick: a plain Netmiko thread pool as an administrator would write it.

``python -m bench.plain TARGETS.json WORKERS FOLDER COMMAND...`` logs in to each target, enters privileged mode, runs the
commands and writes the answers into one file per device. It checks nothing.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from netmiko import ConnectHandler


def fetch(target: dict[str, Any], folder: Path, commands: list[str]) -> None:
    """Save the answers of one device."""
    name = target.pop("name")
    with ConnectHandler(
        device_type="cisco_ios", conn_timeout=60, banner_timeout=60, auth_timeout=60, **target
    ) as session:
        session.enable()
        answers = [str(session.send_command(command, read_timeout=120)) for command in commands]
    (folder / name).write_text("\n".join(answers), "utf-8")


def main() -> None:
    """Run the pool; an error of any device ends it with a traceback."""
    targets = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    folder = Path(sys.argv[3])
    with ThreadPoolExecutor(max_workers=int(sys.argv[2])) as pool:
        list(pool.map(lambda target: fetch(target, folder, sys.argv[4:]), targets))


if __name__ == "__main__":
    main()
