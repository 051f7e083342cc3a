"""What a backtest gives: exact figures, every fill, and what can be worked out of them when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from core.base_strategy import StrategyKind
from domain import funding
from domain.capital import fill_entry
from domain.fill import Fill
from domain.funding import FundingPayment, FundingShare
from domain.instrument import Instrument
from domain.ledger import UNALLOCATED, Ledger, cash, transfer
from domain.money import divmod_exact, from_units
from engine.backtest.history import History
from engine.backtest.kernel import layout as lay
from engine.backtest.settings import Settings

INSTANCE = 1
_SLOT = lay.FILL_FIELDS.index("slot")


class Figures(NamedTuple):
    """The scalars of one run, in quanta of the quote asset where nothing else is said."""

    quote: int
    #: Base quanta.
    base: int
    #: Base quanta bought and not sold, and their average cost.
    position: int
    cost: int
    #: Earned by what was closed, before fees; a fee in base counts as a sale of that much.
    realised: int
    fees: int
    fee_quote: int
    #: Base quanta.
    fee_base: int
    unrealised: int
    equity: int
    #: Deepest fall of the equity from a high, at closes of bars.
    max_fall: float
    fills: int
    maker_fills: int
    #: Quote that changed hands.
    turnover: int
    #: Sales that earned something after their fee, and those that lost, and how much they did.
    wins: int
    losses: int
    gained: int
    lost: int
    #: Milliseconds in which something was held.
    held_ms: int
    #: Orders that the venue refused, and wishes that a risk rule held back.
    refusals: int
    holds: int
    #: Funding received less paid, and how often; on spot none.
    funding: int = 0
    fundings: int = 0
    #: When the venue closed the position for lack of margin, 0 for never, and its fee, which is among the fees.
    liquidated_ms: int = 0
    liquidation_fee: int = 0
    #: What backs the position that is open at the end, and the tick at which it would be liquidated, 0 for none.
    margin: int = 0
    liquidation_ticks: int = 0


class Stamp(NamedTuple):
    """What has to be the same for the same result. There is no chance in a replay, so no seed."""

    strategy: str
    params: str
    code: str
    runtime: str


@dataclass(frozen=True)
class Result:
    """One run. Amounts are exact; what is made of the curve (ratios) is floating."""

    kind: StrategyKind
    history: History
    settings: Settings
    figures: Figures
    #: Rows as `kernel.layout.FILL_FIELDS` and `ORDER_FIELDS` name them; the moves of money are fills and fundings.
    moves: NDArray[numpy.int64]
    orders: NDArray[numpy.int64]
    warnings: tuple[str, ...]
    stamp: Stamp
    #: The first bar that was traded.
    first_place: int

    @cached_property
    def fills(self) -> NDArray[numpy.int64]:
        """Every execution; that of a liquidation has the slot `OF_LIQUIDATION`."""
        if not self.figures.fundings:
            return self.moves
        return self._moves_where(self.moves[:, _SLOT] != lay.OF_FUNDING)

    @cached_property
    def fundings(self) -> NDArray[numpy.int64]:
        """Every funding: its side and lots are those of the position, `realised` is what was received."""
        return self._moves_where(self.moves[:, _SLOT] == lay.OF_FUNDING)

    def _moves_where(self, chosen: NDArray[numpy.bool_]) -> NDArray[numpy.int64]:
        rows: NDArray[numpy.int64] = self.moves[chosen]
        return rows

    @property
    def start_equity(self) -> int:
        """Quote quanta that the start was worth."""
        instrument = self.history.instrument
        quote = divmod_exact(self.settings.quote, instrument.quote_quantum)[0]
        base = divmod_exact(self.settings.base, instrument.base_quantum)[0]
        ticks = int(self.history.close[self.first_place - 1])
        return quote + base * ticks * instrument.tick_lot // instrument.base_per_lot

    @property
    def net(self) -> Decimal:
        """What was earned, in the quote asset, open positions at the last price, after fees."""
        return self.amount(self.figures.equity - self.start_equity)

    @property
    def equity(self) -> Decimal:
        """What it is worth at the end, in the quote asset."""
        return self.amount(self.figures.equity)

    def amount(self, quanta: int) -> Decimal:
        """Quote quanta as an amount."""
        return from_units(int(quanta), self.history.instrument.quote_quantum)

    @cached_property
    def ledger(self) -> Ledger:
        """The double-entry ledger of every fill and funding, made by the rules of live trading."""
        books = Ledger()
        post_moves(books, self, INSTANCE)
        return books

    @cached_property
    def curve(self) -> NDArray[numpy.float64]:
        """Equity at the close of every bar, in the quote asset."""
        history, instrument = self.history, self.history.instrument
        quote = [float(divmod_exact(self.settings.quote, instrument.quote_quantum)[0])]
        base = [float(divmod_exact(self.settings.base, instrument.base_quantum)[0])]
        fields = {name: self.moves[:, place] for place, name in enumerate(lay.FILL_FIELDS)}
        bars = numpy.searchsorted(history.open_ms, fields["time_ms"].astype(numpy.int64), "right") - 1
        # What is owned after a fill is owned until the bar of the next one.
        lengths = numpy.diff(bars, prepend=0, append=len(history))
        owned_quote = numpy.repeat(numpy.append(quote, fields["quote"].astype(float)), lengths)
        owned_base = numpy.repeat(numpy.append(base, fields["base"].astype(float)), lengths)
        worth = owned_quote + owned_base * (instrument.tick_lot / instrument.base_per_lot) * history.close
        return worth * float(instrument.quote_quantum)


def post_moves(books: Ledger, result: Result, instance: int) -> None:
    """Post what an instance was allotted, its fills and its fundings."""
    instrument = result.history.instrument
    start = (
        (instrument.quote, divmod_exact(result.settings.quote, instrument.quote_quantum)[0]),
        (instrument.base, divmod_exact(result.settings.base, instrument.base_quantum)[0]),
    )
    for asset, amount in start:
        if amount:
            books.post(transfer(f"capital:{asset}:{instance}", 0, asset, amount, UNALLOCATED, cash(instance)))
    for number, row in enumerate(result.fills.tolist(), 1):
        books.post(fill_entry(instance, instrument, _fill(instrument, f"{instance}-{number}", row)))
    for number, row in enumerate(result.fundings.tolist(), 1):
        books.post(funding.share_entry(instance, _funding(instrument, str(number), row)))


def _fill(instrument: Instrument, trade_id: str, row: list[Any]) -> Fill:
    named = dict(zip(lay.FILL_FIELDS, row, strict=True))
    return Fill(
        symbol=instrument.symbol,
        trade_id=trade_id,
        client_order_id="",
        side=named["side"],
        ticks=named["ticks"],
        lots=named["lots"],
        fee=named["fee"],
        fee_asset=instrument.base if named["fee_in_base"] else instrument.quote,
        is_maker=bool(named["maker"]),
        time_ms=named["time_ms"],
    )


def _funding(instrument: Instrument, transaction_id: str, row: list[Any]) -> FundingShare:
    named = dict(zip(lay.FILL_FIELDS, row, strict=True))
    amount, position = named["realised"], named["side"] * named["lots"]
    payment = FundingPayment(instrument.symbol, transaction_id, named["time_ms"], instrument.quote, amount, position)
    return FundingShare(payment, amount)
