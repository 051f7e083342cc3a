"""Changing what an account has chosen: leverage, margin type, position mode, multi-assets mode, isolated margin."""

from __future__ import annotations

from simulator.futures.algo_store import AlgoStore
from simulator.futures.brackets import maximum_notional
from simulator.futures.margin import Margin
from simulator.futures.order_store import OrderStore
from simulator.futures.positions import PositionBook, unrealized
from simulator.futures.refusals import bad_leverage, refuse
from simulator.futures.reports import LeverageChange, MarginChange
from simulator.futures.settings import Settings
from simulator.futures.state import Core
from simulator.futures.types import ConfigUpdate, MarginType, PositionSide, SymbolSettings
from simulator.futures.wallets import Wallets

ADD, REDUCE = 1, 2


class Choices:
    """Checks every change as the venue does; the settings themselves are in `Settings`."""

    def __init__(
        self,
        core: Core,
        settings: Settings,
        wallets: Wallets,
        positions: PositionBook,
        orders: OrderStore,
        algos: AlgoStore,
        margin: Margin,
    ) -> None:
        self._core = core
        self._settings = settings
        self._wallets = wallets
        self._positions = positions
        self._orders = orders
        self._algos = algos
        self._margin = margin
        self._changes: dict[tuple[int, str], list[MarginChange]] = {}

    def of(self, account_id: int, symbol: str) -> SymbolSettings:
        """Leverage and margin type of a symbol."""
        self._core.listing(symbol)
        return self._settings.of(account_id, symbol)

    def hedge_mode(self, account_id: int) -> bool:
        """Whether LONG and SHORT are held side by side (`dualSidePosition`)."""
        return self._settings.hedge_mode(account_id)

    def multi_assets(self, account_id: int) -> bool:
        """Whether all assets back all positions (`multiAssetsMargin`)."""
        return self._settings.multi_assets(account_id)

    def fee_burn(self, account_id: int) -> bool:
        """Whether fees are paid in BNB while it lasts (`feeBurn`)."""
        return self._settings.fee_burn(account_id)

    def set_fee_burn(self, account_id: int, on: bool) -> None:
        """Pay fees in BNB at a 10 % discount, or not."""
        self._settings.account(account_id).fee_burn = on

    def set_leverage(self, account_id: int, symbol: str, leverage: int) -> LeverageChange:
        """Choose a symbol's leverage. -4028 outside the table, -2027 when the position is too large for it,

        -4161 when an isolated position would need more margin, -2028 when the account cannot afford it.
        """
        instrument = self._core.listing(symbol).instrument
        if not 1 <= leverage <= instrument.maximum_leverage:
            raise bad_leverage(leverage)
        chosen = self._settings.of(account_id, symbol)
        held = list(self._positions.of(account_id, symbol))
        if chosen.margin_type == "ISOLATED" and held and leverage < chosen.leverage:
            raise refuse(-4161)
        most = maximum_notional(instrument, leverage)
        mark = self._core.listing(symbol).mark
        if any(instrument.notional(mark, abs(position.quantity)) > most for position in held):
            raise refuse(-2027)
        before = chosen.leverage
        chosen.leverage = leverage
        if leverage < before and self._is_overdrawn(account_id, instrument.quote):
            chosen.leverage = before
            raise refuse(-2028)
        self._core.bus.publish(ConfigUpdate(account_id, self._core.now(), symbol, leverage))
        return LeverageChange(symbol, leverage, most)

    def _is_overdrawn(self, account_id: int, asset: str) -> bool:
        state = self._margin.cross(account_id, asset)
        return state.balance < state.position_initial + state.order_initial + state.isolated_order_initial

    def set_margin_type(self, account_id: int, symbol: str, margin_type: MarginType) -> None:
        """Choose cross or isolated margin for a symbol without orders and positions."""
        self._core.listing(symbol)
        chosen = self._settings.of(account_id, symbol)
        if chosen.margin_type == margin_type:
            raise refuse(-4046)
        if margin_type == "ISOLATED" and self._settings.multi_assets(account_id):
            raise refuse(-4168)
        if self._has_orders(account_id, symbol):
            raise refuse(-4047)
        if any(self._positions.of(account_id, symbol)):
            raise refuse(-4048)
        chosen.margin_type = margin_type

    def set_hedge_mode(self, account_id: int, hedge: bool) -> None:
        """Choose hedge or one-way mode for an account without orders and positions."""
        if self._settings.hedge_mode(account_id) == hedge:
            raise refuse(-4059)
        if self._has_orders(account_id):
            raise refuse(-4067)
        if any(self._positions.of(account_id)):
            raise refuse(-4068)
        self._settings.account(account_id).hedge_mode = hedge

    def set_multi_assets(self, account_id: int, on: bool) -> None:
        """Choose multi-assets or single-asset mode."""
        if self._settings.multi_assets(account_id) == on:
            raise refuse(-4171)
        if on and self._settings.isolated_symbols(account_id):
            raise refuse(-4167)
        if self._has_orders(account_id):
            raise refuse(-4170)
        self._settings.account(account_id).multi_assets = on
        self._core.bus.publish(ConfigUpdate(account_id, self._core.now(), multi_assets=on))

    def _has_orders(self, account_id: int, symbol: str | None = None) -> bool:
        return any(self._orders.open_of(account_id, symbol)) or bool(self._algos.waiting_of(account_id, symbol))

    def adjust_margin(
        self, account_id: int, symbol: str, position_side: PositionSide, amount: int, kind: int
    ) -> MarginChange:
        """Add margin to an isolated position (kind 1) or take some away (kind 2)."""
        instrument = self._core.listing(symbol).instrument
        if amount <= 0:
            raise refuse(-4055)
        if self._settings.hedge_mode(account_id) != (position_side != "BOTH"):
            raise refuse(-4061)
        if self._settings.margin_type(account_id, symbol) != "ISOLATED":
            raise refuse(-4049)
        position = self._positions.peek(account_id, symbol, position_side)
        if position is None or not position.quantity:
            raise refuse(-4054)
        asset = instrument.quote
        if kind == ADD and amount > self._margin.cross(account_id, asset).withdrawable:
            raise refuse(-4050)
        mark = self._core.listing(symbol).mark
        tied = self._margin.initial(account_id, symbol, position_side)[0]
        spare = position.isolated_wallet + min(0, unrealized(position, mark)) - tied
        if kind == REDUCE and amount > spare:
            raise refuse(-4051)
        change = MarginChange(symbol, kind, amount, asset, self._core.now(), position_side, by_user=True)
        self._changes.setdefault((account_id, symbol), []).append(change)
        signed = amount if kind == ADD else -amount
        self._wallets.isolate(position, asset, signed, "MARGIN_TRANSFER", f"{symbol}:{position_side}")
        self._wallets.announce(account_id, "MARGIN_TRANSFER", [asset], [position], symbol)
        return change

    def margin_changes(
        self,
        account_id: int,
        symbol: str,
        kind: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[MarginChange]:
        """What the customer added and took away, oldest first."""
        self._core.listing(symbol)
        found = [
            change
            for change in self._changes.get((account_id, symbol), [])
            if kind in (None, change.kind)
            and (start_ms is None or change.time_ms >= start_ms)
            and (end_ms is None or change.time_ms <= end_ms)
        ]
        return found[:limit] if start_ms is not None else found[-limit:]
