"""The domain controller of a pair: the marker of the active server, and the configuration of the replication.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._dfs.domain import Domain
from .._dfs.replication import FILE_FILTER, spec_from, spec_of
from .._windows.session import Session
from . import marker as marker_file
from .marker import Marker
from .reading import answers_ping
from .remote import Remote


class WindowsDirectory(Remote):
    """The domain controller over WinRM."""

    def __init__(
        self,
        host: str,
        open_session: Callable[[], Session],
        *,
        group: str,
        folder: str,
        marker: str,
        file_filter: Sequence[str] = FILE_FILTER,
        directory_filter: Sequence[str] = (),
    ) -> None:
        """Name it; nothing is opened.

        Args:
            host: inventory name.
            open_session: opens the session.
            group, folder: of the replication.
            marker: full path of the marker on the domain controller.
            file_filter, directory_filter: what a group that is created again leaves out.
        """
        super().__init__(open_session)
        self._host = host
        self._group, self._folder, self._marker = group, folder, marker
        self._filters = tuple(file_filter), tuple(directory_filter)

    @property
    def host(self) -> str:
        """Return the inventory name."""
        return self._host

    @property
    def _domain(self) -> Domain:
        return Domain(self.session)

    def marker(self) -> Marker | None:
        """Return the marker, None where there is none.

        Raises:
            ContinuityError: the file is no marker.
        """
        return marker_file.read(self.session, self._marker)

    def write_marker(self, marker: Marker) -> None:
        """Write the marker and read it again.

        Raises:
            ContinuityError: it reads back as something else.
            WindowsError: it cannot be written.
        """
        marker_file.write(self.session, self._marker, marker)

    def answers(self, address: str) -> bool | None:
        """Ask a computer by ping."""
        return answers_ping(self.session, address)

    def group(self) -> dict[str, Any] | None:
        """Return how the group is configured, None where there is none."""
        found = self._domain.group(self._group)
        if found is None:
            return None
        return spec_from(found, self._folder, file_filter=self._filters[0], directory_filter=self._filters[1]).as_dict()

    def fence(self) -> bool:
        """Disable the connections of the group, and return whether something was changed; without a group there is nothing to do."""
        if self._domain.group(self._group) is None:
            return False
        return self._domain.set_connections(self._group, False)

    def unfence(self) -> bool:
        """Enable them."""
        return self._domain.set_connections(self._group, True)

    def delete_group(self) -> None:
        """Delete the group."""
        self._domain.delete(self._group)

    def create_group(self, group: Mapping[str, Any], primary: str) -> None:
        """Create the group as it was, with this computer as its primary member; what is left of one is deleted before."""
        domain = self._domain
        domain.delete(self._group)
        domain.create(spec_of(group), primary)
