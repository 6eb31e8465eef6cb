"""The session with one Windows host: WMI over WS-Management, programs in a WinRS shell, no PowerShell.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from . import wsman
from .errors import (
    DeadlineError,
    FaultError,
    LoginError,
    NotFoundError,
    OperationTimeoutError,
    OptionError,
    QuotaError,
    SessionError,
    StateError,
    UnreachableError,
    WindowsError,
)
from .libraries import (
    LOAD_ERROR,
    AuthenticationError,
    Protocol,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
    requests,
    xmltodict,
)
from .options import WinrmOptions, arguments_of
from .quoting import command_line
from .result import CODECS, OEM_CODE_PAGE, UTF8_CODE_PAGE, RunResult
from .wsman import Instance

#: One Receive waits so long before the service answers "nothing yet".
_OPERATION_TIMEOUT = 20
_BROKEN = "{name}: the connection broke during {about}; whether it was done has to be looked at, run again"
#: Seconds that the shell may have been idle to be used again: Server 2008 ends one after 180.
_SHELL_IDLE = 100.0
#: Base64 makes four bytes of three, and an envelope of 150 kB has to hold them, sealed, and itself.
_STDIN_CHUNK = 72 * 1024


class Session:
    """A session, to be used as a context manager: at most one shell, opened when it is needed and always closed."""

    def __init__(self, options: WinrmOptions) -> None:
        """Prepare the session; the host is asked at the first call.

        Raises:
            WindowsError: pywinrm is missing, or refuses the options.
        """
        if LOAD_ERROR is not None:
            raise WindowsError(
                f"pywinrm cannot be loaded ({LOAD_ERROR}); install it into the Python that runs Ansible: "
                "pip install 'pywinrm>=0.5,<0.6'"
            )
        self.options = options
        self.name = options.name
        self._broken = False
        self._protocol = self._connect()
        self._shell: str | None = None
        self._shell_used = 0.0
        self._version: tuple[int, ...] | None = None
        self._computer_name: str | None = None

    @property
    def address(self) -> str:
        """Return the name or address at which the host is reached."""
        return urlsplit(self.options.endpoint).hostname or self.name

    def twin(self) -> Session:
        """Return another session with the same host, for another thread; the caller closes it."""
        twin = Session(self.options)
        twin._version, twin._computer_name = self._version, self._computer_name
        return twin

    def _connect(self) -> Protocol:
        arguments: dict[str, Any] = {
            "transport": self.options.transport,
            "operation_timeout_sec": _OPERATION_TIMEOUT,
            "read_timeout_sec": _OPERATION_TIMEOUT + 10,
            **self.options.extras,
        }
        try:
            return Protocol(
                self.options.endpoint, username=self.options.user, password=self.options.password, **arguments
            )
        except Exception as error:  # pywinrm raises WinRMError or what an optional transport raises while it is loaded
            raise OptionError(f"{self.name}: pywinrm refuses the connection's options: {_one_line(error)}") from None

    def _renew(self) -> None:
        """Begin anew after a connection that broke: its sealed state and its shell are lost (pywinrm would go on for ever)."""
        if self._broken:
            with contextlib.suppress(Exception):
                self._protocol.transport.close_session()
            self._shell, self._broken = None, False
            self._protocol = self._connect()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the shell and the connection; a broken one closes without a word."""
        shell, self._shell = self._shell, None
        with contextlib.suppress(Exception):
            if shell is not None:
                self._protocol.close_shell(shell, close_session=False)
        with contextlib.suppress(Exception):
            self._protocol.transport.close_session()

    # WMI

    def get(self, name: str, namespace: str = wsman.CIMV2, **keys: str) -> Instance:
        """Return the WMI object of class ``name`` with these keys.

        Raises:
            NotFoundError: there is none.
            WindowsError: one of its kinds.
        """
        answer = self._send(
            wsman.resource(name, namespace), wsman.GET, {}, wsman.selector_set(keys), f"{name} {_shown(keys)}"
        )
        return self._parsed(wsman.parse_instance, answer)

    def query(self, wql: str, namespace: str = wsman.CIMV2) -> list[Instance]:
        """Return the rows of a WQL query, all of them, however many answers they take.

        Raises:
            NotFoundError: the class or the namespace does not exist.
            WindowsError: one of its kinds.
        """
        uri, about = wsman.resource("*", namespace), _class_in(wql)
        answer = self._send(uri, wsman.ENUMERATE, wsman.query_body(wql), {}, about)
        rows, context = self._parsed(wsman.parse_enumeration, answer)
        while context is not None:
            answer = self._send(uri, wsman.PULL, wsman.pull_body(context), {}, about)
            more, context = self._parsed(wsman.parse_enumeration, answer)
            rows += more
        return rows

    def invoke(
        self,
        name: str,
        method: str,
        arguments: wsman.Arguments | None = None,
        namespace: str = wsman.CIMV2,
        **keys: str,
    ) -> Instance:
        """Call a method of the WMI object with these keys and return its output parameters, ``ReturnValue`` among them.

        The arguments travel in a sealed message and reach no command line and no log of the host.

        Raises:
            NotFoundError: there is no such object.
            WindowsError: one of its kinds.
        """
        body = wsman.invoke_body(name, method, arguments or {}, namespace)
        uri = wsman.resource(name, namespace)
        answer = self._send(uri, f"{uri}/{method}", body, wsman.selector_set(keys) if keys else {}, f"{name}.{method}")
        return self._parsed(wsman.parse_instance, answer)

    @property
    def version(self) -> tuple[int, ...]:
        """Return the version of Windows, ``(6, 0, 6002)`` for Server 2008 SP2; asked once.

        Raises:
            WindowsError: one of its kinds.
        """
        if self._version is None:
            text = wsman.text(self.one_row("SELECT Version FROM Win32_OperatingSystem"), "Version")
            if not re.fullmatch(r"\d+(\.\d+)+", text):
                raise StateError(
                    f"{self.name}: Win32_OperatingSystem names no version ('{text[:40]}'); is WMI sound there?"
                )
            self._version = tuple(map(int, text.split(".")))
        return self._version

    @property
    def computer_name(self) -> str:
        """Return the host's own name; asked once.

        Raises:
            WindowsError: one of its kinds.
        """
        if self._computer_name is None:
            self._computer_name = wsman.text(self.one_row("SELECT Name FROM Win32_ComputerSystem"), "Name")
        return self._computer_name

    # Programs

    @property
    def code_page(self) -> int:
        """Return the code page of the shell, by the version of Windows."""
        return OEM_CODE_PAGE if self.version < (6, 1) else UTF8_CODE_PAGE

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 120.0,
        stdin: bytes = b"",
        secrets: Mapping[str, str] | None = None,
    ) -> RunResult:
        """Run a program, named by its full path, without cmd.exe where the host can, and return what it did.

        Args:
            argv: the program and its arguments, as the program is to see them.
            timeout: seconds after which it is terminated.
            stdin: what it reads.
            secrets: environment variables of a shell of its own, which is closed after the call.

        Raises:
            OptionError: an argument cannot be protected in a command line.
            DeadlineError: it took longer than ``timeout``.
            QuotaError: the host allows no more shells or operations.
            WindowsError: one of its kinds.
        """
        return self._run(command_line(argv), True, timeout, stdin, secrets, argv[0].rpartition("\\")[2])

    def run_line(
        self, line: str, *, timeout: float = 120.0, stdin: bytes = b"", secrets: Mapping[str, str] | None = None
    ) -> RunResult:
        """Run a line of cmd.exe, for redirections and built-in commands; values in it are the caller's to protect.

        Raises:
            As ``run``.
        """
        return self._run(line, False, timeout, stdin, secrets, line.split(maxsplit=1)[0])

    def encode(self, text: str) -> bytes:
        """Return ``text`` in the code page of the shell.

        Raises:
            OptionError: it holds a character that the code page has not.
        """
        try:
            return text.replace("\r\n", "\n").replace("\n", "\r\n").encode(CODECS[self.code_page])
        except UnicodeEncodeError:
            raise OptionError(
                f"{self.name}: a text holds a character that code page {self.code_page} has not"
            ) from None

    def decode(self, data: bytes) -> str:
        """Return what a program wrote as text, line ends LF."""
        return data.decode(CODECS[self.code_page], "replace").replace("\r\n", "\n")

    def run_builtin_as_program(self, line: str) -> RunResult:
        """Run a built-in command of cmd.exe as if it were a program: only cmd.exe, where it is not left out, answers.

        Raises:
            As ``run``.
        """
        return self._run(line, True, 30.0, b"", None, "the probe")

    def run_in(self, code_page: int, line: str) -> RunResult:
        """Run a line of cmd.exe in a shell of its own with this code page.

        Raises:
            As ``run``.
        """
        return self._run(line, False, 30.0, b"", {}, "the probe", code_page)

    def _run(
        self,
        line: str,
        skip_cmd: bool,
        timeout: float,
        stdin: bytes,
        secrets: Mapping[str, str] | None,
        about: str,
        code_page: int | None = None,
    ) -> RunResult:
        deadline = time.monotonic() + timeout
        code_page = code_page or self.code_page
        self._renew()
        own = self._open_shell(code_page, secrets) if secrets is not None else None
        try:
            shell = own or self._standing_shell(code_page)
            with self._explained(about):
                command = self._protocol.run_command(shell, line, console_mode_stdin=not stdin, skip_cmd_shell=skip_cmd)
            try:
                with self._explained(about):
                    for start in range(0, len(stdin), _STDIN_CHUNK):
                        self._check_deadline(deadline, timeout, about)
                        end = start + _STDIN_CHUNK >= len(stdin)
                        self._protocol.send_command_input(shell, command, stdin[start : start + _STDIN_CHUNK], end=end)
                return self._receive(shell, command, deadline, timeout, code_page, about)
            finally:
                # Ends what still runs, and frees the operation: the quota counts it until then.
                with contextlib.suppress(Exception):
                    self._protocol.cleanup_command(shell, command)
        finally:
            if own is not None:
                with contextlib.suppress(Exception):
                    self._protocol.close_shell(own, close_session=False)

    def _standing_shell(self, code_page: int) -> str:
        """Return the shell of the session, a new one when the host may have ended it."""
        if self._shell is not None and time.monotonic() - self._shell_used > _SHELL_IDLE:
            with contextlib.suppress(Exception):
                self._protocol.close_shell(self._shell, close_session=False)
            self._shell = None
        if self._shell is None:
            self._shell = self._open_shell(code_page, None)
        self._shell_used = time.monotonic()
        return self._shell

    def _open_shell(self, code_page: int, variables: Mapping[str, str] | None) -> str:
        with self._explained("a shell"):
            # English messages from the programs of PostgreSQL, whatever the language of Windows (gettext, LC_MESSAGES).
            environment = {"LC_MESSAGES": "C", **(variables or {})}
            return str(self._protocol.open_shell(codepage=code_page, env_vars=environment, noprofile=True))

    def _receive(
        self, shell: str, command: str, deadline: float, timeout: float, code_page: int, about: str
    ) -> RunResult:
        out: list[bytes] = []
        err: list[bytes] = []
        while True:
            self._check_deadline(deadline, timeout, about)
            try:
                with self._explained(about):
                    stdout, stderr, rc, done = self._protocol.get_command_output_raw(shell, command)
            except OperationTimeoutError:
                continue
            out.append(stdout)
            err.append(stderr)
            if done:
                return RunResult(rc, b"".join(out), b"".join(err), code_page)

    def _check_deadline(self, deadline: float, timeout: float, about: str) -> None:
        if time.monotonic() > deadline:
            raise DeadlineError(
                f"{self.name}: {about} did not end in {timeout:g} s and was terminated; what it was doing may be half "
                "done, so look at the host before you run again"
            )

    def one_row(self, wql: str) -> Instance:
        """Return the one row of a query about the host itself.

        Raises:
            StateError: there is none, or more than one.
            WindowsError: one of its kinds.
        """
        rows = self.query(wql)
        if len(rows) != 1:
            raise StateError(f"{self.name}: {_class_in(wql)} has {len(rows)} rows instead of one; is WMI sound there?")
        return rows[0]

    # The wire

    def _send(self, uri: str, action: str, body: dict[str, Any], header: dict[str, Any], about: str) -> bytes:
        self._renew()
        envelope = self._protocol.build_wsman_header(action, uri)
        envelope["env:Header"].update(header)
        envelope["env:Body"] = body
        with self._explained(about):
            return self._protocol.send_message(xmltodict.unparse({"env:Envelope": envelope}))

    def _parsed(self, parse: Any, answer: bytes) -> Any:
        try:
            return parse(answer)
        except (ValueError, ET.ParseError):
            self._broken = True
            raise SessionError(_BROKEN.format(name=self.name, about="the answer")) from None

    @contextlib.contextmanager
    def _explained(self, about: str) -> Iterator[None]:
        """Turn what pywinrm and requests raise into the sentence for it; a broken connection is not used again."""
        try:
            with self._marked():
                yield
        except WinRMOperationTimeoutError:
            raise OperationTimeoutError(
                f"{self.name}: {about} was not answered in {_OPERATION_TIMEOUT} s; is the host overloaded?"
            ) from None
        except WSManFaultError as error:
            raise self._fault(error, about) from None
        except AuthenticationError:
            raise LoginError(
                f"{self.name}: {self.options.endpoint} refused the user '{self.options.user}' or the password, or does not "
                f"accept {self.options.transport}; correct ansible_user and ansible_password. A local account is written "
                "NAME, an account of the domain DOMAIN\\NAME"
            ) from None
        except requests.exceptions.SSLError as error:
            raise UnreachableError(
                f"{self.name}: {self.options.endpoint} has a certificate or a TLS version that is not accepted "
                f"({_one_line(error)[:120]}); Server 2008 speaks TLS 1.0 only: use HTTP on port 5985, whose messages are sealed"
            ) from None
        except requests.exceptions.ConnectTimeout:
            raise UnreachableError(
                f"{self.name}: {self.options.endpoint} did not answer; is the host on, and reachable?"
            ) from None
        except requests.exceptions.ReadTimeout:
            raise SessionError(
                f"{self.name}: {self.options.endpoint} went silent during {about}; whether it was done has to be looked at, run again"
            ) from None
        except requests.exceptions.ConnectionError as error:
            text = _one_line(error)
            if "refused" in text or "NewConnectionError" in text or "Name or service" in text or "resolve" in text:
                raise UnreachableError(
                    f"{self.name}: {self.options.endpoint} cannot be reached; is WinRM enabled (winrm quickconfig) and the "
                    "port open?"
                ) from None
            raise SessionError(_BROKEN.format(name=self.name, about=about)) from None
        except (ET.ParseError, StopIteration):
            # requests gives a body that is shorter than it was announced without a word, and pywinrm reads it.
            raise SessionError(_BROKEN.format(name=self.name, about=about)) from None
        except requests.exceptions.RequestException as error:
            raise SessionError(f"{self.name}: {self.options.endpoint}: {_one_line(error)} during {about}") from None
        except WinRMTransportError as error:
            raise SessionError(
                f"{self.name}: {self.options.endpoint} answered with HTTP status {error.code} during {about}; is it the "
                "WinRM 2.0 service, or another web server?"
            ) from None
        except WinRMError as error:
            raise SessionError(f"{self.name}: {_one_line(error)} during {about}") from None

    @contextlib.contextmanager
    def _marked(self) -> Iterator[None]:
        try:
            yield
        except (WinRMOperationTimeoutError, WSManFaultError):
            raise
        except Exception:
            self._broken = True
            raise

    def _fault(self, error: WSManFaultError, about: str) -> WindowsError:
        fault = wsman.Fault(
            int(error.wsman_fault_code or 0),
            (error.fault_subcode or "").rpartition(":")[2],
            int(error.wmierror_code or 0),
        )
        where = f"{self.name}: WinRM"
        if wsman.is_quota(fault):
            return QuotaError(
                f"{where} allows no more shells or operations to '{self.options.user}' ({about}); close other sessions, or "
                'raise the limit on the host: winrm set winrm/config/winrs @{MaxShellsPerUser="25"}'
            )
        if wsman.is_access_denied(fault):
            return LoginError(
                f"{where} denies {about} to '{self.options.user}'; the account has to be a member of the Administrators"
            )
        if wsman.is_not_found(fault):
            return NotFoundError(f"{self.name}: {about} does not exist")
        numbers = ", ".join(str(one) for one in (fault.code, fault.wmi, fault.subcode) if one)
        return FaultError(f"{where} refused {about}: {_one_line(error.reason)[:200]} ({numbers or 'no number'})")


def protocol_arguments() -> frozenset[str]:
    """Return the names of the arguments of pywinrm's Protocol; empty where pywinrm is missing."""
    return arguments_of(Protocol) if LOAD_ERROR is None else frozenset()


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:300]


def _class_in(wql: str) -> str:
    match = re.search(r"\bFROM (\w+)", wql, re.I)
    return match[1] if match else "a query"


def _shown(keys: Mapping[str, str]) -> str:
    return ", ".join(f"'{value}'" for value in keys.values())
