# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks and volumes: what WMI and the registry show, and a disk that is never formatted by mistake."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows import disks, volume_state, volumes
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import (
    NotFoundError,
    OptionError,
    StateError,
    WindowsError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.result import RunResult

FOLDER = "C:\\Program Files\\replicat"
OFFSET, SIZE = 1 << 20, 79_997_902_848
WANTED: dict[str, Any] = {
    "disk": 1, "serial": None, "size_gb": None, "mount": FOLDER, "label": "replicat", "format": False, "erase": None,
    "state": "mounted", "timeout": 1,
}  # fmt: skip
Row = dict[str, Any]


def guid(number: int) -> str:
    return f"{{0000000{number}-1c2d-11e3-8a5f-000c29a1b2c3}}"


class Host:
    """A host with a system disk and a second one; diskpart and mountvol change it as their scripts say."""

    def __init__(self, *, online: bool = True, volumes: Sequence[tuple[str, str]] = (), mounted: str = "") -> None:
        self.name = "srv"
        self.online, self.mounted = online, mounted
        self.volumes = list(volumes)  # label and file system
        self.folders = {mounted} if mounted else set()
        self.inside: set[str] = set()
        self.serial, self.signature = "WD-1", 0x11223344
        self.registry = True
        self.codes: dict[str, int] = {}
        self.deaf = False
        self.done: list[str] = []

    @property
    def shown(self) -> list[tuple[str, str]]:
        return self.volumes if self.online else []

    def query(self, wql: str, namespace: str = "") -> list[Row]:
        return {
            "Win32_DiskDrive": self._drives,
            "Win32_DiskPartition": self._partitions,
            "Win32_Volume": self._volumes,
            "Win32_MountPoint": self._mounts,
        }[wql.rpartition("FROM ")[2]]()

    def _drives(self) -> list[Row]:
        return [
            {"Index": "0", "Model": "SYS", "SerialNumber": "S-0", "Size": "107372805120", "Signature": "1"},
            {"Index": "1", "Model": "WDC", "SerialNumber": f" {self.serial}", "Size": "80000000000",
             "Signature": str(self.signature if self.shown else 0)},
        ]  # fmt: skip

    def _partitions(self) -> list[Row]:
        rows = [{"DiskIndex": "0", "StartingOffset": str(OFFSET), "Size": "107000000000"}]
        return rows + [
            {"DiskIndex": "1", "StartingOffset": str(OFFSET + number), "Size": str(SIZE)} for number, _one in enumerate(self.shown)
        ]  # fmt: skip

    def _volumes(self) -> list[Row]:
        rows: list[Row] = [
            {"DeviceID": f"\\\\?\\Volume{guid(9)}\\", "DriveLetter": "C:", "DriveType": "3", "Capacity": "106999996416",
             "FileSystem": "NTFS", "Label": "", "BootVolume": "true"},
            {"DeviceID": f"\\\\?\\Volume{guid(8)}\\", "DriveLetter": "D:", "DriveType": "5"},
        ]  # fmt: skip
        for number, (label, system) in enumerate(self.shown):
            rows.append({"DeviceID": f"\\\\?\\Volume{guid(number)}\\", "DriveLetter": None, "DriveType": "3", "Label": label,
                         "FileSystem": system or None, "Capacity": str(SIZE - 4096) if system else None, "FreeSpace": "9"})  # fmt: skip
        return rows

    def _mounts(self) -> list[Row]:
        rows = [{"Directory": {"Name": "C:\\\\"}, "Volume": {"DeviceID": f"\\\\\\\\?\\\\Volume{guid(9)}\\\\"}}]
        if self.mounted and self.shown:
            rows.append({"Directory": {"Name": self.mounted}, "Volume": {"DeviceID": f"\\\\?\\Volume{guid(0)}\\"}})
        return rows

    def get(self, name: str, namespace: str = "", **keys: str) -> Row:
        if keys["Name"] not in self.folders:
            raise NotFoundError("no")
        return {"Name": keys["Name"]}

    def run_line(self, line: str, **rest: Any) -> RunResult:
        if line.startswith("md "):
            self.done.append(line)
            self.folders.add(line[3:].strip('"'))
        return RunResult(
            0, b"pg_hba.conf\r\n" if line.startswith("dir ") and self.inside else b"", b"Fichier introuvable", 850
        )

    def run(self, argv: Sequence[str], **rest: Any) -> RunResult:
        program = argv[0].rpartition("\\")[2]
        if program == "reg.exe":
            lines = [f"    \\??\\Volume{guid(number)}    REG_BINARY    {struct.pack('<IQ', self.signature, OFFSET + number).hex().upper()}"
                     for number, _one in enumerate(self.volumes)]  # fmt: skip
            return RunResult(0, "\r\n".join(lines if self.registry else []).encode(), b"", 850)
        if program == "mountvol.exe":
            self.done.append(" ".join(["mountvol", *argv[1:]]))
            self.mounted = "" if argv[2] == "/D" else argv[1]
            return RunResult(0, b"", b"", 850)
        assert program == "diskpart.exe"
        assert argv[1] == "/s"
        for line in argv[2].split("|"):
            self._command(line)
            if line in self.codes:
                return RunResult(self.codes[line], b"DiskPart a rencontr\x82 une erreur", b"", 850)
        return RunResult(0, b"", b"", 850)

    def _command(self, line: str) -> None:
        if self.deaf or line in self.codes:
            return
        self.online = {"online disk noerr": True, "offline disk": False}.get(line, self.online)
        if line == "clean":
            self.volumes = []
        elif line == "create partition primary":
            self.volumes.append(("", ""))
        elif line.startswith("format "):
            self.volumes[-1] = (line.partition('label="')[2].rstrip('"'), "NTFS")
        elif line.startswith("assign mount="):
            assert line.partition('"')[2].rstrip('"') in self.folders
            self.mounted = FOLDER


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def script(session: Host, name: str, data: bytes) -> Iterator[str]:
        text = data.decode("ascii")
        assert text.endswith("\r\nexit\r\n")
        session.done += text.split("\r\n")[:-2]
        yield "|".join(text.split("\r\n")[:-2])

    monkeypatch.setattr(volumes, "temporary_file", script)
    clock = iter(range(100000))
    monkeypatch.setattr(volumes.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(volumes.time, "monotonic", lambda: float(next(clock)))


def manage(host: Host, check: bool = False, **wanted: Any) -> Mapping[str, Any]:
    return volume_state.manage_volume(host, {**WANTED, **wanted}, check=check)  # type: ignore[arg-type]


ONLINE = ["select disk 1", "online disk noerr", "attributes disk clear readonly noerr"]
FORMAT = ["create partition primary", 'format fs=ntfs quick label="replicat"', f'assign mount="{FOLDER}"']


def test_a_blank_disk_gets_a_volume_in_the_folder_and_is_left_alone_afterwards() -> None:
    host = Host(online=False)
    result = manage(host, format=True)
    assert host.done == [*ONLINE, f'md "{FOLDER}"', *ONLINE, *FORMAT]
    assert result["changed"] is True
    assert result["disk"]["volumes"][0]["folders"] == [FOLDER]
    host.done.clear()
    assert manage(host, format=True, erase="1 WD-1")["changed"] is False
    assert manage(host, state="online")["changed"] is False
    assert host.done == []


def test_check_mode_says_and_does_nothing() -> None:
    host = Host(online=False)
    result = manage(host, check=True, format=True)
    assert result["changed"] is True
    assert result["diff"]["after"] == {"mounted": FOLDER, "label": "replicat"}
    assert host.done == []


def test_a_disk_that_was_away_comes_back_with_its_folder() -> None:
    host = Host(online=False, volumes=[("replicat", "NTFS")], mounted=FOLDER)
    assert manage(host, format=True)["changed"] is True
    assert host.done == ONLINE
    host.online = False
    host.done.clear()
    assert manage(host, state="online")["disk"]["volumes"][0]["label"] == "replicat"
    assert host.done == ONLINE


def test_a_volume_with_the_label_is_mounted_and_never_formatted() -> None:
    host = Host(volumes=[("replicat", "NTFS")])
    assert manage(host, format=True, erase="1 replicat")["changed"] is True
    assert host.done == [f'md "{FOLDER}"', f"mountvol {FOLDER} \\\\?\\Volume{guid(0)}\\"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"format": True}, "holds 1 partitions and is not touched.*erase: '1 WD-1'"),
        ({"format": True, "erase": "1 OTHER"}, "erase is '1 OTHER'"),
        ({"format": True, "erase": "2 COMPTA"}, "erase is '2 COMPTA'"),
        ({"format": True, "erase": "1"}, "erase is '1'"),
        ({"erase": "1 COMPTA"}, "format: true"),
        ({"serial": "WD-2", "format": True}, "serial number of disk 1 is WD-1, not WD-2"),
        ({"size_gb": 160}, "80.0 GB, not 160"),
        ({"disk": 0, "format": True, "erase": "0 S-0"}, "is the system's"),
        ({"disk": 7}, "there is no disk 7; there are: disk 0"),
        ({"mount": None}, "needs mount"),
        ({"mount": "D:\\"}, "give a folder"),
        ({"mount": "\\\\srv\\x"}, "give a folder"),
        ({"mount": "C:\\r%x%"}, "no full path"),
        ({"label": 'a"b'}, "cannot be used"),
        ({"label": "replicat", "mount": "C:\\Répliqué"}, "in ASCII"),
    ],
)
@pytest.mark.parametrize("online", [True, False])
def test_data_are_not_touched_and_wrong_input_is_refused(online: bool, wanted: dict[str, Any], words: str) -> None:
    host = Host(online=online, volumes=[("COMPTA", "NTFS")])
    with pytest.raises(OptionError, match=words):
        manage(host, **wanted)
    assert host.volumes == [("COMPTA", "NTFS")]
    assert not any(line.startswith(("clean", "create", "format", "md")) for line in host.done)


