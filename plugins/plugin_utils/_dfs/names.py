"""Names and paths that DFS tools may be given.

Note that this utility is private to the collection.

dfsradmin and dfsutil have parsers of their own, and print lists separated by commas: what they could misread is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import OptionError

_FORBIDDEN = re.compile(r'["%\x00-\x1f]')
_COMPUTER = re.compile(r"[A-Za-z0-9_-]{1,15}")
_SERVER = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
#: "Naming files, paths, and namespaces" in Microsoft's documentation.
_PART = re.compile(r'[^\x00-\x1f"%/\\:*?<>|]+')
_FOLDER = re.compile(r'[A-Za-z]:\\[^\x00-\x1f"%/:*?<>|,]+')
_FILTER = re.compile(r'[^\x00-\x1f"%/\\:<>|,]+')


def check_name(value: str, what: str) -> str:
    """Return ``value`` when a group or a replicated folder may have it as a name.

    Raises:
        OptionError: it is empty, too long (64 characters, "ms-DFSR-ReplicationGroup"), or holds what the tools misread.
    """
    if not value.strip() or value != value.strip() or len(value) > 64 or _FORBIDDEN.search(value) or "," in value:
        raise OptionError(
            f"'{value}' is no {what}: it has 1 to 64 characters, no blank at its ends, and no quote, comma, per cent sign or line end"
        )
    return value


def check_text(value: str, what: str) -> str:
    """Return ``value`` when it can stand in a command line as a description.

    Raises:
        OptionError: it cannot.
    """
    if _FORBIDDEN.search(value):
        raise OptionError(f"{what} may hold no quote, per cent sign or line end, which the tools of DFS misread")
    return value


def check_computer(value: str, what: str) -> str:
    """Return ``value`` when it is the name of a computer (NetBIOS, at most 15 characters).

    Raises:
        OptionError: it is none.
    """
    if not _COMPUTER.fullmatch(value):
        raise OptionError(f"{what} '{value}' is no name of a computer; write its short name, as in SRV-OPENERP1")
    return value


def check_folder(value: str, what: str) -> str:
    r"""Return ``value``, a folder of a member, without a backslash at its end.

    Raises:
        OptionError: it is none, or the root of a drive.
    """
    value = value.rstrip("\\")
    if not _FOLDER.fullmatch(value) or len(value) < 4:
        raise OptionError(
            f"{what} '{value}' is no folder that can be replicated; write it as C:\\Folder\\replicat, a folder below a volume's root"
        )
    return value


def check_filter(values: Sequence[str], what: str) -> tuple[str, ...]:
    """Return the names and patterns of a filter, which DFS Replication keeps separated by commas.

    Raises:
        OptionError: one is no name or pattern ("Edit the Replication Filters for a Replicated Folder": no paths, no commas).
    """
    for value in values:
        if not _FILTER.fullmatch(value.strip()):
            raise OptionError(
                f"{what} holds '{value}'; write names or patterns without a path and without a comma, as in *.tmp"
            )
    return tuple(value.strip() for value in values)


def split_filter(text: str) -> tuple[str, ...]:
    """Return the patterns of a filter as a member or the directory shows it."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def same_filter(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two filters say the same; order and case do not count."""
    return {part.casefold() for part in one} == {part.casefold() for part in other}


def same_path(one: str, other: str) -> bool:
    """Return whether two paths are the same; case and a backslash at the end do not count."""
    return one.rstrip("\\").casefold() == other.rstrip("\\").casefold()


def short_name(name: str) -> str:
    r"""Return the computer's own name from ``DOMAIN\SRV``, ``srv.domain.tld`` or ``SRV``, in capitals."""
    return name.rpartition("\\")[2].partition(".")[0].upper()


@dataclass(frozen=True, slots=True)
class UncPath:
    r"""A path of the network, ``\\server\share`` and what is below."""

    server: str
    share: str
    below: str = ""

    @property
    def text(self) -> str:
        """Return it as it is written."""
        return "\\".join(("\\\\" + self.server, self.share, *([self.below] if self.below else [])))

    @property
    def root(self) -> str:
        r"""Return ``\\server\share``."""
        return f"\\\\{self.server}\\{self.share}"

    @property
    def folded(self) -> str:
        """Return it for comparing."""
        return self.text.casefold()


def unc(value: str, what: str, *, below: bool | None = None) -> UncPath:
    r"""Return a path of the network in its parts.

    Args:
        value: the path.
        what: the option, for the sentence.
        below: whether there has to be something below the share; None: there may be.

    Raises:
        OptionError: it is none.
    """
    server, *parts = value[2:].rstrip("\\").split("\\") if value.startswith("\\\\") else ("",)
    enough = len(parts) >= 1 and (below is None or below == (len(parts) > 1))
    if (
        not enough
        or not _SERVER.fullmatch(server)
        or not all(_PART.fullmatch(part) and part == part.strip() for part in parts)
    ):
        form = {
            True: "\\\\lycee.example\\Donnees\\Data",
            False: "\\\\lycee.example\\Donnees",
            None: "\\\\SRV-OPENERP1\\replicat",
        }[below]
        raise OptionError(f"{what} '{value}' is no such path of the network; write it as {form}")
    return UncPath(server, parts[0], "\\".join(parts[1:]))
