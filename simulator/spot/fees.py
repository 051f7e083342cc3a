"""What a trade costs: a share of what was received, or BNB at a quarter less while the account has it."""

from __future__ import annotations

from collections.abc import Callable

from simulator.accounts import Account
from simulator.instruments import Instrument
from simulator.units import ONE

DISCOUNT_ASSET = "BNB"
DISCOUNTED_PERCENT = 75


def commission(
    account: Account,
    instrument: Instrument,
    received: tuple[str, int],
    quote: int,
    is_maker: bool,
    bnb: Callable[[str], int | None],
    free_bnb: int,
) -> tuple[str, int]:
    """(asset, amount) of the commission on one half of a trade, rounded down to a quantum.

    `received` is the asset the half brought in and how much; `quote` the trade's notional; `bnb` gives the price of
    one BNB in an asset, None where no market tells; `free_bnb` is what the account can pay with, the trade booked.
    """
    rate = account.maker_fee if is_maker else account.taker_fee
    asset, amount = received
    if account.pay_fees_in_bnb:
        in_bnb = _in_bnb(asset, amount, instrument.quote, quote, rate, bnb)
        if in_bnb is not None and in_bnb <= free_bnb:
            return DISCOUNT_ASSET, in_bnb
    return asset, amount * rate // ONE


def _in_bnb(
    asset: str, amount: int, quote_asset: str, quote: int, rate: int, bnb: Callable[[str], int | None]
) -> int | None:
    """The discounted commission in BNB; None when BNB has no price in the quote asset."""
    if asset == DISCOUNT_ASSET:
        return amount * rate * DISCOUNTED_PERCENT // (ONE * 100)
    price = bnb(quote_asset)
    if price is None:
        return None
    return quote * rate * DISCOUNTED_PERCENT // (price * 100)
