"""Check the versions of the libraries that old devices depend on.

Note that this utility is private to the collection.

paramiko 5 removed every SHA-1 key exchange and the ``ssh-rsa`` signature (paramiko's changelog, 5.0), and nothing can
bring them back: a Catalyst 2960 then answers "no acceptable kex algorithm". The bounds are those of ``pyproject.toml``;
a test compares the two.
"""

from __future__ import annotations

import re
from importlib import metadata

from ._errors import LyceeError

BOUNDS: dict[str, tuple[str, str, str]] = {
    # distribution: (lowest version, first version that does not do, what the bound protects)
    "netmiko": ("4.5", "5", "the session with IOS devices"),
    "paramiko": ("3.5.1", "5", "the SHA-1 key exchange, which a Catalyst 2960 needs and paramiko 5 has dropped"),
    "cryptography": ("42", "51", "the old ciphers and Diffie-Hellman groups of IOS"),
}


class RequirementError(LyceeError):
    """A library is missing or of a version that does not do."""


def version_key(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version (``4.8.0rc1`` gives ``(4, 8, 0)``), enough to compare with a bound."""
    numbers: list[int] = []
    for part in version.split("."):
        match = re.match(r"\d+", part)
        if match is None:
            break
        numbers.append(int(match.group()))
    return tuple(numbers)


def problem(name: str, installed: str | None) -> str | None:
    """Return the sentence for ``name`` in version ``installed`` (None: not installed), or None when it does."""
    low, high, purpose = BOUNDS[name]
    cure = f"install it into the Python that runs Ansible: pip install '{name}>={low},<{high}'"
    if installed is None:
        return f"The Python library {name} is missing ({purpose}); {cure}"
    if version_key(low) <= version_key(installed) < version_key(high):
        return None
    return f"{name} {installed} cannot be used ({purpose}); {cure}"


def check() -> None:
    """Check every bound against what is installed.

    Raises:
        RequirementError: naming the first library that does not do, and the command that mends it.
    """
    for name in BOUNDS:
        try:
            installed: str | None = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed = None
        sentence = problem(name, installed)
        if sentence is not None:
            raise RequirementError(sentence)
