# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_OperatingSystem, Win32_ComputerSystem, Win32_Processor.

Sources: Microsoft's class pages; facts/windows.md 3.2 (OSLanguage, CodeSet; OSArchitecture may be missing on 2008).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.windows.wmi.classes import WmiClass, register
from lab.windows.wmi.values import DateTime, Row

if TYPE_CHECKING:
    from lab.windows.host import Host


def _operating_system(host: Host) -> Iterator[Row]:
    plan = host.plan
    french = plan.language == "fr"
    row: Row = {
        "BootDevice": "\\Device\\HarddiskVolume1", "BuildNumber": str(plan.build), "BuildType": "Multiprocessor Free",
        "Caption": f"{plan.edition} ", "CodeSet": "1252", "CountryCode": "33" if french else "1",
        "CreationClassName": "Win32_OperatingSystem", "CSCreationClassName": "Win32_ComputerSystem",
        "CSDVersion": {"6.0.6002": "Service Pack 2", "6.1.7601": "Service Pack 1"}.get(plan.version),
        "CSName": plan.computer_name, "CurrentTimeZone": -time.timezone // 60, "Debug": False, "Description": "",
        "Distributed": False, "EncryptionLevel": 256, "ForegroundApplicationBoost": 0,
        "FreePhysicalMemory": 1_402_332, "FreeSpaceInPagingFiles": 4_194_304, "FreeVirtualMemory": 3_481_220,
        "InstallDate": DateTime(host.boot_time - 86400 * 700), "LargeSystemCache": 1,
        "LastBootUpTime": DateTime(host.boot_time), "LocalDateTime": DateTime(time.time()),
        "Locale": "040c" if french else "0409", "Manufacturer": "Microsoft Corporation",
        "MaxNumberOfProcesses": 0xFFFFFFFF, "MaxProcessMemorySize": 2_097_024, "MUILanguages": ["fr-FR" if french else "en-US"],
        "Name": f"{plan.edition} |C:\\Windows|\\Device\\Harddisk0\\Partition1", "NumberOfProcesses": 41,
        "NumberOfUsers": 3, "OperatingSystemSKU": 7, "Organization": "", "OSLanguage": 1036 if french else 1033,
        "OSProductSuite": 272, "OSType": 18, "PAEEnabled": True, "Primary": True, "ProductType": 3 if plan.is_server else 1,
        "RegisteredUser": "Windows User", "SerialNumber": "92573-082-2500115-76423",
        "ServicePackMajorVersion": {"6.0.6002": 2, "6.1.7601": 1}.get(plan.version, 0), "ServicePackMinorVersion": 0,
        "SizeStoredInPagingFiles": 4_194_304, "Status": "OK", "SuiteMask": 272,
        "SystemDevice": "\\Device\\HarddiskVolume1", "SystemDirectory": "C:\\Windows\\system32", "SystemDrive": "C:",
        "TotalVirtualMemorySize": 6_290_460, "TotalVisibleMemorySize": 2_096_620, "Version": plan.version,
        "WindowsDirectory": "C:\\Windows",
    }  # fmt: skip
    if plan.os_architecture:
        bits = plan.architecture
        row["OSArchitecture"] = f"{bits} bits" if french else f"{bits}-bit"
    yield row


def _computer_system(host: Host) -> Iterator[Row]:
    plan = host.plan
    in_domain = "." in plan.domain
    role = (3 if in_domain else 2) if plan.is_server else (1 if in_domain else 0)
    yield {
        "AdminPasswordStatus": 1, "BootupState": "Normal boot", "Caption": plan.computer_name,
        "CreationClassName": "Win32_ComputerSystem", "CurrentTimeZone": -time.timezone // 60,
        "Description": "AT/AT COMPATIBLE", "DNSHostName": plan.computer_name.lower(), "Domain": plan.domain,
        "DomainRole": 5 if plan.domain_controller or 10 in plan.features else role, "Manufacturer": "LAB", "Model": "lycee.openerp",
        "Name": plan.computer_name, "NumberOfLogicalProcessors": 2, "NumberOfProcessors": 1,
        "PartOfDomain": in_domain, "PrimaryOwnerName": "Windows User", "Status": "OK",
        "SystemType": "X86-based PC" if plan.architecture == 32 else "x64-based PC",
        "TotalPhysicalMemory": 2_146_938_880, "UserName": None, "Workgroup": None if in_domain else plan.domain,
    }  # fmt: skip


def _processor(host: Host) -> Iterator[Row]:
    bits = host.plan.architecture
    yield {
        "AddressWidth": bits, "Architecture": 0 if bits == 32 else 9, "Caption": "x86 Family 6 Model 23 Stepping 10",
        "DataWidth": 64, "DeviceID": "CPU0", "Manufacturer": "GenuineIntel", "MaxClockSpeed": 2500,
        "Name": "Intel(R) Xeon(R) CPU E5420 @ 2.50GHz", "NumberOfCores": 2, "NumberOfLogicalProcessors": 2,
        "SocketDesignation": "CPU 0", "Status": "OK",
    }  # fmt: skip


register(WmiClass("Win32_OperatingSystem", ("Name",), _operating_system, singleton=True))
register(WmiClass("Win32_ComputerSystem", ("Name",), _computer_system))
register(WmiClass("Win32_Processor", ("DeviceID",), _processor))
