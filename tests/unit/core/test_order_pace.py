"""No window of the venue's, wherever it begins, gets more orders than it takes."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as some

from core.order_pace import OrderPace

SECOND_NS = 1_000_000_000
WINDOW_MS, LIMIT = 10_000, 20


@dataclass(slots=True)
class Hand:
    """A clock that is set by hand."""

    ns: int = 1

    def steady_ns(self) -> int:
        return self.ns

    def now_ms(self) -> int:
        return self.ns // 1_000_000


def paced(limits: dict[int, int] | None = None) -> tuple[OrderPace, Hand]:
    hand = Hand()
    pace = OrderPace(hand)
    pace.note_limits({WINDOW_MS: LIMIT} if limits is None else limits)
    return pace, hand


def approve_all(pace: OrderPace, *, is_urgent: bool = False) -> int:
    count = 0
    while pace.has_room(is_urgent=is_urgent) and count < 1_000:
        pace.approve()
        count += 1
    return count


def test_entries_leave_a_share_to_orders_that_make_a_position_smaller() -> None:
    pace, _ = paced()
    assert approve_all(pace) == 18
    assert approve_all(pace, is_urgent=True) == 2


def test_an_order_counts_until_a_window_after_its_answer() -> None:
    pace, hand = paced()
    approve_all(pace)
    hand.ns += 60 * SECOND_NS
    assert not pace.has_room(), "nobody has answered: any of them may be on its way"
    pace.answered(18)
    hand.ns += 9 * SECOND_NS
    assert not pace.has_room()
    hand.ns += 2 * SECOND_NS
    assert approve_all(pace) == 18


def test_what_others_have_sent_counts_as_the_venue_tells_it() -> None:
    pace, hand = paced()
    pace.note_used(WINDOW_MS, 18)
    assert not pace.has_room()
    hand.ns += 11 * SECOND_NS
    assert pace.has_room()


def test_a_day_is_counted_by_the_word_of_the_venue_and_what_came_since() -> None:
    pace, hand = paced({86_400_000: 100})
    pace.note_used(86_400_000, 85)
    assert approve_all(pace) == 5
    hand.ns += 3_600 * SECOND_NS
    assert not pace.has_room()
    pace.note_used(86_400_000, 3)
    assert pace.has_room()


def test_without_a_limit_nothing_is_counted() -> None:
    pace, _ = paced({})
    assert approve_all(pace) == 1_000


@given(some.integers(0, 9_999), some.lists(some.tuples(some.integers(0, 4_000), some.integers(0, 3_000)), max_size=300))
def test_no_window_of_the_venue_gets_too_many(begins_ms: int, course: list[tuple[int, int]]) -> None:
    """Orders reach the venue at any moment between their approval and their answer."""
    pace, hand = paced()
    arrivals: list[int] = []
    due: list[int] = []
    for pause_ms, delay_ms in course:
        hand.ns += pause_ms * 1_000_000
        while due and due[0] <= hand.now_ms():
            pace.answered(1)
            due.pop(0)
        if pace.has_room(is_urgent=True):
            pace.approve()
            answered_ms = max(hand.now_ms() + delay_ms, due[-1] if due else 0)
            due.append(answered_ms)
            arrivals.append(hand.now_ms() + (answered_ms - hand.now_ms()) // 2)
    windows: dict[int, int] = {}
    for arrival in arrivals:
        windows[(arrival + begins_ms) // WINDOW_MS] = windows.get((arrival + begins_ms) // WINDOW_MS, 0) + 1
    assert all(count <= LIMIT for count in windows.values())
