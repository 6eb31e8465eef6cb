"""A Windows server over the collection's own session: no PowerShell, no Python there.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .._postgresql.cluster import Cluster, find_cluster
from .._windows import files, services, wsman
from .._windows.errors import StateError, WindowsError
from .._windows.quoting import quote
from .._windows.session import Session
from .._windows.temporary import make_folder
from .errors import ServerError
from .machine import Done, Machine
from .names import seen_as_ansi

#: Where Cygwin's rsync usually is; the source document installs Cygwin on the servers. cwRsync has its own folder.
_RSYNC = (
    "C:\\cygwin\\bin\\rsync.exe",
    "C:\\cygwin64\\bin\\rsync.exe",
    "C:\\Program Files\\cwRsync\\bin\\rsync.exe",
    "C:\\Program Files (x86)\\cwRsync\\bin\\rsync.exe",
    "C:\\cwrsync\\bin\\rsync.exe",
)


class WindowsMachine:
    """A Windows server; one of its sessions has at most two shells at once, and a pool of two five in all (the quota of 2008)."""

    def __init__(self, session: Session, cluster: Cluster | None = None, service: str | None = None) -> None:
        """Wrap a session.

        Args:
            session: the session; who opened it closes it.
            cluster: the PostgreSQL service, where it has been looked for.
            service: its short name, where a host has several.
        """
        self.name = session.name
        self._session = session
        self._service = service
        self._found = cluster

    @property
    def session(self) -> Session:
        """Return the session."""
        return self._session

    @contextlib.contextmanager
    def worker(self) -> Iterator[Machine]:
        """Give the machine with a session of its own."""
        with self._session.twin() as session:
            yield WindowsMachine(session, self._cluster(), self._service)

    def _cluster(self) -> Cluster:
        if self._found is None:
            self._found = find_cluster(services.services(self._session), self._service, self.name)
        return self._found

    def run(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 120.0,
    ) -> Done:
        """Run a program; its variables stand in the environment of a shell, which is closed after it."""
        variables = {**(environment or {}), **(secrets or {})}
        done = self._session.run(argv, timeout=timeout, stdin=stdin, secrets=variables or None)
        return Done(done.rc, done.stdout, done.stderr)

    def default_staging(self) -> str:
        """Return a folder in C:\\Windows\\Temp, where users may not read what others put there."""
        return "C:\\Windows\\Temp\\lycee-backup"

    def join(self, folder: str, *names: str) -> str:
        """Return a path below ``folder``."""
        return "\\".join([folder.rstrip("\\"), *(name.replace("/", "\\") for name in names)])

    def parent(self, path: str) -> str:
        """Return the folder of a path."""
        return path.rpartition("\\")[0]

    def program(self, folder: str, name: str) -> str:
        """Return the path of a program."""
        return f"{folder}\\{name}.exe"

    def argument(self, text: str) -> str:
        """Return the characters whose bytes in the ANSI code page are the UTF-8 of ``text``."""
        return seen_as_ansi(text)

    def can_hold(self, argument: str) -> bool:
        """Return whether quoting protects it: a per cent sign, for one, cannot be."""
        try:
            quote(argument)
        except WindowsError:
            return False
        return True

    def find_programs(self, wanted: str) -> str:
        """Return the folder of the service's own programs."""
        return wanted.rstrip("\\") or self._cluster().bin

    def data_folder(self) -> str | None:
        """Return the data folder that the service names."""
        return self._cluster().data

    def find_rsync(self, wanted: str | None) -> str | None:
        """Return the first rsync that is there."""
        if wanted:
            if not files.exists(self._session, wanted):
                raise ServerError(f"{self.name}: there is no {wanted}; correct the path of rsync, or leave it out")
            return wanted
        return next((path for path in _RSYNC if files.exists(self._session, path)), None)

    def rsync_path(self, folder: str) -> str:
        """Return the folder as Cygwin names it: ``C:`` would be a host to rsync."""
        return f"/cygdrive/{folder[0].lower()}{folder[2:]}".replace("\\", "/")

    def seen(self, path: str) -> Path | None:
        """Return None: it is another machine."""
        return None

    def make_private_folder(self, path: str) -> None:
        """Make a folder; its rights are those of the folder above it."""
        try:
            make_folder(self._session, path)
        except StateError as error:
            raise ServerError(str(error)) from None

    def size(self, path: str) -> int | None:
        """Return the size of a file."""
        return files.size(self._session, path)

    def free(self, path: str) -> int | None:
        """Return what is free on the drive; a disk that is mounted in a folder is not told apart."""
        row = self._session.get("Win32_LogicalDisk", DeviceID=path[:2].upper())
        return wsman.number(row, "FreeSpace")

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a file, or its SHA-1 where certutil knows no other."""
        digits = files.file_hash(self._session, path, self.size(path))
        return f"{'sha1' if len(digits) == 40 else 'sha256'}:{digits}" if digits else ""

    def move(self, source: str, target: str) -> None:
        """Rename a file and look."""
        done = self._session.run_line(f"move /y {quote(files.check_path(source))} {quote(files.check_path(target))}")
        if self.size(target) is None or self.size(source) is not None:
            raise ServerError(f"{self.name}: {source} cannot be renamed to {target} ({done.said})")

    def copy(self, source: str, target: str) -> None:
        """Copy beside the target, compare, and rename."""
        part = f"{target}.part"
        try:
            files.copy(self._session, source, part)
            self.move(part, target)
        except BaseException:
            with contextlib.suppress(Exception):
                self.remove([part])
            raise

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files."""
        for path in paths:
            files.remove(self._session, path)

    def files_below(self, path: str) -> list[str]:
        """Return the files below a folder as ``dir /s /b`` lists them."""
        path = files.check_path(path)
        if files.exists(self._session, path):
            return [path]
        if not files.folder_exists(self._session, path):
            return []
        done = self._session.run_line(f"dir /s /b /a-d {quote(path)}")
        # Without a file, dir says so in its language and lists nothing; what it lists are full paths.
        lines = [line.rstrip() for line in done.text.splitlines()]
        return sorted(line for line in lines if line.casefold().startswith(f"{path.casefold()}\\"))

    def fetch(self, path: str, local: Path) -> None:
        """Bring a file to the controller."""
        local.write_bytes(files.read(self._session, path))

    def put(self, local: Path, path: str) -> None:
        """Bring a file from the controller; ``files.write`` compares it."""
        files.write(self._session, path, local.read_bytes())
