# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running configuration as a text that is edited line by line, in the order in which IOS writes it.

The text is kept as it came (bytes read as Latin-1, LF line ends): what nobody edits is served byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# The order of IOS's own output, as seen in the configurations of real 2960s (12.2, 15.0) and 2901s (15.2, 15.4).
_ORDER = (
    "version", "service", "hostname", "boot-start-marker", "boot", "boot-end-marker", "logging buffered",
    "logging console", "enable", "username", "aaa", "clock", "switch", "system mtu", "vtp", "ip subnet-zero",
    "ip source-route", "ip cef", "ip routing", "ip dhcp", "file", "ip domain-lookup", "ip domain-name", "ip domain",
    "ip host", "ip name-server", "ipv6", "login", "mls qos", "multilink", "crypto pki", "license", "archive",
    "object-group", "errdisable", "port-channel", "spanning-tree", "vlan internal", "vlan", "redundancy", "lldp",
    "ip ssh", "track", "class-map", "policy-map", "interface", "router", "ip default-gateway", "ip forward-protocol",
    "ip classless", "ip http", "ip nat", "ip route", "ip scp", "ip access-list", "ip sla", "logging", "access-list",
    "cdp", "route-map", "snmp-server", "tacacs-server", "radius-server", "control-plane", "vstack", "banner", "alias",
    "privilege", "line", "scheduler", "ntp", "event", "end",
)  # fmt: skip
_RANKS: dict[tuple[str, ...], int] = {tuple(entry.split()): rank for rank, entry in enumerate(_ORDER)}
_BANNER = re.compile(r"banner \S+ (\^C|\x03|.)")
# Interface types in the order in which they are written.
_TYPES = ("Loopback", "Null", "Tunnel", "Port-channel", "Embedded-Service-Engine", "FastEthernet", "GigabitEthernet",
          "TenGigabitEthernet", "Serial", "Vlan")  # fmt: skip
LAST_CHANGE = "! Last configuration change at "
NVRAM_UPDATE = "! NVRAM config last updated at "
NO_CHANGE = "! No configuration change since last restart"
_REMARKS = (LAST_CHANGE, NVRAM_UPDATE, NO_CHANGE)


def strip_no(line: str) -> str:
    """The line without a leading ``no``: what it is about."""
    return line[3:] if line.startswith("no ") else line


def _rank(line: str) -> int | None:
    words = tuple(strip_no(line).split()[:2])
    return _RANKS.get(words, _RANKS.get(words[:1]))


def interface_key(name: str) -> tuple[int, str, list[int]]:
    """Where an interface stands among the others."""
    kind = name.rstrip("0123456789/.")
    numbers = [int(number) for number in re.findall(r"\d+", name[len(kind) :])]
    return (_TYPES.index(kind) if kind in _TYPES else len(_TYPES), kind, numbers)


def _block_key(header: str) -> tuple[object, ...]:
    words = header.split()
    if words[0] == "interface":
        return interface_key("".join(words[1:]))
    if words[0] == "line":
        first = int(words[2]) if len(words) > 2 and words[2].isdigit() else 0
        return (
            ("con", "aux", "tty", "vty").index(words[1]) if words[1] in ("con", "aux", "tty", "vty") else 2,
            "",
            [first],
        )
    number = re.match(r"\d+", words[-1])
    return (0, "", [int(number.group()) if number else 0])


