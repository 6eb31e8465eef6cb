"""Prove a dump by reading it: its header, and one stream of pg_restore through all of it.

Note that this utility is private to the collection.

``pg_restore --list`` proves nothing: the table of contents stands at the front, and a file without its last tenth lists well.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from .errors import ProofError, ToolError
from .script import Content, ScriptReader
from .tools import environment, program_version

_MAGIC = b"PGDMP"
#: Version of the archive's format (pg_backup_archiver.h, K_VERS_*) to the first pg_restore that reads it.
_READERS = (((1, 16), 17), ((1, 15), 16), ((1, 14), 12), ((1, 13), 11))
#: As much as a pipe gives at once: larger pieces leave the processor's cache before they are looked at.
_PIECE = 1 << 16

_GATHER = 0.003


def archive_version(path: Path) -> tuple[int, int]:
    """Return the version of the archive's format from its first bytes (``PGDMP``, major, minor, revision).

    Raises:
        ProofError: it is no archive.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if len(head) < 8 or not head.startswith(_MAGIC):
        raise ProofError(f"it is no PostgreSQL archive ({path.stat().st_size} bytes)")
    return head[5], head[6]


def check_reader(path: Path, programs: Path) -> None:
    """Check that the controller's pg_restore is new enough for an archive.

    Raises:
        ProofError: it is no archive.
        ToolError: it was written by a newer version.
    """
    version = archive_version(path)
    needed = next((reader for written, reader in _READERS if version >= written), 0)
    found = program_version(programs / "pg_restore")
    if found[:1] < (needed,):
        raise ToolError(
            f"pg_restore {'.'.join(map(str, found))} of the controller does not read archives of version "
            f"{version[0]}.{version[1]}, which needs {needed}; install it and name its folder as local_pg_bin"
        )


def read(path: Path, programs: Path, timeout: float = 3600.0) -> Content:
    """Read a dump in full and return what it holds.

    Raises:
        ProofError: it cannot be read to its end.
        ToolError: pg_restore is missing or too old.
    """
    check_reader(path, programs)
    reader = ScriptReader()
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                [programs / "pg_restore", "-f", "-", path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
                pipesize=16 * _PIECE,
                env=environment(),
            )
        except OSError as error:
            raise ToolError(f"{programs}/pg_restore cannot be run: {error.strerror}") from None
        output: Any = process.stdout
        try:
            while piece := output.read(_PIECE):
                reader.feed(piece)
                if len(piece) < _PIECE:
                    # pg_restore writes some kB at a time; meanwhile the pipe fills, and reads are fewer and larger.
                    time.sleep(_GATHER)
            code = process.wait(timeout=timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            output.close()
        errors.seek(0)
        said = " ".join(errors.read(4000).decode("utf-8", "replace").split())[:300]
    if code != 0:
        raise ProofError(f"pg_restore cannot read it to its end: {said or f'exit code {code}'}")
    try:
        content = reader.close()
    except ValueError as error:
        raise ProofError(f"pg_restore read it without a word, but {error}") from None
    return content
