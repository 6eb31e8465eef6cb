"""What a database tells of OpenERP: whether it is one of its, which release's data it carries, whether an update was interrupted.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._backup.errors import ServerError
from .._backup.names import literal
from .._postgresql.server import Server
from .versions import FINGERPRINTS, Release

#: States of a module between which no update stands (ir_module_module of 6.0).
_SETTLED = ("installed", "uninstalled", "uninstallable")
_IS_OPENERP = (
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname IN ('ir_module_module', 'ir_model_data');"
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What was read in a database.

    Attributes:
        openerp: whether it is one of OpenERP's, with `base` installed.
        base_version: of the module `base`: the series and no more.
        loaded: whether the data of the release that was asked for are there; None where that cannot be read.
        rows: records of `base` in ir_model_data.
        updated: when the newest of them was written, by the server's own clock.
        pending: modules between two states, as ``name (state)``.
    """

    openerp: bool
    base_version: str = ""
    loaded: bool | None = None
    rows: int = 0
    updated: str = ""
    pending: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it for a result."""
        return {
            "openerp": self.openerp,
            "base_version": self.base_version,
            "loaded": self.loaded,
            "rows": self.rows,
            "updated": self.updated,
            "pending": list(self.pending),
        }


def question(wanted: Release) -> str:
    """Return the SQL whose answer ``read_answer`` takes."""
    mark = FINGERPRINTS.get(wanted)
    loaded = (
        f"(SELECT count(*) FROM ir_model_data WHERE module = {literal(mark[0])} AND name = {literal(mark[1])})::text"
        if mark
        else "''"
    )
    settled = ", ".join(literal(state) for state in _SETTLED)
    return (
        "SELECT 'base', COALESCE((SELECT latest_version FROM ir_module_module WHERE name = 'base' AND state <> 'uninstalled'), ''), "
        f"{loaded}, (SELECT count(*) FROM ir_model_data WHERE module = 'base'), "
        "COALESCE((SELECT max(date_update) FROM ir_model_data WHERE module = 'base')::text, '');\n"
        f"SELECT 'pending', name, state FROM ir_module_module WHERE state NOT IN ({settled}) ORDER BY name;\n"
    )


def read_answer(text: str) -> Fingerprint:
    """Read what psql printed for ``question`` (unaligned, divided by ``|``).

    Raises:
        ValueError: it is something else.
    """
    base: list[str] = []
    pending = []
    for line in text.splitlines():
        parts = line.split("|")
        if parts[0] == "base" and len(parts) == 5:
            base = parts
        elif parts[0] == "pending" and len(parts) == 3:
            pending.append(f"{parts[1]} ({parts[2]})")
        elif line.strip():
            raise ValueError(line)
    if not base:
        raise ValueError(text)
    loaded = None if base[2] == "" else base[2] != "0"
    return Fingerprint(base[1] != "", base[1], loaded, int(base[3]), base[4], tuple(pending))


def read(server: Server, database: str, wanted: Release) -> Fingerprint:
    """Ask a database.

    Raises:
        ServerError: it does not answer, or with something else.
    """
    if server.sql(_IS_OPENERP, database).strip() != "2":
        return Fingerprint(openerp=False)
    answer = server.sql(question(wanted), database)
    try:
        return read_answer(answer)
    except ValueError:
        raise ServerError(f"{server.machine.name}: the tables of OpenERP in {database} cannot be read") from None


def own_login(server: Server, database: str) -> tuple[str, str]:
    """Return login and password of the first active user who has one (6.0 keeps them in clear); empty texts when there is none.

    The answer is for a login that proves the database serves, and for nothing else: it is shown and kept nowhere.

    Raises:
        ServerError: the database does not answer.
    """
    hexed = "encode(convert_to({}::text, 'UTF8'), 'hex')"
    answer = server.sql(
        f"SELECT {hexed.format('login')}, {hexed.format('password')} FROM res_users "
        "WHERE active AND COALESCE(password, '') <> '' AND password NOT LIKE '$1$%' ORDER BY id LIMIT 1;",
        database,
    ).strip()
    login, _bar, password = answer.partition("|")
    try:
        return bytes.fromhex(login).decode(), bytes.fromhex(password).decode()
    except ValueError:
        return "", ""
