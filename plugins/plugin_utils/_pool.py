"""Work on many hosts from one task: processes by fork, each with threads.

Note that this utility is private to the collection.

One process with 50 threads is bound by one core; two of 25 threads were measured at 1.6 times its speed on two cores.
``fork`` and not ``spawn``: in a worker of Ansible the code is only importable through Ansible's own loader.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

Result = dict[str, Any]


def run_pool(
    hosts: Sequence[str],
    work: Callable[[str], Result],
    *,
    workers: int,
    processes: int,
    progress: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Call ``work`` for each host and return the results in the order of ``hosts``.

    Args:
        hosts: names, each once.
        work: makes one result (a dictionary with ``host``); it does not raise.
        workers: how many devices at once, over all processes.
        processes: how many processes.
        progress: called in this process as each result comes.

    A process that dies makes failed results of the hosts that it had not finished. The processes end by themselves
    between two devices when this one or its parent is gone, so a killed controller leaves no pool behind.
    """
    processes = max(1, min(processes, workers, len(hosts)))
    context = multiprocessing.get_context("fork")
    results: dict[str, Result] = {}
    pending: dict[Connection, tuple[Any, list[str]]] = {}
    for number in range(processes):
        share = list(hosts[number::processes])
        threads = max(1, workers // processes + (number < workers % processes))
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_serve, args=(share, work, threads, sender, os.getpid(), os.getppid()))
        process.start()
        sender.close()
        pending[receiver] = (process, share)
    while pending:
        for receiver in [one for one in wait(list(pending)) if isinstance(one, Connection)]:
            try:
                result = receiver.recv()
            except EOFError:
                process, _share = pending.pop(receiver)
                process.join()
                receiver.close()
                continue
            results[result["host"]] = result
            progress(result)
    for host in hosts:
        if host not in results:
            results[host] = {
                "host": host,
                "changed": False,
                "failed": True,
                "msg": f"{host}: its worker process ended before it was done; run again",
            }
    return [results[host] for host in hosts]


def parent_of(pid: int) -> int | None:
    """Return the parent of a process (proc(5), the field after the name and the state), or None when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _serve(
    hosts: list[str], work: Callable[[str], Result], threads: int, sender: Connection, parent: int, controller: int
) -> None:
    """Work through ``hosts`` in ``threads`` threads and send each result; the body of one process."""
    sending = threading.Lock()

    def one(host: str) -> None:
        # Killing the controller alone leaves its worker, which is the parent here, alive.
        if os.getppid() != parent or parent_of(parent) != controller:
            return
        try:
            result = work(host)
        except Exception as error:  # its text may hold anything, a secret too
            result = {
                "host": host,
                "changed": False,
                "failed": True,
                "msg": f"{host}: an error that is not provided for ({type(error).__name__}); please report it",
            }
        # The receiver is gone with the controller; there is nobody left to tell.
        with sending, contextlib.suppress(BrokenPipeError):
            sender.send(result)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        for future in [pool.submit(one, host) for host in hosts]:
            future.result()
    sender.close()
    # The forked copy of Ansible's worker must not run its exit handlers a second time.
    os._exit(0)
