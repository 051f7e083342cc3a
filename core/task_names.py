"""Names of Celery tasks and queues, for whoever sends them and whoever carries them out."""

from __future__ import annotations

from typing import Final

#: These take `[instance_id]` and nothing else: they ring the doorbell, the wish itself is a row.
STRATEGY_START: Final = "strategy.start"
STRATEGY_STOP: Final = "strategy.stop"
STRATEGY_COMMAND: Final = "strategy.command"
#: `[account_id]` of a follower, `[master_id]`: they ring for what was asked of them; that itself is a row.
FOLLOWER_COMMAND: Final = "follower.command"
MASTER_CHANGED: Final = "master.changed"
#: `[account_id]`: find out what the account's key may do.
ACCOUNT_CHECK: Final = "account.check"
#: Answers with the worker that carried it out.
NODE_CANARY: Final = "node.canary"
#: Compares what is wanted, what is leased and what was seen last.
AUDIT_COMPARE: Final = "audit.compare"

#: `[run_id]`: do one piece of a backtest or an optimisation, and ask for the next.
COMPUTE_RUN: Final = "compute.run"
#: `[import_id]`: make a history of what was sent in, or of what a venue tells.
COMPUTE_IMPORT: Final = "compute.import"

#: Short tasks of the nodes that trade.
QUEUE_ENGINE: Final = "engine"
#: Work that keeps a processor busy, on workers of its own.
QUEUE_COMPUTE: Final = "compute"

DOORBELLS: Final = (STRATEGY_START, STRATEGY_STOP, STRATEGY_COMMAND, FOLLOWER_COMMAND, MASTER_CHANGED)
