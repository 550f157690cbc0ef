"""Public names that load on first use (PEP 562).

`mockpush/__init__.py` runs before the pytest plugin in every pytest run of every user, so it must
cost nothing until a name is used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy_names(
    package: str, table: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of `package`; `table` maps each public name to its module."""

    def load(name: str) -> object:
        if name not in table:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        module = import_module(table[name])
        is_submodule = module.__name__ == f"{package}.{name}"
        value = module if is_submodule else getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    return load, lambda: sorted(table)
