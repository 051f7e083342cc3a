"""A plug-in of pytest: files of `ARES_PLANTED` are part of the house, as if they lay in its folders.

The contract suites then find them by the registries, like every other strategy and venue.
"""

from __future__ import annotations

import os
from pathlib import Path

import exchanges
import strategies


def pytest_configure() -> None:
    """Let the packages look into the folder as well."""
    folder = Path(os.environ["ARES_PLANTED"])
    for package in (strategies, exchanges):
        inside = folder / package.__name__
        if inside.is_dir():
            package.__path__.append(str(inside))
