"""One follower account in memory: several masters, one target, and a share for everyone."""

from __future__ import annotations

from typing import Any

from domain.copying import terms as code
from domain.copying.target import MasterPosition
from domain.copying.terms import PPM, Terms
from domain.fill import Fill
from engine.follower_engine.book import FollowerBook, Following, Plan, Target
from tests.law_harness import BTCUSDT

BTC = 10**8
PRICE = 6_000_000


def book_of(*all_terms: Terms, can_short: bool = True) -> FollowerBook:
    book = FollowerBook(1, can_short=can_short)
    book.instruments["BTCUSDT"] = BTCUSDT
    for terms in all_terms:
        book.take_terms(Following(terms, master=terms.relationship))
    return book


def masters(version: int, *quanta: int, **more: Any) -> dict[int, dict[str, MasterPosition]]:
    """Masters 1, 2, ... hold this."""
    return {
        number: {"BTCUSDT": MasterPosition("BTCUSDT", version, held, PRICE, 1_000, **more)}
        for number, held in enumerate(quanta, 1)
    }


def trade(book: FollowerBook, lots: int, name: str, fee: int = 0, ticks: int = PRICE) -> None:
    side = 1 if lots > 0 else -1
    book.execute(Fill("BTCUSDT", name, "", side, ticks, abs(lots), fee, "USDT", False, 1_000))


def plan(book: FollowerBook, found: dict[int, dict[str, MasterPosition]], now_ms: int = 1_000) -> Plan:
    return book.plan(found, now_ms, now_ms)


def lots(book: FollowerBook, number: int) -> int:
    return book.holdings[number, "BTCUSDT"].position.lots


TENTH = Terms(1, ratio_ppm=100_000)
FIFTH = Terms(2, ratio_ppm=200_000)


def test_two_masters_become_one_target_and_an_execution_is_shared() -> None:
    book = book_of(TENTH, FIFTH)
    found = plan(book, masters(1, BTC, BTC))
    assert found.targets == [Target("BTCUSDT", 1, 30_000, PRICE)]
    assert [(one.relationship, one.before, one.lots) for one in found.taken] == [(1, 0, 10_000), (2, 0, 20_000)]
    trade(book, 15_000, "1", fee=300)
    assert (lots(book, 1), lots(book, 2)) == (5_000, 10_000)
    assert (book.holdings[1, "BTCUSDT"].fees, book.holdings[2, "BTCUSDT"].fees) == (100, 200)
    trade(book, 15_000, "2")
    assert (lots(book, 1), lots(book, 2)) == (10_000, 20_000)
    assert plan(book, masters(1, BTC, BTC)).targets == []


def test_what_two_masters_want_of_one_another_needs_no_order() -> None:
    book = book_of(TENTH, TENTH._replace(relationship=2))
    plan(book, masters(1, BTC, 0))
    trade(book, 10_000, "1")
    found = plan(book, masters(2, 0, BTC))
    assert found.targets == []
    assert (lots(book, 1), lots(book, 2)) == (0, 10_000)


def test_executions_that_nobody_asked_for_are_nobodys_and_are_closed() -> None:
    book = book_of(TENTH)
    plan(book, masters(1, BTC))
    trade(book, 12_000, "1")
    assert lots(book, 1) == 12_000  # an order that was larger than it should have been is its relationship's
    plan(book, masters(2, 0))
    trade(book, -15_000, "2")
    assert sum(holding.position.lots for holding in book.holdings.values()) == -3_000


def test_a_target_rises_in_version_only_when_something_has_to_be_done() -> None:
    book = book_of(TENTH._replace(collar_ppm=5_000))
    first = plan(book, masters(1, BTC)).targets
    assert first == [Target("BTCUSDT", 1, 10_000, PRICE, 6_030_000, 5_970_000, 0)]
    assert plan(book, masters(1, BTC)).targets == []
    assert plan(book, masters(2, BTC + 1)).targets == []  # a hundred millionth more is no lot more
    assert [one.version for one in plan(book, masters(3, 2 * BTC)).targets] == [2]


def test_a_deliberate_delay_waits_and_then_takes_the_newest() -> None:
    book = book_of(TENTH._replace(delay_ms=5_000))
    assert plan(book, masters(1, BTC, seen_ms=1_000)).targets == []
    assert book.due_ms == 6_000
    assert plan(book, masters(2, 2 * BTC, seen_ms=4_000), 6_500).targets == []
    assert [one.lots for one in plan(book, masters(2, 2 * BTC, seen_ms=4_000), 9_000).targets] == [20_000]
    assert book.due_ms == 0


def test_an_edit_moves_the_target_at_once_and_a_stop_keeps_or_closes() -> None:
    book = book_of(TENTH)
    plan(book, masters(1, BTC))
    trade(book, 10_000, "1")
    book.take_terms(Following(TENTH._replace(ratio_ppm=50_000), 1))
    assert [one.lots for one in plan(book, masters(1, BTC)).targets] == [5_000]
    book.take_terms(Following(TENTH._replace(active=False, on_stop=code.CLOSE), 1))
    assert [one.lots for one in plan(book, masters(1, BTC)).targets] == [0]
    book.take_terms(Following(TENTH._replace(active=False, on_stop=code.KEEP), 1))
    assert [one.lots for one in plan(book, masters(2, 9 * BTC)).targets] == [10_000]
    book.drop(1)
    assert plan(book, masters(3, 0)).targets == [], "what a relationship that has ended still holds is kept"


