"""A bounded pool of threads, each with a session of its own with the server.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .._errors import LyceeError
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

    An error of the library is the item's own, and is given to ``failed``. Another exception ends the pool after the items that
    are being worked on.
    """
    waiting: queue.SimpleQueue[Work] = queue.SimpleQueue()
    count = 0
    for item in items:
        waiting.put(item)
        count += 1
    stop = threading.Event()

    def serve() -> None:
        item: Work
        try:
            with machine.worker() as own:
                while not stop.is_set():
                    try:
                        item = waiting.get_nowait()
                    except queue.Empty:
                        return
                    try:
                        work(own, item)
                    except LyceeError as error:
                        failed(item, error)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(max_workers=max(1, min(workers, count))) as pool:
        for future in [pool.submit(serve) for _number in range(max(1, min(workers, count)))]:
            future.result()
