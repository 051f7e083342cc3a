"""Futures funding: what the venue has paid or charged an account, shared among the instances that held the position.

Each instance's share is `amount * held / position`, both signed, rounded towards zero: an instance that was long on an
account that was short is paid what the others are charged. When the instances together held the whole position, what
rounding leaves goes to the one that held most, the lowest number among equals, so that the shares add up to the amount.
When they held less or more, the account's owner trades the symbol by hand: the rest is the account's.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from domain.ledger import FUNDING, Entry, Posting, cash, entry
from domain.proportion import scaled

#: The kind of ledger entries of funding.
KIND = "funding"


class FundingPayment(NamedTuple):
    """One payment for one symbol of an account. Its identity is (symbol, transaction id): the venue's."""

    symbol: str
    transaction_id: str
    time_ms: int
    asset: str
    #: Quanta of the asset; below zero is charged.
    amount: int
    #: The position it was paid for, in lots, below zero when short; 0 where the venue does not tell.
    position_lots: int


class FundingShare(NamedTuple):
    """What one instance gets, or gives when below zero, of a payment."""

    payment: FundingPayment
    amount: int


class FundingRate(NamedTuple):
    """What a venue has charged longs and paid shorts of a symbol at one time, or the reverse when below zero."""

    symbol: str
    time_ms: int
    #: A share of the position's worth at the mark price.
    rate: Decimal
    #: None where the venue does not tell it.
    mark: Decimal | None

    def per_unit(self, tick_size: Decimal, ticks: int) -> Fraction:
        """Ticks that are charged for one of the base asset, exactly; at so many ticks where no mark price is told."""
        mark = Fraction(self.mark) / Fraction(tick_size) if self.mark else Fraction(ticks)
        return mark * Fraction(self.rate)


def shares(amount: int, position: int, held: Mapping[int, int]) -> dict[int, int]:
    """Instance -> its share of an amount; `position` and `held` are in one unit, 0 means what is held together."""
    ours = sum(held.values())
    whole = position or ours
    if not whole:
        return {}
    found = {instance: _part(amount, mine, whole) for instance, mine in sorted(held.items()) if mine}
    if found and whole == ours:
        most = min(found, key=lambda instance: (-abs(held[instance]), instance))
        found[most] += amount - sum(found.values())
    return found


def share_entry(instance: int, share: FundingShare) -> Entry:
    """The ledger entry of an instance's share; its reference is the venue's transaction and the instance."""
    payment = share.payment
    return entry(
        KIND,
        reference(instance, payment),
        payment.time_ms,
        (Posting(cash(instance), payment.asset, share.amount), Posting(FUNDING, payment.asset, -share.amount)),
    )


def reference(instance: int, payment: FundingPayment) -> str:
    """What a share is booked under, once."""
    return f"{payment.symbol}:{payment.transaction_id}:{instance}"


def _part(amount: int, mine: int, whole: int) -> int:
    part = scaled(abs(amount), abs(mine), abs(whole))
    return part if (amount < 0) == ((mine < 0) != (whole < 0)) else -part
