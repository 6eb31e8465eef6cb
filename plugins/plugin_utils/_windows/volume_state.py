"""Bring a disk and its volume to what is wanted: read, compare, plan, do, read back.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import files
from .disks import Disk, Layout, Volume, format_script
from .errors import OptionError, StateError
from .quoting import quote
from .session import Session
from .temporary import make_folder
from .volumes import Step, bring_online, check_identity, diskpart, named, read_layout, until

_MOUNTVOL = "C:\\Windows\\System32\\mountvol.exe"


def manage_volume(
    session: Session, arguments: Mapping[str, Any], *, check: bool, step: Step = lambda name: None
) -> dict[str, Any]:
    """Bring a disk and its volume to what ``windows_volume`` documents and return its result.

    Raises:
        WindowsError: one of its kinds.
    """
    state, number, folder = arguments["state"], arguments["disk"], _wanted_folder(arguments)
    label = arguments["label"]
    if label is not None and (not label.isascii() or len(label) > 32 or set(label) & set('"%*?/\\|.,;:+=[]<>\r\n\0')):
        raise OptionError(
            f"label '{label}' cannot be used; it has at most 32 ASCII characters, letters, digits, blanks, - and _"
        )
    layout = read_layout(session)
    disk = named(session, layout, number)
    check_identity(session, disk, arguments["serial"], arguments["size_gb"])
    at = layout.at(folder) if folder else None
    if at is not None and state != "offline":
        _check_mounted(session, disk, at, folder, label)
    before: dict[str, Any] = {"mounted": folder if at else "", "volumes": len(disk.volumes)}
    done = {
        "mounted": at is not None,
        "unmounted": at is None,
        "offline": not disk.volumes,
        "online": at is not None if folder else bool(disk.volumes),
    }
    if done[state]:
        return {"changed": False, "diff": {"before": {}, "after": {}}, "disk": disk.as_dict()}
    if disk.system:
        raise OptionError(f"{session.name}: {disk.shown} is the system's and is not touched; name another disk")
    work = {"mounted": _mount, "unmounted": _unmount, "offline": _offline, "online": _online}[state]
    found, after = work(session, arguments, disk, folder, check, step)
    return {
        # Nothing tells a disk that is offline from a blank one, so it counts as changed when more is seen of it.
        "changed": check or state != "online" or found != disk,
        "diff": {"before": before, "after": after},
        "disk": found.as_dict(),
        **_warning(found, state, check),
    }


def _warning(found: Disk, state: str, check: bool) -> dict[str, Any]:
    if check or state != "online" or not found.blank:
        return {}
    return {
        "warnings": [f"{found.shown} shows nothing after it was brought online: it is blank, or it is still offline"]
    }


def _wanted_folder(arguments: Mapping[str, Any]) -> str:
    if not arguments["mount"]:
        if arguments["state"] in ("mounted", "unmounted"):
            raise OptionError(f"state: {arguments['state']} needs mount, the folder in which the volume is mounted")
        return ""
    folder = files.check_path(arguments["mount"])
    if folder.startswith("\\\\") or len(folder) <= 3 or not folder.isascii():
        raise OptionError(f"mount is {folder}; give a folder of the host itself in ASCII, as in C:\\Folder")
    return folder


def _check_mounted(
    session: Session, disk: Disk, at: tuple[Disk | None, Volume], folder: str, label: str | None
) -> None:
    owner, volume = at
    if owner is None and label is None:
        raise OptionError(
            f"{session.name}: nothing tells on which disk the volume '{volume.label}' lies that is mounted in {folder}; give label"
        )
    if owner is not None and owner.number != disk.number:
        raise OptionError(
            f"{session.name}: {folder} has a volume of {owner.shown} mounted, not of disk {disk.number}; correct disk, or unmount it"
        )
    if label is not None and volume.label.casefold() != label.casefold():
        raise OptionError(
            f"{session.name}: the volume that is mounted in {folder} is '{volume.label}', not '{label}'; correct label, or unmount it"
        )


def _plan(session: Session, disk: Disk, arguments: Mapping[str, Any]) -> Volume | bool:
    """Return the volume that is to be mounted, or whether the disk is cleaned before it is formatted.

    Raises:
        OptionError: the disk holds what is not to be touched, or nothing and is not to be formatted.
    """
    label, erase = arguments["label"], arguments["erase"]
    fitting = [one for one in disk.volumes if one.file_system == "NTFS"]
    if label is not None:
        fitting = [one for one in fitting if one.label.casefold() == label.casefold()]
    if len(fitting) == 1:
        return fitting[0]
    if not disk.blank and (erase is None or fitting):
        loose = [f"'{one.label}'" for one in read_layout(session).loose]
        if loose and not disk.volumes:
            raise OptionError(
                f"{session.name}: nothing tells which of the volumes {', '.join(loose)} lies on {disk.shown}; mount it with the disk "
                "management of Windows"
            )
        hint = f"erase: '{disk.number} {disk.serial or (disk.volumes[0].label if disk.volumes else 'LABEL')}' and format: true"
        raise OptionError(
            f"{session.name}: {disk.shown} holds {len(disk.partitions)} partitions and is not touched; name the right disk, or "
            f"its volume's label to mount that; to lose what is on it, write {hint}"
        )
    if erase is not None and not disk.blank:
        which, _blank, name = erase.strip().partition(" ")
        names = {one.casefold() for one in (disk.serial, *(volume.label for volume in disk.volumes)) if one}
        if which != str(disk.number) or name.strip().casefold() not in names:
            raise OptionError(
                f"{session.name}: erase is '{erase}', and this is {disk.shown}; it names the number and the serial "
                "number, or the label of a volume, of the disk whose data are to be lost"
            )
    if not arguments["format"]:
        raise OptionError(f"{session.name}: {disk.shown} has no volume to mount in the folder; format: true makes one")
    return not disk.blank


def _mount(
    session: Session, arguments: Mapping[str, Any], disk: Disk, folder: str, check: bool, step: Step
) -> tuple[Disk, dict[str, Any]]:
    after = {"mounted": folder, "label": arguments["label"] or ""}
    if files.folder_exists(session, folder) and _holds(session, folder):
        raise OptionError(
            f"{session.name}: the folder {folder} is not empty; move what is in it away before a volume is mounted in it"
        )
    if not disk.volumes:
        # It may be offline, and what is on it is seen once it is online.
        if check:
            return disk, after
        disk = bring_online(session, disk.number, step=step)
        at = read_layout(session).at(folder)
        if at is not None:
            _check_mounted(session, disk, at, folder, arguments["label"])
            return disk, after
    plan = _plan(session, disk, arguments)
    if isinstance(plan, Volume):
        if plan.folders:
            raise OptionError(
                f"{session.name}: the volume '{plan.label}' of {disk.shown} is mounted in {plan.folders[0]}; unmount it there first "
                "(state: unmounted)"
            )
        after["label"] = plan.label
    else:
        after["formatted"] = "erased first" if plan else "blank before"
    if check:
        return disk, after
    make_folder(session, folder)
    if isinstance(plan, Volume):
        step(f"mount {plan.id}")
        said = session.run([_MOUNTVOL, folder, plan.id]).said
    else:
        step(f"format disk {disk.number}")
        diskpart(session, format_script(disk, folder, arguments["label"] or "", clean=plan))
        said = ""

    def mounted(layout: Layout) -> bool:
        at = layout.at(folder)
        return at is not None and at[1].file_system == "NTFS" and (at[0] is None or at[0].number == disk.number)

    layout, there = until(session, mounted, arguments["timeout"], step, folder)
    found = named(session, layout, disk.number)
    if not there:
        raise StateError(
            f"{session.name}: nothing of {found.shown} is mounted in {folder} after {arguments['timeout']:g} s ({said or 'no message'})"
        )
    at = layout.at(folder)
    if at is not None:
        _check_mounted(session, found, at, folder, arguments["label"])
    return found, after


def _holds(session: Session, folder: str) -> bool:
    """Whether there is something in a folder. dir says that there is nothing elsewhere, and in the language of Windows."""
    return bool(session.run_line(f"dir /b /a {quote(folder)}").stdout.strip())


def _unmount(
    session: Session, arguments: Mapping[str, Any], disk: Disk, folder: str, check: bool, step: Step
) -> tuple[Disk, dict[str, Any]]:
    if check:
        return disk, {"mounted": ""}
    step(f"unmount {folder}")
    done = session.run([_MOUNTVOL, folder, "/D"])
    layout, gone = until(session, lambda one: one.at(folder) is None, arguments["timeout"], step, folder)
    if not gone:
        raise StateError(
            f"{session.name}: the volume in {folder} is still mounted ({done.said or 'mountvol said nothing'})"
        )
    return named(session, layout, disk.number), {"mounted": ""}


def _online(
    session: Session, arguments: Mapping[str, Any], disk: Disk, folder: str, check: bool, step: Step
) -> tuple[Disk, dict[str, Any]]:
    if folder and disk.volumes:
        raise OptionError(
            f"{session.name}: {disk.shown} is online, and nothing of it is mounted in {folder}; state: mounted mounts it"
        )
    if check:
        return disk, {"mounted": folder}
    found = bring_online(session, disk.number, folder=folder, timeout=arguments["timeout"], step=step)
    return found, {"mounted": folder, "volumes": len(found.volumes)}


def _offline(
    session: Session, arguments: Mapping[str, Any], disk: Disk, folder: str, check: bool, step: Step
) -> tuple[Disk, dict[str, Any]]:
    if check:
        return disk, {"mounted": "", "volumes": 0}
    step(f"offline disk {disk.number}")
    diskpart(session, [f"select disk {disk.number}", "offline disk"])

    def gone(layout: Layout) -> bool:
        there = layout.disk(disk.number)
        return there is None or not there.volumes

    layout, over = until(session, gone, arguments["timeout"], step, f"disk {disk.number}")
    if not over:
        raise StateError(
            f"{session.name}: volumes of disk {disk.number} are still there after {arguments['timeout']:g} s"
        )
    return layout.disk(disk.number) or disk, {"mounted": "", "volumes": 0}
