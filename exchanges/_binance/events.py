"""Private events of the stream as the law's reports, fills and balances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.base_exchange import Balance, BalanceChange, FundingCharged, UserEvent
from domain.fill import Fill
from domain.instrument import Instrument
from domain.money import exact
from domain.order import EXPIRED, FILLED, OrderReport
from exchanges._binance.history import OrderNames
from exchanges._binance.outcomes import algo_id
from exchanges._binance.words import quanta, side_of, status_of

Instruments = Callable[[str], Instrument]

#: Executions that change the account: an ordinary trade, and a position taken over by the venue.
_EXECUTIONS = frozenset({"TRADE", "CALCULATED"})
#: The connection ends soon, or the events behind it have ended.
ENDINGS = frozenset({"serverShutdown", "eventStreamTerminated", "listenKeyExpired"})


def translate(event: Mapping[str, Any], names: OrderNames, instruments: Instruments) -> Iterator[UserEvent]:
    """What one event says; nothing for events that do not matter, such as TRADE_LITE, a copy of a fill to come."""
    kind = event.get("e")
    if kind == "executionReport":
        # A cancel's report carries the cancel's own id in `c` and the order's in `C`.
        yield from _order(event, event.get("C") or event["c"], names, instruments)
    elif kind == "ORDER_TRADE_UPDATE":
        yield from _order(event["o"], event["o"]["c"], names, instruments)
    elif kind == "ALGO_UPDATE":
        yield from _algo(event, names, instruments)
    elif kind == "outboundAccountPosition":
        for row in event["B"]:
            yield BalanceChange(row["a"], Balance(quanta(row["f"]), quanta(row["l"])), int(event["E"]))
    elif kind == "ACCOUNT_UPDATE":
        if event["a"].get("m") == "FUNDING_FEE":
            yield FundingCharged(int(event["T"]))
        # The event tells the wallet only; how much of it is margin is read by REST.
        for row in event["a"].get("B", ()):
            yield BalanceChange(row["a"], Balance(quanta(row["wb"]), 0), int(event["E"]))


def _order(row: Mapping[str, Any], named: str, names: OrderNames, instruments: Instruments) -> Iterator[UserEvent]:
    symbol, venue_order_id = row["s"], str(row["i"])
    # The order that a conditional one became is known under the conditional one's name.
    name = names.get(symbol, venue_order_id) or named
    names.remember(symbol, venue_order_id, name)
    instrument = instruments(symbol)
    if row["x"] in _EXECUTIONS and int(row["t"]) > 0:
        ticks, lots = instrument.to_ticks(exact(row["L"])), instrument.to_lots(exact(row["l"]))
        if ticks <= 0 or lots <= 0:
            raise ValueError(f"an execution of {lots} lots at {ticks} ticks is none")
        yield Fill(
            symbol,
            str(row["t"]),
            name,
            side_of(row["S"]),
            ticks,
            lots,
            quanta(row.get("n") or "0"),
            row.get("N") or instrument.quote,
            bool(row["m"]),
            int(row["T"]),
        )
    filled = instrument.to_lots(exact(row["z"]))
    yield OrderReport(name, venue_order_id, status_of(row["X"]), filled, int(row["T"]))


def _algo(event: Mapping[str, Any], names: OrderNames, instruments: Instruments) -> Iterator[UserEvent]:
    row = event["o"]
    symbol, name = row["s"], row["caid"]
    if row.get("ai"):
        names.remember(symbol, str(row["ai"]), name)
    instrument = instruments(symbol)
    filled = instrument.to_lots(exact(row.get("aq") or "0"))
    status = status_of(row["X"])
    if status == EXPIRED and filled >= instrument.to_lots(exact(row["q"])):
        status = FILLED
    yield OrderReport(name, algo_id(row["aid"]), status, filled, int(event["T"]))
