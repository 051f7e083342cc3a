from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """The folder of recorded market data: ARES_DATA_DIR, or the one beside the repository."""
    named = os.environ.get("ARES_DATA_DIR")
    folder = Path(named) if named else BESIDE_THE_REPOSITORY
    if not folder.is_dir():
        pytest.skip("ARES_DATA_DIR does not name a folder of recorded market data")
    return folder
