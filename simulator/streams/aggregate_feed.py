"""aggTrade: what one taker traded at one price and moment, sent when the turn that made it is over."""

from __future__ import annotations

from simulator.market.types import Trade
from simulator.streams import payloads
from simulator.streams.feeds import Feed
from simulator.streams.names import StreamKey
from simulator.streams.venue import StreamVenue

_AT_ONCE = 1000


class AggregateTradeFeed(Feed):
    """`aggTrade`, with the ids that REST gives. Held until the turn's end, as the next trade may belong to it."""

    wants_trades = True

    def __init__(self, key: StreamKey, venue: StreamVenue) -> None:
        super().__init__(key, venue)
        newest = self.market().aggregate_trades(from_id=None, start_ms=None, end_ms=None, limit=1)
        self._was_passed_over = False
        self._next_id = newest[-1].aggregate_id + 1 if newest else None

    def on_trade(self, symbol: str, trade: Trade) -> None:
        """Wait for the end of the turn."""
        if self._was_passed_over:
            self._was_passed_over = False
            self._next_id = self.market().passing.aggregate_of(trade.trade_id)
        self.is_held = True

    def pass_over(self) -> None:
        """Send what is held; the next event is of the next trade that is told."""
        if self.is_held:
            self.finish()
        self._was_passed_over = True

    def finish(self) -> None:
        """Send every aggregate since the last turn."""
        self.is_held = False
        instrument, market = self.instrument(), self.market()
        is_complete = False
        while not is_complete:
            found = market.aggregate_trades(from_id=self._next_id, start_ms=None, end_ms=None, limit=_AT_ONCE)
            for aggregate in found:
                self.emit(payloads.aggregate_trade(instrument, aggregate, self.now_ms()))
                self._next_id = aggregate.aggregate_id + 1
            is_complete = len(found) < _AT_ONCE
