"""Balances and positions as the venue shows them."""

from __future__ import annotations

from collections.abc import Callable

from core.base_exchange import Balance, KeyRights, VenuePosition
from domain.errors import Refused, Transient
from domain.instrument import Instrument
from domain.money import exact
from exchanges._binance.rest import BinanceRest
from exchanges._binance.words import quanta


class HedgeMode(Refused):
    """The futures account is in hedge mode; switch it to one-way mode, then start again."""


async def read_balances(rest: BinanceRest) -> dict[str, Balance]:
    """Asset -> free and locked quanta. On futures free is what may still be used as margin."""
    dialect = rest.dialect
    if dialect.is_futures:
        rows = await rest.rows(dialect.account, "balance", {}, dialect.account_weight)
        return {row["asset"]: _wallet(quanta(row["balance"]), quanta(row["availableBalance"])) for row in rows}
    body = await rest.read(dialect.account, "account", {"omitZeroBalances": "true"}, dialect.account_weight)
    if not isinstance(body, dict) or not isinstance(body.get("balances"), list):
        raise Transient("account: the answer lists no balances.")
    return {row["asset"]: Balance(quanta(row["free"]), quanta(row["locked"])) for row in body["balances"]}


async def read_positions(rest: BinanceRest, instrument: Callable[[str], Instrument]) -> list[VenuePosition]:
    """Positions that are not flat."""
    dialect = rest.dialect
    rows = await rest.rows(dialect.account, "positionRisk", {}, dialect.account_weight)
    return [
        VenuePosition(
            row["symbol"],
            row["positionSide"],
            instrument(row["symbol"]).to_lots(exact(row["positionAmt"])),
            exact(row["entryPrice"]),
            exact(row["liquidationPrice"]),
            int(row.get("leverage", 0)),
        )
        for row in rows
        if exact(row["positionAmt"])
    ]


async def refuse_hedge_mode(rest: BinanceRest) -> None:
    """One strategy owns one position side, and orders here are sent for one-way accounts."""
    body = await rest.read(rest.dialect.private, "positionSide/dual", {}, 30)
    if isinstance(body, dict) and body.get("dualSidePosition"):
        raise HedgeMode


def _wallet(total: int, available: int) -> Balance:
    free = max(0, min(total, available))
    return Balance(free, total - free)


async def read_key_rights(rest: BinanceRest) -> KeyRights:
    """What the key may do; rights the answer leaves out count as given when they are dangerous, and not otherwise."""
    body = await rest.read("sapi", "account/apiRestrictions", {}, 1)
    if not isinstance(body, dict):
        raise Transient("account/apiRestrictions: the answer tells no rights.")
    trade = "enableFutures" if rest.dialect.is_futures else "enableSpotAndMarginTrading"
    return KeyRights(body.get(trade) is True, body.get("enableWithdrawals") is not False)
