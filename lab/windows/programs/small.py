# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small programs: hostname, whoami, chcp, more, where, ping, ipconfig, timeout, fsutil, cmd, powershell.

Sources: Microsoft's pages of each command; exit codes as documented there or [K].
"""

from __future__ import annotations

import re

from lab.windows import programs
from lab.windows.accounts import ADMINISTRATORS, AUTHENTICATED, EVERYONE, USERS
from lab.windows.processes import Call, codec
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal


@program("hostname")
async def _hostname(call: Call) -> int:
    if call.argv:
        call.err(call.say("sethostname : impossible d'utiliser hostname pour modifier le nom du système.",
                          "sethostname: Use the Network Control Panel Applet to set hostname."))  # fmt: skip
        return 1
    call.out(call.host.plan.computer_name)
    return 0


def _csv(*fields: str) -> str:
    return ",".join(f'"{field}"' for field in fields)


@program("whoami")
async def _whoami(call: Call) -> int:
    switches = [word.lower() for word in call.argv]
    account = call.host.accounts.user(call.user)
    domain = call.host.plan.authority.lower()
    shown = f"{domain}\\{(account.name if account else call.user).lower()}"
    sid = account.sid if account else ""
    if not switches:
        call.out(shown)
        return 0
    known = {"/user", "/groups", "/fo", "csv", "list", "table", "/nh"}
    if "/all" in switches or "/priv" in switches or "/logonid" in switches:
        raise LabRefusal(f"this option of whoami is not played: {call.line.strip()}")
    if set(switches) - known:
        call.err(call.say(f"ERREUR : argument/option non valide - '{switches[-1]}'.\nEntrez \"WHOAMI /?\" pour connaître "
                          "la syntaxe.", f"ERROR: Invalid argument/option - '{switches[-1]}'.\n"
                          "Type \"WHOAMI /?\" for usage."))  # fmt: skip
        return 1
    if "csv" not in switches:
        raise LabRefusal("whoami is played with /fo csv only")
    if "/user" in switches:
        if "/nh" not in switches:
            call.out(call.say(_csv("Nom d'utilisateur", "SID"), _csv("User Name", "SID")))
        call.out(_csv(shown, sid))
    else:
        if "/nh" not in switches:
            call.out(call.say(_csv("Nom du groupe", "Type", "SID", "Attributs"),
                              _csv("Group Name", "Type", "SID", "Attributes")))  # fmt: skip
        groups = [EVERYONE, *(account.groups if account else [ADMINISTRATORS, USERS]), AUTHENTICATED]
        attributes = call.say("Groupe obligatoire, Activé par défaut, Groupe activé",
                              "Mandatory group, Enabled by default, Enabled group")  # fmt: skip
        for group in groups:
            kind = call.say("Alias", "Alias") if "-32-" in group else call.say("Groupe bien connu", "Well-known group")
            call.out(_csv(call.host.accounts.name_of(group), kind, group, attributes))
    return 0


@program("chcp.com")
async def _chcp(call: Call) -> int:
    if not call.argv:
        call.out(call.say(f"Page de codes active : {call.code_page}", f"Active code page: {call.code_page}"))
        return 0
    if not call.argv[0].isdigit() or codec(int(call.argv[0])) is None:
        call.err(call.say("Page de codes non valide", "Invalid code page"))
        return 1
    call.console.code_page = int(call.argv[0])
    call.out(call.say(f"Page de codes active : {call.code_page}", f"Active code page: {call.code_page}"))
    return 0


@program("more.com")
async def _more(call: Call) -> int:
    if any(word.startswith("/") for word in call.argv):
        raise LabRefusal(f"this option of more is not played: {call.line.strip()}")
    if call.argv:
        for word in call.argv:
            call.write(call.host.drive.read(call.path(word)))
    else:
        call.write(await call.stdin.read_all())
    return 0


@program("where")
async def _where(call: Call) -> int:
    quiet = [word for word in call.argv if word.lower() == "/q"]
    names = [word for word in call.argv if not word.startswith("/")]
    if len(quiet) + len(names) != len(call.argv) or not names:
        raise LabRefusal(f"this form of where is not played: {call.line.strip()}")
    code = 0
    for name in names:
        item = programs.on_path(call.host, name)
        if item is None:
            code = 1
            if not quiet:
                call.err(call.say("Information : impossible de trouver des fichiers pour le(s) modèle(s) spécifié(s).",
                                  "INFO: Could not find files for the given pattern(s)."))  # fmt: skip
        elif not quiet:
            call.out(item.path(call.host))
    return code


@program("ping")
async def _ping(call: Call) -> int:
    words = list(call.argv)
    count = 4
    target = ""
    while words:
        word = words.pop(0)
        if word.lower() in ("-n", "/n") and words:
            count = int(words.pop(0)) if words[0].isdigit() else 4
        elif word.startswith(("-", "/")):
            raise LabRefusal(f"this option of ping is not played: {word}")
        else:
            target = word
    own = ("localhost", "127.0.0.1", call.host.plan.computer_name.lower(), call.host.plan.address)
    if target.lower() not in own:
        raise LabRefusal(f"ping reaches only the host itself here: {target}")
    call.out(call.say(f"\nEnvoi d'une requête 'Ping'  {target} avec 32 octets de données :",
                      f"\nPinging {target} with 32 bytes of data:"))  # fmt: skip
    import asyncio

    for number in range(count):
        if number:
            await asyncio.sleep(1)
        call.out(call.say("Réponse de 127.0.0.1 : octets=32 temps<1ms TTL=128",
                          "Reply from 127.0.0.1: bytes=32 time<1ms TTL=128"))  # fmt: skip
    return 0


@program("ipconfig")
async def _ipconfig(call: Call) -> int:
    if call.argv:
        raise LabRefusal(f"this option of ipconfig is not played: {call.line.strip()}")
    call.out(call.say("\nConfiguration IP de Windows\n\n\nCarte Ethernet Connexion au réseau local :\n\n   Suffixe DNS "
                      "propre à la connexion. . . : \n   Adresse IPv4. . . . . . . . . . . . . .: "
                      f"{call.host.plan.address}\n   Masque de sous-réseau. . . . . . . . . : 255.255.0.0",
                      "\nWindows IP Configuration\n\n\nEthernet adapter Local Area Connection:\n\n   Connection-specific "
                      f"DNS Suffix  . : \n   IPv4 Address. . . . . . . . . . . : {call.host.plan.address}\n"
                      "   Subnet Mask . . . . . . . . . . . : 255.255.0.0"))  # fmt: skip
    return 0


@program("timeout")
async def _timeout(call: Call) -> int:
    # With redirected input, as in every WinRS shell, timeout refuses to work.
    call.err(call.say("ERREUR : la redirection d'entrée n'est pas prise en charge, fermeture immédiate du processus.",
                      "ERROR: Input redirection is not supported, exiting the process immediately."))  # fmt: skip
    return 1


@program("fsutil")
async def _fsutil(call: Call) -> int:
    words = [word.lower() for word in call.argv]
    if words[:2] != ["volume", "diskfree"] or len(words) != 3:
        raise LabRefusal(f"fsutil is played with 'volume diskfree' only: {call.line.strip()}")
    if words[2].rstrip("\\") != "c:":
        call.err(call.say("Erreur :  ", "Error:  ") + call.host.system(3))
        return 1
    free = 0 if "disk_full" in call.host.faults else call.host.plan.disk_free
    total = 107_374_178_304
    names = (("Nbre total d'octets libres", "Nbre total d'octets", "Nbre total d'octets libres disponibles")
             if call.host.plan.language == "fr" else
             ("Total # of free bytes", "Total # of bytes", "Total # of avail free bytes"))  # fmt: skip
    for name, value in zip(names, (free, total, free), strict=True):
        call.out(f"{name:<28} : {value}")
    return 0


@program("cmd")
async def _cmd(call: Call) -> int:
    from lab.windows.interpreter import Cmd

    match = re.search(r"/[cCkK]\s*(.*)", call.line, re.DOTALL)
    if not match or "/k" in call.line[: match.start() + 2].lower():
        raise LabRefusal(f"cmd is played with /c only: {call.line.strip()}")
    line = unquote_line(match[1])
    # What was put between cmd and /c (such as /d /s /q) changes nothing here.
    shell = Cmd(call)
    call.env = dict(call.env)
    return await shell.run(line)


def unquote_line(line: str) -> str:
    """What ``cmd /c`` runs: the outer quotes go unless exactly one plain program name is quoted (``cmd /?``)."""
    text = line.strip()
    if not text.startswith('"'):
        return text
    plain = text.count('"') == 2 and not set(text) & set("&<>()@^|") and re.fullmatch(r'"[^"]*\s[^"]*"', text)
    if plain:
        return text
    at = text.rfind('"')
    return text[1:at] + text[at + 1 :]


@program("powershell", folder=lambda host: "C:\\Windows\\System32\\WindowsPowerShell\\v1.0")
async def _powershell(call: Call) -> int:
    return refuse_powershell(call)


def refuse_powershell(call: Call) -> int:
    """No PowerShell is imitated (facts/lab.md 2a and c); the line is decoded for the log."""
    import base64

    match = re.search(r"-e(?:c|nc|ncodedcommand)?\s+([A-Za-z0-9+/=]+)", call.line, re.IGNORECASE)
    if match:
        try:
            script = base64.b64decode(match[1]).decode("utf-16-le", "replace")
        except ValueError:
            script = match[1]
        call.host.remember(f"PowerShell: {' '.join(script.split())[:400]}")
    call.err("LAB: no PowerShell")
    return 255
