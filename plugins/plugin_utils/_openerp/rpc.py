"""Talk to a running OpenERP server by XML-RPC, and to its web client by HTTP, as its users do.

Note that this utility is private to the collection.

An open port proves nothing: the server listens with a wrong database password and without PostgreSQL. What proves is
``db.list`` and a login. The first call on a database after PostgreSQL was restarted fails (``connection already closed``), the next
one works: each question is asked twice at most.
"""

from __future__ import annotations

import html
import http.client
import re
import socket
import urllib.error
import urllib.request
import xmlrpc.client
from collections.abc import Iterable
from typing import Any

from .errors import ServiceError
from .logs import redacted

_OPTION = re.compile(r"<option\s+value=\"([^\"]*)\"", re.I)
_FORM = re.compile(r"name=\"loginform\"", re.I)
#: What an answer of a login that is no answer looks like (facts: fault codes are texts).
GOOD, REFUSED = "good", "refused"


class _Transport(xmlrpc.client.Transport):
    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout = timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = self._timeout
        return connection


class Rpc:
    """The XML-RPC side of one server.

    Attributes:
        name: of the host, for sentences.
        url: of the server.
    """

    def __init__(self, name: str, host: str, port: int, timeout: float = 60.0) -> None:
        """Name the server; nothing is opened."""
        shown = f"[{host}]" if ":" in host else host
        self.name = name
        self.url = f"http://{shown}:{port}"
        self._timeout = timeout

    def call(self, service: str, method: str, *arguments: Any) -> Any:
        """Call a method once.

        Raises:
            ServiceError: a fault (``fault`` holds its code), or no answer.
        """
        proxy = xmlrpc.client.ServerProxy(
            f"{self.url}/xmlrpc/{service}", transport=_Transport(self._timeout), allow_none=True
        )
        try:
            with proxy:
                return getattr(proxy, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            # The code is a text here, and may hold what the database said.
            code = " ".join(redacted(str(fault.faultCode)).split())
            raise FaultError(
                f"{self.name}: OpenERP answers {service}.{method} with the fault '{code[:200]}'", code
            ) from None
        except xmlrpc.client.ProtocolError as error:
            raise ServiceError(
                f"{self.name}: {self.url} answers with HTTP {error.errcode}; is this OpenERP's XML-RPC port?"
            ) from None
        except (OSError, http.client.HTTPException, xmlrpc.client.ResponseError, ValueError) as error:
            raise ServiceError(f"{self.name}: OpenERP does not answer at {self.url} ({_reason(error)})") from None

    def asked(self, service: str, method: str, *arguments: Any) -> Any:
        """Call a method, a second time when the first failed.

        Raises:
            ServiceError: as ``call``.
        """
        try:
            return self.call(service, method, *arguments)
        except ServiceError:
            return self.call(service, method, *arguments)

    def version(self) -> str:
        """Return the release of the running code. It needs no database and proves nothing about them.

        Raises:
            ServiceError: no answer.
        """
        return str(self.asked("db", "server_version"))

    def databases(self) -> list[str]:
        """Return the names of the databases that the server offers.

        Raises:
            ServiceError: it cannot reach PostgreSQL, or lists none to anybody (``list_db = False``).
        """
        try:
            return sorted(str(name) for name in self.asked("db", "list"))
        except FaultError as error:
            if error.code.startswith("AccessDenied"):
                raise ServiceError(
                    f"{self.name}: OpenERP lists its databases to nobody (list_db = False), so nothing can be proven; set it to True"
                ) from None
            raise

    def login(self, database: str, user: str, password: str) -> str:
        """Return ``good``, ``refused`` (the database serves, the password is another), or the fault. A second try follows a fault.

        Raises:
            ServiceError: no answer, which says nothing of the database.
        """
        try:
            uid = self.asked("common", "login", database, user, password)
        except FaultError as error:
            return error.code[:200]
        return GOOD if uid else REFUSED


class FaultError(ServiceError):
    """OpenERP answered with a fault.

    Attributes:
        code: its code, in one line, without passwords.
    """

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


def login_page(name: str, host: str, port: int, timeout: float = 60.0) -> list[str]:
    """Return the databases that the login page of the web client offers.

    Only what stands on the page proves: with a dead server it is answered with 200 as well. No proxy is asked: the server is near.

    Raises:
        ServiceError: no answer, or another page.
    """
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}/openerp/login"
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=timeout) as answer:
            page = answer.read(2_000_000).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        raise ServiceError(f"{name}: the web client answers {url} with HTTP {error.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ServiceError(f"{name}: the web client does not answer at {url} ({_reason(error)})") from None
    return read_login_page(name, page)


def read_login_page(name: str, page: str) -> list[str]:
    """Return the databases of a login page, none where it has no list.

    Raises:
        ServiceError: it is no login page, or the web client cannot reach the server.
    """
    if _FORM.search(page) is None:
        raise ServiceError(f"{name}: what the web client shows is no login page")
    if "Could not connect to server" in page:
        raise ServiceError(f"{name}: the web client cannot connect to the OpenERP server")
    return sorted({html.unescape(value) for value in _OPTION.findall(page)})


def missing(wanted: Iterable[str], found: Iterable[str]) -> list[str]:
    """Return the names that are not found."""
    present = set(found)
    return [name for name in wanted if name not in present]


def _reason(error: BaseException) -> str:
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return _reason(error.reason)
    if isinstance(error, TimeoutError | socket.timeout):
        return "no answer in time"
    return getattr(error, "strerror", None) or " ".join(str(error).split())[:160] or type(error).__name__
