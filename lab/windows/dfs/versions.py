# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions and version vectors.

Source: [MS-FRS2] 2.2.1.4.1 and 3.1.1: each change has a version, the GUID of a database and a number that only grows; a
vector says which ones somebody knows. The text is opaque to callers, as the WMI page of GetVersionVector has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: The GUID of the database that made a change, and its number there.
Version = tuple[str, int]
UNKNOWN: Version = ("", 0)
_PART = re.compile(r"\{([0-9A-F-]{36})\} \|-> \{(\d+)((?:;\d+)*)\}")


@dataclass
class _Known:
    """The numbers of one database: all up to ``upto``, and some beyond."""

    upto: int = 0
    beyond: set[int] = field(default_factory=set)

    def add(self, number: int) -> None:
        if number > self.upto:
            self.beyond.add(number)
            self._close()

    def _close(self) -> None:
        while self.upto + 1 in self.beyond:
            self.upto += 1
            self.beyond.discard(self.upto)

    def merge(self, other: _Known) -> None:
        self.upto = max(self.upto, other.upto)
        self.beyond = {number for number in self.beyond | other.beyond if number > self.upto}
        self._close()


class Vector:
    """What a replica knows."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def add(self, version: Version) -> None:
        """One more version is known."""
        self._known.setdefault(version[0], _Known()).add(version[1])

    def covers(self, version: Version) -> bool:
        """Whether a version is known."""
        known = self._known.get(version[0])
        return known is not None and (version[1] <= known.upto or version[1] in known.beyond)

    def merge(self, other: Vector) -> None:
        """All that another knows is known here as well."""
        for database, known in other._known.items():
            self._known.setdefault(database, _Known()).merge(known)

    def copy(self) -> Vector:
        """The same, for somebody who asks later."""
        found = Vector()
        found.merge(self)
        return found

    def text(self) -> str:
        """``{GUID} |-> {41;44} ...``."""
        parts = []
        for database, known in sorted(self._known.items()):
            beyond = "".join(f";{number}" for number in sorted(known.beyond))
            parts.append(f"{{{database}}} |-> {{{known.upto}{beyond}}}")
        return " ".join(parts)

    @classmethod
    def parse(cls, text: str) -> Vector:
        """The inverse of text. Raises ValueError."""
        found = cls()
        rest = _PART.sub("", text)
        if rest.strip():
            raise ValueError(text)
        for database, upto, beyond in _PART.findall(text):
            found._known[database] = _Known(int(upto), {int(number) for number in beyond.split(";") if number})
        return found
