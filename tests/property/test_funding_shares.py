"""Funding is shared to the last quantum, by signed position, and never depends on the order of the holders."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.funding import FundingPayment, FundingShare, share_entry, shares
from domain.ledger import Ledger, cash

amounts = st.integers(-(10**18), 10**18)
holdings = st.dictionaries(st.integers(1, 10_000), st.integers(-(10**15), 10**15), max_size=8)


@given(amounts, holdings)
def test_shares_of_a_position_that_is_held_together_add_up_to_the_amount(amount: int, held: dict[int, int]) -> None:
    found = shares(amount, sum(held.values()), held)
    if sum(held.values()):
        assert sum(found.values()) == amount
        assert set(found) == {instance for instance, quantity in held.items() if quantity}
    else:
        assert found == {}


@given(amounts, holdings, st.integers(-(10**15), 10**15).filter(bool))
def test_each_share_is_its_part_of_the_position_and_the_rest_is_the_account_s(
    amount: int, held: dict[int, int], position: int
) -> None:
    found = shares(amount, position, held)
    holders = sum(1 for quantity in held.values() if quantity)
    for instance, share in found.items():
        exact = Fraction(amount * held[instance], position)
        is_whole = sum(held.values()) == position
        assert abs(share - exact) < (holders + 1 if is_whole else 1)


def test_rounding_is_left_to_the_largest_holder_and_the_lowest_number_among_equals() -> None:
    assert shares(-100, 3, {7: 1, 5: 1, 9: 1}) == {5: -34, 7: -33, 9: -33}
    assert shares(100, 3, {1: 1, 2: 2}) == {1: 33, 2: 67}
    assert shares(-10, 1, {1: 3, 2: -2}) == {1: -30, 2: 20}
    assert shares(-100, 0, {1: 2, 2: 1}) == {1: -67, 2: -33}
    assert shares(-100, 10, {1: 5}) == {1: -50}
    assert shares(-100, 10, {}) == {}


def test_a_share_is_booked_once_against_funding() -> None:
    payment = FundingPayment("BTCUSDT", "51", 1_000, "USDT", -100, 3)
    books = Ledger()
    entry = share_entry(4, FundingShare(payment, -34))
    assert (entry.kind, entry.reference) == ("funding", "BTCUSDT:51:4")
    assert [books.post(entry), books.post(entry)] == [True, False]
    assert books.balance(cash(4), "USDT") == -34
    assert books.proof() == {"USDT": 0}
