"""Wallets, and the postings that change them: every amount comes from one place and goes to another.

The venue's own places are `market` (counterparty of profits and funding), `fees` and `insurance`; with them every
asset sums to what was paid in, at every moment. Profits that are not realised are nowhere posted: they are the
difference between a position's cost and its worth.
"""

from __future__ import annotations

from typing import Literal

from simulator.futures.positions import PositionBook
from simulator.futures.refusals import refuse
from simulator.futures.state import Core
from simulator.futures.types import AccountUpdate, Income, IncomeType, Position, UpdateReason, Wallet
from simulator.units import format_quanta, trim_quanta

Place = Literal["market", "fees", "insurance", "outside"]
"""The other end of a posting; `outside` is where deposits come from and withdrawals go."""


class Wallets:
    """Cross wallets by account and asset, isolated wallets inside their positions, and the income history."""

    def __init__(self, core: Core, positions: PositionBook) -> None:
        self._core = core
        self._positions = positions
        self._cross: dict[int, dict[str, Wallet]] = {}
        self._places: dict[tuple[str, str], int] = {}
        self._income: dict[int, list[Income]] = {}

    def post(
        self,
        account_id: int,
        asset: str,
        amount: int,
        other: Place,
        reason: str,
        reference: str,
        to: Position | None = None,
    ) -> None:
        """Credit (or debit, below zero) a wallet against a place; `to` names the isolated position that is meant."""
        if not amount:
            return
        if to is not None:
            to.isolated_wallet += amount
        else:
            wallet = self.wallet(account_id, asset)
            wallet.balance += amount
            wallet.update_ms = self._core.now()
        key = (other, asset)
        self._places[key] = self._places.get(key, 0) - amount
        self._tape_wallet(account_id, asset, amount, reason, reference, to)
        self._tape(f'"{other}"', other, asset, -amount, self._places[key], reason, reference)

    def isolate(self, position: Position, asset: str, amount: int, reason: str, reference: str) -> None:
        """Move margin from the cross wallet into an isolated position (out of it when below zero)."""
        if not amount:
            return
        position.isolated_wallet += amount
        self.wallet(position.account_id, asset).balance -= amount
        self._tape_wallet(position.account_id, asset, -amount, reason, reference, None)
        self._tape_wallet(position.account_id, asset, amount, reason, reference, position)

    def _tape_wallet(
        self, account_id: int, asset: str, delta: int, reason: str, reference: str, position: Position | None
    ) -> None:
        """Write down a change of a cross wallet, or of the isolated wallet of a position."""
        if position is None:
            self._tape(account_id, "cross", asset, delta, self.cross(account_id, asset), reason, reference)
        else:
            bucket = f"isolated:{position.symbol}:{position.position_side}"
            self._tape(account_id, bucket, asset, delta, position.isolated_wallet, reason, reference)

    def _tape(
        self, account: int | str, bucket: str, asset: str, delta: int, balance: int, reason: str, reference: str
    ) -> None:
        self._core.tape.append_members(
            "posting",
            f'"market":"futures","account":{account},"asset":"{asset}","bucket":"{bucket}",'
            f'"delta":"{format_quanta(delta)}","balance":"{format_quanta(balance)}",'
            f'"reason":"{reason}","reference":"{reference}"',
        )

    def wallet(self, account_id: int, asset: str) -> Wallet:
        """The cross wallet of an asset, made empty at first use."""
        return self._cross.setdefault(account_id, {}).setdefault(asset, Wallet())

    def cross(self, account_id: int, asset: str) -> int:
        """Cross wallet balance."""
        wallet = self._cross.get(account_id, {}).get(asset)
        return wallet.balance if wallet else 0

    def balance(self, account_id: int, asset: str) -> int:
        """Wallet balance: cross and isolated together."""
        isolated = sum(
            position.isolated_wallet
            for position in self._positions.of(account_id)
            if position.isolated_wallet and self._asset_of(position) == asset
        )
        return self.cross(account_id, asset) + isolated

    def assets(self, account_id: int) -> list[str]:
        """Assets the account ever held, in order of arrival."""
        return list(self._cross.get(account_id, {}))

    def update_ms(self, account_id: int, asset: str) -> int:
        """When the cross wallet last changed; 0 for never."""
        wallet = self._cross.get(account_id, {}).get(asset)
        return wallet.update_ms if wallet else 0

    def place(self, place: Place, asset: str) -> int:
        """Balance of one of the venue's own places."""
        return self._places.get((place, asset), 0)

    def paid_in(self) -> dict[str, int]:
        """Deposits less withdrawals by asset."""
        return {asset: -amount for (place, asset), amount in self._places.items() if place == "outside"}

    def totals(self) -> dict[str, int]:
        """All customers' wallets and the venue's own places by asset: equal to `paid_in` at every moment."""
        totals: dict[str, int] = {}
        for account_id, wallets in self._cross.items():
            for asset in wallets:
                totals[asset] = totals.get(asset, 0) + self.balance(account_id, asset)
        for (place, asset), amount in self._places.items():
            if place != "outside":
                totals[asset] = totals.get(asset, 0) + amount
        return totals

    def earn(
        self,
        account_id: int,
        symbol: str,
        kind: IncomeType,
        amount: int,
        asset: str,
        trade_id: str = "",
        info: str = "",
    ) -> int:
        """Add a line to the income history; gives its transaction id. Nothing is written for an amount of 0."""
        if not amount:
            return 0
        number = next(self._core.transaction_ids)
        line = Income(account_id, symbol, kind, amount, asset, self._core.now(), number, trade_id, info)
        self._income.setdefault(account_id, []).append(line)
        return number

    def income(
        self,
        account_id: int,
        symbol: str | None = None,
        income_type: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
    ) -> list[Income]:
        """Income oldest first: the oldest from `start_ms`, else the newest up to `end_ms`; at most `limit` lines."""
        found = [
            line
            for line in self._income.get(account_id, [])
            if (symbol is None or line.symbol == symbol)
            and (income_type is None or line.income_type == income_type)
            and (start_ms is None or line.time_ms >= start_ms)
            and (end_ms is None or line.time_ms <= end_ms)
        ]
        return found[:limit] if start_ms is not None else found[-limit:]

    def deposit(self, account_id: int, asset: str, amount: int) -> int:
        """Pay in from outside; gives the transaction id. Raises ValueError when the amount is not above zero."""
        if amount <= 0:
            raise ValueError(f"a deposit must be above zero, not {trim_quanta(amount)} {asset}")
        return self._transfer(account_id, asset, amount, "DEPOSIT")

    def withdraw(self, account_id: int, asset: str, amount: int, limit: int) -> int:
        """Pay out to outside, at most `limit` (what margin leaves free); -2018 above it."""
        if amount <= 0 or amount > limit:
            raise refuse(-2018)
        return self._transfer(account_id, asset, -amount, "WITHDRAW")

    def _transfer(self, account_id: int, asset: str, amount: int, reason: UpdateReason) -> int:
        number = self.earn(account_id, "", "TRANSFER", amount, asset, info="TRANSFER")
        self.post(account_id, asset, amount, "outside", reason, str(number))
        self.announce(account_id, reason, [asset], [], change=amount)
        return number

    def announce(
        self,
        account_id: int,
        reason: UpdateReason,
        assets: list[str],
        positions: list[Position],
        symbol: str = "",
        change: int = 0,
    ) -> None:
        """Publish ACCOUNT_UPDATE with the balances as they are now."""
        wallets = {asset: (self.balance(account_id, asset), change) for asset in assets}
        cross = {asset: self.cross(account_id, asset) for asset in assets}
        update = AccountUpdate(account_id, reason, wallets, positions, self._core.now(), symbol, cross)
        self._core.bus.publish(update)

    def _asset_of(self, position: Position) -> str:
        return self._core.listing(position.symbol).instrument.quote
