# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sc.exe: services by the service control manager.

Sources: Microsoft's sc pages ("a space is required between an option and its value; if omitted the operation fails"),
French captures of ``sc qc`` (facts/windows.md 2.1: first line localized, labels English). Exit code: 0 or the Windows
error (1060, 1056, 1062 ...); 1639 for a bad command line, with the usage [K].
"""

from __future__ import annotations

from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal
from lab.windows.services import Service, start_mode

_STATES = {"Stopped": (1, "STOPPED"), "Start Pending": (2, "START_PENDING"), "Stop Pending": (3, "STOP_PENDING"),
           "Running": (4, "RUNNING")}  # fmt: skip
_START = {"Boot": (0, "BOOT_START"), "System": (1, "SYSTEM_START"), "Auto": (2, "AUTO_START"),
          "Manual": (3, "DEMAND_START"), "Disabled": (4, "DISABLED")}  # fmt: skip
_CONFIG = ("type=", "start=", "error=", "binpath=", "group=", "tag=", "depend=", "obj=", "displayname=", "password=")
_FAILURE = ("reset=", "reboot=", "command=", "actions=")
_KNOWN = {
    "query", "queryex", "start", "pause", "interrogate", "continue", "stop", "config", "description", "failure",
    "failureflag", "sidtype", "privs", "qc", "qdescription", "qfailure", "qfailureflag", "qsidtype", "qprivs",
    "delete", "create", "control", "sdshow", "sdset", "showsid", "getdisplayname", "getkeyname", "enumdepend", "boot",
    "lock", "querylock", "qtriggerinfo", "triggerinfo", "preferrednode",
}  # fmt: skip


def _failed(call: Call, function: str, code: int) -> int:
    call.out(call.say(f"[SC] {function} échec(s) {code} :", f"[SC] {function} FAILED {code}:"))
    call.out(f"\n{call.host.system(code)}\n")
    return code


def _done(call: Call, function: str) -> int:
    call.out(call.say(f"[SC] {function} réussite(s)", f"[SC] {function} SUCCESS"))
    return 0


def _usage(call: Call) -> int:
    call.out(call.say(
        "DESCRIPTION :\n        SC est un programme en ligne de commande utilisé pour communiquer avec\n"
        "        le Gestionnaire de contrôle des services et les services.\nSYNTAXE :\n"
        "        sc <serveur> [commande] [nom du service] <option1> <option2>...\n",
        "DESCRIPTION:\n        SC is a command line program used for communicating with the\n"
        "        Service Control Manager and services.\nUSAGE:\n"
        "        sc <server> [command] [service name] <option1> <option2>...\n"))  # fmt: skip
    return 1639


def _status(call: Call, service: Service, extended: bool) -> None:
    number, word = _STATES[service.state]
    kind = "10  WIN32_OWN_PROCESS" if service.own_process else "20  WIN32_SHARE_PROCESS"
    accepts = "STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN" if word == "RUNNING" else \
        "NOT_STOPPABLE, NOT_PAUSABLE, IGNORES_SHUTDOWN"  # fmt: skip
    pending = word.endswith("PENDING")
    lines = [
        "", f"SERVICE_NAME: {service.name}", f"        TYPE               : {kind}  ",
        f"        STATE              : {number}  {word} ", f"                                ({accepts})",
        f"        WIN32_EXIT_CODE    : {service.exit_code}  (0x{service.exit_code:x})",
        f"        SERVICE_EXIT_CODE  : {service.specific}  (0x{service.specific:x})",
        f"        CHECKPOINT         : 0x{1 if pending else 0:x}",
        f"        WAIT_HINT          : 0x{20000 if pending else 0:x}",
    ]  # fmt: skip
    if extended:
        lines += [f"        PID                : {service.pid}", "        FLAGS              : "]
    call.out("\n".join(lines))


def _query(call: Call, words: list[str], extended: bool) -> int:
    if words and not words[0].endswith("="):
        service = call.host.scm.get(words[0])
        if service is None:
            return _failed(call, "EnumQueryServicesStatus:OpenService", 1060)
        _status(call, service, extended)
        return 0
    options = _pairs(call, words, ("type=", "state=", "bufsize=", "ri=", "group="))
    if options is None:
        return _usage(call)
    if options.get("state=", "active").lower() not in ("active", "inactive", "all"):
        return _usage(call)
    state = options.get("state=", "active").lower()
    for service in sorted(call.host.scm.services.values(), key=lambda item: item.name.lower()):
        if state == "all" or (service.state != "Stopped") == (state == "active"):
            display = f"DISPLAY_NAME: {service.display}"
            shown: list[str] = []
            inner = Call(**{**vars(call), "write": lambda data, shown=shown: shown.append(data.decode(call.encoding))})
            _status(inner, service, extended)
            head, _unused, rest = "".join(shown).replace("\r\n", "\n").partition("\n        TYPE")
            call.out(f"{head}\n{display}\n        TYPE{rest}", end="")
    return 0


def _pairs(call: Call, words: list[str], known: tuple[str, ...]) -> dict[str, str] | None:
    """``obj= X`` as two words; None for anything else (``obj=X`` is an error, as the page says)."""
    found: dict[str, str] = {}
    index = 0
    while index < len(words):
        name = words[index].lower()
        if name not in known or index + 1 >= len(words):
            return None
        found[name] = words[index + 1]
        index += 2
    return found


def _qc(call: Call, service: Service) -> int:
    _done(call, "QueryServiceConfig")
    number, word = _START[service.start_mode]
    kind = "10  WIN32_OWN_PROCESS" if service.own_process else "20  WIN32_SHARE_PROCESS"
    errors = {"Ignore": "0   IGNORE", "Normal": "1   NORMAL", "Severe": "2   SEVERE", "Critical": "3   CRITICAL"}
    delayed = "  (DELAYED)" if service.delayed else ""
    lines = [
        "", f"SERVICE_NAME: {service.name}", f"        TYPE               : {kind} ",
        f"        START_TYPE         : {number}   {word}{delayed}",
        f"        ERROR_CONTROL      : {errors[service.error_control]}", f"        BINARY_PATH_NAME   : {service.path}",
        "        LOAD_ORDER_GROUP   :   ", "        TAG                : 0  ",
        f"        DISPLAY_NAME       : {service.display}  ",
    ]  # fmt: skip
    for index, name in enumerate(service.depends or [""]):
        lines.append(f"        DEPENDENCIES       : {name}  " if index == 0 else f"                           : {name}")
    lines.append(f"        SERVICE_START_NAME : {service.account}  ")
    call.out("\n".join(lines))
    return 0


def _qfailure(call: Call, service: Service) -> int:
    _done(call, "QueryServiceConfig2")
    failure = service.failure
    lines = ["", f"SERVICE_NAME: {service.name}",
             call.say("        DELAI_REINITIALISATION (en secondes)    : ", "        RESET_PERIOD (in seconds)    : ")
             + str(failure.get("reset", 0)),
             call.say("        MESSAGE_REDEMARRAGE              : ", "        REBOOT_MESSAGE               : ")
             + failure.get("reboot", ""),
             call.say("        LIGNE_COMMANDE                   : ", "        COMMAND_LINE                 : ")
             + failure.get("command", "")]  # fmt: skip
    names = {"restart": call.say("REDEMARRER", "RESTART"), "run": call.say("EXECUTER", "RUN PROCESS"),
             "reboot": call.say("REDEMARRER ORDINATEUR", "REBOOT"), "": call.say("AUCUNE", "NONE")}  # fmt: skip
    for index, (action, delay) in enumerate(failure.get("actions", [])):
        text = call.say(f"{names[action]} -- Délai = {delay} millisecondes.",
                        f"{names[action]} -- Delay = {delay} milliseconds.")  # fmt: skip
        head = call.say("        ACTIONS_ECHEC                    : ", "        FAILURE_ACTIONS              : ")
        lines.append((head if index == 0 else " " * len(head)) + text)
    call.out("\n".join(lines))
    return 0


def _config(call: Call, service: Service | None, name: str, words: list[str]) -> int:
    options = _pairs(call, words, _CONFIG)
    if options is None or not options:
        return _usage(call)
    if service is None:
        return _failed(call, "OpenService", 1060)
    for option in ("group=", "tag="):
        if option in options:
            raise LabRefusal(f"sc config {option} is not played")
    changes = _changes(options)
    if changes is None:
        return _usage(call)
    code = call.host.scm.change(name, **changes)
    return _failed(call, "ChangeServiceConfig", code) if code else _done(call, "ChangeServiceConfig")


def _changes(options: dict[str, str]) -> dict[str, object] | None:
    changes: dict[str, object] = {}
    if "start=" in options:
        text = options["start="].lower()
        mode = start_mode("auto" if text == "delayed-auto" else text)
        if text not in ("boot", "system", "auto", "demand", "disabled", "delayed-auto") or mode is None:
            return None
        changes.update(start_mode=mode, delayed=text == "delayed-auto")
    if "type=" in options:
        if options["type="].lower() not in ("own", "share"):
            raise LabRefusal(f"sc type= {options['type=']} is not played")
        changes["own_process"] = options["type="].lower() == "own"
    if "error=" in options:
        word = options["error="].capitalize()
        if word not in ("Normal", "Severe", "Critical", "Ignore"):
            return None
        changes["error_control"] = word
    for option, key in (
        ("binpath=", "path"),
        ("obj=", "account"),
        ("displayname=", "display"),
        ("password=", "password"),
    ):
        if option in options:
            changes[key] = options[option]
    if "depend=" in options:
        changes["depends"] = [name for name in options["depend="].split("/") if name]
    return changes


def _failure(call: Call, service: Service | None, words: list[str]) -> int:
    options = _pairs(call, words, _FAILURE)
    if options is None or not options:
        return _usage(call)
    if service is None:
        return _failed(call, "OpenService", 1060)
    found = dict(service.failure)
    if "reset=" in options:
        if not options["reset="].isdigit() and options["reset="].upper() != "INFINITE":
            return _usage(call)
        found["reset"] = options["reset="]
    for option in ("reboot=", "command="):
        if option in options:
            found[option[:-1]] = options[option]
    if "actions=" in options:
        fields = options["actions="].split("/") if options["actions="] else []
        actions = list(zip(fields[::2], fields[1::2], strict=False))
        if len(fields) % 2 or any(action not in ("restart", "run", "reboot", "") or not delay.isdigit()
                                  for action, delay in actions):  # fmt: skip
            return _usage(call)
        found["actions"] = [(action, int(delay)) for action, delay in actions]
    service.failure = found
    return _done(call, "ChangeServiceConfig2")


def _create(call: Call, name: str, words: list[str]) -> int:
    options = _pairs(call, words, _CONFIG)
    changes = _changes(options) if options else None
    if options is None or changes is None or "binpath=" not in options:
        return _usage(call)
    service = Service(name, name, "", start_mode="Manual")
    for key, value in changes.items():
        setattr(service, key, value)
    code = call.host.scm.create(service)
    return _failed(call, "CreateService", code) if code else _done(call, "CreateService")


@program("sc")
async def _sc(call: Call) -> int:
    words = list(call.argv)
    if words and words[0].startswith("\\\\"):
        raise LabRefusal("sc on another computer is not played")
    if not words or words[0].lower() not in _KNOWN:
        return _usage(call)
    verb, rest = words[0].lower(), words[1:]
    if verb in ("query", "queryex"):
        return _query(call, rest, verb == "queryex")
    if not rest:
        return _usage(call)
    name, rest = rest[0], rest[1:]
    service = call.host.scm.get(name)
    if verb == "create":
        return _create(call, name, rest)
    if verb == "config":
        return _config(call, service, name, rest)
    if verb == "failure":
        return _failure(call, service, rest)
    if service is None and verb in _KNOWN:
        return _failed(call, "OpenService" if verb not in ("start", "stop") else
                       ("StartService: OpenService" if verb == "start" else "OpenService"), 1060)  # fmt: skip
    assert service is not None
    return _on_service(call, verb, service, rest)


def _on_service(call: Call, verb: str, service: Service, rest: list[str]) -> int:
    scm = call.host.scm
    if verb == "qc":
        return _qc(call, service)
    if verb == "qfailure":
        return _qfailure(call, service)
    if verb == "start":
        code = scm.start(service.name)
        if code:
            return _failed(call, "StartService", code)
        _status(call, service, True)
        return 0
    if verb == "stop":
        code = scm.stop(service.name)
        if code:
            return _failed(call, "ControlService", code)
        _status(call, service, False)
        return 0
    if verb == "interrogate":
        if service.state == "Stopped":
            return _failed(call, "ControlService", 1062)
        _status(call, service, False)
        return 0
    if verb == "delete":
        code = scm.delete(service.name)
        return _failed(call, "DeleteService", code) if code else _done(call, "DeleteService")
    if verb == "description":
        service.description = rest[0] if rest else ""
        return _done(call, "ChangeServiceConfig2")
    if verb == "qdescription":
        _done(call, "QueryServiceConfig2")
        call.out(f"\nSERVICE_NAME: {service.name}\nDESCRIPTION:  {service.description}")
        return 0
    if verb == "sdshow":
        call.out("\nD:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)(A;;CCLCSWLOCRRC;;;IU)"
                 "(A;;CCLCSWLOCRRC;;;SU)S:(AU;FA;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;WD)")  # fmt: skip
        return 0
    raise LabRefusal(f"sc {verb} is not played")
