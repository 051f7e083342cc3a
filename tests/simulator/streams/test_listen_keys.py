from __future__ import annotations

import pytest

from simulator.clock import ProtocolClock
from simulator.errors import VenueError
from simulator.streams.listen_keys import LIFE_MS, ListenKeys

MINUTE = 60_000


class _Clock(ProtocolClock):
    def __init__(self) -> None:
        super().__init__()
        self.time_ms = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.time_ms


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def keys(clock: _Clock) -> ListenKeys:
    return ListenKeys(clock)


def test_a_key_has_64_letters_and_digits_and_one_account(keys: ListenKeys) -> None:
    text = keys.open(1)
    assert len(text) == 64
    assert text.isalnum()
    assert keys.account_of(text) == 1
    assert keys.open(2) != text


def test_opening_again_gives_the_same_key_and_extends_it(keys: ListenKeys, clock: _Clock) -> None:
    text = keys.open(1)
    clock.time_ms += 50 * MINUTE
    assert keys.open(1) == text
    clock.time_ms += 50 * MINUTE
    assert keys.account_of(text) == 1


def test_a_key_dies_after_sixty_minutes(keys: ListenKeys, clock: _Clock) -> None:
    text = keys.open(1)
    clock.time_ms += LIFE_MS - 1
    assert keys.account_of(text) == 1
    clock.time_ms += 1
    assert keys.account_of(text) is None
    assert [key.text for key in keys.take_expired()] == [text]
    assert keys.take_expired() == []


def test_extending_gives_another_sixty_minutes(keys: ListenKeys, clock: _Clock) -> None:
    text = keys.open(1)
    clock.time_ms += 59 * MINUTE
    assert keys.extend(1) == text
    clock.time_ms += 59 * MINUTE
    assert keys.account_of(text) == 1


@pytest.mark.parametrize("verb", ["extend", "close"])
def test_a_dead_key_can_neither_be_extended_nor_closed(keys: ListenKeys, clock: _Clock, verb: str) -> None:
    keys.open(1)
    clock.time_ms += LIFE_MS
    with pytest.raises(VenueError, match="This listenKey does not exist") as refusal:
        getattr(keys, verb)(1)
    assert refusal.value.code == -1125


def test_a_new_key_after_the_old_one_died_is_another(keys: ListenKeys, clock: _Clock) -> None:
    first = keys.open(1)
    clock.time_ms += LIFE_MS
    second = keys.open(1)
    assert second != first
    assert [key.text for key in keys.take_expired()] == [first]
    assert keys.account_of(second) == 1


def test_a_closed_key_is_dead_without_expiring(keys: ListenKeys) -> None:
    text = keys.open(1)
    keys.close(1)
    assert keys.account_of(text) is None
    assert keys.take_expired() == []


def test_the_same_accounts_get_the_same_keys_in_every_run(clock: _Clock) -> None:
    assert ListenKeys(clock).open(3) == ListenKeys(clock).open(3)


def test_however_often_it_is_looked_each_key_dies_in_its_turn_also_after_the_clock_was_set_back(
    keys: ListenKeys, clock: _Clock
) -> None:
    first = keys.open(1)
    clock.time_ms += MINUTE
    assert keys.take_expired() == []
    clock.time_ms -= 30 * MINUTE
    second = keys.open(2)
    third = keys.open(3)
    clock.time_ms += LIFE_MS - 1
    assert keys.take_expired() == []
    keys.extend(3)
    clock.time_ms += 1
    assert [key.text for key in keys.take_expired()] == [second]
    keys.expire_now(3)
    assert [key.text for key in keys.take_expired()] == [third]
    clock.time_ms += 29 * MINUTE
    assert [key.text for key in keys.take_expired()] == [first]
    assert keys.take_expired() == []
