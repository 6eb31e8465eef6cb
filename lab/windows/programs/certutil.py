# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certutil.exe: -hashfile, -encode, -decode, -urlcache.

Sources: facts/windows.md 2.7 and "Additions": localized text, the hash of older builds is printed with blanks, SHA-256
may be missing on NT 6.0 (``lab_certutil_sha256``), -decode does not overwrite without -f; the exit code is the HRESULT.
-urlcache is in certutil_url.py.
"""

from __future__ import annotations

import base64
import hashlib
import re

from lab.windows.certutil_url import url_cache
from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_ALGORITHMS = {"md5": "md5", "sha1": "sha1", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512"}
_KNOWN = ("-dump", "-store", "-addstore", "-delstore", "-verify", "-encodehex", "-decodehex", "-setreg",
          "-getreg", "-importpfx", "-ping", "-user", "-v", "-viewstore", "-repairstore")  # fmt: skip


def _failed(call: Call, verb: str, code: int) -> int:
    hresult = 0x80070000 | code if code < 0x80000000 else code
    message = call.host.system(code) if code < 0x80000000 else call.say("Algorithme non valide spécifié.",
                                                                        "Invalid algorithm specified.")  # fmt: skip
    shown = f"0x{hresult:x} (WIN32: {code})" if code < 0x80000000 else f"0x{hresult:x} (-2146893816)"
    call.out(
        call.say(f"CertUtil: -{verb} ÉCHEC de la commande : {shown}", f"CertUtil: -{verb} command FAILED: {shown}")
    )
    call.out(f"CertUtil: {message}")
    return hresult - 0x100000000


def _done(call: Call, verb: str) -> int:
    call.out(call.say(f"CertUtil: -{verb} La commande s'est terminée correctement.",
                      f"CertUtil: -{verb} command completed successfully."))  # fmt: skip
    return 0


def _hash(call: Call, words: list[str]) -> int:
    name = words[1].lower() if len(words) > 1 else "sha1"
    available = name in _ALGORITHMS and (name in ("md5", "sha1") or call.host.plan.certutil_sha256)
    if not available:
        return _failed(call, "hashfile", 0x80090008)
    try:
        data = call.host.drive.read(call.path(words[0]))
    except WindowsPathError as error:
        return _failed(call, "hashfile", error.code)
    digest = hashlib.new(_ALGORITHMS[name], data).hexdigest()
    if not call.host.plan.version.startswith("10."):
        digest = " ".join(digest[index : index + 2] for index in range(0, len(digest), 2))
    shown = name.upper()
    call.out(call.say(f"Hachage {shown} de {words[0]} :", f"{shown} hash of {words[0]}:"))
    call.out(digest)
    return _done(call, "hashfile")


def _code(call: Call, verb: str, words: list[str], force: bool) -> int:
    if len(words) != 2:
        call.out(call.say(f"CertUtil: -{verb} : nombre d'arguments incorrect", f"CertUtil: -{verb} expected 2 args"))
        return -2147024809
    try:
        data = call.host.drive.read(call.path(words[0]))
    except WindowsPathError as error:
        return _failed(call, verb, error.code)
    if verb == "encode":
        text = base64.b64encode(data).decode()
        lines = ["-----BEGIN CERTIFICATE-----", *re.findall(r".{1,64}", text), "-----END CERTIFICATE-----", ""]
        result = "\r\n".join(lines).encode()
    else:
        body = re.sub(rb"-----[A-Z ]+-----", b"", data)
        try:
            result = base64.b64decode(re.sub(rb"\s", b"", body), validate=True)
        except ValueError:
            return _failed(call, verb, 13)
    target = call.path(words[1])
    if call.host.drive.find(target) is not None and not force:
        return _failed(call, verb, 80)
    try:
        call.host.drive.write(target, result)
    except WindowsPathError as error:
        return _failed(call, verb, error.code)
    call.out(call.say(f"Longueur d'entrée = {len(data)}\nLongueur de sortie = {len(result)}",
                      f"Input Length = {len(data)}\nOutput Length = {len(result)}"))  # fmt: skip
    return _done(call, verb)


@program("certutil")
async def _certutil(call: Call) -> int:
    force, verb, words = False, "", []
    for word in call.argv:
        low = word.lower().replace("/", "-", 1) if word.startswith(("-", "/")) else ""
        if low == "-f":
            force = True
        elif low in ("-hashfile", "-encode", "-decode", "-urlcache"):
            verb = low[1:]
        elif low == "-split" and verb == "urlcache":
            continue
        elif low in _KNOWN:
            raise LabRefusal(f"certutil {word} is not played")
        elif low:
            call.out(call.say(f"Arguments inconnus : {word}", f"Unknown arg: {word}"))
            return -2147024809
        else:
            words.append(word)
    if not verb or not words:
        raise LabRefusal(f"this form of certutil is not played: {call.line.strip()}")
    if verb == "urlcache":
        return await url_cache(call, words, force)
    return _hash(call, words) if verb == "hashfile" else _code(call, verb, words, force)
