"""Where `ares` begins. The simulator is another program, so it is started before anything of the house is loaded."""

from __future__ import annotations

import os
import sys

SIMULATOR = (sys.executable, "-m", "simulator")


def main() -> None:
    """`ares simulator ...` becomes the simulator's own process; every other verb is `cli.app`'s."""
    if sys.argv[1:2] == ["simulator"]:
        os.execv(SIMULATOR[0], [*SIMULATOR, *sys.argv[2:]])  # noqa: S606 - our own program, no shell
    from cli.app import main as run

    run()
