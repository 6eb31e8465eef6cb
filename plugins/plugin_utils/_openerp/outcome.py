"""How an upgrade is done, and how one ended.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .journal import Journal
from .preflight import Rules
from .source import Setup

UPGRADED, UNCHANGED, ROLLED_BACK, UNFINISHED = "upgraded", "unchanged", "rolled back", "unfinished"


@dataclass(frozen=True, slots=True)
class Options:
    """How an upgrade is done.

    Attributes:
        rules: what is wanted.
        setups: the setup of each kind.
        work: folder of the server in which everything is kept that brings it back.
        setup_timeout, update_timeout, copy_timeout, service_timeout: seconds.
        keep_copies: whether the copies of the former folders stay on the server until the next upgrade.
    """

    rules: Rules
    setups: dict[str, Setup] = field(default_factory=dict)
    work: str = "C:\\Windows\\Temp\\lycee-upgrade"
    setup_timeout: float = 1200
    update_timeout: float = 3600
    copy_timeout: float = 3600
    service_timeout: float = 180
    keep_copies: bool = True


@dataclass(slots=True)
class Outcome:
    """How an upgrade ended.

    Attributes:
        word: ``upgraded``, ``unchanged``, ``rolled back`` or ``unfinished``.
        text: a sentence.
        journal: of the upgrade; None when there was none.
        version: release that runs now, as the server says.
        problems: what is not as it should be.
    """

    word: str
    text: str
    journal: Journal | None = None
    version: str = ""
    problems: list[str] = field(default_factory=list)
