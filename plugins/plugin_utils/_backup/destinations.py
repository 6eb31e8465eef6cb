"""Where backups are kept: an rsync module, a folder of the controller, a folder of the server itself.

Note that this utility is private to the collection.

Each keeps the files of a set below a folder of the set's name. What is written is read back by the caller (``digest``).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .._storage import make_folder, sync_folder
from . import rsync
from .errors import AbsentError, DestinationError, OptionError
from .machine import Done, Machine, digest_of
from .tools import environment

_RETRY_PAUSE = 1.0
#: In a listing: the file is there, and how large it is was not asked.
SIZE_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Settings:
    """A destination as the inventory describes it.

    Attributes:
        name: shown, and kept in the catalog.
        type: rsync, folder or server_folder.
        url, password: of an rsync module.
        path: of the folder; of an rsync module, where the controller sees its folder, if it does.
        removable: it may be absent.
        absent_days: so long, and then the run fails.
        timeout: seconds of silence.
        retries: how often a broken transfer is tried again.
    """

    name: str
    type: str
    url: str = ""
    password: str = field(default="", repr=False)
    path: str = ""
    removable: bool = False
    absent_days: int = 14
    timeout: int = 60
    retries: int = 2

    @property
    def secrets(self) -> dict[str, str]:
        """Return the variables by which rsync gets its password (rsync(1))."""
        return {"RSYNC_PASSWORD": self.password} if self.password else {}


def tried(settings: Settings, attempt: Callable[[], Done], again: Callable[[], None] = lambda: None) -> Done:
    """Run rsync, wherever it runs, and run it again where the line broke.

    Args:
        settings: of the destination.
        attempt: runs it once.
        again: told before each further time.

    Raises:
        DestinationError: it ended with anything but 0.
    """
    for left in range(settings.retries, -1, -1):
        done = attempt()
        if done.rc == 0:
            return done
        if not rsync.may_help(done.rc, done.said) or not left:
            break
        again()
        time.sleep(_RETRY_PAUSE)
    raise DestinationError(f"{settings.name}: {rsync.explain(done.rc, done.said)}")


def settings_of(options: Sequence[dict[str, Any]]) -> list[Settings]:
    """Return the destinations that the option describes.

    Raises:
        OptionError: one of them is not complete, or two have the same name.
    """
    found: list[Settings] = []
    for number, option in enumerate(options, 1):
        known = {key: value for key, value in option.items() if value is not None}
        one = Settings(**known)
        if one.type == "rsync":
            if not one.url:
                raise OptionError(f"destination {one.name} (number {number}) needs a url, as rsync://USER@HOST/MODULE")
            rsync.check_url(one.url)
        elif not one.path:
            raise OptionError(f"destination {one.name} (number {number}) needs a path")
        if one.type == "folder" and not Path(one.path).expanduser().is_absolute():
            raise OptionError(f"destination {one.name}: '{one.path}' is no absolute path")
        if one.name in [other.name for other in found]:
            raise OptionError(f"two destinations have the name {one.name}")
        found.append(one)
    if not found:
        raise OptionError("there is no destination; name at least one, and better two")
    return found


class Destination(Protocol):
    """A destination. Paths are below the set's folder, with slashes; all methods raise DestinationError."""

    settings: Settings
    #: Bytes that were sent to it in this run.
    sent: int

    def listing(self) -> dict[str, int]:
        """Return path to size of the files there.

        Raises:
            AbsentError: it is removable and not there.
        """

    def free(self) -> int | None:
        """Return how many bytes are free there, None when it cannot be known."""

    def store(self, folder: Path, paths: Sequence[str]) -> None:
        """Bring files of a folder of the controller there."""

    def fetch(self, paths: Sequence[str], folder: Path) -> None:
        """Bring files from there into a folder of the controller."""

    def direct(self, path: str) -> Path | None:
        """Return where the controller sees a file of it, None when it does not."""

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files; one that is not there is no matter."""


class FolderDestination:
    """A folder of the controller: a disk of its own, a NAS, a USB disk, or the folder of an rsync module on this machine."""

    def __init__(self, settings: Settings, set_name: str) -> None:
        self.settings = settings
        self.sent = 0
        self._root = Path(settings.path).expanduser()
        self._folder = self._root / set_name

    def _check(self) -> None:
        # The folder itself is never made: an empty mount point of an absent disk would be filled.
        if not self._root.is_dir():
            kind = AbsentError if self.settings.removable else DestinationError
            raise kind(f"{self.settings.name}: {self._root} is not there; connect the disk, or make the folder on it")

    def listing(self) -> dict[str, int]:
        """Return the files below the set's folder."""
        self._check()
        with self._explained("cannot be read"):
            return files_of(self._folder)

    def free(self) -> int | None:
        """Return what is free on the file system."""
        self._check()
        with self._explained("cannot be read"):
            return shutil.disk_usage(self._root).free

    def store(self, folder: Path, paths: Sequence[str]) -> None:
        """Copy files, each beside its place first, down to the disk, and out of the cache, so that it is the disk that is read back."""
        self._check()
        for path in paths:
            target = self._folder / path
            part = target.with_name(f".{target.name}.part")
            with self._explained(f"cannot take {path}"):
                make_folder(target.parent)
                try:
                    with (folder / path).open("rb") as source, part.open("wb") as copy:
                        os.fchmod(copy.fileno(), 0o600)
                        shutil.copyfileobj(source, copy, 1 << 20)
                        copy.flush()
                        os.fsync(copy.fileno())
                        os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                    part.replace(target)
                    sync_folder(target.parent)
                except BaseException:
                    part.unlink(missing_ok=True)
                    raise
            self.sent += target.stat().st_size

    def fetch(self, paths: Sequence[str], folder: Path) -> None:
        """Copy files into a folder."""
        self._check()
        for path in paths:
            target = folder / path
            with self._explained(f"cannot give {path}"):
                make_folder(target.parent)
                shutil.copyfile(self._folder / path, target)

    def direct(self, path: str) -> Path | None:
        """Return the file's own path."""
        return self._folder / path

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files, and folders that are then empty."""
        self._check()
        with self._explained("cannot remove"):
            for path in paths:
                target = self._folder / path
                target.unlink(missing_ok=True)
                with contextlib.suppress(OSError):
                    target.parent.rmdir()

    @contextlib.contextmanager
    def _explained(self, about: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DestinationError(f"{self.settings.name}: {self._folder} {about}: {error.strerror}") from None


class RsyncDestination:
    """A module of an rsync daemon, by the controller's rsync; a server with an rsync of its own pushes there itself."""

    def __init__(self, settings: Settings, set_name: str, program: str | None = None) -> None:
        self.settings = settings
        self.sent = 0
        self.url = rsync.check_url(settings.url)
        self.set_url = f"{self.url}/{set_name}"
        self._set = set_name
        self._program = program or shutil.which("rsync")
        self._direct = Path(settings.path).expanduser() / set_name if settings.path else None

    def run(self, arguments: Sequence[str], stdin: bytes = b"") -> Done:
        """Run the controller's rsync, again where the line broke.

        Raises:
            DestinationError: it ended with anything but 0.
        """
        if self._program is None:
            raise DestinationError(
                f"{self.settings.name}: rsync is missing on the controller; install it (apt-get install rsync)"
            )
        program = self._program

        def attempt() -> Done:
            done = subprocess.run(
                [program, *arguments],
                input=stdin,
                capture_output=True,
                env=environment(**self.settings.secrets),
                check=False,
            )
            self.sent += rsync.sent_bytes(done.stdout)
            # Of a failure only the errors are told, not the statistics.
            return Done(done.returncode, b"" if done.returncode else done.stdout, done.stderr)

        return tried(self.settings, attempt)

    def listing(self) -> dict[str, int]:
        """Return the files below the set's folder: as the disk has them where the controller sees it, else as the daemon lists them."""
        if self._direct is not None and self._direct.parent.is_dir():
            # Where it may not be looked into, the daemon may.
            with contextlib.suppress(OSError):
                return files_of(self._direct)
        done = self.run(rsync.list_arguments(self.settings.timeout, self._set, self.url))
        prefix = f"{self._set}/"
        found = rsync.parse_listing(done.stdout.decode("utf-8", "surrogateescape"))
        return {path.removeprefix(prefix): size for path, size in found.items() if path.startswith(prefix)}

    def free(self) -> int | None:
        """Return what is free where the controller sees the folder; a daemon does not tell."""
        if not self.settings.path:
            return None
        with contextlib.suppress(OSError):
            return shutil.disk_usage(Path(self.settings.path).expanduser()).free
        return None

    def store(self, folder: Path, paths: Sequence[str]) -> None:
        """Send files of the controller."""
        self.run(rsync.push_arguments(self.settings.timeout, str(folder), self.set_url), _names(paths))

    def fetch(self, paths: Sequence[str], folder: Path) -> None:
        """Get files, named from the module's root: a daemon of rsync 3.5 does not find them below a folder of the source."""
        names = [f"{self._set}/./{path}" for path in paths]
        self.run([*rsync.options(self.settings.timeout), "--files-from=-", f"{self.url}/", f"{folder}/"], _names(names))

    def direct(self, path: str) -> Path | None:
        """Return the file's path where the inventory says that the controller sees the module's folder."""
        return self._direct / path if self._direct is not None else None

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files: sources that are named and missing are deleted at the destination (rsync 3.1 on both sides)."""
        if not paths:
            return
        with tempfile.TemporaryDirectory(prefix="lycee-") as empty:
            # Their folders are sources too, and those are not missing.
            for path in paths:
                (Path(empty) / path).parent.mkdir(parents=True, exist_ok=True)
            self.run(
                [*rsync.options(self.settings.timeout), "--delete-missing-args", "--files-from=-", f"{empty}/",
                 f"{self.set_url}/"],
                _names(paths),
            )  # fmt: skip


class ServerFolderDestination:
    """A folder on the server itself, above all one that DFS replicates to the other server."""

    def __init__(self, settings: Settings, set_name: str, machine: Machine) -> None:
        self.settings = settings
        self.sent = 0
        self._machine = machine
        self._folder = machine.join(settings.path, set_name)

    def _path(self, path: str) -> str:
        return self._machine.join(self._folder, *path.split("/"))

    def listing(self) -> dict[str, int]:
        """Return the files below the set's folder; the sizes of dumps are asked one by one, those of records are not."""
        root = self._machine.join(self._folder, "")
        found = {}
        for path in self._machine.files_below(self._folder):
            size = SIZE_UNKNOWN if path.endswith(".json") else self._machine.size(path)
            found[path[len(root) :].replace("\\", "/")] = SIZE_UNKNOWN if size is None else size
        return found

    def free(self) -> int | None:
        """Return what is free there."""
        return self._machine.free(self._folder)

    def take(self, staged: str, path: str) -> None:
        """Copy a file of the server there."""
        target = self._path(path)
        self._machine.make_private_folder(self._machine.parent(target))
        self._machine.copy(staged, target)

    def digest(self, path: str) -> str:
        """Return what the server says of a file there."""
        return self._machine.digest(self._path(path))

    def store(self, folder: Path, paths: Sequence[str]) -> None:
        """Bring files from the controller."""
        for path in paths:
            target = self._path(path)
            self._machine.make_private_folder(self._machine.parent(target))
            self._machine.put(folder / path, target)
            self.sent += (folder / path).stat().st_size

    def fetch(self, paths: Sequence[str], folder: Path) -> None:
        """Bring files to the controller."""
        for path in paths:
            make_folder((folder / path).parent)
            self._machine.fetch(self._path(path), folder / path)

    def direct(self, path: str) -> Path | None:
        """Return None: it is another machine."""
        return None

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files."""
        self._machine.remove([self._path(path) for path in paths])


def open_destination(settings: Settings, set_name: str, machine: Machine | None) -> Destination:
    """Return a destination; nothing is asked yet.

    Raises:
        OptionError: it is a folder of the server, and there is no server in this task.
    """
    if settings.type == "rsync":
        return RsyncDestination(settings, set_name)
    if settings.type == "folder":
        return FolderDestination(settings, set_name)
    if machine is None:
        raise OptionError(f"destination {settings.name} is a folder of the server, which this task does not talk to")
    return ServerFolderDestination(settings, set_name, machine)


@contextlib.contextmanager
def at_hand(destination: Destination, paths: Sequence[str], scratch: Path) -> Iterator[Path]:
    """Give the folder of the controller below which files of a destination are found: its own, or one of copies, removed at the end.

    Raises:
        DestinationError: it does not give them, one that is missing among them.
    """
    own = destination.direct("")
    if own is not None and all(os.access(own / path, os.R_OK) for path in paths):
        yield own
        return
    with tempfile.TemporaryDirectory(dir=scratch, prefix="read-") as folder:
        if paths:
            destination.fetch(paths, Path(folder))
        yield Path(folder)


def files_of(root: Path) -> dict[str, int]:
    """Return path below ``root`` to size of every file there; nothing where there is no such folder.

    Raises:
        OSError: a folder cannot be read.
    """
    found: dict[str, int] = {}
    waiting = [str(root)] if root.is_dir() else []
    start = len(str(root)) + 1
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    found[entry.path[start:]] = entry.stat(follow_symlinks=False).st_size
    return found


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file of the controller."""
    return digest_of(path).partition(":")[2]


def _names(paths: Sequence[str]) -> bytes:
    return "".join(f"{path}\n" for path in paths).encode()
