"""How fast this machine is just now, beside the one on which the goals in milliseconds were named.

    python -m benchmarks.yardstick

The goals name ccxt.pro's rate on their machine: 63,900 messages of trades a second, through its own handlers. The same
version of the same package does the same here (decoding a little faster, with orjson), in CPU time, so that what a slow
machine misses can be told from what we miss. It says nothing of disks, nor of what other programs take of the cores.
"""

from __future__ import annotations

import asyncio
import statistics
from typing import Final

from benchmarks.bench_streams import peer, rate, trades

#: Messages a second on the machine of the goals.
NAMED: Final = 63_900


async def relative_speed(rounds: int = 5) -> float:
    """This machine's speed as a share of that machine's: the median of some rounds of half a second of CPU time."""
    frames, feed = trades(5_000), peer(book=False)
    return statistics.median(rate(feed, frames, 0.5)[1] for _ in range(rounds)) / NAMED


def words() -> str:
    """A line to print below times; not to be called inside a running event loop."""
    share = asyncio.run(relative_speed())
    return (
        f"ccxt.pro's handlers make {share * NAMED:,.0f} trades a second here, {share:.2f} of what they make on the "
        f"machine of the goals: work that takes 10 ms there takes {10 / share:.0f} ms here."
    )


if __name__ == "__main__":
    print(words())
