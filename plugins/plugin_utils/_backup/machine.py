"""What a backup needs of a server: run a program, and handle its files. Windows and Linux do it each in their way.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Done:
    """What a program did.

    Attributes:
        rc: its exit code, which is a claim only.
        stdout, stderr: bytes as they came.
    """

    rc: int
    stdout: bytes
    stderr: bytes

    @property
    def said(self) -> str:
        """Return both outputs as one line for a sentence, at most 300 characters; the errors come first."""
        return " ".join((self.stderr + b"\n" + self.stdout).decode("utf-8", "replace").split())[:300]


class Machine(Protocol):
    """A server. Paths are the machine's own; ``join`` makes them.

    All methods raise LyceeError, whose text names the machine.
    """

    name: str

    def worker(self) -> AbstractContextManager[Machine]:
        """Give the same machine for another thread: a session of its own, closed at the end."""

    def run(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 120.0,
    ) -> Done:
        """Run a program by its full path and wait for its end. ``secrets`` are environment variables that nothing shows."""

    def default_staging(self) -> str:
        """Return a folder for dumps that others may not read."""

    def join(self, folder: str, *names: str) -> str:
        """Return a path below ``folder``."""

    def parent(self, path: str) -> str:
        """Return the folder of a path."""

    def program(self, folder: str, name: str) -> str:
        """Return the path of a program in ``folder``."""

    def argument(self, text: str) -> str:
        """Return an argument so that PostgreSQL's programs see the UTF-8 bytes of ``text``."""

    def can_hold(self, argument: str) -> bool:
        """Return whether a command line of this machine can hold an argument."""

    def find_programs(self, wanted: str) -> str:
        """Return the folder of PostgreSQL's programs: ``wanted``, or the server's own where it is empty."""

    def data_folder(self) -> str | None:
        """Return the data folder of the server's cluster where the machine knows it."""

    def find_rsync(self, wanted: str | None) -> str | None:
        """Return the path of rsync: ``wanted``, or a usual one, or None when there is none."""

    def rsync_path(self, folder: str) -> str:
        """Return a folder as rsync on this machine takes it."""

    def seen(self, path: str) -> Path | None:
        """Return a file of the machine as one of the controller, None when they are two machines."""

    def make_private_folder(self, path: str) -> None:
        """Make a folder, and what is above it, that only administrators or the owner may read; one that exists stays."""

    def size(self, path: str) -> int | None:
        """Return the size of a file in bytes, None when there is none."""

    def free(self, path: str) -> int | None:
        """Return how many bytes are free where ``path`` is, None when it cannot be known."""

    def digest(self, path: str) -> str:
        """Return ``sha256:...`` of a file, or ``sha1:...`` where the machine knows no better; empty without the file."""

    def move(self, source: str, target: str) -> None:
        """Rename a file; one of the new name is replaced."""

    def copy(self, source: str, target: str) -> None:
        """Copy a file on the machine, as a whole or not at all."""

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files; one that is not there is no matter."""

    def files_below(self, path: str) -> list[str]:
        """Return the paths of all files below a folder, of the file itself when it is one, nothing when there is nothing."""

    def fetch(self, path: str, local: Path) -> None:
        """Bring a file to the controller."""

    def put(self, local: Path, path: str) -> None:
        """Bring a file from the controller; its bytes are compared on arrival."""


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Return ``algorithm:hexadecimal`` of a file of the controller.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def same_digest(path: Path, expected: str) -> bool:
    """Return whether a file of the controller has the digest that another machine gave by the algorithm it knows.

    Raises:
        OSError: it cannot be read.
    """
    return bool(expected) and digest_of(path, expected.partition(":")[0]) == expected


def run_name(argv: Sequence[str]) -> str:
    """Return the name of the program for a sentence."""
    return argv[0].replace("\\", "/").rpartition("/")[2]
