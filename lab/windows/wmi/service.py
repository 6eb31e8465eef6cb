# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get, Enumerate, Pull, Release and Invoke on WMI's resource URIs.

Sources: DSP0226 (enumeration: one element per Pull unless MaxElements says more), [MS-WSMV] 3.1.4, facts/windows.md 2.8.
"""

from __future__ import annotations

import importlib
import pkgutil
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.windows import soap, wmi
from lab.windows.dfs import REPLICATION
from lab.windows.files import WindowsPathError
from lab.windows.refusal import LabRefusal
from lab.windows.soap import ENUMERATION, WSMAN, Fault, Request, text_of
from lab.windows.wmi import values, wql
from lab.windows.wmi.classes import CLASSES, WmiClass
from lab.windows.wmi.values import Reference, Row

if TYPE_CHECKING:
    from lab.windows.host import Host

WMI_PREFIX = values.PREFIX
_WQL = ("http://schemas.microsoft.com/wbem/wsman/1/wql",)
_NOT_FOUND, _NO_NAMESPACE, _NO_CLASS = 0x80041002, 0x8004100E, 0x80041010
_NO_METHOD, _BAD_QUERY, _BAD_PARAMETER = 0x80041055, 0x80041017, 0x8004102F
_NAMESPACES = ("root/cimv2", "root/default")

for _module in pkgutil.iter_modules(wmi.__path__):
    if _module.name != "service":
        importlib.import_module(f"{wmi.__name__}.{_module.name}")


def _fault(hresult: int, what: str) -> Fault:
    """ERROR_WSMAN_RESOURCE_NOT_FOUND around WMI's own error."""
    reason = ("The WS-Management service cannot process the request. The service cannot find the resource identified by "
              f"the resource URI and selectors. {what} HRESULT = 0x{hresult:x} ")  # fmt: skip
    return Fault(2150858752, "a:DestinationUnreachable", reason, wmi=hresult, sender=True)


def _refusal(text: object) -> Fault:
    return Fault(255, "w:InternalError", f"LAB: {text}")


@dataclass
class _Enumeration:
    """What is left to pull."""

    items: list[str]


