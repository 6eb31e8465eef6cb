"""Values as other libraries expect them.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """Return ``value`` without the tags of ansible-core 2.19, which third-party libraries may not expect.

    Strings, numbers, lists and dictionaries are copied; anything else is returned as it is.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
