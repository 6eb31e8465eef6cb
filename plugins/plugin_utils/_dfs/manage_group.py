"""Bring a replication group to what is wanted: read, compare, plan, do, have the members read it, wait, read back at the members.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._windows import files, volumes
from . import waiting
from .errors import NotInstalledError, OptionError
from .info import read_group
from .member import Member
from .names import check_computer, check_filter, check_folder, check_name, check_text
from .replication import Command, Group, GroupSpec, MemberSpec, is_blank, missing
from .work import Seat, Work, poll, replicated, same_filters, settle, spread

Step = Callable[[str], None]


def names_of(seats: Mapping[str, Seat], given: Mapping[str, str | None]) -> dict[str, str]:
    """Return the computer name of each member: as given, as the host says, or the inventory name in capitals.

    Raises:
        OptionError: a name is none, differs from what the host says, or comes twice.
        WindowsError: one of its kinds.
    """
    found: dict[str, str] = {}
    for host, seat in seats.items():
        own = seat.member.name if seat.member else ""
        name = (given.get(host) or own or host.partition(".")[0]).upper()
        if own and name != own:
            raise OptionError(
                f"{host}: its computer name is {own}, and members says {name}; correct name, or leave it out"
            )
        found[host] = check_computer(name, f"the name of the member {host}")
    if len(set(found.values())) != len(found):
        raise OptionError(f"members names a computer twice ({', '.join(found.values())}); correct it")
    return found


def spec_from_arguments(arguments: Mapping[str, Any], names: Mapping[str, str]) -> GroupSpec:
    """Return the group that the options describe.

    Raises:
        OptionError: an option cannot be meant.
    """
    members = []
    for one in arguments["members"]:
        if one["staging_mb"] < 10 or one["conflict_mb"] < 10:
            raise OptionError(f"the member {one['host']}: staging_mb and conflict_mb are megabytes, at least 10")
        path = check_folder(one["path"] or "", f"the path of the member {one['host']}")
        members.append(MemberSpec(names[one["host"]], path, one["staging_mb"], one["conflict_mb"]))
    if len(members) < 2:
        raise OptionError(f"the group {arguments['name']} needs at least two members")
    return GroupSpec(
        name=check_name(arguments["name"], "name of a replication group"),
        folder=check_name(arguments["folder"], "name of a replicated folder"),
        members=tuple(members),
        file_filter=check_filter(arguments["file_filter"], "file_filter"),
        directory_filter=check_filter(arguments["directory_filter"], "directory_filter"),
        description=check_text(arguments["description"], "description"),
    )


def _looked_at(work: Work, name: str, *, check: bool) -> Group | None:
    """Return the group; what is still missing of the host is a warning in check mode, since another task may bring it."""
    try:
        return work.domain.group(name)
    except NotInstalledError as error:
        if not check:
            raise
        work.warnings.append(str(error))
        return None


def manage_group(work: Work, arguments: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    """Bring a group to what ``dfs_replication_group`` documents and return its result.

    Raises:
        OptionError: what was asked for cannot be meant.
        ReplicationError: dfsradmin fails, or the group is not as wanted afterwards.
        WaitError: the members did not get there in time.
        WindowsError: one of its kinds.
    """
    if arguments["state"] == "absent":
        return _absent(work, arguments, check=check)
    spec = spec_from_arguments(arguments, work.names)
    found = _looked_at(work, spec.name, check=check)
    enabled = _enabled(arguments, found)
    recreate = found is not None and arguments["state"] == "recreated"
    base = None if recreate else found
    first = is_blank(spec, base)
    primary = _primary(work, arguments, first=first)
    if found is not None:
        _check_rest(spec, found, arguments["state"])
    steps = missing(spec, base, primary, enabled, work.domain.domain)
    filters = [] if base is None else _filters(work, spec)
    stale = [] if base is None else [one for one in work.reached if one.group_guid(base.name) != base.guid]
    result: dict[str, Any] = {
        "changed": bool(steps or filters or stale),
        "diff": {
            "before": _shown(found),
            "after": _planned(found, spec, steps, filters, stale, enabled, recreate=recreate),
        },
    }
    fresh = [
        one
        for one in spec.members
        if base is None or not (known := base.membership(one.name, spec.folder)) or not known.path
    ]
    for member in work.reached:
        try:
            _check_folder(member, fresh)
        except (OptionError, NotInstalledError) as error:
            if not check:
                raise
            work.warnings.append(str(error))
    if check:
        return _finish(work, result, found)
    limit, since = float(arguments["timeout"]), {}
    if not result["changed"]:
        if arguments["wait"] and enabled:
            settle(work, spec, arguments, limit, {})
        return _finish(work, result, found, spec)
    if recreate:
        work.domain.delete(spec.name)
        waiting.wait_gone(work.reached, spec.name, spec.folder, limit, work.progress, work.step)
    if fresh or stale:
        names = {one.name.casefold() for one in fresh}
        anew = [one for one in work.reached if one.name.casefold() in names or one in stale]
        since = {one.host: one.now() for one in anew}
    work.domain.complete(spec, base, primary, enabled)
    if filters:
        work.domain.set_filters(spec)
    if not arguments["wait"]:
        poll(work)
        return _finish(work, result, work.domain.group(spec.name), spec)
    after = spread(work, spec, enabled, limit)
    if first and enabled:
        replicated(work, spec, primary, since, arguments, limit)
    elif enabled:
        settle(work, spec, arguments, limit, since)
    return _finish(work, result, after, spec)


def _enabled(arguments: Mapping[str, Any], found: Group | None) -> bool:
    """Return whether the connections are to be enabled. Of a group whose fence was cut half-way, what is kept is the fence."""
    if arguments["connections"] != "keep" or found is None or arguments["state"] == "recreated":
        return bool(arguments["connections"] != "disabled")
    return all(one.enabled for one in found.connections)


def _primary(work: Work, arguments: Mapping[str, Any], *, first: bool) -> str:
    host = arguments["primary"]
    if not host:
        if first:
            raise OptionError(
                f"creating the group {arguments['name']} needs the option 'primary', the member whose files win over those of the others; it is one of "
                f"{', '.join(work.names)}"
            )
        return ""
    if host not in work.names:
        raise OptionError(f"primary is {host}, which is none of members; it is one of {', '.join(work.names)}")
    return work.names[host]


def _check_rest(spec: GroupSpec, found: Group, state: str) -> None:
    """Refuse to touch what the options do not speak of."""
    others = [name for name in found.folders if name.casefold() != spec.folder.casefold()]
    if others and state == "recreated":
        raise OptionError(
            f"the group {spec.name} has other replicated folders ({', '.join(others)}), which would be deleted with it; move them to a group of their own"
        )
    strangers = [name for name in found.members if spec.member(name) is None]
    if strangers and state == "present":
        raise OptionError(
            f"the group {spec.name} has the member {', '.join(strangers)}, which members does not name; name it, or use state: recreated"
        )


def _filters(work: Work, spec: GroupSpec) -> list[str]:
    """Return the members whose filters differ; only they can tell."""
    differing = []
    for member in work.reached:
        config = member.config(spec.name, spec.folder)
        if config is not None and not same_filters(config.file_filter, config.directory_filter, spec):
            differing.append(member.host)
    return differing


def _check_folder(member: Member, fresh: Sequence[MemberSpec]) -> None:
    """Refuse the folder of a new member that cannot be replicated soundly."""
    mine = next((one for one in fresh if one.name.casefold() == member.name.casefold()), None)
    if mine is None:
        return
    member.check_installed()
    if not files.folder_exists(member.session, mine.path):
        raise OptionError(
            f"{member.host}: the folder {mine.path} does not exist; create it, or bring its disk online with windows_volume"
        )
    if volumes.read_layout(member.session).at(mine.path) is not None:
        raise OptionError(
            f"{member.host}: {mine.path} is the root of a volume, which DFS Replication would hide on the other members ('Replicating an entire "
            "volume' in its FAQ); replicate a folder inside of it"
        )


def _absent(work: Work, arguments: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    name, folder = check_name(arguments["name"], "name of a replication group"), arguments["folder"]
    found = _looked_at(work, name, check=check)
    if found is not None:
        others = [one for one in found.folders if one.casefold() != folder.casefold()]
        if others:
            raise OptionError(
                f"the group {name} has other replicated folders ({', '.join(others)}), which would be deleted with it; delete them first"
            )
    result: dict[str, Any] = {"changed": found is not None, "diff": {"before": _shown(found), "after": {}}}
    if found is not None and not check:
        work.domain.delete(name)
        if not arguments["wait"]:
            poll(work)
        else:
            waiting.wait_gone(work.reached, name, folder, float(arguments["timeout"]), work.progress, work.step)
    return _finish(work, result, None if not check else found)


def _shown(found: Group | None) -> dict[str, Any]:
    """Return a group for a diff: the identifier is another one each time."""
    return {key: value for key, value in found.as_dict().items() if key != "guid"} if found else {}


def _planned(
    found: Group | None,
    spec: GroupSpec,
    steps: Sequence[Command],
    filters: Sequence[str],
    stale: Sequence[Member],
    enabled: bool,
    *,
    recreate: bool,
) -> dict[str, Any]:
    if not steps and not filters and not stale:
        return _shown(found)
    todo = ["delete the group"] if recreate else []
    todo += [one.about for one in steps]
    todo += [f"set the filters, which are others on {', '.join(filters)}"] if filters else []
    todo += [f"have {one.host} read its configuration" for one in stale]
    return {
        "name": spec.name,
        "folders": [spec.folder],
        "members": [
            {
                "name": one.name,
                "folder": spec.folder,
                "path": one.path,
                "enabled": True,
                "staging_mb": one.staging_mb,
                "conflict_mb": one.conflict_mb,
            }
            for one in spec.members
        ],
        "connections": [
            {"sender": sender, "receiver": receiver, "enabled": enabled} for sender, receiver in spec.pairs()
        ],
        "steps": todo,
    }


def _finish(work: Work, result: dict[str, Any], group: Group | None, spec: GroupSpec | None = None) -> dict[str, Any]:
    done = {**result, "group": group.as_dict() if group else None}
    if spec is not None:
        state = read_group(work.reached, spec.name, spec.folder, missing=work.lost, events=0, step=work.step)
        done |= {"members": state["members"], "backlog": state["backlog"], "healthy": state["healthy"]}
    for host, why in work.lost.items():
        work.warnings.append(
            f"{host} could not be asked, and learns of the change when it reads its configuration again: {why}"
        )
    return {**done, "warnings": work.warnings}
