"""Which databases are saved, and how a run is set.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .._postgresql.server import Database
from .errors import OptionError
from .policy import Keep


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is done.

    Attributes:
        databases: names of those that are saved, whatever the patterns say; empty for what the patterns say.
        include, exclude: patterns of names (``*`` and ``?``), without regard to case.
        naming_rule: expression that every selected name matches as a whole; one that does not is saved and reported.
        roles: whether roles are saved too.
        files: files and folders of the server that are saved too.
        staging: folder of the server where dumps wait for their transfer, empty for the usual one.
        compress: level of pg_dump's compression.
        workers: how many databases at once.
        timeout: seconds that one dump may take.
        restore: whether a sample is restored.
        restore_within_days, restore_at_least: how the sample is drawn.
        retention: whether old backups are removed.
        keep: what stays.
        rsync: path of rsync on the server, None to look for it, empty for none.
        programs: of PostgreSQL on the controller.
        language: of the log, fr or en.
        accept_empty: destinations that may have lost everything that the catalog names there: new disks.
        check: change nothing.
    """

    databases: Sequence[str]
    include: Sequence[str]
    exclude: Sequence[str]
    naming_rule: str
    roles: bool
    files: Sequence[str]
    staging: str
    compress: int
    workers: int
    timeout: float
    restore: bool
    restore_within_days: int
    restore_at_least: int
    retention: bool
    keep: Keep
    rsync: str | None
    programs: Path
    language: str
    accept_empty: Sequence[str]
    check: bool


@dataclass(slots=True)
class Selection:
    """What of a server is saved.

    Attributes:
        chosen: databases, by name.
        closed: names of those that were meant and take no connections.
        irregular: names of chosen ones that break the naming rule.
        left_out: names that no pattern includes, or one excludes.
    """

    chosen: list[Database] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    irregular: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def select(databases: Sequence[Database], options: Options) -> Selection:
    """Sort the databases of a server.

    Raises:
        OptionError: the naming rule is no regular expression, or a database that is named is not there.
    """
    missing = sorted(set(options.databases) - {one.name for one in databases})
    if missing:
        raise OptionError(f"there is no database {', '.join(missing)} on the server; correct databases")
    try:
        rule = re.compile(options.naming_rule) if options.naming_rule else None
    except re.error as error:
        raise OptionError(f"naming_rule '{options.naming_rule}' is no regular expression: {error}") from None
    found = Selection()
    for one in databases:
        if options.databases:
            meant = one.name in options.databases
        else:
            meant = _matches(one.name, options.include) and not _matches(one.name, options.exclude)
        if not meant:
            found.left_out.append(one.name)
            continue
        if rule is not None and rule.fullmatch(one.name) is None:
            found.irregular.append(one.name)
        if one.connectable:
            found.chosen.append(one)
        else:
            found.closed.append(one.name)
    return found


def _matches(name: str, patterns: Sequence[str]) -> bool:
    # Not by fnmatch: a bracket is an ordinary letter here.
    return any(
        re.fullmatch(re.escape(pattern.casefold()).replace(r"\*", ".*").replace(r"\?", "."), name.casefold(), re.DOTALL)
        for pattern in patterns
    )
