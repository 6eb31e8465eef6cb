# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""net.exe: start, stop, share, user.

Sources: ``net help`` (grammar), facts/windows.md 2.1: waits for the service; exit code 0 or 2; messages localized;
names, not SIDs, after /GRANT.
"""

from __future__ import annotations

import asyncio
import re

from lab.windows.host import Share
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_HELP = {
    2182: ("Le service demandé a déjà été démarré.", "The requested service has already been started."),
    2185: ("Le nom de service n'est pas valide.", "The service name is invalid."),
    2191: ("Le service ne répond pas à la fonction de contrôle.", "The service could not be controlled in its present state."),
    2310: ("Cette ressource partagée n'existe pas.", "This shared resource does not exist."),
    2118: ("Le nom est déjà partagé.", "The name has already been shared."),
    2116: ("Le périphérique ou le répertoire n'existe pas.", "The device or directory does not exist."),
    2221: ("Le nom d'utilisateur est introuvable.", "The user name could not be found."),
    2224: ("Le compte existe déjà.", "The account already exists."),
    3521: ("Le service n'a pas été lancé.", "The service is not started."),
    3534: ("Le service n'a pas signalé d'erreur.", "The service did not report an error."),
}  # fmt: skip


def _help(call: Call, number: int) -> int:
    call.err(call.say(*_HELP[number]))
    call.err(call.say(f"\nVous obtiendrez une aide supplémentaire en entrant NET HELPMSG {number}.\n",
                      f"\nMore help is available by typing NET HELPMSG {number}.\n"))  # fmt: skip
    return 2


def _system_error(call: Call, code: int) -> int:
    call.err(call.say(f"L'erreur système {code} s'est produite.\n", f"System error {code} has occurred.\n"))
    call.err(call.host.system(code) + "\n")
    return 2


def _done(call: Call) -> int:
    call.out(call.say("La commande s'est terminée correctement.\n", "The command completed successfully.\n"))
    return 0


async def _start(call: Call, words: list[str]) -> int:
    if not words:
        call.out(call.say("Les services Windows suivants ont démarré :\n", "These Windows services are started:\n"))
        for service in sorted(call.host.scm.services.values(), key=lambda item: item.display.lower()):
            if service.state == "Running":
                call.out(f"   {service.display}")
        call.out("")
        return _done(call)
    found = call.host.scm.by_display(words[0])
    if found is None:
        return _help(call, 2185)
    if found.state == "Running":
        return _help(call, 2182)
    call.out(call.say(f"Le service {found.display} démarre.", f"The {found.display} service is starting."), end="")
    code = call.host.scm.start(found.name)
    if code:
        call.out("")
        return _system_error(call, code)
    await _wait(call, found.name)
    call.out("")
    if found.state != "Running":
        call.err(call.say(f"Le service {found.display} n'a pas pu être lancé.\n",
                          f"The {found.display} service could not be started.\n"))  # fmt: skip
        return _system_error(call, found.exit_code) if found.exit_code else _help(call, 3534)
    call.out(
        call.say(f"Le service {found.display} a démarré.\n", f"The {found.display} service was started successfully.\n")
    )
    return 0


async def _wait(call: Call, name: str) -> None:
    """net waits as long as the service is pending."""
    service = call.host.scm.get(name)
    while service is not None and service.state.endswith("Pending"):
        await call.host.scm.settled(service)
        await asyncio.sleep(0.02)
        service = call.host.scm.get(name)


async def _stop(call: Call, words: list[str]) -> int:
    yes = any(word.lower() in ("/y", "/yes") for word in words)
    names = [word for word in words if not word.startswith("/")]
    if len(names) != 1:
        return _usage(call, "STOP service")
    found = call.host.scm.by_display(names[0])
    if found is None:
        return _help(call, 2185)
    if found.state == "Stopped":
        call.err(
            call.say(f"Le service {found.display} n'est pas lancé.", f"The {found.display} service is not started.")
        )
        return _help(call, 3521)
    running = [item for item in call.host.scm.dependents(found) if item.state != "Stopped"]
    if running and not yes:
        raise LabRefusal("net stop would ask about the dependent services; give /y")
    for item in running:
        await _stop(call, [item.name, "/y"])
    call.out(call.say(f"Le service {found.display} s'arrête.", f"The {found.display} service is stopping."), end="")
    code = call.host.scm.stop(found.name)
    call.out("")
    if code:
        return _help(call, 2191)
    await _wait(call, found.name)
    call.out(
        call.say(
            f"Le service {found.display} a été arrêté.\n", f"The {found.display} service was stopped successfully.\n"
        )
    )
    return 0


def _usage(call: Call, text: str) -> int:
    call.err(call.say("La syntaxe de cette commande est :\n\n", "The syntax of this command is:\n\n") + f"NET {text}\n")
    return 1


def _share(call: Call, words: list[str]) -> int:
    shares = call.host.shares
    if not words:
        call.out(call.say("\nNom         Ressource                       Remarque\n",
                          "\nShare name   Resource                        Remark\n") + "\n" + "-" * 79)  # fmt: skip
        for share in shares.values():
            call.out(f"{share.name:<13}{share.path:<32}{share.remark}")
        return _done(call)
    if any(word.lower() == "/delete" for word in words):
        share_found = shares.get(words[0].lower()) or next(
            (item for item in shares.values() if item.path.lower() == words[0].lower()), None)  # fmt: skip
        if share_found is None:
            return _help(call, 2310)
        del shares[share_found.name.lower()]
        call.out(call.say(f"{share_found.name} a été supprimé.\n", f"{share_found.name} was deleted successfully.\n"))
        return 0
    name, equals, path = words[0].partition("=")
    if not equals:
        if len(words) > 1:
            raise LabRefusal("changing a share with net share is not played")
        return _show_share(call, name)
    new = Share(name, call.path(path))
    for word in words[1:]:
        option, _unused, value = word.partition(":")
        code = _share_option(call, new, option.lower(), value)
        if code:
            return code
    if name.lower() in shares:
        return _help(call, 2118)
    if not call.host.drive.is_folder(new.path):
        return _help(call, 2116)
    new.grants = new.grants or [("S-1-1-0", "READ")]  # what net share gives on 2008 without /GRANT
    shares[name.lower()] = new
    call.out(call.say(f"{name} a été partagé.\n", f"{name} was shared successfully.\n"))
    return 0


def _share_option(call: Call, share: Share, option: str, value: str) -> int:
    if option == "/grant":
        match = re.fullmatch(r"(.+),(READ|CHANGE|FULL)", value, re.IGNORECASE)
        if not match:
            return _usage(call, "SHARE sharename=drive:path [/GRANT:user,[READ | CHANGE | FULL]]")
        sid = call.host.accounts.sid_of(match[1])
        if sid is None:
            return _system_error(call, 1332)
        share.grants.append((sid, match[2].upper()))
    elif option == "/remark":
        share.remark = value
    elif option == "/users" and value.isdigit():
        share.users = int(value)
    elif option == "/cache":
        raise LabRefusal("net share /cache is not played")
    elif option != "/unlimited":
        return _usage(call, "SHARE sharename=drive:path [/GRANT:user,[READ | CHANGE | FULL]]")
    return 0


def _show_share(call: Call, name: str) -> int:
    share = call.host.shares.get(name.lower())
    if share is None:
        return _help(call, 2310)
    call.out(call.say(f"Nom de partage    {share.name}\nChemin d'accès    {share.path}\nRemarque          {share.remark}",
                      f"Share name        {share.name}\nPath              {share.path}\nRemark            {share.remark}"))  # fmt: skip
    for sid, right in share.grants:
        call.out(f"                  {call.host.accounts.name_of(sid)}, {right}")
    return _done(call)


def _user(call: Call, words: list[str]) -> int:
    accounts = call.host.accounts
    switches = [word.lower() for word in words if word.startswith("/")]
    names = [word for word in words if not word.startswith("/")]
    if not names:
        call.out(call.say(f"\ncomptes d'utilisateurs de \\\\{call.host.plan.computer_name}\n",
                          f"\nUser accounts for \\\\{call.host.plan.computer_name}\n") + "\n" + "-" * 79)  # fmt: skip
        call.out("".join(f"{account.name:<25}" for account in accounts.users.values()))
        return _done(call)
    account = accounts.user(names[0])
    if "/add" in switches:
        if set(switches) != {"/add"} or len(names) > 2 or (len(names) == 2 and names[1] == "*"):
            raise LabRefusal("net user /add is played as 'net user NAME PASSWORD /add'")
        if account:
            return _help(call, 2224)
        accounts.add(names[0], names[1] if len(names) > 1 else "")
        return _done(call)
    if account is None:
        return _help(call, 2221)
    if switches == ["/delete"]:
        del accounts.users[account.name.lower()]
        return _done(call)
    if switches and switches[0].startswith("/active:"):
        account.disabled = switches[0].endswith("no")
        return _done(call)
    if switches or (len(names) > 1 and names[1] == "*"):
        raise LabRefusal(f"this form of net user is not played: {call.line.strip()}")
    if len(names) > 1:
        account.password, account.nt_hash = names[1], b""
        return _done(call)
    active = call.say("Oui" if not account.disabled else "Non", "Yes" if not account.disabled else "No")
    call.out(call.say(f"Nom d'utilisateur                    {account.name}\nCompte : actif                       {active}",
                      f"User name                    {account.name}\nAccount active               {active}"))  # fmt: skip
    return _done(call)


@program("net")
async def _net(call: Call) -> int:
    words = list(call.argv)
    verb = words.pop(0).lower() if words else ""
    if verb == "start":
        return await _start(call, words)
    if verb == "stop":
        return await _stop(call, words)
    if verb == "share":
        return _share(call, words)
    if verb == "user":
        return _user(call, words)
    known = ("accounts", "computer", "config", "continue", "file", "group", "help", "helpmsg", "localgroup", "name",
             "pause", "print", "send", "session", "statistics", "time", "use", "view")  # fmt: skip
    if verb in known:
        raise LabRefusal(f"net {verb} is not played")
    return _usage(call, "[ ACCOUNTS | COMPUTER | CONFIG | CONTINUE | FILE | GROUP | HELP |\n      HELPMSG | LOCALGROUP | "
                        "PAUSE | PRINT | SESSION | SHARE | START |\n      STATISTICS | STOP | TIME | USE | USER | VIEW ]")  # fmt: skip


program("net1")(_net)
