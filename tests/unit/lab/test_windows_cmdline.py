# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines: cmd's reading of a line and the C runtime's, with the traps of facts/lab.md 2(a)."""

from __future__ import annotations

import pytest

from lab.windows.cmdline import SyntaxProblem, crt_argv, expand, split_cmd
from lab.windows.refusal import LabRefusal

ENV = {"os": "Windows_NT", "chemin": "C:\\Program Files", "vide": "", "errorlevel": "7"}


def shape(line):
    """Texts of the commands, nested as cmd's operators nest them: & then || then && then |."""
    return [
        [[[command.text for command in pipe] for pipe in chain] for chain in either] for either in split_cmd(line, ENV)
    ]


def only(line):
    """The only command of a line."""
    program = split_cmd(line, ENV)
    assert [len(program), len(program[0]), len(program[0][0]), len(program[0][0][0])] == [1, 1, 1, 1]
    return program[0][0][0][0]


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("p a b", ["p", "a", "b"]),
        ('p "a b" c', ["p", "a b", "c"]),
        (r"p \"a\"", ["p", '"a"']),
        (r'p "a\\" b', ["p", "a\\", "b"]),
        (r'p "a\" b"', ["p", 'a" b']),
        (r"p a\\b C:\dir\ x", ["p", r"a\\b", "C:\\dir\\", "x"]),
        (r'p "C:\dir\\" x', ["p", "C:\\dir\\", "x"]),
        (r'p "C:\dir\" x', ["p", 'C:\\dir" x']),
        ('p ""', ["p", ""]),
        ('p "a""b" c', ["p", 'a"b', "c"]),
        ('p "a"" b" c', ["p", 'a" b', "c"]),
        ('p a"b c"d', ["p", "ab cd"]),
        (r"p \\\"x", ["p", '\\"x']),
        (r'"C:\Program Files\x.exe" /D=C:\a', ["C:\\Program Files\\x.exe", "/D=C:\\a"]),
        (r'"C:\a\"b c', [r"C:\a\b", "c"]),
        ('sc config s obj= "LocalSystem" ', ["sc", "config", "s", "obj=", "LocalSystem"]),
        ("p\ta", ["p", "a"]),
        ("p é€", ["p", "é€"]),
        ('p "unclosed end', ["p", "unclosed end"]),
        ("", [""]),
    ],
)
def test_c_runtime(line, argv):
    assert crt_argv(line) == argv


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("echo %OS%", "echo Windows_NT"),
        ("echo %nope% 100%", "echo %nope% 100%"),
        ("echo %os:~0,3%-%os:NT=x%", "echo Win-Windows_x"),
        ("echo %OS:~-2%", "echo NT"),
        ("echo %%OS%%", "echo %Windows_NT%"),
        ('"%chemin%\\x"', '"C:\\Program Files\\x"'),
        ("a%vide%b", "ab"),
    ],
)
def test_percent_on_a_command_line(line, expected):
    assert expand(line, ENV) == expected


def test_percent_in_a_batch_file():
    arguments = ["x.cmd", '"a b"', "c"]
    assert expand("%0 %1 %~1 %* %9 %nope%. %%OS%% 100%", ENV, arguments) == 'x.cmd "a b" a b "a b" c  . %OS% 100'


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("echo ^%OS^%", "echo %OS%"),
        ("echo a^&b^|c^^d", "echo a&b|c^d"),
        ('echo "a & b | c > d ^ e"', 'echo "a & b | c > d ^ e"'),
        ('prog "a^b" ^"c d^"', 'prog "a^b" "c d"'),
        ("@echo x", "echo x"),
        ("  ,;= prog x", "prog x"),
        ("echo a^", "echo a"),
    ],
)
def test_carets_and_quotes(line, text):
    assert only(line).text == text


def test_operators_bind_as_in_cmd():
    assert shape("a & b && c || d | e & f") == [[[["a "]]], [[["b "], ["c "]], [["d ", "e "]]], [[["f"]]]]
    assert shape("a&") == [[[["a"]]]]
    assert shape('"x&y" z') == [[[['"x&y" z']]]]
    assert shape("  ") == []


@pytest.mark.parametrize(
    ("line", "text", "redirects"),
    [
        ("prog a>x b", "prog a b", [(1, ">", "x")]),
        ("prog 2>&1 >nul", "prog  ", [(2, ">&", "1"), (1, ">", "nul")]),
        ("prog a2>x", "prog a2", [(1, ">", "x")]),
        ("prog a 2>x", "prog a ", [(2, ">", "x")]),
        ('prog >> "C:\\a b\\c.txt"', "prog ", [(1, ">>", "C:\\a b\\c.txt")]),
        ("prog <in.txt", "prog ", [(0, "<", "in.txt")]),
        (">out prog", " prog".lstrip(), [(1, ">", "out")]),
        ('prog "a>b"', 'prog "a>b"', []),
        ("prog a^>b", "prog a>b", []),
    ],
)
def test_redirections(line, text, redirects):
    command = only(line)
    assert [(item.handle, item.kind, item.target) for item in command.redirects] == redirects
    assert command.text.strip() == text.strip()


def test_redirection_before_an_operator():
    program = split_cmd("type x>y&&echo ok", {})
    assert [command.text for pipe in program[0][0] for command in pipe] == ["type x", "echo ok"]


@pytest.mark.parametrize("line", ["& a", "a && ", "a | ", "a >", "a || & b", "> "])
def test_lines_that_cmd_refuses(line):
    with pytest.raises(SyntaxProblem):
        split_cmd(line, {})


def test_parentheses_are_refused_aloud():
    with pytest.raises(LabRefusal, match="parentheses"):
        split_cmd("(a & b)", {})
