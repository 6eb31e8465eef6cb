# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of a pair share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils import _storage

from tests.unit.continuity.stories import Telling


@pytest.fixture
def telling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Telling]:
    """Give new tellings, each with a school and journals of its own."""
    # That a file is replaced as a whole is tested elsewhere; here it is done thousands of times.
    monkeypatch.setattr(_storage, "write_atomic", lambda path, data: path.write_bytes(data) and None)
    monkeypatch.setattr(_storage, "sync_folder", lambda path: None)
    count = 0

    def make() -> Telling:
        nonlocal count
        count += 1
        return Telling(tmp_path / str(count))

    return make
