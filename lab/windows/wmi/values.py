# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Property values of WMI and how WinRM writes them.

Source: DSP0227 (WS-CIM mapping) as WinRM applies it: null is xsi:nil, dates are xs:dateTime in cim:Datetime, arrays
repeat their element, references are endpoint references.
"""

from __future__ import annotations

import datetime
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lab.windows.refusal import LabRefusal

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


class Embedded(dict[str, Any]):
    """An object of another class inside an answer or a request."""

    def __init__(self, class_name: str, properties: Mapping[str, Any]) -> None:
        super().__init__(properties)
        self.class_name = class_name


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


def _scalar(name: str, value: Any, depth: int) -> str:
    prefix = f"p{depth or ''}"
    tag = f"{prefix}:{name}"
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    if isinstance(value, bool):
        return f"<{tag}>{'true' if value else 'false'}</{tag}>"
    if isinstance(value, DateTime):
        return f"<{tag}><cim:Datetime>{value.xml()}</cim:Datetime></{tag}>"
    if isinstance(value, Reference):
        return f"<{tag}>{endpoint(value)}</{tag}>"
    if isinstance(value, Embedded):
        # An embedded object names its class, in whose namespace its properties are (DSP0230 7.4; clients that create shares).
        inner = f"p{depth + 1}"
        return (
            f'<{tag} xmlns:{inner}="{uri("root/cimv2", value.class_name)}" xsi:type="{inner}:{value.class_name}_Type">'
            f"{properties(value, depth + 1)}</{tag}>"
        )
    return f"<{tag}>{escape(str(value))}</{tag}>"


def properties(row: Mapping[str, Any], depth: int = 0) -> str:
    """All the properties, in the order of their names. ``depth``: of the embedded object whose they are."""
    parts = []
    for name in sorted(row):
        value = row[name]
        if isinstance(value, list):
            parts += [_scalar(name, item, depth) for item in value] if value else [_scalar(name, None, depth)]
        else:
            parts.append(_scalar(name, value, depth))
    return "".join(parts)


def argument(element: ET.Element) -> Any:
    """The value of a method's argument: text, None, or an Embedded object. Raises LabRefusal for an object without a type.

    ``xsi:type`` names the class of an object and its properties are in the namespace of that class: so do the clients that are
    known to work. What Windows makes of others nobody has published.
    """
    if element.get(f"{{{_XSI}}}nil", "").lower() in ("true", "1"):
        return None
    children = list(element)
    if not children:
        return element.text or ""
    if len(children) == 1 and children[0].tag.rpartition("}")[2] == "Datetime":
        return children[0].text or ""
    class_name = element.get(f"{{{_XSI}}}type", "").rpartition(":")[2].removesuffix("_Type")
    found: dict[str, Any] = {}
    for child in children:
        space, _unused, name = child.tag.removeprefix("{").rpartition("}")
        if not class_name or space.lower() != uri("root/cimv2", class_name).lower():
            raise LabRefusal(f"an object without xsi:type, or with properties outside its class, is not played: {name}")
        value = argument(child)
        if name in found:
            before = found[name]
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[name] = value
    return Embedded(class_name, found)


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
