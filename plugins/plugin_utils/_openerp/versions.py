"""Releases of OpenERP: which follows which, and by what a database tells that it carries the data of one.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import re

from .errors import OptionError

Release = tuple[int, int, int]
_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)")
#: Release to the record of ``ir_model_data`` that its update brings (module, name). `ir_module_module` cannot tell: `base` is
#: 6.0.1.3 in all of 6.0. XOF is one of the five currencies that came with 6.0.4 (facts: measured on both servers).
FINGERPRINTS: dict[Release, tuple[str, str]] = {(6, 0, 4): ("base", "XOF")}


def release(text: str) -> Release:
    """Return the release in a text such as ``6.0.4``.

    Raises:
        OptionError: it is none.
    """
    found = _RELEASE.fullmatch(text.strip())
    if found is None:
        raise OptionError(f"'{text}' is no release of OpenERP; write it as 6.0.4")
    return int(found[1]), int(found[2]), int(found[3])


def shown(number: Release) -> str:
    """Return a release as text."""
    return ".".join(map(str, number))


def jump_problem(now: Release, wanted: Release) -> str:
    """Return why one cannot go from ``now`` to ``wanted`` by an update in place, or an empty text.

    Within a series (6.0.x) the tables stay the same and ``-u all`` loads the data; from one series to the next the tables differ, and
    OpenERP had a migration service for it (official book, "Updating your OpenERP Installation").
    """
    if now[:2] != wanted[:2]:
        return (
            f"{shown(now)} to {shown(wanted)} is no minor update: another series has other tables, and its databases need a "
            f"migration; this installs releases of {now[0]}.{now[1]} only"
        )
    if wanted < now:
        return f"{shown(wanted)} is older than {shown(now)}, which is installed; a release is never taken back by an update"
    return ""
