"""The completeness contract: what must hold before a text counts as a device's whole configuration.

Note that this utility is private to the collection.

Neither a prompt nor a zero exit status says that a configuration is whole: Netmiko stops at the first ``HOST#`` of a
banner, and a device that stops after two thirds still prints its prompt (both measured). IOS itself gives three marks:
the last line is ``end``, the ``hostname`` line equals the prompt, and the header names a size. In real files the text
is 3 to 24 bytes shorter than the size of the header (0.2 to 0.5 %), hence a tolerance and not equality.
"""

from __future__ import annotations

import re

#: The largest relative difference between the size that the header names and the text that follows it.
SIZE_TOLERANCE = 0.01
#: Small configurations differ by more than one per cent for the same few bytes.
SIZE_SLACK_BYTES = 32

_RUNNING_SIZE = re.compile(r"^Current configuration\s*:\s*(\d+) bytes[^\n]*\n", re.M)
#: With ``service compress-config`` a second line, or on IOS XE the end of the first, names the size of the text.
_STARTUP_SIZE = re.compile(
    r"^Using (\d+) out of \d+ bytes(?:, uncompressed size = (\d+) bytes)?[^\n]*\n"
    r"(?:Uncompressed configuration from \d+ bytes to (\d+) bytes[^\n]*\n)?",
    re.M,
)
_HOSTNAME = re.compile(r'^hostname "?([^"\s]+)"?[ \t]*$', re.M)
_OWN_PROMPT = re.compile(r"^prompt \S", re.M)
_REFUSAL = re.compile(
    r"^% ?(Invalid input|Ambiguous command|Incomplete command|Authorization failed|Unknown command)[^\n]*", re.M
)
#: A log message as IOS prints it on a terminal: ``*Mar  1 00:01:02.003: %LINK-3-UPDOWN: ...`` (stamp and star optional).
#: At the beginning of a line and not in quotes: an EEM applet may name the pattern of one.
_LOG_MESSAGE = re.compile(r"^(?![ !])[^\n\"]{0,60}%[A-Z][A-Z0-9_]*(?:-[A-Z0-9_]+)*-[0-7]-[A-Z0-9_]+: ", re.M)
_PAGER = re.compile(r"^ ?--More--|\x08", re.M)
_ABSENT = re.compile(r"(?:startup-config|configuration memory) is not present", re.I)


def is_absent(text: str) -> bool:
    """Return whether ``text`` is the answer of a device without a startup configuration."""
    return _ABSENT.search(text) is not None and len(text) < 200


def announced_size(text: str, encoding: str = "latin-1") -> tuple[int, int] | None:
    """Return (size in bytes that the header names, bytes that follow the header), or None without a header.

    With ``service compress-config`` the header of the startup configuration names the compressed size first and the
    uncompressed one after it (IOS configuration fundamentals); the latter counts.
    """

    def size(part: str) -> int:
        return len(part.encode(encoding, "replace"))

    match = _RUNNING_SIZE.search(text)
    if match is not None:
        return int(match[1]), size(text[match.end() :])
    match = _STARTUP_SIZE.search(text)
    if match is not None:
        return int(match[3] or match[2] or match[1]), size(text[match.end() :])
    return None


def hostname_in(text: str) -> str | None:
    """Return the name in the ``hostname`` line, or None when there is none (a device as delivered)."""
    match = _HOSTNAME.search(text)
    return match[1] if match else None


def without_banners(text: str) -> str:
    """Return the configuration with the text of its banners blanked, since a banner may hold anything.

    ``banner KIND ^C`` shows its delimiter as two characters in real output (``^`` and ``C``) or as one control byte.
    """
    result: list[str] = []
    delimiter: str | None = None
    for line in text.split("\n"):
        if delimiter is not None:
            if delimiter in line:
                delimiter = None
            continue
        result.append(line)
        match = re.match(r"banner (?:motd|login|exec|incoming|prompt-timeout|slip-ppp) (\^C|\S)(.*)$", line)
        if match and match[1] not in match[2]:
            delimiter = match[1]
    return "\n".join(result)


def violations(
    text: str,
    *,
    prompt: str,
    running: bool,
    previous_size: int | None = None,
    minimum_ratio: float = 0.5,
    encoding: str = "latin-1",
) -> list[str]:
    """Return what ``text`` breaks of the contract, as clauses of a sentence; an empty list means that it is whole.

    Args:
        text: the configuration, line ends LF, without command echo and prompt.
        prompt: the device's privileged prompt, ``HOST#``.
        running: it is the running configuration, whose hostname must be that of the prompt.
        previous_size: bytes of the last good capture, or None.
        minimum_ratio: the smallest share of ``previous_size`` that is believed.
        encoding: the device's, since sizes are bytes.
    """
    refusal = _REFUSAL.search(text)
    if refusal is not None and len(text) < 400:
        return [f"the device answered '{refusal.group().strip()}' (has the account privilege level 15?)"]
    found: list[str] = []
    if _PAGER.search(text):
        found.append("it is mixed with the pager (--More-- or backspaces)")
    lines = [line for line in text.split("\n") if line.strip()]
    body = [line for line in lines if not re.match(r"Building conf|Current conf|Using \d+ out|Uncompressed conf", line)]
    if not body:
        return [*found, "nothing came but the header"]
    if lines[-1].strip() != "end":
        found.append(f"it does not end with 'end' but with '{_shown(lines[-1])}'")
    sizes = announced_size(text, encoding)
    if sizes is not None:
        announced, received = sizes
        if abs(announced - received) > max(SIZE_TOLERANCE * announced, SIZE_SLACK_BYTES):
            found.append(f"the device announced {announced} bytes and {received} came")
    plain_text = without_banners(text)
    message = _LOG_MESSAGE.search(plain_text)
    if message is not None:
        found.append("a log message was printed into it (set 'no terminal monitor' or 'logging synchronous')")
    name = hostname_in(plain_text)
    if running and name is not None and not _OWN_PROMPT.search(plain_text) and not _same_name(name, prompt):
        found.append(f"its hostname is '{_shown(name)}' and the prompt says '{_shown(prompt)}'")
    length = len(text.encode(encoding, "replace"))
    if previous_size is not None and length < minimum_ratio * previous_size:
        found.append(
            f"it has {length} bytes where the last one had {previous_size} "
            "(if the device was really emptied, run once with network_backup_force=true)"
        )
    return found


def _same_name(name: str, prompt: str) -> bool:
    """IOS cuts a long hostname in its prompt (to 20 characters in older releases)."""
    shown = prompt.rstrip("#> ")
    return name == shown or (len(shown) >= 16 and name.startswith(shown))


def _shown(line: str) -> str:
    """Return a line as a sentence may show it: short, and without what may be a secret after its first two words."""
    words = line.split()
    return " ".join(words[:2])[:40] + (" ..." if len(words) > 2 else "")
