"""Read, write and hash files on a Windows host with the programs that every Windows has.

Note that this utility is private to the collection.

Bytes travel as base64: what is written goes through ``findstr`` (which copies lines from standard input to a file) and
``certutil -decode``, what is read comes from ``certutil -encode``. Nothing else is on a plain Server 2008.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import uuid

from . import wsman
from .errors import NotFoundError, OptionError, StateError, WindowsError
from .quoting import is_full_path, quote
from .session import Session

_SYSTEM32 = "C:\\Windows\\System32"
_CERTUTIL = f"{_SYSTEM32}\\certutil.exe"
_ICACLS = f"{_SYSTEM32}\\icacls.exe"
_HASH = re.compile(r"^(?:[0-9a-f]{2} ?){20,64}$", re.I | re.M)
_LENGTHS = {"sha256": 64, "sha1": 40}
#: certutil writes lines of 64 characters; a line of findstr may have 8191.
_LINE = 76


def check_path(path: str) -> str:
    """Return ``path`` when it is a full path that can stand in a line of cmd.exe, without a trailing backslash.

    Raises:
        OptionError: it is not.
    """
    if not is_full_path(path) or any(character in path for character in '"%\r\n\0<>|*?'):
        raise OptionError(f"'{path}' is no full path of a Windows file; write it as C:\\Folder\\File")
    return path if path.endswith(":\\") else path.rstrip("\\")


def exists(session: Session, path: str) -> bool:
    """Return whether the file exists (a folder does not count).

    Raises:
        WindowsError: one of its kinds.
    """
    return size(session, path) is not None


def size(session: Session, path: str) -> int | None:
    """Return the size of a file in bytes, or None when there is none.

    Raises:
        WindowsError: one of its kinds.
    """
    # By its key, and no query: WMI would look through whole disks for a condition that it does not take for a key.
    try:
        return wsman.number(session.get("CIM_DataFile", Name=check_path(path)), "FileSize") or 0
    except NotFoundError:
        return None


def folder_exists(session: Session, path: str) -> bool:
    """Return whether the folder exists.

    Raises:
        WindowsError: one of its kinds.
    """
    try:
        return bool(session.get("Win32_Directory", Name=check_path(path)))
    except NotFoundError:
        return False


def read(session: Session, path: str, timeout: float = 120.0) -> bytes:
    """Return the bytes of a file.

    Args:
        session: the session.
        path: a full path.
        timeout: seconds for each of the two programs that it takes.

    Raises:
        StateError: it cannot be read.
        WindowsError: one of its kinds.
    """
    path = check_path(path)
    expected = size(session, path)
    if expected is None:
        raise StateError(f"{session.name}: the file {path} does not exist")
    if expected == 0:
        # certutil refuses an empty file.
        return b""
    encoded = _temporary()
    try:
        done = session.run([_CERTUTIL, "-f", "-encode", path, encoded], timeout=timeout)
        lines = session.run_line(f"type {quote(encoded)}", timeout=timeout).stdout if done.rc == 0 else b""
    finally:
        _remove(session, encoded)
    text = re.sub(rb"-----[^-]*-----|\s", b"", lines)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if len(data) != expected:
        raise StateError(f"{session.name}: the file {path} cannot be read ({done.said or 'certutil said nothing'})")
    return data


def write(session: Session, path: str, data: bytes, timeout: float = 120.0) -> None:
    """Replace a file by ``data``, as a whole: written beside it, its hash compared, and moved over it.

    Args:
        session: the session.
        path: a full path.
        data: the bytes.
        timeout: seconds for each of the two programs that it takes.

    Raises:
        StateError: it cannot be written; the former file is then as it was.
        WindowsError: one of its kinds.
    """
    path = check_path(path)
    token = uuid.uuid4().hex[:12]
    encoded, decoded = f"{path}.{token}.b64", f"{path}.{token}.tmp"
    try:
        if data:
            text = base64.b64encode(data)
            lines = b"".join(text[start : start + _LINE] + b"\r\n" for start in range(0, len(text), _LINE))
            session.run_line(f'{_SYSTEM32}\\findstr.exe "^" > {quote(encoded)}', stdin=lines, timeout=timeout)
            done = session.run([_CERTUTIL, "-f", "-decode", encoded, decoded], timeout=timeout)
            said = done.said
        else:
            said = session.run_line(f"type nul > {quote(decoded)}").said
        if file_hash(session, decoded, len(data)) != (digest := _digest_like(data, session)):
            raise StateError(
                f"{session.name}: {path} could not be written ({said or 'is the disk full?'}); it is as it was"
            )
        former = size(session, path) is not None
        rights = f"{path}.{token}.acl"
        if former:
            # A new file takes the folder's rights; those of the file that it replaces are put back on it.
            session.run([_ICACLS, path, "/save", rights, "/Q"])
        session.run_line(f"move /y {quote(decoded)} {quote(path)}")
        if former:
            session.run([_ICACLS, path.rpartition("\\")[0] + "\\", "/restore", rights, "/Q"])
            _remove(session, rights)
        if file_hash(session, path, len(data)) != digest:
            raise StateError(
                f"{session.name}: {path} does not read back as it was written; is another program using it?"
            )
    finally:
        _remove(session, encoded, decoded)


def copy(session: Session, source: str, target: str) -> None:
    """Copy a file on the host and compare the copy.

    Raises:
        StateError: the copy is not equal.
        WindowsError: one of its kinds.
    """
    source, target = check_path(source), check_path(target)
    done = session.run_line(f"copy /b /y {quote(source)} {quote(target)}")
    length = size(session, source)
    if length is None or file_hash(session, source, length) != file_hash(session, target, length):
        raise StateError(f"{session.name}: {source} could not be copied to {target} ({done.said})")


def remove(session: Session, path: str) -> None:
    """Remove a file and look whether it is gone.

    Raises:
        StateError: it is still there.
        WindowsError: one of its kinds.
    """
    path = check_path(path)
    done = session.run_line(f"del /f /q {quote(path)}")
    if exists(session, path):
        raise StateError(f"{session.name}: {path} could not be removed ({done.said or 'is a program using it?'})")


def file_hash(session: Session, path: str, length: int | None = None) -> str:
    """Return the hash of a file as lower-case hexadecimal, or an empty text when there is no such file.

    SHA-256, or SHA-1 where this Windows' certutil knows no other (NT 6.0). The text around it is localized and is not
    looked at; older builds print the digits in pairs.

    Args:
        session: the session.
        path: a full path.
        length: its size where it is known: certutil refuses an empty file, whose hash is known anyway.

    Raises:
        WindowsError: one of its kinds.
    """
    path = check_path(path)
    if length == 0:
        return hashlib.sha256(b"").hexdigest() if size(session, path) == 0 else ""
    for name, words in _algorithms(session):
        done = session.run([_CERTUTIL, "-hashfile", path, *words], timeout=1800)
        for match in _HASH.finditer(done.text):
            digits = match.group().replace(" ", "").lower()
            if len(digits) == _LENGTHS[name]:
                return digits
    return ""


def _algorithms(session: Session) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what certutil may be asked: on NT 6.0 nobody has verified that it takes the name of an algorithm."""
    if session.version >= (6, 1):
        return (("sha256", ("SHA256",)),)
    return (("sha256", ("SHA256",)), ("sha1", ("SHA1",)), ("sha1", ()))


def _digest_like(data: bytes, session: Session) -> str:
    """Return the hash of ``data`` by the algorithm that the host's certutil has, known from an answer of it."""
    if not data:
        return hashlib.sha256(b"").hexdigest()
    if session.version >= (6, 1):
        return hashlib.sha256(data).hexdigest()
    known = file_hash(session, f"{_SYSTEM32}\\certutil.exe")
    return hashlib.new(
        "sha256" if len(known) == _LENGTHS["sha256"] else "sha1", data, usedforsecurity=False
    ).hexdigest()


def _temporary() -> str:
    return f"C:\\Windows\\Temp\\lycee-{uuid.uuid4().hex[:12]}.b64"


def _remove(session: Session, *paths: str) -> None:
    # What is being cleaned up after is the news, not this.
    with contextlib.suppress(WindowsError):
        session.run_line("del /f /q " + " ".join(quote(path) for path in paths))
