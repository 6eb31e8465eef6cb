"""A host over WinRM whose session is opened when it is first asked.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable

from .._windows.session import Session


class Remote:
    """The session with one host."""

    def __init__(self, open_session: Callable[[], Session]) -> None:
        """Keep how it is opened; nothing is."""
        self._open = open_session
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """Return the session."""
        if self._session is None:
            self._session = self._open()
        return self._session

    def close(self) -> None:
        """Close the session, where there is one."""
        if self._session is not None:
            self._session.close()
