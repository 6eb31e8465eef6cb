"""Copy a folder of a Windows server as it is, and tell whether two are the same: robocopy, which Windows has since 2008.

Note that this utility is private to the collection.

Its exit code is a set of bits (Microsoft's robocopy page): 1 copied, 2 extra files, 4 of another kind, 8 failed, 16 nothing done.
Its words are localized, the order of its table is not: folders, files, bytes.
"""

from __future__ import annotations

import re

from .._windows.files import check_path
from .._windows.session import Session
from .errors import InstallationError

ROBOCOPY = "C:\\Windows\\System32\\robocopy.exe"
#: Data, attributes, times and rights; links are left where they lead elsewhere; a file in use is tried twice.
_COPY = ("/MIR", "/COPY:DATS", "/DCOPY:T", "/XJ", "/R:2", "/W:1")
#: One line per file and percentages are not wanted; the table at the end is, so that the program is never silent.
_QUIET = ("/NP", "/NFL", "/NDL", "/NJH")
#: What a copy leaves out: the log goes on to be written, and is worth most when the new state is thrown away.
_LOGS = ("/XF", "*.log", "*.log.*")
#: What pupils have uploaded. No setup touches it, and what came since the copy must not go with the copy.
FILES = "filestore"
_FAILED = 4 | 8 | 16
_DIFFERENT = 1 | 2 | 4 | 8 | 16
_ROW = re.compile(r":\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$")


def arguments(source: str, target: str, *options: str) -> list[str]:
    """Return the command line that makes ``target`` what ``source`` is."""
    return [ROBOCOPY, check_path(source), check_path(target), *_COPY, *_QUIET, *options, *_LOGS]


def copy_ahead(session: Session, source: str, target: str, timeout: float) -> None:
    """Copy what can be copied of a folder in which people still work, so that little is left when they do not.

    Raises:
        InstallationError: robocopy could do nothing at all.
        WindowsError: the host cannot be asked.
    """
    done = session.run(arguments(source, target), timeout=timeout)
    if done.rc & 16 or not rows(done.text):
        raise InstallationError(
            f"{session.name}: {source} cannot be copied to {target} ({done.said or f'robocopy ends with {done.rc}'})"
        )


def bring_missing(session: Session, source: str, target: str, timeout: float) -> None:
    """Bring those files of a folder back that are missing, and leave every other as it is.

    Raises:
        InstallationError: some could not be brought.
        WindowsError: the host cannot be asked.
    """
    done = session.run(
        [
            ROBOCOPY,
            check_path(source),
            check_path(target),
            "/E",
            "/COPY:DATS",
            "/XC",
            "/XN",
            "/XO",
            "/XJ",
            "/R:2",
            "/W:1",
            *_QUIET,
        ],
        timeout=timeout,
    )
    if done.rc & (8 | 16) or done.rc < 0:
        raise InstallationError(
            f"{session.name}: {source} could not be brought back to {target} (robocopy ends with {done.rc})"
        )


def mirror(session: Session, source: str, target: str, timeout: float, *options: str) -> None:
    """Make a folder what another is, without its logs, and look again whether they are the same.

    Args:
        session: the session.
        source, target: folders.
        timeout: seconds.
        options: further words of robocopy, such as what is left out.

    Raises:
        InstallationError: something could not be copied, or is not the same.
        WindowsError: the host cannot be asked.
    """
    done = session.run(arguments(source, target, *options), timeout=timeout)
    if done.rc & _FAILED or done.rc < 0:
        raise InstallationError(
            f"{session.name}: {source} could not be copied to {target} (robocopy ends with {done.rc}): is the disk full, or a file in use?"
        )
    code = difference(session, source, target, timeout, *options)
    if code:
        raise InstallationError(f"{session.name}: {target} is not what {source} is (robocopy /L ends with {code})")


def difference(session: Session, source: str, target: str, timeout: float, *options: str) -> int:
    """Return robocopy's bits of what differs between two folders; 0 for nothing. Nothing is copied.

    Raises:
        InstallationError: the table at the end is not there, so that the exit code proves nothing.
    """
    done = session.run(arguments(source, target, "/L", *options), timeout=timeout)
    if not rows(done.text):
        raise InstallationError(
            f"{session.name}: robocopy says nothing of {source} ({done.said or f'exit code {done.rc}'})"
        )
    return done.rc & _DIFFERENT if done.rc >= 0 else 16


def rows(text: str) -> list[list[int]]:
    """Return the numbers of the table at robocopy's end, by row: total, copied, skipped, mismatch, failed, extra."""
    return [[int(number) for number in match.groups()] for line in text.splitlines() if (match := _ROW.search(line))]


def size_of(session: Session, folder: str, elsewhere: str, timeout: float) -> int | None:
    """Return the bytes of a folder; None where robocopy does not tell.

    Args:
        folder: what is measured.
        elsewhere: a folder that does not exist, for robocopy compares two.
    """
    found = rows(session.run([*arguments(folder, elsewhere, "/L", "/BYTES")], timeout=timeout).text)
    return found[2][0] if len(found) == 3 else None
