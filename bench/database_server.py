# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server whose databases are saved: a real PostgreSQL, and a real rsync daemon as the backup server, on one loopback address.

Both are started by a keeper, ``python -m bench.database_server``, which is a daemon: they are no children of the bench, so
their CPU is not that of the clients. The keeper's standard input is a pipe of the bench. It ends when the bench does, however that
ends, and with it both servers and the folder, in which everything that is measured works.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.farm import ROOT
from lab.errors import LabError
from lab.windows.postgres import Runner, find_binaries

ADDRESS = "127.77.6.1"
USER, PASSWORD = "openpg", "bench-password"
RSYNC_USER, RSYNC_PASSWORD, MODULE = "bench", "bench-rsync-password", "Backup"
#: Databases are made two at a time.
_MAKERS = 2
_SETTINGS = """
listen_addresses = '{address}'
port = {port}
unix_socket_directories = ''
password_encryption = md5
max_connections = 40
shared_buffers = 128MB
fsync = off
max_wal_size = 4GB
# It would work when it likes, and count as the server's CPU of whoever is measured then.
autovacuum = off
"""
_DAEMON = """
address = {address}
port = {port}
use chroot = no
reverse lookup = no
log file = {folder}/rsyncd.log
{owner}
[{module}]
path = {folder}/module
read only = no
auth users = {user}
secrets file = {folder}/rsyncd.secrets
"""


class Servers:
    """PostgreSQL and the rsync daemon; a context manager.

    Attributes:
        folder: private, and removed at the end; catalogs, staging folders and playbooks stand in it.
        module: the folder of the daemon's module.
        bin: PostgreSQL's programs.
    """

    def __enter__(self) -> Servers:
        # In this thread: the daemon lives on in a process of its own.
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "bench.database_server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._keeper.wait()
        assert self._keeper.stdout is not None
        told: dict[str, Any] = json.loads(self._keeper.stdout.readline() or '{"error": "the keeper did not start"}')
        if "error" in told:
            sys.exit(f"bench: {told['error']}")
        self.folder = Path(told["folder"])
        self.module = self.folder / "module"
        self.bin = Path(told["bin"])
        self.port, self.rsync_port = int(told["port"]), int(told["rsync_port"])
        self._postmaster, self._daemon = int(told["postmaster"]), int(told["daemon"])
        return self

    def __exit__(self, *_args: object) -> None:
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self._keeper.stdin.close()
        self._keeper.stdout.read()
        self._keeper.stdout.close()

    @property
    def url(self) -> str:
        """Return the URL of the daemon's module."""
        return f"rsync://{RSYNC_USER}@{ADDRESS}:{self.rsync_port}/{MODULE}"

    def cpu(self) -> tuple[float, float]:
        """Return the CPU seconds so far of PostgreSQL's backends that have ended, and of the daemon's processes."""
        time.sleep(0.3)  # until their parents have waited for the last of them
        return _cpu(self._postmaster), _cpu(self._daemon)

    def sql(self, text: str, database: str = "postgres") -> str:
        """Run SQL and return what psql printed.

        Raises:
            RuntimeError: PostgreSQL refused it.
        """
        done = subprocess.run(
            [
                *(self.bin / "psql", "-h", ADDRESS, "-p", str(self.port), "-U", USER, "-d", database),
                *("-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"),
            ],
            input=text,
            env={**os.environ, "PGPASSWORD": PASSWORD, "PGCLIENTENCODING": "UTF8"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{database}: {done.stderr}")
        return done.stdout

    def run_each(self, texts: dict[str, str]) -> None:
        """Run SQL in each of several databases.

        Raises:
            RuntimeError: PostgreSQL refused one.
        """
        with ThreadPoolExecutor(_MAKERS) as pool:
            list(pool.map(lambda name: self.sql(texts[name], name), texts))

    def make_template(self, name: str, text: str) -> None:
        """Make a database that others are copies of.

        Raises:
            RuntimeError: PostgreSQL refused it.
        """
        self.sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        self.sql(f"BEGIN;\n{text}\nCOMMIT;\nVACUUM FREEZE ANALYZE;", name)
        self.sql(f"ALTER DATABASE {name} IS_TEMPLATE true")

    def copy_template(self, template: str, names: Sequence[str]) -> None:
        """Make copies of a template.

        Raises:
            RuntimeError: PostgreSQL refused one.
        """
        version = int(self.sql("SELECT current_setting('server_version_num')"))
        strategy = " STRATEGY file_copy" if version >= 150000 else ""
        with ThreadPoolExecutor(_MAKERS) as pool:
            list(pool.map(lambda name: self.sql(f'CREATE DATABASE "{name}" TEMPLATE {template}{strategy}'), names))


def tied() -> list[str]:
    """Return the beginning of a command line whose program is killed when the process that started it ends (prctl(2))."""
    return ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


def _cpu(pid: int) -> float:
    """Return user and system seconds of a process and of its children that it has waited for (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


# The keeper


def _free_ports(count: int) -> list[int]:
    """Return ports of the address that are free, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((ADDRESS, 0))) for _number in range(count)]
        return [int(one.getsockname()[1]) for one in sockets]


