"""What all actions of the collection share: arguments checked against the documentation, errors in one place.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from typing import Any, ClassVar

import yaml
from ansible.plugins.action import ActionBase

from ._errors import LyceeError
from ._values import plain

_KEYS = ("type", "required", "default", "choices", "elements")


def argument_spec(documentation: str) -> dict[str, Any]:
    """Return the argument spec that a module's DOCUMENTATION describes, so that the two cannot disagree.

    Args:
        documentation: the YAML text of a module's ``DOCUMENTATION``.
    """
    return _spec(yaml.safe_load(documentation)["options"])


def _spec(options: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in _KEYS if key in option}
        # Documentation has no word for it, so the name decides.
        if "password" in name:
            spec[name]["no_log"] = True
        if "suboptions" in option:
            spec[name]["options"] = _spec(option["suboptions"])
    return spec


class LyceeAction(ActionBase):
    """An action that says in ``SPEC`` what it takes and does its work in ``perform``."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    SPEC: ClassVar[dict[str, Any]] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the arguments, perform, and turn an error of the library into a failed result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=self.SPEC)
        try:
            result.update(self.perform(plain(arguments), task_vars or {}))
        except LyceeError as error:
            result["msg"] = str(error)
            result["unreachable" if error.unreachable else "failed"] = True
        return result

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Do the work and return the fields of the result.

        Raises:
            LyceeError: in a sentence that names the thing and the cure.
        """
        raise NotImplementedError

    @property
    def check_mode(self) -> bool:
        """Return whether the task may change nothing."""
        return bool(self._task.check_mode)

    @property
    def diff_mode(self) -> bool:
        """Return whether the task shows differences."""
        return bool(self._task.diff)
