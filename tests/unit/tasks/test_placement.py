from __future__ import annotations

from collections import Counter

from tasks.host.placement import Member, owner_of


def members(*names: str, capacity: int = 100) -> list[Member]:
    return [Member(name, capacity, frozenset()) for name in names]


def test_everybody_works_out_the_same_owner_whatever_order_they_see_the_members_in() -> None:
    there = members("a", "b", "c")
    for account in range(200):
        assert owner_of(account, (), there) == owner_of(account, (), reversed(there))


def test_accounts_are_spread_evenly_and_by_capacity() -> None:
    shares = Counter(owner_of(account, (), members("a", "b", "c")) for account in range(3_000))
    assert all(850 < share < 1_150 for share in shares.values())
    doubled = [*members("a", "b"), Member("big", 200, frozenset())]
    assert 1_350 < Counter(owner_of(account, (), doubled) for account in range(3_000))["big"] < 1_650


def test_a_member_that_leaves_or_joins_moves_only_what_was_or_becomes_its_own() -> None:
    before = {account: owner_of(account, (), members("a", "b", "c")) for account in range(1_000)}
    without = {account: owner_of(account, (), members("a", "b")) for account in range(1_000)}
    assert all(without[account] == owner for account, owner in before.items() if owner != "c")
    more = {account: owner_of(account, (), members("a", "b", "c", "d")) for account in range(1_000)}
    assert all(more[account] in (owner, "d") for account, owner in before.items())


def test_an_account_that_asks_for_tags_runs_only_where_they_are_offered() -> None:
    there = [*members("a", "b"), Member("eu", 1, frozenset({"eu", "fast"}))]
    assert {owner_of(account, ("eu",), there) for account in range(100)} == {"eu"}
    assert owner_of(1, ("eu", "asia"), there) == ""
