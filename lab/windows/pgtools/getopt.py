# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""getopt as PostgreSQL's programs have it on Windows: their own, src/port/getopt_long.c.

It differs from GNU's: a long option must be written out, and the first operand ends the options, so that in
``pg_dump base -Fc`` the last word is one operand too many.
"""

from __future__ import annotations

from dataclasses import dataclass

# letter (or, where there is none, the long name) -> whether it takes a value, its long names
Known = dict[str, tuple[bool, tuple[str, ...]]]


class BadOption(Exception):
    """What getopt says, without the program's name before it."""


@dataclass
class Words:
    """A command line that was read: (option, value) pairs in their order, and operands."""

    options: list[tuple[str, str]]
    operands: list[str]

    def value(self, *names: str) -> str | None:
        """The last value of an option, or None."""
        return next((value for name, value in reversed(self.options) if name in names), None)

    def has(self, *names: str) -> bool:
        """Whether an option was given."""
        return any(name in names for name, _unused in self.options)


def known(letters: str, longs: str) -> Known:
    """The options of a program, from its getopt string and ``long=letter`` or ``long:`` words.

    ``file=f`` is the long name of -f, ``inserts`` a long option without a letter, ``role:`` one with a value.
    """
    found: Known = {}
    for index, letter in enumerate(letters):
        if letter != ":":
            found[letter] = (letters[index + 1 : index + 2] == ":", ())
    for word in longs.split():
        name, equals, letter = word.partition("=")
        if equals:
            takes, names = found[letter]
            found[letter] = (takes, (*names, name))
        else:
            found[name.rstrip(":")] = (name.endswith(":"), (name.rstrip(":"),))
    return found


def read(argv: list[str], options: Known) -> Words:
    """Split a command line. Raises BadOption."""
    longs = {name: key for key, (_unused, names) in options.items() for name in names}
    found: list[tuple[str, str]] = []
    words = list(argv)
    while words:
        word = words[0]
        if not word.startswith("-") or word == "-":
            break
        words.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name not in longs:
                raise BadOption(f"illegal option -- {word[2:]}")
            key = longs[name]
            if options[key][0] and not equals:
                if not words:
                    raise BadOption(f"option requires an argument -- {name}")
                value = words.pop(0)
            found.append((key, value))
            continue
        rest = word[1:]
        while rest:
            letter, rest = rest[0], rest[1:]
            if letter not in options or len(letter) != 1:
                raise BadOption(f"illegal option -- {letter}")
            if not options[letter][0]:
                found.append((letter, ""))
                continue
            if not rest and not words:
                raise BadOption(f"option requires an argument -- {letter}")
            found.append((letter, rest or words.pop(0)))
            rest = ""
    return Words(found, words)
