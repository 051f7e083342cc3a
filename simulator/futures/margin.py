"""Margin in exact integers: what positions and open orders tie up, what is free, and where liquidation comes.

Initial margin of a symbol is the larger of what the position would be if all bids, or all asks, were filled, at its
leverage (rounded up). Hedge mode counts each side for itself. An isolated position pays from its own wallet, but the
margin of its open orders comes from the cross wallet until they fill.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.futures.brackets import bracket_at, maintenance_margin
from simulator.futures.order_store import Exposure, OrderStore
from simulator.futures.positions import PositionBook, unrealized
from simulator.futures.settings import Settings
from simulator.futures.state import Core, ceiling
from simulator.futures.types import Position, PositionSide
from simulator.futures.wallets import Wallets
from simulator.instruments import Instrument
from simulator.units import ONE

NO_ORDERS = Exposure()
COLLATERAL_HAIRCUT = ONE * 95 // 100
"""Share of its worth at which an asset other than a stablecoin counts as margin in multi-assets mode."""
STABLE = ("USDT", "USDC", "BUSD", "FDUSD")


@dataclass(slots=True)
class CrossState:
    """Sums over what one cross margin account (or all assets together) stands for."""

    wallet: int = 0
    unrealized: int = 0
    maintenance: int = 0
    position_initial: int = 0
    order_initial: int = 0
    isolated_order_initial: int = 0

    @property
    def balance(self) -> int:
        """Margin balance: wallet and unrealised profit."""
        return self.wallet + self.unrealized

    @property
    def available(self) -> int:
        """What new orders may use, never below zero."""
        tied = self.position_initial + self.order_initial + self.isolated_order_initial
        return max(0, self.balance - tied)

    @property
    def withdrawable(self) -> int:
        """Like `available`, but unrealised profit may not leave."""
        tied = self.position_initial + self.order_initial + self.isolated_order_initial
        return max(0, self.wallet + min(0, self.unrealized) - tied)


class Margin:
    """Reads wallets, positions and orders; changes nothing."""

    def __init__(
        self, core: Core, wallets: Wallets, positions: PositionBook, orders: OrderStore, settings: Settings
    ) -> None:
        self._core = core
        self._wallets = wallets
        self._positions = positions
        self._orders = orders
        self._settings = settings

    def mark(self, symbol: str) -> int:
        """Mark price."""
        return self._core.listing(symbol).mark

    def instrument(self, symbol: str) -> Instrument:
        """The symbol's rules."""
        return self._core.listing(symbol).instrument

    def initial(
        self, account_id: int, symbol: str, side: PositionSide, bids: int = 0, asks: int = 0
    ) -> tuple[int, int]:
        """(margin of the position, further margin of its open orders); `bids`, `asks` are notional not yet placed."""
        position = self._positions.peek(account_id, symbol, side)
        exposure = self._orders.exposures(account_id).get((symbol, side), NO_ORDERS)
        held = position.quantity * self.mark(symbol) // ONE if position is not None else 0
        largest = max(abs(held), abs(held + exposure.bids + bids), abs(held - exposure.asks - asks))
        leverage = self._settings.of(account_id, symbol).leverage
        own = ceiling(abs(held), leverage)
        return own, ceiling(largest, leverage) - own

    def maintenance(self, position: Position) -> int:
        """Maintenance margin of a position at the mark price."""
        notional = abs(position.quantity) * self.mark(position.symbol) // ONE
        return maintenance_margin(self.instrument(position.symbol), notional)

    def is_isolated(self, account_id: int, symbol: str) -> bool:
        """Whether the account trades the symbol with isolated margin."""
        return self._settings.of(account_id, symbol).margin_type == "ISOLATED"

    def cross(self, account_id: int, asset: str) -> CrossState:
        """Cross margin that backs positions quoted in `asset`; all assets together in multi-assets mode."""
        if not self._settings.multi_assets(account_id):
            return self._of_asset(account_id, asset)
        whole = CrossState()
        for name in dict.fromkeys([*self._wallets.assets(account_id), *STABLE]):
            one = self._of_asset(account_id, name)
            worth = self.worth(name)
            whole.wallet += one.wallet * worth // ONE
            whole.unrealized += one.unrealized * worth // ONE
            whole.maintenance += one.maintenance
            whole.position_initial += one.position_initial
            whole.order_initial += one.order_initial
            whole.isolated_order_initial += one.isolated_order_initial
        return whole

    def health(self, account_id: int, asset: str) -> tuple[int, int]:
        """(margin balance, maintenance margin) of a cross account: what decides about liquidation, at little cost."""
        if self._settings.multi_assets(account_id):
            state = self.cross(account_id, asset)
            return state.balance, state.maintenance
        balance, needed = self._wallets.cross(account_id, asset), 0
        for position in self._positions.of(account_id):
            listing = self._core.listings[position.symbol]
            if listing.instrument.quote == asset and not self.is_isolated(account_id, position.symbol):
                mark = listing.mark
                balance += unrealized(position, mark)
                needed += maintenance_margin(listing.instrument, abs(position.quantity) * mark // ONE)
        return balance, needed

    def worth(self, asset: str) -> int:
        """Quanta of USD that one unit of an asset counts as margin; 0 when it cannot be margin."""
        if asset in STABLE:
            return ONE
        listing = self._core.listings.get(f"{asset}USDT")
        return listing.mark * COLLATERAL_HAIRCUT // ONE if listing else 0

    def _of_asset(self, account_id: int, asset: str) -> CrossState:
        state = CrossState(self._wallets.cross(account_id, asset))
        for position in self._positions.of(account_id):
            if self.instrument(position.symbol).quote != asset or self.is_isolated(account_id, position.symbol):
                continue
            state.unrealized += unrealized(position, self.mark(position.symbol))
            state.maintenance += self.maintenance(position)
            state.position_initial += self.initial(account_id, position.symbol, position.position_side)[0]
        for (symbol, side), exposure in self._orders.exposures(account_id).items():
            if not (exposure.bids or exposure.asks) or self.instrument(symbol).quote != asset:
                continue
            further = self.initial(account_id, symbol, side)[1]
            if self.is_isolated(account_id, symbol):
                state.isolated_order_initial += further
            else:
                state.order_initial += further
        return state

    def isolated_balance(self, position: Position) -> int:
        """Margin balance of an isolated position."""
        return position.isolated_wallet + unrealized(position, self.mark(position.symbol))

    def cost_of(self, account_id: int, symbol: str, side: PositionSide, bids: int, asks: int) -> int:
        """Margin that more orders of these notionals would tie up beyond what is tied now; 0 when they only reduce."""
        before = sum(self.initial(account_id, symbol, side))
        return sum(self.initial(account_id, symbol, side, bids, asks)) - before

    def liquidation_price(self, position: Position) -> int:
        """Mark price at which the margin balance meets the maintenance margin; 0 when there is none.

        The positions of a symbol that share the cross margin are taken together; other symbols stand still.
        """
        if not position.quantity:
            return 0
        together, spare = self._sharing(position)
        price = self.mark(position.symbol)
        for _ in range(8):
            found = self._liquidation_price_near(together, spare, price)
            if found == price:
                break
            price = found
        return max(price, 0)

    def _sharing(self, position: Position) -> tuple[list[Position], int]:
        """The positions liquidated by the same price, and the margin they have beside their own profit."""
        if self.is_isolated(position.account_id, position.symbol):
            return [position], position.isolated_wallet
        state = self.cross(position.account_id, self.instrument(position.symbol).quote)
        together = list(self._positions.of(position.account_id, position.symbol))
        mark = self.mark(position.symbol)
        spare = state.balance - state.maintenance
        for own in together:
            spare += self.maintenance(own) - unrealized(own, mark)
        return together, spare

    def _liquidation_price_near(self, together: list[Position], spare: int, near: int) -> int:
        instrument = self.instrument(together[0].symbol)
        above = -spare
        below = 0
        for own in together:
            size = abs(own.quantity)
            tier = bracket_at(instrument, size * max(near, 0) // ONE)
            above += own.cost - tier.cumulative
            below += own.quantity * ONE - size * tier.maintenance_rate
        return above * ONE * ONE // below if below else 0

    def bankruptcy_price(self, position: Position) -> int:
        """Mark price at which nothing is left of the position's margin; 0 when there is none."""
        together, spare = self._sharing(position)
        if together != [position]:
            mark = self.mark(position.symbol)
            spare += sum(unrealized(own, mark) for own in together if own is not position)
        return max((position.cost - spare) * ONE // position.quantity, 0)
