"""Wait until a program that was started really serves.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .._windows import services
from .._windows.services import RUNNING
from .._windows.session import Session
from .errors import ServiceError

#: Seconds between two questions.
_INTERVAL = 0.5


def wait_until_it_answers(
    session: Session, name: str, ask: Callable[[], object], timeout: float, step: Callable[[str], None]
) -> None:
    """Wait for a real answer, which a running service does not yet give; one that ends meanwhile ends the wait.

    Args:
        session: the session with the host.
        name: of the service.
        ask: asks the program, and raises ServiceError where it does not answer.
        timeout: seconds.
        step: asked while it is waited.

    Raises:
        ServiceError: it ended, or does not answer in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            ask()
        except ServiceError as error:
            if services.service(session, name).state != RUNNING:
                raise ServiceError(
                    f"{session.name}: {name} started and ended again ({error}); its log says why"
                ) from None
            if time.monotonic() > deadline:
                raise
        else:
            return
        step(f"wait for {name}")
        time.sleep(_INTERVAL)
