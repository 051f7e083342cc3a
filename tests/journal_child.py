"""A process that journals as fast as it can until it is killed: `python -m tests.journal_child URL`.

Step k of an instance places order k, books the whole fill of order k-1 with its ledger entry, and stores k as the
state. Every step that was acknowledged is told on standard output as `instance k`.
"""

from __future__ import annotations

import asyncio
import os
import sys

from core.base_journal import StoredState
from core.clock import SystemTime
from db.journal import GroupCommitJournal
from domain.order import Order
from tests.contract.journal_contract import ACCOUNTS, entry_of, fill, filled_step, order, step

SLOTS = 5


def nth_order(instance: int, k: int) -> Order:
    return order(instance, slot=k % SLOTS, cycle=k // SLOTS)


async def write(journal: GroupCommitJournal, instance: int) -> None:
    epoch = await journal.raise_epoch(instance, str(os.getpid()))
    k = 1
    while True:
        new, state = nth_order(instance, k), StoredState([k], [k / 3])
        if k == 1:
            await journal.commit(step(instance, epoch, intents=[new], state=state))
        else:
            last = nth_order(instance, k - 1)
            one = fill(last, f"{instance}-{k - 1}")
            await journal.commit(
                filled_step(
                    last, one, epoch, entries=[entry_of(one, instance)], intents=[new], reasons=[1], state=state
                )
            )
        os.write(1, f"{instance} {k}\n".encode())
        k += 1


async def main(url: str) -> None:
    journal = GroupCommitJournal(url, SystemTime())
    await asyncio.gather(*(write(journal, instance) for instance in ACCOUNTS))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
