"""What a program on a Windows host did, and the code pages in which it speaks.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Code pages of the shell: 65001 makes cmd.exe of NT 6.0 do nothing and say nothing (WinRb/WinRM#232, ansible#21915).
OEM_CODE_PAGE, UTF8_CODE_PAGE = 850, 65001
CODECS = {OEM_CODE_PAGE: "cp850", UTF8_CODE_PAGE: "utf-8"}


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a program did.

    Attributes:
        rc: its exit code. Real WinRM may report 0 for a silent program whatever it returned (WinRb/WinRM#154), so
            success is never concluded from it alone.
        stdout, stderr: the bytes as they came.
        code_page: that of the shell, in which the text was written.
    """

    rc: int
    stdout: bytes
    stderr: bytes
    code_page: int

    @property
    def text(self) -> str:
        """Return standard output as text, line ends LF; a byte that the code page has not becomes a replacement."""
        return self.stdout.decode(CODECS[self.code_page], "replace").replace("\r\n", "\n")

    @property
    def said(self) -> str:
        """Return both outputs as one line for a sentence, at most 300 characters."""
        both = self.stdout + b"\n" + self.stderr
        return " ".join(both.decode(CODECS[self.code_page], "replace").split())[:300]
