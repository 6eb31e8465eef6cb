# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of rsync 3.0.9 and how popt reads them.

Source: rsync(1) and options.c of 3.0.9 (September 2011), the rsync of a Cygwin of 2013. What came with 3.1.0 and later
(--info, --debug, --mkpath, --stderr, --chown, --preallocate, --checksum-choice, -M, -J ...) is not in the list.
"""

from __future__ import annotations

from dataclasses import dataclass

_FLAGS = (
    "verbose=v quiet=q motd checksum=c archive=a recursive=r relative=R implied-dirs i-d backup=b update=u inplace append "
    "append-verify dirs=d old-dirs old-d links=l copy-links=L copy-unsafe-links safe-links copy-dirlinks=k keep-dirlinks=K "
    "hard-links=H perms=p executability=E acls=A xattrs=X owner=o group=g devices specials times=t omit-dir-times=O super "
    "fake-super sparse=S dry-run=n whole-file=W one-file-system=x existing ignore-non-existing ignore-existing "
    "remove-source-files remove-sent-files del delete delete-before delete-during delete-delay delete-after delete-excluded "
    "ignore-errors force partial delay-updates prune-empty-dirs=m numeric-ids ignore-times=I size-only fuzzy=y compress=z "
    "cvs-exclude=C from0=0 protect-args=s blocking-io stats 8-bit-output=8 human-readable=h progress itemize-changes=i "
    "list-only ipv4=4 ipv6=6 inc-recursive i-r version help daemon server"
)
_VALUES = (
    "backup-dir suffix chmod block-size=B rsh=e rsync-path max-delete max-size min-size partial-dir timeout contimeout "
    "modify-window temp-dir=T compare-dest copy-dest link-dest compress-level skip-compress filter=f exclude exclude-from "
    "include include-from files-from address port sockopts out-format log-format log-file log-file-format password-file "
    "bwlimit write-batch only-write-batch read-batch protocol iconv checksum-seed config"
)
_BARE = "DFP"  # letters without a long name, all flags
# What popt knows a --no- form of.
_NEGATED = (
    "verbose v motd checksum c recursive r relative R implied-dirs i-d inplace append dirs d links l perms p acls A xattrs X "
    "owner o group g devices D specials times t omit-dir-times O super sparse S whole-file W one-file-system x "
    "prune-empty-dirs m partial delay-updates numeric-ids fuzzy y compress z cvs-exclude from0 protect-args s blocking-io "
    "human-readable h progress itemize-changes i 8-bit-output 8 timeout contimeout bwlimit iconv inc-recursive i-r force backup "
    "b ignore-errors"
)


class BadOption(Exception):
    """popt refuses an option: ``option`` as it was written, ``reason`` in popt's words."""

    def __init__(self, option: str, reason: str) -> None:
        super().__init__(option)
        self.option, self.reason = option, reason


@dataclass
class Words:
    """Options in their order by long name (a letter where there is none), and operands."""

    options: list[tuple[str, str | None]]
    operands: list[str]

    def value(self, name: str) -> str | None:
        """The last value of an option."""
        return next((value for known, value in reversed(self.options) if known == name), None)

    def has(self, *names: str) -> bool:
        """Whether one of these was given."""
        return any(known in names for known, _unused in self.options)


def _table() -> tuple[dict[str, bool], dict[str, str]]:
    longs: dict[str, bool] = {}
    letters: dict[str, str] = {letter: letter for letter in _BARE}
    for words, takes in ((_FLAGS, False), (_VALUES, True)):
        for word in words.split():
            name, _equals, letter = word.partition("=")
            longs[name] = takes
            if letter:
                letters[letter] = name
    longs.update({f"no-{name}": False for name in _NEGATED.split()})
    return longs, letters


_LONGS, _LETTERS = _table()


def read(argv: list[str]) -> Words:
    """Split a command line. Raises BadOption."""
    found: list[tuple[str, str | None]] = []
    operands: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            operands += words
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name not in _LONGS:
                raise BadOption(word, "unknown option")
            if not _LONGS[name]:
                if equals:
                    raise BadOption(word, "option does not take an argument")
                found.append((name, None))
                continue
            if not equals and not words:
                raise BadOption(word, "missing argument")
            found.append((name, value if equals else words.pop(0)))
        elif word.startswith("-") and len(word) > 1:
            _letters(word, words, found)
        else:
            operands.append(word)
    return Words(found, operands)


def _letters(word: str, words: list[str], found: list[tuple[str, str | None]]) -> None:
    """``-avz``, ``-e ssh`` or ``-B700``."""
    rest = word[1:]
    while rest:
        letter, rest = rest[0], rest[1:]
        if letter not in _LETTERS:
            raise BadOption(f"-{letter}", "unknown option")
        name = _LETTERS[letter]
        if not _LONGS.get(name):
            found.append((name, None))
            continue
        if not rest and not words:
            raise BadOption(f"-{letter}", "missing argument")
        found.append((name, rest.removeprefix("=") if rest else words.pop(0)))
        return
