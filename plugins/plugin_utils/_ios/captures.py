"""What is fetched from a device, under which name it is kept, and what makes two captures equal.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

#: Lines of a configuration that change by themselves or by the act of saving (RANCID, Oxidized and NAPALM drop the
#: same ones; ``ntp clock-period`` is rewritten by the NTP process of 12.x).
VOLATILE_CONFIG_LINES = (
    r"Building configuration\.\.\.",
    r"Current configuration\s*:.*",
    r"Using \d+ out of \d+ bytes.*",
    r"Uncompressed configuration from \d+ bytes to \d+ bytes.*",
    r"! Last configuration change at .*",
    r"! NVRAM config last updated at .*",
    r"! No configuration change since last restart.*",
    r"ntp clock-period \d+",
)


def normalise_config(text: str, volatile: Iterable[str] = ()) -> str:
    """Return a configuration in the form that is compared: no volatile lines, no line ends but LF, no trailing blanks.

    The empty comments that enclose the volatile lines of the header come and go with them, so the text begins at its first
    line that says something.

    Args:
        text: the configuration, line ends LF or CRLF.
        volatile: further regular expressions; a line that one of them matches as a whole is left out.

    Raises:
        re.error: an expression of ``volatile`` is not one.
    """
    dropped = re.compile("|".join(f"(?:{pattern})" for pattern in (*VOLATILE_CONFIG_LINES, *volatile)))
    lines = [line.rstrip() for line in text.replace("\r", "").split("\n")]
    kept = [line for line in lines if not dropped.fullmatch(line)]
    start = next((number for number, line in enumerate(kept) if line not in ("", "!")), len(kept))
    body = "\n".join(kept[start:]).rstrip("\n")
    return f"{body}\n" if body else ""


_CERTIFICATE = re.compile(r"^( certificate \S+(?: \S+)?)(?: nvram:\S+)?$", re.M)
_CERTIFICATE_BODY = re.compile(r"^(?:[ \t]+(?:[0-9A-F]{2,8} ?)+|[ \t]*quit)$")


def normalise_saved(text: str, volatile: Iterable[str] = ()) -> str:
    """Return a configuration in the form in which running and startup are compared.

    A self-signed certificate stands in the running configuration in full and in the startup configuration as the name of
    a file (``nvram:IOS-Self-Sig#1.cer``), which is no unsaved change.
    """
    lines = normalise_config(text, volatile).split("\n")
    result: list[str] = []
    inside = False
    for line in lines:
        match = _CERTIFICATE.match(line)
        if match is not None:
            inside = True
            result.append(match[1])
        elif not (inside and _CERTIFICATE_BODY.match(line)):
            inside = False
            result.append(line)
    return "\n".join(result)


def _without(*patterns: str) -> Callable[[str], str]:
    """Return a normaliser that drops the lines in which one of ``patterns`` is found, and folds blanks."""
    dropped = re.compile("|".join(patterns)) if patterns else None

    def normalise(text: str) -> str:
        lines = (" ".join(line.split()) for line in text.replace("\r", "").split("\n"))
        return "".join(f"{line}\n" for line in lines if line and not (dropped and dropped.search(line)))

    return normalise


def _interfaces(text: str) -> str:
    """Keep a port's name, address and whether it is shut down; pupils' PCs coming and going are no change."""
    kept = []
    for line in text.replace("\r", "").split("\n"):
        words = line.split()
        if len(words) >= 5:
            state = "administratively down" if "administratively" in words else "enabled"
            kept.append(f"{words[0]} {words[1]} {state}\n")
    return "".join(kept)


def _vlan(text: str) -> str:
    """Keep number, name and status; the list of ports follows cables, and the configuration holds the rest."""
    rows = (line.split() for line in text.replace("\r", "").split("\n"))
    return "".join(f"{' '.join(row[:3])}\n" for row in rows if len(row) >= 3 and row[0].isdigit())


_CDP_FIELD = re.compile(r"^(Device ID|Platform|Interface): *(.*?) *,? *(?:Capabilities:.*)?$")


def _cdp(text: str) -> str:
    """Keep who is plugged in where: neighbour, platform and the two ports, sorted; hold times and versions move."""
    neighbours: list[list[str]] = []
    for line in text.replace("\r", "").split("\n"):
        match = _CDP_FIELD.match(line.strip())
        if match is None:
            continue
        if match[1] == "Device ID":
            neighbours.append([])
        if neighbours:
            neighbours[-1].append(" ".join(match[2].split()))
    return "".join(f"{' | '.join(neighbour)}\n" for neighbour in sorted(neighbours))


_FLASH_ENTRY = re.compile(r"^\s*\d+\s+[-drwx]{4}\s+(?P<size>\d+)\s+.*?(?P<name>\S+)$")


def _flash(text: str) -> str:
    """Keep the names and sizes of the images; times, free bytes and files that IOS rewrites itself are no change."""
    kept = []
    for line in text.replace("\r", "").split("\n"):
        match = _FLASH_ENTRY.match(line)
        if match:
            size = match["size"] if match["name"].endswith((".bin", ".tar", ".pkg", ".html")) else "-"
            kept.append(f"{match['name']} {size}\n")
    return "".join(sorted(kept))


@dataclass(frozen=True, slots=True)
class Capture:
    """One command of the session.

    Attributes:
        name: its name in arguments, results and manifests.
        command: the command as it is typed.
        filename: the file of the device's folder that keeps the answer.
        normalise: gives the form that is compared with the last answer.
        config: the answer is a configuration, which the completeness contract judges.
        optional: a device may not know the command (a router has no VLANs); that is recorded, not failed.
    """

    name: str
    command: str
    filename: str
    normalise: Callable[[str], str]
    config: bool = False
    optional: bool = True


RUNNING = "running-config"
STARTUP = "startup-config"

CAPTURES: dict[str, Capture] = {
    capture.name: capture
    for capture in (
        Capture(RUNNING, "show running-config", "running-config", normalise_config, config=True, optional=False),
        Capture(STARTUP, "show startup-config", "startup-config", normalise_config, config=True, optional=False),
        Capture(
            "version",
            "show version",
            "version.txt",
            _without(r"uptime is", r"returned to ROM", r"restarted at", r"^Last reload", r"^Uptime for this"),
            optional=False,
        ),
        Capture("inventory", "show inventory", "inventory.txt", _without()),
        Capture("vlan", "show vlan brief", "vlan.txt", _vlan),
        Capture("vtp", "show vtp status", "vtp.txt", _without(r"last modified by", r"Local updater ID")),
        Capture("interfaces", "show ip interface brief", "interfaces.txt", _interfaces),
        Capture("cdp", "show cdp neighbors detail", "cdp.txt", _cdp),
        Capture("flash", "dir flash:", "flash.txt", _flash),
    )
}
