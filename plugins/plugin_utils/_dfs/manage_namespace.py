"""Bring namespaces and their folders to what is wanted: read, compare, plan, do, read back.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._windows import files, services, shares, wsman
from .._windows.session import Session
from .._windows.temporary import temporary_folder
from .errors import NamespaceError, NotInstalledError, OptionError
from .names import UncPath, check_text, unc
from .namespace import (
    DFSUTIL,
    Command,
    Link,
    LinkSpec,
    Root,
    RootSpec,
    Target,
    export,
    link_removal,
    link_steps,
    parse_export,
    root_removal,
    root_steps,
    shown,
)

Step = Callable[[str], None]
#: The service of namespaces.
_SERVICE = "Dfs"
_FEATURE = "install FS-DFS-Namespace with windows_feature"


def read_root(session: Session, root: str) -> Root | None:
    """Return a namespace as dfsutil exports it, None where there is none.

    dfsutil tells by its exit code and a localized sentence why it exported nothing, and neither is documented: so the tool and the
    service are looked at first, and no export while both are well is held for "there is none".

    Raises:
        NotInstalledError: the host has no namespaces, or no dfsutil.
        NamespaceError: the service does not run, or the export cannot be read.
        WindowsError: one of its kinds.
    """
    found = next((one for one in services.services(session) if one.name.casefold() == _SERVICE.casefold()), None)
    if found is None or not files.exists(session, DFSUTIL):
        missing = DFSUTIL if found else f"the service {_SERVICE}"
        raise NotInstalledError(f"{session.name}: {missing} is missing, so it holds no namespaces; {_FEATURE}")
    if found.state != services.RUNNING:
        raise NamespaceError(
            f"{session.name}: the service {_SERVICE} (DFS Namespace) is '{found.state}'; start it with windows_service and run again"
        )
    with temporary_folder(session) as folder:
        file = f"{folder}\\namespace.xml"
        done = session.run(export(root, file).argv)
        if files.size(session, file):
            return parse_export(files.read(session, file), session.name)
    if done.rc == 0:
        raise NamespaceError(f"{session.name}: dfsutil exported nothing of {root}, and says no error: {done.said}")
    return None


def _looked_at(session: Session, root: str, result: dict[str, Any], *, check: bool) -> Root | None:
    """Return the namespace; what is still missing of the host is a warning in check mode, since another task may bring it."""
    try:
        return read_root(session, root)
    except NotInstalledError as error:
        if not check:
            raise
        result["warnings"] = [str(error)]
        return None


def _run(session: Session, steps: Sequence[Command], step: Step) -> None:
    for one in steps:
        step(one.about)
        done = session.run(one.argv)
        if done.rc != 0:
            raise NamespaceError(f"{session.name}: dfsutil could not {one.about} (exit code {done.rc}): {done.said}")


def _root_spec(session: Session, arguments: Mapping[str, Any]) -> RootSpec:
    path = unc(arguments["path"], "path", below=False)
    row = session.one_row("SELECT * FROM Win32_ComputerSystem")
    computer, domain = wsman.text(row, "Name"), wsman.text(row, "Domain")
    member = wsman.text(row, "PartOfDomain").casefold() == "true"
    server = path.server.casefold()
    own = server in (computer.casefold(), f"{computer}.{domain}".casefold())
    if not own and not (member and server == domain.casefold()):
        where = f"\\\\{domain}\\{path.share} (of the domain) or " if member else ""
        raise OptionError(
            f"{session.name}: path '{path.text}' names neither the domain of the host nor the host; write {where}\\\\{computer}\\{path.share}"
        )
    kind = arguments["type"]
    if kind is not None and (kind == "domain") == own:
        raise OptionError(
            f"{session.name}: path '{path.text}' is that of a {'standalone' if own else 'domain-based'} namespace, and type is {kind}; correct one"
        )
    targets = tuple(
        unc(one, "targets", below=False) for one in arguments["targets"] or [f"\\\\{computer}\\{path.share}"]
    )
    if targets[0].server.partition(".")[0].casefold() != computer.casefold():
        raise OptionError(
            f"{session.name}: the first of targets is '{targets[0].text}', a share of another server; the namespace is made on the host of the "
            f"task, so the first is \\\\{computer}\\{path.share}"
        )
    if own and len(targets) > 1:
        raise OptionError(
            f"{session.name}: a standalone namespace has one server; give one of targets, or a path of the domain"
        )
    if any(one.share.casefold() != path.share.casefold() for one in targets):
        raise OptionError(f"the shares of a namespace bear its name, {path.share}; correct targets")
    if len({one.folded for one in targets}) != len(targets):
        raise OptionError("targets names a share twice; correct it")
    comment = check_text(arguments["description"], "description")
    return RootSpec(path, targets, not own, arguments["mode"].upper(), comment)


def manage_namespace(
    session: Session, arguments: Mapping[str, Any], *, check: bool, step: Step = lambda text: None
) -> dict[str, Any]:
    """Bring a namespace to what ``dfs_namespace`` documents and return its result.

    Raises:
        OptionError: what was asked for cannot be meant.
        NamespaceError: dfsutil fails, or the namespace is not as wanted afterwards.
        WindowsError: one of its kinds.
    """
    spec = _root_spec(session, arguments)
    root = spec.path.root
    result: dict[str, Any] = {}
    found = _looked_at(session, root, result, check=check)
    if arguments["state"] == "absent":
        if found is not None and found.links and not arguments["force"]:
            raise NamespaceError(
                f"{session.name}: the namespace {root} has the folders {', '.join(one.name for one in found.links)}; remove them with dfs_folder, "
                "or use force: true"
            )
        steps = root_removal(spec) if found else []
        result |= {"changed": found is not None, "namespace": None, "diff": _diff(found, None)}
        if steps and not check:
            _run(session, steps, step)
            if read_root(session, root) is not None:
                raise NamespaceError(f"{session.name}: the namespace {root} is still there after dfsutil removed it")
        return result
    steps = root_steps(spec, found)
    wanted = Root(
        root,
        tuple(Target(one.root) for one in spec.targets),
        found.links if found else (),
        found.comment if found else spec.comment,
    )
    result |= {"changed": bool(steps), "diff": _diff(found, wanted if steps else found)}
    if not steps or check:
        return {**result, "namespace": (found or wanted).as_dict()}
    if found is None:
        _check_share(session, spec.targets[0])
    _run(session, steps, step)
    after = read_root(session, root)
    left = root_steps(spec, after)
    if after is None or left:
        raise NamespaceError(
            f"{session.name}: the namespace {root} is not as wanted after dfsutil; what is left: {shown(left)}"
        )
    return {**result, "namespace": after.as_dict()}


def _check_share(session: Session, target: UncPath) -> None:
    if shares.read(session, target.share) is None:
        raise NamespaceError(
            f"{session.name}: the share {target.share} does not exist, and a namespace is made on a share of its own; create the folder "
            f"C:\\DFSRoots\\{target.share} and share it with windows_share first"
        )


def _link_spec(arguments: Mapping[str, Any]) -> LinkSpec:
    path = unc(arguments["path"], "path", below=True)
    targets = []
    for one in arguments["targets"] or ():
        unc(one["path"], "targets")
        targets.append(Target(one["path"].rstrip("\\"), one["state"]))
    if arguments["state"] == "present" and not targets:
        raise OptionError(f"the folder {path.text} needs targets, the shares to which it leads")
    if len({one.folded for one in targets}) != len(targets):
        raise OptionError("targets names a share twice; correct it")
    comment = check_text(arguments["description"], "description")
    return LinkSpec(path, tuple(targets), comment)


def manage_folder(
    session: Session, arguments: Mapping[str, Any], *, check: bool, step: Step = lambda text: None
) -> dict[str, Any]:
    """Bring a folder of a namespace to what ``dfs_folder`` documents and return its result.

    Raises:
        OptionError: what was asked for cannot be meant.
        NamespaceError: there is no such namespace, dfsutil fails, or the folder is not as wanted afterwards.
        WindowsError: one of its kinds.
    """
    spec = _link_spec(arguments)
    root, link = spec.path.root, spec.path.text
    result: dict[str, Any] = {}
    namespace = _looked_at(session, root, result, check=check)
    found = namespace.link(spec.path.below) if namespace else None
    if arguments["state"] == "absent":
        steps = link_removal(spec) if found else []
        result |= {"changed": bool(steps), "folder": None, "diff": _diff(found, None)}
        if steps and not check:
            _run(session, steps, step)
            after = read_root(session, root)
            if after is not None and after.link(spec.path.below) is not None:
                raise NamespaceError(f"{session.name}: the folder {link} is still there after dfsutil removed it")
        return result
    if namespace is None:
        missing = f"{session.name}: the namespace {root} does not exist; create it with dfs_namespace first"
        if not check:
            raise NamespaceError(missing)
        result.setdefault("warnings", [missing])
    steps = link_steps(spec, found)
    wanted = Link(spec.path.below, spec.targets, found.comment if found else spec.comment)
    result |= {"changed": bool(steps), "diff": _diff(found, wanted if steps else found)}
    if not steps or check:
        return {**result, "folder": (found or wanted).as_dict()}
    _run(session, steps, step)
    again = read_root(session, root)
    now = again.link(spec.path.below) if again else None
    left = link_steps(spec, now)
    if now is None or left:
        raise NamespaceError(
            f"{session.name}: the folder {link} is not as wanted after dfsutil; what is left: {shown(left)}"
        )
    return {**result, "folder": now.as_dict()}


def _diff(before: Root | Link | None, after: Root | Link | None) -> dict[str, Any]:
    return {"before": before.as_dict() if before else {}, "after": after.as_dict() if after else {}}
