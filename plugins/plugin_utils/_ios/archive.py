"""The archive of configurations: what stands where, and how a device's new captures get in.

Note that this utility is private to the collection.

An archive is a git repository of its own, for one inventory::

    devices/HOST/running-config, startup-config, version.txt ... and manifest.json    versioned
    .lycee/status/HOST.json      when the device was last reached, and what went wrong    not versioned
    .lycee/partial/HOST/         what broke the completeness contract                     not versioned
    .lycee/fingerprint.key       the key of the fingerprints that stand for secrets       not versioned
    .lycee/lock                  shared by those who store, taken alone by the commit

A file is replaced only when its normalised text differs, so an unchanged device leaves the archive unchanged to the
byte. The manifest is written last and names the sha256 of each file: one that does not agree tells that a run was
interrupted, and the next one completes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import _storage as storage
from .captures import CAPTURES, RUNNING, STARTUP, normalise_config
from .collect import Collected
from .errors import ArchiveError

MANIFEST = "manifest.json"
PRIVATE = ".lycee"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]*")
_STAMP = "%Y-%m-%dT%H%M%SZ"


def now() -> datetime:
    """Return the time in UTC, without fractions of a second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a device that differs: ``before`` and ``after`` are the normalised texts."""

    capture: str
    filename: str
    before: str
    after: str


@dataclass(slots=True)
class StorePlan:
    """What storing would do.

    Attributes:
        changes: the files whose normalised text differs.
        files: file name to the bytes that will stand in the archive, for the manifest.
        writes: names of the files that are written; more than ``changes`` after an interrupted run.
        removals: file names that the device no longer gives (a startup configuration that was erased).
        manifest: the new manifest, or None when the old one holds.
    """

    changes: list[FileChange] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)
    manifest: dict[str, Any] | None = None

    @property
    def changed(self) -> bool:
        """Return whether a normalised text differs."""
        return bool(self.changes)


class Archive:
    """The archive in the folder ``root``."""

    def __init__(self, root: Path, encoding: str = "latin-1") -> None:
        self.root = root
        self.encoding = encoding
        self.private = root / PRIVATE

    # Places

    def folder(self, host: str) -> Path:
        """Return the folder of a device.

        Raises:
            ArchiveError: the inventory name cannot be a folder's name.
        """
        if not _NAME.fullmatch(host):
            raise ArchiveError(
                f"{host}: this inventory name cannot name a folder of the archive; use letters, digits and . _ - @ : +"
            )
        return self.root / "devices" / host

    def hosts(self) -> list[str]:
        """Return the names of the devices that the archive holds, sorted."""
        folder = self.root / "devices"
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []

    def prepare(self) -> None:
        """Make the archive's folders and prove that it can be written, before any device is asked.

        Raises:
            ArchiveError: it cannot be written, or belongs to somebody else.
        """
        with self._explained():
            storage.make_folder(self.root / "devices")
            storage.make_folder(self.private / "status")
            owner = self.root.stat().st_uid
            if owner != os.geteuid():
                raise ArchiveError(
                    f"the archive {self.root} belongs to the user number {owner} and this run is number "
                    f"{os.geteuid()}; run as its owner, or change it once: chown -R $(id -u) '{self.root}'"
                )
            if self.root.stat().st_mode & 0o077:
                self.root.chmod(storage.FOLDER_MODE)
            if not os.access(self.root / "devices", os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied", str(self.root / "devices"))

    @contextlib.contextmanager
    def lock(self, *, shared: bool = False) -> Iterator[None]:
        """Hold the archive: shared while a device is stored, alone while it is committed."""
        with self._explained():
            storage.make_folder(self.private)
            lock = storage.locked(self.private / "lock", shared=shared)
        with lock:
            yield

    def fingerprint_key(self, *, create: bool = True) -> bytes:
        """Return the 32 bytes that key the fingerprints, made at the first call.

        Without ``create`` nothing is written: where there is no key yet, one that holds for this call is returned.

        Raises:
            ArchiveError: the key cannot be read or made, or is not 32 bytes.
        """
        path = self.private / "fingerprint.key"
        if not create and not path.exists():
            return secrets.token_bytes(32)
        with self._explained():
            storage.make_folder(self.private)
            if not path.exists():
                with storage.locked(self.private / "key.lock"):
                    if not path.exists():
                        storage.write_atomic(path, secrets.token_bytes(32))
            key = path.read_bytes()
        if len(key) != 32:
            raise ArchiveError(f"{path} is damaged (32 bytes expected); remove it, a new one is made")
        return key

    # Reading

    def manifest(self, host: str) -> dict[str, Any]:
        """Return the manifest of a device; empty when there is none, or when it is damaged."""
        try:
            manifest = json.loads((self.folder(host) / MANIFEST).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        except OSError as error:
            raise self._sentence(error) from None
        return manifest if isinstance(manifest, dict) else {}

    def read(self, host: str, filename: str) -> bytes | None:
        """Return a file of a device, or None when there is none."""
        try:
            return (self.folder(host) / filename).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._sentence(error) from None

    def previous_sizes(self, host: str) -> dict[str, int]:
        """Return the bytes of the configurations that the archive holds of a device, by capture name."""
        sizes: dict[str, int] = {}
        for name in (RUNNING, STARTUP):
            data = self.read(host, CAPTURES[name].filename)
            if data is not None:
                sizes[name] = len(data)
        return sizes

    def status(self, host: str) -> dict[str, Any]:
        """Return what is known of the last runs for a device; empty when there was none."""
        try:
            status = json.loads((self.private / "status" / f"{host}.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return status if isinstance(status, dict) else {}

    # Planning and storing

    def plan(
        self, host: str, collected: Collected, *, captures: Sequence[str], volatile: Sequence[str] = ()
    ) -> StorePlan:
        """Compare what came with what stands in the archive.

        Args:
            host: the inventory name.
            collected: what the session brought.
            captures: the captures that were asked for; the files of the others are left as they are.
            volatile: expressions for further lines of a configuration that are no change.

        Raises:
            ArchiveError: the archive cannot be read.
        """
        plan = StorePlan()
        captures = [name for name in captures if name not in collected.left_alone]
        old_manifest = self.manifest(host)
        old_files = dict(old_manifest.get("files", {}))
        entries: dict[str, Any] = {
            name: entry for name, entry in old_files.items() if name not in {CAPTURES[c].filename for c in captures}
        }
        for name in captures:
            capture = CAPTURES[name]

            def normalise(text: str, config: bool = capture.config, plain: Any = capture.normalise) -> str:
                return normalise_config(text, volatile) if config else str(plain(text))

            old = self.read(host, capture.filename)
            text = collected.texts.get(name)
            if text is None:
                if old is not None and (
                    name in collected.unsupported or (name == STARTUP and collected.startup_absent)
                ):
                    plan.removals.append(capture.filename)
                    plan.changes.append(FileChange(name, capture.filename, normalise(old.decode(self.encoding)), ""))
                continue
            data = text.encode(self.encoding)
            before = "" if old is None else normalise(old.decode(self.encoding, "replace"))
            after = normalise(text)
            if old is None or before != after:
                plan.changes.append(FileChange(name, capture.filename, before, after))
                plan.writes.append(capture.filename)
            else:
                data = old
            plan.files[capture.filename] = data
            entries[capture.filename] = _entry(data)
        manifest = {
            "host": host,
            **collected.facts.as_dict(),
            "captured_at": old_manifest.get("captured_at"),
            "startup_absent": collected.startup_absent
            if STARTUP in captures
            else old_manifest.get("startup_absent", False),
            "unsupported": sorted(
                {*collected.unsupported, *(set(old_manifest.get("unsupported", [])) - set(captures))}
            ),
            "files": dict(sorted(entries.items())),
        }
        if "version" not in captures:
            manifest.update({key: old_manifest.get(key, "") for key in collected.facts.as_dict()})
        if manifest != old_manifest:
            manifest["captured_at"] = now().isoformat()
            plan.manifest = manifest
        return plan

    def store(self, host: str, plan: StorePlan) -> None:
        """Carry the plan out and read back what was written.

        Raises:
            ArchiveError: it cannot be written, or what was read back is not what was written.
        """
        folder = self.folder(host)
        if plan.manifest is None and not plan.writes and not plan.removals:
            return
        with self.lock(shared=True), self._explained():
            storage.make_folder(folder)
            for filename in plan.writes:
                storage.write_atomic(folder / filename, plan.files[filename])
            for filename in plan.removals:
                (folder / filename).unlink(missing_ok=True)
            if plan.manifest is not None:
                text = json.dumps(plan.manifest, indent=2, ensure_ascii=False) + "\n"
                storage.write_atomic(folder / MANIFEST, text.encode("utf-8"))
            for filename in plan.writes:
                if (
                    hashlib.sha256((folder / filename).read_bytes()).hexdigest()
                    != _entry(plan.files[filename])["sha256"]
                ):
                    raise ArchiveError(
                        f"{host}: {folder / filename} does not read back as it was written; is the disk sound?"
                    )

    def record(self, host: str, status: Mapping[str, Any]) -> None:
        """Write down how the last run went for a device; fields that are not given keep their value.

        Raises:
            ArchiveError: it cannot be written.
        """
        merged = {**self.status(host), **status}
        with self._explained():
            storage.write_atomic(
                self.private / "status" / f"{host}.json",
                json.dumps(merged, indent=2, ensure_ascii=False).encode("utf-8"),
            )

    def keep_partial(self, host: str, capture: str, text: str) -> Path:
        """Keep aside a text that broke the contract and return its path.

        Raises:
            ArchiveError: it cannot be written.
        """
        self.folder(host)
        folder = self.private / "partial" / host
        path = folder / f"{now().strftime(_STAMP)}-{capture}.partial"
        with self._explained():
            storage.make_folder(folder)
            storage.write_atomic(path, text.encode(self.encoding, "replace"))
        return path

    def leftovers(self) -> list[Path]:
        """Return the temporary files that killed runs left; to be asked and removed while the archive is held alone."""
        folders = (self.root / "devices", self.private)
        return sorted(path for folder in folders for path in folder.rglob(".*.tmp") if path.is_file())

    def expired_partials(self, keep_days: float) -> list[Path]:
        """Return the partial captures older than ``keep_days`` days, by the time in their names."""
        expired = []
        for path in sorted((self.private / "partial").glob("*/*.partial")):
            with contextlib.suppress(ValueError):
                made = datetime.strptime(path.name[:18], _STAMP).replace(tzinfo=UTC)
                if (now() - made).total_seconds() > keep_days * 86400:
                    expired.append(path)
        return expired

    # Errors

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._sentence(error) from None

    def _sentence(self, error: OSError) -> ArchiveError:
        where = error.filename or self.root
        return ArchiveError(
            f"the archive {self.root} cannot be used: {error.strerror or error} ({where}); make the folder writable for "
            "the user that runs the backup, or set network_backup_archive to another one"
        )


def _entry(data: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "lines": data.count(b"\n")}
