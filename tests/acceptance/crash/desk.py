"""Everything that is made for one run at a venue: an account, a database, faults, and what the tape says of them."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from sqlalchemy import Engine, select

from db.models import METADATA
from domain.client_order_id import OrderKey, encode
from tests.acceptance.checker import Views, amounts
from tests.acceptance.crash.child import DEPLOYMENT, INSTANCE, Life, Times, price_steps
from tests.acceptance.tape import Tape
from tests.journal_database import address, prepare
from tests.simulator_process import SimulatorProcess

SYMBOL = "BTCUSDT"
OPTIONS = ("--market", "generated:7", "--symbols", SYMBOL, "--speed", "0", "--lift-limits")
ADVANCE_MS = 30_000
#: Every run begins at about this price, whatever the ones before have made of it.
PRICE = Decimal(100_000)

Backup = dict[str, list[dict[str, Any]]]
_accounts = itertools.count(1)


class Desk:
    """The venue, and everything that was made for one run."""

    def __init__(self, venue: SimulatorProcess, folder: Path, url: str, market: str = "binance_spot") -> None:
        self.venue = venue
        self.folder = folder
        self.market = market
        number = next(_accounts)
        self.key, self.secret = f"key-{number}-{id(venue)}", "secret"
        before = venue.post("settle")["tape"]
        made = venue.post("accounts", {"key": self.key, "secret": self.secret, "balances": {"USDT": "100000"}})
        self.account: int = made["account_id"]
        self.log = folder / "child.log"
        self.database: Engine = prepare(url, {INSTANCE: 1})
        self.is_spot = market == "binance_spot"
        self.tape = Tape("spot" if self.is_spot else "futures", self.account, read=before)
        self.lines: list[Mapping[str, Any]] = []
        self.move(str(((PRICE / self.price() - 1) * 100).quantize(Decimal("0.0001"))))
        self.params = price_steps(self.price())
        self._rules: list[int] = []

    def price(self) -> Decimal:
        """The last price."""
        return self._prices()[SYMBOL]

    def _prices(self) -> dict[str, Decimal]:
        return {
            each["symbol"]: Decimal(each["last_price"])
            for each in self.venue.get("symbols")
            if each["market"] == ("spot" if self.is_spot else "futures")
        }

    def life(self, place: str = "", times: Times | None = None) -> Life:
        """What a process is started with now."""
        return Life(
            0, self.venue.rest, self.venue.stream, self.key, self.secret, address(self.database), self.market,
            SYMBOL, self.venue.get("time")["market_ms"], dict(self.params), place=place,
            times=times or Times(), log=str(self.log),
        )  # fmt: skip

    def move(self, percent: str) -> None:
        """The price jumps, and trades happen."""
        self.venue.post("market/gap", {"symbol": SYMBOL, "percent": percent})
        self.venue.post("advance", {"ms": ADVANCE_MS})

    def fault(self, kind: str, args: Mapping[str, Any] | None = None, **where: Any) -> int:
        """A fault for this account."""
        made = self.venue.post("faults", {"kind": kind, "args": dict(args or {}), "account": self.account, **where})
        self._rules.append(made["id"])
        return int(made["id"])

    def lift(self, rule: int) -> None:
        """Take a fault back."""
        self._rules.remove(rule)
        self.venue.delete(f"faults/{rule}")

    def back_up(self) -> Backup:
        """Every row, as it is now."""
        with self.database.connect() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in METADATA.sorted_tables
            }

    def restore(self, backup: Backup) -> None:
        """The rows of then, and no others."""
        with self.database.begin() as connection:
            for table in reversed(METADATA.sorted_tables):
                connection.execute(table.delete())
            for table in METADATA.sorted_tables:
                if rows := backup[table.name]:
                    connection.execute(table.insert(), rows)

    def plant_orphan(self) -> str:
        """An order under our name that no journal knows."""
        name = encode(OrderKey(DEPLOYMENT, INSTANCE, 0, 40, 7, 0, 0))
        path = "/api/v3/order" if self.is_spot else "/fapi/v1/order"
        params = {
            "symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "newClientOrderId": name,
            "quantity": self.params["quantity"], "price": str((self.price() * Decimal("0.9")).quantize(Decimal("0.1"))),
            "timestamp": self.venue.get("time")["protocol_ms"],
        }  # fmt: skip
        query = urlencode(params)
        signature = hmac.new(self.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        request = Request(  # noqa: S310
            f"{self.venue.rest}{path}?{query}&signature={signature}", method="POST", headers={"X-MBX-APIKEY": self.key}
        )
        with urlopen(request) as answer:  # noqa: S310
            answer.read()
        return name

    def sent(self) -> int:
        """Requests that place or cancel, by the tape so far."""
        return sum(1 for line in self.lines if line["kind"] == "request" and line["method"] in ("POST", "DELETE"))

    def read_tape(self) -> None:
        """Take in what the tape has gained."""
        lines = self.venue.tape_after(self.tape.read)
        self.tape.take(lines)
        self.lines += [line for line in lines if line.get("account") == self.account]

    def views(self) -> Views:
        """What the operator sees."""
        market = self.tape.market
        account = self.venue.get(f"accounts/{self.account}")
        resting = self.venue.get(f"orders?market={market}&account={self.account}")
        positions = [] if self.is_spot else self.venue.get(f"positions?account={self.account}")
        return Views(
            amounts(account[market]), frozenset(order["client_order_id"] for order in resting),
            amounts({position["symbol"]: position["quantity"] for position in positions}), self._prices(),
        )  # fmt: skip

    def clear(self) -> None:
        """Leave nothing on the board, nor on the book."""
        for rule in list(self._rules):
            with suppress(OSError):
                self.lift(rule)
        self.database.dispose()
