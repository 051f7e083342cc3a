"""Conditional orders of all accounts: by id, by client id, the waiting ones by symbol."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

from simulator.futures.types import AlgoOrder

WAITING = "NEW"


class AlgoStore:
    """Every conditional order since the start."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._by_id: dict[int, AlgoOrder] = {}
        self._by_client: dict[tuple[int, str], AlgoOrder] = {}
        self._of: dict[int, list[AlgoOrder]] = {}
        self._waiting: dict[str, dict[int, AlgoOrder]] = {}
        self._deadlines: list[tuple[int, int]] = []

    def next_id(self) -> int:
        """A fresh algo id."""
        return next(self._numbers)

    def accept(self, algo: AlgoOrder) -> None:
        """Take a new one in; it waits from now on."""
        self._by_id[algo.algo_id] = algo
        self._by_client[algo.account_id, algo.client_algo_id] = algo
        self._of.setdefault(algo.account_id, []).append(algo)
        self._waiting.setdefault(algo.symbol, {})[algo.algo_id] = algo
        if algo.good_till_ms:
            heapq.heappush(self._deadlines, (algo.good_till_ms, algo.algo_id))

    def stop_waiting(self, algo: AlgoOrder) -> None:
        """It has triggered or ended."""
        self._waiting[algo.symbol].pop(algo.algo_id, None)

    def waiting(self, symbol: str) -> list[AlgoOrder]:
        """Those that wait on a symbol, oldest first."""
        return list(self._waiting.get(symbol, {}).values())

    def waiting_of(self, account_id: int, symbol: str | None = None) -> list[AlgoOrder]:
        """An account's waiting ones, oldest first."""
        symbols = list(self._waiting) if symbol is None else [symbol]
        found = [algo for name in symbols for algo in self.waiting(name) if algo.account_id == account_id]
        return sorted(found, key=lambda algo: algo.algo_id)

    def all_of(self, account_id: int) -> list[AlgoOrder]:
        """Every one of an account, oldest first."""
        return self._of.get(account_id, [])

    def by_id(self, algo_id: int) -> AlgoOrder | None:
        """The one with this id."""
        return self._by_id.get(algo_id)

    def find(self, account_id: int, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder | None:
        """The account's one with this id (looked at first) or client id."""
        if algo_id is not None:
            algo = self._by_id.get(algo_id)
            return algo if algo is not None and algo.account_id == account_id else None
        return self._by_client.get((account_id, client_algo_id or ""))

    def next_deadline(self) -> int | None:
        """When the next GTD one may have to expire."""
        while self._deadlines and self._by_id[self._deadlines[0][1]].status != WAITING:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def due(self, now_ms: int) -> Iterator[AlgoOrder]:
        """GTD ones whose time has come."""
        while (deadline := self.next_deadline()) is not None and deadline <= now_ms:
            yield self._by_id[heapq.heappop(self._deadlines)[1]]
