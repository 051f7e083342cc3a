"""Checks of a new order against the symbol's rules and the account's settings; nothing here changes anything."""

from __future__ import annotations

import re

from simulator.futures.positions import PositionBook, is_closing
from simulator.futures.refusals import (
    bad_target,
    missing,
    not_required,
    price_cap,
    price_floor,
    refuse,
    small_notional,
)
from simulator.futures.settings import Settings
from simulator.futures.state import Core, Listing
from simulator.futures.types import NewOrder, PositionSide
from simulator.instruments import Instrument
from simulator.market.types import Side
from simulator.units import DECIMALS, ONE

CONDITIONAL = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
PRICED = ("LIMIT", "STOP", "TAKE_PROFIT")
PRICE_MATCHES = (
    "OPPONENT",
    "OPPONENT_5",
    "OPPONENT_10",
    "OPPONENT_20",
    "QUEUE",
    "QUEUE_5",
    "QUEUE_10",
    "QUEUE_20",
)
GOOD_TILL_LEAST_MS = 600_000
GOOD_TILL_LATEST_MS = 253_402_300_799_000
_CLIENT_ID = re.compile(r"[\.A-Z\:/a-z0-9_-]{1,36}", re.ASCII)


class Validation:
    """Refuses what the venue would refuse, in the venue's words."""

    def __init__(self, core: Core, settings: Settings, positions: PositionBook) -> None:
        self._core = core
        self._settings = settings
        self._positions = positions

    def ordinary(self, account_id: int, new: NewOrder) -> None:
        """Everything about a LIMIT or MARKET order that needs neither margin nor book."""
        if new.type in CONDITIONAL:
            raise refuse(-4120)
        listing = self._core.listing(new.symbol)
        self._status(listing)
        self._client_id(new.client_order_id)
        self._sides(account_id, new)
        self._shape(new)
        self._amounts(listing.instrument, new)
        self._good_till(new)

    def conditional(self, account_id: int, new: NewOrder) -> None:
        """The same for an order of the algo service."""
        listing = self._core.listing(new.symbol)
        if new.type not in CONDITIONAL:
            raise refuse(-4120)
        self._status(listing)
        self._client_id(new.client_order_id)
        self._sides(account_id, new)
        self._conditional_shape(new)
        self._amounts(listing.instrument, new)
        self._trigger(listing.instrument, new)
        self._good_till(new)

    def _status(self, listing: Listing) -> None:
        status = listing.instrument.status
        if status in ("SETTLING", "CANCEL_ONLY", "PENDING_TRADING"):
            raise refuse(-4140)
        if status != "TRADING":
            raise refuse(-4141)

    def _client_id(self, text: str | None) -> None:
        if text is not None and not _CLIENT_ID.fullmatch(text):
            raise refuse(-4015)

    def _sides(self, account_id: int, new: NewOrder) -> None:
        hedge = self._settings.hedge_mode(account_id)
        if hedge != (new.position_side != "BOTH"):
            raise refuse(-4061)
        if hedge and new.reduce_only:
            raise not_required("reduceOnly")

    def _shape(self, new: NewOrder) -> None:
        """Which parameters go with which type."""
        if new.quantity is None:
            raise missing("quantity")
        if new.type == "MARKET":
            if new.price is not None:
                raise not_required("price")
            if new.time_in_force is not None:
                raise not_required("timeInForce")
        elif new.time_in_force is None:
            raise missing("timeInForce")
        self._price_shape(new)

    def _price_shape(self, new: NewOrder) -> None:
        if new.price_match is not None and new.price_match != "NONE":
            if new.price_match not in PRICE_MATCHES:
                raise refuse(-5037)
            if new.type not in PRICED:
                raise refuse(-5038)
            if new.price is not None:
                raise not_required("price")
        elif new.type in PRICED and new.price is None:
            raise missing("price")

    def _conditional_shape(self, new: NewOrder) -> None:
        if new.close_position:
            self._close_position_shape(new)
        elif new.quantity is None:
            raise missing("quantity")
        if new.type not in PRICED and new.price is not None:
            raise not_required("price")
        self._price_shape(new)
        if new.type == "TRAILING_STOP_MARKET":
            if new.callback_rate is None:
                raise missing("callbackRate")
            if not ONE // 10 <= new.callback_rate <= 10 * ONE or new.callback_rate % (ONE // 10):
                raise refuse(-2007)
            if new.trigger_price is not None:
                raise not_required("triggerPrice")
        elif new.trigger_price is None:
            raise missing("triggerPrice")

    def _close_position_shape(self, new: NewOrder) -> None:
        if new.type not in ("STOP_MARKET", "TAKE_PROFIT_MARKET"):
            raise bad_target(new.type)
        if new.quantity is not None:
            raise refuse(-4137)
        if new.reduce_only:
            raise not_required("reduceOnly")

    def _amounts(self, instrument: Instrument, new: NewOrder) -> None:
        if new.quantity is not None:
            self.quantity(instrument, new.quantity, is_market=new.type not in PRICED)
        if new.price is not None:
            self.price(instrument, new.price)

    def quantity(self, instrument: Instrument, quantity: int, is_market: bool) -> None:
        """LOT_SIZE, or MARKET_LOT_SIZE's maximum."""
        rules = instrument.filters
        if quantity % 10 ** (DECIMALS - instrument.quantity_decimals):
            raise refuse(-1111)
        if quantity <= 0:
            raise refuse(-4003)
        if quantity < rules.minimum_quantity:
            raise refuse(-4004)
        most = rules.market_maximum_quantity if is_market else rules.maximum_quantity
        if most and quantity > most:
            raise refuse(-4005)
        if quantity % rules.lot:
            raise refuse(-4023)

    def price(self, instrument: Instrument, price: int) -> None:
        """PRICE_FILTER."""
        rules = instrument.filters
        if price % 10 ** (DECIMALS - instrument.price_decimals):
            raise refuse(-1111)
        if price <= 0:
            raise refuse(-4001)
        if rules.minimum_price and price < rules.minimum_price:
            raise refuse(-4013)
        if rules.maximum_price and price > rules.maximum_price:
            raise refuse(-4002)
        if price % rules.tick:
            raise refuse(-4014)

    def _trigger(self, instrument: Instrument, new: NewOrder) -> None:
        for price in (new.trigger_price, new.activate_price):
            if price is None:
                continue
            if price <= 0:
                raise refuse(-4006)
            if instrument.filters.maximum_price and price > instrument.filters.maximum_price:
                raise refuse(-4007)
            self.price(instrument, price)

    def _good_till(self, new: NewOrder) -> None:
        if new.time_in_force != "GTD":
            if new.good_till_ms:
                raise not_required("goodTillDate")
            return
        if new.good_till_ms is None:
            raise missing("goodTillDate")
        if not self._core.now() + GOOD_TILL_LEAST_MS < new.good_till_ms < GOOD_TILL_LATEST_MS:
            raise refuse(-5040)

    def percent_price(self, listing: Listing, side: Side, price: int, is_market: bool = False) -> None:
        """PERCENT_PRICE around the mark price: -4016 or -4024, and -4131 for what a market order would meet."""
        rules, mark = listing.instrument.filters, listing.mark
        cap, floor = mark * rules.percent_up // ONE, mark * rules.percent_down // ONE
        if side == "BUY" and rules.percent_up and price > cap:
            raise refuse(-4131) if is_market else price_cap(listing.instrument.format_price(cap))
        if side == "SELL" and rules.percent_down and price < floor:
            raise refuse(-4131) if is_market else price_floor(listing.instrument.format_price(floor))

    def notional(self, instrument: Instrument, price: int, quantity: int) -> None:
        """MIN_NOTIONAL, for orders that are not reduce-only."""
        minimum = instrument.filters.minimum_notional
        if price * quantity // ONE < minimum:
            raise small_notional(minimum)

    def reducing(
        self, account_id: int, symbol: str, position_side: PositionSide, side: Side, asked: bool, quantity: int
    ) -> tuple[bool, int]:
        """(whether the order may only reduce, its quantity then): -2022 when there is nothing to reduce.

        In one-way mode a reduce-only order is cut to the position. In hedge mode every order against its side
        reduces, and one larger than the position is refused.
        """
        closes = side == ("SELL" if position_side == "LONG" else "BUY") if position_side != "BOTH" else asked
        if not closes:
            return False, quantity
        position = self._positions.peek(account_id, symbol, position_side)
        if position is None or not is_closing(position, side):
            raise refuse(-2022)
        held = abs(position.quantity)
        if position_side != "BOTH" and quantity > held:
            raise refuse(-2022)
        return True, min(quantity, held)
