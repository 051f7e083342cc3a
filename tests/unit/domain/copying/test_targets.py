"""What a follower should hold, by the newest position of its master and by what it has agreed to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.copying import loops, sizing, target
from domain.copying import terms as code
from domain.copying.netting import AccountCaps, Wish, cap, entry_bounds
from domain.copying.sizing import BadRatio, Record, Scale
from domain.copying.target import MasterPosition, Track
from domain.copying.terms import PPM, Terms
from tests.law_harness import BTCUSDT

BTC = 10**8
USDT = 10**8
PRICE = 6_000_000  # 60,000.00


def at(quantity: str, version: int, **more: Any) -> MasterPosition:
    quanta = int(Decimal(quantity) * BTC)
    return MasterPosition("BTCUSDT", version, quanta, more.pop("ticks", PRICE), more.pop("time_ms", 1_000), **more)


def follow(terms: Terms, *positions: MasterPosition, now_ms: int = 1_000, equity: int = 0) -> Track:
    track = Track()
    for position in positions:
        track = target.advance(track, terms, position, now_ms, equity)
    return track


def lots(track: Track, terms: Terms, held: int = 0, *, can_short: bool = True) -> int:
    return target.decide(track, terms, BTCUSDT, held, can_short=can_short).lots


def reason(track: Track, terms: Terms, *, can_short: bool = True) -> int:
    return target.decide(track, terms, BTCUSDT, 0, can_short=can_short).reason


COPY = Terms(1, ratio_ppm=100_000, copy_existing=True)


@pytest.mark.parametrize("ratio", [100_000, 200_000])
def test_the_target_is_always_the_ratio_of_the_masters_position_and_ends_at_nothing(ratio: int) -> None:
    terms, track = COPY._replace(ratio_ppm=ratio), Track()
    for version, quantity in enumerate(["1", "2", "0.5", "-1", "0"], 1):
        track = target.advance(track, terms, at(quantity, version), 1_000)
        assert lots(track, terms) == Decimal(quantity) * ratio / PPM / BTCUSDT.lot_size
        assert reason(track, terms) == code.COPIED


def test_positions_told_five_times_or_out_of_order_change_nothing() -> None:
    newest = follow(COPY, at("1", 1), at("2", 2), at("0.5", 3))
    again = newest
    for position in (at("2", 2), at("1", 1), at("0.5", 3), at("0.5", 3), at("9", 3)):
        again = target.advance(again, COPY, position, 1_000)
    assert again == newest


def test_a_follower_that_missed_a_hundred_changes_needs_only_the_last() -> None:
    path = [at(str(1 + n % 7), n) for n in range(1, 101)]
    assert lots(follow(COPY, *path), COPY) == lots(follow(COPY, path[0], path[-1]), COPY)


@pytest.mark.parametrize("ratio", [0, -1, 9_999, 1_000_001, 10**15])
def test_ratios_outside_the_range_are_refused(ratio: int) -> None:
    with pytest.raises(BadRatio, match="ratio"):
        sizing.check_ratio(ratio)


def test_a_wider_ratio_needs_the_followers_own_limit_and_none_is_above_a_hundred() -> None:
    assert sizing.check_ratio(3 * PPM, most_ppm=5 * PPM) == 3 * PPM
    assert sizing.check_ratio(1, most_ppm=5 * PPM) == 1
    with pytest.raises(BadRatio):
        sizing.check_ratio(6 * PPM, most_ppm=5 * PPM)
    with pytest.raises(BadRatio):
        sizing.check_ratio(101 * PPM, most_ppm=10**15)


def test_what_is_below_a_lot_is_rounded_towards_nothing_and_says_so() -> None:
    track = follow(COPY, at("0.00019999", 1))
    assert (lots(track, COPY), reason(track, COPY)) == (1, code.ROUNDED)
    track = follow(COPY, at("-0.00019999", 1))
    assert (lots(track, COPY), reason(track, COPY)) == (-1, code.ROUNDED)


def test_an_existing_position_is_not_copied_but_what_is_added_is_and_it_ends_with_the_masters() -> None:
    terms = COPY._replace(copy_existing=False, since_version=1)
    track = follow(terms, at("1", 1))
    assert (lots(track, terms), reason(track, terms)) == (0, code.EXISTING)
    track = target.advance(track, terms, at("3", 2), 1_000)
    assert lots(track, terms) == 20_000
    track = target.advance(track, terms, at("1.5", 3), 1_000)
    assert lots(track, terms) == 10_000  # he has halved, so both parts have
    track = target.advance(track, terms, at("-1", 4), 1_000)
    assert lots(track, terms) == -10_000


def test_a_pause_enters_nothing_and_lets_every_exit_follow() -> None:
    paused = COPY._replace(paused=True)
    track = target.advance(follow(COPY, at("2", 1)), paused, at("4", 2), 1_000)
    assert (lots(track, paused), reason(track, paused)) == (20_000, code.PAUSED)
    track = target.advance(track, paused, at("1", 3), 1_000)
    assert lots(track, paused) == 5_000
    assert lots(target.advance(track, paused, at("0", 4), 1_000), paused) == 0
    assert lots(target.resync(track, COPY), COPY) == 10_000
    assert target.resync(track, COPY._replace(paused=True)) == track, "in a pause nothing is entered, asked for or not"


def test_an_entry_seen_too_late_is_skipped_and_an_exit_never_is() -> None:
    terms = COPY._replace(max_delay_ms=5_000)
    track = follow(terms, at("1", 1))
    late = target.advance(track, terms, at("3", 2), 7_000)
    assert (lots(late, terms), reason(late, terms)) == (10_000, code.TOO_LATE)
    assert lots(target.advance(track, terms, at("0.5", 2), 100_000), terms) == 5_000


def test_symbols_that_are_denied_or_not_listed_are_not_entered() -> None:
    for terms in (COPY._replace(deny=frozenset({"BTCUSDT"})), COPY._replace(allow=frozenset({"ETHUSDT"}))):
        track = follow(terms, at("1", 1))
        assert (lots(track, terms), reason(track, terms)) == (0, code.NOT_ALLOWED)


def test_reverse_holds_the_opposite() -> None:
    terms = COPY._replace(reverse=True)
    assert lots(follow(terms, at("1", 1)), terms) == -10_000


def test_equity_proportional_holds_the_same_share_of_its_own_equity() -> None:
    terms = COPY._replace(mode=code.EQUITY_PROPORTIONAL, ratio_ppm=PPM)
    track = follow(terms, at("1", 1, equity=1_000_000 * USDT), equity=10_000 * USDT)
    assert lots(track, terms) == 1_000
    assert reason(follow(terms, at("1", 1)), terms) == code.NO_EQUITY


def test_a_fixed_notional_is_the_same_whatever_the_master_holds_and_shrinks_as_he_sells() -> None:
    terms = COPY._replace(mode=code.FIXED_NOTIONAL, notional=6_000 * USDT)
    assert lots(follow(terms, at("7", 1)), terms) == 10_000  # 0.1 BTC at 60,000
    assert lots(follow(terms, at("4", 1), at("8", 2), at("2", 3, ticks=PRICE * 2)), terms) == 2_500


def test_kelly_is_the_real_one_and_stakes_nothing_without_a_record_or_an_edge() -> None:
    even = Record(wins=30, losses=20, won=3_000, lost=2_000)  # p = 0.6, b = 1: f = 0.2
    assert sizing.kelly_ppm(even, PPM) == pytest.approx(200_000, abs=1)
    assert sizing.kelly_ppm(even, PPM // 4) == pytest.approx(50_000, abs=1)
    assert sizing.kelly_ppm(Record(10, 10, 3_000, 1_000), PPM) == 0
    assert sizing.kelly_ppm(Record(20, 30, 2_000, 3_000), PPM) == 0
    terms = COPY._replace(mode=code.FRACTIONAL_KELLY, kelly_ppm=PPM)
    position = at("2", 1)._replace(record=even)
    assert lots(follow(terms, position, equity=30_000 * USDT), terms) == 10_000  # 6,000 USDT
    short = position._replace(record=Record(3, 0, 100, 0))
    assert reason(follow(terms, short, equity=30_000 * USDT), terms) == code.SHORT_RECORD
    losing = position._replace(record=Record(20, 30, 2_000, 3_000))
    assert reason(follow(terms, losing, equity=30_000 * USDT), terms) == code.NO_EDGE


def test_an_account_that_cannot_be_short_stays_flat_and_says_why() -> None:
    track = follow(COPY, at("-1", 1))
    assert (lots(track, COPY, can_short=False), reason(track, COPY, can_short=False)) == (0, code.NO_SHORT)


def test_an_ended_relationship_keeps_closes_or_hands_over() -> None:
    track = follow(COPY, at("1", 1))
    for on_stop, left in ((code.KEEP, 7), (code.HAND_OVER, 7), (code.CLOSE, 0)):
        ended = COPY._replace(active=False, on_stop=on_stop)
        assert lots(target.advance(track, ended, at("5", 2), 1_000), ended, held=7) == left


def test_a_stop_loss_ends_the_copy_until_the_master_is_flat() -> None:
    terms = COPY._replace(stop_loss_ppm=50_000, take_profit_ppm=100_000)
    assert target.protect(100, 10_000, 9_501, terms) == code.COPIED
    assert target.protect(100, 10_000, 9_500, terms) == code.STOP_LOSS
    assert target.protect(-100, -10_000, -9_000, terms) == code.TAKE_PROFIT
    track = target.stop(follow(terms, at("1", 1)), code.STOP_LOSS)
    assert (lots(track, terms), reason(track, terms)) == (0, code.STOP_LOSS)
    track = target.advance(track, terms, at("2", 2), 1_000)
    assert lots(track, terms) == 0
    track = target.advance(target.advance(track, terms, at("0", 3), 1_000), terms, at("1", 4), 1_000)
    assert lots(track, terms) == 10_000


def wish(terms: Terms, want: int, held: int = 0, symbol: str = "BTCUSDT") -> Wish:
    decision = target.Decision(terms.relationship, 0, 0, want, want, code.COPIED)
    return Wish(symbol, decision, terms, held, 1 * USDT)


def test_caps_hold_entries_back_say_which_and_never_close_what_is_held() -> None:
    small = COPY._replace(max_symbol_notional=60 * USDT)
    (capped,) = cap([wish(small, 100)], AccountCaps())
    assert (capped.decision.lots, capped.decision.reason) == (60, code.SYMBOL_CAP)
    (held,) = cap([wish(small, 100, held=80)], AccountCaps())
    assert held.decision.lots == 80
    both = COPY._replace(max_notional=100 * USDT)
    first, second = cap([wish(both, 70), wish(both, -70, symbol="ETHUSDT")], AccountCaps())
    assert (first.decision.lots, second.decision.lots, second.decision.reason) == (70, -30, code.RELATIONSHIP_CAP)
    first, second = cap([wish(COPY, 70), wish(COPY._replace(relationship=2), 70)], AccountCaps(90 * USDT))
    assert (first.decision.lots, second.decision.lots, second.decision.reason) == (70, 20, code.ACCOUNT_CAP)
    geared = COPY._replace(max_leverage_ppm=3 * PPM)
    (limited,) = cap([wish(geared, 100)], AccountCaps(equity=20 * USDT))
    assert (limited.decision.lots, limited.decision.reason) == (60, code.LEVERAGE_CAP)


def test_the_narrowest_collar_and_the_nearest_time_limit_bound_an_entry() -> None:
    wide, narrow = COPY._replace(collar_ppm=10_000, max_delay_ms=9_000), COPY._replace(collar_ppm=5_000)
    bounds = entry_bounds([(wide, PRICE, 1_000), (narrow, PRICE, 2_000)], BTCUSDT.max_ticks)
    assert bounds == (6_030_000, 5_970_000, 10_000)
    assert entry_bounds([(COPY, PRICE, 0)], BTCUSDT.max_ticks) == (0, 0, 0)


def test_followers_of_themselves_and_circles_are_refused_by_name() -> None:
    with pytest.raises(loops.FollowsItself, match="account 4"):
        loops.require_no_circle([], 4, 4)
    follows = [(2, 1), (3, 2), (5, 1)]
    with pytest.raises(loops.FollowsInACircle, match="1 -> 3 -> 2 -> 1"):
        loops.require_no_circle(follows, 1, 3)
    loops.require_no_circle(follows, 5, 3)
    loops.require_no_circle(follows, 3, 1)


def test_a_scale_is_kept_so_that_sizes_do_not_drift_with_the_price() -> None:
    terms = COPY._replace(mode=code.FIXED_NOTIONAL, notional=6_000 * USDT)
    track = follow(terms, at("1", 1), at("1", 2, ticks=PRICE * 3))
    assert track.scale == Scale(0, 0, BTC, PRICE)
    assert lots(track, terms) == 10_000


def test_a_circle_that_was_closed_all_the_same_is_found_and_nothing_beside_it_is() -> None:
    chain = {n: (n, n + 1) for n in range(1, 500)}
    assert loops.circular(chain) == set()
    assert loops.circular({**chain, 900: (7, 7)}) == {900}
    assert loops.circular({**chain, 900: (12, 10), 901: (3, 900)}) == {10, 11, 900}
    assert loops.circular({1: (1, 2), 2: (2, 1), 3: (2, 3), 4: (3, 4), 5: (4, 3)}) == {1, 2, 4, 5}
