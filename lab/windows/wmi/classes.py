# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The register of WMI classes: each file beside this one adds its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.windows.wmi.values import Row

if TYPE_CHECKING:
    from lab.windows.host import Host

Rows = Callable[["Host"], Iterable[Row]]
Finder = Callable[["Host", dict[str, str]], "Row | None"]
Arguments = dict[str, Any]
Method = Callable[["Host", "Row | None", Arguments], Awaitable[dict[str, Any]]]


@dataclass
class WmiClass:
    """One class.

    Attributes:
        keys: names of the key properties. rows: all instances, or None when they are too many to list.
        find: an instance by its keys, where listing is not the way. methods: by name, with their parameters' names;
            static ones need no instance.
    """

    name: str
    keys: tuple[str, ...]
    rows: Rows | None = None
    find: Finder | None = None
    namespace: str = "root/cimv2"
    singleton: bool = False
    methods: dict[str, tuple[tuple[str, ...], bool, Method]] = field(default_factory=dict)
    on: Callable[[Host], bool] = lambda host: True


CLASSES: dict[tuple[str, str], WmiClass] = {}


def register(wmi_class: WmiClass) -> WmiClass:
    """Make a class known."""
    CLASSES[wmi_class.namespace, wmi_class.name.lower()] = wmi_class
    return wmi_class


def method(wmi_class: WmiClass, name: str, *parameters: str, static: bool = False) -> Callable[[Method], Method]:
    """Add a method to a class."""

    def add(run: Method) -> Method:
        wmi_class.methods[name] = (parameters, static, run)
        return run

    return add
