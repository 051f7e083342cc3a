from __future__ import annotations

import asyncio

from tasks.host.attention import Attention
from tests.fakes.virtual_time import in_virtual_time, virtual_clock

ACCOUNTS = {number: f"account {number}" for number in range(1, 101)}


def attention() -> Attention:
    return Attention(virtual_clock().machine, 10.0)


@in_virtual_time
async def test_everybody_is_looked_at_first_and_then_a_part_of_them_in_each_second() -> None:
    looks = attention()
    assert looks.due(ACCOUNTS) == list(ACCOUNTS.values())
    seen: list[str] = []
    for _ in range(10):
        await asyncio.sleep(1)
        due = looks.due(ACCOUNTS)
        assert 5 <= len(due) <= 15
        seen += due
    assert sorted(seen) == sorted(ACCOUNTS.values()), "each has its turn, once"


@in_virtual_time
async def test_news_of_an_account_makes_it_its_turn_once() -> None:
    looks = attention()
    looks.due(ACCOUNTS)
    looks.note(7)
    looks.note(7)
    looks.note(1_000)  # of nobody who is here
    assert looks.due(ACCOUNTS) == ["account 7"]
    assert looks.due(ACCOUNTS) == []
    looks.note_all()
    assert looks.due(ACCOUNTS) == list(ACCOUNTS.values())


@in_virtual_time
async def test_who_comes_is_looked_at_and_who_has_gone_and_comes_again_too() -> None:
    looks = attention()
    looks.due({})
    assert looks.due({1: "one"}) == ["one"]
    assert looks.due({}) == []
    assert looks.due({1: "one"}) == ["one"]


@in_virtual_time
async def test_after_a_long_silence_everybody_is_due() -> None:
    looks = attention()
    looks.due(ACCOUNTS)
    await asyncio.sleep(30)
    assert looks.due(ACCOUNTS) == list(ACCOUNTS.values())
