# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool: every host has a result, whatever happens to a process."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from ansible_collections.lycee.openerp.plugins.plugin_utils._pool import run_pool

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


def test_an_error_that_is_not_provided_for_fails_one_host_and_shows_no_text() -> None:
    def breaks(host: str) -> dict[str, Any]:
        if host == "sw4":
            raise ValueError("a secret")
        return work(host)

    results = {result["host"]: result for result in run_pool(HOSTS, breaks, workers=2, processes=1)}
    assert results["sw4"]["msg"] == "sw4: an error that is not provided for (ValueError); please report it"
    assert sum(bool(result.get("failed")) for result in results.values()) == 1


def test_the_pool_ends_when_the_controller_is_gone(tmp_path: Path) -> None:
    """As under Ansible: the controller forks the worker that runs the pool, and is killed alone."""
    started, go = tmp_path / "started", tmp_path / "go"

    def waits(host: str) -> dict[str, Any]:
        (tmp_path / host).touch()
        started.touch()
        deadline = time.monotonic() + 30
        while not go.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return work(host)

    reader, writer = os.pipe()
    controller = os.fork()
    if controller == 0:
        worker = os.fork()
        if worker == 0:
            results = run_pool(HOSTS, waits, workers=1, processes=1)
            os.write(writer, str(sum(not result.get("failed") for result in results)).encode())
            os._exit(0)
        signal.pause()
    os.close(writer)
    deadline = time.monotonic() + 30
    while not started.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(controller, signal.SIGKILL)
    os.waitpid(controller, 0)
    go.touch()
    assert os.read(reader, 10) == b"1"
    os.close(reader)
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("sw")]) == 1


def test_workers_run_at_once() -> None:
    barrier = threading.Barrier(3, timeout=30)

    def meets(host: str) -> dict[str, Any]:
        barrier.wait()
        return work(host)

    assert len(run_pool(HOSTS[:3], meets, workers=3, processes=1)) == 3
