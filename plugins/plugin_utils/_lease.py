"""One changing job at a time per server, and none that outlives its controller.

Note that this utility is private to the collection.

The lease is a lock on a file of the controller, taken in the worker that does the job: the kernel frees it with the
process, however that ends. Killing ansible-playbook alone leaves its workers alive, so ``step`` is asked before each step.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from ._errors import LyceeError
from ._storage import make_folder


class LeaseError(LyceeError):
    """Another job works on the server, or this job's controller is gone."""


@contextlib.contextmanager
def lease(folder: Path, server: str, job: str, noun: str = "this server") -> Iterator[Callable[[str], None]]:
    """Hold the lease of ``server`` for ``job``, and give the function that is asked before each step.

    Args:
        folder: where the leases of this inventory stand; it is made (0700).
        server: inventory name.
        job: what is being done, for the sentence that a second job gets.
        noun: what is worked on, for the same.

    Raises:
        LeaseError: another job holds it, and since when; or the folder cannot be written.
    """
    try:
        make_folder(folder)
        descriptor = os.open(folder / f"{server}.lease", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LeaseError(
            f"{server}: the lease in {folder} cannot be taken ({error.strerror}); make the folder writable, or set "
            "lycee_data_dir to another one"
        ) from None
    controller = os.getppid()

    def step(name: str) -> None:
        """Raise LeaseError when the controller that started this worker is gone."""
        if os.getppid() != controller:
            raise LeaseError(
                f"{server}: the run was ended from outside before the step '{name}'; run again to complete it"
            )

    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LeaseError(f"{server}: {_holder(descriptor)} works on {noun}; wait for it and run again") from None
        os.ftruncate(descriptor, 0)
        holder = {"job": job, "pid": os.getpid(), "since": datetime.now(UTC).replace(microsecond=0).isoformat()}
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield step
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"the job '{holder['job']}' (process {holder['pid']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError):
        return "another job"
