"""Environments in which other engines are installed, by the benchmarks and not by the project."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path
from typing import Final

HFTBACKTEST: Final = "hftbacktest==2.4.4"


def environment(place: Path, *packages: str) -> Path:
    """The Python of an environment at a place; made there, with these packages, where it is missing."""
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--only-binary", ":all:", *packages], check=True)
    return python