def test_a_stop_loss_of_a_position_and_of_the_whole_are_carried_out_at_the_mark() -> None:
    terms = TENTH._replace(ratio_ppm=PPM, stop_loss_ppm=50_000)
    book = book_of(terms)
    plan(book, masters(1, BTC))
    trade(book, 100_000, "1")
    book.mark("BTCUSDT", 5_701_000)
    assert book.protect() == {}
    assert plan(book, masters(1, BTC)).targets == []
    book.mark("BTCUSDT", 5_700_000)
    book.protect()
    assert [one.lots for one in plan(book, masters(1, BTC)).targets] == [0]
    assert book.holdings[1, "BTCUSDT"].decision.reason == code.STOP_LOSS

    book = book_of(TENTH._replace(ratio_ppm=PPM, total_stop_loss=1_000 * 10**8))
    plan(book, masters(1, BTC))
    trade(book, 100_000, "1")
    book.mark("BTCUSDT", 5_900_000)
    assert book.protect() == {1: code.STOP_LOSS}
    assert [one.lots for one in plan(book, masters(1, BTC)).targets] == [0]


def test_books_of_a_thousand_changes_stay_within_a_lot_and_their_errors_add_up() -> None:
    book = book_of(TENTH, FIFTH._replace(reverse=True), Terms(3, ratio_ppm=333_333))
    held = 0
    for version in range(1, 300):
        quanta = [(version * 7919 * n % 401 - 200) * BTC // 100 for n in (1, 2, 3)]
        price = PRICE + version * 37 % 1_000
        book.mark("BTCUSDT", price)
        for made in plan(book, masters(version, *quanta)).targets:
            moved = made.lots - held
            for place, part in enumerate((moved // 3, moved - moved // 3)):
                if part:
                    trade(book, part, f"{version}.{place}", fee=17, ticks=price + 5)
            held += moved
        assert sum(holding.position.lots for holding in book.holdings.values()) == held
        for (number, _), holding in book.holdings.items():
            assert holding.record.adds_up
            if number:
                assert holding.position.lots == holding.decision.lots


def test_a_cap_waits_for_the_first_price_and_then_lets_the_signal_through() -> None:
    book = book_of(TENTH._replace(max_notional=9_000 * BTC), can_short=False)
    blind = {1: {"BTCUSDT": MasterPosition("BTCUSDT", 1, BTC, 0, 1_000)}}
    first = plan(book, blind)
    assert (first.targets, [one.reason for one in first.taken]) == ([], [code.NO_PRICE])
    assert plan(book, blind).resumed == [], "nothing has changed"
    assert book.mark("BTCUSDT", PRICE), "somebody waits for it"
    second = plan(book, blind)
    assert [one.lots for one in second.targets] == [10_000]
    assert [(one.relationship, one.position.version, one.lots) for one in second.resumed] == [(1, 1, 10_000)]
    assert not book.mark("BTCUSDT", PRICE + 1)


def test_lots_that_fees_took_leave_the_relationships_and_the_rest_is_dust_with_a_name() -> None:
    book = book_of(TENTH, FIFTH, can_short=False)
    plan(book, masters(1, BTC, BTC))
    trade(book, 30_000, "1")
    held = 30_000 * BTCUSDT.base_per_lot - 30 * BTCUSDT.base_per_lot - 1  # a thousandth in fees, and a quantum
    assert {number for number, _ in book.rest("BTCUSDT", held, code.COPIED)} == {1, 2}
    assert (lots(book, 1), lots(book, 2)) == (9_990, 19_979), "whole lots, and together no more than is there"
    assert [(h.residual, h.why) for h in book.holdings.values()] == [(10, code.DUST), (21, code.DUST)]
    assert all(holding.record.adds_up for holding in book.holdings.values())
    assert book.rest("BTCUSDT", held, code.COPIED) == [], "once"
    plan(book, masters(2, 0, 0))
    assert {h.residual for h in book.holdings.values()} == {0}, "a new target, and nothing is known of its rest"
    trade(book, -29_969, "2")
    book.rest("BTCUSDT", held - 29_969 * BTCUSDT.base_per_lot, code.COPIED)
    assert (lots(book, 1), lots(book, 2)) == (0, 0)
    assert {h.why for h in book.holdings.values()} == {code.COPIED}


def test_what_is_too_small_to_be_closed_stays_with_its_reason() -> None:
    book = book_of(TENTH, can_short=False)
    plan(book, masters(1, BTC))
    trade(book, 10_000, "1")
    plan(book, masters(2, 0))
    trade(book, -9_995, "2")
    assert book.rest("BTCUSDT", 5 * BTCUSDT.base_per_lot, code.TOO_SMALL) == [(1, "BTCUSDT")]
    holding = book.holdings[1, "BTCUSDT"]
    assert (holding.residual, holding.why) == (-5, code.TOO_SMALL)
