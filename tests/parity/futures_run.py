"""The same orders on the same prices at the simulated venue and in the backtester, on an isolated futures position.

Prices are of even ticks and orders of odd ones, so that a limit order is passed and never only touched, and whoever
drives the price leaves a book that is deep at it: what takes gets the price of the trade.
"""

from __future__ import annotations

import hmac
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy
import orjson

from domain.instrument import Instrument
from domain.order import BUY, ENTRY, EXIT, POST_ONLY, SELL, STOP, STOP_MARKET
from domain.risk_manager import RiskLimits
from engine.backtest import Prints, Result, Settings, run
from engine.backtest.brackets import read_tiers
from engine.backtest.futures import FundingRate, Futures, Tier
from engine.backtest.history import prints_of
from engine.backtest.kernel.layout import FILL_FIELDS, OF_LIQUIDATION
from engine.backtest.queueing import Queue
from tests.placing import PLACING, Step, Told
from tests.simulator_process import SimulatorProcess

SYMBOL = "BTCUSDT"
BITCOIN = Instrument(
    symbol=SYMBOL, base="BTC", quote="USDT", tick_size=Decimal("0.1"), lot_size=Decimal("0.001"),
    max_price=Decimal(1_000_000), max_position=Decimal(1_000), min_quantity=Decimal("0.001"),
    max_quantity=Decimal(1_000), min_notional=Decimal(100),
)  # fmt: skip
#: 2025-05-04 23:00 UTC, an hour before a funding.
BEGIN = 1_746_399_600_000
HOUR = 3_600_000
#: What is tried is the venue, not the rules of risk.
LIMITS = RiskLimits(max_rejections=10**6, max_messages=0, collar_ppm=0)
MAKER, TAKER = Decimal("0.02"), Decimal("0.05")
_SECRET = "a-secret-for-tests"
_REFUSED = (-2019, -2022, -2027, -4118)
_GONE = (-2011, -2013)


class Move(NamedTuple):
    """What changed an account: an execution, a funding (no side), or a liquidation in one piece."""

    time_ms: int
    what: str
    side: int
    price: Decimal
    lots: int
    fee: Decimal
    earned: Decimal

    #: What the venue's insurance has paid of it; the backtester closes where nothing is left, and needs none.
    insured: Decimal = Decimal(0)

    def is_like(self, other: Move, is_thin: bool = False) -> bool:
        """Whether it is the same, or changes an account alike where the insurance has paid.

        Where the book is thin, so may any liquidation: the venue closes at several prices.
        """
        may_differ = other.insured or (is_thin and other.what == "liquidation")
        return self == other or bool(may_differ and self._change == other._change)

    @property
    def _change(self) -> tuple[int, str, int, int, Decimal]:
        return (self.time_ms, self.what, self.side, self.lots, self.earned - self.fee + self.insured)


class Ending(NamedTuple):
    """An account at the end."""

    wallet: Decimal
    position: int
    margin: Decimal
    #: The first tick at which it would be liquidated, 0 for none.
    liquidation_ticks: int


@dataclass(frozen=True)
class Account:
    """One account: its money, its leverage, and what it sends when."""

    money: Decimal
    leverage: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Market:
    """What the market does, and which funding rates it has."""

    prints: Prints
    rates: tuple[FundingRate, ...]

    def write(self, folder: Path) -> tuple[str, ...]:
        """Write it down; gives the options of a venue that replays it."""
        rows, up = ["trade_id,time,price,qty,is_buyer_maker"], True
        before = 0
        columns = (self.prints.open_ms.tolist(), self.prints.close.tolist(), self.prints.volume.tolist())
        for number, (time_ms, ticks, lots) in enumerate(zip(*columns, strict=True), 1):
            up = up if ticks == before else ticks > before
            before = ticks
            rows.append(f"{number},{time_ms},{BITCOIN.from_ticks(ticks)},{BITCOIN.from_lots(lots)},{int(not up)}")
        (folder / "trades.csv").write_text("\n".join(rows) + "\n")
        told = [f"{SYMBOL},{rate.time_ms},{rate.rate}" for rate in self.rates]
        (folder / "rates.csv").write_text("\n".join(["symbol,time,value", *told]) + "\n")
        return (
            "--market", f"replay:{folder / 'trades.csv'}@{SYMBOL}", "--funding", str(folder / "rates.csv"),
            "--speed", "0", "--lift-limits",
        )  # fmt: skip


