# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool: every host has a result, whatever happens to a process."""

from __future__ import annotations

import os
import threading
from typing import Any

from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.pool import run_pool

HOSTS = [f"sw{number}" for number in range(9)]


def work(host: str) -> dict[str, Any]:
    return {"host": host, "changed": host == "sw3", "pid": os.getpid()}


def test_results_come_in_the_order_of_the_hosts_from_several_processes() -> None:
    seen: list[str] = []
    results = run_pool(HOSTS, work, workers=4, processes=2, progress=lambda result: seen.append(result["host"]))
    assert [result["host"] for result in results] == HOSTS
    assert sorted(seen) == HOSTS
    assert len({result["pid"] for result in results}) == 2
    assert os.getpid() not in {result["pid"] for result in results}


def test_a_process_that_dies_fails_only_its_unfinished_hosts() -> None:
    def dies(host: str) -> dict[str, Any]:
        if host == "sw4":
            os._exit(9)
        return work(host)

    results = {result["host"]: result for result in run_pool(HOSTS, dies, workers=2, processes=2)}
    assert results["sw4"]["failed"] is True
    assert "run again" in results["sw4"]["msg"]
    assert not any(results[host].get("failed") for host in HOSTS[1::2])


def test_workers_run_at_once() -> None:
    barrier = threading.Barrier(3, timeout=30)

    def meets(host: str) -> dict[str, Any]:
        barrier.wait()
        return work(host)

    assert len(run_pool(HOSTS[:3], meets, workers=3, processes=1)) == 3
