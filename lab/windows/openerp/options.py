# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of openerp-server.exe 6.0: command line, openerp-server.conf, and the file that ``-s`` writes.

Sources: facts/openerp.md A1.2, A1.5 and A2; bin/tools/config.py (configmanager) as read in the 6.1 and pg84 branches, the keys and
their order checked against a file that 6.0.4 saved; optparse of Python 2.5 [K: from memory of it, not read again].
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

from lab.windows.openerp import configparser2
from lab.windows.openerp.configparser2 import PythonError

CONF = "openerp-server.conf"
LOG_LEVELS = {"debug_sql": 5, "debug_rpc_answer": 6, "debug_rpc": 8, "debug": 10, "test": 15, "info": 20, "warn": 30,
              "error": 40, "critical": 50, "notset": 0}  # fmt: skip
# configmanager.__init__; None and False are told apart since the saved file shows them.
_DEFAULTS: dict[str, Any] = {
    "admin_passwd": "admin", "addons_path": None, "assert_exit_level": "error", "cache_timeout": 100000,
    "csv_internal_sep": ",", "db_host": False, "db_maxconn": 64, "db_name": False, "db_password": False,
    "db_port": False, "db_user": False, "debug_mode": False, "email_from": False, "import_partial": "", "list_db": True,
    "log_level": "info", "logfile": None, "login_message": False, "logrotate": True, "netrpc": True,
    "netrpc_interface": "", "netrpc_port": 8070, "osv_memory_age_limit": 1, "osv_memory_count_limit": None,
    "pg_path": None, "pidfile": None, "reportgz": False, "root_path": None, "secure_cert_file": "server.cert",
    "secure_pkey_file": "server.pkey", "smtp_password": False, "smtp_port": 25, "smtp_server": "localhost",
    "smtp_ssl": False, "smtp_user": False, "static_http_document_root": None, "static_http_enable": False,
    "static_http_url_prefix": None, "stop_after_init": False, "syslog": False, "test_commit": False,
    "test_disable": False, "test_file": False, "test_report_directory": False, "timezone": False, "xmlrpc": True,
    "xmlrpc_interface": "", "xmlrpc_port": 8069, "xmlrpcs": True, "xmlrpcs_interface": "", "xmlrpcs_port": 8071,
}  # fmt: skip
# (names, destination, kind): a kind is str, int, float, choice, or the value that a flag stores.
_OPTIONS: tuple[tuple[tuple[str, ...], str, Any], ...] = (
    (("-c", "--config"), "config", "str"), (("-s", "--save"), "save", True), (("-i", "--init"), "init", "str"),
    (("-u", "--update"), "update", "str"), (("-d", "--database"), "db_name", "str"),
    (("-r", "--db_user"), "db_user", "str"), (("-w", "--db_password"), "db_password", "str"),
    (("--pg_path",), "pg_path", "str"), (("--db_host",), "db_host", "str"), (("--db_port",), "db_port", "int"),
    (("--db_maxconn",), "db_maxconn", "int"), (("--stop-after-init",), "stop_after_init", True),
    (("--logfile",), "logfile", "str"), (("--no-logrotate",), "logrotate", False), (("--syslog",), "syslog", True),
    (("--log-level",), "log_level", "choice"), (("--without-demo",), "without_demo", "str"),
    (("-P", "--import-partial"), "import_partial", "str"), (("--pidfile",), "pidfile", "str"),
    (("--xmlrpc-interface",), "xmlrpc_interface", "str"), (("--xmlrpc-port",), "xmlrpc_port", "int"),
    (("--no-xmlrpc",), "xmlrpc", False), (("--xmlrpcs-interface",), "xmlrpcs_interface", "str"),
    (("--xmlrpcs-port",), "xmlrpcs_port", "int"), (("--no-xmlrpcs",), "xmlrpcs", False),
    (("--cert-file",), "secure_cert_file", "str"), (("--pkey-file",), "secure_pkey_file", "str"),
    (("--netrpc-interface",), "netrpc_interface", "str"), (("--netrpc-port",), "netrpc_port", "int"),
    (("--no-netrpc",), "netrpc", False), (("--static-http-enable",), "static_http_enable", True),
    (("--static-http-document-root",), "static_http_document_root", "str"),
    (("--static-http-url-prefix",), "static_http_url_prefix", "str"), (("--test-file",), "test_file", "str"),
    (("--test-report-directory",), "test_report_directory", "str"), (("--test-disable",), "test_disable", True),
    (("--test-commit",), "test_commit", True), (("--assert-exit-level",), "assert_exit_level", "choice"),
    (("--email-from",), "email_from", "str"), (("--smtp",), "smtp_server", "str"), (("--smtp-port",), "smtp_port", "int"),
    (("--smtp-ssl",), "smtp_ssl", True), (("--smtp-user",), "smtp_user", "str"),
    (("--smtp-password",), "smtp_password", "str"), (("--load-language",), "load_language", "str"),
    (("-l", "--language"), "language", "str"), (("--i18n-export",), "translate_out", "str"),
    (("--i18n-import",), "translate_in", "str"), (("--i18n-overwrite",), "overwrite_existing_translations", True),
    (("--modules",), "translate_modules", "str"), (("--addons-path",), "addons_path", "str"),
    (("--no-database-list",), "list_db", False), (("--cache-timeout",), "cache_timeout", "int"),
    (("--debug",), "debug_mode", True), (("-t", "--timezone"), "timezone", "str"),
    (("--osv-memory-count-limit",), "osv_memory_count_limit", "int"),
    (("--osv-memory-age-limit",), "osv_memory_age_limit", "float"),
)  # fmt: skip
# optparse's own defaults, which are not None and therefore always win over the file (facts/openerp.md A2, "also ignored").
_ALWAYS = {"debug_mode": False, "stop_after_init": False, "without_demo": False, "syslog": False, "test_disable": False,
           "test_commit": False, "static_http_enable": False, "osv_memory_count_limit": False,
           "osv_memory_age_limit": 1.0}  # fmt: skip
