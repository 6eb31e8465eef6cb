# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults that there are: the name of each, how its value is written, and what real trouble it stands for.

Nothing else in the lab knows how a value is written: the parsers are here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

Value = bool | int | float | str | tuple[float, float] | tuple[int, int]


def _flag(text: str | None) -> Value:
    if text not in (None, "", "on", "yes", "true", "1"):
        raise ValueError("takes no value")
    return True


def _bytes(text: str | None) -> Value:
    if text is None or not text.isdigit():
        raise ValueError("needs a number of bytes, as in 2000")
    return int(text)


def _pair(text: str | None, example: str) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in (text or "").split(":"))
    except ValueError:
        raise ValueError(f"needs two numbers, as in {example}") from None
    if first < 0 or second < 0:
        raise ValueError("needs numbers that are not negative")
    return first, second


def _pieces(text: str | None) -> Value:
    size, pause = _pair(text, "97:20 (bytes:milliseconds)")
    if size < 1:
        raise ValueError("needs pieces of at least one byte")
    return size, pause


def _slow(text: str | None) -> Value:
    return _pair(text, "0.7:2 (seconds for the login:seconds for show running-config)")


def _seconds(text: str | None) -> Value:
    try:
        number = float(text or "")
    except ValueError:
        number = -1.0
    if number < 0:
        raise ValueError("needs a number of seconds, as in 2.5")
    return number


def _name(text: str | None) -> Value:
    if not text:
        raise ValueError("needs the name of a service")
    return text


def _quota(text: str | None) -> Value:
    if text not in ("shells", "operations"):
        raise ValueError("needs one of: shells, operations")
    return text


def _times(text: str | None) -> Value:
    if text is None:
        return 3
    if not text.isdigit():
        raise ValueError("needs how many times, as in 3")
    return int(text)


def _count(text: str | None) -> Value:
    if text is None or not text.isdigit() or not int(text):
        raise ValueError("needs which request, as in 12")
    return int(text)


def _disk(text: str | None) -> Value:
    if text is None or not text.isdigit() or not int(text):
        raise ValueError("needs the number of a disk, as in 1; disk 0 is the system's")
    return int(text)


def _program(text: str | None) -> Value:
    if not text:
        raise ValueError("needs the name of a program, as in robocopy or openerp-server-setup-6.0.4.exe")
    return text


def _file(text: str | None) -> Value:
    if not text or not text.strip("/\\"):
        raise ValueError("needs the name of a file or the end of its path, as in pg_control or data/PG_VERSION")
    return text


def _part(text: str | None) -> Value:
    if text not in (None, "before", "middle", "end"):
        raise ValueError("needs one of: before, middle, end")
    return text or "middle"


def _medium(text: str | None) -> Value:
    if not text:
        raise ValueError("needs the name of a disk of lab_media")
    return text


def _optional_name(text: str | None) -> Value:
    return text or ""


def _sent(text: str | None) -> Value:
    return 50_000 if text is None else _bytes(text)


def _kill(text: str | None) -> Value:
    count, colon, number = (text or "").partition(":")
    if not colon or not count.isdigit() or not number.isdigit() or int(count) < 1 or int(number) < 2:
        raise ValueError("needs which request and which process, as in 12:4711")
    if int(number) in (os.getpid(), os.getpgrp()):
        raise ValueError("cannot kill the lab itself")
    return int(count), int(number)


@dataclass(frozen=True)
class Fault:
    """One switch: its name, what it does, how its value is read and what real trouble it stands for."""

    name: str
    value: str
    description: str
    source: str
    parse: Callable[[str | None], Value] = _flag


