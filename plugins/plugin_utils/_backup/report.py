"""What a run says: to people of the school as a log, to the terminal as a table, to monitoring as JSON.

Note that this utility is private to the collection.

The French log keeps the words of the source document's script, line by line, where it had words for what happened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .catalog import DATABASE, overview
from .names import moment_of, printable
from .run_state import FAILED, SAVED, UNCHANGED, RunState
from .selection import Selection

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "date": "Nous sommes le : {}",
        "begin": "La sauvegarde commence",
        "known": "Voici les databases actuellement connues sur ce serveur",
        "dumped": "Le dump de la base : {} est fini",
        "unchanged": "La base : {} n'a pas changé, sa sauvegarde du {} reste valable",
        "failed": "Erreur : la base {} n'est pas sauvegardée : {}",
        "dumps_ok": "Pas d'erreur sur les dump",
        "dumps_bad": "Erreur dans la phase de dump : {} sur {}",
        "restored": "La base : {} a été restaurée à l'essai, ses lignes sont identiques",
        "transfer": "Transfert vers {}",
        "transfer_ok": "Le transfert est terminé",
        "transfer_bad": "Erreur dans le transfert : {}",
        "absent": "Absent : {}",
        "local_gone": "Les sauvegardes locales sont detruites",
        "local_left": "Les sauvegardes locales de {} bases restent sur le serveur jusqu'à la prochaine fois",
        "removed": "{} anciennes sauvegardes ont été supprimées",
        "warning": "Attention : {}",
        "problem": "Erreur : {}",
        "good_end": "Tout est sauvegardé et vérifié",
        "bad_end": "La sauvegarde n'est PAS complète, lisez les lignes « Erreur »",
    },
    "en": {
        "date": "Today is: {}",
        "begin": "The backup begins",
        "known": "These are the databases that this server has now",
        "dumped": "The dump of the database {} is done",
        "unchanged": "The database {} has not changed, its backup of {} still holds",
        "failed": "Error: the database {} is not saved: {}",
        "dumps_ok": "No error in the dumps",
        "dumps_bad": "Error in the dumps: {} of {}",
        "restored": "The database {} was restored on trial, its rows are the same",
        "transfer": "Transfer to {}",
        "transfer_ok": "The transfer is done",
        "transfer_bad": "Error in the transfer: {}",
        "absent": "Absent: {}",
        "local_gone": "The local copies are removed",
        "local_left": "The local copies of {} databases stay on the server until the next time",
        "removed": "{} old backups were removed",
        "warning": "Mind: {}",
        "problem": "Error: {}",
        "good_end": "Everything is saved and proven",
        "bad_end": "The backup is NOT complete, read the lines that begin with 'Error'",
    },
}
LANGUAGES = tuple(_TEXTS)


def as_json(value: object) -> str:
    """Return a value as JSON for people and programs."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def lines(run: RunState) -> list[dict[str, Any]]:
    """Return a line per item of the run."""
    found = []
    for outcome in sorted(run.outcomes.values(), key=lambda one: (one.item.kind, one.item.name)):
        newest = outcome.item.newest_proven
        backup = outcome.backup if outcome.state != FAILED else newest
        found.append(
            {
                "kind": outcome.item.kind,
                "name": outcome.item.name,
                "state": outcome.state or FAILED,
                "size": backup.size if backup else 0,
                "rows": backup.rows if backup else 0,
                "seconds": outcome.duration,
                "restored": outcome.restored,
                "newest_proven": newest.as_of if newest else None,
                "destinations": sorted(newest.stored) if newest else [],
                "msg": "; ".join(outcome.problems),
            }
        )
    return found


def destination_lines(run: RunState) -> list[dict[str, Any]]:
    """Return a line per destination."""
    return [
        {
            "name": one.name,
            "state": "failed" if one.problem else "absent" if one.absent else "ok",
            "msg": one.problem or one.absent,
            "files": len(one.listing or {}),
            "bytes_sent": one.destination.sent,
        }
        for one in run.destinations
    ]


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the items of a run as the lines of a table."""
    head = ("", "state", "size MB", "rows", "seconds", "restored", "proven as of", "at")
    body = [
        (
            printable(str(row["name"])) if row["kind"] == DATABASE else f"({row['name']})",
            str(row["state"]),
            f"{row['size'] / 1e6:.2f}",
            str(row["rows"]) if row["kind"] == DATABASE else "",
            f"{row['seconds']:.1f}" if row["seconds"] else "",
            "yes" if row["restored"] else "",
            str(row["newest_proven"] or "NEVER"),
            ", ".join(row["destinations"]),
        )
        for row in rows
    ]
    return aligned(head, body, right=(2, 3, 4))


def overview_table(contexts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the overview of catalogs as the lines of a table."""
    several = len({line.get("set") for line in contexts}) > 1
    head = ("of", "", "proven as of", "age h", "restored on", "MB", "rows", "version", "at")
    body = [
        (
            str(line.get("set", "")),
            printable(str(line["name"])) + ("" if line["on_server"] else " (dropped)"),
            str(line["newest_proven"] or "NEVER"),
            "" if line["age_hours"] is None else f"{line['age_hours']:.1f}",
            str(line.get("restore_proven") or "never")[:10],
            f"{line.get('size', 0) / 1e6:.2f}",
            str(line.get("rows", "")),
            str(line.get("server_version", "")),
            ", ".join(sorted(line.get("destinations", {}))),
        )
        for line in contexts
    ]
    first = 0 if several else 1
    return aligned(head[first:], [row[first:] for row in body], right=[column - first for column in (3, 5, 6)])


