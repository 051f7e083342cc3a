from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base_journal import Step
from core.clock import SystemTime
from db.journal import GroupCommitJournal
from db.models import EquityPoint
from db.queries import equity, instances, profit
from db.queries.sums import SumKeeper
from db.unit_of_work import committed, reading
from domain.capital import fill_entry
from domain.fill import Fill
from domain.funding import FundingPayment, FundingShare, share_entry
from domain.ledger import UNALLOCATED, Entry, cash, transfer
from domain.money import add
from domain.order import BUY, SELL
from tests import journal_database
from tests.api_node import ApiNode
from tests.law_harness import BTCUSDT

pytestmark = pytest.mark.services
START_MS = 1_777_636_800_000

amounts = st.tuples(
    st.sampled_from([BUY, SELL]),
    st.integers(1, 10_000_000),
    st.integers(1, 1_000_000),
    st.integers(0, 10_000),
    st.sampled_from(["BTC", "USDT", "BNB"]),
)


def made(number: int, side: int, ticks: int, lots: int, fee: int, fee_asset: str) -> Fill:
    return Fill(BTCUSDT.symbol, str(number), "x", side, ticks, lots, fee, fee_asset, True, START_MS + number)


def paid(number: int) -> FundingPayment:
    return FundingPayment(BTCUSDT.symbol, str(number), START_MS, "USDT", 1, 1)


def entry_of(instance: int, fill: Fill) -> Entry:
    return fill_entry(instance, BTCUSDT, fill, UNALLOCATED if fill.fee_asset == "BNB" else "")


async def keep(url: str, instance: int, fills: list[Fill], entries: list[Entry]) -> None:
    journal = GroupCommitJournal(url, SystemTime())
    try:
        await journal.pin_units(instance, BTCUSDT)
        epoch = await journal.raise_epoch(instance, "test")
        step = Step(instance, epoch, [], [], [], [], fills, [*entries, *(entry_of(instance, one) for one in fills)])
        await journal.commit(step)
    finally:
        await journal.close()


def capital(instance: int, quote: int, base: int) -> list[Entry]:
    return [
        transfer(f"capital:{instance}:{asset}", START_MS, asset, amount, UNALLOCATED, cash(instance))
        for asset, amount in (("USDT", quote), ("BTC", base))
        if amount
    ]


@settings(max_examples=15)
@given(
    st.lists(amounts, max_size=30),
    st.lists(st.integers(-(10**12), 10**12), max_size=5),
    st.integers(0, 10**15),
    st.integers(0, 10**12),
    st.integers(1, 10**9),
)
def test_fills_and_ledger_tell_the_same_profit_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory,
    trades: list[tuple[int, int, int, int, str]],
    funded: list[int],
    quote: int,
    base: int,
    mark: int,
) -> None:
    engine = journal_database.prepare(f"sqlite:///{tmp_path_factory.mktemp('pnl') / 'p.sqlite3'}", {1: 1})
    fills = [made(number, *one) for number, one in enumerate(trades)]
    funding = [share_entry(1, FundingShare(paid(number), amount)) for number, amount in enumerate(funded) if amount]
    moved = [transfer("later", START_MS, "USDT", 5, cash(1), UNALLOCATED)]
    asyncio.run(keep(journal_database.address(engine), 1, fills, [*capital(1, quote, base), *moved, *funding]))
    with reading(engine) as unit:
        found = profit.of_instance(unit, instances.get(unit, 1, 1), Decimal(mark).scaleb(-2), SumKeeper())
    engine.dispose()
    gained = add(found.equity, -found.capital, -found.transfers)
    assert add(found.realised, found.unrealised, -found.fees) == gained
    assert found.adds_up
    assert found.transfers == Decimal("-0.00000005")
    assert found.trades == len(fills)
    assert found.funding == Decimal(sum(funded)).scaleb(-8)


async def test_the_profit_over_http_adds_up_and_shows_a_book_that_does_not(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account())
    empty = node.get(f"/api/strategies/{number}/pnl").json()
    assert (empty["adds_up"], empty["mark_price"], empty["trades"]) == (True, None, 0)
    fills = [made(1, BUY, 6_000_000, 1_000, 700, "BTC"), made(2, SELL, 6_100_000, 400, 24_400_000, "USDT")]
    fills.append(made(3, BUY, 5_900_000, 1, 3, "BNB"))
    url = journal_database.address(node.engine)
    await keep(url, number, fills, capital(number, 10**11, 0))
    found = node.get(f"/api/strategies/{number}/pnl").json()
    money = {
        name: Decimal(found[name]) for name in ("realised", "unrealised", "fees", "equity", "capital", "transfers")
    }
    assert money["realised"] + money["unrealised"] - money["fees"] == money["equity"] - money["capital"]
    assert (found["adds_up"], found["mark_price"], found["capital"], found["trades"]) == (True, "59000", "1000", 3)
    assert found["other_fees"] == {"BNB": "0.00000003"}
    fills_shown = node.get(f"/api/strategies/{number}/fills").json()["items"]
    assert [(one["trade_id"], one["price"], one["quantity"], one["fee"]) for one in fills_shown] == [
        ("3", "59000", "0.00001", "0.00000003"),
        ("2", "61000", "0.004", "0.244"),
        ("1", "60000", "0.01", "0.000007"),
    ]
    trades = node.get("/api/trades?limit=2").json()
    assert [one["strategy_id"] for one in trades["items"]] == [number, number]
    rest = node.get(f"/api/trades?limit=2&cursor={trades['next_cursor']}").json()
    assert [one["trade_id"] for one in rest["items"]] == ["1"]
    await keep_posting_only(url, number)
    assert node.get(f"/api/strategies/{number}/pnl").json()["adds_up"] is False


async def keep_posting_only(url: str, instance: int) -> None:
    """Books that somebody has tampered with: an entry of a trade that there is no fill of."""
    stray = made(99, BUY, 1_000_000, 5, 0, "USDT")
    journal = GroupCommitJournal(url, SystemTime())
    try:
        epoch = await journal.raise_epoch(instance, "test")
        await journal.commit(Step(instance, epoch, [], [], [], [], [], [entry_of(instance, stray)]))
    finally:
        await journal.close()


def test_the_equity_curve_is_in_decimals(node: ApiNode, tmp_path: Path) -> None:
    number = node.add_strategy(node.add_account())
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    with committed(node.engine) as unit:
        instance = instances.get(unit, number, node.people["olga"])
        instance.quote_quantum = Decimal("0.00000001")
        equity.add(
            unit,
            [
                EquityPoint(
                    strategy_instance_id=number, at=moment, owner_id=instance.owner_id, equity=10**11, realised=-1,
                    unrealised=10**20, fees=0,
                )
            ],
        )  # fmt: skip
    items = node.get(f"/api/strategies/{number}/equity?since=2026-01-01T00:00:00Z").json()["items"]
    assert items == [
        {"at": "2026-05-01T00:00:00Z", "equity": "1000", "realised": "-0.00000001", "unrealised": "1000000000000",
         "fees": "0"}
    ]  # fmt: skip
    assert node.get(f"/api/strategies/{number}/equity?since=2026-06-01T00:00:00Z").json()["items"] == []
    assert node.get(f"/api/strategies/{number}/equity?since=yesterday").status_code == 422
