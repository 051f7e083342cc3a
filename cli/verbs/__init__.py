"""The verbs of `ares`, a file each group: every file has an `add_to(app)`, and is found by looking into this folder."""

from __future__ import annotations

from typing import Final

#: The file of each verb: to carry one out only its own is loaded, since all of them together take seconds.
HOMES: Final = {
    "account": "account", "backtest": "backtest", "backtest-together": "backtest_together", "backup": "backup",
    "copy": "copy", "data": "data", "doctor": "machine", "down": "running", "init": "init", "kill": "strategy",
    "login": "running", "logs": "running", "migrate": "machine", "optimise": "optimise",
    "optimise-together": "optimise_together", "restore": "backup", "simulator": "running", "status": "running",
    "strategy": "strategy", "up": "running", "user": "user", "version": "version",
}  # fmt: skip
