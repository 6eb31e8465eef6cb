# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command parser of IOS: words that may be abbreviated, arguments with a type, and the three refusals.

A grammar is a list of patterns such as ``switchport access vlan / <1-4094>``. Words are keywords; ``<...>`` are
arguments; what stands before ``/`` identifies the setting (a new value replaces the old one); without ``/`` the whole
line does. ``a|b`` are alternatives, a last argument with ``?`` may be absent.

Sources: Cisco IOS Configuration Fundamentals, "Using the Command-Line Interface": unique abbreviations, "% Ambiguous
command", "% Incomplete command", and the caret that marks the point of the error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\S+")
_IP = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)")
_RANGE = re.compile(r"(\d+)-(\d+)")
_INTERFACE = re.compile(r"([A-Za-z-]+?)\s*(\d+(?:/\d+)*(?:\.\d+)?)")
INTERFACE_TYPES = ("FastEthernet", "GigabitEthernet", "TenGigabitEthernet", "Serial", "Loopback", "Vlan",
                   "Port-channel",
                   "Tunnel", "Null", "Embedded-Service-Engine")  # fmt: skip


def interface_name(text: str) -> str | None:
    """The full name of an interface: ``fa0/1`` is ``FastEthernet0/1``; None when the type is unknown or ambiguous."""
    match = _INTERFACE.fullmatch(text)
    if not match:
        return None
    kind = match.group(1).lower()
    kinds = [name for name in INTERFACE_TYPES if name.lower().startswith(kind)]
    return kinds[0] + match.group(2) if len(kinds) == 1 else None


@dataclass(frozen=True)
class Rule:
    """One pattern.

    Attributes:
        key: how many tokens identify the setting. flags: ``on`` (set by default: only its ``no`` form is written),
        ``both`` (either form is written), ``user`` (allowed in user exec mode). action: what the command does.
        whole: lines that differ stand side by side (no ``/`` in the pattern).
    """

    pattern: str
    key: int
    flags: frozenset[str]
    action: str
    whole: bool = False


@dataclass
class Node:
    """One place in the tree of keywords; ``name`` is the keyword that led here, as IOS writes it (``dot1Q``)."""

    name: str = ""

    words: dict[str, Node] = field(default_factory=dict)
    typed: dict[str, Node] = field(default_factory=dict)
    rule: Rule | None = None


@dataclass
class Match:
    """A line that was understood; ``tokens`` are written in full, ``args`` are the typed ones among them."""

    rule: Rule | None
    tokens: list[str]
    args: list[str]
    key: int

    @property
    def line(self) -> str:
        """The line as the configuration keeps it."""
        return " ".join(self.tokens)

    @property
    def subject(self) -> str:
        """The tokens that identify the setting."""
        return " ".join(self.tokens[: self.key])


@dataclass
class Refusal:
    """A line that was not understood: ``ambiguous``, ``incomplete`` or ``invalid`` (then ``column`` in the line)."""

    kind: str
    column: int = 0
    depth: int = 0


def _typed(kind: str, line: str, start: int, token: str) -> tuple[str, int] | None:
    """Accept an argument: its value and where it ends; None when the type does not fit."""
    end = start + len(token)
    if kind == "<line>":
        return line[start:].rstrip(), len(line)
    if kind == "<rest>":
        return " ".join(line[start:].split()), len(line)
    if kind == "<ip>":
        return (token, end) if _IP.fullmatch(token) else None
    if kind == "<int>":
        name = interface_name(token)
        if name:
            return name, end
        if token.isalpha() or "-" in token:
            following = _TOKEN.match(line, end + len(line[end:]) - len(line[end:].lstrip()))
            name = interface_name(token + following.group()) if following else None
            return (name, following.end()) if name and following else None
        return None
    bounds = _RANGE.fullmatch(kind[1:-1])
    if bounds:
        return (token, end) if token.isdigit() and int(bounds[1]) <= int(token) <= int(bounds[2]) else None
    return token, end


