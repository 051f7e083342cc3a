"""What one venue needs to be told apart from the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from core.base_exchange import Capabilities
from domain.client_order_id import LENGTH, PREFIX, is_ours

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE64URL: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#: Digits in base 36 that hold the 23 characters of base64url behind the prefix.
_DIGITS: Final = 27


@dataclass(frozen=True, slots=True)
class VenueTable:
    """One venue and market."""

    name: str
    ccxt_id: str
    capabilities: Capabilities
    #: ccxt's type of its markets: "spot", or "swap" (linear only).
    market_type: str
    #: Options of ccxt's client: which markets to load, which kind of account.
    options: Mapping[str, Any]
    #: Further parameters of every order, and of every query of one.
    place_params: Mapping[str, Any] = field(default_factory=dict)
    query_params: Mapping[str, Any] = field(default_factory=dict)
    order_id_param: str = "clientOrderId"
    post_only_params: Mapping[str, Any] = field(default_factory=lambda: {"postOnly": True})
    #: Whether client order ids may hold letters and digits only.
    alphanumeric_ids: bool = False
    #: The venue's codes for "an order of this client order id is known": an earlier send of ours arrived.
    duplicate_codes: frozenset[str] = frozenset()
    #: The unit in which balances and fees are counted. The venue may be finer still: see `translate.fee_quanta`.
    quantum: Decimal = Decimal("0.000000000001")

    def name_out(self, client_order_id: str) -> str:
        """The id as this venue takes it; another writing of the same id, readable back."""
        if not self.alphanumeric_ids or not is_ours(client_order_id):
            return client_order_id
        packed = 0
        for character in client_order_id[len(PREFIX) :]:
            packed = packed * 64 + _BASE64URL.index(character)
        digits = []
        for _ in range(_DIGITS):
            packed, digit = divmod(packed, 36)
            digits.append(_ALPHABET[digit])
        return PREFIX + "".join(reversed(digits))

    def name_in(self, venue_name: str) -> str:
        """The id as we know it, from the venue's writing; ids of others stay as they are."""
        body = venue_name[len(PREFIX) :]
        if not self.alphanumeric_ids or not venue_name.startswith(PREFIX) or len(body) != _DIGITS:
            return venue_name
        packed = 0
        for character in body:
            if character not in _ALPHABET:
                return venue_name
            packed = packed * 36 + _ALPHABET.index(character)
        characters = []
        for _ in range(LENGTH - len(PREFIX)):
            packed, index = divmod(packed, 64)
            characters.append(_BASE64URL[index])
        return venue_name if packed else PREFIX + "".join(reversed(characters))
