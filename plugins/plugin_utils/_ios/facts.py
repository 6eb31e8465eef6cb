"""Read model, serial number, version and image from the answers of ``show version`` and ``show inventory``.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

_VERSION = re.compile(
    r"^\s*(?:Cisco )?(?:IOS|Internetwork Operating System).*?Version ([^,\s]+)|^IOS \(tm\).*?Version ([^,\s]+)",
    re.M | re.I,
)
_IMAGE = re.compile(r'^System image file is "([^"]+)"', re.M)
_SWITCH_MODEL = re.compile(r"^Model [Nn]umber\s*:\s*(\S+)", re.M)
_ROUTER_MODEL = re.compile(r"^[Cc]isco (\S+) .*(?:bytes of memory|processor)", re.M)
_SYSTEM_SERIAL = re.compile(r"^System [Ss]erial [Nn]umber\s*:\s*(\S+)", re.M)
_BOARD_SERIAL = re.compile(r"^Processor board ID (\S+)", re.M)
_INVENTORY = re.compile(r'^NAME: "[^"]*".*\n\s*PID: *(\S*) *,.*SN: *(\S*)', re.M)
_HOSTNAME = re.compile(r"^(\S+) uptime is ", re.M)


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What identifies a device; an empty string where the device did not say.

    Attributes:
        hostname: as in ``show version``.
        model: ``WS-C2960-24TT-L``, ``CISCO2901/K9``.
        serial: the chassis' serial number, as on its label.
        ios_version: ``15.0(2)SE6``.
        image: ``flash:/c2960-lanbasek9-mz.150-2.SE6.bin``.
    """

    hostname: str = ""
    model: str = ""
    serial: str = ""
    ios_version: str = ""
    image: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the fields as a dictionary of strings."""
        return asdict(self)


def _first(text: str, *patterns: re.Pattern[str]) -> str:
    for pattern in patterns:
        match = pattern.search(text)
        if match:
            return next((group for group in match.groups() if group), "")
    return ""


def parse_facts(version: str, inventory: str = "") -> DeviceFacts:
    """Return the facts in ``show version`` and, for what it does not say, in ``show inventory`` (both LF or CRLF).

    A switch names model and serial number itself; on a router the chassis is the first entry of the inventory, and
    "Processor board ID" is the chassis' number on the 2900 series.
    """
    version, inventory = version.replace("\r", ""), inventory.replace("\r", "")
    chassis = _INVENTORY.search(inventory)
    return DeviceFacts(
        hostname=_first(version, _HOSTNAME),
        model=_first(version, _SWITCH_MODEL) or (chassis[1] if chassis else "") or _first(version, _ROUTER_MODEL),
        serial=_first(version, _SYSTEM_SERIAL) or (chassis[2] if chassis else "") or _first(version, _BOARD_SERIAL),
        ios_version=_first(version, _VERSION),
        image=_first(version, _IMAGE),
    )