class Grammar:
    """A tree built once from patterns and shared by all devices."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.root = Node("")
        for pattern in patterns:
            self._add(pattern)

    def _add(self, text: str) -> None:
        """``words... [/ values...] [: action] [@flag...]``."""
        body, *flags = text.split(" @")
        body, _unused, action = body.partition(" : ")
        tokens, key = body.split(), -1
        whole = "/" not in tokens
        if "/" in tokens:
            key = tokens.index("/")
            tokens.remove("/")
        choices: list[list[str]] = [[]]
        for token in tokens:
            choices = [[*done, word] for done in choices for word in token.split("|")]
        for path in choices:
            node = self.root
            optional = path[-1].endswith("?")
            if optional:
                path[-1] = path[-1][:-1]
            for depth, token in enumerate(path):
                if optional and depth == len(path) - 1 and node.rule is None:
                    node.rule = Rule(
                        " ".join(path[:-1]), depth if key < 0 else key, frozenset(flags), action.strip(), whole
                    )
                branch = node.typed if token.startswith("<") else node.words
                node = branch.setdefault(token if token.startswith("<") else token.lower(), Node(token))
            node.rule = Rule(" ".join(path), len(path) if key < 0 else key, frozenset(flags), action.strip(), whole)

    def parse(self, line: str, allowed: str = "", partial: bool = False) -> Match | Refusal:
        """Understand a line.

        Args:
            allowed: when given, only rules with this flag exist (a lower privilege level does not see the others).
            partial: accept a line that stops after the key of a setting, as ``no`` and ``default`` do.
        """
        node, position, tokens, args = self.root, 0, [], []  # type: Node, int, list[str], list[str]
        depth = 0
        while True:
            found = _TOKEN.search(line, position)
            if found is None:
                break
            token, start = found.group(), found.start()
            step = self._word(node, token, allowed)
            if isinstance(step, Refusal):
                step.depth = depth
                return step
            if step:
                tokens.append(step[0])
                node, position = step[1], found.end()
            else:
                for kind, child in node.typed.items():
                    accepted = _typed(kind, line, start, token)
                    if accepted:
                        tokens.append(accepted[0])
                        args.append(accepted[0])
                        node, position = child, accepted[1]
                        break
                else:
                    return Refusal("invalid", start + _common(node, token, allowed), depth)
            depth += 1
        rule = node.rule
        if rule and (not allowed or allowed in rule.flags):
            return Match(rule, tokens, args, rule.key)
        if partial and depth:
            below = [rule for rule in _rules(node) if rule.key <= depth]
            if below:
                return Match(below[0], tokens, args, depth)
        return Refusal("incomplete", depth=depth)

    def _word(self, node: Node, token: str, allowed: str) -> tuple[str, Node] | Refusal | None:
        lower = token.lower()
        exact = node.words.get(lower)
        if exact and _reachable(exact, allowed):
            return exact.name, exact
        near = [child for word, child in node.words.items() if word.startswith(lower) and _reachable(child, allowed)]
        if len(near) == 1:
            return near[0].name, near[0]
        if len(near) > 1 and not any(kind in ("<word>", "<line>", "<rest>") for kind in node.typed):
            return Refusal("ambiguous")
        return None

    def candidates(self, line: str, allowed: str = "") -> list[str]:
        """What may come next: the words that begin with the last token, or all when the line ends with a blank."""
        node = self.root
        head, _unused, last = line.rpartition(" ")
        for token in head.split():
            step = self._word(node, token, allowed)
            if isinstance(step, tuple):
                node = step[1]
            elif node.typed and step is None:
                node = next(iter(node.typed.values()))
            else:
                return []
        found = [
            word for word, child in node.words.items() if word.startswith(last.lower()) and _reachable(child, allowed)
        ]
        if not last:
            found += [kind.upper() if kind in ("<word>", "<line>") else kind for kind in node.typed]
            found += ["<cr>"] if node.rule else []
        return sorted(found)


def _rules(node: Node) -> Iterable[Rule]:
    if node.rule:
        yield node.rule
    for child in (*node.words.values(), *node.typed.values()):
        yield from _rules(child)


def _reachable(node: Node, allowed: str) -> bool:
    return not allowed or any(allowed in rule.flags for rule in _rules(node))


def _common(node: Node, token: str, allowed: str) -> int:
    """How many characters of a token still fitted some keyword: the caret stands at the first that does not."""
    best = 0
    for word, child in node.words.items():
        if not _reachable(child, allowed):
            continue
        count = 0
        while count < min(len(word), len(token)) and word[count] == token[count].lower():
            count += 1
        best = max(best, count)
    return min(best, len(token) - 1)
