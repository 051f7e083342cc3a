"""Liquidation: when the margin balance no longer exceeds the maintenance margin, the venue closes positions.

Open orders go first (they cannot save the account: they only tie up initial margin). Then the largest position is
closed against the book, without limit; what the book cannot take changes hands at the mark price. The liquidation fee
is taken from what is left and goes to the insurance fund, which also pays whatever is missing: no wallet stays below
zero. Isolated positions answer for themselves; cross positions are closed one by one until the rest is safe.
"""

from __future__ import annotations

from simulator.futures.algo import AlgoService
from simulator.futures.lifecycle import Lifecycle
from simulator.futures.margin import Margin
from simulator.futures.matching import Matching
from simulator.futures.order_store import OrderStore
from simulator.futures.positions import PositionBook
from simulator.futures.settings import Settings
from simulator.futures.state import Core
from simulator.futures.types import FuturesOrder, Liquidation, MarginCall, Position
from simulator.futures.wallets import Wallets
from simulator.units import ONE, format_quanta

FEE_RATE = ONE * 125 // 10_000
"""Liquidation fee: 1.25 % of the notional."""
CALL_RATIO = ONE * 8 // 10
"""Share of the margin balance that maintenance margin may take before the customer is called."""


class Liquidator:
    """Watches margins and acts."""

    def __init__(
        self,
        core: Core,
        wallets: Wallets,
        positions: PositionBook,
        orders: OrderStore,
        settings: Settings,
        margin: Margin,
        lifecycle: Lifecycle,
        matching: Matching,
        algo: AlgoService,
    ) -> None:
        self._core = core
        self._wallets = wallets
        self._positions = positions
        self._orders = orders
        self._settings = settings
        self._margin = margin
        self._lifecycle = lifecycle
        self._matching = matching
        self._algo = algo
        self._called: set[tuple[int, str]] = set()
        self.orders: list[FuturesOrder] = []
        """Every liquidation order, oldest first."""

    def on_mark(self, symbol: str) -> None:
        """The symbol's mark price moved: look at everyone who holds it."""
        for account_id in dict.fromkeys(position.account_id for position in self._positions.open_in(symbol)):
            self.look_at(account_id)

    def look_at(self, account_id: int) -> None:
        """Liquidate what must be, and call for margin where it comes near."""
        assets: dict[str, None] = dict.fromkeys(self._wallets.assets(account_id))
        for position in list(self._positions.of(account_id)):
            if self._margin.is_isolated(account_id, position.symbol):
                self._look_at_isolated(position)
            else:
                assets[self._margin.instrument(position.symbol).quote] = None
        for asset in assets:
            self._look_at_cross(account_id, asset)

    def _look_at_isolated(self, position: Position) -> None:
        balance, needed = self._margin.isolated_balance(position), self._margin.maintenance(position)
        key = (position.account_id, f"{position.symbol}:{position.position_side}")
        if balance > needed:
            self._call(key, balance, needed, [position])
            return
        self._clear_orders(position.account_id, [position.symbol])
        self._close(position, isolated=True)
        self._called.discard(key)

    def _look_at_cross(self, account_id: int, asset: str) -> None:
        held = self._cross_positions(account_id, asset)
        if not held:
            if not self._settings.multi_assets(account_id):
                self._clear_shortfall(account_id, asset)
            return
        balance, needed = self._margin.health(account_id, asset)
        if balance > needed:
            self._call((account_id, asset), balance, needed, held)
            return
        self._clear_orders(account_id, list(dict.fromkeys(position.symbol for position in held)))
        while held and balance <= needed:
            self._close(max(held, key=self._margin.maintenance), isolated=False)
            held = self._cross_positions(account_id, asset)
            balance, needed = self._margin.health(account_id, asset)
        if not held and (balance < 0 or not self._settings.multi_assets(account_id)):
            self._clear_shortfall(account_id, asset)
        self._called.discard((account_id, asset))

    def _cross_positions(self, account_id: int, asset: str) -> list[Position]:
        """Cross positions that answer together."""
        joint = self._settings.multi_assets(account_id)
        return [
            position
            for position in self._positions.of(account_id)
            if not self._margin.is_isolated(account_id, position.symbol)
            and (joint or self._margin.instrument(position.symbol).quote == asset)
        ]

    def _call(self, key: tuple[int, str], balance: int, needed: int, positions: list[Position]) -> None:
        """MARGIN_CALL, once each time the ratio rises above its bound."""
        near = needed * ONE >= balance * CALL_RATIO and needed > 0
        if near and key not in self._called:
            self._called.add(key)
            asset = self._margin.instrument(positions[0].symbol).quote
            wallet = self._wallets.cross(key[0], asset)
            self._core.bus.publish(MarginCall(key[0], wallet, positions, self._core.now()))
        elif not near:
            self._called.discard(key)

    def _clear_orders(self, account_id: int, symbols: list[str]) -> None:
        for symbol in symbols:
            for order in list(self._orders.open_of(account_id, symbol)):
                self._lifecycle.end(order, "CANCELED", "CANCELED")
            self._algo.expire(account_id, symbol)

    def _close(self, position: Position, isolated: bool) -> None:
        """Close a position by a liquidation order, take the fee, and cover what is missing."""
        listing = self._core.listing(position.symbol)
        now, quantity = self._core.now(), abs(position.quantity)
        tick = listing.instrument.filters.tick
        number = next(self._core.order_ids)
        order = FuturesOrder(
            number,
            position.account_id,
            position.symbol,
            "SELL" if position.quantity > 0 else "BUY",
            position.position_side,
            "LIMIT",
            "LIQUIDATION",
            "IOC",
            self._margin.bankruptcy_price(position) // tick * tick,
            quantity,
            f"autoclose-{now}{number:06d}",
            now,
            reduce_only=True,
            update_ms=now,
        )
        margin = position.isolated_wallet if isolated else 0
        self._lifecycle.accept(order)
        self._matching.take(order, execution="CALCULATED")
        if order.remaining:
            self._matching.take_over(order, listing.mark)
        self.orders.append(order)
        fee = self._take_fee(order, listing.instrument.quote, margin + order.realized_pnl if isolated else None)
        self._core.tape.append(
            "liquidation",
            account=order.account_id,
            symbol=order.symbol,
            order=number,
            side=order.side,
            position_side=order.position_side,
            isolated=isolated,
            quantity=format_quanta(order.executed),
            quote=format_quanta(order.executed_quote),
            realized=format_quanta(order.realized_pnl),
            fee=format_quanta(fee),
        )
        self._core.bus.publish(Liquidation(order, now))

    def _take_fee(self, order: FuturesOrder, asset: str, left: int | None) -> int:
        """Take the liquidation fee from what is left; `left` is None for cross, where other positions' margin stays."""
        account = order.account_id
        state = self._margin.cross(account, asset)
        spare = state.balance - state.position_initial if left is None else left
        own = self._wallets.cross(account, asset)
        fee = max(0, min(order.executed_quote * FEE_RATE // ONE, spare, own))
        if fee:
            number = self._wallets.earn(account, order.symbol, "INSURANCE_CLEAR", -fee, asset)
            self._wallets.post(account, asset, -fee, "insurance", "INSURANCE_CLEAR", str(number))
            self._wallets.announce(account, "INSURANCE_CLEAR", [asset], [], order.symbol)
        return fee

    def _clear_shortfall(self, account_id: int, asset: str) -> None:
        """The insurance fund pays what a wallet without positions lacks."""
        lacking = -self._wallets.cross(account_id, asset)
        if lacking <= 0:
            return
        number = self._wallets.earn(account_id, "", "INSURANCE_CLEAR", lacking, asset)
        self._wallets.post(account_id, asset, lacking, "insurance", "INSURANCE_CLEAR", str(number))
        self._wallets.announce(account_id, "INSURANCE_CLEAR", [asset], [])