def aligned(head: Sequence[str], body: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Return rows under their head as lines of equal columns; the columns in ``right`` are aligned there."""
    widths = [max(len(row[column]) for row in (head, *body)) for column in range(len(head))]
    return [
        "  ".join(
            cell.rjust(widths[column]) if column in right else cell.ljust(widths[column])
            for column, cell in enumerate(row)
        ).rstrip()
        for row in (head, *body)
    ]


def failure(failed: Sequence[str], saved: int, sentences: Sequence[str]) -> str:
    """Return the sentence of a run that failed, for the reasons in ``sentences``."""
    if failed:
        others = f", {saved} others are saved and proven" if saved else ""
        head = f"{len(failed)} of {len(failed) + saved} failed{others}"
    else:
        head = f"all {saved} are saved and proven, and the run failed" if saved else "nothing is saved"
    return f"{head}: {' | '.join(dict.fromkeys(sentences))}"


def log(run: RunState, selection: Selection, language: str) -> str:
    """Return the log of a run for the people of the school."""
    text = _TEXTS[language]
    said = [
        text["date"].format(_date(run)),
        text["begin"],
        text["known"],
        *(printable(one.name) for one in selection.chosen),
    ]
    databases = [one for one in run.outcomes.values() if one.item.kind == DATABASE]
    failed = [one for one in databases if one.problems]
    for outcome in sorted(databases, key=lambda one: one.item.name):
        if outcome.problems:
            said.append(text["failed"].format(printable(outcome.item.name), "; ".join(outcome.problems)))
        elif outcome.state == UNCHANGED and outcome.backup is not None:
            said.append(text["unchanged"].format(printable(outcome.item.name), _local(outcome.backup.stamp)))
        elif outcome.state == SAVED:
            said.append(text["dumped"].format(printable(outcome.item.name)))
    said.append(text["dumps_bad"].format(len(failed), len(databases)) if failed else text["dumps_ok"])
    for state in run.destinations:
        if state.absent:
            said.append(text["absent"].format(state.absent))
            continue
        said.append(
            text["transfer"].format(
                f"{state.name} ({state.destination.settings.url or state.destination.settings.path})"
            )
        )
        said.append(text["transfer_bad"].format(state.problem) if state.problem else text["transfer_ok"])
    waiting = [backup for item in run.catalog.items.values() for backup in item.backups if backup.staged]
    said.append(text["local_left"].format(len(waiting)) if waiting else text["local_gone"])
    said += [text["restored"].format(printable(one.item.name)) for one in databases if one.restored]
    if run.removed:
        said.append(text["removed"].format(len(run.removed)))
    said += [text["warning"].format(one) for one in run.warnings]
    said += [text["problem"].format(one) for one in run.problems]
    bad = failed or run.problems or any(one.problem for one in run.destinations)
    bad = bad or any(one.problems for one in run.outcomes.values())
    said.append(text["bad_end" if bad else "good_end"])
    return "\n".join(said) + "\n"


def _local(stamp: str) -> str:
    return f"{moment_of(stamp).astimezone():%d/%m/%Y %H:%M}"


def write_failure(run: RunState, sentence: str) -> None:
    """Tell monitoring and the people of the school of a night that could not begin; what is saved already is told as well."""
    if not run.options.databases:
        result = {"failed": True, "msg": sentence, "failed_items": [], "destinations": destination_lines(run)}
        run.catalog.write_text("status.json", as_json(status(run, result)))
    text = _TEXTS[run.options.language]
    said = [text["date"].format(_date(run)), text["problem"].format(sentence), text["bad_end"]]
    run.catalog.write_text(f"runs/{run.stamp}.log", "\n".join(said) + "\n")


def _date(run: RunState) -> str:
    """Return the time of a run as the old script wrote it (Perl's localtime)."""
    local = run.started.astimezone()
    return f"{_DAYS[local.weekday()]} {_MONTHS[local.month - 1]} {local.day:2d} {local:%H:%M:%S %Y}"


def status(run: RunState, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what monitoring reads: how the last run ended, and how old the newest proven backup of each context is."""
    contexts = overview(run.catalog.of_kind(DATABASE), datetime.now(UTC))
    proven = [one for one in contexts if one["newest_proven"] is not None and one["on_server"]]
    return {
        "set": run.catalog.name,
        "last_run": run.stamp,
        "ok": not result.get("failed", False),
        "msg": result.get("msg", ""),
        "failed_items": result["failed_items"],
        # A time and not an age, which would stand still when nothing runs any more.
        "oldest_newest_proven": min((one["newest_proven"] for one in proven), default=None),
        "oldest_newest_proven_unix": min(
            (int(moment_of(one["newest_proven"]).timestamp()) for one in proven), default=None
        ),
        "without_any_backup": [one["name"] for one in contexts if one["newest_proven"] is None and one["on_server"]],
        "contexts": contexts,
        "destinations": result["destinations"],
    }
