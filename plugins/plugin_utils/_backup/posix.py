"""A Linux server over Ansible's local or ssh connection, by the programs of POSIX and coreutils; no Python there.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from .._errors import LyceeError
from .errors import OptionError, ServerError
from .machine import Done, Machine, run_name, same_digest

#: Reads variables from standard input until an empty line, then becomes the program, which reads the rest. ``read`` takes one
#: byte at a time from a pipe, as POSIX demands, so nothing of the program's input is lost.
_WITH_SECRETS = 'while IFS= read -r line && [ -n "$line" ]; do export "$line"; done; exec "$@"'


class Transport(Protocol):
    """How a command gets to the server."""

    def run(self, argv: Sequence[str], environment: Mapping[str, str], stdin: bytes, timeout: float) -> Done:
        """Run a program. Nothing of ``environment`` may become visible to others."""

    def fetch(self, path: str, local: Path) -> None:
        """Bring a file to the controller."""

    def put(self, local: Path, path: str) -> None:
        """Bring a file to the server."""


class LocalTransport:
    """The controller itself."""

    def __init__(self, name: str) -> None:
        self._name = name

    def run(self, argv: Sequence[str], environment: Mapping[str, str], stdin: bytes, timeout: float) -> Done:
        """Run a program as a child of this process; its environment is readable to the same user only."""
        try:
            done = subprocess.run(
                list(argv),
                env={**os.environ, **environment},
                input=stdin,
                capture_output=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ServerError(
                f"{self._name}: {run_name(argv)} did not end in {timeout:g} s and was terminated"
            ) from None
        except OSError as error:
            raise ServerError(f"{self._name}: {argv[0]} cannot be run: {error.strerror}") from None
        return Done(done.returncode, done.stdout, done.stderr)

    def fetch(self, path: str, local: Path) -> None:
        """Copy a file."""
        self._copy(Path(path), local)

    def put(self, local: Path, path: str) -> None:
        """Copy a file."""
        self._copy(local, Path(path))

    def _copy(self, source: Path, target: Path) -> None:
        try:
            target.write_bytes(source.read_bytes())
        except OSError as error:
            raise ServerError(f"{self._name}: {source} cannot be copied to {target}: {error.strerror}") from None


class AnsibleTransport:
    """A server behind Ansible's ssh connection, or another that runs commands of a POSIX shell."""

    def __init__(self, name: str, connection: Any) -> None:
        self._name, self._connection = name, connection

    def run(self, argv: Sequence[str], environment: Mapping[str, str], stdin: bytes, timeout: float) -> Done:
        """Run a program; its environment goes through standard input, where no list of processes shows it."""
        if any("\n" in value for value in environment.values()):
            raise OptionError(f"{self._name}: a secret holds a line end, which cannot be given to a program")
        head = "".join(f"{key}={value}\n" for key, value in environment.items()) + "\n"
        command = shlex.join(["timeout", str(int(timeout) or 1), "/bin/sh", "-c", _WITH_SECRETS, "sh", *argv])
        with self._explained(run_name(argv)):
            rc, out, err = self._connection.exec_command(command, in_data=head.encode() + stdin, sudoable=False)
        if rc == 124:
            raise ServerError(f"{self._name}: {run_name(argv)} did not end in {timeout:g} s and was terminated")
        return Done(int(rc), bytes(out), bytes(err))

    def fetch(self, path: str, local: Path) -> None:
        """Bring a file by the connection's own way (sftp, scp)."""
        with self._explained(f"the transfer of {path}"):
            self._connection.fetch_file(path, str(local))

    def put(self, local: Path, path: str) -> None:
        """Bring a file by the connection's own way (sftp, scp)."""
        with self._explained(f"the transfer of {path}"):
            self._connection.put_file(str(local), path)

    @contextlib.contextmanager
    def _explained(self, about: str) -> Iterator[None]:
        try:
            yield
        except LyceeError:
            raise
        except Exception as error:  # a connection plugin raises what it likes
            text = " ".join(str(getattr(error, "message", error)).split())[:300]
            failed = ServerError(f"{self._name}: {about} failed: {text}")
            failed.unreachable = type(error).__name__ == "AnsibleConnectionFailure"
            raise failed from None


