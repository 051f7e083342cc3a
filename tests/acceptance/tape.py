"""The venue's own record of one account on one market, folded line by line: orders, trades, money."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

#: How names of orders of the house begin.
OURS = "ar1"


@dataclass(frozen=True, slots=True)
class TapeTrade:
    """One execution of one order."""

    client: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    time_ms: int


@dataclass(frozen=True, slots=True)
class TapeFunding:
    """One payment for the position of one symbol."""

    reference: str
    quantity: Decimal
    amount: Decimal
    asset: str


@dataclass(slots=True)
class Tape:
    """What the venue did, up to line `read`."""

    market: str
    account: int
    read: int = 0
    #: Client order id -> times the venue took it; and what it was.
    accepted: Counter[str] = field(default_factory=Counter)
    placed: dict[str, tuple[str, str, Decimal, Decimal]] = field(default_factory=dict)
    #: Client order id -> status, and quantity executed, last told.
    orders: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    #: (symbol, trade id) -> executions of this account: two when it traded with itself.
    trades: dict[tuple[str, str], list[TapeTrade]] = field(default_factory=lambda: defaultdict(list))
    #: (symbol, execution or funding), oldest first.
    executions: list[tuple[str, TapeTrade | TapeFunding]] = field(default_factory=list)
    #: (symbol, trade id, quantity) of every trade line in which the account took part.
    parties: set[tuple[str, str, Decimal]] = field(default_factory=set)
    #: Asset -> balance by the sum of all postings; and what came or went by other ways than trading.
    balances: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    by_reason: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def take(self, lines: Iterable[Mapping[str, Any]]) -> bool:
        """Fold further lines; gives whether any of them was about money or orders of this account."""
        touched = False
        for line in lines:
            self.read = line["n"]
            if line["kind"] == "funding" and self.market == "futures" and line["account"] == self.account:
                self._take_funding(line)
            if line.get("market") != self.market:
                continue
            if line["kind"] == "trade":
                touched |= self._take_trade(line)
            elif line.get("account") == self.account and line["kind"] in ("order", "posting"):
                touched = True
                (self._take_order if line["kind"] == "order" else self._take_posting)(line)
        return touched

    def _take_trade(self, line: Mapping[str, Any]) -> bool:
        if self.account not in (line["maker_account"], line["taker_account"]):
            return False
        self.parties.add((line["symbol"], str(line["trade"]), Decimal(line["quantity"])))
        return True

    def _take_funding(self, line: Mapping[str, Any]) -> None:
        quantity, amount = Decimal(line["quantity"]), Decimal(line["amount"])
        if amount:
            self.executions.append((line["symbol"], TapeFunding(line["reference"], quantity, amount, line["asset"])))

    def _take_order(self, line: Mapping[str, Any]) -> None:
        # A cancel gives the order its own name; the order's stands beside it.
        client = line.get("original_client") or line["client"]
        if line["execution"] == "NEW":
            self.accepted[client] += 1
            amounts = Decimal(line["price"]), Decimal(line["quantity"])
            self.placed[client] = (line["symbol"], line["side"], *amounts)
        self.orders[client] = line["status"], Decimal(line["executed"])
        if line["execution"] == "TRADE":
            trade = TapeTrade(
                client, line["side"], Decimal(line["last_price"]), Decimal(line["last_quantity"]),
                Decimal(line["commission"]), line["commission_asset"], line["maker"], line["t"],
            )  # fmt: skip
            self.trades[line["symbol"], str(line["trade"])].append(trade)
            self.executions.append((line["symbol"], trade))

    def _take_posting(self, line: Mapping[str, Any]) -> None:
        delta = Decimal(line["delta"])
        self.balances[line["asset"]] += delta
        self.by_reason[line["reason"], line["asset"]] += delta
