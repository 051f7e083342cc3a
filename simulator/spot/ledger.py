"""Balances of every account, the background market and the fee account included; every change is a line on the tape.

The market account (counterparty of trades with the background) may go below zero; together with the fee account it
makes each asset sum to what was deposited less what was withdrawn, exactly.
"""

from __future__ import annotations

from functools import lru_cache

from simulator.spot.types import Balance
from simulator.tape import Tape
from simulator.units import ONE

MARKET = 0
FEES = -1
_NAMES: dict[int, int | str] = {MARKET: '"market"', FEES: '"fees"'}


@lru_cache(maxsize=8192)
def amount_text(value: int) -> str:
    """Decimal text of quanta with eight decimals; kept, because an order's amounts are written many times."""
    if value < 0:
        return "-" + amount_text(-value)
    return f"{value // ONE}.{value % ONE:08d}"


class Ledger:
    """Free and locked amounts by account and asset, in quanta."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._accounts: dict[int, dict[str, Balance]] = {MARKET: {}, FEES: {}}
        self.touched: dict[int, dict[str, Balance]] = {}
        """Customers' balances changed since the last announcement, in order of first change."""

    def free(self, account_id: int, asset: str) -> int:
        """What the account may use of an asset."""
        held = self._accounts.get(account_id, {}).get(asset)
        return held.free if held is not None else 0

    def balances(self, account_id: int) -> dict[str, Balance]:
        """The live balances of an account by asset, assets it never held left out."""
        return self._accounts.setdefault(account_id, {})

    def move(self, account_id: int, asset: str, free: int, locked: int, reason: str, reference: str) -> None:
        """Change both buckets of a balance; the caller has checked that the amounts are there."""
        held = self.balances(account_id).get(asset)
        if held is None:
            held = self._accounts[account_id][asset] = Balance()
        held.free += free
        held.locked += locked
        if account_id > 0:
            if held.free < 0 or held.locked < 0:
                raise ArithmeticError(f"account {account_id} would hold {held} of {asset} after {reason} {reference}")
            self.touched.setdefault(account_id, {})[asset] = held
        name = _NAMES.get(account_id, account_id)
        if free:
            self._post(name, asset, "free", free, held.free, reason, reference)
        if locked:
            self._post(name, asset, "locked", locked, held.locked, reason, reference)

    def totals(self) -> dict[str, int]:
        """Everything held of each asset, by customers, market and fees together."""
        sums: dict[str, int] = {}
        for balances in self._accounts.values():
            for asset, held in balances.items():
                sums[asset] = sums.get(asset, 0) + held.free + held.locked
        return sums

    def _post(
        self, account: int | str, asset: str, bucket: str, delta: int, balance: int, reason: str, reference: str
    ) -> None:
        self._tape.append_members(
            "posting",
            f'"market":"spot","account":{account},"asset":"{asset}","bucket":"{bucket}","delta":"{amount_text(delta)}",'
            f'"balance":"{amount_text(balance)}","reason":"{reason}","reference":"{reference}"',
        )
