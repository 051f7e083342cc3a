"""Virtual positions add up to the account's, and tracking errors to the difference from the ideal, exactly, always."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as some

from domain.copying import netting, target, tracking
from domain.copying.target import MasterPosition, Track
from domain.copying.terms import PPM, Terms
from domain.copying.tracking import Tracking
from domain.funding import FundingRate
from domain.position_tracker import Position
from tests.law_harness import BTCUSDT

LOTS = some.dictionaries(some.integers(1, 6), some.integers(-1_000, 1_000), max_size=6)
LOT_VALUE = 60_000_000


@given(held=LOTS, wanted=LOTS, lots=some.integers(-3_000, 3_000).filter(bool))
def test_an_execution_is_shared_out_to_the_last_lot_and_first_among_those_that_miss_it(
    held: dict[int, int], wanted: dict[int, int], lots: int
) -> None:
    parts = netting.allocate(lots, held, wanted)
    assert sum(parts.values()) == lots
    sign = 1 if lots > 0 else -1
    gaps = {name: (wanted.get(name, 0) - held.get(name, 0)) * sign for name in held.keys() | wanted.keys()}
    missing = sum(gap for gap in gaps.values() if gap > 0)
    if missing >= abs(lots):
        assert all(0 < part * sign <= gaps[name] for name, part in parts.items())
    else:
        assert all(parts[name] * sign >= gap for name, gap in gaps.items() if gap > 0)


@given(held=LOTS, wanted=LOTS)
def test_what_changes_hands_inside_adds_up_to_nothing_and_brings_everyone_nearer(
    held: dict[int, int], wanted: dict[int, int]
) -> None:
    moved = netting.cross(held, wanted)
    assert sum(moved.values()) == 0
    for name, lots in moved.items():
        gap = wanted.get(name, 0) - held.get(name, 0)
        assert gap * lots > 0
        assert abs(lots) <= abs(gap)
    rest = [wanted.get(n, 0) - held.get(n, 0) - moved.get(n, 0) for n in held.keys() | wanted.keys()]
    assert not (any(gap > 0 for gap in rest) and any(gap < 0 for gap in rest))


@given(parts=some.lists(LOTS, max_size=8), value=some.integers(1, 10**10))
def test_virtual_positions_together_are_what_the_account_has_traded(parts: list[dict[int, int]], value: int) -> None:
    positions: dict[int, Position] = {}
    for one in parts:
        positions = netting.book_parts(positions, one, value)
    traded = sum(lots for one in parts for lots in one.values())
    assert sum(position.lots for position in positions.values()) == traded


START_MS = 1_741_276_800_000
TICKS = some.integers(1, 100_000_000)
STEPS = some.lists(
    some.one_of(
        some.tuples(some.just("mark"), TICKS),
        some.tuples(some.just("master"), TICKS, some.integers(-(10**10), 10**10)),
        some.tuples(some.just("fill"), TICKS, some.integers(-10_000, 10_000), some.integers(-(10**6), 10**9)),
        some.tuples(some.just("terms"), some.integers(10_000, PPM), some.booleans(), some.integers(0, 500)),
        some.tuples(some.just("rate"), some.decimals(-1, 1, places=8), some.none() | some.decimals(1, 10**6, places=8)),
        some.tuples(some.just("paid"), some.integers(-(10**12), 10**12)),
    ),
    max_size=30,
)  # fmt: skip


@given(steps=STEPS)
def test_the_causes_of_a_tracking_error_are_the_whole_of_it(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    terms, track, record, version, most = Terms(1, copy_existing=True), Track(), Tracking(), 0, 10**9
    for place, step in enumerate(steps):
        now_ms = START_MS + place * 25 * 60_000
        decision = target.decide(track, terms, BTCUSDT, 0, can_short=True)
        decision = target.held_back(decision, most, 0, 8)
        if step[0] == "mark":
            record = tracking.mark(record, step[1], BTCUSDT.tick_lot)
        elif step[0] == "fill":
            record = tracking.execute(record, decision, step[2], step[1], step[3], BTCUSDT, now_ms)
        elif step[0] == "rate":
            record = tracking.rate(record, FundingRate("BTCUSDT", now_ms, step[1], step[2]), BTCUSDT)
        elif step[0] == "paid":
            record = tracking.fund(record, step[1], now_ms, BTCUSDT)
        else:
            if step[0] == "master":
                version += 1
                track = target.advance(track, terms, MasterPosition("BTCUSDT", version, step[2], step[1], 0), 0)
            else:
                terms, most = terms._replace(ratio_ppm=step[1], paused=step[2]), step[3]
            decision = target.held_back(target.decide(track, terms, BTCUSDT, 0, can_short=True), most, 0, 8)
            record = tracking.redecide(record, decision, record.ticks or 1, BTCUSDT, now_ms)
        assert record.adds_up, record
    assert sum(record.causes) == record.ideal_value - record.actual_value


def test_an_exact_copy_at_the_masters_price_without_fees_has_no_error() -> None:
    terms = Terms(1, ratio_ppm=PPM, copy_existing=True)
    track, record = Track(), Tracking()
    for version, (quanta, ticks) in enumerate([(10**8, 6_000_000), (3 * 10**8, 6_100_000), (0, 5_900_000)], 1):
        record = tracking.mark(record, ticks, BTCUSDT.tick_lot)
        track = target.advance(track, terms, MasterPosition("BTCUSDT", version, quanta, ticks, 0), 0)
        decision = target.decide(track, terms, BTCUSDT, 0, can_short=True)
        record = tracking.redecide(record, decision, ticks, BTCUSDT)
        held = record.actual // (BTCUSDT.base_per_lot * PPM)
        record = tracking.execute(record, decision, decision.lots - held, ticks, 0, BTCUSDT)
    assert record.causes == tracking.Causes()
    # 1 BTC gained 1,000, then 3 BTC lost 2,000 each.
    assert record.actual_value == -5_000 * 10**8 * tracking.units_per_quantum(BTCUSDT)


def test_each_cause_gets_what_it_caused() -> None:
    terms = Terms(1, ratio_ppm=PPM, copy_existing=True)
    track = target.advance(Track(), terms, MasterPosition("BTCUSDT", 1, 10**8, 6_000_000, 0), 0)
    decision = target.decide(track, terms, BTCUSDT, 0, can_short=True)
    usdt = 10**8 * tracking.units_per_quantum(BTCUSDT)
    record = tracking.redecide(Tracking(), decision, 6_000_000, BTCUSDT)
    record = tracking.mark(record, 6_001_000, BTCUSDT.tick_lot)  # 10.00 more before anything is bought
    assert record.causes.latency == 10 * usdt
    record = tracking.execute(record, decision, 100_000, 6_001_500, 3 * 10**8, BTCUSDT)
    assert (record.causes.slippage, record.causes.fees) == (5 * usdt, 3 * usdt)
    capped = target.held_back(decision, 50_000, 0, 8)
    record = tracking.execute(record, capped, -50_000, 6_001_000, 0, BTCUSDT)
    record = tracking.mark(record, 6_003_000, BTCUSDT.tick_lot)  # half of it held back over a rise of 20.00
    assert record.causes.caps == 10 * usdt
    assert record.adds_up


@given(held=some.integers(-1_000, 1_000), rate=some.decimals(-1, 1, places=8), mark=some.decimals(1, 10**6, places=8))
def test_an_exact_copy_is_paid_what_the_ideal_one_is_whatever_the_rate(held: int, rate: Decimal, mark: Decimal) -> None:
    terms = Terms(1, ratio_ppm=PPM, copy_existing=True)
    master = MasterPosition("BTCUSDT", 1, held * BTCUSDT.base_per_lot, 6_000_000, START_MS)
    decision = target.decide(target.advance(Track(), terms, master, 0), terms, BTCUSDT, 0, can_short=True)
    record = tracking.redecide(Tracking(), decision, 6_000_000, BTCUSDT, START_MS)
    record = tracking.execute(record, decision, held, 6_000_000, 0, BTCUSDT, START_MS + 1_000)
    told = FundingRate("BTCUSDT", START_MS + tracking.HOUR_MS, rate, mark)
    record = tracking.rate(record, told, BTCUSDT)
    exact = -Fraction(held) * BTCUSDT.tick_lot * told.per_unit(BTCUSDT.tick_size, 0)
    record = tracking.fund(record, int(exact), told.time_ms, BTCUSDT)  # the venue cuts what it pays to a quantum
    assert record.adds_up
    assert abs(record.causes.total) <= tracking.units_per_quantum(BTCUSDT)
    assert tracking.rate(record, told, BTCUSDT) == record, "once"


def test_funding_is_for_what_was_held_at_the_hour_however_late_it_is_told() -> None:
    terms = Terms(1, ratio_ppm=PPM, copy_existing=True)
    hour, record, track = START_MS + tracking.HOUR_MS, Tracking(), Track()
    for version, quanta, at_ms in ((1, 10**8, START_MS + 5), (2, 3 * 10**8, hour + 5), (3, 0, hour + 20)):
        track = target.advance(track, terms, MasterPosition("BTCUSDT", version, quanta, 6_000_000, at_ms), 0)
        decision = target.decide(track, terms, BTCUSDT, 0, can_short=True)
        record = tracking.redecide(record, decision, 6_000_000, BTCUSDT, at_ms)
        held = record.actual // (BTCUSDT.base_per_lot * PPM)
        record = tracking.execute(record, decision, decision.lots - held, 6_000_000, 0, BTCUSDT, at_ms + 1)
    told = FundingRate("BTCUSDT", hour + 3, Decimal("0.0001"), Decimal(60_000))
    assert tracking.held_for(record, told.time_ms) == (10**8 * PPM, 10**8 * PPM)
    record = tracking.rate(record, told, BTCUSDT)
    assert record.causes.funding == -6 * 10**8 * tracking.units_per_quantum(BTCUSDT)  # one bitcoin long pays 6
    assert tracking.rate(record, told._replace(time_ms=START_MS), BTCUSDT) == record, "none from before it began"