_NOT_SAVED = {"version", "language", "translate_out", "translate_in", "overwrite_existing_translations", "init", "update",
              "load_language"}  # fmt: skip
_BY_NAME = {name: (name, dest, kind) for names, dest, kind in _OPTIONS for name in names}


class Exit(Exception):
    """The program ends: what it prints on standard output and on standard error, and its exit code."""

    def __init__(self, code: int, out: str = "", error: str = "") -> None:
        super().__init__(code)
        self.code, self.out, self.error = code, out, error


@dataclass
class CommandLine:
    """What optparse makes of the arguments: only what was given."""

    given: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """A value, or None."""
        return self.given.get(name)


def _wrong(program: str, text: str) -> NoReturn:
    raise Exit(2, error=f"Usage: {program} [options]\n\n{program}: error: {text}\n")


def _long(program: str, word: str) -> str:
    """A long option by its name or an abbreviation of it, as optparse's _match_abbrev."""
    if word in _BY_NAME or word in ("--help", "--version"):
        return word
    found = sorted(name for name in (*_BY_NAME, "--help", "--version") if name.startswith(word))
    if len(found) == 1:
        return found[0]
    if not found:
        _wrong(program, f"no such option: {word}")
    _wrong(program, f"ambiguous option: {word} ({', '.join(found)}?)")


def _value(program: str, name: str, kind: Any, text: str) -> Any:
    try:
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
    except ValueError:
        _wrong(program, f"option {name}: invalid {'integer' if kind == 'int' else 'floating-point'} value: {text!r}")
    if kind == "choice" and text not in LOG_LEVELS:
        shown = ", ".join(repr(level) for level in LOG_LEVELS)
        _wrong(program, f"option {name}: invalid choice: {text!r} (choose from {shown})")
    return text


