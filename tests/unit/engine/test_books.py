from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from domain.capital import fill_entry
from domain.fill import Fill
from domain.instance import Instance
from domain.ledger import cash
from domain.position_tracker import Position, trade
from engine.books import DAY_MS, Books, LastPrice
from tests.law_harness import BTCUSDT

OWNER = 7
FEE_ASSETS = ("BTC", "USDT", "BNB")


def fill(number: int, side: int, ticks: int, lots: int, fee: int, asset: str) -> Fill:
    return Fill("BTCUSDT", str(number), f"order-{number}", side, ticks, lots, fee, asset, True, number)


def post(books: Books, one: Fill) -> None:
    payer = "cash:unallocated" if one.fee_asset == "BNB" else ""
    books.post(fill_entry(OWNER, BTCUSDT, one, payer), one)


LINES = some.lists(
    some.tuples(
        some.sampled_from([1, -1]), some.integers(1, 10_000_000), some.integers(1, 10**6), some.integers(0, 10**6),
        some.sampled_from(FEE_ASSETS),
    ),
    max_size=20,
)  # fmt: skip


@given(LINES, some.integers(1, 10_000_000))
def test_results_and_what_is_held_are_the_change_of_equity_to_the_last_unit(
    lines: list[tuple[int, int, int, int, str]], price: int
) -> None:
    books = Books(OWNER, BTCUSDT, LastPrice(price))
    books.open_day(0)
    held = Position()
    for number, line in enumerate(lines):
        one = fill(number, *line)
        post(books, one)
        held = trade(held, one.side * one.lots * BTCUSDT.base_per_lot, one.lots * one.ticks * BTCUSDT.tick_lot)
        if one.fee_asset == "BTC":
            held = trade(held, -one.fee, one.fee * one.ticks * BTCUSDT.tick_lot // BTCUSDT.base_per_lot)
    quote, base = (books.ledger.balance(cash(OWNER), asset) for asset in ("USDT", "BTC"))
    assert base == held.lots
    value = price * BTCUSDT.tick_lot  # of one lot; compared in quote quanta times base quanta per lot
    equity = quote * BTCUSDT.base_per_lot + base * value
    results = books.metrics(OWNER).realised - held.cost
    assert results * BTCUSDT.base_per_lot + held.lots * value == equity


def test_the_fills_of_one_step_count_to_the_day_of_the_step() -> None:
    books = Books(OWNER, BTCUSDT, LastPrice(100))
    books.open_day(DAY_MS)
    for number, time_ms in enumerate((DAY_MS - 1, DAY_MS + 1)):
        post(books, fill(number, 1, 100, 10, 5, "USDT")._replace(time_ms=time_ms))
    found = books.metrics(OWNER)
    assert (found.day, found.trades, found.fees) == (1, 2, 10)


def test_looking_at_the_risk_does_not_end_the_day_of_a_step() -> None:
    books = Books(OWNER, BTCUSDT, LastPrice(100))
    books.open_day(0)
    post(books, fill(1, 1, 100, 10, 5, "USDT"))
    instance = Instance(1, OWNER, 0, BTCUSDT, lambda *_: 0, ())
    instance.begin(1, 0)
    books.risk_view(instance, DAY_MS, 0)
    assert books.metrics(OWNER).trades == 1
    books.open_day(DAY_MS)
    assert books.metrics(OWNER).trades == 0


def test_a_short_that_opens_has_not_lost_and_one_bought_back_dearer_has() -> None:
    books = Books(OWNER, BTCUSDT, LastPrice(100), is_margin=True)
    lost = []
    for number, (side, ticks) in enumerate([(-1, 100), (1, 120), (-1, 100), (1, 90)]):
        post(books, fill(number, side, ticks, 10, 1, "USDT"))
        lost.append(books.metrics(OWNER).losses_in_a_row)
    assert lost == [0, 1, 1, 0]
