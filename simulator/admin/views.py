"""The venue's objects as plain JSON: amounts as decimal texts, ids and times as numbers, secrets never."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from simulator.accounts import Account, ApiKey
from simulator.instruments import Instrument
from simulator.units import trim_quanta

_COUNTS = frozenset(
    {
        "leverage",
        "amends",
        "expiry_reason",
        "strategy_type",
        "trailing_delta",
        "price_decimals",
        "quantity_decimals",
        "onboard",
        "maximum_leverage",
        "maximum_orders",
        "maximum_algo_orders",
        "maximum_order_lists",
        "maximum_amends",
        "iceberg_parts",
        "trailing_minimum",
        "trailing_maximum",
    }
)
_SECRETS = frozenset({"secret"})


def plain(value: object, name: str = "") -> object:
    """Any object of the exchanges; whole numbers are amounts unless their name says otherwise."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if name.endswith(("_id", "_ms", "_count")) or name in _COUNTS else trim_quanta(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {
            item.name: plain(getattr(value, item.name), item.name)
            for item in fields(value)
            if item.name not in _SECRETS and not item.name.startswith("_")
        }
    if isinstance(value, dict):
        return {str(key): plain(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, name) for item in value]
    return str(value)


def key_view(key: ApiKey) -> dict[str, object]:
    """A key without its secret."""
    return {
        "key": key.key,
        "kind": key.kind,
        "permissions": sorted(key.permissions),
        "ip_addresses": list(key.ip_addresses),
        "revoked": key.revoked,
    }


def account_view(account: Account, keys: list[ApiKey]) -> dict[str, object]:
    """An account with its keys."""
    found = plain(account)
    return (found if isinstance(found, dict) else {}) | {"keys": [key_view(key) for key in keys]}


def instrument_view(instrument: Instrument) -> object:
    """A symbol with its filters."""
    return plain(instrument)