@contextlib.contextmanager
def _postgresql(runner: Runner, binaries: Path, folder: Path, port: int) -> Iterator[int]:
    """Make a cluster and run it; give the postmaster's process.

    Raises:
        LabError: a program failed, or the server does not start.
    """
    data, log, word = folder / "data", folder / "postgresql.log", folder / "password"
    data.mkdir(mode=0o700)
    word.write_text(PASSWORD, "utf-8")
    if runner.owner is not None:
        # Somebody else than the owner of the folder: he may pass through it.
        folder.chmod(0o711)
        os.chown(data, *runner.owner)
        os.chown(word, *runner.owner)
    made = subprocess.run(
        [
            *(*runner.prefix, str(binaries / "initdb"), "-D", str(data), "-U", USER, f"--pwfile={word}"),
            *("--auth=md5", "-E", "UTF8", "--locale=C", "--no-sync"),
        ],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise LabError(f"initdb failed: {made.stdout[-300:]}{made.stderr[-300:]}")
    with (data / "postgresql.conf").open("a", encoding="utf-8") as stream:
        stream.write(_SETTINGS.format(address=ADDRESS, port=port))
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*runner.prefix, str(binaries / "postgres"), "-D", str(data)],
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:
        _wait_for(process, port, log)
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


@contextlib.contextmanager
def _rsync_daemon(folder: Path, port: int) -> Iterator[int]:
    """Run the daemon; give its process.

    Raises:
        LabError: there is no rsync, or it does not start.
    """
    program = shutil.which("rsync")
    if program is None:
        raise LabError("rsync is not installed; install it (apt-get install rsync)")
    (folder / "module").mkdir()
    secrets, settings = folder / "rsyncd.secrets", folder / "rsyncd.conf"
    secrets.touch(mode=0o600)
    secrets.write_text(f"{RSYNC_USER}:{RSYNC_PASSWORD}\n", "utf-8")
    settings.write_text(
        _DAEMON.format(
            address=ADDRESS,
            port=port,
            folder=folder,
            owner="uid = 0\ngid = 0" if os.geteuid() == 0 else "",
            module=MODULE,
            user=RSYNC_USER,
        ),
        "utf-8",
    )
    process = subprocess.Popen(
        [*tied(), program, "--daemon", "--no-detach", f"--config={settings}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(process, port, folder / "rsyncd.log")
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _attempt in range(600):
        with contextlib.suppress(OSError), socket.create_connection((ADDRESS, port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    said = log.read_text("utf-8", "replace").strip() if log.exists() else ""
    raise LabError(f"no server listens on {ADDRESS}:{port}: {said[-300:] or 'it said nothing'}")


def _keep(folder: Path) -> None:
    """Run both servers until the bench closes the pipe, or ends."""
    binaries, runner = find_binaries(), Runner.choose()
    port, rsync_port = _free_ports(2)
    with _postgresql(runner, binaries, folder, port) as postmaster, _rsync_daemon(folder, rsync_port) as daemon:
        told = {"folder": str(folder), "bin": str(binaries), "port": port, "rsync_port": rsync_port}
        print(json.dumps({**told, "postmaster": postmaster, "daemon": daemon}), flush=True)
        sys.stdin.read()


def main() -> None:
    """Become a daemon and keep the servers."""
    if os.fork():
        os._exit(0)
    os.setsid()
    folder = Path(tempfile.mkdtemp(prefix="lycee-bench-"))
    try:
        _keep(folder)
    except LabError as error:
        print(json.dumps({"error": error.sentence}), flush=True)
    finally:
        # A worker that outlives a bench that was killed may still write: until nothing comes back.
        while folder.exists():
            shutil.rmtree(folder, ignore_errors=True)
            time.sleep(0.5)


if __name__ == "__main__":
    main()
