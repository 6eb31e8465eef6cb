"""Commands of the administrator before and after a run; the one after it runs on failure too.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .._errors import LyceeError
from .errors import OptionError
from .tools import environment

_TIMEOUT = 600


def with_hooks(
    before: Sequence[str], after: Sequence[str], status: Path, run: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Run the one command, the work, and the other command; what the latter gets is in its environment.

    Raises:
        LyceeError: the first command failed (the work is not begun), or the work raised it; the other command ran all the same.
    """
    result: dict[str, Any] = {}
    raised: LyceeError | None = None
    try:
        if before:
            problem = _call(before, "running", status)
            if problem:
                raise OptionError(f"nothing was done, since {problem}")
        result = run()
    except LyceeError as error:
        raised = error
    failed = raised is not None or bool(result.get("failed"))
    if after:
        problem = _call(after, "failed" if failed else "ok", status)
        if problem and raised is None:
            text = f"{result['msg']} | {problem}" if failed else f"everything was done, and {problem}"
            result |= {"failed": True, "msg": text}
    if raised is not None:
        raise raised
    return result


def _call(command: Sequence[str], state: str, status: Path) -> str:
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            env={**environment(), "LYCEE_STATUS": state, "LYCEE_RESULT": str(status)},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the command {command[0]} did not end in {_TIMEOUT} s"
    except OSError as error:
        return f"the command {command[0]} cannot be run: {error.strerror}"
    if done.returncode == 0:
        return ""
    said = " ".join((done.stderr + done.stdout).decode("utf-8", "replace").split())[:200]
    return f"the command {command[0]} ended with code {done.returncode}: {said}"