@pytest.mark.parametrize("name", ["1 COMPTA", "1 wd-1"])
def test_a_disk_that_is_named_is_erased(name: str) -> None:
    host = Host(volumes=[("COMPTA", "NTFS")])
    assert manage(host, format=True, erase=name)["diff"]["after"]["formatted"] == "erased first"
    assert host.done == [f'md "{FOLDER}"', *ONLINE, "clean", *FORMAT]


def test_a_partition_without_a_file_system_counts_as_data() -> None:
    host = Host(volumes=[("", "")])
    with pytest.raises(OptionError, match="holds 1 partitions"):
        manage(host, format=True)


def test_a_folder_that_holds_something_is_refused() -> None:
    host = Host()
    host.folders, host.inside = {FOLDER}, {"pg_hba.conf"}
    with pytest.raises(OptionError, match="is not empty"):
        manage(host, format=True)
    assert host.done == []


def test_another_volume_in_the_folder_is_refused() -> None:
    host = Host(volumes=[("COMPTA", "NTFS")], mounted=FOLDER)
    with pytest.raises(OptionError, match="is 'COMPTA', not 'replicat'"):
        manage(host)
    with pytest.raises(OptionError, match=r"has a volume of disk 1 .*, not of disk 0"):
        manage(host, disk=0)


