# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text as an ANSI program gets it: the bytes of code page 1252.

PostgreSQL's programs have ``main(int, char**)`` and no ``wmain``: the C runtime takes their arguments from GetCommandLineA and
their environment from GetEnvironmentStringsA, both in the ANSI code page, which is 1252 on French and English Windows
(Microsoft, "Code Pages", "main function and command-line arguments"; bestfit1252.txt of Unicode: 81, 8D, 8F, 90 and 9D
map to the controls of the same number). A database called ``Été`` in UTF-8 is therefore found only by a caller who wrote
``Ã‰tÃ©``, its bytes as characters of that page.
"""

from __future__ import annotations

import os

_CONTROLS = {0x81, 0x8D, 0x8F, 0x90, 0x9D}


def ansi(text: str) -> bytes:
    """The bytes of a text in code page 1252; what it lacks becomes ``?`` (WideCharToMultiByte's default character)."""
    return b"".join(
        bytes((ord(char),)) if ord(char) in _CONTROLS else char.encode("cp1252", "replace") for char in text
    )


def shown(data: bytes) -> str:
    """Bytes of code page 1252 as text, the inverse of ansi: what a file function of the C runtime makes of a name."""
    return "".join(chr(byte) if byte in _CONTROLS else bytes((byte,)).decode("cp1252") for byte in data)


def argument(text: str) -> str:
    """A word for a real program on this machine that shall get the ANSI bytes of a Windows text."""
    return os.fsdecode(ansi(text))


def file_name(text: str) -> str:
    """The name under which fopen looks for a file: characters that code page 1252 lacks have become ``?``."""
    return shown(ansi(text))
