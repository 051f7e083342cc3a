"""ccxt without the venues that nobody asked for.

Its two packages import more than a hundred venues each when they are touched: over half a second and 50 MB for every
process, of which one venue or two are used. Here they are packages that run their own code only once something is
asked of them that they do not have; a venue is imported by its name.
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, Final

_PACKAGES: Final = ("ccxt", "ccxt.async_support")
#: What venues take from the package itself.
_SHARED: Final = ("ccxt.base.errors", "ccxt.base.exchange")


class _Lean(ModuleType):
    """A package of ccxt that has not run its own code yet."""

    def __getattr__(self, name: str) -> Any:
        # The interpreter asks every module for names such as `__wrapped__`.
        is_special = name.startswith("__")
        if is_special and name not in {"__all__", "__version__"}:
            raise AttributeError(name)
        if self.__name__ == "ccxt" and not is_special:
            for shared in map(importlib.import_module, _SHARED):
                if hasattr(shared, name):
                    return getattr(shared, name)
        super().__setattr__("__class__", ModuleType)
        if self.__spec__ is None or self.__spec__.loader is None:
            raise ImportError(f"{self.__name__} has no code.")
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing a venue's file puts it here under its name, which belongs to the class of that name in it.
        super().__setattr__(name, vars(value).get(name, value) if isinstance(value, ModuleType) else value)


def _prepare() -> None:
    for name in _PACKAGES:
        if name in sys.modules:
            continue
        spec = find_spec(name)
        if spec is None:
            raise ImportError(f"{name} is not installed; run `make setup`.")
        package = sys.modules[name] = module_from_spec(spec)
        package.__class__ = _Lean
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, package)


_prepare()


def venue(ccxt_id: str) -> Any:
    """ccxt's asynchronous class of a venue."""
    return getattr(importlib.import_module(f"ccxt.async_support.{ccxt_id}"), ccxt_id)


def exchange() -> Any:
    """What all of them are made from."""
    from ccxt.async_support.base.exchange import Exchange

    return Exchange
