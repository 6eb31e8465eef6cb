# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""robocopy.exe, as Windows Server 2008 has it.

Sources: robocopy /?; Microsoft KB954404 (exit code: 1 copied, 2 extra, 4 mismatched, 8 failed, 16 nothing done); retries are
1 million every 30 seconds unless /R and /W say otherwise; /MT and /DCOPY:DA came with Windows 7 and 8. The French words of the
report are those seen in forum captures [K]. Its report goes to standard output, its errors too.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field

from lab.windows.files import WindowsPathError
from lab.windows.mirror import CHANGED, NEW, NEWER, OLDER, SAME, Comparison, Item, Rules, copy_file
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_COPIED, _EXTRA, _MISMATCH, _FAILED, _SERIOUS = 1, 2, 4, 8, 16
_QUIET = {"np", "nfl", "ndl", "njh", "njs", "ns", "nc"}
_NO_OPS = {"z", "b", "zb", "x", "v", "fp", "bytes", "ts", "eta", "dst", "tee"}
_CLASSES = {"xo": OLDER, "xn": NEWER, "xc": CHANGED, "xl": NEW}
_KNOWN = ("mov", "move", "a", "m", "a+:", "a-:", "create", "fat", "256", "mon:", "mot:", "rh:", "pf", "ipg:", "sl",
          "xjd", "xjf", "ia:", "xa:", "max:", "min:", "maxage:", "minage:", "maxlad:", "minlad:", "reg", "tbd", "job:", "save:",
          "quit", "nosd", "nodd", "if", "log:", "log+:", "unilog:", "unilog+:", "unicode", "it", "efsraw", "secfix", "timfix",
          "nocopy", "?")  # fmt: skip
_NEWER_WINDOWS = ("mt", "mt:", "dcopy:", "nooffload", "compress", "j", "nodcopy")
_LINE = "-" * 79


