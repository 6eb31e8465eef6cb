"""Command lines of rsync to a daemon's module, and what its exit codes mean.

Note that this utility is private to the collection.

Options of 3.0 for what runs on the server (Cygwin of 2013 has 3.0.9); the controller's own may be newer. The password goes by
``RSYNC_PASSWORD`` (rsync(1), "CONNECTING TO AN RSYNC DAEMON").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from .errors import OptionError

#: rsync(1), "EXIT VALUES", as ends of a sentence.
EXIT_CODES: Mapping[int, str] = {
    1: "it refuses an option (is it older than 3.0?)",
    2: "the two versions of rsync do not understand each other",
    3: "the source folder cannot be used",
    5: "the module or the password was refused, or the module does not exist",
    10: "the connection failed or was cut; does the rsync daemon run, and is its port open?",
    11: "the destination cannot write; is its disk full, or its folder read-only?",
    12: "the connection broke in the middle",
    13: "the other side reported an error",
    14: "it could not start its processes",
    20: "it was interrupted",
    22: "there is too little memory",
    23: "some files were not transferred; the destination may be full or not writable",
    24: "some files vanished meanwhile",
    25: "it stopped deleting",
    30: "nothing came for too long; is the line cut?",
    35: "the daemon did not answer in time",
}
#: Codes after which trying again may help: broken and silent connections.
_TRANSIENT = frozenset({10, 12, 30, 35})
_FULL = "No space left on device"
_SENT = re.compile(rb"^Total bytes sent: ([\d,.]+)", re.M)
_LISTED = re.compile(r"^(-\S{9})\s+([\d,.]+)\s+\S+\s+\S+\s(.*)$")


def check_url(url: str) -> str:
    """Return the URL of a module without a slash at its end.

    Raises:
        OptionError: it is none, or holds a password.
    """
    parts = urlsplit(url)
    path = parts.path.strip("/")
    if parts.scheme != "rsync" or not parts.hostname or not path or parts.query or parts.fragment:
        raise OptionError(f"'{url}' is no module of an rsync daemon; write rsync://USER@HOST/MODULE")
    if parts.password is not None:
        raise OptionError("the URL of a destination holds a password, which would be shown; write it as password")
    # It stands on a command line of Windows too.
    if not re.fullmatch(r"[A-Za-z0-9_.:@/\[\]-]+", parts.netloc + parts.path):
        raise OptionError(f"'{url}' holds characters that an rsync URL should not have")
    return url.rstrip("/")


def options(timeout: int) -> list[str]:
    """Return the options of every transfer: times kept, readable to the owner only, silence limited.

    Without ``TCP_NODELAY`` each connection waits 45 ms for an acknowledgement (measured).
    """
    words = ["-rt", "--chmod=D700,F600", "--sockopts=TCP_NODELAY"]
    return [*words, f"--timeout={timeout}", "--contimeout=20", "--stats"]


def push_arguments(timeout: int, source: str, target: str) -> list[str]:
    """Return the arguments that send the files named on standard input, below ``source``, to ``target``.

    ``--fuzzy`` takes yesterday's file under another date for a basis, so that only what changed is sent. A part that came stays
    out of sight and serves the next try.
    """
    return [*options(timeout), "--fuzzy", "--partial-dir=.rsync-partial", "--files-from=-", f"{source}/", f"{target}/"]


def explain(code: int, said: str) -> str:
    """Return what an exit code means, with what rsync said."""
    meaning = EXIT_CODES.get(code, "it failed")
    if _FULL in said:
        # The other side's own code is lost where its connection ends with it.
        meaning = "the disk of the destination is full"
    return f"rsync ended with code {code}: {meaning}" + (f" ({said})" if said else "")


def may_help(code: int, said: str) -> bool:
    """Return whether the same transfer may succeed when it is tried again at once."""
    return code in _TRANSIENT and _FULL not in said


def sent_bytes(output: bytes) -> int:
    """Return the bytes that ``--stats`` says were sent."""
    found = _SENT.search(output)
    return int(re.sub(rb"[,.]", b"", found[1])) if found else 0


def list_arguments(timeout: int, set_name: str, url: str) -> list[str]:
    """Return the arguments that list the files of a set; by a filter, since a daemon refuses a folder that is not there yet."""
    words = ["-r", "--list-only", "--no-h", "--sockopts=TCP_NODELAY", f"--timeout={timeout}", "--contimeout=20"]
    return [*words, f"--include=/{set_name}/***", "--exclude=*", f"{url}/"]


def parse_listing(text: str) -> dict[str, int]:
    """Return path to size of the files in what ``--list-only -r`` printed."""
    found = {}
    for line in text.splitlines():
        match = _LISTED.match(line)
        if match:
            found[match[3]] = int(re.sub(r"[,.]", "", match[2]))
    return found
