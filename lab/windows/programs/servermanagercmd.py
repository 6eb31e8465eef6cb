# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ServerManagerCmd.exe of Server 2008 and 2008 R2: -install, -remove, -query.

Sources: Microsoft cc733119 (codes 0, 1003 nothing to change, 3010 restart needed, 4 bad argument), cc730792 ("one role, role
service, or feature per command instance"), cc749128 (what it prints), cc875805 (namespace and elements of the XML; attributes [K]).
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from lab.windows.features import Feature
from lab.windows.files import WindowsPathError
from lab.windows.host import Host
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_OK, _ARGUMENT, _NOTHING, _RESTART = 0, 4, 1003, 3010
_NAMESPACE = "http://schemas.microsoft.com/sdm/Windows/ServerManager/Configuration/2007/1"


def _old_server(host: Host) -> bool:
    return host.plan.is_server and host.plan.version.startswith("6.")


def _bad(call: Call, word: str) -> int:
    call.out(
        call.say(
            f"\nErreur d'argument : l'argument '{word}' n'est pas valide.", f"\nArgumentNotValid: Error in '{word}'."
        )
    )
    return _ARGUMENT


def _xml(call: Call, path: str, root: str, attributes: str, rows: list[str]) -> int:
    language = "fr-FR" if call.host.plan.language == "fr" else "en-US"
    text = (f'<?xml version="1.0" encoding="utf-8"?>\r\n<{root} {attributes}Language="{language}" xmlns="{_NAMESPACE}">\r\n'
            + "".join(f"  {row}\r\n" for row in rows) + f"</{root}>\r\n")  # fmt: skip
    try:
        call.host.drive.write(call.path(path), b"\xef\xbb\xbf" + text.encode())
    except WindowsPathError:
        return _bad(call, path)
    return _OK


def _query(call: Call, words: list[str]) -> int:
    features = call.host.features
    if words:
        rows = [f'<{item.kind} DisplayName={quoteattr(call.say(item.french, item.english))} '
                f'Installed="{"true" if features.has(item.name) else "false"}" Id="{item.name}" />'
                for item in features.known()]  # fmt: skip
        return _xml(call, words[0], "ServerManagerConfigurationQuery", "", rows)
    call.out(call.say("\n----- Rôles et fonctionnalités -----\n", "\n----- Roles and features -----\n"))
    for item in features.known():
        mark = "X" if features.has(item.name) else " "
        call.out(f"    {'    ' if item.parent else ''}[{mark}] {call.say(item.french, item.english)}  [{item.name}]")
    return _OK


def _changed(call: Call, word: str, done: list[Feature], restart: bool) -> None:
    for item in done:
        call.out(call.say(f"[{word}] Réussite : {item.french}.", f"[{word}] Succeeded: {item.english}."))
    if restart:
        call.out(call.say("\nAvertissement : un redémarrage est nécessaire.",
                          "\nWarning: [Installation] You must restart this server to finish the process."))  # fmt: skip
    call.out(call.say("<100/100>\n\nRéussite : opération terminée.", "<100/100>\n\nSuccess: Installation succeeded."))


@program("servermanagercmd", on=_old_server)
async def _server_manager(call: Call) -> int:
    words = list(call.argv)
    verb = words.pop(0).lower() if words else ""
    if verb in ("-q", "-query"):
        return _query(call, words)
    if verb not in ("-i", "-install", "-r", "-remove"):
        if verb in ("-ip", "-inputpath", "-help", "-?", "-v", "-version"):
            raise LabRefusal(f"ServerManagerCmd {verb} is not played")
        return _bad(call, verb)
    names, result, restarts = [], "", False
    while words:
        word = words.pop(0)
        low = word.lower()
        if low in ("-resultpath", "-logpath") and words:
            result = words.pop(0) if low == "-resultpath" else (words.pop(0), result)[1]
        elif low in ("-restart", "-allsubfeatures", "-a"):
            restarts = restarts or low == "-restart"
        elif low.startswith("-"):
            if low in ("-whatif", "-w", "-setting", "-s", "-concurrent"):
                raise LabRefusal(f"ServerManagerCmd {word} is not played")
            return _bad(call, word)
        else:
            names.append(word)
    features = call.host.features
    chosen = features.find(names[0]) if names else None
    if chosen is None or len(names) > 1:
        return _bad(call, names[-1] if names else verb)
    removing = verb in ("-r", "-remove")
    call.out(".....")
    done = ([chosen] if features.has(chosen.name) else []) if removing else features.missing(chosen)
    restart = bool(done) and (features.remove(chosen) if removing else features.install(done))
    if not done:
        call.out(call.say("\nPas de modification : les rôles et fonctionnalités spécifiés sont déjà installés ou déjà supprimés.",
                          "\nNoChange: No changes were made because the roles, role services and features specified are already "
                          "installed, or have already been removed from the local computer."))  # fmt: skip
    else:
        word = call.say("Suppression", "Removal") if removing else "Installation"
        _changed(call, word, done, restart)
    if result:
        needed = "true" if restart else "false"
        rows = [f'<{item.kind} Id="{item.name}" DisplayName={quoteattr(call.say(item.french, item.english))} Success="true" '
                f'RestartNeeded="{needed}" />' for item in done]  # fmt: skip
        code = _xml(call, result, "ServerManagerConfigurationResult", f'Success="true" RestartNeeded="{needed}" ', rows)
        if code:
            return code
    if restart and restarts:
        raise LabRefusal("ServerManagerCmd -restart is played only where no restart is needed")
    return _RESTART if restart else _OK if done else _NOTHING
