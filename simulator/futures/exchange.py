"""The USD-M futures exchange: one door to its parts.

What each part answers (every method raises `VenueError` with the venue's code and text; a refusal changes nothing):

`FuturesExchange(clock, bus, tape, accounts, schedule=None)`
    list_symbol(instrument, market), instruments, instrument(symbol), set_instrument(instrument), book(symbol),
    market(symbol), mark_price(symbol), on_print(symbol, print), on_time(now_ms), on_protocol_time(now_ms),
    next_timer_ms(now_ms), is_hot(symbol), deposit(account_id, asset, amount), withdraw(...), totals(),
    place(account_id, new), test(same), cancel(account_id, symbol, order_id, client_order_id),
    cancel_all(account_id, symbol) -> list[FuturesOrder],
    modify(account_id, symbol, order_id, client_order_id, side, quantity, price, price_match=None) -> FuturesOrder.
    `place`, `cancel` and `modify` are the pieces of batches: call them once per item and catch VenueError.
`.history` (`simulator.futures.history`)
    order(account_id, symbol, order_id, client_order_id), open_order(same), open_orders(account_id, symbol=None),
    all_orders(account_id, symbol, order_id=None, start_ms=None, end_ms=None, limit=500),
    trades(account_id, symbol, order_id=None, start_ms=None, end_ms=None, from_id=None, limit=500) -> list[Fill],
    amendments(account_id, symbol, order_id=None, client_order_id=None, start_ms=None, end_ms=None, limit=50),
    force_orders(account_id, symbol=None, kind=None, start_ms=None, end_ms=None, limit=50) -> list[FuturesOrder].
`.algo` (`simulator.futures.algo`)
    place(account_id, new), cancel(account_id, algo_id, client_algo_id), cancel_all(account_id, symbol),
    order(account_id, algo_id, client_algo_id), open_orders(account_id, symbol=None, algo_id=None),
    all_orders(account_id, symbol, algo_id=None, start_ms=None, end_ms=None, limit=500).
`.settings` (`simulator.futures.choices`)
    set_leverage(account_id, symbol, leverage) -> LeverageChange, set_margin_type(account_id, symbol, margin_type),
    set_hedge_mode(account_id, hedge), set_multi_assets(account_id, on), set_fee_burn(account_id, on),
    hedge_mode(account_id), multi_assets(account_id), fee_burn(account_id), of(account_id, symbol) -> SymbolSettings,
    adjust_margin(account_id, symbol, position_side, amount, kind) -> MarginChange (kind 1 adds, 2 reduces),
    margin_changes(account_id, symbol, kind=None, start_ms=None, end_ms=None, limit=500).
`.wallets` (`simulator.futures.wallets`)
    balance(account_id, asset), cross(account_id, asset), assets(account_id), totals(), paid_in(),
    place("market" | "fees" | "insurance", asset),
    income(account_id, symbol=None, income_type=None, start_ms=None, end_ms=None, limit=100) -> list[Income].
`.funding` (`simulator.futures.funding`)
    rate(symbol), next_ms(now_ms), history(symbol=None, start_ms=None, end_ms=None, limit=100) -> list[FundingRate],
    info() -> list[FundingInfo], schedule (`FundingSchedule`, `read_schedule(path)` reads a CSV of rates).
`.reports` (`simulator.futures.queries`)
    account(account_id) -> AccountSummary, balances(account_id) -> list[BalanceLine],
    positions(account_id, symbol=None) -> list[PositionRisk] (all listed symbols, flat ones too),
    brackets(symbol) -> list[Bracket], adl_quantiles(account_id, symbol=None) -> list[AdlQuantiles],
    premium(symbol) -> Premium, open_interest(symbol) -> OpenInterest, commission(account_id, symbol) -> Commission,
    symbol_config(account_id, symbol=None) -> list[SymbolConfig], account_config(account_id) -> AccountConfig.
`.countdown` (`simulator.futures.countdown`)
    set(account_id, symbol, countdown_ms, now_ms): cancel all after so much protocol time; 0 stops it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulator.events import InstrumentChanged
from simulator.futures.algo import AlgoService
from simulator.futures.choices import Choices
from simulator.futures.countdown import Countdown
from simulator.futures.funding import Funding, FundingSchedule
from simulator.futures.history import History
from simulator.futures.lifecycle import Lifecycle
from simulator.futures.liquidation import Liquidator
from simulator.futures.margin import Margin
from simulator.futures.matching import Matching
from simulator.futures.order_store import OrderStore
from simulator.futures.positions import PositionBook
from simulator.futures.queries import Reports
from simulator.futures.settings import Settings
from simulator.futures.settlement import Settlement
from simulator.futures.state import Core, Listing
from simulator.futures.trading import Trading
from simulator.futures.types import FuturesOrder, NewOrder
from simulator.futures.validation import Validation
from simulator.futures.wallets import Wallets
from simulator.market.types import Print, Side
from simulator.matching.book import Book

if TYPE_CHECKING:
    from simulator.accounts import AccountBook
    from simulator.clock import MarketClock
    from simulator.events import Bus
    from simulator.instruments import Instrument
    from simulator.market.symbol_market import SymbolMarket
    from simulator.tape import Tape


class FuturesExchange:
    """USD-M futures. After every change triggers and margins are looked at until nothing more happens."""

    def __init__(
        self,
        clock: MarketClock,
        bus: Bus,
        tape: Tape,
        accounts: AccountBook,
        schedule: FundingSchedule | None = None,
    ) -> None:
        self._core = core = Core(clock, bus, tape, accounts)
        self._positions = positions = PositionBook()
        self._orders = orders = OrderStore()
        chosen = Settings()
        self.wallets = wallets = Wallets(core, positions)
        self._margin = margin = Margin(core, wallets, positions, orders, chosen)
        validation = Validation(core, chosen, positions)
        lifecycle = Lifecycle(core, orders, positions)
        settlement = Settlement(core, wallets, positions, orders, chosen, lifecycle)
        self._matching = matching = Matching(core, lifecycle, settlement)
        self._lifecycle = lifecycle
        self._trading = trading = Trading(core, orders, positions, chosen, margin, validation, lifecycle, matching)
        self.algo = AlgoService(core, positions, validation, trading, lifecycle)
        self.calm_between = partial(_calm_between, core, self.algo)
        """Prices strictly between which no print reaches an order; None where conditional orders wait."""
        self._liquidator = Liquidator(core, wallets, positions, orders, chosen, margin, lifecycle, matching, self.algo)
        self.settings = Choices(core, chosen, wallets, positions, orders, self.algo.store, margin)
        self.funding = Funding(core, wallets, positions, chosen, schedule or FundingSchedule())
        self.history = History(core, orders, trading, self._liquidator)
        self.reports = Reports(core, wallets, positions, orders, chosen, margin, self.funding)
        self.countdown = Countdown(core, trading)

    @property
    def instruments(self) -> dict[str, Instrument]:
        """Listed symbols and their rules."""
        return {symbol: listing.instrument for symbol, listing in self._core.listings.items()}

    def list_symbol(self, instrument: Instrument, market: SymbolMarket) -> None:
        """Open a symbol for trading on its market."""
        self._core.listings[instrument.symbol] = Listing(instrument, market)

    def instrument(self, symbol: str) -> Instrument:
        """Rules of a symbol; -1121 when it is not listed."""
        return self._core.listing(symbol).instrument

    def set_instrument(self, instrument: Instrument) -> None:
        """Change a symbol's rules or status."""
        self._core.listing(instrument.symbol).instrument = instrument
        self._core.bus.publish(InstrumentChanged(instrument))

    def book(self, symbol: str) -> Book[FuturesOrder]:
        """Order book of a symbol."""
        return self._core.listing(symbol).book

    def market(self, symbol: str) -> SymbolMarket:
        """Market of a symbol: its trades, bars and tickers."""
        return self._core.listing(symbol).market

    def mark_price(self, symbol: str) -> int:
        """Mark price: the market's last print."""
        return self._core.listing(symbol).mark

    def is_hot(self, symbol: str) -> bool:
        """Whether somebody has an order, a conditional order or a position on the symbol."""
        return (
            self._orders.has_open(symbol) or self._positions.has_open(symbol) or bool(self.algo.store.waiting(symbol))
        )

    def on_print(self, symbol: str, p: Print) -> None:
        """A trade of the background market happens."""
        self._matching.on_print(self._core.listing(symbol), p)
        self._settle_down(marked=symbol)

    def on_time(self, now_ms: int) -> None:
        """Market time has come to `now_ms`: charge funding, expire what is due."""
        self.funding.on_time(now_ms)
        for order in self._orders.due(now_ms):
            self._lifecycle.end(order, "EXPIRED", "EXPIRED")
        self.algo.expire_due(now_ms)
        self._settle_down()

    def on_protocol_time(self, now_ms: int) -> None:
        """Protocol time has come to `now_ms`: let countdowns act."""
        self.countdown.on_protocol_time(now_ms)

    def next_timer_ms(self, now_ms: int) -> int:
        """The next market time at which `on_time` has something to do."""
        times = [self.funding.next_ms(now_ms), self._orders.next_deadline(), self.algo.store.next_deadline()]
        return min(max(time_ms, now_ms + 1) for time_ms in times if time_ms is not None)

    def deposit(self, account_id: int, asset: str, amount: int) -> int:
        """Pay into the cross wallet; gives the transaction id."""
        return self.wallets.deposit(account_id, asset, amount)

    def withdraw(self, account_id: int, asset: str, amount: int) -> int:
        """Pay out what margin leaves free; -2018 above it."""
        lines = self.reports.balances(account_id)
        limit = next((line.maximum_withdraw for line in lines if line.asset == asset), 0)
        return self.wallets.withdraw(account_id, asset, amount, limit)

    def totals(self) -> dict[str, int]:
        """Sum of all wallets and of the venue's own places by asset: equal to what was paid in."""
        return self.wallets.totals()

    def place(self, account_id: int, new: NewOrder) -> FuturesOrder:
        """Place an ordinary order; its fills are in `fills`."""
        order = self._trading.place(account_id, new)
        self._settle_down()
        return order

    def test(self, account_id: int, new: NewOrder) -> FuturesOrder:
        """Check an order without placing it; gives what would have been accepted, without an order id."""
        return self._trading.check(account_id, new, is_test=True)

    def cancel(self, account_id: int, symbol: str, order_id: int | None, client_order_id: str | None) -> FuturesOrder:
        """Cancel an open order; -2011 when there is none."""
        return self._trading.cancel(account_id, symbol, order_id, client_order_id)

    def cancel_all(self, account_id: int, symbol: str) -> list[FuturesOrder]:
        """Cancel the account's open orders on a symbol."""
        return self._trading.cancel_all(account_id, symbol)

    def modify(
        self,
        account_id: int,
        symbol: str,
        order_id: int | None,
        client_order_id: str | None,
        side: Side,
        quantity: int,
        price: int | None,
        price_match: str | None = None,
    ) -> FuturesOrder:
        """Change price and quantity of an open LIMIT order; it keeps its id and loses its place in line."""
        order = self._trading.modify(account_id, symbol, order_id, client_order_id, side, quantity, price, price_match)
        self._settle_down()
        return order

    def _settle_down(self, marked: str | None = None) -> None:
        """Let conditions trigger and margins be enforced until nothing moves any more."""
        core = self._core
        if marked is not None:
            self._liquidator.on_mark(marked)
        while core.moved_symbols or core.touched_accounts:
            for symbol in list(core.moved_symbols):
                del core.moved_symbols[symbol]
                self.algo.on_price(symbol)
            for account_id in list(core.touched_accounts):
                del core.touched_accounts[account_id]
                self._liquidator.look_at(account_id)


def _calm_between(core: Core, algo: AlgoService, symbol: str) -> tuple[int, int] | None:
    return None if algo.store.waiting(symbol) else core.listing(symbol).book.nearest_orders
