# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dfsutil.exe: namespaces, in the grammar of Server 2008 (root, link, target, property).

Sources: Microsoft's dfsutil pages and "DFSUtil.exe in Windows 2003 vs. Windows 2008" (Storage Team, 2008: keywords, ``property
state [online|offline] <DfsPath> [\\\\server\\share]``), facts/windows.md 2.3 (share first; V2 is the default), dfscmd's page (a target
is validated unless ``restore`` is given). Errors print "System error N has occurred." [S]; exit codes are not documented: the lab
gives the error's number. Over WinRM only what is on the host itself can be changed: AD and other servers are a second hop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.windows.dfs import NAMESPACE, namespace
from lab.windows.dfs.namespace import Link, Namespace, Target
from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.dfs import Domain
    from lab.windows.host import Host

_NOT_FOUND, _EXISTS, _IN_USE, _DENIED, _NOT_ACTIVE = 1168, 80, 2662, 5, 1062
_FOLDERS = "C:\\DFSRoots"
_USAGE = 1


def _has(host: Host) -> bool:
    return NAMESPACE in host.dfs.features


def _usage(call: Call) -> int:
    call.err(call.say("Syntaxe : Dfsutil [Root | Link | Target | Property | Client | Server | Diag | Domain | Cache]",
                      "Usage: Dfsutil [Root | Link | Target | Property | Client | Server | Diag | Domain | Cache]"))  # fmt: skip
    return _USAGE


def _done(call: Call) -> int:
    call.out(call.say("\nTraitement de cette commande terminé.", "\nDone processing this command."))
    return 0


def _unc(text: str) -> tuple[str, str]:
    """(server, share) of ``\\\\server\\share``. Raises WindowsPathError 123."""
    server, _unused, share = text[2:].partition("\\")
    if not text.startswith("\\\\") or not server or not share.strip("\\"):
        raise WindowsPathError(123)
    return server, share.strip("\\")


def _is_here(host: Host, server: str) -> bool:
    return server.partition(".")[0].lower() == host.plan.computer_name.lower()


def _domain(call: Call) -> Domain:
    """The domain, as long as its AD is on this host: elsewhere the logon of WinRM is refused (facts/windows.md 1.5)."""
    domain = call.host.dfs.domain
    if domain is None or domain.controller() is None:
        raise WindowsPathError(1355)
    if domain.controller() is not call.host:
        raise WindowsPathError(_DENIED)
    return domain


def _open(call: Call, path: str) -> tuple[Namespace, str]:
    """A namespace that may be read and changed from here, and what follows it in the path."""
    found, below = namespace.find(call.host, path)
    if found.version:
        _domain(call)
    elif not _is_here(call.host, found.owner):
        raise WindowsPathError(_DENIED)
    if not call.host.dfs.is_running(NAMESPACE) and any(_is_here(call.host, item.server) for item in found.targets):
        raise WindowsPathError(_NOT_ACTIVE)
    return found, below


def _link(call: Call, path: str) -> tuple[Namespace, Link]:
    found, below = _open(call, path)
    link = found.links.get(below.lower())
    if link is None:
        raise WindowsPathError(_NOT_FOUND)
    return found, link


def _root(call: Call, words: list[str]) -> int:
    verb = words[0].lower() if words else ""
    if verb == "adddom" and 2 <= len(words) <= 4:
        return _add_domain_root(call, words[1], words[2:])
    if verb == "addstd" and 2 <= len(words) <= 3:
        return _add_standalone(call, words[1], words[2] if len(words) > 2 else "")
    if verb == "remove" and len(words) == 2:
        return _remove_root(call, words[1])
    if verb == "export" and len(words) == 3:
        found, _unused = _open(call, words[1])
        call.host.drive.write(call.path(words[2]), found.export().encode())
        return _done(call)
    if verb.startswith("\\\\") and len(words) == 1:
        found, _unused = _open(call, words[0])
        _show_root(call, found)
        return _done(call)
    if verb in ("import", "forcesync", "export", "adddom", "addstd", "remove"):
        raise LabRefusal(f"this form of dfsutil root is not played: {call.line.strip()}")
    return _usage(call)