def market(seed: int, count: int, lots: int = 200_000) -> Market:
    """A walk about 60,000, a trade every ten minutes or so, with leaps; fundings of either sign every eight hours."""
    dice, time_ms, ticks, rows = random.Random(seed), BEGIN, 600_000, []
    for _ in range(count):
        rows.append((time_ms, ticks, lots))
        leap = dice.random() < 0.06
        ticks += 2 * (dice.choice((-1, 1)) * dice.randint(1_000, 4_000) if leap else dice.randint(-300, 300))
        time_ms += dice.randint(60_000, 900_000)
    table = numpy.array(rows, numpy.int64)
    times = range((BEGIN // (8 * HOUR) + 1) * 8 * HOUR, time_ms + 8 * HOUR, 8 * HOUR)
    rates = tuple(FundingRate(moment, Decimal(dice.randint(-30_000, 60_000)).scaleb(-8)) for moment in times)
    moments, prices, amounts = (table[:, place].copy() for place in range(3))
    return Market(prints_of(BITCOIN, moments, prices, amounts), rates)


def account(seed: int, prints: Prints) -> Account:
    """Entries on one side, exits of a part of it, and perhaps a stop that closes the rest."""
    dice = random.Random(seed)
    side, unit = dice.choice((BUY, SELL)), dice.randint(40, 700)
    times, prices = prints.open_ms.tolist(), prints.close.tolist()
    places = sorted(dice.sample(range(3, len(prints) - 1), dice.randint(8, 16)))
    steps: list[Step] = []
    for slot, place in enumerate(places):
        at_ms, away = times[place] + 1, 2 * dice.randint(3, 400) + 1
        if slot < 3 or dice.random() < 0.5:
            steps.append(Step(at_ms, slot, side, prices[place] - side * away, dice.choice((3, 4, 6)) * unit))
        elif place == places[-1] or dice.random() < 0.1:
            # What rests goes first, so that the stop closes everything there is.
            steps += [Step(at_ms, earlier, side=0) for earlier in range(slot)]
            trigger = prices[place] - side * (2 * dice.randint(5, 2_000) + 1)
            steps.append(Step(at_ms + 1, slot, -side, trigger, 90_000, STOP_MARKET, STOP))
            break
        else:
            steps.append(Step(at_ms, slot, -side, prices[place] + side * away, unit, POST_ONLY, EXIT))
    return Account(Decimal(100_000), dice.choice((3, 10, 20, 50, 75)), tuple(steps))


def backtested(
    one: Account, happened: Market, tiers: Sequence[Tier], fill_model: str
) -> tuple[list[Move], Ending, Result]:  # fmt: skip
    """What the backtester makes of an account."""
    futures = Futures(leverage=one.leverage, tiers=tuple(tiers), funding_rates=happened.rates)
    assumed: dict[str, Any] = {"fill_model": fill_model, "queue": Queue() if fill_model == "queue" else None}
    result = run(
        PLACING, Told(steps=one.steps), happened.prints,
        Settings(
            quote=one.money, maker_fee=MAKER, taker_fee=TAKER, futures=futures, limits=LIMITS, runtime="interpreted",
            **assumed,
        ),
    )  # fmt: skip
    figures = result.figures
    ending = Ending(
        result.amount(figures.quote + figures.cost), figures.position // BITCOIN.base_per_lot,
        result.amount(figures.margin), figures.liquidation_ticks,
    )  # fmt: skip
    return [_move(result, row) for row in result.moves.tolist()], ending, result


def _move(result: Result, row: list[int]) -> Move:
    named = dict(zip(FILL_FIELDS, row, strict=True))
    amount = result.amount
    if named["ticks"] == 0:
        return Move(named["time_ms"], "funding", 0, Decimal(0), 0, Decimal(0), amount(named["realised"]))
    what = "liquidation" if named["slot"] == OF_LIQUIDATION else "fill"
    return Move(
        named["time_ms"], what, named["side"], BITCOIN.from_ticks(named["ticks"]), named["lots"], amount(named["fee"]),
        amount(named["realised"]),
    )  # fmt: skip


class Customer:
    """An account at the venue, reached over REST alone."""

    def __init__(self, venue: SimulatorProcess, name: str, one: Account) -> None:
        self._venue, self._key = venue, name
        told = {"name": name, "key": name, "secret": _SECRET, "balances": {"USDT": str(one.money)}}
        self.number = int(venue.post("accounts", told)["account_id"])
        self.refusals = 0
        self._call("POST", "/fapi/v1/marginType", symbol=SYMBOL, marginType="ISOLATED")
        self._call("POST", "/fapi/v1/leverage", symbol=SYMBOL, leverage=one.leverage)

    def tiers(self, folder: Path) -> tuple[Tier, ...]:
        """The venue's tiers, as it publishes them."""
        answer = folder / "brackets.json"
        answer.write_bytes(orjson.dumps(self._call("GET", "/fapi/v1/leverageBracket", symbol=SYMBOL)))
        return read_tiers(answer, SYMBOL)

    def send(self, step: Step) -> None:
        """Send an order, or cancel the one of a slot that ends."""
        name = f"s{step.slot}"
        if step.side == 0:
            self._call("DELETE", "/fapi/v1/order", _GONE, symbol=SYMBOL, origClientOrderId=name)
            return
        told: dict[str, Any] = {
            "symbol": SYMBOL, "side": "BUY" if step.side == BUY else "SELL", "quantity": BITCOIN.from_lots(step.lots),
            "reduceOnly": str(step.leg != ENTRY).lower(),
        }  # fmt: skip
        price = BITCOIN.from_ticks(step.ticks)
        if step.type == STOP_MARKET:
            told |= {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "triggerPrice": price, "clientAlgoId": name}
            answer = self._call("POST", "/fapi/v1/algoOrder", _REFUSED, **told)
        else:
            told |= {"type": "LIMIT", "timeInForce": "GTX", "price": price, "newClientOrderId": name}
            answer = self._call("POST", "/fapi/v1/order", _REFUSED, **told)
        self.refusals += answer.get("code") in _REFUSED

    def moves(self, tape: Iterable[dict[str, Any]]) -> list[Move]:
        """What has changed the account, as REST and the tape tell it."""
        trades = self._call(
            "GET", "/fapi/v1/userTrades", symbol=SYMBOL, limit=1_000, startTime=BEGIN, endTime=BEGIN + 6 * 24 * HOUR
        )
        mine = [line for line in tape if line.get("account") == self.number]
        ended = {line["order"]: line for line in mine if line["kind"] == "liquidation"}
        paid = [Decimal(line["delta"]) for line in mine if line.get("reason") == "INSURANCE_CLEAR"]
        insured = sum((amount for amount in paid if amount > 0), Decimal(0))
        found = [
            Move(line["t"], "funding", 0, Decimal(0), 0, Decimal(0), Decimal(line["amount"]))
            for line in mine if line["kind"] == "funding"
        ]  # fmt: skip
        for row in trades:
            what, fee = "fill", Decimal(row["commission"])
            if row["orderId"] in ended:
                what, fee = "liquidation", Decimal(ended[row["orderId"]]["fee"])
            lots = BITCOIN.to_lots(Decimal(row["qty"]))
            move = Move(
                row["time"], what, BUY if row["buyer"] else SELL, Decimal(row["price"]), lots, fee,
                Decimal(row["realizedPnl"]), insured if what == "liquidation" else Decimal(0),
            )  # fmt: skip
            if ended.get(row["orderId"], {}).get("seen"):
                earlier = found.pop()
                move = earlier._replace(lots=earlier.lots + lots, earned=earlier.earned + move.earned)
            elif what == "liquidation":
                ended[row["orderId"]]["seen"] = True
            found.append(move)
        return sorted(found, key=lambda move: move.time_ms)

    def ending(self) -> Ending:
        """How it stands."""
        wallet = Decimal(self._call("GET", "/fapi/v3/account")["totalWalletBalance"])
        rows = self._call("GET", "/fapi/v3/positionRisk", symbol=SYMBOL)
        held = [row for row in rows if Decimal(row["positionAmt"])]
        if not held:
            return Ending(wallet, 0, Decimal(0), 0)
        lots = BITCOIN.to_lots(Decimal(held[0]["positionAmt"]))
        price = Decimal(held[0]["liquidationPrice"]) / BITCOIN.tick_size
        ticks = int(price.to_integral_value(ROUND_FLOOR if lots > 0 else ROUND_CEILING))
        return Ending(wallet, lots, Decimal(held[0]["isolatedWallet"]), ticks)

    def _call(self, method: str, path: str, refusals: Sequence[int] = (), **told: Any) -> Any:
        query = urlencode({**told, "timestamp": time.time_ns() // 1_000_000, "recvWindow": 60_000})
        signature = hmac.digest(_SECRET.encode(), query.encode(), "sha256").hex()
        address = f"{self._venue.rest}{path}?{query}&signature={signature}"
        request = Request(address, method=method, headers={"X-MBX-APIKEY": self._key})  # noqa: S310
        try:
            with urlopen(request, timeout=180) as answer:  # noqa: S310
                return orjson.loads(answer.read())
        except HTTPError as error:
            told_back = orjson.loads(error.read())
            if told_back["code"] not in refusals:
                raise AssertionError(f"{method} {path} {told}: {told_back}") from error
            return told_back


def drive(venue: SimulatorProcess, happened: Market, sent: Iterable[tuple[Customer, Sequence[Step]]]) -> None:
    """Let the market go on, and send every step at its time."""
    now = venue.get("time")["market_ms"]
    agenda = sorted(((step.at_ms, place, step) for place, step in _numbered(sent)), key=lambda row: row[0])
    customers = [customer for customer, _ in sent]
    for at_ms, place, step in agenda:
        if at_ms > now:
            now = venue.post("advance", {"ms": at_ms - now})["market_ms"]
        customers[place].send(step)
    last = int(happened.prints.open_ms[-1])
    if last > now:
        venue.post("advance", {"ms": last - now})


def _numbered(sent: Iterable[tuple[Customer, Sequence[Step]]]) -> list[tuple[int, Step]]:
    return [(place, step) for place, (_, steps) in enumerate(sent) for step in steps]
