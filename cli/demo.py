"""What a first `ares up` trades: three grids on paper, laid close around the price of the simulated market.

And what it may be tested on: the simulated market's own past, which a compute worker asks for when everything runs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

import aiohttp

from core.base_jobs import ImportJob, VenueImport
from core.clock import system_clock, utc_from_ms
from core.config import Config
from db import migrate
from db.bootstrap import LOCAL_USER, is_empty
from db.database import opened
from db.models import Account, HistoryImport, StrategyInstance, User
from db.queries import accounts, audit, imports, instances
from db.unit_of_work import UnitOfWork, committed
from domain.money import to_wire

#: What the account owns, and what each strategy gets of it.
FUNDS: Final = Decimal(100_000)
CAPITAL: Final = Decimal(10_000)
MINUTE_MS: Final = 60_000
#: The simulated exchange makes up so much of what was before its first moment.
PAST_MS: Final = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class Quote:
    """A symbol as the simulated market shows it at the moment of the first start."""

    symbol: str
    price: Decimal
    tick: Decimal
    lot: Decimal

    def price_at(self, percent: str) -> str:
        """The price so many percent above or below now, on the venue's grid of prices."""
        return _on_grid(self.price * (1 + Decimal(percent) / 100), self.tick)

    def quantity_of(self, quote_amount: str) -> str:
        """How much of the base asset an amount of the quote asset buys now."""
        return _on_grid(Decimal(quote_amount) / self.price, self.lot)


@dataclass(frozen=True, slots=True)
class Bot:
    """One strategy of the demonstration."""

    name: str
    kind: str
    symbol: str
    parameters: dict[str, Any]


def bots(quotes: list[Quote]) -> list[Bot]:
    """A range grid on every symbol, a trailing grid on the first; steps are wider than two fees, so they can earn."""
    ranges = [
        Bot(
            f"{one.symbol} range grid", "grid", one.symbol,
            {"lower_price": one.price_at("-4"), "upper_price": one.price_at("4"), "levels": 20,
             "total_investment": "8000"},
        )
        for one in quotes
    ]  # fmt: skip
    first = quotes[0]
    trailing = Bot(
        f"{first.symbol} trailing grid", "trailing_grid", first.symbol,
        {"grid_levels": 10, "offset_percent": "0.15", "sell_offset_percent": "0.4", "reprice_percent": "0.3",
         "quantity": first.quantity_of("800")},
    )  # fmt: skip
    return [*ranges, trailing]


def pasts(symbols: Sequence[str], now_ms: int) -> list[VenueImport]:
    """What a market that begins now has behind it: a month of minutes of each symbol."""
    until_ms = now_ms // MINUTE_MS * MINUTE_MS
    return [
        VenueImport(
            venue="binance_spot", symbol=symbol, interval="1m", since_ms=until_ms - PAST_MS, until_ms=until_ms,
            simulated=True,
        )
        for symbol in symbols
    ]  # fmt: skip


async def prepare(config: Config, rest_url: str) -> None:
    """Bring the database to this program's schema, and fill it when it is empty."""
    symbols = config.simulator.symbols[:2]
    if await asyncio.to_thread(_needs_filling, config):
        quotes = await _quotes(rest_url, symbols)
        await asyncio.to_thread(_fill, config, bots(quotes))
    else:
        await asyncio.to_thread(_look_back_anew, config)


def _needs_filling(config: Config) -> bool:
    config.home.mkdir(parents=True, exist_ok=True)
    with opened(config.database.url.get_secret_value()) as engine:
        migrate.upgrade(engine)
        with UnitOfWork(engine) as unit:
            return is_empty(unit)


def _fill(config: Config, demonstration: list[Bot]) -> None:
    now = utc_from_ms(system_clock().machine.now_ms())
    with opened(config.database.url.get_secret_value()) as engine, committed(engine) as unit:
        user = accounts.add_user(unit, User(login=LOCAL_USER, display_name="Local user", role="admin", created_at=now))
        settings = json.dumps({"venue": "binance_spot", "balances": {"USDT": to_wire(FUNDS)}})
        account = accounts.add(
            unit,
            Account(
                owner_id=user.id or 0, name="Paper on the simulated exchange", exchange="paper", paper=True,
                settings=settings, created_at=now, updated_at=now,
            ),
        )  # fmt: skip
        for bot in demonstration:
            row = StrategyInstance(
                owner_id=user.id or 0, account_id=account.id or 0, name=bot.name, strategy_type=bot.kind,
                symbol=bot.symbol, kline_interval="1m", parameters=json.dumps(bot.parameters),
                limits=json.dumps({"capital": {"USDT": to_wire(CAPITAL)}}),
                desired_state=instances.RUNNING, paper=True, created_at=now, updated_at=now,
            )  # fmt: skip
            instances.add(unit, row)
        for past in pasts(config.simulator.symbols[:2], system_clock().machine.now_ms()):
            # A compute worker makes it when everything runs; nothing waits for it.
            imports.add(
                unit,
                HistoryImport(
                    owner_id=user.id or 0, name=f"simulated-{past.symbol.lower()}-1m",
                    job=ImportJob(past).model_dump_json(), state=imports.QUEUED, created_at=now, updated_at=now,
                ),
            )  # fmt: skip
        named = [bot.name for bot in demonstration]
        audit.record(unit, audit.Deed("system", "demonstration", {"instances": named}, user.id), now)


def _look_back_anew(config: Config) -> None:
    """The market of before is gone with the exchange that made it up: what was not finished is of this one's past."""
    clock = system_clock().machine
    with opened(config.database.url.get_secret_value()) as engine, committed(engine) as unit:
        for row in imports.unfinished(unit):
            job = ImportJob.model_validate_json(row.job).root
            if isinstance(job, VenueImport) and job.simulated:
                (past,) = pasts([job.symbol], clock.now_ms())
                imports.ask_anew(unit, row, ImportJob(past).model_dump_json(), utc_from_ms(clock.now_ms()))


async def _quotes(rest_url: str, symbols: tuple[str, ...]) -> list[Quote]:
    async with aiohttp.ClientSession(rest_url, timeout=aiohttp.ClientTimeout(total=10)) as session:
        return [await _quote(session, symbol) for symbol in symbols]


async def _quote(session: aiohttp.ClientSession, symbol: str) -> Quote:
    async with session.get("/api/v3/exchangeInfo", params={"symbol": symbol}) as answer:
        answer.raise_for_status()
        listed = (await answer.json())["symbols"][0]
    filters = {one["filterType"]: one for one in listed["filters"]}
    async with session.get("/api/v3/ticker/price", params={"symbol": symbol}) as answer:
        answer.raise_for_status()
        price = Decimal((await answer.json())["price"])
    tick, lot = Decimal(filters["PRICE_FILTER"]["tickSize"]), Decimal(filters["LOT_SIZE"]["stepSize"])
    return Quote(symbol, price, tick, lot)


def _on_grid(amount: Decimal, step: Decimal) -> str:
    return to_wire((amount / step).to_integral_value(ROUND_FLOOR) * step)
