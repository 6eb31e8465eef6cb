"""Say what the archive holds and how each device stands, for a person and for a program.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from .archive import Archive


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """How one device stands.

    Attributes:
        state: ``ok`` (the last attempt succeeded), ``failed``, or ``never`` (not in the archive).
        captured_at: when what the archive holds was last found different (ISO 8601, UTC); empty when it holds nothing.
        last_success: when the device was last read whole; empty when never.
        age_s: seconds since ``last_success``; None when never.
        unsaved_changes: whether its running configuration was not saved on the device, at the last success.
        msg: the sentence of the last failure, empty after a success.
    """

    host: str
    state: str
    model: str
    serial: str
    ios_version: str
    captured_at: str
    last_success: str
    age_s: int | None
    unsaved_changes: bool | None
    msg: str

    def as_dict(self) -> dict[str, object]:
        """Return the fields as a dictionary of plain values."""
        return asdict(self)


def report(archive: Archive, hosts: Sequence[str], now: datetime) -> list[DeviceReport]:
    """Return how each of ``hosts`` stands, and each further device that only the archive knows, sorted by name.

    Args:
        archive: the archive; it need not exist.
        hosts: inventory names.
        now: the time that ages are counted to.
    """
    reports = []
    for host in sorted({*hosts, *archive.hosts()}):
        manifest, status = archive.manifest(host), archive.status(host)
        success = str(status.get("last_success", ""))
        state = "never" if not manifest else "failed" if status.get("failed") else "ok"
        if host not in hosts:
            state = "retired"
        reports.append(
            DeviceReport(
                host=host,
                state=state,
                model=str(manifest.get("model", "")),
                serial=str(manifest.get("serial", "")),
                ios_version=str(manifest.get("ios_version", "")),
                captured_at=str(manifest.get("captured_at") or ""),
                last_success=success,
                age_s=int((now - datetime.fromisoformat(success)).total_seconds()) if success else None,
                unsaved_changes=status.get("unsaved_changes"),
                msg=str(status.get("msg", "")),
            )
        )
    return reports


def age_text(seconds: int | None) -> str:
    """Return an age as a person says it: ``3 min``, ``5 h``, ``2 d``; a dash when there is none."""
    if seconds is None:
        return "-"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(0, seconds)} s"


def table(reports: Sequence[DeviceReport]) -> list[str]:
    """Return the report as lines of text, one per device under a heading, then the sentences of what failed."""
    rows = [("device", "state", "model", "IOS", "read", "changed", "unsaved")]
    rows += [
        (
            one.host,
            one.state,
            one.model or "-",
            one.ios_version or "-",
            age_text(one.age_s),
            one.captured_at[:10] or "-",
            {True: "yes", False: "no", None: "-"}[one.unsaved_changes],
        )
        for one in reports
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [f"! {one.msg}" for one in reports if one.msg and one.state in ("failed", "never")]
    return lines
