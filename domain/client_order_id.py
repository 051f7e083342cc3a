"""The name an order carries at the venue: a pure function of what the order is for.

Layout of the 26 characters: `ar`, the scheme version `1`, then 23 characters of base64url that pack, from the
highest bit down, deployment (16), instance (40), generation (16), slot (16), cycle (32), leg (4) and attempt (14).
No clock and no lease epoch is in it: a new owner that wants the same order gets the same name. It can be read back,
so an order found at the venue names its instance even when the journal is gone.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import NamedTuple

from domain.errors import Refused

PREFIX = "ar1"
LENGTH = 26
_WIDTHS = {"deployment": 16, "instance": 40, "generation": 16, "slot": 16, "cycle": 32, "leg": 4, "attempt": 14}
_BYTES = 18
_SPARE_BITS = _BYTES * 8 - sum(_WIDTHS.values())


class BadOrderKey(Refused):
    """A part of the order key is outside the range that a client order id can carry."""


class ForeignOrderId(Refused):
    """The client order id was not made by this scheme."""


class OrderKey(NamedTuple):
    """What an order is for. Two orders with the same key are the same order."""

    #: Tells two installations apart that trade on one account.
    deployment: int
    #: The strategy instance.
    instance: int
    #: Rises only when an instance is reset from scratch.
    generation: int
    #: A place in the strategy that holds at most one order: a grid level, a symbol.
    slot: int
    #: The nth use of the slot.
    cycle: int
    #: What the order does in the slot: see `domain.order`.
    leg: int
    #: Rises only when the attempt before is proven dead.
    attempt: int


def encode(key: OrderKey) -> str:
    """The client order id of a key, 26 characters of `[A-Za-z0-9_-]`; `BadOrderKey` names a part out of range."""
    packed = 0
    for name, width in _WIDTHS.items():
        value = getattr(key, name)
        if not 0 <= value < 1 << width:
            raise BadOrderKey(f"{name} is {value}; a client order id carries 0 to {(1 << width) - 1}.")
        packed = packed << width | value
    text = base64.urlsafe_b64encode((packed << _SPARE_BITS).to_bytes(_BYTES, "big")).decode()
    return PREFIX + text[: LENGTH - len(PREFIX)]


def is_ours(client_order_id: str) -> bool:
    """Whether an order was named by this scheme, whatever its deployment."""
    return len(client_order_id) == LENGTH and client_order_id.startswith(PREFIX)


# Every piece of news of an order asks several times whose it is.
@lru_cache(maxsize=8_192)
def decode(client_order_id: str) -> OrderKey:
    """The key that a client order id carries; `ForeignOrderId` for names of others."""
    if not is_ours(client_order_id):
        raise ForeignOrderId(f"{client_order_id!r} does not begin with {PREFIX} or is not {LENGTH} characters long.")
    try:
        content = base64.urlsafe_b64decode(client_order_id[len(PREFIX) :] + "A")
    except ValueError as error:
        raise ForeignOrderId(f"{client_order_id!r} is not base64url after its prefix.") from error
    packed = int.from_bytes(content, "big") >> _SPARE_BITS
    values = []
    for width in reversed(_WIDTHS.values()):
        values.append(packed & ((1 << width) - 1))
        packed >>= width
    key = OrderKey(*reversed(values))
    if encode(key) != client_order_id:
        raise ForeignOrderId(f"{client_order_id!r} has stray bits; it was not made by this scheme.")
    return key
