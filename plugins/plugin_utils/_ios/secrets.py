"""Replace the secrets of a configuration by keyed fingerprints.

Note that this utility is private to the collection.

A fingerprint is the same for the same secret and key, so a changed secret still shows in a diff, and it cannot be
guessed back without the key (HMAC-SHA256, RFC 2104), which stays in the archive. A plain hash would not do: type 7
passwords and community strings are short enough to try them all.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

#: One or more blank-separated words that are the secret: an optional encryption type (0 to 9), then the value.
_VALUE = r"(?:(?P<type>[0-9]|6|encrypted|clear|hex|ascii) )?(?P<secret>\S+)"

#: What stands before a secret, by the command references of IOS 12.2 to 15.x. Matched anywhere in a line.
_LEADS = (
    r"(?:enable|username \S+(?: privilege \d+)?) (?:algorithm-type \S+ )?(?:secret|password)(?: level \d+)?",
    r"^ ?(?:password|secret)",
    r"\busername \S+ .*?(?:secret|password)",
    r"snmp-server community",
    r"snmp-server host \S+(?: vrf \S+)?(?: (?:traps|informs))?(?: version (?:1|2c|3 \S+))?",
    r"snmp-server user \S+ \S+ .*?auth (?:md5|sha\S*)",
    r"\bpriv (?:des|3des|aes(?: \d+)?)",
    r"(?:tacacs-server|radius-server|radius server|tacacs server) .*?key",
    r"^ *(?:server-private|server) \S+ .*?key",
    r"\bkey-string",
    r"\bcrypto isakmp key",
    r"\bpre-shared-key(?: (?:address|hostname) \S+(?: \S+)?)?(?: key)?(?: (?:local|remote))?",
    r"\bset session-key \S+ \S+ \d+(?: cipher)?",
    r"\bpassphrase",
    r"\bppp (?:chap|pap) (?:sent-username \S+ )?password",
    r"\bppp (?:chap|pap) sent-username \S+ password",
    r"\bntp authentication-key \d+ md5",
    r"\bneighbor \S+ password",
    r"\bip ospf (?:authentication-key|message-digest-key \d+ md5)",
    r"\bmessage-digest-key \d+ md5",
    r"\bstandby (?:\d+ )?authentication(?: md5 key-string| text)?",
    r"\bvrrp \d+ authentication(?: md5 key-string| text)?",
    r"\bglbp \d+ authentication(?: md5 key-string| text)?",
    r"\bisis password",
    r"\b(?:area|domain)-password",
    r"\bvtp password",
    r"\bip ftp password",
    r"\bip http client (?:proxy-server \S+ )?password",
    r"\bwpa-psk (?:ascii|hex)",
    r"\bdot1x (?:username \S+ )?password",
    r"\bencryption (?:vlan \d+ )?key \d+ size \S+",
    r"\bip rip authentication key",
    r"\bip authentication-key",
    r"\bservice-?password",
    r"\bauthorization-?key",
    r"\bclient \S+ server-key",
    r"\bnhrp authentication",
    r"\bip nhrp authentication",
    r"\bcredential.*? password",
    r"\b(?:ospfv3|ipv6 ospf) (?:encryption|authentication) .*?\b(?:md5|sha1)",
    r"\besp (?:des|3des|aes-cbc \d+)",
)
#: What introduces a secret in commands not listed above, and options as well: a word of _NO_SECRET is left.
_GENERIC_LEADS = (
    r"\bauthentication-key",
    r"(?<![-\w])community",
    r"(?<![-\w])password",
    r"(?<![-\w])secret",
    r"^ *key",
)
_SECRET = re.compile(rf"(?P<lead>(?:{'|'.join(_LEADS)}) +){_VALUE}")
_GENERIC = re.compile(rf"(?P<lead>(?:{'|'.join(_GENERIC_LEADS)}) +){_VALUE}")
#: ``key`` alone starts a key chain's number (``key 1``), which is no secret.
_KEY_NUMBER = re.compile(r"^ *key \d{1,3}$")
#: Words that follow a lead without being a secret: options of the command.
_NO_SECRET = re.compile(
    r"(?:encryption|min-length|recovery|logging|policy|expire|level|mode|strength|aging|history|lifetime|rollover|"
    r"fallback|disable|enable|required|optional|any|local|address|hostname|common-policy|key-chain|md5|text|rsa|chain|"
    r"generate|zeroize|hash|size|version|traps|informs|vrf|default|new-format|usage-keys|send-community|ascii|encrypted)$"
)
_URL = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)(?P<secret>[^\s@]+)(?P<at>@)")
_HEX_LINE = re.compile(r"^ {2,4}[0-9A-F]{8}(?: [0-9A-F]{2,8}){0,8} *$")
#: Values that IOS writes as hashes or ciphers are masked wherever they stand, whatever stands before them.
_HASH = re.compile(r"(?P<secret>\$(?:1|5|6|8|9|14)\$\S+)")


def fingerprint(secret: str, key: bytes) -> str:
    """Return the mark that stands for ``secret``: ``<secret:`` and twelve hexadecimal digits, keyed by ``key``."""
    digest = hmac.new(key, secret.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
    return f"<secret:{digest[:12]}>"


def masker(key: bytes) -> Callable[[str], str]:
    """Return the function that masks one text with ``key``; lines that hold no secret come back unchanged."""

    def value(match: re.Match[str]) -> str:
        secret = match["secret"]
        if secret.startswith("<secret:"):
            return match.group()
        kind = f"{match['type']} " if match["type"] else ""
        return f"{match['lead']}{kind}{fingerprint(secret, key)}"

    def generic(match: re.Match[str]) -> str:
        return match.group() if match["type"] is None and _NO_SECRET.fullmatch(match["secret"]) else value(match)

    def line(text: str) -> str:
        if text.lstrip().startswith("description ") or text.startswith("!"):
            return text
        if _HEX_LINE.match(text):
            return f"  {fingerprint(text.strip(), key)}"
        text = _HASH.sub(lambda match: fingerprint(match["secret"], key), text)
        text = _URL.sub(lambda match: f"{match['scheme']}{fingerprint(match['secret'], key)}{match['at']}", text)
        if not _KEY_NUMBER.match(text):
            text = _GENERIC.sub(generic, _SECRET.sub(value, text))
        return text

    def mask(text: str) -> str:
        return "\n".join(line(one) for one in text.split("\n"))

    return mask
