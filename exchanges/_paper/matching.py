"""What the market does to resting paper orders: facts, and the queue they stand in."""

from __future__ import annotations

from collections.abc import Sequence

from core.base_exchange import Bar, PriceUpdate
from domain import fills
from domain.instrument import Instrument
from domain.order import BUY, STOP_MARKET, Order, remaining
from exchanges._paper.book import Account, Fact, fill_fact


class Matcher:
    """One fill model with its fees."""

    def __init__(self, model: str, maker_ppm: int, taker_ppm: int) -> None:
        self.model = fills.MODELS[model]
        self.rates = (maker_ppm, taker_ppm)

    def enqueue(self, account: Account, order: Order, price: PriceUpdate) -> None:
        """Put a new order behind what is shown at its price."""
        account.ahead[order.client_order_id] = fills.queue_ahead(
            order.side, order.ticks, price.bid, price.ask, price.bid_lots, price.ask_lots
        )

    def on_price(self, account: Account, update: PriceUpdate, instrument: Instrument) -> list[Fact]:
        """Facts of a price: trades fill by the model, a book that has moved over a limit fills it whole.

        A price that reaches several orders meets the nearest first, as it does at a venue.
        """
        facts: list[Fact] = []
        for order in sorted(account.resting(update.symbol), key=_priority):
            lots, ticks, rate = self._share(account, order, update)
            if lots:
                trade = account.last_trade + 1 + len(facts)
                fact = fill_fact(trade, order, ticks, lots, instrument, self.rates[rate], update.time_ms)
                fact[9] = rate == 0
                facts.append(fact)
        return facts

    def on_bars(self, account: Account, bars: Sequence[Bar], instrument: Instrument, bar_ms: int) -> list[Fact]:
        """Facts of the time in which nobody watched: an order fills when a bar went through it."""
        facts: list[Fact] = []
        for order in account.resting(instrument.symbol):
            for bar in bars:
                if order.type != STOP_MARKET and fills.on_bar(self.model, order.side, order.ticks, bar.low, bar.high):
                    trade, end = account.last_trade + 1 + len(facts), bar.open_ms + bar_ms - 1
                    lots = remaining(order)
                    facts.append(fill_fact(trade, order, order.ticks, lots, instrument, self.rates[0], end))
                    break
        return facts

    def _share(self, account: Account, order: Order, update: PriceUpdate) -> tuple[int, int, int]:
        """Lots that fill now, at which price, and whether as maker (0) or taker (1)."""
        left = remaining(order)
        if order.type == STOP_MARKET:
            reached = update.last >= order.ticks if order.side == BUY else update.last <= order.ticks
            best = update.ask if order.side == BUY else update.bid
            return (left, best or update.last, 1) if reached else (0, 0, 1)
        if fills.is_marketable(order.side, order.ticks, update.bid, update.ask):
            return left, order.ticks, 0
        if not update.traded:
            return 0, 0, 0
        name = order.client_order_id
        step = fills.on_trade(
            self.model, order.side, order.ticks, left, account.ahead.get(name, 0), update.last, update.traded
        )
        account.ahead[name] = step.ahead
        return step.filled, order.ticks, 0


def _priority(order: Order) -> int:
    """Which of several orders a price meets first: of buys the highest, of sells the lowest; of stops the reverse."""
    return order.ticks if (order.side == BUY) == (order.type == STOP_MARKET) else -order.ticks
