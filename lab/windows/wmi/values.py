# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Property values of WMI and how WinRM writes them.

Source: DSP0227 (WS-CIM mapping) as WinRM applies it: null is xsi:nil, dates are xs:dateTime in cim:Datetime, arrays
repeat their element, references are endpoint references.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

PREFIX = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"


@dataclass(frozen=True, order=True)
class DateTime:
    """A moment in seconds since 1970, written with the machine's offset."""

    epoch: float

    def local(self) -> datetime.datetime:
        """With the time zone of the machine."""
        return datetime.datetime.fromtimestamp(self.epoch).astimezone()

    def xml(self) -> str:
        """``2012-03-08T12:00:00.5+01:00``."""
        return self.local().isoformat(timespec="microseconds")

    @classmethod
    def from_dmtf(cls, text: str) -> DateTime | None:
        """A query's ``yyyymmddHHMMSS.mmmmmmsUUU`` (or a shorter form, or ISO); None when it is no date."""
        try:
            if len(text) == 25 and text[:14].isdigit():
                moment = datetime.datetime.strptime(text[:14], "%Y%m%d%H%M%S")
                zone = datetime.timezone(datetime.timedelta(minutes=int(text[21:])))
                return cls(moment.replace(tzinfo=zone).timestamp() + int(text[15:21]) / 1e6)
            if len(text) >= 14 and text[:14].isdigit():
                return cls(datetime.datetime.strptime(text[:14], "%Y%m%d%H%M%S").astimezone().timestamp())
            return cls(datetime.datetime.fromisoformat(text).astimezone().timestamp())
        except ValueError:
            return None


@dataclass(frozen=True)
class Reference:
    """A reference to an instance."""

    namespace: str
    class_name: str
    keys: tuple[tuple[str, str], ...]


Row = dict[str, Any]


def uri(namespace: str, class_name: str) -> str:
    """The resource URI of a class."""
    return f"{PREFIX}{namespace}/{class_name}"


def endpoint(reference: Reference) -> str:
    """The inside of an endpoint reference."""
    selectors = "".join(f"<w:Selector Name={quoteattr(key)}>{escape(value)}</w:Selector>"
                        for key, value in reference.keys)  # fmt: skip
    selectors += f'<w:Selector Name="__cimnamespace">{escape(reference.namespace)}</w:Selector>'
    return (
        "<a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{uri(reference.namespace, reference.class_name)}</w:ResourceURI>"
        f"<w:SelectorSet>{selectors}</w:SelectorSet></a:ReferenceParameters>"
    )


def _scalar(name: str, value: Any) -> str:
    if value is None:
        return f'<p:{name} xsi:nil="true"/>'
    if isinstance(value, bool):
        return f"<p:{name}>{'true' if value else 'false'}</p:{name}>"
    if isinstance(value, DateTime):
        return f"<p:{name}><cim:Datetime>{value.xml()}</cim:Datetime></p:{name}>"
    if isinstance(value, Reference):
        return f"<p:{name}>{endpoint(value)}</p:{name}>"
    if isinstance(value, Mapping):
        # An embedded object is an element with its own properties ([MS-WSMV] 2.2.4.2, DSP0230 7.4).
        return f"<p:{name}>{properties(value)}</p:{name}>"
    return f"<p:{name}>{escape(str(value))}</p:{name}>"


def properties(row: Mapping[str, Any]) -> str:
    """All the properties, in the order of their names."""
    parts = []
    for name in sorted(row):
        value = row[name]
        if isinstance(value, list):
            parts += [_scalar(name, item) for item in value] if value else [_scalar(name, None)]
        else:
            parts.append(_scalar(name, value))
    return "".join(parts)


def instance(namespace: str, class_name: str, row: Mapping[str, Any]) -> str:
    """A whole instance."""
    return (
        f'<p:{class_name} xmlns:xsi="{_XSI}" xmlns:p="{uri(namespace, class_name)}" xmlns:cim="{_CIM}" '
        f'xsi:type="p:{class_name}_Type">{properties(row)}</p:{class_name}>'
    )


def fragment(namespace: str, class_name: str, row: Mapping[str, Any]) -> str:
    """What WinRM gives for a query that names its columns: a wsman:XmlFragment."""
    return (
        f'<w:XmlFragment xmlns:xsi="{_XSI}" xmlns:p="{uri(namespace, class_name)}" xmlns:cim="{_CIM}">'
        f"{properties(row)}</w:XmlFragment>"
    )


def output(namespace: str, class_name: str, method: str, result: Mapping[str, Any]) -> str:
    """The answer of a method."""
    return (
        f'<p:{method}_OUTPUT xmlns:xsi="{_XSI}" xmlns:p="{uri(namespace, class_name)}" xmlns:cim="{_CIM}">'
        f"{properties(result)}</p:{method}_OUTPUT>"
    )
