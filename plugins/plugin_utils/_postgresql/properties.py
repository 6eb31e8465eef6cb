"""What is true of a database and stands in no dump of it: locale, rights, limits, settings, comment.

Note that this utility is private to the collection.

pg_dump leaves them to pg_dumpall (8.4 to 10 to all of it, later ones to ``pg_dump --create``). Catalogs changed between versions, so
columns are looked for and not concluded from the version: ``datcollate`` came with 8.4, ``datconfig`` went with 9.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .._backup.names import identifier, literal

Sql = Callable[[str], str]
#: Settings whose stored value is a list of names, quoted where needed (``GUC_LIST_QUOTE`` in guc.c).
_LISTS = frozenset(
    {
        "search_path",
        "temp_tablespaces",
        "session_preload_libraries",
        "local_preload_libraries",
        "shared_preload_libraries",
    }
)
_PRIVILEGES = {"C": "CREATE", "c": "CONNECT", "T": "TEMPORARY"}
_ITEM = re.compile(r'((?:"(?:[^"]|"")*"|[^=])*)=([A-Za-z*]*)/(.*)', re.S)
_BAR, _END = "\x1f", "\x1e"


def read_properties(sql: Sql) -> dict[str, dict[str, Any]]:
    """Return database to its properties.

    Args:
        sql: runs statements and returns what psql printed, unaligned.
    """
    columns = set(
        sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'pg_catalog.pg_database'::regclass AND attnum > 0 AND NOT attisdropped;"
        ).split()
    )
    settings = (
        "array_to_string(d.datconfig, E'\\x1d')"
        if "datconfig" in columns
        else "(SELECT array_to_string(s.setconfig, E'\\x1d') FROM pg_db_role_setting s WHERE s.setdatabase = d.oid AND s.setrole = 0)"
    )
    locale = "d.datcollate, d.datctype" if "datcollate" in columns else "'', ''"
    fields = [
        "d.datname",
        *locale.split(", "),
        "d.datconnlimit",
        "array_to_string(d.datacl, E'\\x1d')",
        "CASE WHEN d.datacl IS NULL THEN '' ELSE 'set' END",
        settings,
        "shobj_description(d.oid, 'pg_database')",
    ]
    columns_sql = f" || E'{_escaped(_BAR)}' || ".join(f"COALESCE({field}::text, '')" for field in fields)
    answer = sql(f"SELECT {columns_sql} || E'{_escaped(_END)}' FROM pg_database d WHERE NOT d.datistemplate;")
    found = {}
    for row in answer.split(_END):
        parts = row.lstrip("\n").split(_BAR)
        if len(parts) != len(fields):
            continue
        name, collate, ctype, limit, acl, has_acl, config, comment = parts
        found[name] = {
            "collate": collate,
            "ctype": ctype,
            "connection_limit": int(limit),
            "acl": acl.split("\x1d") if has_acl else None,
            "settings": config.split("\x1d") if config else [],
            "comment": comment,
        }
    return found


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}"


def statements(database: str, owner: str, properties: dict[str, Any]) -> list[str]:
    """Return the statements that give a database its properties, each to be tried by itself; the locale is given when it is made."""
    name = identifier(database)
    found = []
    limit = properties.get("connection_limit", -1)
    if limit != -1:
        found.append(f"ALTER DATABASE {name} CONNECTION LIMIT {int(limit)};")
    for setting in properties.get("settings") or []:
        key, _equals, value = setting.partition("=")
        if re.fullmatch(r"[A-Za-z_][\w.]*", key):
            shown = value if key.lower() in _LISTS else literal(value)
            found.append(f"ALTER DATABASE {name} SET {key} TO {shown};")
    if properties.get("comment"):
        found.append(f"COMMENT ON DATABASE {name} IS {literal(properties['comment'])};")
    acl = properties.get("acl")
    if acl is not None:
        found.append(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;")
        for item in acl:
            match = _ITEM.fullmatch(item)
            if match is None:
                continue
            role = match[1][1:-1].replace('""', '"') if match[1].startswith('"') else match[1]
            if role == owner:
                continue
            who = identifier(role) if role else "PUBLIC"
            for letter, star in re.findall(r"([CcT])(\*?)", match[2]):
                option = " WITH GRANT OPTION" if star else ""
                found.append(f"GRANT {_PRIVILEGES[letter]} ON DATABASE {name} TO {who}{option};")
    return found


def fingerprint(content: str, owner: str, encoding: str, properties: dict[str, Any]) -> str:
    """Return what tells one state of a database from another: its content, and what stands in no dump."""
    return json.dumps([content, owner, encoding, properties], sort_keys=True)
