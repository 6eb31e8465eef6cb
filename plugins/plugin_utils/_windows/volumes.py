"""Disks by WMI and diskpart: read, run, wait, bring online.

Note that this utility is private to the collection.

diskpart speaks the language of Windows, so nothing that it says is read: its exit codes are numbers (0 done, 1 fatal, 2 bad
parameters, 3 no script, 4 a service failed, 5 syntax, or the wrong object), and what it did is read back by WMI.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from .disks import Disk, Layout, assemble, online_script, parse_places
from .errors import OptionError, StateError
from .session import Session
from .temporary import temporary_file

_SYSTEM32 = "C:\\Windows\\System32"
_DISKPART = f"{_SYSTEM32}\\diskpart.exe"
_REG = f"{_SYSTEM32}\\reg.exe"
#: Seconds between two looks, and for which a disk that was brought online may keep silent about what is on it.
_INTERVAL, _SETTLE = 1.0, 3.0
_CODES = {
    1: "a fatal error",
    2: "its parameters are wrong",
    3: "it cannot open its script",
    4: "the Virtual Disk Service failed: look at the service vds, wait some seconds and run again",
    5: "a command of its script was refused",
}
Step = Callable[[str], None]


def read_layout(session: Session) -> Layout:
    """Return the disks of the host and the volumes that are on none for certain.

    Raises:
        WindowsError: one of its kinds.
    """
    # SELECT *: a property that an early build does not know would fail a whole query.
    places = session.run([_REG, "query", "HKLM\\SYSTEM\\MountedDevices"])
    return assemble(
        session.query("SELECT * FROM Win32_DiskDrive"),
        session.query("SELECT * FROM Win32_DiskPartition"),
        session.query("SELECT * FROM Win32_Volume"),
        session.query("SELECT * FROM Win32_MountPoint"),
        parse_places(places.text),
    )


def named(session: Session, layout: Layout, number: int) -> Disk:
    """Return the disk of this number.

    Raises:
        OptionError: there is none.
    """
    disk = layout.disk(number)
    if disk is None:
        there = "; ".join(one.shown for one in layout.disks)
        raise OptionError(f"{session.name}: there is no disk {number}; there are: {there or 'none'}")
    return disk


def check_identity(session: Session, disk: Disk, serial: str | None, size_gb: float | None) -> None:
    """Compare what else is known of a disk with it: numbers move when a disk is added or taken out.

    Args:
        session: the session.
        disk: the disk.
        serial: its serial number, where that is known.
        size_gb: its size in units of 10^9 bytes within 5 per cent, where that is known.

    Raises:
        OptionError: it is another disk.
    """
    if serial is not None and serial.strip().casefold() != disk.serial.casefold():
        raise OptionError(
            f"{session.name}: the serial number of disk {disk.number} is {disk.serial or 'not told by Windows'}, not {serial}; "
            "name the disk that has it"
        )
    if size_gb is not None and abs(disk.size - size_gb * 1e9) > size_gb * 1e9 * 0.05:
        raise OptionError(
            f"{session.name}: disk {disk.number} has {disk.size / 1e9:.1f} GB, not {size_gb:g}; name the disk that has them"
        )


def diskpart(session: Session, commands: Sequence[str], timeout: float = 900.0) -> None:
    """Run commands of diskpart; the caller reads back.

    Raises:
        OptionError: one holds a character that is not ASCII, whose encoding in a script nothing documents.
        StateError: diskpart ends with another code than 0.
        WindowsError: one of its kinds.
    """
    text = "".join(f"{one}\r\n" for one in [*commands, "exit"])
    if not text.isascii():
        raise OptionError(f"{session.name}: diskpart is given ASCII only; choose a folder and a label without accents")
    with temporary_file(session, "diskpart.txt", text.encode("ascii")) as path:
        done = session.run([_DISKPART, "/s", path], timeout=timeout)
    if done.rc != 0:
        raise StateError(
            f"{session.name}: diskpart failed ({_CODES.get(done.rc, f'code {done.rc}')}): {done.said[-200:] or 'it said nothing'}"
        )


def until(
    session: Session, wanted: Callable[[Layout], bool], timeout: float, step: Step, about: str
) -> tuple[Layout, bool]:
    """Read the disks until they are as wanted or ``timeout`` seconds have passed; return them and whether they are."""
    deadline = time.monotonic() + timeout
    while True:
        layout = read_layout(session)
        if wanted(layout):
            return layout, True
        if time.monotonic() > deadline:
            return layout, False
        step(f"wait for {about}")
        time.sleep(_INTERVAL)


def bring_online(
    session: Session,
    number: int,
    *,
    serial: str | None = None,
    folder: str = "",
    timeout: float = 120.0,
    step: Step = lambda name: None,
) -> Disk:
    """Bring a disk online and return it as it is then. Its mount points come back by themselves.

    Args:
        session: the session.
        number: of the disk.
        serial: its serial number; with another one nothing is done.
        folder: wait until its volume is mounted there; without it, until a volume is seen, or none after some seconds.
        timeout: seconds that the mount may take.
        step: called before each effect and each look.

    Raises:
        OptionError: there is no such disk.
        StateError: the disk has gone, or nothing of it is mounted in ``folder``.
        WindowsError: one of its kinds.
    """
    check_identity(session, named(session, read_layout(session), number), serial, None)
    step(f"online disk {number}")
    diskpart(session, online_script(number))

    def back(layout: Layout) -> bool:
        disk = layout.disk(number)
        if folder:
            at = layout.at(folder)
            return at is not None and at[0] is not None and at[0].number == number
        return disk is not None and bool(disk.volumes)

    layout, there = until(session, back, timeout if folder else _SETTLE, step, f"disk {number}")
    disk = named(session, layout, number)
    if folder and not there:
        raise StateError(
            f"{session.name}: {disk.shown} was brought online, but nothing of it is mounted in {folder} after {timeout:g} s; "
            "is the disk sound? state: mounted mounts a volume that has lost its folder"
        )
    return disk
