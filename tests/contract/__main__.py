"""`python -m tests.contract FILE`: hold a new strategy or venue to the contract before it lies in the house.

A file called `*_strategy.py` is a strategy, every other a venue. Ends with pytest's status.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def main(file: Path) -> int:
    """Run the suite of the file's kind, only the tests that name it."""
    is_strategy = file.stem.endswith("_strategy")
    package, suite = ("strategies", "test_strategies.py") if is_strategy else ("exchanges", "test_exchanges.py")
    name = file.stem.removesuffix("_strategy")
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder) / package
        inside.mkdir()
        shutil.copy(file, inside)
        os.environ["ARES_PLANTED"] = folder
        where = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "no:cacheprovider"]
        chosen = [str(ROOT / "tests" / "contract" / suite), "-k", f"[{name}]", "-q", "-p", "tests.contract.planted"]
        return int(pytest.main([*where, *chosen]))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
