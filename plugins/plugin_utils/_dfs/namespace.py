r"""Namespaces as values: what dfsutil exports of them, and what it is told.

Note that this utility is private to the collection.

``dfsutil root export`` writes XML, the same in every language: a root with its targets (namespace servers), links (folders) and their
targets. Public programs read the attributes Name, Server and Folder of it; State is a number of lmdfs.h (DFS_STORAGE_STATE) or a word.
Commands are those of "Using the Windows Server 2008 DFSUTIL.EXE command line" and "DFSUtil.exe in Windows 2003 vs. 2008" (Microsoft's
storage team, 2009 and 2008). How a description is changed later is in none of them, so one is given when something is created.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .errors import NamespaceError
from .names import UncPath

DFSUTIL = "C:\\Windows\\System32\\dfsutil.exe"
ONLINE, OFFLINE = "online", "offline"
#: DFS_STORAGE_STATE_OFFLINE, _ONLINE, and _ACTIVE beside it (lmdfs.h).
_STATES = {"1": OFFLINE, "2": ONLINE, "6": ONLINE, "online": ONLINE, "offline": OFFLINE}


@dataclass(frozen=True, slots=True)
class Target:
    r"""A target: ``\\server\share``, and whether it is offered; empty where the export does not tell."""

    path: str
    state: str = ""

    @property
    def folded(self) -> str:
        """Return the path for comparing."""
        return self.path.casefold()

    def as_dict(self) -> dict[str, str]:
        """Return what a module returns of it."""
        return {"path": self.path, "state": self.state}


@dataclass(frozen=True, slots=True)
class Link:
    """A folder of a namespace, by its path below the root."""

    name: str
    targets: tuple[Target, ...] = ()
    comment: str = ""

    def target(self, path: str) -> Target | None:
        """Return the target with this path."""
        return next((one for one in self.targets if one.folded == path.casefold()), None)

    def as_dict(self) -> dict[str, Any]:
        """Return what a module returns of it."""
        return {"name": self.name, "targets": [one.as_dict() for one in self.targets], "description": self.comment}


@dataclass(frozen=True, slots=True)
class Root:
    """A namespace."""

    path: str
    targets: tuple[Target, ...] = ()
    links: tuple[Link, ...] = ()
    comment: str = ""

    def link(self, name: str) -> Link | None:
        """Return the folder with this path below the root."""
        return next((one for one in self.links if one.name.casefold() == name.casefold()), None)

    def as_dict(self) -> dict[str, Any]:
        """Return what a module returns of it."""
        return {
            "path": self.path,
            "targets": [one.path for one in self.targets],
            "folders": sorted(one.name for one in self.links),
            "description": self.comment,
        }


def parse_export(data: bytes, host: str) -> Root:
    """Return the namespace that ``dfsutil root export`` wrote.

    Raises:
        NamespaceError: it is no such file.
    """
    try:
        root = ET.fromstring(data)
    except ET.ParseError:
        root = ET.Element("none")
    if _tag(root) != "root":
        raise NamespaceError(f"{host}: dfsutil exported a namespace in a form that is not known here; please report it")
    return Root(
        path=_value(root, "Name"),
        targets=_targets(root, host),
        links=tuple(
            Link(_value(one, "Name").strip("\\"), _targets(one, host), _value(one, "Comment"))
            for one in root
            if _tag(one) == "link"
        ),
        comment=_value(root, "Comment"),
    )


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2].casefold()


def _value(element: ET.Element, name: str) -> str:
    """Return a value that stands as an attribute or as an element."""
    for key, value in element.attrib.items():
        if key.casefold() == name.casefold():
            return value
    return next((child.text or "" for child in element if _tag(child) == name.casefold()), "")


def _targets(element: ET.Element, host: str) -> tuple[Target, ...]:
    found = []
    for one in element:
        if _tag(one) == "target":
            state = _value(one, "State").strip().casefold()
            if state and state not in _STATES:
                raise NamespaceError(
                    f"{host}: dfsutil exports the state '{state}' of a target, which is not known here; please report it"
                )
            path = "\\\\" + _value(one, "Server").strip("\\") + "\\" + _value(one, "Folder").strip("\\")
            found.append(Target(path, _STATES.get(state, "")))
    return tuple(found)


# What dfsutil is told


@dataclass(frozen=True, slots=True)
class Command:
    """One run of dfsutil, and what it is for, to be announced before it."""

    about: str
    argv: tuple[str, ...]


def _command(about: str, *words: str) -> Command:
    return Command(about, (DFSUTIL, *words))


def export(root: str, file: str) -> Command:
    """Return what writes a namespace to a file."""
    return _command(f"export {root}", "root", "export", root, file)


@dataclass(frozen=True, slots=True)
class RootSpec:
    """A namespace that is wanted: its path, the shares that hold it (the host's own first), kind, version and description."""

    path: UncPath
    targets: tuple[UncPath, ...]
    domain_based: bool
    version: str = "V2"
    comment: str = ""


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """A folder that is wanted, with exactly these targets."""

    path: UncPath
    targets: tuple[Target, ...] = ()
    comment: str = ""


def _server_key(path: str) -> str:
    """Return a namespace server for comparing: DFS may write its whole DNS name."""
    server, _separator, share = path.strip("\\").partition("\\")
    return f"{server.partition('.')[0]}\\{share}".casefold()


def root_steps(spec: RootSpec, found: Root | None) -> list[Command]:
    """Return what makes ``found`` (None: nothing) into the namespace that is wanted."""
    steps = []
    first = spec.targets[0]
    present = {_server_key(one.path) for one in found.targets} if found else set()
    if found is None:
        words = ["adddom", first.root, spec.version] if spec.domain_based else ["addstd", first.root]
        comment = [spec.comment] if spec.comment else []
        steps.append(_command(f"create the namespace {spec.path.root}", "root", *words, *comment))
        present = {_server_key(first.root)}
    wanted = {_server_key(one.root): one for one in spec.targets}
    steps += [_command(f"add the namespace server {one.root}", "target", "add", one.root) for key, one in wanted.items() if key not in present]  # fmt: skip
    for one in found.targets if found else ():
        if _server_key(one.path) not in wanted:
            steps.append(_command(f"remove the namespace server {one.path}", "target", "remove", one.path))
    return steps


def root_removal(spec: RootSpec) -> list[Command]:
    """Return what removes a namespace; what its folders point to stays."""
    return [_command(f"remove the namespace {spec.path.root}", "root", "remove", spec.path.root)]


def link_steps(spec: LinkSpec, found: Link | None) -> list[Command]:
    """Return what makes ``found`` (None: nothing) into the folder that is wanted; targets are added before others go."""
    steps: list[Command] = []
    link = spec.path.text
    present = {one.folded: one for one in found.targets} if found else {}
    for one in spec.targets:
        if one.folded in present:
            state = present[one.folded].state
        elif not steps and found is None:
            comment = [spec.comment] if spec.comment else []
            steps.append(_command(f"create the folder {link} with {one.path}", "link", "add", link, one.path, *comment))
            state = ONLINE
        else:
            steps.append(_command(f"add the target {one.path} to {link}", "target", "add", link, one.path))
            state = ONLINE
        # An export without states tells nothing of a target that is wanted as every new one is.
        if one.state != state and (state or one.state != ONLINE):
            steps.append(
                _command(
                    f"set the target {one.path} of {link} {one.state}", "property", "state", one.state, link, one.path
                )
            )
    wanted = {one.folded for one in spec.targets}
    for key, old in present.items():
        if key not in wanted:
            steps.append(_command(f"remove the target {old.path} from {link}", "target", "remove", link, old.path))
    return steps


def link_removal(spec: LinkSpec) -> list[Command]:
    """Return what removes a folder; what its targets hold stays."""
    return [_command(f"remove the folder {spec.path.text}", "link", "remove", spec.path.text)]


def shown(steps: Sequence[Command]) -> str:
    """Return steps for a sentence."""
    return "; ".join(one.about for one in steps)