def test_diskpart_fails_by_its_code() -> None:
    host = Host()
    host.codes["create partition primary"] = 4
    with pytest.raises(StateError, match=r"the Virtual Disk Service failed.*DiskPart a rencontré"):
        manage(host, format=True)


def test_what_does_not_appear_is_an_error() -> None:
    host = Host(online=False, volumes=[("replicat", "NTFS")], mounted=FOLDER)
    host.deaf = True
    with pytest.raises(StateError, match="nothing of it is mounted"):
        manage(host, state="online")
    blank = Host()
    blank.deaf = True
    with pytest.raises(StateError, match="nothing of disk 1"):
        manage(blank, format=True)


def test_unmount_and_offline() -> None:
    host = Host(volumes=[("replicat", "NTFS")], mounted=FOLDER)
    assert manage(host, check=True, state="offline")["changed"] is True
    assert manage(host, state="offline")["disk"]["volumes"] == []
    assert manage(host, state="offline")["changed"] is False
    host.online = True
    assert manage(host, state="unmounted")["changed"] is True
    assert manage(host, state="unmounted")["changed"] is False
    assert host.done == ["select disk 1", "offline disk", f"mountvol {FOLDER} /D"]
    with pytest.raises(OptionError, match="state: mounted mounts it"):
        manage(host, state="online")
    with pytest.raises(OptionError, match="is the system's"):
        manage(host, disk=0, state="offline", mount=None)