class Configuration:
    """A configuration text and the edits that IOS makes in it."""

    __slots__ = ("_data", "_lines", "_wire")

    def __init__(self, text: str) -> None:
        self._data: str | None = text
        self._lines: list[str] | None = None
        self._wire: bytes | None = None

    @property
    def text(self) -> str:
        """The whole text, LF line ends, Latin-1 characters."""
        if self._data is None:
            self._data = "\n".join(self._lines or [])
        return self._data

    @property
    def lines(self) -> list[str]:
        """The lines; whoever changes the list calls touch()."""
        if self._lines is None:
            self._lines = self.text.split("\n")
        return self._lines

    @property
    def wire(self) -> bytes:
        """The text with CRLF, encoded once per edit."""
        if self._wire is None:
            self._wire = self.text.encode("latin-1").replace(b"\n", b"\r\n")
        return self._wire

    def touch(self) -> None:
        """Forget what was computed from the lines."""
        self._data = self._wire = None

    def essence(self) -> str:
        """The text without separators and the remarks about who changed it when: what counts as a change."""
        return "\n".join(line for line in self.text.split("\n") if line != "!" and not line.startswith(_REMARKS))

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Each top-level line with what belongs to it (indented lines, the rest of a banner), as [start, stop)."""
        lines, index = self.lines, 0
        while index < len(lines):
            line, start = lines[index], index
            index += 1
            if not line or line[0] in "! ":
                continue
            banner = _BANNER.match(line) if line.startswith("banner ") else None
            if banner:
                rest = line[banner.end() :]
                while banner.group(1) not in rest and index < len(lines):
                    rest = lines[index]
                    index += 1
            else:
                while index < len(lines) and lines[index].startswith(" "):
                    index += 1
            yield start, index

    def find(self, header: str) -> tuple[int, int] | None:
        """The block that begins with exactly this line."""
        for start, stop in self.blocks():
            if self.lines[start] == header:
                return start, stop
        return None

    def children(self, header: str) -> list[str]:
        """The lines of a block, without indent; empty when there is no such block."""
        found = self.find(header)
        return [line.strip() for line in self.lines[found[0] + 1 : found[1]]] if found else []

    def top(self, prefix: str) -> list[str]:
        """The top-level lines that begin with this text."""
        return [self.lines[start] for start, _unused in self.blocks() if self.lines[start].startswith(prefix)]

    def value(self, prefix: str) -> str | None:
        """What follows the prefix in the first top-level line that has it."""
        found = self.top(prefix)
        return found[0][len(prefix) :].strip() if found else None

    def _place(self, header: str) -> tuple[int, bool]:
        """Where a new top-level line goes, and whether it continues a group of the same kind."""
        rank = _rank(header)
        if header.startswith("username ") and self.top("license "):
            rank = _RANKS[("license",)]  # routers with licences (2901, 15.x) write the users after them
        is_block = header.split(maxsplit=1)[0] in ("interface", "vlan", "line", "router")
        position, same, first_same, seen = 0, False, None, -1
        for start, stop in self.blocks():
            line = self.lines[start]
            found = _rank(line)
            seen = found if found is not None else seen
            if rank is None:
                if line == "end":
                    break
            elif seen > rank:
                break
            if is_block and seen == rank and found is not None and _block_key(line) > _block_key(header):
                first_same = start if first_same is None else first_same
                continue
            position, same = stop, seen == rank
        if first_same is not None and not same:
            return first_same, False
        return position, same

    def insert(self, line: str, body: list[str] | None = None) -> None:
        """Add a top-level line (and its indented or banner lines) in the section where IOS writes it."""
        position, same = self._place(line)
        new, lines = [line, *(body or [])], self.lines
        has_body = body is not None
        if same and not has_body:
            lines[position:position] = new
        else:
            if position < len(lines) and lines[position].startswith("!"):
                position += 1
            if not (position < len(lines) and not has_body and lines[position].startswith("!")):
                new.append("!")
            lines[position:position] = new
        self.touch()

    def delete(self, start: int, stop: int) -> None:
        """Remove a block and the separator that it no longer needs."""
        lines = self.lines
        if stop < len(lines) and lines[stop] == "!" and (start == 0 or lines[start - 1].startswith("!")):
            stop += 1
        del lines[start:stop]
        self.touch()

    def set_top(self, key: str, line: str | None, body: list[str] | None = None, whole: bool = False) -> bool:
        """Make ``line`` the only top-level line about ``key`` (None: remove it); False when nothing changed."""
        found = [span for span in self.blocks() if _about(self.lines[span[0]], key, whole)]
        if line is not None and len(found) == 1:
            start, stop = found[0]
            new = [line, *(body or [])]
            if self.lines[start:stop] == new:
                return False
            self.lines[start:stop] = new
            self.touch()
            return True
        for start, stop in reversed(found):
            self.delete(start, stop)
        if line is not None:
            self.insert(line, body)
        return bool(found) or line is not None

    def ensure_block(self, header: str) -> bool:
        """Create an empty block when there is none; whether it was created."""
        if self.find(header):
            return False
        self.insert(header, [])
        return True

    def remove_block(self, header: str) -> bool:
        """Remove a block; False when there is none."""
        found = self.find(header)
        if found:
            self.delete(*found)
        return found is not None

    def set_child(self, header: str, key: str, line: str | list[str] | None, whole: bool = False) -> bool:
        """As set_top, for a line (or the lines that a long setting needs) inside the block."""
        span = self.find(header)
        if span is None:
            return False
        lines, (start, stop) = self.lines, span
        found = [
            index
            for index in range(start + 1, stop)
            if _about(lines[index][1:], key, whole)
            and not (line and not key.endswith(" secondary") and lines[index].endswith(" secondary"))
        ]
        wanted = [line] if isinstance(line, str) else line or []
        new = [" " + text for text in wanted]
        if [lines[index] for index in found] == new:
            return False
        place = found[0] if found else self._child_place(start, stop, wanted[0] if wanted else "")
        for index in reversed(found):
            del lines[index]
        lines[place:place] = new
        self.touch()
        return True

    def _child_place(self, start: int, stop: int, line: str) -> int:
        """IOS writes the description first, addresses before switchport, ``shutdown`` and the rest after them."""
        order = ("description", "name", "switchport", "ip address", "no ip address", "ip", "standby", "shutdown")

        def rank(text: str) -> int:
            best = [index for index, word in enumerate(order) if text.startswith(word)]
            return best[0] if best else len(order)

        for index in range(start + 1, stop):
            if rank(self.lines[index][1:]) > rank(line):
                return index
        return stop

    def remark(self, prefix: str, text: str) -> None:
        """Set one of the remarks at the top of the configuration (who changed or saved it and when)."""
        lines = self.lines
        for index, line in enumerate(lines[:12]):
            if line.startswith(prefix) or (prefix == LAST_CHANGE and line == NO_CHANGE):
                lines[index] = prefix + text
                break
        else:
            at = 1 if lines and lines[0] == "!" else 0
            while at < len(lines) and lines[at].startswith(_REMARKS):
                at += 1
            new = [prefix + text]
            if at == 0:
                new.insert(0, "!")
            if not (at < len(lines) and lines[at] == "!"):
                new.append("!")
            lines[at:at] = new
        self.touch()


def _about(line: str, key: str, whole: bool = False) -> bool:
    """Whether a line (or its ``no`` form) is about a key: the key is the line, or its first words unless ``whole``."""
    subject = strip_no(line)
    if "  " in subject:  # IOS pads "deny" in access lists
        subject = " ".join(subject.split())
    return subject == key or (not whole and subject.startswith(key + " "))
