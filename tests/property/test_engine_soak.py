"""The sample of CI is a few hundred runs; the exhaustive profile plays tens of thousands."""

from __future__ import annotations

import os

import pytest

from tests.property.engine_soak import cut_down, drawn, play, told

IS_EXHAUSTIVE = os.environ.get("ARES_HYPOTHESIS_PROFILE") == "exhaustive"
RUNS = 40_000 if IS_EXHAUSTIVE else 240
PARTS = 8


@pytest.mark.timeout(7_200 if IS_EXHAUSTIVE else 300)
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_no_order_is_doubled_and_no_fill_is_lost(part: int) -> None:
    for seed in range(part, RUNS, PARTS):
        begin, calls = drawn(seed)
        if play(begin, calls) is not None:
            calls = cut_down(begin, calls)
            error = play(begin, calls)
            assert error is not None
            pytest.fail(f"seed {seed}:\n{told(begin, calls, error)}")
