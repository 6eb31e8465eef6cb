# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wevtutil.exe qe: events by a subset of the event log's XPath; el lists the channels.

Sources: Microsoft's wevtutil page; "Consuming events" (XPath 1.0 subset: =, <, >, and, or, timediff). XML is the same
in every language, text is not. Exit code: 0 or the error (15007 no such channel, 15001 bad query).
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable
from functools import partial
from xml.sax.saxutils import escape

from lab.windows.dfs import REPLICATION
from lab.windows.dfs.events import LOG
from lab.windows.events import Event
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_CHANNELS = ("Application", "Security", "System", "Setup", LOG)
_TOKEN = re.compile(r"\s*(timediff|'[^']*'|\"[^\"]*\"|\d+|<=|>=|!=|=|<|>|\(|\)|\[|\]|@\w+|\w+|\*|/)")
_LEVELS = {1: 2, 2: 3, 3: 4}
Test = Callable[[Event], bool]


def _every(tests: tuple[Callable[[Event], bool], ...], event: Event) -> bool:
    """Whether all the tests hold for the event."""
    return all(one(event) for one in tests)


class _BadQuery(Exception):
    """The event log refuses the query."""


class _XPath:
    """``*[System[Provider[@Name='X'] and (EventID=1 or EventID=2) and TimeCreated[timediff(@SystemTime) <= 1000]]]``."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s(?=(?:[^'\"]|'[^']*'|\"[^\"]*\")*$)", "", text):
            raise _BadQuery(text)
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        token = self._peek()
        if not token or (wanted and token not in wanted):
            raise _BadQuery(token)
        self._at += 1
        return token

    def parse(self) -> Test:
        """The whole query."""
        self._take("*", "Event")
        test: Test = lambda event: True  # noqa: E731
        if self._peek() == "[":
            self._take("[")
            self._take("System")
            self._take("[", "/")
            if self._tokens[self._at - 1] == "/":
                test = self._condition()
            else:
                test = self._either()
                self._take("]")
            self._take("]")
        elif self._peek() == "/":
            raise LabRefusal("this form of an event query is not played")
        if self._peek():
            if self._peek() in ("[", "and", "or"):
                raise LabRefusal("this form of an event query is not played")
            raise _BadQuery(self._peek())
        return test

    def _either(self) -> Test:
        tests = [self._all()]
        while self._peek() == "or":
            self._take()
            tests.append(self._all())
        return lambda event: any(test(event) for test in tests)

    def _all(self) -> Test:
        tests = [self._condition()]
        while self._peek() == "and":
            self._take()
            tests.append(self._condition())
        return lambda event: all(test(event) for test in tests)

    def _condition(self) -> Test:
        if self._peek() == "(":
            self._take()
            inner = self._either()
            self._take(")")
            return inner
        name = self._take()
        if name in ("EventID", "Level", "EventRecordID"):
            read: Callable[[Event], int] = {
                "EventID": lambda event: event.code,
                "Level": lambda event: _LEVELS[event.type],
                "EventRecordID": lambda event: event.record,
            }[name]
            return self._number(read)
        if name in ("Provider", "Channel", "Computer"):
            return self._text(name)
        if name == "TimeCreated":
            return self._time()
        if name in ("Task", "Keywords", "Opcode", "Security", "Execution", "Version", "Correlation"):
            raise LabRefusal(f"{name} in an event query is not played")
        raise _BadQuery(name)

    def _number(self, read: Callable[[Event], float]) -> Test:
        operator = self._take("=", "<", ">", "<=", ">=", "!=")
        text = self._take().strip("'\"")
        if not text.isdigit():
            raise _BadQuery(text)
        return _compared(read, operator, int(text))

    def _text(self, name: str) -> Test:
        if name != "Provider":
            raise LabRefusal(f"{name} in an event query is not played")
        self._take("[")
        self._take("@Name")
        self._take("=")
        wanted = self._take().strip("'\"")
        self._take("]")
        return lambda event: event.source.lower() == wanted.lower()

    def _time(self) -> Test:
        self._take("[")
        if self._peek() == "timediff":
            for token in ("timediff", "(", "@SystemTime", ")"):
                self._take(token)
            test = self._number(lambda event: (time.time() - event.time) * 1000)
        else:
            tests = [self._moment()]
            while self._peek() == "and":
                self._take()
                tests.append(self._moment())

            test = partial(_every, tuple(tests))
        self._take("]")
        return test

    def _moment(self) -> Test:
        self._take("@SystemTime")
        operator = self._take("=", "<", ">", "<=", ">=")
        text = self._take().strip("'\"").replace("Z", "+00:00")
        try:
            moment = datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
        except ValueError:
            raise _BadQuery(text) from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return _compared(lambda event: event.time, operator, moment.timestamp())


def _compared(read: Callable[[Event], float], operator: str, limit: float) -> Test:
    tests: dict[str, Test] = {
        "=": lambda event: read(event) == limit,
        "!=": lambda event: read(event) != limit,
        "<": lambda event: read(event) < limit,
        ">": lambda event: read(event) > limit,
        "<=": lambda event: read(event) <= limit,
        ">=": lambda event: read(event) >= limit,
    }
    return tests[operator]


def _stamp(event: Event) -> str:
    moment = datetime.datetime.fromtimestamp(event.time, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}000Z"


def to_xml(event: Event, computer: str) -> str:
    """One event as wevtutil prints it."""
    qualifiers = event.identifier >> 16
    names = event.source == "Service Control Manager"
    data = "".join(
        f"<Data{f' Name={chr(39)}param{index + 1}{chr(39)}' if names else ''}>{escape(text)}</Data>"
        for index, text in enumerate(event.strings)
    )
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        f"<Provider Name='{escape(event.source)}'/><EventID Qualifiers='{qualifiers}'>{event.code}</EventID>"
        f"<Level>{_LEVELS[event.type]}</Level><Task>0</Task><Keywords>0x80000000000000</Keywords>"
        f"<TimeCreated SystemTime='{_stamp(event)}'/><EventRecordID>{event.record}</EventRecordID>"
        f"<Channel>{event.log}</Channel><Computer>{computer}</Computer><Security/></System>"
        f"<EventData>{data}</EventData></Event>"
    )


def _print_text(call: Call, number: int, event: Event) -> None:
    level = {1: ("Erreur", "Error"), 2: ("Avertissement", "Warning"), 3: ("Information", "Information")}[event.type]
    moment = datetime.datetime.fromtimestamp(event.time).isoformat(timespec="milliseconds")
    call.out(call.say(
        f"Event[{number}]:\n  Nom du journal : {event.log}\n  Source : {event.source}\n  Date : {moment}\n"
        f"  ID de l'événement : {event.code}\n  Tâche : N/A\n  Niveau : {level[0]}\n  Opcode : N/A\n"
        f"  Mot clé : Classique\n  Utilisateur : N/A\n  Nom d'utilisateur : N/A\n"
        f"  Ordinateur : {call.host.plan.computer_name}\n  Description : \n{event.message}\n",
        f"Event[{number}]:\n  Log Name: {event.log}\n  Source: {event.source}\n  Date: {moment}\n"
        f"  Event ID: {event.code}\n  Task: N/A\n  Level: {level[1]}\n  Opcode: N/A\n  Keyword: Classic\n  User: N/A\n"
        f"  User Name: N/A\n  Computer: {call.host.plan.computer_name}\n  Description: \n{event.message}\n"))  # fmt: skip


def _failed(call: Call, code: int) -> int:
    call.err(call.host.system(code))
    return code


@program("wevtutil")
async def _wevtutil(call: Call) -> int:
    words = list(call.argv)
    verb = words.pop(0).lower() if words else ""
    if verb in ("el", "enum-logs"):
        for name in _CHANNELS:
            if name != LOG or REPLICATION in call.host.dfs.features:
                call.out(name)
        return 0
    if verb not in ("qe", "query-events"):
        known = ("gl", "sl", "ep", "gp", "im", "um", "gli", "epl", "al", "cl", "get-log", "set-log", "clear-log")
        if verb in known:
            raise LabRefusal(f"wevtutil {verb} is not played")
        call.err(call.say(f"La commande {verb} n'est pas prise en charge.", f"Command {verb} is not supported."))
        return 87
    options: dict[str, str] = {}
    names = []
    for word in words:
        if word.startswith(("/", "-")):
            option, _unused, value = word[1:].partition(":")
            options[option.lower()] = value
        else:
            names.append(word)
    longs = {"query": "q", "count": "c", "reversedirection": "rd", "format": "f"}
    options = {longs.get(name, name): value for name, value in options.items()}
    for option in options:
        if option in ("e", "element", "l", "locale", "lf", "logfile", "sq", "structuredquery", "bm", "bookmark", "sbm"):
            raise LabRefusal(f"wevtutil qe /{option} is not played")
        if option not in ("q", "c", "rd", "f"):
            call.err(call.say(f"Option non valide : /{option}", f"Invalid option {option}. Option is not supported."))
            return 87
    channel = next((known for known in _CHANNELS if names and known.lower() == names[0].lower()), None)
    if channel is None or (channel == LOG and REPLICATION not in call.host.dfs.features):
        return _failed(call, 15007 if names else 87)
    form = options.get("f", "xml").lower()
    if form == "renderedxml":
        raise LabRefusal("wevtutil qe /f:RenderedXml is not played")
    if form not in ("xml", "text") or not options.get("c", "1").isdigit():
        return _failed(call, 87)
    try:
        test = _XPath(options["q"]).parse() if options.get("q") else None
    except _BadQuery:
        return _failed(call, 15001)
    found = [event for event in call.host.events.events if event.log == channel and (test is None or test(event))]
    if options.get("rd", "false").lower() == "true":
        found.reverse()
    found = found[: int(options["c"])] if "c" in options else found
    for number, event in enumerate(found):
        if form == "xml":
            call.out(to_xml(event, call.host.plan.computer_name))
        else:
            _print_text(call, number, event)
    return 0
