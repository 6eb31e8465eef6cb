"""What can go wrong while a service moves from one server of a pair to the other.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._errors import LyceeError

if TYPE_CHECKING:
    from .gates import Gate


class ContinuityError(LyceeError):
    """The service cannot move, or its pair cannot be read."""


class OptionError(ContinuityError):
    """What was asked for cannot be meant."""


class JournalError(ContinuityError):
    """What was begun cannot be read or written down."""


class ProofError(ContinuityError):
    """What was started does not serve."""


class CopyError(ProofError):
    """The copy itself is of no use: PostgreSQL ends over it, a database cannot be read, or it has no control data."""


class GateError(ContinuityError):
    """A gate is closed.

    Attributes:
        gates: all that were looked at, the closed ones among them.
    """

    def __init__(self, text: str, gates: Sequence[Gate]) -> None:
        super().__init__(text)
        self.gates = list(gates)
