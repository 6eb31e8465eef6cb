"""A bounded pool of threads, each with a session of its own with the server.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .._errors import LyceeError
from .._windows.errors import QuotaError
from .machine import Machine

Work = TypeVar("Work")


def with_machines(
    machine: Machine,
    items: Iterable[Work],
    work: Callable[[Machine, Work], None],
    failed: Callable[[Work, LyceeError], None],
    workers: int,
) -> None:
    """Call ``work`` for each item, ``workers`` at a time; each thread has a session of its own.

    An error of the library is the item's own, and is given to ``failed``. A thread whose session cannot be opened leaves the items
    to the others; when there are none, the items fail with its reason. Another exception ends the pool after the items that
    are being worked on.
    """
    waiting: queue.SimpleQueue[Work] = queue.SimpleQueue()
    count = 0
    for item in items:
        waiting.put(item)
        count += 1
    stop = threading.Event()
    unopened: list[LyceeError] = []

    def work_through(own: Machine) -> None:
        while not stop.is_set():
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                work(own, item)
            except QuotaError as error:
                # The host allows no more sessions: this thread is one too many.
                waiting.put(item)
                unopened.append(error)
                return
            except LyceeError as error:
                failed(item, error)

    def serve() -> None:
        try:
            with contextlib.ExitStack() as stack:
                try:
                    own = stack.enter_context(machine.worker())
                except LyceeError as error:
                    unopened.append(error)
                    return
                work_through(own)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(max_workers=max(1, min(workers, count))) as pool:
        for future in [pool.submit(serve) for _number in range(max(1, min(workers, count)))]:
            future.result()
    while unopened and not waiting.empty():
        failed(waiting.get_nowait(), unopened[0])