def _new_root(call: Call, path: str) -> tuple[str, str]:
    server, share = _unc(path)
    if not _is_here(call.host, server):
        raise WindowsPathError(_DENIED)
    if not call.host.dfs.is_running(NAMESPACE):
        raise WindowsPathError(_NOT_ACTIVE)
    if share.lower() not in call.host.shares:
        raise WindowsPathError(67)
    return call.host.plan.computer_name, call.host.shares[share.lower()].name


def _add_domain_root(call: Call, path: str, rest: list[str]) -> int:
    domain = _domain(call)
    server, share = _new_root(call, path)
    version = 2
    if rest and rest[0].lower() in ("v1", "v2"):
        version = int(rest.pop(0)[1])
    if len(rest) > 1:
        return _usage(call)
    if share.lower() in domain.namespaces or share.lower() in call.host.dfs.roots:
        raise WindowsPathError(_EXISTS)
    domain.namespaces[share.lower()] = Namespace(domain.netbios, share, version, [Target(server, share)], "".join(rest))
    return _done(call)


def _add_standalone(call: Call, path: str, comment: str) -> int:
    server, share = _new_root(call, path)
    domain = call.host.dfs.domain
    if share.lower() in call.host.dfs.roots or (domain and share.lower() in domain.namespaces):
        raise WindowsPathError(_EXISTS)
    call.host.dfs.roots[share.lower()] = Namespace(server, share, 0, [Target(server, share)], comment)
    return _done(call)


def _remove_root(call: Call, path: str) -> int:
    found, below = _open(call, path)
    if below:
        return _usage(call)
    if found.version:
        del _domain(call).namespaces[found.name.lower()]
    else:
        del call.host.dfs.roots[found.name.lower()]
    return _done(call)


def _state(call: Call, state: int) -> str:
    return "OK" if state == namespace.VOLUME_OK else call.say("HORS CONNEXION", "OFFLINE")


def _target_state(call: Call, state: int) -> str:
    on = state == namespace.TARGET_ONLINE
    return call.say("EN LIGNE" if on else "HORS CONNEXION", "ONLINE" if on else "OFFLINE")


def _show_targets(call: Call, targets: list[Target]) -> None:
    for item in targets:
        state = _target_state(call, item.state)
        call.out(call.say(f'\tCible="{item.path}" État="{state}"', f'\tTarget="{item.path}" State="{state}"'))


def _show_root(call: Call, found: Namespace) -> None:
    count = len(found.links)
    call.out(call.say(f'Racine Nom="{found.path}" Commentaire="{found.comment}" État="{_state(call, found.state)}" Délai="300"',
                      f'Root Name="{found.path}" Comment="{found.comment}" State="{_state(call, found.state)}" Timeout="300"'))  # fmt: skip
    _show_targets(call, found.targets)
    for link in found.links.values():
        _show_link(call, link)
    call.out(call.say(f"Racine avec {count} liens", f"Root with {count} Links"))


def _show_link(call: Call, link: Link) -> None:
    call.out(call.say(f'Lien Nom="{link.name}" État="{_state(call, link.state)}" Délai="{link.timeout}"',
                      f'Link Name="{link.name}" State="{_state(call, link.state)}" Timeout="{link.timeout}"'))  # fmt: skip
    _show_targets(call, link.targets)


def _links(call: Call, words: list[str]) -> int:
    verb = words[0].lower() if words else ""
    if verb == "add" and len(words) >= 3:
        options = [word for word in words[3:] if word.lower() != "restore"]
        if len(options) > 1:
            return _usage(call)
        return _add_link(call, words[1], words[2], "".join(options), len(options) == len(words[3:]))
    if verb == "remove" and len(words) == 2:
        found, link = _link(call, words[1])
        del found.links[link.name.lower()]
        _root_folder(call, found, link.name, there=False)
        return _done(call)
    if verb.startswith("\\\\") and len(words) == 1:
        _show_link(call, _link(call, words[0])[1])
        return _done(call)
    if verb == "move":
        raise LabRefusal("dfsutil link move is not played")
    return _usage(call)