class _Invalid(Exception):
    """A parameter that is none: its number and text."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number, self.text = number, text


@dataclass
class _Asked:
    """The command line."""

    paths: list[str] = field(default_factory=list)
    rules: Rules = field(default_factory=Rules)
    quiet: set[str] = field(default_factory=set)
    retries: int = 1_000_000
    wait: int = 30
    shown: list[str] = field(default_factory=list)


def _read(call: Call) -> _Asked:
    """Read the options. Raises _Invalid, LabRefusal."""
    asked, rules = _Asked(), Rules()
    asked.rules = rules
    taking: list[str] | None = None
    for number, word in enumerate(call.argv, 1):
        if not word.startswith("/"):
            (asked.paths if taking is None else taking).append(word)
            continue
        taking = None
        asked.shown.append(word)
        name = word[1:].lower()
        head, colon, value = name.partition(":")
        if name in _QUIET:
            asked.quiet.add(name)
        elif name in ("s", "e", "mir", "purge", "l", "is", "fft", "xx", "xj", "sec", "copyall"):
            rules.no_junctions |= name == "xj"  # mount points are reparse points as junctions are
            rules.recursive |= name in ("s", "e", "mir")
            rules.empty |= name in ("e", "mir")
            rules.purge |= name in ("mir", "purge")
            rules.list_only |= name == "l"
            rules.same |= name == "is"
            rules.coarse |= name == "fft"
            rules.no_extras |= name == "xx"
            rules.security |= name in ("sec", "copyall")
        elif name in _CLASSES:
            rules.excluded.add(_CLASSES[name])
        elif name in ("xf", "xd"):
            taking = rules.no_files if name == "xf" else rules.no_folders
        elif head == "copy" and colon and value and not set(value) - set("datsou"):
            if "d" not in value:
                raise LabRefusal(f"robocopy {word} is not played: without D")
            rules.times, rules.security = "t" in value, "s" in value
        elif name == "dcopy:t":
            rules.folder_times = True
        elif head in ("r", "w", "lev") and value.isdigit():
            if head == "lev":
                rules.levels = int(value)
            else:
                setattr(asked, "retries" if head == "r" else "wait", int(value))
        elif name not in _NO_OPS:
            _refuse(call, number, word, f"{head}:" if colon else head)
    return asked


def _refuse(call: Call, number: int, word: str, key: str) -> None:
    newer = key in _NEWER_WINDOWS and not call.host.plan.is_nt60
    if key in _KNOWN or newer:
        raise LabRefusal(f"robocopy {word} is not played")
    raise _Invalid(number, word)


class _Job:
    """One run."""

    def __init__(self, call: Call, asked: _Asked, source: str, target: str) -> None:
        self.call, self.asked, self.source, self.target = call, asked, source, target
        self.failed: set[int] = set()
        self.began = time.time()

    def head(self, masks: list[str]) -> None:
        """The report's beginning."""
        say, out = self.call.say, self.call.out
        if "njh" in self.asked.quiet:
            return
        title = say("Copie de fichiers robuste pour Windows", "Robust File Copy for Windows")
        out(f"\n{_LINE}\n   ROBOCOPY     ::     {title}                              \n{_LINE}\n")
        out(say("     Début : ", "  Started : ") + time.strftime("%a %b %d %H:%M:%S %Y") + "\n")
        out(f"   Source : {self.source}\\\n     Dest : {self.target}\\\n")
        out(say("Fichiers : ", "    Files : ") + " ".join(masks) + "\n\t    ")
        out(f"  Options : {' '.join([*masks, *self.asked.shown])} \n\n{_LINE}\n")

    async def run(self, items: list[Item]) -> int:
        """Do what the comparison found; the exit code."""
        rules = self.asked.rules
        middle = [index for index, item in enumerate(items) if item.copied and not item.folder]
        cut = middle[len(middle) // 2] if middle else len(items) // 2
        code = 0
        for index, item in enumerate(items):
            if index == cut and self.call.host.power.due("robocopy"):
                if item.copied and not item.folder and not rules.list_only:
                    copy_file(self.call.host.drive, item, rules, 0.5)
                await self.call.host.power.halfway("robocopy")
            self._line(item)
            if item.extra:
                code |= _EXTRA
                if rules.purge and not rules.list_only:
                    self.call.host.drive.remove(item.path)
                    self.call.host.acls.forget(item.path)
            elif item.mismatch:
                code |= _MISMATCH
            elif item.copied:
                good = rules.list_only or await self._made(item)
                code |= _COPIED if good else _FAILED
                if not good:
                    self.failed.add(index)
            if not index % 16:
                await asyncio.sleep(0)
        if rules.folder_times and not rules.list_only:
            self._folder_times(items)
        return code

    def _folder_times(self, items: list[Item]) -> None:
        drive = self.call.host.drive
        for item in items:
            real, other = drive.find(item.path), drive.find(item.target)
            if item.folder and not item.extra and real and other:
                found = real.stat()
                os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))

    async def _made(self, item: Item) -> bool:
        """Copy or make one, as often as /R allows; False when it failed."""
        call = self.call
        attempt = 0
        while True:
            try:
                if item.folder:
                    call.host.drive.make(item.target)
                else:
                    copy_file(call.host.drive, item, self.asked.rules)
                self._security(item)
                return True
            except WindowsPathError as error:
                what = call.say("Copie du fichier", "Copying File")
                self._error(error.code, what, item.path)
                if attempt >= self.asked.retries:
                    if self.asked.retries:
                        call.out(
                            call.say("ERREUR : LIMITE DE TENTATIVES DÉPASSÉE.\n", "ERROR: RETRY LIMIT EXCEEDED.\n")
                        )
                    return False
                attempt += 1
                call.out(call.say(f"Attente de {self.asked.wait} secondes... Nouvelle tentative...",
                                  f"Waiting {self.asked.wait} seconds... Retrying..."))  # fmt: skip
                await asyncio.sleep(self.asked.wait)

    def _security(self, item: Item) -> None:
        """/COPY:S: the file's own access list goes with it; what is inherited follows from the new place."""
        entries = self.call.host.acls.entries
        if self.asked.rules.security and item.path.lower() in entries:
            entries[item.target.lower()] = entries[item.path.lower()]

    def _error(self, code: int, what: str, path: str) -> None:
        stamp = time.strftime("%Y/%m/%d %H:%M:%S")
        word = self.call.say("ERREUR", "ERROR")
        self.call.out(f"{stamp} {word} {code} (0x{code:08X}) {what} {path}\n{self.call.host.system(code)}\n")

    def _line(self, item: Item) -> None:
        quiet, say = self.asked.quiet, self.call.say
        if item.folder:
            if "ndl" in quiet:
                return
            word = say("*Rép. EXTRA", "*EXTRA Dir") if item.extra else "*MISMATCH" if item.mismatch else ""
            word = word or (say("Nouveau rép.", "New Dir") if item.copied else "")
            count = "-1" if item.extra else str(item.count)
            self.call.out(f"\t{'' if 'nc' in quiet else f'{word:<11}'}\t{count:>8}\t{item.path}\\")
            return
        if "nfl" in quiet or not (item.copied or item.extra or item.mismatch):
            return
        words = {NEW: say("Nouveau fich.", "New File"), NEWER: say("Plus récent", "Newer"), OLDER: say("Plus ancien", "Older"),
                 CHANGED: say("Modifié", "Changed"), SAME: say("identique", "same")}  # fmt: skip
        word = say("*Fich. EXTRA", "*EXTRA File") if item.extra else "*MISMATCH" if item.mismatch else words[item.kind]
        name = item.path if item.extra else item.path.rpartition("\\")[2]
        done = "" if "np" in quiet else "100%  "
        tag = "" if "nc" in quiet else f"    {word:<12}"
        size = "" if "ns" in quiet else f"{item.size:>8}"
        self.call.out(f"{done}\t{tag}\t{size}\t{name}")

    def summary(self, items: list[Item]) -> None:
        """The report's end."""
        if "njs" in self.asked.quiet:
            return
        call, say = self.call, self.call.say
        french = call.host.plan.language == "fr"
        titles = ("Total", "Copié", "Ignoré", "Discordance", "ÉCHEC", "Extras") if french else (
            "Total", "Copied", "Skipped", "Mismatch", "FAILED", "Extras")  # fmt: skip
        call.out(f"\n{_LINE[:-1]}\n\n          " + "".join(f"{title:>12}" for title in titles))
        for label, folders, sized in ((say("  Rép", "  Dirs"), True, False), (say("Fichiers", " Files"), False, False),
                                      (say("Octets", " Bytes"), False, True)):  # fmt: skip
            columns = [0] * 6
            for index, item in enumerate(items):
                if item.folder == folders:
                    amount = item.size if sized else 1
                    columns[0] += 0 if item.extra else amount
                    columns[self._column(index, item)] += amount
            call.out(f"{label:>8} :" + "".join(f"{number:>12}" for number in columns))
        spent = time.strftime("%H:%M:%S", time.gmtime(time.time() - self.began)).removeprefix("0")
        call.out(f"{say('Heures', 'Times'):>8} :{spent:>12}{spent:>12}{'0:00:00':>36}{'0:00:00':>12}")
        call.out("\n" + say("     Fin : ", "   Ended : ") + time.strftime("%a %b %d %H:%M:%S %Y") + "\n")

    def _column(self, index: int, item: Item) -> int:
        if item.extra:
            return 5
        if index in self.failed:
            return 4
        return 3 if item.mismatch else 1 if item.copied else 2


