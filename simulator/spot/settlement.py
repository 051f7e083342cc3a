"""Trades booked: the public record, both halves' balances, fees and fills, and their reports."""

from __future__ import annotations

from simulator.events import TradeHappened
from simulator.market.types import Side, Trade
from simulator.spot.desk import Desk, Listing
from simulator.spot.fees import DISCOUNT_ASSET, commission
from simulator.spot.funds import given_asset, need
from simulator.spot.ledger import FEES, MARKET, amount_text
from simulator.spot.types import Fill, SpotOrder


class Settlement:
    """Turns matches into trades. Knows nothing of queues: it is told who trades, at what price and how much."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def trade(
        self,
        listing: Listing,
        price: int,
        quantity: int,
        taker_side: Side,
        maker: SpotOrder | None,
        taker: SpotOrder | None,
    ) -> Trade:
        """Book one trade; None is the background. Reports the taker's half first; gives the public trade."""
        trade = listing.market.record(
            self._desk.clock.now_ms(),
            price,
            quantity,
            taker_side,
            maker.order_id if maker is not None else 0,
            taker.order_id if taker is not None else 0,
        )
        self._write(listing, trade, maker, taker)
        self._desk.bus.publish(TradeHappened("spot", listing.instrument.symbol, trade))
        if taker is not None:
            self._half(listing, trade, taker, is_maker=False)
        if maker is not None:
            self._half(listing, trade, maker, is_maker=True)
        if maker is None or taker is None:
            self._background_half(listing, trade, taker_side if taker is None else maker_side(taker_side))
        return trade

    def _half(self, listing: Listing, trade: Trade, order: SpotOrder, is_maker: bool) -> None:
        """One order's half: what it gives comes from its lock, what it gets is free, the fee is taken from that."""
        desk, instrument = self._desk, listing.instrument
        reference = f"{order.symbol}:{order.order_id}:{trade.trade_id}"
        is_buyer = order.side == "BUY"
        order.executed += trade.quantity
        order.executed_quote += trade.quote
        given = trade.quote if is_buyer else trade.quantity
        unused = order.locked - given
        keeps = min(need(listing, order), unused) if order.price else unused
        desk.ledger.move(
            order.account_id, given_asset(listing, order), unused - keeps, keeps - order.locked, "trade", reference
        )
        order.locked = keeps
        received = (instrument.base, trade.quantity) if is_buyer else (instrument.quote, trade.quote)
        desk.ledger.move(order.account_id, received[0], received[1], 0, "trade", reference)
        fee_asset, fee = self._charge(listing, trade, order, received, is_maker, reference)
        order.update_ms = trade.time_ms
        order.status = "PARTIALLY_FILLED" if order.remaining > 0 else "FILLED"
        fill = Fill(
            trade.trade_id,
            order.order_id,
            order.symbol,
            trade.price,
            trade.quantity,
            trade.quote,
            fee,
            fee_asset,
            trade.time_ms,
            is_buyer,
            is_maker,
            order.order_list_id,
        )
        order.fills.append(fill)
        listing.archive(order.account_id).fills.append(fill)

    def _charge(
        self,
        listing: Listing,
        trade: Trade,
        order: SpotOrder,
        received: tuple[str, int],
        is_maker: bool,
        reference: str,
    ) -> tuple[str, int]:
        desk = self._desk
        asset, amount = commission(
            desk.accounts.account(order.account_id),
            listing.instrument,
            received,
            trade.quote,
            is_maker,
            desk.bnb_price,
            desk.ledger.free(order.account_id, DISCOUNT_ASSET),
        )
        if amount:
            desk.ledger.move(order.account_id, asset, -amount, 0, "commission", reference)
            desk.ledger.move(FEES, asset, amount, 0, "commission", reference)
        return asset, amount

    def _background_half(self, listing: Listing, trade: Trade, side: Side) -> None:
        """The market account takes the other half of a trade with the background."""
        instrument, sign = listing.instrument, 1 if side == "BUY" else -1
        reference = f"{instrument.symbol}::{trade.trade_id}"
        self._desk.ledger.move(MARKET, instrument.base, sign * trade.quantity, 0, "trade", reference)
        self._desk.ledger.move(MARKET, instrument.quote, -sign * trade.quote, 0, "trade", reference)

    def _write(self, listing: Listing, trade: Trade, maker: SpotOrder | None, taker: SpotOrder | None) -> None:
        self._desk.tape.append(
            "trade",
            market="spot",
            symbol=listing.instrument.symbol,
            trade=trade.trade_id,
            price=amount_text(trade.price),
            quantity=amount_text(trade.quantity),
            quote=amount_text(trade.quote),
            taker=trade.taker,
            maker_order=trade.maker_order_id,
            taker_order=trade.taker_order_id,
            maker_account=maker.account_id if maker is not None else "market",
            taker_account=taker.account_id if taker is not None else "market",
        )


def maker_side(taker_side: Side) -> Side:
    """The side of whoever stands against a taker."""
    return "SELL" if taker_side == "BUY" else "BUY"
