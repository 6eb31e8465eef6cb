# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests share: labs of their own, playbooks run as an administrator runs them, and the real device data."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.labs import ROOT, Lab


@pytest.fixture(scope="session")
def lab_networks() -> Iterator[Callable[[], str]]:
    """Give a function for networks of 127.77.0.0/16 that no other test process of this machine uses.

    Each is held by a lock on a file, which the kernel frees with the process.
    """
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"lycee-lab-networks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    held: list[int] = []

    def network() -> str:
        for number in range(20, 250):
            descriptor = os.open(folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            held.append(descriptor)
            return f"127.77.{number}"
        raise AssertionError("every network of 127.77.0.0/16 is in use")

    yield network
    for descriptor in held:
        os.close(descriptor)


@pytest.fixture(scope="module")
def lab(lab_networks: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Bring the school of ``inventories/lab`` up on a network of its own, once per module, and down at its end."""
    folder = tmp_path_factory.mktemp("school") / "inventories" / "lab"
    shutil.copytree(ROOT / "inventories" / "lab", folder)
    main = folder / "group_vars" / "all" / "main.yml"
    text = main.read_text("utf-8")
    text, count = re.subn(r"^lab_network: .*$", f"lab_network: {lab_networks()}", text, flags=re.M)
    assert count == 1
    main.write_text(text, "utf-8")
    with Lab(folder / "hosts.yml") as school:
        yield school


@pytest.fixture
def school(lab: Lab, tmp_path: Path) -> Iterator[Lab]:
    """Give the module's lab with an empty data folder, and take faults and edits back at the end."""
    lab.data = tmp_path / "data"
    yield lab
    lab.reset()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Return the folder of real device data that ``IOS_CORPUS`` names, or skip."""
    folder = os.environ.get("IOS_CORPUS")
    if not folder:
        pytest.skip("IOS_CORPUS is not set: real device configurations are no part of the project")
    path = Path(folder)
    assert path.is_dir(), f"IOS_CORPUS names {folder}, which is no folder"
    return path
