# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WQL: SELECT columns FROM class WHERE simple conditions (Microsoft, "WQL (SQL for WMI)")."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lab.windows.refusal import LabRefusal
from lab.windows.wmi.values import DateTime, Row

_TOKEN = re.compile(
    r"""\s*(?:('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(-?\d+)|(<=|>=|<>|!=|=|<|>|\(|\)|,|\*)|([A-Za-z_]\w*(?:\.\w+)?))"""
)
Condition = Callable[[Row], bool]


class QueryError(Exception):
    """WBEM_E_INVALID_QUERY."""


@dataclass
class Query:
    """A parsed query. ``columns``: None for ``*``. ``equals``: what a top-level AND fixes, by lower-case name."""

    class_name: str
    columns: list[str] | None
    condition: Condition
    equals: dict[str, str] = field(default_factory=dict)


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position, text = 0, text.strip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if not match:
                raise QueryError(text)
            kinds = ("string", "number", "sign", "word")
            kind = next(kind for kind, group in zip(kinds, match.groups(), strict=True) if group is not None)
            self.tokens.append((kind, match.group(match.lastindex or 0)))
            position = match.end()
        self.at = 0
        self.equals: dict[str, str] = {}
        self.has_or = False

    def peek(self) -> str:
        """The next token in lower case."""
        return self.tokens[self.at][1].lower() if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        """The next token, which must be one of those wanted."""
        if self.at >= len(self.tokens) or (wanted and self.peek() not in wanted):
            raise QueryError(self.peek())
        self.at += 1
        return self.tokens[self.at - 1][1]

    def condition(self) -> Condition:
        """OR binds loosest."""
        first = self._all()
        while self.peek() == "or":
            self.take()
            self.has_or = True
            first = self._either(first, self._all())
        return first

    @staticmethod
    def _either(left: Condition, right: Condition) -> Condition:
        return lambda row: left(row) or right(row)

    @staticmethod
    def _both(left: Condition, right: Condition) -> Condition:
        return lambda row: left(row) and right(row)

    def _all(self) -> Condition:
        first = self._one()
        while self.peek() == "and":
            self.take()
            first = self._both(first, self._one())
        return first

    def _one(self) -> Condition:
        if self.peek() == "not":
            self.take()
            inner = self._one()
            return lambda row: not inner(row)
        if self.peek() == "(":
            self.take()
            inner = self.condition()
            self.take(")")
            return inner
        name = self.take()
        operator = self.take("=", "<>", "!=", "<", ">", "<=", ">=", "like", "is", "isa").lower()
        if operator == "isa":
            raise LabRefusal("ISA in a query is not played")
        if operator == "is":
            negated = self.peek() == "not"
            if negated:
                self.take()
            self.take("null")
            return lambda row: (_value(row, name) is None) != negated
        kind = self.tokens[self.at][0] if self.at < len(self.tokens) else ""
        text = self.take()
        literal: Any = text
        if kind == "string":
            literal = re.sub(r"\\(.)", r"\1", text[1:-1])
        elif kind == "number":
            literal = int(text)
        elif text.lower() in ("true", "false"):
            literal = text.lower() == "true"
        elif text.lower() == "null":
            literal = None
        else:
            raise QueryError(text)
        if operator == "=" and isinstance(literal, str | int) and not isinstance(literal, bool):
            self.equals[name.lower()] = str(literal)
        return lambda row: compare(_value(row, name), operator, literal)


def _value(row: Row, name: str) -> Any:
    low = name.lower()
    for key, value in row.items():
        if key.lower() == low:
            return value
    raise QueryError(name)


def _like(value: str, pattern: str) -> bool:
    expression = "".join(".*" if char == "%" else "." if char == "_" else char if char in "[]^-" else re.escape(char)
                         for char in pattern)  # fmt: skip
    try:
        return re.fullmatch(expression, value, re.IGNORECASE | re.DOTALL) is not None
    except re.error:
        raise QueryError(pattern) from None


def compare(value: Any, operator: str, literal: Any) -> bool:
    """One comparison; strings without regard to case, as WMI does. NULL equals only NULL."""
    if operator in ("<>", "!="):
        return value is not None and not compare(value, "=", literal)
    if value is None or literal is None:
        return operator == "=" and value is None and literal is None
    if operator == "like":
        return _like(str(value), str(literal))
    left, right = value, literal
    if isinstance(value, DateTime):
        moment = DateTime.from_dmtf(str(literal))
        if moment is None:
            raise QueryError(str(literal))
        right = moment
    elif isinstance(value, bool):
        right = str(literal).lower() in ("true", "1", "-1")
    elif isinstance(value, int):
        try:
            right = int(literal)
        except (TypeError, ValueError):
            raise QueryError(str(literal)) from None
    else:
        left, right = str(value).lower(), str(literal).lower()
    return {"=": left == right, "<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[
        operator
    ]


def parse(text: str) -> Query:
    """Read a query. Raises QueryError (invalid for WMI) or LabRefusal (valid, not played)."""
    parser = _Parser(text)
    if parser.peek() in ("associators", "references"):
        raise LabRefusal("ASSOCIATORS OF and REFERENCES OF are not played")
    parser.take("select")
    columns: list[str] | None = None
    if parser.peek() == "*":
        parser.take()
    else:
        columns = [parser.take()]
        while parser.peek() == ",":
            parser.take()
            columns.append(parser.take())
    parser.take("from")
    class_name = parser.take()
    condition: Condition = lambda row: True  # noqa: E731
    if parser.peek() == "where":
        parser.take()
        condition = parser.condition()
    if parser.at != len(parser.tokens):
        raise QueryError(parser.peek())
    return Query(class_name, columns, condition, {} if parser.has_or else parser.equals)
