"""The root of the exceptions that become a failed task.

Note that this utility is private to the collection.
"""

from __future__ import annotations


class LyceeError(Exception):
    """An error that a person can act on: its text is one sentence that names the thing and the cure.

    The text is shown as it is, so it never holds a secret. ``unreachable`` says that the host did not answer at all,
    which Ansible counts apart from a failure.
    """

    unreachable = False
