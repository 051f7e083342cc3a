from __future__ import annotations

import exchanges
from core.base_exchange import EXCHANGES, Capabilities, VenueSettings
from core.clock import system_clock
from db.models import StrategyInstance
from tasks.host.account import takeover_wait

WINDOWED = Capabilities(market="spot", has_time_window=True, takeover_wait_seconds=45)
BARE = Capabilities(market="spot", takeover_wait_seconds=45)


def rows(*epochs: int) -> list[StrategyInstance]:
    return [StrategyInstance(epoch=epoch) for epoch in epochs]


def test_an_owner_waits_for_its_predecessors_last_request_where_no_window_ends_it() -> None:
    assert takeover_wait(BARE, rows(0, 3)) == 45
    assert takeover_wait(BARE, rows(0, 0)) == 0, "nobody ever ran these"
    assert takeover_wait(WINDOWED, rows(0, 3)) == 0


def test_every_venue_without_a_window_says_how_long_to_wait() -> None:
    EXCHANGES.scan(exchanges)
    for name in ("okx_spot", "okx_futures"):
        capabilities = EXCHANGES.get(name)(VenueSettings(), system_clock()).capabilities
        assert takeover_wait(capabilities, rows(1)) > 0