class Wmi:
    """The WMI of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._open: dict[str, _Enumeration] = {}

    async def answer(self, request: Request) -> str:
        """The body of the answer. Raises Fault."""
        try:
            return await self._answer(request)
        except LabRefusal as refusal:
            raise _refusal(refusal) from None

    async def _answer(self, request: Request) -> str:
        path = request.resource.partition("?")[0][len(WMI_PREFIX) :]
        namespace, _unused, class_name = path.rpartition("/")
        namespace = namespace.lower().replace("\\", "/")
        if namespace not in _NAMESPACES and not (
            namespace == "root/microsoftdfs" and REPLICATION in self._host.dfs.features
        ):
            raise _fault(_NO_NAMESPACE, "The specified namespace is invalid.")
        action = request.action
        if action == soap.ENUMERATE + "Enumerate":
            return self._enumerate(request, namespace, class_name)
        if action == soap.ENUMERATE + "Pull":
            return self._pull(request)
        if action == soap.ENUMERATE + "Release":
            self._open.pop(self._context(request), None)
            return ""
        wmi_class = self._class(namespace, class_name)
        if action == soap.TRANSFER + "Get":
            return values.instance(namespace, wmi_class.name, self._find(wmi_class, request.selectors))
        if action.lower().startswith(f"{WMI_PREFIX}{path}/".lower()):
            return await self._invoke(wmi_class, action.rpartition("/")[2], request)
        if action in (soap.TRANSFER + "Put", soap.TRANSFER + "Create", soap.TRANSFER + "Delete"):
            raise LabRefusal(f"{action.rpartition('/')[2]} on WMI instances is not played")
        raise Fault(2150858762, "a:ActionNotSupported", f"The action {action} is not supported. ", sender=True)

    def _class(self, namespace: str, class_name: str) -> WmiClass:
        found = CLASSES.get((namespace, class_name.lower()))
        if found is None or not found.on(self._host):
            raise _fault(_NO_CLASS, f"The class {class_name} does not exist in this namespace.")
        return found

    def _find(self, wmi_class: WmiClass, selectors: dict[str, str]) -> Row:
        given = {name.lower(): value for name, value in selectors.items() if not name.startswith("__")}
        known = {key.lower() for key in wmi_class.keys}
        if set(given) - known or (set(given) != known and not (wmi_class.singleton and not given)):
            raise Fault(2150858843, "w:InvalidSelectors", "The WS-Management service cannot process the request because "
                        "the request contained invalid selectors for the resource. ", sender=True)  # fmt: skip
        row: Row | None = None
        try:
            if wmi_class.find is not None:
                row = wmi_class.find(self._host, given)
            elif wmi_class.rows is not None:
                row = next((row for row in wmi_class.rows(self._host) if self._has_keys(wmi_class, row, given)), None)
        except WindowsPathError:
            row = None
        if row is None:
            raise _fault(_NOT_FOUND, "The object was not found.")
        return row

    @staticmethod
    def _has_keys(wmi_class: WmiClass, row: Row, given: dict[str, str]) -> bool:
        return all(str(row[key]).lower() == given.get(key.lower(), str(row[key])).lower() for key in wmi_class.keys)

    def _enumerate(self, request: Request, namespace: str, class_name: str) -> str:
        body = request.body.find(ENUMERATION + "Enumerate") if request.body is not None else None
        if body is None:
            raise Fault(2150858817, "w:SchemaValidationError", "There is no Enumerate in the message. ", sender=True)
        filter_element = body.find(WSMAN + "Filter")
        if filter_element is None:
            filter_element = body.find(ENUMERATION + "Filter")
        columns: list[str] | None = None
        if filter_element is not None:
            dialect = filter_element.get("Dialect", "").lower()
            if dialect not in _WQL or class_name != "*":
                raise Fault(2150858806, "n:FilterDialectRequestedUnavailable", "The WS-Management service cannot process "
                            "the request. The filter dialect is not supported for this resource URI. ",
                            sender=True)  # fmt: skip
            wmi_class, columns, rows = self._query(namespace, text_of(filter_element))
        elif class_name == "*":
            raise Fault(2150858811, "n:FilteringRequired", "A filter is required for this resource URI. ", sender=True)
        else:
            wmi_class = self._class(namespace, class_name)
            rows = self._all(wmi_class)
        mode = text_of(body.find(WSMAN + "EnumerationMode")) or "EnumerateObject"
        items = [self._item(namespace, wmi_class, row, columns, mode) for row in rows]
        enumeration = _Enumeration(items)
        context = f"uuid:{str(uuid.uuid4()).upper()}"
        taken: list[str] = []
        optimized = body.find(WSMAN + "OptimizeEnumeration") is not None
        if optimized:
            taken = self._take(enumeration, body.find(WSMAN + "MaxElements"), request.max_envelope)
        if enumeration.items or not optimized:
            self._open[context] = enumeration
            if len(self._open) > 200:
                self._open.pop(next(iter(self._open)))
            return (f"<n:EnumerateResponse><n:EnumerationContext>{context}</n:EnumerationContext>"
                    + (f"<w:Items>{''.join(taken)}</w:Items>" if optimized else "") + "</n:EnumerateResponse>")  # fmt: skip
        return (
            f"<n:EnumerateResponse><n:EnumerationContext/><w:Items>{''.join(taken)}</w:Items><w:EndOfSequence/>"
            "</n:EnumerateResponse>"
        )

    def _all(self, wmi_class: WmiClass) -> list[Row]:
        if wmi_class.rows is None:
            raise LabRefusal(f"listing all of {wmi_class.name} is not played")
        return list(wmi_class.rows(self._host))

    def _query(self, namespace: str, text: str) -> tuple[WmiClass, list[str] | None, list[Row]]:
        try:
            query = wql.parse(text)
            wmi_class = self._class(namespace, query.class_name)
            if wmi_class.rows is None and all(key.lower() in query.equals for key in wmi_class.keys):
                assert wmi_class.find is not None
                try:
                    found = wmi_class.find(self._host, query.equals)
                except WindowsPathError:
                    found = None
                rows = [found] if found else []
            else:
                rows = self._all(wmi_class)
            rows = [row for row in rows if query.condition(row)]
            columns = None
            if query.columns is not None and rows:
                names = {name.lower(): name for name in rows[0]}
                if any(column.lower() not in names for column in query.columns):
                    raise wql.QueryError(text)
                columns = [names[column.lower()] for column in query.columns]
        except wql.QueryError:
            raise Fault(
                2150858809,
                "n:CannotProcessFilter",
                "The WS-Management service cannot process the request. The "
                f"WQL query is invalid. HRESULT = 0x{_BAD_QUERY:x} ",
                wmi=_BAD_QUERY,
                sender=True,
            ) from None
        return wmi_class, columns, rows

    @staticmethod
    def _item(namespace: str, wmi_class: WmiClass, row: Row, columns: list[str] | None, mode: str) -> str:
        if columns is not None:
            row_part = values.fragment(namespace, wmi_class.name, {name: row[name] for name in columns})
        else:
            row_part = values.instance(namespace, wmi_class.name, row)
        if mode == "EnumerateObject":
            return row_part
        keys = tuple((key, str(row[key])) for key in wmi_class.keys)
        epr = (
            f"<a:EndpointReference>{values.endpoint(Reference(namespace, wmi_class.name, keys))}</a:EndpointReference>"
        )
        return epr if mode == "EnumerateEPR" else f"<w:Item>{row_part}{epr}</w:Item>"

    @staticmethod
    def _take(enumeration: _Enumeration, limit: ET.Element | None, envelope: int) -> list[str]:
        text = text_of(limit)
        count = int(text) if text.isdigit() and int(text) > 0 else 1
        taken: list[str] = []
        room = min(envelope, 153600) - 4096
        while enumeration.items and len(taken) < count:
            size = len(enumeration.items[0].encode())
            if taken and size > room:
                break
            room -= size
            taken.append(enumeration.items.pop(0))
        return taken

    @staticmethod
    def _context(request: Request) -> str:
        for element in request.body.iter(ENUMERATION + "EnumerationContext") if request.body is not None else ():
            return text_of(element)
        return ""

    def _pull(self, request: Request) -> str:
        context = self._context(request)
        enumeration = self._open.get(context)
        if enumeration is None:
            raise Fault(2150858759, "n:InvalidEnumerationContext", "The WS-Management service cannot process the request. "
                        "The supplied enumeration context is invalid. ", sender=True)  # fmt: skip
        body = request.body.find(ENUMERATION + "Pull") if request.body is not None else None
        limit = body.find(ENUMERATION + "MaxElements") if body is not None else None
        taken = self._take(enumeration, limit, request.max_envelope)
        if enumeration.items:
            return (
                f"<n:PullResponse><n:EnumerationContext>{context}</n:EnumerationContext>"
                f"<n:Items>{''.join(taken)}</n:Items></n:PullResponse>"
            )
        del self._open[context]
        return f"<n:PullResponse><n:Items>{''.join(taken)}</n:Items><n:EndOfSequence/></n:PullResponse>"

    async def _invoke(self, wmi_class: WmiClass, name: str, request: Request) -> str:
        real = next((known for known in wmi_class.methods if known.lower() == name.lower()), None)
        if real is None:
            raise _fault(_NO_METHOD, f"{wmi_class.name} has no method {name}, or LAB: it is not played.")
        parameters, static, run = wmi_class.methods[real]
        element = None
        for candidate in request.body if request.body is not None else ():
            element = candidate
        arguments: dict[str, Any] = {}
        names = {parameter.lower(): parameter for parameter in parameters}
        for child in element if element is not None else ():
            local = child.tag.rpartition("}")[2]
            if local.lower() not in names:
                raise _fault(_BAD_PARAMETER, f"{real} has no parameter {local}.")
            value = values.argument(child)
            if value is None:
                continue
            key = names[local.lower()]
            if key in arguments:
                before = arguments[key]
                arguments[key] = [*before, value] if isinstance(before, list) else [before, value]
            else:
                arguments[key] = value
        row = None if static and not request.selectors else self._find(wmi_class, request.selectors)
        return values.output(wmi_class.namespace, wmi_class.name, real, await run(self._host, row, arguments))