def read_arguments(argv: list[str], program: str, version: str) -> CommandLine:
    """Read the command line. Raises Exit."""
    found = CommandLine()
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            name, equals, inline = word.partition("=")
            name = _long(program, name)
        elif word.startswith("-") and len(word) > 1:
            name, inline = word[:2], word[2:]
            equals = "=" if inline else ""
        else:
            continue  # 6.0 looks at no operand
        if name in ("--version", "--help", "-h"):
            if name == "--version":
                raise Exit(0, out=f"OpenERP Server {version}\n")
            raise Exit(255, error="LAB: the help text of openerp-server is not played\n")
        if name not in _BY_NAME:
            _wrong(program, f"no such option: {name}")
        _unused, dest, kind = _BY_NAME[name]
        if not isinstance(kind, str):
            if equals and word.startswith("--"):
                _wrong(program, f"{name} option does not take a value")
            found.given[dest] = kind
            if inline:
                words.insert(0, f"-{inline}")
            continue
        if not equals:
            if not words:
                _wrong(program, f"{name} option requires an argument")
            inline = words.pop(0)
        found.given[dest] = _value(program, name, kind, inline)
    return found


@dataclass
class Settings:
    """The options of one run. ``others``: the sections of the file besides [options]."""

    values: dict[str, Any]
    others: dict[str, dict[str, str]]
    update: list[str]
    init: list[str]
    folder: str
    rcfile: str

    def text(self, name: str) -> str:
        """An option as text; empty for None and False."""
        value = self.values.get(name)
        return "" if value is None or value is False or value in ("None", "False") else str(value)

    def on(self, name: str) -> bool:
        """Whether an option is true, as Python sees it: the text ``0`` is."""
        return bool(self.values.get(name))

    def port(self, name: str) -> int:
        """A port; what is no number ends the program. Raises PythonError."""
        try:
            return int(str(self.values[name]))
        except ValueError:
            shown = repr(str(self.values[name]))
            raise PythonError("ValueError", f"invalid literal for int() with base 10: {shown}") from None

    def saved(self) -> bytes:
        """The file that ``-s`` writes. Raises PythonError when the file had further sections."""
        for section, values in sorted(self.others.items()):
            if values:
                raise PythonError("ConfigParser.NoSectionError", f"No section: {section!r}")
        return configparser2.written(
            {name: self.values[name] for name in sorted(self.values) if name not in _NOT_SAVED}
        )


def settings(line: CommandLine, conf: bytes | None, folder: str, user: str, rcfile: str) -> Settings:
    """What configmanager.parse_config makes of the command line and the file.

    Args:
        conf: the file; None when it is not there or cannot be opened, which ConfigParser.read passes over in silence.
        folder: of the program. user: whom getpass.getuser() finds. Raises Exit, PythonError.
    """
    if line.get("syslog") and line.get("logfile"):
        raise Exit(1, out="the syslog and logfile options are exclusive\n")
    values = dict(_DEFAULTS)
    others: dict[str, dict[str, str]] = {}
    if conf is not None:
        text = conf.decode("latin-1").replace("\r\n", "\n")
        sections = configparser2.parse(text, rcfile)
        if "options" in sections:
            for name, value in configparser2.items(sections, "options").items():
                values[name] = {"True": True, "true": True, "False": False, "false": False}.get(value, value)
            others = {name: configparser2.items(sections, name) for name in sections if name != "options"}
    for name in ("logfile", "pidfile"):
        if values[name] in ("None", "False"):
            values[name] = False
    values.update(_ALWAYS)
    not_options = ("config", "save", "init", "update", "translate_modules")
    for name, value in line.given.items():
        if name not in not_options and (value or isinstance(value, bool)):
            values[name] = value
    for name in ("assert_exit_level", "log_level"):
        level = str(values[name])
        if level not in LOG_LEVELS:
            try:
                int(level)
            except ValueError:
                raise PythonError("ValueError", f"invalid literal for int() with base 10: {level!r}") from None
    if not values["root_path"] or values["root_path"] == "None":
        values["root_path"] = folder
    if not values["addons_path"] or values["addons_path"] == "None":
        values["addons_path"] = f"{values['root_path']}\\addons"
    init = (line.get("init") or "").split(",") if line.get("init") else []
    update = (line.get("update") or "").split(",") if line.get("update") else []
    values["demo"] = {}
    given = line.get("translate_modules")
    values["translate_modules"] = sorted(part.strip() for part in given.split(",")) if given else ["all"]
    if not values["db_user"]:
        values["db_user"] = user
    if values["db_password"] and not values["db_host"]:
        values["db_host"] = "localhost"
    return Settings(values, others, update, init, folder, rcfile)