_ALL = (
    Fault("wrong_password", "", "every login is refused", "an account changed on the device and not in the inventory"),
    Fault(
        "wrong_enable",
        "",
        "every enable secret is refused",
        "oxidized #992: 'success' without a running-config because the enable password was wrong",
    ),
    Fault("off", "", "connection refused, nothing listens", "a device without power behind a host that answers"),
    Fault("mute", "", "accepts the TCP connection and never says a word", "a vty that hangs, a firewall that swallows"),
    Fault(
        "cut",
        "BYTES",
        "the TCP connection is reset after BYTES of a long output",
        "facts/lab.md 3: Netmiko reports this as a ReadTimeout, not as a lost connection",
        _bytes,
    ),
    Fault(
        "truncate",
        "BYTES",
        "show running-config stops after BYTES as if it were complete, the prompt follows",
        "ansible #42843, facts/cisco.md 3: cut output is accepted everywhere",
        _bytes,
    ),
    Fault("hang", "BYTES", "a long output stops after BYTES and no prompt ever comes", "oxidized #1377", _bytes),
    Fault(
        "trickle",
        "SIZE:MS",
        "output arrives in pieces of SIZE bytes every MS milliseconds",
        "facts/cisco.md 3: 97 bytes every 20 ms make Netmiko stop at a prompt inside the text",
        _pieces,
    ),
    Fault(
        "slow",
        "LOGIN:SHOW",
        "seconds to wait before a login is answered and before show running-config",
        "facts/cisco.md 8: the slow profile",
        _slow,
    ),
    Fault("pager", "", "terminal length 0 is accepted and ignored", "pager residue in saved configurations"),
    Fault(
        "kex",
        "",
        "offers only a key exchange that paramiko 3 and 4 do not have",
        "facts/cisco.md 3: 'no acceptable kex algorithm', netmiko #3892",
    ),
    Fault(
        "privilege",
        "",
        "after enable, show running-config is invalid input as at a lower privilege level",
        "Cisco 'privilege exec level': commands above the level of the user do not exist for him",
    ),
    Fault("empty", "", "show running-config prints only 'Building configuration...'", "netmiko #232"),
    Fault(
        "shrunk",
        "",
        "show running-config lacks most interface blocks, yet has a correct header and its end",
        "a configuration erased by hand; the size check against the former version",
    ),
    Fault(
        "noise",
        "",
        "a %LINK-3-UPDOWN line is printed in the middle of show running-config",
        "Cisco 'logging synchronous': without it messages are mixed into the output",
    ),
    Fault("hostkey", "", "presents another host key", "a replaced device, or somebody in between"),
)
FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}


def _kills(what: str) -> tuple[Fault, Fault]:
    """The faults that kill whoever works with a host, in the middle of it."""
    source = "design.md, Interruption: a controller that is killed after its N-th effect"
    return (
        Fault("kill_after", "N:PID", f"process PID is killed (SIGKILL) when the N-th further {what} comes, before it is "
              "served", source, _kill),
        Fault("kill_tree_after", "N:PGID", f"process group PGID is killed (SIGKILL) when the N-th further {what} comes, "
              "before it is served", source, _kill),
    )  # fmt: skip


