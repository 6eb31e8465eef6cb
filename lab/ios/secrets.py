# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords as IOS stores them: types 0, 5 (MD5 crypt), 7 (Vigenere), 8 (PBKDF2) and 9 (scrypt).

Sources: Poul-Henning Kamp's md5crypt as in FreeBSD ``crypt-md5.c`` (type 5); Cisco IOS Security Command Reference,
``enable secret`` (types 8 and 9: PBKDF2-SHA256 with 20,000 rounds, scrypt with N=16384, r=1, p=1).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

_ITOA64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_CISCO = str.maketrans(_STANDARD, _ITOA64)
# The key of type 7, published since 1995 (the algorithm hides from a glance, it does not protect).
_KEY7 = b"dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87"


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def md5_crypt(password: str, salt: str) -> str:
    """The type 5 hash ``$1$salt$...`` of a password."""
    secret, seed = password.encode("latin-1", "replace"), salt.encode()
    inner = _md5(secret + seed + secret)
    text = secret + b"$1$" + seed
    text += (inner * (len(secret) // 16 + 1))[: len(secret)]
    length = len(secret)
    while length:
        text += b"\0" if length & 1 else secret[:1]
        length >>= 1
    digest = _md5(text)
    for turn in range(1000):
        text = secret if turn & 1 else digest
        text += seed if turn % 3 else b""
        text += secret if turn % 7 else b""
        text += digest if turn & 1 else secret
        digest = _md5(text)
    out = ""
    for first, second, third in ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)):
        value = digest[first] << 16 | digest[second] << 8 | digest[third]
        for _unused in range(4):
            out += _ITOA64[value & 63]
            value >>= 6
    value = digest[11]
    out += _ITOA64[value & 63] + _ITOA64[value >> 6]
    return f"$1${salt}${out}"


def hash_secret(password: str, seed: str | None = None) -> str:
    """A type 5 hash with a random salt, or with one that depends on ``seed`` only (then reproducible)."""
    if seed is None:
        salt = "".join(secrets.choice(_ITOA64[2:]) for _unused in range(4))
    else:
        salt = "".join(_ITOA64[2 + byte % 62] for byte in hashlib.sha256(seed.encode()).digest()[:4])
    return md5_crypt(password, salt)


def decode7(text: str) -> str | None:
    """The password behind a type 7 string, or None when it is not one."""
    try:
        start, data = int(text[:2]), bytes.fromhex(text[2:])
    except ValueError:
        return None
    return bytes(byte ^ _KEY7[(start + index) % len(_KEY7)] for index, byte in enumerate(data)).decode("latin-1")


def _cisco64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=").translate(_TO_CISCO)


def matches(kind: str, stored: str, password: str) -> bool:
    """Whether a password is the one stored with this type ("0", "5", "7", "8", "9")."""
    secret = password.encode("latin-1", "replace")
    parts = stored.split("$")
    if kind == "0":
        found = stored
    elif kind == "7":
        found = decode7(stored) or ""
        return bool(found) and hmac.compare_digest(found.encode(), password.encode())
    elif kind == "5" and len(parts) == 4:
        return hmac.compare_digest(md5_crypt(password, parts[2]).encode(), stored.encode())
    elif kind == "8" and len(parts) == 4:
        derived = hashlib.pbkdf2_hmac("sha256", secret, parts[2].encode(), 20000)
        return hmac.compare_digest(_cisco64(derived).encode(), parts[3].encode())
    elif kind == "9" and len(parts) == 4:
        derived = hashlib.scrypt(secret, salt=parts[2].encode(), n=16384, r=1, p=1, dklen=32)
        return hmac.compare_digest(_cisco64(derived).encode(), parts[3].encode())
    else:
        return False
    return hmac.compare_digest(found.encode(), password.encode())


def stored_secret(words: list[str]) -> tuple[str, str] | None:
    """The (type, value) that a configuration line holds after ``secret`` or ``password``, or None."""
    for keyword in ("secret", "password"):
        if keyword in words:
            rest = words[words.index(keyword) + 1 :]
            if len(rest) >= 2 and rest[0] in "05789" and len(rest[0]) == 1:
                return rest[0], rest[1]
            if rest:
                return "0", rest[0]
    return None
