"""The numbers of an account and of a symbol, computed when asked."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.futures.brackets import brackets_for, maximum_notional
from simulator.futures.funding import DEFAULT_RATE, Funding
from simulator.futures.margin import NO_ORDERS, STABLE, CrossState, Margin
from simulator.futures.order_store import OrderStore
from simulator.futures.positions import PositionBook, break_even_price, entry_price, unrealized
from simulator.futures.reports import (
    AccountConfig,
    AccountSummary,
    AdlQuantiles,
    BalanceLine,
    Bracket,
    Commission,
    OpenInterest,
    PositionRisk,
    Premium,
    SymbolConfig,
)
from simulator.futures.settings import Settings
from simulator.futures.state import Core
from simulator.futures.types import Position, PositionSide
from simulator.futures.wallets import Wallets
from simulator.units import ONE

SHOWN_ASSETS = ("USDT", "USDC", "BNB")
"""Assets every account shows, held or not."""
SIDES: tuple[PositionSide, ...] = ("BOTH", "LONG", "SHORT")


class Reports:
    """Reads only."""

    def __init__(
        self,
        core: Core,
        wallets: Wallets,
        positions: PositionBook,
        orders: OrderStore,
        settings: Settings,
        margin: Margin,
        funding: Funding,
    ) -> None:
        self._core = core
        self._wallets = wallets
        self._positions = positions
        self._orders = orders
        self._settings = settings
        self._margin = margin
        self._funding = funding

    def account(self, account_id: int) -> AccountSummary:
        """Everything about an account. Single-asset totals are those of USDT, multi-assets totals are in USD."""
        assets = self.balances(account_id)
        positions = self.positions(account_id)
        joint = self._settings.multi_assets(account_id)
        counted = assets if joint else [line for line in assets if line.asset == "USDT"]
        state = self._margin.cross(account_id, "USDT")
        account = self._core.accounts.account(account_id)
        return AccountSummary(
            account.can_trade,
            0,
            joint,
            self._settings.hedge_mode(account_id),
            0,
            self._sum(counted, "initial_margin"),
            self._sum(counted, "maintenance_margin"),
            self._sum(counted, "wallet_balance"),
            self._sum(counted, "unrealized_profit"),
            self._sum(counted, "margin_balance"),
            self._sum(counted, "position_initial_margin"),
            self._sum(counted, "open_order_initial_margin"),
            self._sum(counted, "cross_wallet_balance"),
            self._sum(counted, "cross_unrealized_profit"),
            state.available,
            state.withdrawable,
            assets,
            positions,
        )

    def _sum(self, lines: Iterable[BalanceLine], name: str) -> int:
        return sum(getattr(line, name) * self._margin_worth(line.asset) // ONE for line in lines)

    def _margin_worth(self, asset: str) -> int:
        return ONE if asset in STABLE else self._margin.worth(asset)

    def balances(self, account_id: int) -> list[BalanceLine]:
        """Every asset the account holds, and the common ones."""
        names = dict.fromkeys([*SHOWN_ASSETS, *self._wallets.assets(account_id)])
        return [self._balance(account_id, asset) for asset in names]

    def _balance(self, account_id: int, asset: str) -> BalanceLine:
        state = self._margin.cross(account_id, asset)
        own = state
        if self._settings.multi_assets(account_id):
            own = CrossState(self._wallets.cross(account_id, asset))
        isolated = [
            position
            for position in self._positions.of(account_id)
            if self._margin.is_isolated(account_id, position.symbol)
            and self._margin.instrument(position.symbol).quote == asset
        ]
        held = [
            position
            for position in self._positions.of(account_id)
            if self._margin.instrument(position.symbol).quote == asset
        ]
        profit = sum(self._profit(position) for position in held)
        position_initial = sum(
            self._margin.initial(account_id, position.symbol, position.position_side)[0] for position in held
        )
        order_initial = own.order_initial + own.isolated_order_initial
        wallet = self._wallets.balance(account_id, asset)
        return BalanceLine(
            asset,
            wallet,
            self._wallets.cross(account_id, asset),
            profit,
            profit - sum(self._profit(position) for position in isolated),
            wallet + profit,
            sum(self._margin.maintenance(position) for position in held),
            position_initial + order_initial,
            position_initial,
            order_initial,
            self._free(account_id, asset, state.available),
            min(state.withdrawable, max(0, self._wallets.cross(account_id, asset))),
            asset in STABLE or bool(self._margin.worth(asset)),
            self._wallets.update_ms(account_id, asset),
        )

    def _free(self, account_id: int, asset: str, available: int) -> int:
        """What is available in units of the asset (multi-assets mode counts in USD)."""
        worth = self._margin.worth(asset)
        if not self._settings.multi_assets(account_id) or not worth:
            return available if not self._settings.multi_assets(account_id) else 0
        return available * ONE // worth

    def _profit(self, position: Position) -> int:
        return unrealized(position, self._margin.mark(position.symbol))

    def positions(self, account_id: int, symbol: str | None = None) -> list[PositionRisk]:
        """One line per listed symbol (one-way) or three (hedge: BOTH, LONG, SHORT), flat ones too."""
        symbols = list(self._core.listings) if symbol is None else [self._core.listing(symbol).instrument.symbol]
        sides = SIDES if self._settings.hedge_mode(account_id) else SIDES[:1]
        return [self._risk(account_id, name, side) for name in symbols for side in sides]

    def _risk(self, account_id: int, symbol: str, side: PositionSide) -> PositionRisk:
        position = self._positions.peek(account_id, symbol, side) or Position(account_id, symbol, side)
        chosen = self._settings.of(account_id, symbol)
        instrument, mark = self._margin.instrument(symbol), self._margin.mark(symbol)
        own, further = self._margin.initial(account_id, symbol, side)
        exposure = self._orders.exposures(account_id).get((symbol, side), NO_ORDERS)
        profit = unrealized(position, mark)
        isolated = chosen.margin_type == "ISOLATED"
        return PositionRisk(
            symbol,
            side,
            position.quantity,
            entry_price(position),
            break_even_price(position),
            mark,
            profit,
            self._margin.liquidation_price(position),
            position.isolated_wallet + profit if isolated else 0,
            position.isolated_wallet if isolated else 0,
            position.quantity * mark // ONE,
            instrument.quote,
            own + further,
            own,
            further,
            self._margin.maintenance(position) if position.quantity else 0,
            self._quantile(position) if position.quantity else 0,
            exposure.bids,
            exposure.asks,
            chosen.leverage,
            chosen.margin_type,
            maximum_notional(instrument, chosen.leverage),
            position.update_ms,
        )

    def _quantile(self, position: Position) -> int:
        """Place in the line for deleveraging: fifths of all positions on the same side by profit rate x leverage."""
        long = position.quantity > 0
        line = sorted(
            self._score(other) for other in self._positions.open_in(position.symbol) if (other.quantity > 0) == long
        )
        below = sum(score < self._score(position) for score in line)
        return min(4, below * 5 // len(line))

    def _score(self, position: Position) -> int:
        leverage = self._settings.of(position.account_id, position.symbol).leverage
        return self._profit(position) * ONE // max(abs(position.cost), 1) * leverage

    def adl_quantiles(self, account_id: int, symbol: str | None = None) -> list[AdlQuantiles]:
        """Quantiles of what the account holds, one entry per symbol."""
        if symbol is not None:
            self._core.listing(symbol)
        found: dict[str, dict[str, int]] = {}
        for position in self._positions.of(account_id, symbol):
            found.setdefault(position.symbol, {})[position.position_side] = self._quantile(position)
        for quantiles in found.values():
            if "BOTH" not in quantiles:
                quantiles.setdefault("LONG", 0)
                quantiles.setdefault("SHORT", 0)
                quantiles["HEDGE"] = 0
        return [AdlQuantiles(name, quantiles) for name, quantiles in found.items()]

    def brackets(self, symbol: str) -> list[Bracket]:
        """The leverage table of a symbol."""
        return list(brackets_for(self._core.listing(symbol).instrument))

    def premium(self, symbol: str) -> Premium:
        """Mark price and funding of a symbol."""
        mark, now = self._core.listing(symbol).mark, self._core.now()
        rate = self._funding.rate(symbol)
        return Premium(symbol, mark, mark, mark, rate, DEFAULT_RATE, self._funding.next_ms(now), now)

    def open_interest(self, symbol: str) -> OpenInterest:
        """The larger of all long and all short contracts that customers hold."""
        self._core.listing(symbol)
        sizes = [position.quantity for position in self._positions.open_in(symbol)]
        longs = sum(size for size in sizes if size > 0)
        shorts = -sum(size for size in sizes if size < 0)
        return OpenInterest(symbol, max(longs, shorts), self._core.now())

    def commission(self, account_id: int, symbol: str) -> Commission:
        """Fee rates of an account."""
        self._core.listing(symbol)
        account = self._core.accounts.account(account_id)
        return Commission(symbol, account.futures_maker_fee, account.futures_taker_fee)

    def symbol_config(self, account_id: int, symbol: str | None = None) -> list[SymbolConfig]:
        """What the account has chosen for each symbol."""
        symbols = list(self._core.listings) if symbol is None else [symbol]
        lines = []
        for name in symbols:
            instrument = self._core.listing(name).instrument
            chosen = self._settings.of(account_id, name)
            most = maximum_notional(instrument, chosen.leverage)
            lines.append(SymbolConfig(name, chosen.margin_type, False, chosen.leverage, most))
        return lines

    def account_config(self, account_id: int) -> AccountConfig:
        """What the account has chosen for itself."""
        account = self._core.accounts.account(account_id)
        hedge, joint = self._settings.hedge_mode(account_id), self._settings.multi_assets(account_id)
        return AccountConfig(0, account.can_trade, True, True, hedge, joint, 0)
