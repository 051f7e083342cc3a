from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import Dialect
from sqlalchemy.dialects import mysql, sqlite

from core.base_journal import StoredState
from db.columns import WholeNumber
from db.journal.rows import decode_state, encode_state
from domain.money import TooFine

INTEGERS = some.lists(some.integers(-(2**80), 2**80))
FLOATS = some.lists(some.floats(allow_nan=False))


@given(state=INTEGERS, memory=FLOATS)
def test_a_state_reads_back_to_the_last_bit(state: list[int], memory: list[float]) -> None:
    back = decode_state(encode_state(StoredState(state, memory)))
    assert back is not None
    assert back.state == state
    assert [struct.pack("d", value) for value in back.memory] == [struct.pack("d", value) for value in memory]


@given(state=some.lists(some.integers(-(2**63), 2**63 - 1)), memory=some.lists(some.floats(-1e9, 1e9)))
def test_a_stored_state_is_compact_json(state: list[int], memory: list[float]) -> None:
    text = encode_state(StoredState(state, memory))
    assert text == json.dumps([state, memory], separators=(",", ":"))


def test_no_state_is_no_state() -> None:
    assert decode_state(None) is None


@pytest.mark.parametrize("dialect", [sqlite.dialect(), mysql.dialect()], ids=["sqlite", "mysql"])
def test_a_whole_number_has_at_most_38_digits_and_is_no_float(dialect: Dialect) -> None:
    kind = WholeNumber()
    for number in (0, -1, 10**38 - 1, -(10**38) + 1):
        assert kind.process_result_value(kind.process_bind_param(number, dialect), dialect) == number
    for wrong in (10**38, 1.0, True, "1"):
        with pytest.raises(TooFine):
            kind.process_bind_param(wrong, dialect)
