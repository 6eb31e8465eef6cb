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

#: An optional encryption type (0 to 9), then the secret: one word, or where IOS takes a LINE all that follows.
_TYPE = r"(?:(?P<type>[0-9]|encrypted|clear|hex|ascii) )?"
_WORD = rf"{_TYPE}(?P<secret>\S+)"
_LINE = rf"{_TYPE}(?P<secret>\S.*?)(?= *$)"

#: What stands before a secret that goes on to the end of the line (command references of IOS 12.2 to 15.x, type LINE).
_LINE_LEADS = (
    r"^ *enable (?:algorithm-type \S+ )?(?:secret|password)(?: level \d+)?",
    r"^ *username \S+ (?:.*? )??(?:algorithm-type \S+ )?(?:secret|password)",
    r"^ *(?:password|secret)(?! encryption\b)",
    r"\bkey-string",
    r"\bneighbor \S+ password",
    r"\bip ftp password",
    r"\bip http client (?:proxy-server \S+ )?password",
    r"\bppp (?:chap|pap) (?:sent-username \S+ )?password",
    r"\bvtp password",
    r"\btacacs-server (?:host \S+ (?:.*? )??)?key",
    r"\b(?:area|domain)-password",
    r"\bisis password",
    r"\bevent manager environment \S*(?:pass|secret|key)\S*",
    r"\bwpa-psk",
    r"\bmot de passe *:?",
)

#: What stands before a secret of one word.
_LEADS = (
    r"\bsnmp-server community",
    r"\bsnmp-server host \S+(?: vrf \S+)?(?: (?:traps|informs))?(?: version (?:1|2c|3 \S+))?",
    r"\bsnmp-server user \S+ \S+ .*?auth (?:md5|sha\S*)",
    r"\bpriv (?:des56|des|3des|aes(?: \d+)?)",
    r"\b(?:radius-server|radius server|tacacs server) (?:.*? )??key",
    r"^ *(?:server-private|server|client) \S+ (?:.*? )??(?:server-)?key",
    r"\bserver-key",
    r"\bpac key",
    r"^ *nas \S+ key",
    r"^ *user \S+ (?:nt)?(?:hash|password)",
    r"\bcrypto isakmp key",
    r"\bpre-shared-key(?: (?:address|hostname) \S+(?: \S+)?)?(?: key)?(?: (?:local|remote))?",
    r"\bpre-share key",
    r"\b(?:cipher|authenticator)",
    r"\bset session-key (?:inbound|outbound) ah \d+",
    r"\bpassphrase",
    r"\bntp authentication-key \d+ md5",
    r"\bip ospf (?:authentication-key|message-digest-key \d+ md5)",
    r"\bmessage-digest-key \d+ md5",
    r"\b(?:standby|vrrp|glbp)(?: \d+)? authentication(?: md5 key-string| text)?(?! md5\b)",
    r"^ *authentication (?:md5 key-string|text)",
    r"\bip msdp password peer \S+",
    r"\bsap pmk",
    r"\bdot1x (?:username \S+ )?password",
    r"\bencryption (?:vlan \d+ )?key \d+ size \S+",
    r"\bip (?:rip )?authentication(?: key|-key)",
    r"\bauthorization-?key",
    r"\bnhrp authentication",
    r"\bcredential.*? password",
    r"\b(?:ospfv3|ipv6 ospf|area \S+) (?:encryption|authentication) ipsec .*?\b(?:md5|sha1)",
)
#: What introduces a secret in commands not listed above, and options as well: a word of _NO_SECRET is left.
_GENERIC_LEADS = (r"\bauthentication-key", r"(?<![-\w])password", r"(?<![-\w])secret", r"^ *key")
_LINE_SECRET = re.compile(rf"(?P<lead>(?:{'|'.join(_LINE_LEADS)}) +){_LINE}", re.I)
_SECRET = re.compile(rf"(?P<lead>(?:{'|'.join(_LEADS)}) +){_WORD}")
#: The cipher's key, which stands between an OSPFv3 command and the key of its digest.
_ESP = re.compile(rf"(?P<lead>\besp (?:des|3des|aes-cbc \d+) +){_WORD}")
_GENERIC = re.compile(rf"(?P<lead>(?:{'|'.join(_GENERIC_LEADS)}) +){_WORD}")
#: In free text: "password: x", "mdp = x", "clé x".
_PROSE = re.compile(
    r"(?P<lead>\b(?:password|passwd|mot de passe|mdp|secret|cl[ée]|key) *[:=]? *)(?P<type>)(?P<secret>\S+)", re.I
)
#: ``key`` alone starts a numbered key of a key chain, which is no secret.
_KEY_NUMBER = re.compile(r"^ *key \d+$")
#: Words that follow a lead without being a secret: options of the command.
_NO_SECRET = re.compile(
    r"(?:encryption|min-length|recovery|logging|policy|expire|level|mode|strength|aging|history|lifetime|rollover|"
    r"fallback|disable|enable|required|optional|option|any|local|address|hostname|common-policy|key-chain|md5|text|rsa|chain|"
    r"generate|zeroize|hash|size|version|traps|informs|vrf|default|usage-keys|config-key|peer)$"
)
_URL = re.compile(r"(?P<lead>(?:\b[a-z][a-z0-9+.-]*://|\")[^\s:/@\"]*:)(?P<secret>[^\s\"]+)(?P<at>@[^\s@/\"]+)")
_HEX_LINE = re.compile(r"^ {2,4}[0-9A-F]{8}(?: [0-9A-F]{2,8}){0,8} *$")
#: Values that IOS writes as hashes are masked wherever they stand, whatever stands before them.
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
            return _PROSE.sub(value, text)
        if _HEX_LINE.match(text):
            return f"  {fingerprint(text.strip(), key)}"
        text = _HASH.sub(lambda match: fingerprint(match["secret"], key), text)
        text = _URL.sub(lambda match: f"{match['lead']}{fingerprint(match['secret'], key)}{match['at']}", text)
        if _KEY_NUMBER.match(text):
            return text
        text = _ESP.sub(value, text)
        masked = _LINE_SECRET.sub(generic, text)
        return masked if masked != text else _GENERIC.sub(generic, _SECRET.sub(value, text))

    def mask(text: str) -> str:
        return "\n".join(line(one) for one in text.split("\n"))

    return mask
