"""Read and change openerp-server.conf and openerp-web.cfg as the programs read them, and lose nothing of what stands there.

Note that this utility is private to the collection.

The server reads with the ConfigParser of Python 2.5 to 2.7 (openerp-server 6.0, tools/config.py): ``[options]``, names without
regard to case, the last of several wins, `` ;`` begins a comment, ``%(`` is an interpolation that kills the start. The web client
reads with CherryPy's parser (cherrypy/lib/reprconf.py): the same lines, names with regard to case, values that are Python
literals. Lines that are not changed keep their bytes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .errors import ConfError

SERVER, WEB = "server", "web"
#: The section that holds everything.
SECTION = {SERVER: "options", WEB: "global"}
#: Values that no result, no difference and no sentence shows.
_SECRET = re.compile(r"passw", re.I)
_HEADER = re.compile(r"\[([^]]+)\]")
_OPTION = re.compile(r"([^:=\s][^:=]*?)(\s*[:=]\s*)(.*)$", re.S)
_NAME = re.compile(r"[A-Za-z_][\w.]*")
#: Every byte is one character: what is not changed is written as it was read.
_LOSSLESS = "latin-1"
_WINDOWS = "cp1252"
_HIDDEN = "(hidden)"

Value = str | int | float | bool | None


@dataclass(slots=True)
class _Line:
    """A line with its end; ``name`` and ``section`` only where it sets an option, ``more`` where it continues one."""

    text: str
    section: str = ""
    name: str = ""
    more: bool = False


def is_secret(name: str) -> bool:
    """Return whether the value of an option may be shown to nobody."""
    return bool(_SECRET.search(name))


def shown(name: str, value: str | None) -> str:
    """Return a value for people: a secret only as set or not."""
    if value is None:
        return "(absent)"
    return _HIDDEN if is_secret(name) and value not in ("", "False") else value


class Conf:
    """One configuration file.

    Attributes:
        kind: ``server`` or ``web``.
    """

    def __init__(self, kind: str, data: bytes, name: str) -> None:
        """Read it.

        Args:
            kind: which program reads it.
            data: its bytes.
            name: its path, for sentences.

        Raises:
            ConfError: the program could not read it.
        """
        self.kind = kind
        self.name = name
        text = data.decode(_LOSSLESS)
        self._end = "\r\n" if "\r\n" in text else "\n"
        self._lines: list[_Line] = []
        section, option = "", ""
        for number, line in enumerate(re.findall(r"[^\n]*\n|[^\n]+", text), 1):
            bare = line.rstrip("\r\n")
            first = bare.split(None, 1)[0].lower() if bare.strip() else ""
            if not first or bare[0] in "#;" or (first == "rem" and bare[0] in "rR"):
                self._lines.append(_Line(line))
            elif bare[0].isspace() and section and option:
                self._lines.append(_Line(line, section, option, more=True))
            elif (header := _HEADER.match(bare)) is not None:
                section, option = header[1], ""
                self._lines.append(_Line(line, section))
            elif not section:
                raise ConfError(
                    f"{name}: line {number} stands before any section; the program cannot read it. Put [{SECTION[kind]}] above it"
                )
            elif (found := _OPTION.match(bare)) is not None:
                option = self._name(found[1].rstrip())
                self._lines.append(_Line(line, section, option))
            else:
                raise ConfError(f"{name}: the program cannot read line {number} ('{bare.split()[0][:20]}'); correct it")

    def _name(self, name: str) -> str:
        return name.lower() if self.kind == SERVER else name

    @property
    def sections(self) -> list[str]:
        """Return the names of the sections, in their order."""
        return list(dict.fromkeys(line.section for line in self._lines if line.section and not line.name))

    def to_bytes(self) -> bytes:
        """Return the file."""
        return "".join(line.text for line in self._lines).encode(_LOSSLESS)

    def names(self) -> list[str]:
        """Return the names of the options of the section that counts."""
        wanted = SECTION[self.kind]
        return list(dict.fromkeys(line.name for line in self._lines if line.section == wanted and line.name))

    def get(self, name: str) -> str | None:
        """Return the value as the program reads it, None where the option does not stand there. ``%(`` is left as it is."""
        name, wanted = self._name(name), SECTION[self.kind]
        value: str | None = None
        for line in self._lines:
            if line.section != wanted or line.name != name:
                continue
            value = f"{value}\n{line.text.strip()}" if line.more else _option_value(line.text)
        return value.encode(_LOSSLESS).decode(_WINDOWS, "replace") if value is not None else None

    def text(self, name: str) -> str | None:
        """Return a value without the quotes of a Python literal."""
        value = self.get(name)
        if value is None or self.kind == SERVER:
            return value
        try:
            return str(ast.literal_eval(value))
        except (ValueError, SyntaxError):
            return value

    def means(self, one: str, other: str) -> bool:
        """Return whether two texts are the same value: those of the web client are Python's, which has two kinds of quotes."""
        try:
            return self.kind == WEB and bool(ast.literal_eval(one) == ast.literal_eval(other))
        except (ValueError, SyntaxError):
            return False

    def set(self, name: str, value: Value) -> None:
        """Set an option, or take it out (None).

        Raises:
            ConfError: the program would read another value, and what to do.
        """
        name, wanted = self._name(name), SECTION[self.kind]
        if wanted not in self.sections:
            raise ConfError(f"{self.name}: there is no section [{wanted}]; is this the file of the {self.kind}?")
        mine = [index for index, line in enumerate(self._lines) if line.section == wanted and line.name == name]
        if value is None:
            for index in reversed(mine):
                del self._lines[index]
            return
        text = self.rendered(name, value)
        heads = [index for index in mine if not self._lines[index].more]
        if not heads:
            last = max(index for index, line in enumerate(self._lines) if line.section == wanted)
            if not self._lines[last].text.endswith("\n"):
                self._lines[last].text += self._end
            self._lines.insert(last + 1, _Line(f"{name} = {text}{self._end}", wanted, name))
            return
        # The last one is the one that is read.
        head = heads[-1]
        for index in reversed([index for index in mine if index > head]):
            del self._lines[index]
        line = self._lines[head]
        end = line.text[len(line.text.rstrip("\r\n")) :] or self._end
        found = _OPTION.match(line.text.rstrip("\r\n"))
        line.text = f"{found[1]}{found[2]}{text}{end}" if found else f"{name} = {text}{end}"

    def rendered(self, name: str, value: Value) -> str:
        """Return the text that the program reads as ``value``.

        Raises:
            ConfError: there is none.
        """
        if _NAME.fullmatch(name) is None:
            raise ConfError(f"{self.name}: '{name}' is no name of an option; letters, digits, dots and underscores are")
        if self.kind == WEB:
            return _checked(name, repr(value), self.name)
        text = str(value)
        if isinstance(value, str):
            if is_secret(name) and not text.isascii():
                raise ConfError(
                    f"{self.name}: {name} holds an accent, whose bytes differ from program to program; use ASCII"
                )
            if value in ("True", "true", "False", "false") and is_secret(name):
                raise ConfError(f"{self.name}: the program would read {name} as a boolean; use another value")
            if value == "":
                raise ConfError(
                    f"{self.name}: an empty {name} cannot be told from one that is not set; leave it out instead"
                )
        return _checked(name, text, self.name)


def _checked(name: str, text: str, where: str) -> str:
    """Return ``text`` when Python 2's ConfigParser reads the same from a line."""
    try:
        raw = text.encode(_WINDOWS).decode(_LOSSLESS)
    except UnicodeEncodeError:
        raise ConfError(f"{where}: {name} holds a character that Windows' own code page has not") from None
    if "\n" in text or "\r" in text or "\0" in text:
        raise ConfError(f"{where}: {name} holds a line end; a value is one line")
    if "%(" in text:
        raise ConfError(f"{where}: {name} holds '%(', which keeps the program from starting; choose a value without it")
    if text != text.strip():
        raise ConfError(
            f"{where}: {name} begins or ends with a blank, which the program drops; choose a value without it"
        )
    if text.startswith(";") or _option_value(f"{name} = {raw}\n") != raw:
        raise ConfError(
            f"{where}: {name} holds ' ;' or '\"\"', of which the program reads less; choose a value without it"
        )
    return raw


def _option_value(line: str) -> str:
    found = _OPTION.match(line.rstrip("\r\n"))
    value = found[3] if found else ""
    at = value.find(";")
    # The interpreter looks at the first semicolon only, and for position 0 at the last character (RawConfigParser._read).
    if at != -1 and value[at - 1].isspace():
        value = value[:at]
    value = value.strip()
    return "" if value == '""' else value


def interpolated(conf: Conf) -> list[str]:
    """Return the options whose value keeps the program from starting (``%(``)."""
    return [name for name in conf.names() if conf.kind == SERVER and "%(" in (conf.get(name) or "")]


def apply(conf: Conf, wanted: Mapping[str, Value]) -> dict[str, tuple[str, str]]:
    """Set what differs and return name to (before, after), for people: secrets are hidden.

    Raises:
        ConfError: a value cannot be written.
    """
    changes: dict[str, tuple[str, str]] = {}
    for name, value in wanted.items():
        before = conf.get(name)
        after = conf.rendered(name, value).encode(_LOSSLESS).decode(_WINDOWS) if value is not None else None
        if before != after and not (before is not None and after is not None and conf.means(before, after)):
            conf.set(name, value)
            if Conf(conf.kind, conf.to_bytes(), conf.name).get(name) != after:
                raise ConfError(f"{conf.name}: {name} cannot be set; correct its line by hand")
            changes[name] = (shown(name, before), shown(name, after))
    return changes


def drift(conf: Conf, wanted: Mapping[str, Value]) -> list[dict[str, str]]:
    """Return the options that are not as wanted, each with what is there and what should be."""
    copy = Conf(conf.kind, conf.to_bytes(), conf.name)
    return [{"option": name, "is": one[0], "wanted": one[1]} for name, one in apply(copy, wanted).items()]


def differences(one: Conf, other: Conf, names: Iterable[str] | None = None) -> list[str]:
    """Return the names of the options that two files do not share."""
    wanted = list(names) if names is not None else [*dict.fromkeys([*one.names(), *other.names()])]
    return [name for name in wanted if one.get(name) != other.get(name)]
