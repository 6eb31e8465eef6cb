# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management envelopes: reading a request, writing an answer or a fault.

Sources: [MS-WSMV] 2.2.4 and 3.1.4 (messages, faults), DSP0226 (WS-Man), and the answers recorded in pywinrm's and
WinRb's tests. WinRM 2.0 says which WMI or quota fault it is by a numeric code, 3.0 and later by a subcode and an
``MSFT_WmiError`` (facts/windows.md 2.8, NetExec #1391 and #1392; ansible looks for ``error_Code`` 0x803381A6).
"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

ENV = "{http://www.w3.org/2003/05/soap-envelope}"
ADDRESSING = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
WSMAN = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
ENUMERATION = "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}"
RSP = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
ENUMERATE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/"
SHELL_CMD = SHELL + "cmd"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
_NAMESPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer" '
    'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell" '
    'xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"'
)


@dataclass
class Request:
    """The parts of an envelope that matter."""

    action: str
    resource: str = ""
    message_id: str = ""
    selectors: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    max_envelope: int = 153600
    body: ET.Element | None = None


class Fault(Exception):
    """A SOAP fault.

    Args:
        code: number of the WSManFault (winerror or WS-Man's own). subcode: qualified name. reason: text.
        wmi: HRESULT or code of the MSFT_WmiError of WinRM 3.0; sender: whose fault it is. status: of HTTP.
        always_code: WinRM 3.0 gives the number too (as for an operation timeout, which pywinrm knows by it).
    """

    def __init__(self, code: int, subcode: str, reason: str, *, wmi: int = 0, sender: bool = False,
                 status: int = 500) -> None:  # fmt: skip
        super().__init__(reason)
        self.code, self.subcode, self.reason, self.wmi = code, subcode, reason, wmi
        self.sender, self.status = sender, status


def seconds(duration: str | None, default: float) -> float:
    """``PT20S``, ``PT1H2M3.5S`` or ``P0DT0H0M1S`` in seconds (xs:duration)."""
    match = re.fullmatch(r"P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", (duration or "").strip())
    if not match or not any(match.groups()):
        return default
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + rest


def text_of(element: ET.Element | None, default: str = "") -> str:
    """The text of an element, which may be absent."""
    return (element.text or "").strip() if element is not None else default


def parse(data: bytes) -> Request:
    """Read an envelope. Raises Fault for what is not one."""
    try:
        root = ET.fromstring(data)
    except ET.ParseError:
        raise Fault(2150858817, "w:SchemaValidationError", "The SOAP XML in the message does not match the "
                    "corresponding XML schema definition.", sender=True, status=400) from None  # fmt: skip
    header, body = root.find(ENV + "Header"), root.find(ENV + "Body")
    if root.tag != ENV + "Envelope" or body is None:
        raise Fault(2150858817, "w:SchemaValidationError", "The message is not a SOAP envelope.", sender=True)
    if header is None:
        return Request("", body=body)
    request = Request(
        text_of(header.find(ADDRESSING + "Action")),
        text_of(header.find(WSMAN + "ResourceURI")),
        text_of(header.find(ADDRESSING + "MessageID")),
        body=body,
    )
    for selector in header.iterfind(f"{WSMAN}SelectorSet/{WSMAN}Selector"):
        request.selectors[selector.get("Name", "")] = selector.text or ""
    for option in header.iterfind(f"{WSMAN}OptionSet/{WSMAN}Option"):
        request.options[option.get("Name", "").upper()] = (option.text or "").strip()
    request.timeout = seconds(text_of(header.find(WSMAN + "OperationTimeout")), 60.0)
    size = text_of(header.find(WSMAN + "MaxEnvelopeSize"))
    request.max_envelope = int(size) if size.isdigit() else 153600
    return request


def _head(action: str, relates_to: str) -> str:
    return (
        f'<s:Envelope xml:lang="en-US" {_NAMESPACES}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header>"
    )


def answer(action: str, relates_to: str, body: str) -> bytes:
    """An envelope around a body that is already XML."""
    return f"{_head(action, relates_to)}<s:Body>{body}</s:Body></s:Envelope>".encode()


def fault(error: Fault, relates_to: str, machine: str, winrm3: bool) -> bytes:
    """The envelope of a fault, in the shape of the given WinRM."""
    role = "s:Sender" if error.sender else "s:Receiver"
    reason = escape(error.reason)
    if error.wmi and winrm3:
        detail = (
            '<p:MSFT_WmiError b:IsCIM_Error="true" '
            'xmlns:p="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError" '
            'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            '<p:CIMStatusCode xsi:type="cim:cimUnsignedInt">1</p:CIMStatusCode>'
            f'<p:Message xsi:type="cim:cimString">{reason}</p:Message>'
            f'<p:error_Code xsi:type="cim:cimUnsignedInt">{error.wmi}</p:error_Code>'
            f'<p:error_Type xsi:type="cim:cimString">{"HRESULT" if error.wmi >> 16 == 0x8004 else "MI"}</p:error_Type>'
            "</p:MSFT_WmiError>"
        )
        subcode = "<s:Subcode><s:Value>w:InternalError</s:Value></s:Subcode>"
    else:
        provider = ""
        if error.wmi:
            provider = (
                '<f:ProviderFault provider="WMI Provider" path="%systemroot%\\system32\\WsmWmiPl.dll">'
                f'<f:WSManFault Code="{error.wmi}" Machine="{machine}"><f:Message>{reason}</f:Message>'
                "</f:WSManFault></f:ProviderFault>"
            )
        detail = (
            '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" '
            f'Code="{error.code}" Machine="{machine}"><f:Message>{provider or reason}</f:Message></f:WSManFault>'
        )
        subcode = f"<s:Subcode><s:Value>{error.subcode}</s:Value></s:Subcode>" if winrm3 else ""
    body = (
        f"<s:Fault><s:Code><s:Value>{role}</s:Value>{subcode}</s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>'
    )
    return answer("http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", relates_to, body)


def identify(version: str, authenticated: bool) -> bytes:
    """The answer to Identify (DSP0226 11); without authentication the versions are hidden."""
    product = f"OS: {version} SP: 0.0 Stack: 2.0" if authenticated else "OS: 0.0.0 SP: 0.0 Stack: 2.0"
    return (
        '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
        '<wsmid:IdentifyResponse xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>{product}</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()


def timed_out() -> Fault:
    """Nothing came within OperationTimeout: pywinrm asks again."""
    return Fault(2150858793, "w:TimedOut", "The WS-Management service cannot complete the operation within the time "
                 "specified in OperationTimeout.  ")  # fmt: skip


def no_shell(shell_id: str) -> Fault:
    """ERROR_WSMAN_INVALID_SELECTORS (WinRb's recorded fault)."""
    return Fault(2150858843, "w:InvalidSelectors", f"The request for the Windows Remote Shell with ShellId {shell_id} "
                 "failed because the shell was not found on the server. Possible causes are: the specified ShellId is "
                 "incorrect or the shell no longer exists on the server. Provide the correct ShellId or create a new "
                 "shell and retry the operation.", sender=True)  # fmt: skip


def denied() -> Fault:
    """ERROR_ACCESS_DENIED."""
    return Fault(5, "w:AccessDenied", "Access is denied. ", sender=True)