@program("robocopy")
async def _robocopy(call: Call) -> int:
    try:
        asked = _read(call)
    except _Invalid as wrong:
        call.out(call.say(f"ERREUR : paramètre non valide n°{wrong.number} : \"{wrong.text}\"\n",
                          f"ERROR : Invalid Parameter #{wrong.number} : \"{wrong.text}\"\n"))  # fmt: skip
        call.out(call.say("  Utilisation simple :: ROBOCOPY source destination /MIR\n",
                          "  Simple Usage :: ROBOCOPY source destination /MIR\n"))  # fmt: skip
        return _SERIOUS
    if len(asked.paths) < 2:
        which = ("source", "Source") if not asked.paths else ("destination", "Destination")
        call.out(
            call.say(
                f"ERREUR : aucun répertoire {which[0]} spécifié.\n", f"ERROR : No {which[1]} Directory Specified.\n"
            )
        )
        return _SERIOUS
    asked.rules.masks = asked.paths[2:] or ["*.*"]
    paths: list[str] = []
    job = _Job(call, asked, asked.paths[0].rstrip("\\"), asked.paths[1].rstrip("\\"))
    accessing = call.say("Accès au répertoire source", "Accessing Source Directory")
    creating = call.say("Création du répertoire de destination", "Creating Destination Directory")
    for text, what in zip(asked.paths[:2], (accessing, creating), strict=True):
        try:
            if '"' in text:  # a backslash before the closing quote: the rest of the line has become part of the path
                raise WindowsPathError(123)
            paths.append(call.path(text, unc=True))
        except WindowsPathError as error:
            job.head(asked.rules.masks)
            job._error(error.code, what, text)
            return _SERIOUS
    job.source, job.target = (path.rstrip("\\") for path in paths)
    job.head(asked.rules.masks)
    comparison = Comparison(call.host.drive, asked.rules)
    try:
        if not call.host.drive.is_folder(paths[0]):
            raise WindowsPathError(2 if call.host.drive.find(paths[0]) is None else 267)
        if paths[1].startswith("\\\\"):
            call.host.drive.place(paths[1])
    except WindowsPathError as error:
        phase = creating if error.code == 5 and paths[1].startswith("\\\\") else accessing
        job._error(error.code, phase, f"{job.target if phase == creating else job.source}\\")
        return _SERIOUS
    comparison.walk(job.source, job.target)
    code = await job.run(comparison.items)
    job.summary(comparison.items)
    return code
