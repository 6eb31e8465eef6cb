r"""Replication groups as values, and what dfsradmin is told of them.

Note that this utility is private to the collection.

dfsradmin is a program of .NET: an argument ``/name:value`` is one item, blanks and all. Objects, actions and parameters are those that
its usage and Microsoft's own scripts show ("DfsrAdmin <Object> <Action> </Parameter:Value>", "/CSV dumps the list output in CSV format").
Its exit codes are documented nowhere, so everything that it did is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .errors import OptionError
from .names import same_path

DFSRADMIN = "C:\\Windows\\DfsrAdmin.exe"
#: What a new replicated folder leaves out unless it is told otherwise ("DFS Replication: Frequently Asked Questions").
FILE_FILTER = ("~*", "*.bak", "*.tmp")
#: Megabytes that a new membership has for staging, and for conflicts and deletions (the same page, Server 2008).
STAGING_MB, CONFLICT_MB = 4096, 660


@dataclass(frozen=True, slots=True)
class MemberSpec:
    """A member that is wanted: computer name, folder, and megabytes for staging and for conflicts."""

    name: str
    path: str
    staging_mb: int = STAGING_MB
    conflict_mb: int = CONFLICT_MB


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A group that is wanted, with its one replicated folder; every member is connected with every other one, both ways."""

    name: str
    folder: str
    members: tuple[MemberSpec, ...]
    file_filter: tuple[str, ...] = FILE_FILTER
    directory_filter: tuple[str, ...] = ()
    description: str = ""

    def member(self, name: str) -> MemberSpec | None:
        """Return the member with this computer name."""
        return next((one for one in self.members if one.name.casefold() == name.casefold()), None)

    def pairs(self) -> list[tuple[str, str]]:
        """Return sender and receiver of each connection."""
        names = [one.name for one in self.members]
        return [(sender, receiver) for sender in names for receiver in names if sender != receiver]

    def as_dict(self) -> dict[str, Any]:
        """Return it as values of JSON; ``spec_of`` reads them."""
        return {
            "name": self.name,
            "folder": self.folder,
            "description": self.description,
            "file_filter": list(self.file_filter),
            "directory_filter": list(self.directory_filter),
            "members": [
                {"name": one.name, "path": one.path, "staging_mb": one.staging_mb, "conflict_mb": one.conflict_mb}
                for one in self.members
            ],
        }