def test_a_blank_disk_that_was_brought_online_shows_nothing() -> None:
    result = manage(Host(online=False), state="online", mount=None)
    assert result["changed"] is False
    assert "it is blank, or it is still offline" in result["warnings"][0]


def test_bring_online_looks_at_the_serial_number() -> None:
    host = Host(online=False, volumes=[("replicat", "NTFS")], mounted=FOLDER)
    with pytest.raises(OptionError, match="not WD-2"):
        volumes.bring_online(host, 1, serial="WD-2")  # type: ignore[arg-type]
    assert volumes.bring_online(host, 1, serial="wd-1").number == 1  # type: ignore[arg-type]
    layout = volumes.read_layout(host)  # type: ignore[arg-type]
    found = layout.at(f"{FOLDER.upper()}\\")
    assert found is not None
    assert found[0] is not None
    assert found[0].number == 1
    assert layout.at("C:\\Other") is None


def test_without_the_registry_the_size_tells_when_it_can() -> None:
    host = Host(volumes=[("replicat", "NTFS")], mounted=FOLDER)
    host.registry = False
    assert [len(one.volumes) for one in volumes.read_layout(host).disks] == [1, 1]  # type: ignore[arg-type]
    assert manage(host)["changed"] is False
    host.volumes.append(("copy", "NTFS"))
    found = volumes.read_layout(host).at(FOLDER)  # type: ignore[arg-type]
    assert found is not None
    assert found[0] is None
    with pytest.raises(OptionError, match="give label"):
        manage(host, label=None)
    host.mounted = ""
    with pytest.raises(OptionError, match="nothing tells which of the volumes 'replicat', 'copy' lies on disk 1"):
        manage(host)


def test_places_of_the_mount_manager() -> None:
    text = (
        "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\MountedDevices\r\n"
        "    \\DosDevices\\C:    REG_BINARY    443322110000100000000000\r\n"
        f"    \\??\\Volume{guid(1).upper()}    REG_BINARY    443322110000100000000000\r\n"
        f"    \\??\\Volume{guid(2)}    REG_BINARY    444D494F3A49443A00112233445566778899AABBCCDDEEFF\r\n"
    )
    assert disks.parse_places(text) == {guid(1): (0x11223344, OFFSET)}


def test_a_large_disk_becomes_gpt() -> None:
    disk = disks.Disk(2, "m", "s", 4 << 40, 0)
    script = disks.format_script(disk, FOLDER, "", clean=True)
    assert script[3:6] == ["clean", "convert gpt noerr", "create partition primary"]
    assert "format fs=ntfs quick" in script


def test_a_script_is_ascii() -> None:
    with pytest.raises(WindowsError, match="ASCII only"):
        volumes.diskpart(Host(), ["assign mount=é"])  # type: ignore[arg-type]