def _add_link(call: Call, path: str, target: str, comment: str, validate: bool) -> int:
    found, below = _open(call, path)
    server, share = _unc(target)
    if not below:
        raise WindowsPathError(123)
    if any(below.lower() == key or below.lower().startswith(f"{key}\\") or key.startswith(f"{below.lower()}\\")
           for key in found.links):  # fmt: skip
        raise WindowsPathError(_EXISTS)
    if validate:
        namespace.check_share(call.host, server, share)
    found.links[below.lower()] = Link(below, [Target(server, share)], comment)
    _root_folder(call, found, below, there=True)
    return _done(call)


def _root_folder(call: Call, found: Namespace, name: str, there: bool) -> None:
    """A folder of a namespace is an empty one of the root's share, with a reparse point."""
    share = call.host.shares.get(found.name.lower())
    if share is None:
        return
    path = f"{share.path}\\{name}"
    real = call.host.drive.find(path)
    if there and real is None:
        call.host.drive.make(path)
    elif not there and real is not None and real.is_dir() and not any(real.iterdir()):
        real.rmdir()


def _targets(call: Call, words: list[str]) -> int:
    verb = words[0].lower() if words else ""
    if verb in ("add", "remove") and len(words) == 2:
        raise LabRefusal("a second server of a namespace is not played")
    if verb == "add" and 3 <= len(words) <= 4:
        _unused, link = _link(call, words[1])
        server, share = _unc(words[2])
        if link.target(server, share):
            raise WindowsPathError(_EXISTS)
        if len(words) == 3:
            namespace.check_share(call.host, server, share)
        elif words[3].lower() != "restore":
            return _usage(call)
        link.targets.append(Target(server, share))
        return _done(call)
    if verb == "remove" and len(words) == 3:
        found, link = _link(call, words[1])
        target = link.target(*_unc(words[2]))
        if target is None:
            raise WindowsPathError(_NOT_FOUND)
        link.targets.remove(target)
        if not link.targets:  # NetDfsRemove: with its last target a folder goes as well
            del found.links[link.name.lower()]
            _root_folder(call, found, link.name, there=False)
        return _done(call)
    if verb.startswith("\\\\") and len(words) == 1:
        _show_targets(call, _link(call, words[0])[1].targets)
        return _done(call)
    return _usage(call)


def _property(call: Call, words: list[str]) -> int:
    kind, rest = words[0].lower() if words else "", words[1:]
    if kind in ("sitecosting", "rootscalability", "abe", "insite", "targetfailback", "sd", "ttl", "priorityrank", "priorityclass",
                "comment"):  # fmt: skip
        raise LabRefusal(f"dfsutil property {kind} is not played")
    if kind != "state" or not rest:
        return _usage(call)
    wanted = rest.pop(0).lower() if rest[0].lower() in ("online", "offline") else ""
    if not 1 <= len(rest) <= 2:
        return _usage(call)
    _unused, link = _link(call, rest[0])
    target = link.target(*_unc(rest[1])) if len(rest) == 2 else None
    if len(rest) == 2 and target is None:
        raise WindowsPathError(_NOT_FOUND)
    if wanted and target is not None:
        target.state = namespace.TARGET_ONLINE if wanted == "online" else namespace.TARGET_OFFLINE
    elif wanted:
        link.state = namespace.VOLUME_OK if wanted == "online" else namespace.VOLUME_OFFLINE
    else:
        call.out(_target_state(call, target.state) if target else _state(call, link.state))
    return _done(call)


_OBJECTS = {"root": _root, "link": _links, "target": _targets, "property": _property}


@program("dfsutil", on=_has)
async def _dfsutil(call: Call) -> int:
    words = list(call.argv)
    kind = words.pop(0).lower() if words else ""
    if kind in ("client", "server", "diag", "domain", "cache") or kind.startswith("/"):
        raise LabRefusal(f"this form of dfsutil is not played: {call.line.strip()}")
    if kind not in _OBJECTS or "/?" in words:
        return _usage(call)
    try:
        return _OBJECTS[kind](call, words)
    except WindowsPathError as error:
        call.err(call.say(f"L'erreur système {error.code} s'est produite.", f"System error {error.code} has occurred."))
        call.err(call.host.system(error.code))
        return error.code