class PosixMachine:
    """A Linux server."""

    def __init__(self, name: str, transport: Callable[[], Transport]) -> None:
        self.name = name
        self._make = transport
        self._transport = transport()

    @contextlib.contextmanager
    def worker(self) -> Iterator[Machine]:
        """Give the machine with a transport of its own."""
        yield PosixMachine(self.name, self._make)

    def run(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 120.0,
    ) -> Done:
        """Run a program in English."""
        variables = {"LC_MESSAGES": "C", **(environment or {}), **(secrets or {})}
        return self._transport.run(argv, variables, stdin, timeout)

    def default_staging(self) -> str:
        """Return a folder in the user's home: in a folder of everybody's another user might make it first."""
        return self.join(self._shell('printf %s "$HOME"').strip() or "/", ".lycee-backup")

    def join(self, folder: str, *names: str) -> str:
        """Return a path below ``folder``."""
        return "/".join([folder.rstrip("/"), *names])

    def parent(self, path: str) -> str:
        """Return the folder of a path."""
        return path.rpartition("/")[0]

    def program(self, folder: str, name: str) -> str:
        """Return the path of a program."""
        return self.join(folder, name)

    def argument(self, text: str) -> str:
        """Return ``text``: arguments are bytes here."""
        return text

    def can_hold(self, argument: str) -> bool:
        """Return True: arguments are a list here."""
        return True

    def find_programs(self, wanted: str) -> str:
        """Return ``wanted``, or the newest of Debian's and Red Hat's folders, or that of the PATH."""
        if wanted:
            return wanted.rstrip("/")
        found = self._shell(
            'ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null; dirname "$(command -v pg_dump)"'
        ).split()
        folders = [path for path in found if path.startswith("/")]
        if not folders:
            raise ServerError(
                f"{self.name}: pg_dump was not found; install PostgreSQL's programs there, or name their folder as pg_bin"
            )
        return max(
            folders, key=lambda path: [int(part) for part in path.replace("-", "/").split("/") if part.isdigit()]
        )

    def data_folder(self) -> str | None:
        """Return None: it is the business of the distribution."""
        return None

    def find_rsync(self, wanted: str | None) -> str | None:
        """Return ``wanted`` or what the PATH has."""
        return wanted or self._shell("command -v rsync").strip() or None

    def rsync_path(self, folder: str) -> str:
        """Return the folder as it is."""
        return folder

    def seen(self, path: str) -> Path | None:
        """Return None: it is another machine."""
        return None

    def make_private_folder(self, path: str) -> None:
        """Make a folder of mode 0700."""
        self._must(["/bin/sh", "-c", 'umask 077 && mkdir -p -- "$1"', "sh", path], f"the folder {path}")

    def size(self, path: str) -> int | None:
        """Return the size of a file."""
        text = self._shell('[ -f "$1" ] && wc -c < "$1"', path).strip()
        return int(text) if text.isdigit() else None

    def free(self, path: str) -> int | None:
        """Return what ``df`` says of the nearest folder that exists."""
        script = 'd=$1; while [ ! -e "$d" ] && [ "$d" != / ]; do d=$(dirname "$d"); done; df -Pk "$d" | tail -n 1'
        words = self._shell(script, path).split()
        return int(words[-3]) * 1024 if len(words) >= 6 and words[-3].isdigit() else None

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a file."""
        digits = self._shell('[ -f "$1" ] && sha256sum < "$1"', path).split()[:1]
        return f"sha256:{digits[0]}" if digits else ""

    def move(self, source: str, target: str) -> None:
        """Rename a file."""
        self._must(["mv", "-f", "--", source, target], f"{source}, to be renamed,")

    def copy(self, source: str, target: str) -> None:
        """Copy beside the target and rename."""
        part = f"{target}.part"
        script = 'umask 077 && cp -- "$1" "$2" && mv -f -- "$2" "$3" || { rm -f -- "$2"; exit 1; }'
        self._must(["/bin/sh", "-c", script, "sh", source, part, target], f"{target}, to be written,")

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files."""
        paths = list(paths)
        for start in range(0, len(paths), 200):
            self._must(["rm", "-f", "--", *paths[start : start + 200]], f"{paths[start]}, to be removed,")

    def files_below(self, path: str) -> list[str]:
        """Return the files below a folder."""
        script = '[ ! -e "$1" ] || find "$1" -type f -print0'
        done = self._must(["/bin/sh", "-c", script, "sh", path], path)
        return sorted(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)

    def fetch(self, path: str, local: Path) -> None:
        """Bring a file to the controller."""
        self._transport.fetch(path, local)

    def put(self, local: Path, path: str) -> None:
        """Bring a file from the controller and compare."""
        self._transport.put(local, path)
        if not same_digest(local, self.digest(path)):
            raise ServerError(f"{self.name}: {path} did not arrive as it was sent; is the disk full?")

    def _shell(self, script: str, *arguments: str) -> str:
        done = self.run(["/bin/sh", "-c", script, "sh", *arguments], timeout=3600)
        return done.stdout.decode("utf-8", "surrogateescape")

    def _must(self, argv: Sequence[str], about: str) -> Done:
        done = self.run(argv, timeout=3600)
        if done.rc != 0:
            raise ServerError(f"{self.name}: {about} cannot be used: {done.said}")
        return done
