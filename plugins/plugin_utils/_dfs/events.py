"""The event log of DFS Replication, as wevtutil prints it: XML, the same in every language.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

#: Events of a first replication and of its end (KB973123, KB961879, "DFS Replication: Frequently Asked Questions").
WAITING, FINISHED, PRIMARY_FINISHED, GONE = 4102, 4104, 4112, 4008
_DMTF = re.compile(r"(\d{14})\.(\d{6})([+-]\d{3})")


@dataclass(frozen=True, slots=True)
class DfsEvent:
    """An event of DFS Replication: number, time (UTC), and the texts that are put into its message."""

    id: int
    time: str
    texts: tuple[str, ...]

    def of(self, group: str) -> bool:
        """Return whether it is about this group."""
        return group.casefold() in {text.strip().casefold() for text in self.texts}

    def as_dict(self) -> dict[str, Any]:
        """Return what a module returns of it."""
        return {"id": self.id, "time": self.time, "texts": list(self.texts)}


def utc(text: str) -> str:
    """Return a time of WMI (xs:dateTime, or ``20261124083000.500000+060``) as ISO 8601 in UTC; empty for none."""
    match = _DMTF.fullmatch(text)
    try:
        if match is None:
            moment = datetime.fromisoformat(text)
        else:
            zone = timezone(timedelta(minutes=int(match[3])))
            moment = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(microsecond=int(match[2]), tzinfo=zone)
    except ValueError:
        return ""
    # What never happened is dated 1601, when FILETIME begins.
    if moment.year < 1970:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_query(since: str, ids: Sequence[int]) -> str:
    """Return the query of wevtutil for events of these numbers (none: any) since a time (UTC; empty: ever)."""
    tests = [f"({' or '.join(f'EventID={one}' for one in ids)})"] if ids else []
    tests += [f"TimeCreated[@SystemTime>='{since}']"] if since else []
    return f"*[System[{' and '.join(tests)}]]" if tests else "*"


def parse_events(text: str) -> list[DfsEvent]:
    """Return the events that ``wevtutil qe /f:xml`` printed, one element after the other, in their order.

    Raises:
        ValueError: it is no such thing.
    """
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", text.lstrip("\ufeff"))
    try:
        root = ET.fromstring(f"<Events>{clean}</Events>")
    except ET.ParseError as error:
        raise ValueError(str(error)) from None
    return [_event(element) for element in root]


def _event(element: ET.Element) -> DfsEvent:
    number, moment, texts = 0, "", []
    for part in element.iter():
        name = part.tag.rpartition("}")[2]
        if name == "EventID":
            number = int(part.text or "0")
        elif name == "TimeCreated":
            moment = part.get("SystemTime", "")
        elif name == "Data":
            texts.append(part.text or "")
    # Nine digits of a second are more than datetime reads.
    return DfsEvent(number, utc(re.sub(r"(\.\d{6})\d+", r"\1", moment).replace("Z", "+00:00")), tuple(texts))
