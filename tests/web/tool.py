"""`scripts/web`, as a person runs it."""

from __future__ import annotations

import os
import subprocess

from tests.conftest import ROOT

WEB = ROOT / "web"


def web(verb: str, **environment: str) -> str:
    """Run a verb; gives what it said."""
    done = subprocess.run(
        ["scripts/web", verb], cwd=ROOT, env={**os.environ, "NO_COLOR": "1", **environment},
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, f"scripts/web {verb}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout
