"""The folder of a job that may be cut: what has begun, and how it ended.

Note that this utility is private to the collection.

    FOLDER/journal.json   what has begun and not ended
    FOLDER/STAMP.json     how one ended
    FOLDER/last.json      the same, of the newest

Each file is replaced as a whole before the effect that it announces, so a run may be cut anywhere.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import _storage as storage
from ._errors import LyceeError


class JournalFolder:
    """One such folder.

    Attributes:
        path: of the journal.
    """

    def __init__(self, folder: Path, error: type[LyceeError]) -> None:
        """Name it; nothing is made.

        Args:
            folder: where the files stand.
            error: what is raised when one cannot be read or written.
        """
        self._folder, self._error = folder, error
        self.path = folder / "journal.json"

    def read(self) -> Any:
        """Return what stands in the journal.

        Raises:
            FileNotFoundError: nothing has begun.
            LyceeError: it cannot be read.
            ValueError: it is no JSON.
        """
        try:
            return json.loads(self.path.read_text("utf-8", "surrogatepass"))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._error(f"{self.path} cannot be read: {error.strerror}") from None

    def save(self, value: object) -> None:
        """Write the journal.

        Raises:
            LyceeError: it cannot be written.
        """
        self._write(self.path, value)

    def note(self, name: str, value: object) -> Path:
        """Write another file of the folder, and return its path.

        Raises:
            LyceeError: it cannot be written.
        """
        path = self._folder / name
        self._write(path, value)
        return path

    def report(self, stamp: str, report: dict[str, Any]) -> Path:
        """Write how one ended, and return the path.

        Raises:
            LyceeError: it cannot be written.
        """
        path = self.note(f"{stamp}.json", report)
        self.note("last.json", report)
        return path

    def close(self, stamp: str, report: dict[str, Any]) -> Path:
        """Write how it ended, end the journal, and return the report's path.

        Raises:
            LyceeError: a file cannot be written or removed.
        """
        path = self.report(stamp, report)
        try:
            self.path.unlink(missing_ok=True)
            storage.sync_folder(self._folder)
        except OSError as error:
            raise self._error(f"{self.path} cannot be removed: {error.strerror}") from None
        return path

    def _write(self, path: Path, value: object) -> None:
        try:
            storage.make_folder(self._folder)
            storage.write_atomic(path, json.dumps(value, indent=1).encode())
        except OSError as error:
            raise self._error(f"{path} cannot be written: {error.strerror}; make the folder writable") from None
