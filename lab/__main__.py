# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m lab``: the command line."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

from lab import namespace, report, supervisor
from lab.errors import LabError
from lab.inventory import read_plan, resolve_sources


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab", description="The emulated school: devices with real protocols."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("-i", "--inventory", action="append", help="inventory (default: the one ansible.cfg names)")
        return sub

    up = add("up", "play the devices of an inventory")
    up.add_argument("--owner-pid", type=int, metavar="PID", help="end the lab when this process has ended")
    up.add_argument("--json", action="store_true", help="print the status as JSON")
    status = add("status", "what is up, with counters")
    status.add_argument("--json", action="store_true", help="print JSON")
    add("down", "end the lab")
    fault = add("fault", "switch a fault on, all off with 'clear', or one off with 'clear NAME'")
    fault.add_argument("--list", action="store_true", help="list the faults")
    fault.add_argument("host", nargs="?", metavar="HOST", help="a host of the lab, or all")
    fault.add_argument("name", nargs="?", metavar="NAME", help="a fault, or clear")
    fault.add_argument("value", nargs="?", metavar="VALUE")
    console = add("console", "type lines on a device's serial console, in privileged mode")
    console.add_argument("--power-cycle", action="store_true", help="switch the device off and on")
    console.add_argument("host", metavar="HOST")
    console.add_argument("lines", nargs="*", metavar="LINE", help="a line to type; - reads lines from standard input")
    console.add_argument("--requests", action="store_true", help="the last requests that a Windows host got")
    state = add("state", "the state of a Windows host as JSON, for comparing two")
    state.add_argument("host", metavar="HOST")
    setups = commands.add_parser("setups", help="write the setups of OpenERP, as the lab plays them, into a folder")
    setups.add_argument("folder", type=Path, metavar="FOLDER")
    shell = add("shell", "a shell in which the lab has the inventory's real addresses and ports")
    shell.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    shell.add_argument("words", nargs=argparse.REMAINDER, metavar="[-- COMMAND...]")
    serve = commands.add_parser("serve")
    serve.add_argument("folder", type=Path)
    serve.add_argument("keys", type=Path)
    serve.add_argument("--ready", type=int, required=True)
    serve.add_argument("--owner-pid", type=int)
    return parser


def _state(options: argparse.Namespace) -> supervisor.State:
    return supervisor.State(resolve_sources(options.inventory))


def _up(options: argparse.Namespace) -> int:
    sources = resolve_sources(options.inventory)
    state = supervisor.State(sources)
    status, how = supervisor.up(state, read_plan(sources), options.owner_pid)
    if options.json:
        print(json.dumps({"how": how, **status}, indent=2))
        return 0
    said = {
        "started": "the lab is up",
        "already": "the lab is already up",
        "restarted": "the inventory had changed since: the lab was restarted",
    }[how]
    print(f"{said} ({len(status['devices'])} devices, process {status['pid']})\n\n{report.devices(status)}")
    return 0


def _status(options: argparse.Namespace) -> int:
    status = _state(options).require().ask("status")
    print(json.dumps(status, indent=2) if options.json else report.counters(status))
    return 0


def _down(options: argparse.Namespace) -> int:
    print("the lab is down" if supervisor.down(_state(options)) else "the lab was not up")
    return 0


def _fault(options: argparse.Namespace) -> int:
    if options.list:
        print(report.fault_list())
        return 0
    if not options.host or not options.name:
        raise LabError("fault needs HOST NAME [VALUE], or HOST clear [NAME], or --list", 2)
    answer = _state(options).require().ask("fault", host=options.host, name=options.name, value=options.value)
    for host, faults in answer["faults"].items():
        print(f"{host}: {', '.join(faults) or 'no fault'}")
    return 0


def _console(options: argparse.Namespace) -> int:
    client = _state(options).require()
    if options.power_cycle:
        seconds = client.ask("power_cycle", host=options.host)["seconds"]
        print(f"{options.host}: switched off and on, back after {seconds:g} s")
        return 0
    if options.requests:
        print("\n".join(client.ask("requests", host=options.host)["lines"]))
        return 0
    lines: list[str] = []
    for line in options.lines or ["-"]:
        lines += sys.stdin.read().splitlines() if line == "-" else [line]
    answer = client.ask("console", host=options.host, lines=lines)
    print(answer["output"])
    if answer["refusals"]:
        raise LabError(f"{options.host} refused {answer['refusals']} of these lines")
    return 0


def _host_state(options: argparse.Namespace) -> int:
    state = _state(options).require().ask("state", host=options.host)["state"]
    print(json.dumps(state, indent=2, ensure_ascii=False))
    return 0


def _setups(options: argparse.Namespace) -> int:
    from lab.windows.openerp import setupfile

    try:
        paths = setupfile.write_all(options.folder)
    except OSError as error:
        raise LabError(f"the setups cannot be written into {options.folder} ({error.strerror})") from None
    for path in paths:
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}")
    return 0


def _shell(options: argparse.Namespace) -> int:
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    sources = resolve_sources(options.inventory)
    if not options.inside:
        arguments = [word for source in sources for word in ("-i", source)]
        return namespace.enter([*arguments, "--", *words])
    plan = read_plan(sources)
    namespace.set_up(plan)
    state = supervisor.State(sources)
    try:
        supervisor.up(state, plan, owner_pid=os.getpid())
        return namespace.run_command(words)
    finally:
        supervisor.down(state)
        shutil.rmtree(state.folder, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status. Errors are one sentence on stderr."""
    options = _parser().parse_args(arguments)
    if options.command == "serve":
        try:
            from lab import server  # asyncssh is only needed in the server: the other commands stay quick
        except ModuleNotFoundError as error:
            sentence = (
                f"the Python module {error.name} is not installed for {sys.executable}; install it with pip there"
            )
            os.write(options.ready, json.dumps({"error": sentence}).encode() + b"\n")
            return 1
        return server.main(options.folder, options.keys, options.owner_pid, options.ready)
    action = {"up": _up, "status": _status, "down": _down, "fault": _fault, "console": _console, "shell": _shell,
              "state": _host_state, "setups": _setups}  # fmt: skip
    try:
        return action[options.command](options)
    except LabError as error:
        print(f"lab: {error.sentence}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


if __name__ == "__main__":
    sys.exit(main())
