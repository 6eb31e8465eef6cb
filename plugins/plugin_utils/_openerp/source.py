"""Bring a setup to a Windows server from where it is kept, and let none run that is not the wanted one.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from .._windows import files
from .._windows.errors import WindowsError
from .._windows.quoting import is_full_path, quote
from .._windows.session import Session
from .errors import OptionError, SourceError

_CERTUTIL = "C:\\Windows\\System32\\certutil.exe"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ALL_IN_ONE = re.compile(r"all[-_ ]?in[-_ ]?one", re.I)
#: The setup that brings PostgreSQL too.
ALLINONE = "allinone"
URL, UNC, HOST, CONTROLLER = "url", "unc", "host", "controller"
#: A network logon cannot go on to a third machine with the user's name (facts: double hop).
_DOUBLE_HOP = (
    "a session of WinRM cannot use its account on another machine, so the share must let the computer or everybody read; or give the "
    "setup by http:// or as a file of this machine"
)


@dataclass(frozen=True, slots=True)
class Setup:
    """A setup as the inventory names it.

    Attributes:
        source: ``http://...``, ``\\\\server\\share\\file``, a full path on the server, or a file of this machine.
        sha256: of its bytes, 64 hexadecimal digits.
    """

    source: str
    sha256: str

    @property
    def kind(self) -> str:
        """Return where it is kept."""
        if re.match(r"https?://", self.source, re.I):
            return URL
        if self.source.startswith("\\\\"):
            return UNC
        return HOST if is_full_path(self.source) else CONTROLLER

    @property
    def name(self) -> str:
        """Return its file name."""
        return re.split(r"[\\/]", self.source.split("?")[0])[-1]


def setup_of(kind: str, wanted: str, source: str | None, sha256: str | None) -> Setup:
    """Return the setup of a program (``server``, ``web`` or ``allinone``) and release from the options.

    Raises:
        OptionError: one is missing or cannot be used; or it is the all-in-one setup.
    """
    if not source or not sha256:
        raise OptionError(
            f"the setup of the {kind} needs its source and its sha256 (sha256sum FILE, from a copy that you trust)"
        )
    found = Setup(source, sha256.strip().lower())
    if _SHA256.fullmatch(found.sha256) is None:
        raise OptionError(f"the sha256 of the setup of the {kind} is no SHA-256 (64 hexadecimal digits)")
    if kind != ALLINONE and _ALL_IN_ONE.search(found.name):
        raise OptionError(
            f"{found.name} is the all-in-one setup, which deletes PostgreSQL's folder with its data where Windows knows no installed "
            "PostgreSQL; give the separate setups of the server and the web client"
        )
    if not found.name.lower().endswith(".exe"):
        raise OptionError(f"{found.name} is no setup; its name ends in .exe")
    if kind not in found.name.lower() or wanted not in found.name:
        # A setup looks like another from outside, and the wrong one does harm: its name is all that tells.
        raise OptionError(
            f"{found.name} does not say that it is the setup of the {kind}, {wanted}; give it OpenERP's own name back"
        )
    return found


def local_bytes(setup: Setup, timeout: float) -> bytes:
    """Return the bytes of a setup that this machine can read, after its hash was compared.

    Raises:
        SourceError: it is not there, or is another.
    """
    if setup.kind == CONTROLLER:
        try:
            data = Path(setup.source).expanduser().read_bytes()
        except OSError as error:
            raise SourceError(f"{setup.source} cannot be read on this machine: {error.strerror}") from None
    else:
        try:
            # With the proxy of this machine, if it has one: a setup may come from far away.
            with urllib.request.build_opener().open(setup.source, timeout=timeout) as answer:
                data = answer.read()
        except urllib.error.HTTPError as error:
            raise SourceError(f"{setup.source} answers with HTTP {error.code}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceError(f"{setup.source} cannot be read: {' '.join(str(error).split())[:160]}") from None
    if hashlib.sha256(data).hexdigest() != setup.sha256:
        raise SourceError(
            f"{setup.source} is not the setup that is wanted: its SHA-256 is {hashlib.sha256(data).hexdigest()}"
        )
    return data


def look(session: Session, setup: Setup, timeout: float) -> str:
    """Return what is wrong with a setup, or an empty text; nothing is brought. A share is only looked into."""
    try:
        if setup.kind in (CONTROLLER, URL):
            local_bytes(setup, timeout)
        elif setup.kind == HOST:
            _verify(session, setup, setup.source, None, timeout)
        else:
            done = session.run_line(f"dir /b {quote(setup.source)}")
            if done.text.strip().casefold() != setup.name.casefold():
                return f"{setup.source} cannot be read from {session.name} ({done.said or 'dir says nothing'}): {_DOUBLE_HOP}"
    except (SourceError, WindowsError) as error:
        return str(error)
    return ""


def bring(session: Session, setup: Setup, folder: str, timeout: float) -> str:
    """Bring a setup into a folder of the server, compare its hash, and return its path there. One that is there already is taken.

    Raises:
        SourceError: it cannot be had, or is another one; what came is removed.
        WindowsError: the host cannot be asked.
    """
    if setup.kind == HOST:
        _verify(session, setup, setup.source, None, timeout)
        return setup.source
    target = f"{folder}\\{setup.name}"
    data: bytes | None = None
    if setup.kind == CONTROLLER:
        data = local_bytes(setup, timeout)
    if files.exists(session, target):
        try:
            _verify(session, setup, target, data, timeout)
        except SourceError:
            files.remove(session, target)
        else:
            return target
    if setup.kind == UNC:
        done = session.run_line(f"copy /b /y {quote(setup.source)} {quote(target)}", timeout=timeout)
        if not files.exists(session, target):
            raise SourceError(
                f"{session.name}: {setup.source} cannot be copied ({done.said or 'copy says nothing'}): {_DOUBLE_HOP}"
            )
    elif setup.kind == URL:
        # The server fetches it by itself where it can; else it comes through this session.
        session.run([_CERTUTIL, "-urlcache", "-split", "-f", setup.source, target], timeout=timeout)
        session.run([_CERTUTIL, "-urlcache", setup.source, "delete"])
        if not files.exists(session, target):
            data = local_bytes(setup, timeout)
    if data is not None:
        files.write(session, target, data, timeout)
    try:
        _verify(session, setup, target, data, timeout)
    except SourceError:
        files.remove(session, target)
        raise
    return target


def _verify(session: Session, setup: Setup, path: str, data: bytes | None, timeout: float) -> None:
    """Compare the hash on the server: by SHA-256, or where its certutil knows only SHA-1, by that of the bytes whose SHA-256 is right.

    Raises:
        SourceError: it is another file, or none.
    """
    length = files.size(session, path)
    if length is None:
        raise SourceError(f"{session.name}: there is no {path}")
    digits = files.file_hash(session, path, length)
    if len(digits) == 40:
        if data is None:
            data = local_bytes(setup, timeout) if setup.kind == URL else files.read(session, path, timeout)
        right = hashlib.sha256(data).hexdigest() == setup.sha256
        right = right and hashlib.sha1(data, usedforsecurity=False).hexdigest() == digits
    else:
        right = digits == setup.sha256
    if not right:
        raise SourceError(
            f"{session.name}: {path} is not the setup that is wanted (its hash is {digits or 'not to be had'}, the inventory says "
            f"{setup.sha256}); it was not run"
        )
