"""Build WMI requests for WS-Management and read the answers: dictionaries in, values out.

Note that this utility is private to the collection.

The URIs and shapes are those of [MS-WSMV] (sections 2.2.4 and 3.1.4) and of DMTF DSP0226; ``build_wsman_header`` of
pywinrm makes the header that they are put into.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi"
GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
ENUMERATE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"
PULL = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSI_NIL = f"{{{_XSI}}}nil"
CIMV2 = "root/cimv2"
#: As many rows as an envelope of 150 kB may hold; the rest is pulled.
_MAX_ELEMENTS = 32000

#: A property's value: text as WMI prints it, None, a list of them, or the fields of an embedded object.
Value = str | None | list[Any] | dict[str, Any]
Instance = dict[str, Value]
#: An argument of a method: text, None, or what ``embedded`` returns.
Arguments = Mapping[str, str | dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """What a WS-Management fault says.

    Attributes:
        code: the number of WSManFault (WinRM), 0 when there is none.
        subcode: the last part of the SOAP subcode, such as ``InvalidSelectors``.
        wmi: the error code of the WMI provider, 0 when there is none.
    """

    code: int = 0
    subcode: str = ""
    wmi: int = 0


#: WinRM 2.0 gives the number only, 3.0 and later the subcode as well: both say the same.
OPERATION_TIMEOUT = 2150858793
_NOT_FOUND_CODES = frozenset({2150858752, 2150859002, 2150858778, 2150858811})
_NOT_FOUND_SUBCODES = frozenset({"InvalidSelectors", "DestinationUnreachable", "InvalidResourceURI", "UnknownKey"})
_WMI_NOT_FOUND = frozenset({0x80041002, 0x80041010, 0x8004100E, -2147217406, -2147217392, -2147217394})
_QUOTA_CODES = frozenset({2150859173, 2150859174, 2150859172, 2150858843, 2150859184})
_ACCESS_DENIED_CODES = frozenset({5, 2150858853})


def is_not_found(fault: Fault) -> bool:
    """Return whether the object, class or namespace does not exist."""
    return (
        fault.code in _NOT_FOUND_CODES
        or fault.subcode in _NOT_FOUND_SUBCODES
        or fault.wmi in _WMI_NOT_FOUND
        or fault.wmi & 0xFFFFFFFF in _WMI_NOT_FOUND
    )


def is_quota(fault: Fault) -> bool:
    """Return whether a limit of the service was met (0x803381A5 to 0x803381A7 and neighbours)."""
    return fault.code in _QUOTA_CODES or fault.subcode == "QuotaLimit"


def is_access_denied(fault: Fault) -> bool:
    """Return whether the account may not do this."""
    return fault.code in _ACCESS_DENIED_CODES or fault.subcode == "AccessDenied"


def resource(name: str, namespace: str = CIMV2) -> str:
    """Return the resource URI of a class, or of ``*`` for a query."""
    return f"{WMI}/{namespace}/{name}"


def selector_set(selectors: Mapping[str, str]) -> dict[str, Any]:
    """Return the header field that names one object by its keys."""
    return {"w:SelectorSet": {"w:Selector": [{"@Name": key, "#text": value} for key, value in selectors.items()]}}


def query_body(wql: str) -> dict[str, Any]:
    """Return the body of an Enumerate with a WQL query."""
    return {
        "n:Enumerate": {
            "w:OptimizeEnumeration": None,
            "w:MaxElements": str(_MAX_ELEMENTS),
            "w:Filter": {"@Dialect": WQL, "#text": wql},
        }
    }


def pull_body(context: str) -> dict[str, Any]:
    """Return the body of a Pull: an enumeration that is not pulled to its end loses rows."""
    return {"n:Pull": {"n:EnumerationContext": context, "n:MaxElements": str(_MAX_ELEMENTS)}}


def invoke_body(name: str, method: str, arguments: Arguments, namespace: str = CIMV2) -> dict[str, Any]:
    """Return the body of a method call; an argument of None is left out, which WMI reads as "unchanged"."""
    fields: dict[str, Any] = {"@xmlns:m": resource(name, namespace)}
    fields |= {f"m:{key}": value for key, value in arguments.items() if value is not None}
    return {f"m:{method}_INPUT": fields}


def embedded(name: str, properties: Mapping[str, Any], namespace: str = CIMV2) -> dict[str, Any]:
    """Return an object of class ``name`` as an argument of a method; a list is an array, a value may be embedded itself.

    The properties are in the namespace of their own class and ``xsi:type`` names it ([MS-WSMV] 2.2.4.2, DSP0230 7.4); public clients
    create shares in this form. The name of the class is the prefix, for the prefixes of objects in objects have to differ.
    """
    fields: dict[str, Any] = {f"@xmlns:{name}": resource(name, namespace), "@xmlns:xsi": _XSI}
    fields["@xsi:type"] = f"{name}:{name}_Type"
    return fields | {f"{name}:{key}": value for key, value in properties.items()}


def literal(value: str) -> str:
    """Return ``value`` as a string of WQL: a backslash and a quote are escaped by a backslash."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _value(element: ET.Element) -> Value:
    if element.get(_XSI_NIL) in ("true", "1"):
        return None
    children = list(element)
    if not children:
        return element.text or ""
    # A date is an element of its own (cim:Datetime), an embedded object has one element per property.
    if len(children) == 1 and _local(children[0]) in ("Datetime", "Date", "Time"):
        return children[0].text or ""
    if any(_local(child) == "ReferenceParameters" for child in children):
        return _reference(element)
    return _instance(element)