def spec_of(values: Mapping[str, Any]) -> GroupSpec:
    """Return the group that ``GroupSpec.as_dict`` wrote.

    Raises:
        OptionError: it is no such thing.
    """
    try:
        return GroupSpec(
            name=values["name"],
            folder=values["folder"],
            members=tuple(MemberSpec(**one) for one in values["members"]),
            file_filter=tuple(values["file_filter"]),
            directory_filter=tuple(values["directory_filter"]),
            description=values["description"],
        )
    except (KeyError, TypeError):
        raise OptionError("what was noted of the replication group cannot be read; give the group again") from None


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection, by computer names."""

    sender: str
    receiver: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """What the directory has of one member and one replicated folder; a path is empty while none was given."""

    member: str
    folder: str
    path: str
    enabled: bool
    staging_mb: int
    conflict_mb: int


@dataclass(frozen=True, slots=True)
class Group:
    """A group as the directory has it."""

    name: str
    guid: str
    folders: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    memberships: tuple[Membership, ...] = ()
    connections: tuple[Connection, ...] = ()

    def membership(self, member: str, folder: str) -> Membership | None:
        """Return what is known of a member and a folder."""
        for one in self.memberships:
            if one.member.casefold() == member.casefold() and one.folder.casefold() == folder.casefold():
                return one
        return None

    def connection(self, sender: str, receiver: str) -> Connection | None:
        """Return the connection between two members in this direction."""
        for one in self.connections:
            if (one.sender.casefold(), one.receiver.casefold()) == (sender.casefold(), receiver.casefold()):
                return one
        return None

    def has(self, names: Iterable[str], name: str) -> bool:
        """Return whether ``name`` is one of ``names``; case does not count."""
        return name.casefold() in {one.casefold() for one in names}

    def as_dict(self) -> dict[str, Any]:
        """Return what a module returns of it."""
        return {
            "name": self.name,
            "guid": self.guid,
            "folders": list(self.folders),
            "members": [
                {
                    "name": one.member,
                    "folder": one.folder,
                    "path": one.path,
                    "enabled": one.enabled,
                    "staging_mb": one.staging_mb,
                    "conflict_mb": one.conflict_mb,
                }
                for one in self.memberships
            ],
            "connections": [
                {"sender": one.sender, "receiver": one.receiver, "enabled": one.enabled} for one in self.connections
            ],
        }


def spec_from(
    group: Group,
    folder: str,
    *,
    file_filter: Sequence[str] = FILE_FILTER,
    directory_filter: Sequence[str] = (),
    description: str = "",
) -> GroupSpec:
    """Return what has to be asked for to get a group again as it was found.

    The filters are not in the directory's lists; a member shows them (``Member.config``).
    """
    members = [one for one in group.memberships if one.folder.casefold() == folder.casefold() and one.path]
    return GroupSpec(
        name=group.name,
        folder=folder,
        members=tuple(MemberSpec(one.member, one.path, one.staging_mb, one.conflict_mb) for one in members),
        file_filter=tuple(file_filter),
        directory_filter=tuple(directory_filter),
        description=description,
    )


# What dfsradmin is told


@dataclass(frozen=True, slots=True)
class Command:
    """One run of dfsradmin, and what it is for, to be announced before it."""

    about: str
    argv: tuple[str, ...]


def command(domain: str, about: str, words: str, **parameters: str) -> Command:
    """Return a run of dfsradmin on ``words`` (object and action) with these parameters, in their order."""
    given = (f"/{name}:{value}" for name, value in parameters.items())
    return Command(about, (DFSRADMIN, *words.split(), *given, f"/domain:{domain}"))


def listing(domain: str, what: str, columns: Sequence[str], **parameters: str) -> tuple[str, ...]:
    """Return the command line that lists objects as CSV."""
    made = command(domain, "", f"{what} list", **parameters, attr=",".join(columns))
    return (*made.argv, "/csv")


def missing(spec: GroupSpec, found: Group | None, primary: str, enabled: bool, domain: str) -> list[Command]:
    """Return what makes ``found`` (None: nothing) into ``spec``, in order; nothing for a group that is as wanted.

    A primary member is named while no member has content yet, and never again: a second one would be a "rogue primary", whose older files
    win after the loss of a database ("DFS Replication: Frequently Asked Questions"). Its membership comes first, so that a run
    that was cut shows whether it was named.

    Raises:
        OptionError: a primary member has to be named, and is not, or is no member; or a folder's path would change.
    """
    made = Group(spec.name, "") if found is None else found
    group, folder = spec.name, spec.folder
    steps: list[Command] = []
    if found is None:
        description = {"rgdesc": spec.description} if spec.description else {}
        steps.append(command(domain, f"create the group {group}", "rg new", rgname=group, **description))
    if not made.has(made.folders, folder):
        filters = filter_parameters(spec) if not _default_filters(spec) else {}
        about = f"create the replicated folder {folder}"
        steps.append(command(domain, about, "rf new", rgname=group, rfname=folder, **filters))
    for one in spec.members:
        if not made.has(made.members, one.name):
            steps.append(command(domain, f"add the member {one.name}", "mem new", rgname=group, memname=one.name))
    for sender, receiver in spec.pairs():
        present = made.connection(sender, receiver)
        if present is not None and present.enabled == enabled:
            continue
        word = "create" if present is None else "enable" if enabled else "disable"
        steps.append(
            command(
                domain,
                f"{word} the connection {sender} to {receiver}",
                f"conn {'new' if present is None else 'set'}",
                rgname=group,
                sendmem=sender,
                recvmem=receiver,
                connenabled=str(enabled).lower(),
            )
        )
    return steps + _memberships(spec, made, primary, domain)


def is_blank(spec: GroupSpec, found: Group | None) -> bool:
    """Return whether no member has content in the folder yet, so that a primary member has to be named."""
    memberships = found.memberships if found else ()
    return not any(one.path for one in memberships if one.folder.casefold() == spec.folder.casefold())


def _memberships(spec: GroupSpec, found: Group, primary: str, domain: str) -> list[Command]:
    known = {one.name: found.membership(one.name, spec.folder) for one in spec.members}
    blank = is_blank(spec, found)
    if blank and spec.member(primary) is None:
        raise OptionError(
            f"the group {spec.name}: creating it needs the option 'primary', the member whose files win; it is one of "
            f"{', '.join(one.name for one in spec.members)}"
        )
    steps = []
    for one in sorted(spec.members, key=lambda member: member.name.casefold() != primary.casefold()):
        present = known[one.name]
        path = present.path if present else ""
        if path and not same_path(path, one.path):
            raise OptionError(
                f"the group {spec.name} replicates {path} of {one.name}, not {one.path}; the path of a replicated folder cannot be changed: "
                "state: recreated deletes the group and creates it again"
            )
        if (
            present
            and path
            and (present.enabled, present.staging_mb, present.conflict_mb) == (True, one.staging_mb, one.conflict_mb)
        ):
            continue
        leading = one.name.casefold() == primary.casefold()
        parameters = {} if path else {"localpath": one.path}
        parameters["membershipenabled"] = "true"
        if not path:
            parameters["isprimary"] = str(blank and leading).lower()
        about = f"replicate {one.path} of {one.name}" + (" as the primary member" if blank and leading else "")
        made = command(
            domain,
            about,
            "membership set",
            rgname=spec.name,
            rfname=spec.folder,
            memname=one.name,
            **parameters,
            stagingsize=str(one.staging_mb),
            cdsize=str(one.conflict_mb),
        )
        steps.append(replace(made, argv=(*made.argv, "/force")))
    return steps


def _default_filters(spec: GroupSpec) -> bool:
    return set(spec.file_filter) == set(FILE_FILTER) and not spec.directory_filter


def filter_parameters(spec: GroupSpec) -> dict[str, str]:
    """Return the parameters of ``rf new`` and ``rf set`` for the filters."""
    return {"rffilefilter": ", ".join(spec.file_filter), "rfdirfilter": ", ".join(spec.directory_filter)}


def set_filters(spec: GroupSpec, domain: str) -> Command:
    """Return what gives a replicated folder its filters."""
    about = f"set the filters of {spec.folder}"
    return command(domain, about, "rf set", rgname=spec.name, rfname=spec.folder, **filter_parameters(spec))


def deletion(group: Group, domain: str) -> list[Command]:
    """Return what deletes a group."""
    made = command(domain, f"delete the group {group.name}", "rg delete", rgname=group.name)
    return [replace(made, argv=(*made.argv, "/force"))]


def dismantling(group: Group, domain: str) -> list[Command]:
    """Return what deletes the parts of a group that did not go as a whole, and then the group."""
    steps = [
        command(domain, f"delete the connection {one.sender} to {one.receiver}", "conn delete", rgname=group.name, sendmem=one.sender, recvmem=one.receiver)
        for one in group.connections
    ]  # fmt: skip
    steps += [
        command(domain, f"delete the member {name}", "mem delete", rgname=group.name, memname=name)
        for name in group.members
    ]
    steps += [
        command(domain, f"delete the replicated folder {name}", "rf delete", rgname=group.name, rfname=name)
        for name in group.folders
    ]
    return [replace(one, argv=(*one.argv, "/force")) for one in steps] + deletion(group, domain)
