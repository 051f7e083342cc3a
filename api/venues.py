"""Which venues there are, told by the names of their files: the adapters themselves belong to the workers."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib.util import find_spec
from typing import Final

from api.schemas.account import Exchange

PAPER: Final = "paper"
#: Venues that want a third word beside key and secret. A test compares this with what the adapters' library says.
NEED_PASSPHRASE: Final = frozenset({"okx"})


@cache
def exchanges() -> dict[str, Exchange]:
    """Name -> venue."""
    spec = find_spec("exchanges")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    names = sorted(module.name for module in pkgutil.iter_modules(folders) if not module.name.startswith("_"))
    return {name: _exchange(name) for name in names}


def _exchange(name: str) -> Exchange:
    venue, _, market = name.rpartition("_")
    return Exchange(
        name=name,
        market="paper" if name == PAPER else "futures" if market == "futures" else "spot",
        paper=name == PAPER,
        needs_passphrase=venue in NEED_PASSPHRASE,
    )