_WINDOWS = (
    Fault("wrong_password", "", "every login is refused", "an account changed on the host and not in the inventory"),
    Fault("off", "", "connection refused, nothing listens", "a host whose WinRM service does not run"),
    Fault("mute", "", "accepts the TCP connection and never says a word", "a firewall that swallows"),
    Fault("cut", "BYTES", "the TCP connection is cut after BYTES of an answer", "facts/lab.md 6 (5)", _bytes),
    Fault("slow", "SECONDS", "seconds to wait before each request is served", "a slow line, a busy host", _seconds),
    Fault(
        "exit_code_lost",
        "",
        "a command that printed nothing reports exit code 0",
        "WinRb/WinRM #154: 'exit 100' gave 0",
    ),
    Fault(
        "quota",
        "shells|operations",
        "no further shell, or no further command in a shell that ran one",
        "faults 2150859173 and 2150859174 (0x803381A6); ansible's winrm plugin opens a new shell on the second",
        _quota,
    ),
    Fault("hang_stop", "SERVICE", "the service stays in STOP_PENDING", "a service that does not end", _name),
    Fault("hang_start", "SERVICE", "the service stays in START_PENDING", "a service that does not come up", _name),
    Fault("disk_full", "", "writing to C: fails, no byte is free", "error 112"),
    Fault("disk_offline", "NUMBER", "the disk fails: it is offline, its mount points lead nowhere, PostgreSQL on it dies. When this "
          "is switched off the disk stays offline until diskpart brings it online", "a disk that is pulled out; SAN policy", _disk),
    Fault(
        "operation_timeout",
        "[TIMES]",
        "the next Receives end with an operation timeout at once",
        "fault 2150858793, which pywinrm asks again for",
        _times,
    ),
    Fault("drop_shell", "", "the shell has vanished when its output is fetched", "fault 2150858843; idle timeout"),
    Fault("dump_fails", "[DATABASE]", "pg_dump of this database (of all) ends with an error and exit code 1, and leaves "
          "half a file", "a damaged table; autopostgresqlbackup #2", _optional_name),
    Fault("dump_silent", "[DATABASE]", "pg_dump writes 5 bytes, says nothing and exits 0",
          "facts/postgresql.md 1.3 (4): an empty stderr was taken for success", _optional_name),
    Fault("dump_truncated", "[DATABASE]", "the last tenth of the dump is missing, pg_dump exits 0",
          "facts/postgresql.md 3.5: pg_restore --list does not see it", _optional_name),
    Fault("dump_flipped", "[DATABASE]", "one bit of the dump's compressed data is flipped, pg_dump exits 0",
          "facts/postgresql.md 3.5: a disk or a memory that lies", _optional_name),
    Fault("dump_hangs", "[DATABASE]", "pg_dump opens its file and never ends",
          "a lock that is never released", _optional_name),
    Fault("server_stops", "[BYTES]", "the database server dies when it has sent BYTES (50000) to a pg_dump",
          "a server that crashes under the load of the dump; pg_dump then fails by itself", _sent),
    Fault("rsync_silent", "", "rsync.exe sends nothing, says nothing and exits 0", "a wrapper that loses the exit code"),
    Fault("update_fails", "[DATABASE]", "openerp-server.exe -u of this database (of all) ends with a traceback and exit code 1; "
          "one module stays in the state 'to upgrade'", "a view that the new release no longer accepts", _optional_name),
    Fault("update_silent", "[DATABASE]", "openerp-server.exe -u loads nothing and exits 0",
          "facts/openerp.md A6: -u all -d A,B leaves B as it was, exit code 0", _optional_name),
    Fault("update_hangs", "[DATABASE]", "openerp-server.exe -u stops in the middle and never ends",
          "a lock that somebody holds", _optional_name),
    Fault("update_damages", "[DATABASE]", "openerp-server.exe -u fails and leaves a database that no release can serve until it "
          "is restored", "facts/openerp.md A6: back up all databases first", _optional_name),
    Fault("service_dies", "SERVICE", "the service reaches RUNNING and its process is gone at once, at every start",
          "facts/openerp.md A8; a wrapper whose program ends", _name),
    Fault("conf_unreadable", "", "openerp-server.conf is held open by somebody who shares it with nobody (error 32)",
          "an editor, a virus scanner"),
    Fault("setup_fails", "[before|middle|end]", "a setup of OpenERP writes nothing and exits 1, stops with half its files "
          "written and its service gone and exits 2 (middle), or does all and exits 2",
          "facts/openerp.md A1; NSIS: 1 cancelled by the user, 2 aborted by the script", _part),
    Fault("setup_hangs", "", "a setup of OpenERP stops in its middle and never ends",
          "a message box that nobody sees, on the desktop of session 0"),
    Fault("power_cut_after", "N", "the host loses power when the N-th further HTTP request comes, before it is served; it is "
          "dark until this is switched off, then it boots", "design.md, Interruption", _count),
    Fault("power_cut_in", "PROGRAM", "the host loses power in the middle of the next run of this program; it is dark until "
          "this is switched off, then it boots", "design.md, Interruption", _program),
    Fault("no_power", "", "the host has no power: nothing answers, what ran is gone; when this is switched off it boots",
          "design.md, Rules of the lab: host off"),
    Fault("feature_needs_reboot", "", "a role or feature that is installed acts only after the next start of the host",
          "ServerManagerCmd and dism: exit code 3010"),
    Fault("dfsr_hang", "", "initial replication of a folder stops between its events 4102 and 4104, until this is switched off or "
          "the service DFSR is started anew", "KB973123: a deadlock of Server 2008"),
    Fault("dfsr_missing", "NAME", "a file of this name, or with this end of its path, never arrives on this host, though the backlog "
          "says 0", "facts/windows.md 4: zero backlog does not mean that the data is correct", _file),
    Fault("dfsr_slow", "SECONDS", "seconds that each replicated file takes more to arrive on this host", "a slow line", _seconds),
    *_kills("HTTP request"),
)  # fmt: skip
_LINUX = (
    Fault("off", "", "connection refused, nothing listens", "a daemon that does not run"),
    Fault("mute", "", "accepts the TCP connection and never says a word", "a firewall that swallows"),
    Fault("cut", "BYTES", "the connection is reset after BYTES from the client (of a web server: after BYTES of an answer)",
          "a line that breaks", _bytes),
    Fault("slow", "SECONDS", "seconds to wait before each connection is served", "a slow line, a busy host", _seconds),
    Fault("wrong_password", "", "every login is refused", "a secret changed on the host and not in the inventory"),
    Fault("disk_full", "", "what the rsync daemon receives cannot be written", "ENOSPC, played with RLIMIT_FSIZE"),
    Fault("absent", "MEDIUM", "a removable disk of lab_media is not plugged in: its path does not exist",
          "design.md: two destinations, one of them mobile", _medium),
    *_kills("connection"),
)  # fmt: skip
KINDS: dict[str, dict[str, Fault]] = {
    "ios": FAULTS,
    "windows": {fault.name: fault for fault in _WINDOWS},
    "linux": {fault.name: fault for fault in _LINUX},
}
