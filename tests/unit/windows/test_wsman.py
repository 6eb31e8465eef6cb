# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WMI answers become values, and faults of WinRM 2.0 and 3.0 say the same."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
import xmltodict
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows import wsman

ENVELOPE = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>{}</s:Body></s:Envelope>'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"'


def envelope(body: str) -> bytes:
    return ENVELOPE.format(body).encode("utf-8")


def test_an_object_with_dates_nothings_arrays_and_objects() -> None:
    instance = wsman.parse_instance(
        envelope(
            f'<p:Win32_X xmlns:p="http://x" {XSI}><p:Name>Étagère</p:Name><p:Empty/><p:None xsi:nil="true"/>'
            "<p:Boot><cim:Datetime>2026-11-24T08:00:00Z</cim:Datetime></p:Boot><p:Id>1</p:Id><p:Id>2</p:Id><p:Id>3</p:Id>"
            "<p:Trustee><p:SIDString>S-1-5-18</p:SIDString></p:Trustee></p:Win32_X>"
        )
    )
    assert instance["Name"] == "Étagère"
    assert instance["Empty"] == ""
    assert instance["None"] is None
    assert instance["Boot"] == "2026-11-24T08:00:00Z"
    assert wsman.texts(instance, "Id") == ["1", "2", "3"]
    assert instance["Trustee"] == {"SIDString": "S-1-5-18"}
    assert wsman.text(instance, "None") == ""
    assert wsman.number(instance, "Name") is None


def test_rows_and_the_context_to_pull_with() -> None:
    body = (
        '<n:EnumerateResponse xmlns:n="http://n" xmlns:w="http://w"><n:EnumerationContext>uuid:1</n:EnumerationContext>'
        "<w:Items><p:A xmlns:p='http://p'><p:X>1</p:X></p:A><p:A xmlns:p='http://p'><p:X>2</p:X></p:A></w:Items>{}"
        "</n:EnumerateResponse>"
    )
    assert wsman.parse_enumeration(envelope(body.format(""))) == ([{"X": "1"}, {"X": "2"}], "uuid:1")
    assert wsman.parse_enumeration(envelope(body.format("<n:EndOfSequence/>")))[1] is None


def test_no_answer_is_an_error() -> None:
    with pytest.raises(ValueError, match="no SOAP body"):
        wsman.parse_instance(b"<html/>")
    with pytest.raises(ValueError, match="no object"):
        wsman.parse_instance(envelope(""))


@pytest.mark.parametrize(
    ("fault", "judge"),
    [
        (wsman.Fault(code=2150858752), wsman.is_not_found),
        (wsman.Fault(subcode="InvalidSelectors"), wsman.is_not_found),
        (wsman.Fault(wmi=0x80041010), wsman.is_not_found),
        (wsman.Fault(wmi=-2147217392), wsman.is_not_found),
        (wsman.Fault(code=2150859174), wsman.is_quota),
        (wsman.Fault(subcode="QuotaLimit"), wsman.is_quota),
        (wsman.Fault(code=5), wsman.is_access_denied),
        (wsman.Fault(subcode="AccessDenied"), wsman.is_access_denied),
    ],
)
def test_faults_of_both_shapes(fault: wsman.Fault, judge: object) -> None:
    judges = (wsman.is_not_found, wsman.is_quota, wsman.is_access_denied)
    assert [one for one in judges if one(fault)] == [judge]


def test_literals_of_wql_are_escaped() -> None:
    assert wsman.literal("C:\\It's") == "'C:\\\\It\\'s'"


def test_arguments_of_none_are_left_out() -> None:
    body = wsman.invoke_body("Win32_Service", "Change", {"StartName": "LocalSystem", "PathName": None})
    assert list(body["m:Change_INPUT"]) == ["@xmlns:m", "m:StartName"]


def test_a_reference_is_the_keys_of_what_it_names() -> None:
    instance = wsman.parse_instance(
        envelope(
            '<p:Win32_MountPoint xmlns:p="http://x" xmlns:a="http://a" xmlns:w="http://w"><p:Directory><a:Address>x</a:Address>'
            "<a:ReferenceParameters><w:ResourceURI>http://y</w:ResourceURI><w:SelectorSet>"
            '<w:Selector Name="__cimnamespace">root/cimv2</w:Selector><w:Selector Name="Name">C:\\replicat</w:Selector>'
            "</w:SelectorSet></a:ReferenceParameters></p:Directory><p:Volume>x</p:Volume></p:Win32_MountPoint>"
        )
    )
    assert wsman.key_of(instance, "Directory", "Name") == "C:\\replicat"
    assert wsman.key_of(instance, "Directory", "Other") == wsman.key_of(instance, "Volume", "DeviceID") == ""


def test_objects_in_objects_keep_their_namespaces() -> None:
    inner = wsman.embedded("Win32_ACE", {"AccessMask": "1"})
    body = wsman.invoke_body(
        "Win32_Share", "Create", {"Access": wsman.embedded("Win32_SecurityDescriptor", {"DACL": [inner, inner]})}
    )
    text = xmltodict.unparse(body)
    cimv2 = "{http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
    access = ET.fromstring(text)[0]
    assert access.tag == f"{cimv2}/Win32_Share}}Access"
    assert [one.tag for one in access] == [f"{cimv2}/Win32_SecurityDescriptor}}DACL"] * 2
    assert access[0].get("{http://www.w3.org/2001/XMLSchema-instance}type") == "Win32_ACE:Win32_ACE_Type"
    assert access[0][0].tag == f"{cimv2}/Win32_ACE}}AccessMask"
