"""Commit the archive with plain git.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .. import _storage as storage
from .archive import PRIVATE, Archive
from .errors import ArchiveError

#: Configuration given with each call: nothing of the user's own git configuration takes part.
_OPTIONS = (
    "-c", "user.name=lycee.openerp",
    "-c", "user.email=lycee.openerp@localhost",
    "-c", "commit.gpgSign=false",
    "-c", "core.autocrlf=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.quotePath=false",
    "-c", "gc.autoDetach=false",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileStat:
    """Lines added and removed in one file of the index against the last commit."""

    path: str
    added: int
    removed: int

    @property
    def host(self) -> str:
        """Return the device that the file belongs to (``devices/HOST/FILE``)."""
        return self.path.split("/")[1]


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit holds, or would hold.

    Attributes:
        message: the whole message.
        devices: names of the devices, sorted.
        sha: the commit's name; empty when nothing was committed.
    """

    message: str
    devices: list[str]
    sha: str = ""


def message_for(stats: list[FileStat]) -> str:
    """Return the commit message: the devices in the subject, the line counts of each file below.

    The manifest, which follows from the other files, is not counted.
    """
    shown = [stat for stat in stats if not stat.path.endswith("/manifest.json")] or stats
    devices = sorted({stat.host for stat in stats})
    names = ", ".join(devices)
    subject = f"Back up {names}" if len(names) <= 60 else f"Back up {len(devices)} devices"
    lines = [f"{stat.path.removeprefix('devices/')}: +{stat.added} -{stat.removed}" for stat in shown]
    return subject + "\n\n" + "\n".join(lines) + "\n"


def _stat(line: str) -> FileStat:
    """Read one entry of ``git diff --numstat -z``; git counts no lines where it sees binary bytes."""
    added, removed, path = line.split("\t", 2)
    return FileStat(path, int(added) if added != "-" else 0, int(removed) if removed != "-" else 0)


class Repository:
    """The git repository of an archive."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.root: Path = archive.root

    def _git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        # The user's and the machine's configuration may sign, hook or convert; an archive is always made the same way.
        environment |= {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
        }
        try:
            done = subprocess.run(
                ["git", *_OPTIONS, *arguments],
                cwd=self.root,
                env=environment,
                umask=0o077,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except FileNotFoundError:
            raise ArchiveError("the program git is missing on this machine; install it: apt-get install git") from None
        if check and done.returncode != 0:
            reason = " ".join((done.stderr or done.stdout).split())[:300]
            raise ArchiveError(f"git {arguments[0]} failed in {self.root}: {reason}")
        return done

    def exists(self) -> bool:
        """Return whether the archive is a repository of its own (not merely inside one)."""
        return (self.root / ".git").is_dir()

    def prepare(self) -> None:
        """Make the repository, or complete one that an interrupted run has begun, and refuse one with a remote.

        Raises:
            ArchiveError: git fails, or the repository has a remote.
        """
        if not (self.root / ".git" / "HEAD").exists() or not (self.root / ".git" / "info" / "exclude").exists():
            self._git("init", "--quiet", "--initial-branch=main", "--shared=0600")
        info = self.root / ".git" / "info"
        # What a killed run left of a file, and the private folder, are never committed; line ends are never touched.
        for name, text in (("exclude", f"/{PRIVATE}/\n.*.tmp\n"), ("attributes", "* -text\n")):
            storage.make_folder(info)
            if not (info / name).exists() or (info / name).read_text("utf-8") != text:
                storage.write_atomic(info / name, text.encode("ascii"))
        (self.root / ".git").chmod(0o700)
        self._refuse_remote()

    def _refuse_remote(self) -> None:
        remotes = self._git("remote").stdout.split()
        if remotes:
            raise ArchiveError(
                f"the archive {self.root} has the git remote '{remotes[0]}': it holds every secret of the network and is "
                f"never pushed. Remove it (git -C '{self.root}' remote remove {remotes[0]}) and push the redacted export"
            )

    def pending(self) -> list[FileStat]:
        """Stage everything under ``devices/`` and return what differs from the last commit."""
        # Of a killed git; nobody else works here, since the archive is held.
        (self.root / ".git" / "index.lock").unlink(missing_ok=True)
        self._git("add", "--all", "--", "devices")
        stats = []
        for line in self._git("diff", "--cached", "--numstat", "-z", "--no-renames").stdout.split("\0"):
            if line:
                stats.append(_stat(line))
        return stats

    def differences(self) -> list[FileStat]:
        """Return what differs from the last commit without writing anything, not even into the index."""
        stats = []
        if self._git("rev-parse", "--verify", "--quiet", "HEAD", check=False).returncode == 0:
            text = self._git(
                "--no-optional-locks", "diff", "--numstat", "-z", "--no-renames", "HEAD", "--", "devices"
            ).stdout
            stats += [_stat(line) for line in text.split("\0") if line]
        others = self._git("ls-files", "--others", "--exclude-standard", "-z", "--", "devices").stdout
        for path in others.split("\0"):
            if path:
                stats.append(FileStat(path, (self.root / path).read_bytes().count(b"\n"), 0))
        return stats

    def commit(self, *, dry_run: bool = False) -> Commit:
        """Commit what is pending, in one commit; nothing pending makes none.

        Args:
            dry_run: only say what would be committed; an archive that is no repository yet stays none.

        Raises:
            ArchiveError: git fails, the repository has a remote, or the commit does not read back.
        """
        if dry_run and not self.exists():
            hosts = self.archive.hosts()
            return Commit("Back up " + ", ".join(hosts) + "\n" if hosts else "", hosts)
        if dry_run:
            self._refuse_remote()
            stats = self.differences()
            return Commit(message_for(stats) if stats else "", sorted({stat.host for stat in stats}))
        with self.archive.lock():
            self.prepare()
            stats = self.pending()
            if not stats:
                return Commit("", [])
            message = message_for(stats)
            devices = sorted({stat.host for stat in stats})
            self._git("commit", "--quiet", "--message", message)
            sha = self._git("rev-parse", "HEAD").stdout.strip()
            left = self._git("status", "--porcelain", "--", "devices").stdout.strip()
            if left:
                raise ArchiveError(f"after the commit {sha[:12]} in {self.root} files still differ; run again")
            return Commit(message, devices, sha)
