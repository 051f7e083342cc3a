"""Every key and channel in Redis, so that no two parts of the house mean different things by one name."""

from __future__ import annotations

from typing import Final

#: Sorted set: worker id by the server's time of its last heartbeat, in milliseconds.
WORKERS_ACTIVE: Final = "workers:active"
#: Tells a server that has lost its memory from one that has not; `random|server ms`.
ENGINE_BOOT: Final = "engine:boot"
#: Channel. Payload: an instance's number, `*` for all, `kill:on`, `kill:off`, and `kill:on:7` for owner 7 alone;
#: `follow:7` when something is asked of follower account 7, `master:7` when master 7 has a new version or was edited.
DOORBELL: Final = "ares:doorbell"
#: Stream of what happened, for the dashboard.
EVENTS: Final = "ares:events"
#: What stands in front of the keys of Celery's broker.
BROKER_PREFIX: Final = "q:"

RING_ALL: Final = "*"
#: Owner numbers begin at 1; this one stands for all of them.
EVERYBODY: Final = 0
KILL_ON: Final = "kill:on"
KILL_OFF: Final = "kill:off"
FOLLOW: Final = "follow:"
MASTER: Final = "master:"


def strategy_lock(instance: int) -> str:
    """The lease of an instance: `worker|token`."""
    return f"strategy:lock:{instance}"


def account_lock(account: int) -> str:
    """The lease of an account, under which one worker runs everything that trades on it."""
    return f"account:lock:{account}"


def master_lock(master: int) -> str:
    """The lease of whoever watches a master."""
    return f"master:lock:{master}"


def strategy_running(instance: int) -> str:
    """Hash: the live status of an instance."""
    return f"strategy:running:{instance}"


def worker(worker_id: str) -> str:
    """Hash: what a worker says of itself."""
    return f"worker:{worker_id}"


def symbols(exchange: str) -> str:
    """Hash: symbol by symbol the rules of what is traded here at a venue."""
    return f"symbols:{exchange}"


def catalogue(exchange: str) -> str:
    """Set: every symbol of a venue, traded here or not."""
    return f"catalogue:{exchange}"


def bars(exchange: str, symbol: str, interval: str) -> str:
    """Text: JSON of the newest closed bars, oldest first."""
    return f"bars:{exchange}:{symbol}:{interval}"


def strategy_deaths(instance: int) -> str:
    """Number: how often a strategy has lately stopped the node it ran on."""
    return f"strategy:deaths:{instance}"
