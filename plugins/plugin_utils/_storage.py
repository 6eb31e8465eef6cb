"""Write files that hold secrets: whole or not at all, readable by their owner only.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700


def make_folder(path: Path) -> None:
    """Make ``path`` and what is above it; a folder that is made here is 0700.

    Raises:
        OSError: as ``mkdir``.
    """
    if not path.is_dir():
        make_folder(path.parent)
        # Another worker may have made it in the meantime.
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)


def write_atomic(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data``: temporary file (0600), fsync, rename, fsync of the folder.

    A reader, a crash or a full disk never sees a part of it.

    Raises:
        OSError: as the system calls; ``path`` is then as it was.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Have the names of a folder written to the disk.

    Raises:
        OSError: as the system calls.
    """
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock file ``path`` (made 0600), shared or alone, and wait for it as long as it takes.

    The kernel frees the lock with the process, so a killed run leaves none behind.

    Raises:
        OSError: the file cannot be made or opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