def _reference(element: ET.Element) -> dict[str, Any]:
    """Return the keys of the object that an endpoint reference names, without the namespace that it is in."""
    selectors = [one for one in element.iter() if _local(one) == "Selector"]
    return {one.get("Name", ""): one.text or "" for one in selectors if not one.get("Name", "").startswith("__")}


def _instance(element: ET.Element) -> Instance:
    """Return the properties of an object; a property that comes again is an array."""
    instance: Instance = {}
    for child in element:
        name, value = _local(child), _value(child)
        if name not in instance:
            instance[name] = value
            continue
        earlier = instance[name]
        if isinstance(earlier, list):
            earlier.append(value)
        else:
            instance[name] = [earlier, value]
    return instance


def _body(xml: bytes) -> ET.Element:
    root = ET.fromstring(xml)
    body = next((child for child in root if _local(child) == "Body"), None)
    if body is None:
        raise ValueError("the answer has no SOAP body")
    return body


def parse_instance(xml: bytes) -> Instance:
    """Return the object in the answer to a Get, or the output parameters in the answer to a method call.

    Raises:
        ValueError: it is no such answer.
    """
    children = list(_body(xml))
    if len(children) != 1:
        raise ValueError("the answer holds no object")
    return _instance(children[0])


def parse_enumeration(xml: bytes) -> tuple[list[Instance], str | None]:
    """Return the objects in the answer to an Enumerate or a Pull, and the context to go on with (None at the end).

    Raises:
        ValueError: it is no such answer.
    """
    instances: list[Instance] = []
    context: str | None = None
    over = False
    for element in _body(xml).iter():
        name = _local(element)
        if name == "Items":
            instances += [_instance(child) for child in element]
        elif name == "EnumerationContext":
            context = (element.text or "").strip() or None
        elif name == "EndOfSequence":
            over = True
    return instances, None if over else context


def text(instance: Instance, name: str) -> str:
    """Return a property as text; empty when it is not set."""
    value = instance.get(name)
    return value if isinstance(value, str) else ""


def number(instance: Instance, name: str) -> int | None:
    """Return a property as a number; None when it is not set."""
    value = text(instance, name)
    return int(value) if re.fullmatch(r"-?\d+", value) else None


def key_of(instance: Instance, name: str, key: str) -> str:
    """Return a key of the object to which the property ``name`` refers; empty when it refers to none."""
    value = instance.get(name)
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def objects(instance: Instance, name: str) -> list[dict[str, Any]]:
    """Return an array property whose values are embedded objects."""
    value = instance.get(name)
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def texts(instance: Instance, name: str) -> Sequence[str]:
    """Return an array property as a list of texts."""
    value = instance.get(name)
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str)]
    return [value] if isinstance(value, str) and value else []
