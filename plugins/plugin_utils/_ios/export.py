"""Make redacted copies of the archive, which may leave the machine.

Note that this utility is private to the collection.

A copy is a folder ``redacted-TIME`` in the export folder. A new one is made only when its content differs from the
newest; old ones are removed by age, never the newest ``keep_minimum``, and never a folder that was not made here.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .. import _storage as storage
from .archive import MANIFEST, Archive, now
from .errors import ArchiveError
from .secrets import masker

_STAMP = "%Y-%m-%dT%H%M%SZ"
_FOLDER = re.compile(r"redacted-(\d{4}-\d\d-\d\dT\d{6}Z)")
#: Stands in each copy and marks it as made here.
MARKER = "REDACTED"
_MARKER_TEXT = "Redacted copy of a configuration archive: each secret is a keyed fingerprint. It cannot be restored.\n"


@dataclass(slots=True)
class ExportResult:
    """What an export did, or would do: the newest copy, whether it is new, and the copies that were removed."""

    path: Path | None = None
    created: bool = False
    removed: list[Path] = field(default_factory=list)


def redacted_files(archive: Archive, *, create_key: bool = True) -> dict[str, bytes]:
    """Return the files of a redacted copy: path below the copy to content.

    Every file is masked, not only configurations; in descriptions, what follows a word such as "password" or "mot de passe".
    Manifests lose the sums of the full files, which would let a short secret be guessed.
    """
    mask = masker(archive.fingerprint_key(create=create_key))
    files: dict[str, bytes] = {MARKER: _MARKER_TEXT.encode("ascii")}
    for host in archive.hosts():
        manifest = archive.manifest(host)
        for filename in manifest.get("files", {}):
            data = archive.read(host, filename)
            if data is not None:
                files[f"{host}/{filename}"] = mask(data.decode(archive.encoding)).encode(archive.encoding)
        public = {key: value for key, value in manifest.items() if key != "files"}
        files[f"{host}/{MANIFEST}"] = (json.dumps(public, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
    return files


def copies(folder: Path) -> list[tuple[datetime, Path]]:
    """Return the copies in ``folder`` that were made here, oldest first."""
    found = []
    if folder.is_dir():
        for entry in folder.iterdir():
            match = _FOLDER.fullmatch(entry.name)
            if match and entry.is_dir() and not entry.is_symlink() and (entry / MARKER).is_file():
                with contextlib.suppress(ValueError):
                    found.append((datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC), entry))
    return sorted(found)


def export(
    archive: Archive, folder: Path, *, keep_days: float, keep_minimum: int, dry_run: bool = False
) -> ExportResult:
    """Make a copy where the newest is out of date, and remove the old ones.

    Args:
        archive: what is copied.
        folder: where the copies stand.
        keep_days: a copy older than this is removed.
        keep_minimum: that many newest copies stay whatever their age; at least 1.
        dry_run: only say what would be done.

    Raises:
        ArchiveError: the folder lies inside the archive, or cannot be written.
    """
    if folder.resolve().is_relative_to(archive.root.resolve()):
        raise ArchiveError(
            f"the export folder {folder} lies inside the archive {archive.root}; choose one outside of it"
        )
    result = ExportResult()
    # A dry run writes nothing, not even a lock.
    held = contextlib.nullcontext() if dry_run else archive.lock(shared=True)
    with held, _explained(folder):
        files = redacted_files(archive, create_key=not dry_run)
        present = copies(folder)
        newest = present[-1][1] if present else None
        if newest is not None and _content(newest) == files:
            result.path = newest
        else:
            made = now()
            result.path, result.created = folder / f"redacted-{made.strftime(_STAMP)}", True
            present.append((made, result.path))
            if not dry_run:
                _write(folder, result.path, files)
        kept = max(1, keep_minimum)
        for made, path in present[:-kept]:
            if (now() - made).total_seconds() > keep_days * 86400:
                result.removed.append(path)
                if not dry_run:
                    shutil.rmtree(path)
    return result


def _write(folder: Path, path: Path, files: dict[str, bytes]) -> None:
    storage.make_folder(folder)
    for left in folder.glob(".redacted-*.tmp"):
        shutil.rmtree(left)
    temporary = folder / f".{path.name}.tmp"
    for name, data in files.items():
        storage.make_folder((temporary / name).parent)
        storage.write_atomic(temporary / name, data)
    temporary.rename(path)
    if _content(path) != files:
        raise ArchiveError(f"the export {path} does not read back as it was written; is the disk sound?")


def _content(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"the export folder {folder} cannot be used: {error.strerror or error}; make it writable, or set "
            "network_backup_export_dir to another one"
        ) from None
