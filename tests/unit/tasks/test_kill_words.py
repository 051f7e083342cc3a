from __future__ import annotations

import pytest

from core.redis_names import EVERYBODY
from tasks.host.doorbell import switch_of


@pytest.mark.parametrize(
    ("words", "switch"),
    [
        ("kill:on", (True, EVERYBODY)),
        ("kill:off", (False, EVERYBODY)),
        ("kill:on:7", (True, 7)),
        ("kill:off:7", (False, 7)),
        ("kill:on:0", None),
        ("kill:on:-7", None),
        ("kill:on:7x", None),
        ("kill:on:", None),
        ("7", None),
        ("*", None),
        ("kill", None),
    ],
)
def test_the_bell_tells_which_way_the_switch_goes_and_whose_it_is(words: str, switch: tuple[bool, int] | None) -> None:
    assert switch_of(words) == switch
