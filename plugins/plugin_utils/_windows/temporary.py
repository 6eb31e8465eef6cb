"""A folder, or a file, on the host for as long as a program needs it.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

from . import files
from .errors import StateError, WindowsError
from .quoting import quote
from .session import Session


@contextlib.contextmanager
def temporary_folder(session: Session) -> Iterator[str]:
    """Make a folder and give its full path; it is removed with what is in it at the end, whatever happens.

    A folder that an administrator makes in Windows' own folder for such files is one in which others can change nothing of his.

    Raises:
        StateError: it cannot be made.
        WindowsError: one of its kinds.
    """
    folder = f"C:\\Windows\\Temp\\lycee-{uuid.uuid4().hex[:12]}"
    try:
        make_folder(session, folder)
        yield folder
    finally:
        with contextlib.suppress(WindowsError):
            session.run_line(f"rd /s /q {quote(folder)}")


@contextlib.contextmanager
def temporary_file(session: Session, name: str, data: bytes) -> Iterator[str]:
    """Write ``data`` to a file in a folder of its own and give its full path; both are removed at the end, whatever happens.

    Args:
        session: the session.
        name: of the file.
        data: its bytes.

    Raises:
        StateError: it cannot be written.
        WindowsError: one of its kinds.
    """
    with temporary_folder(session) as folder:
        path = files.check_path(f"{folder}\\{name}")
        files.write(session, path, data)
        yield path


def make_folder(session: Session, path: str) -> None:
    """Make a folder, and those above it, unless it is there.

    Raises:
        StateError: it cannot be made.
        WindowsError: one of its kinds.
    """
    if files.folder_exists(session, path):
        return
    done = session.run_line(f"md {quote(files.check_path(path))}")
    if not files.folder_exists(session, path):
        raise StateError(f"{session.name}: the folder {path} cannot be made ({done.said or 'md said nothing'})")
