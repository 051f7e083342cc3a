"""Bad input: a clear error or state that names the part and the next step; nothing changes, the strategy pauses."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from core.base_exchange import KeyRefused
from core.base_strategy import Plan
from db.journal.drivers import Driver, SqliteDriver
from domain.errors import AresError, Refused
from engine.trading_engine import EngineSettings
from tests.acceptance.faults.bench import Bench, holds, until
from tests.fakes.unreliable_driver import LOST, UnreliableDatabase
from tests.journal_database import address
from tests.law_harness import BTCUSDT
from tests.services import free_port

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"lower_price": "90000", "upper_price": "80000"}, "lower_price: it must be below upper_price"),
    ({"lower_price": "70000.005"}, r"lower_price: .*0\.01"),
    ({"upper_price": "99999999999"}, "upper_price"),
    ({"quantity_per_level": "0.000001"}, "quantity_per_level"),
    ({"total_investment": "100"}, "quantity_per_level: give either this or total_investment"),
    ({"stop_loss_price": "80000.001"}, "stop_loss_price"),
    ({"stop_loss_price": "200000"}, "stop_loss_price: it must be below lower_price"),
    ({"take_profit_price": "1"}, "take_profit_price: it must be above upper_price"),
]


@pytest.mark.parametrize(("params", "words"), WRONG, ids=lambda value: str(value)[:50])
async def test_wrong_parameters_are_refused_by_name_and_nothing_is_kept(
    spot: Bench, params: dict[str, Any], words: str
) -> None:
    async with spot.idle_node() as up:
        with pytest.raises(Refused, match=words):
            await up.manager.start(spot.grid(levels=3, **params), up.hub)
        assert not up.manager.engines
        assert spot.rows("SELECT epoch, tick_size FROM strategy_instances WHERE id = 1") == [
            {"epoch": 0, "tick_size": None}
        ]
        assert not spot.requests("POST", "order")


def prepared(spot: Bench, value: Any) -> Plan:
    spec = spot.grid(levels=3, upper_price=value)
    return spec.kind.prepare(spec.params, BTCUSDT, 8_000_000)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "-1", "-0", "0", "abc", "", None])
def test_a_number_that_is_none_is_refused_at_the_door(spot: Bench, value: Any) -> None:
    with pytest.raises((ValidationError, AresError)):
        prepared(spot, value)


async def test_wrong_parameters_of_an_edit_are_refused_and_the_running_ones_stay(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=3)) as up:
        await spot.settled(up)
        before, law = spot.resting_names(), up.engine().instance.law
        with pytest.raises(Refused, match="lower_price"):
            up.manager.edit(spot.grid(levels=3, lower_price="99999999"))
        await spot.settled(up)
        assert spot.resting_names() == before
        assert up.engine().instance.law == law


async def test_an_unknown_symbol_is_refused_with_the_nearest_one(spot: Bench) -> None:
    async with spot.idle_node() as up:
        with pytest.raises(Refused, match="BTCUSD'; did you mean BTCUSDT"):
            await up.manager.start(replace(spot.grid(), symbol="BTCUSD"), up.hub)
        assert not up.manager.engines


async def test_too_little_capital_places_what_it_covers_and_says_what_waits_for_more(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=4, capital={"USDT": "1700"})) as up:
        await spot.settled(up)
        assert len(spot.resting_names()) == 2
        assert set(up.engine().status.held_back.values()) == {"not_enough_balance"}
        await holds(lambda: len(spot.requests("POST", "order")) == 2, "more was sent than is there", 0.5)


async def test_a_key_that_never_worked_is_refused_at_the_start(spot: Bench) -> None:
    spot.venue.post(f"keys/{spot.key}", {"revoked": True})
    with pytest.raises(KeyRefused, match="the key was revoked"):
        async with spot.idle_node():
            pass


async def test_a_venue_that_is_not_there_is_named_and_can_be_tried_again(spot: Bench) -> None:
    with pytest.raises(AresError, match="nothing was sent") as raised:
        async with spot.idle_node(rest_url=f"http://127.0.0.1:{free_port()}"):
            pass
    assert "signature" not in str(raised.value)
    async with spot.node(spot.grid(levels=1)) as up:
        await spot.settled(up)


async def test_orders_of_others_on_the_account_are_counted_and_left_alone(spot: Bench) -> None:
    await spot.by_hand("BUY", "0.01", (spot.price() * 9 / 10).quantize(Decimal(1)))
    async with spot.node(spot.grid(levels=2)) as up:
        await spot.settled(up)
        report = await up.hub.sweep_now()
        assert report.foreign_orders == 1
        assert "by-hand" in spot.resting_names()
        assert up.engine().setbacks.standing.foreign_orders == 1


class Disk:
    """The disk of an SQLite database: while it is full, its journal cannot grow; it may also take no writes at all."""

    def __init__(self) -> None:
        self.is_full = False
        self.is_for_reading = False

    def connect(self, path: str) -> Driver:
        return _OnDisk(path, self)


class _OnDisk(SqliteDriver):
    def __init__(self, path: str, disk: Disk) -> None:
        super().__init__(path)
        self._disk = disk

    def begin(self) -> None:
        self._connection.execute(f"PRAGMA query_only={int(self._disk.is_for_reading)}")
        self._connection.execute(f"PRAGMA max_page_count={1 if self._disk.is_full else 1_073_741_823}")
        super().begin()
        if self._disk.is_full:  # what is written may still fit into pages that are there; this does not
            self._connection.execute("CREATE TABLE filler AS SELECT zeroblob(1000000) AS content")


#: What has become of the journal, and a word of the reason that a person is told.
LOSSES = {"full disk": "full", "read-only database": "readonly", "lost database": "nobody listens"}


@pytest.mark.parametrize("what", LOSSES)
async def test_without_a_journal_nothing_is_sent_and_it_goes_on_when_the_journal_is_back(
    spot: Bench, what: str
) -> None:
    if what != "lost database" and spot.database.dialect.name != "sqlite":
        pytest.skip("what a database server refuses is tested in its own words; to us it is a lost database's answer")
    disk, database = Disk(), UnreliableDatabase(address(spot.database))
    path = str(spot.database.url.database)
    connect = database.connect if what == "lost database" else lambda: disk.connect(path)
    async with spot.node(spot.grid(levels=2), connect=connect, engine=EngineSettings(journal_retry=0.1)) as up:
        await spot.settled(up)
        names = spot.resting_names()
        disk.is_full, disk.is_for_reading = what == "full disk", what == "read-only database"
        database.is_away = True
        database.faults.append(LOST)
        spot.cancel_at_venue(up.live()[0])
        await until(lambda: LOSSES[what] in up.engine().status.last_error, "the pause and its reason")
        assert up.engine().status.state == "suspended"
        await holds(lambda: not spot.resting_names() - names, "an order left without its intent", 0.7)
        disk.is_full = disk.is_for_reading = database.is_away = False
        await until(lambda: len(spot.resting_names()) == 2, "the order, once the journal is back")
        await spot.settled(up)
        assert up.engine().status.state == "running"
