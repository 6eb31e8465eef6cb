"""The conversation with one IOS device.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import re
import time
from types import TracebackType

from . import transport
from .errors import LoginError, SessionError
from .libraries import ReadException, paramiko
from .options import DeviceOptions

#: How much of the end of an answer the patterns look at; a prompt and an ``end`` fit many times.
_TAIL = 512
_PAGER = re.compile(r"(?:\A|[\r\n]) ?--More-- ?\Z")
#: An answer larger than this, or that takes longer than so many read time-outs in all, never ends.
_MAX_BYTES = 32 * 1024 * 1024
_MAX_TIMEOUTS = 10
_ANY_PROMPT = re.compile(r"(?:\A|[\r\n])[^\r\n]{1,80}[>#] ?\Z")
#: A longer prompt and the longest command do not fit into 80 columns.
_LONG_PROMPT = 50
#: The first command both stops the pager and finds the prompt: what stands before its echo stands again at the end.
#: A look-alike in a banner cannot do that.
_FIRST = "terminal length 0"
_FIRST_ANSWER = re.compile(
    rf"(?:\A|[\r\n])(?P<prompt>[^\r\n]{{1,80}}[>#]) ?{_FIRST}[\r\n](?:.*[\r\n])?(?P=prompt) ?\Z", re.S
)
_PASSWORD = re.compile(r"password: ?\Z", re.I)
_NO_SECRET_SET = re.compile(r"% ?No password set", re.I)
_LOG_LINE = re.compile(r"^.{0,60}%[A-Z][A-Z0-9_-]*-[0-7]-[A-Z0-9_]+: ")


class Session:
    """A session in privileged mode, to be used as a context manager.

    Attributes:
        options: what it was opened with.
        prompt: the device's prompt, ``HOST#``.
    """

    def __init__(self, options: DeviceOptions) -> None:
        """Connect, log in, stop the pager and enter privileged mode.

        Raises:
            IosError: one of its kinds, in a sentence that names the device and the cure.
        """
        self.options = options
        self.prompt = ""
        self._connection = transport.connect(options)
        try:
            self._find_prompt()
            if self.prompt.endswith(">"):
                self.enable()
            # A terminal of 80 columns scrolls a longer line, and its echo would not be found.
            if len(self.prompt) > _LONG_PROMPT:
                self.ask("terminal width 511")
        except BaseException:
            transport.disconnect(self._connection)
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say ``exit`` and close; a session that is already broken closes without a word."""
        try:
            if not transport.is_over(self._connection.remote_conn):
                self._connection.write_channel("exit\n")
        except (OSError, EOFError, paramiko.SSHException, ReadException):
            pass
        transport.disconnect(self._connection)

    def ask(self, command: str, *, config: bool = False) -> str:
        """Return the answer to ``command``, line ends LF, without its echo and the prompt after it.

        Args:
            command: one line.
            config: the answer is a configuration. Its banners may hold the prompt, so a prompt that does not follow
                ``end`` is believed only when nothing more comes for ``settle_time`` seconds.

        Raises:
            SessionError: the connection broke, nothing came for ``read_timeout`` seconds, the pager is on, or the
                answer before had not ended.
        """
        self._type(command)
        at_prompt = re.compile(rf"[\r\n]{re.escape(self.prompt)} ?\Z")
        at_end = re.compile(rf"[\r\n]end[ \t]*[\r\n]+{re.escape(self.prompt)} ?\Z")
        text = self._read(at_end if config else at_prompt, command, unsure=at_prompt if config else None)
        return self._answer(text, command)

    # The parts

    def _type(self, line: str) -> None:
        try:
            self._connection.write_channel(f"{line}\n")
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._broken(line, error) from None

    def _read(
        self, done: re.Pattern[str], about: str, *, unsure: re.Pattern[str] | None = None, before: str = ""
    ) -> str:
        """Read until the end of ``before`` and what came matches ``done``, or ``unsure`` and nothing more comes."""
        pieces: list[str] = []
        tail = before[-_TAIL:]
        count = 0
        first = last = time.monotonic()
        while True:
            try:
                piece = self._connection.read_channel()
            except (OSError, EOFError, paramiko.SSHException, ReadException) as error:
                raise self._broken(about, error, count) from None
            if piece:
                pieces.append(piece)
                count += len(piece)
                tail = (tail + piece)[-_TAIL:]
                if done.search(tail):
                    return "".join(pieces)
                if _PAGER.search(tail):
                    raise SessionError(
                        f"{self.options.name}: the device pages its answer to '{about}' although '{_FIRST}' was sent; "
                        "allow that command to the account (privilege exec level 1 terminal length)"
                    )
                last = time.monotonic()
                if count > _MAX_BYTES or last > first + _MAX_TIMEOUTS * self.options.read_timeout:
                    raise SessionError(
                        f"{self.options.name}: the answer to '{about}' does not end ({count} bytes in {last - first:.0f} s); "
                        "is something else printing on this terminal?"
                    )
                continue
            if transport.is_over(self._connection.remote_conn):
                raise self._broken(about, None, count)
            settling = unsure is not None and unsure.search(tail) is not None
            wait = self.options.settle_time if settling else self.options.read_timeout
            if time.monotonic() >= last + wait:
                if settling:
                    return "".join(pieces)
                raise SessionError(
                    f"{self.options.name}: the answer to '{about}' stopped after {count} bytes and no "
                    f"prompt came for {wait:g} s; on a slow line raise ansible_netmiko_read_timeout"
                )
            transport.wait_readable(self._connection.remote_conn, last + wait)

    def _answer(self, text: str, command: str) -> str:
        """Cut echo and prompt off, and refuse what belongs to the answer before."""
        text = text.replace("\r\r\n", "\n").replace("\r\n", "\n")
        start = text.find(command)
        before = text[:start] if start >= 0 else text
        leftover = [
            line
            for line in before.split("\n")
            if line.strip() and line.strip() != self.prompt and not _LOG_LINE.match(line)
        ]
        if start < 0 or leftover:
            raise SessionError(
                f"{self.options.name}: the device was still answering when '{command}' was sent; on a slow line raise "
                "ansible_netmiko_settle_time"
            )
        body = text[start + len(command) :]
        body = body[: body.rindex("\n") + 1]
        return body.removeprefix("\n")

    def _find_prompt(self) -> None:
        # A prompt, or what looks like one: from then on the device reads what is typed.
        login = self._read(_ANY_PROMPT, "the login")
        self._type(_FIRST)
        text = login + self._read(_FIRST_ANSWER, _FIRST, before=login)
        match = _FIRST_ANSWER.search(text)
        if match is None:
            raise SessionError(f"{self.options.name}: no prompt was found after the login")
        self.prompt = match["prompt"].strip()

    def enable(self) -> None:
        """Enter privileged mode with the enable secret.

        Raises:
            LoginError: no secret is given, or the device refuses it.
            SessionError: the conversation broke.
        """
        options = self.options
        if not options.enable_secret:
            raise LoginError(
                f"{options.name}: the user '{options.user}' is not in privileged mode after the login and no enable "
                "secret is given; set ansible_become_password, or give the user privilege 15"
            )
        privileged = f"{self.prompt[:-1]}#"
        at_prompt = re.compile(rf"(?:\A|[\r\n]){re.escape(self.prompt[:-1])}[>#] ?\Z")
        self._type("enable")
        question = re.compile(f"{_PASSWORD.pattern}|{at_prompt.pattern}", re.I)
        text = self._read(question, "enable")
        if _NO_SECRET_SET.search(text):
            raise LoginError(
                f"{options.name}: the device has no enable secret; set one (enable secret ...) on its console"
            )
        if _PASSWORD.search(text):
            self._type(options.enable_secret)
            text = self._read(question, "enable")
        if not re.search(rf"(?:\A|[\r\n]){re.escape(privileged)} ?\Z", text):
            raise LoginError(
                f"{options.name}: the device refused the enable secret; correct ansible_become_password for this device"
            )
        self.prompt = privileged

    def _broken(self, about: str, error: BaseException | None, count: int = 0) -> SessionError:
        reason = f" ({type(error).__name__})" if error is not None else ""
        return SessionError(
            f"{self.options.name}: the connection broke during '{about}', after {count} bytes{reason}; nothing was "
            "replaced in the archive, run again"
        )
