"""F-RULE: the venue's steps, filters and limits, and money that does not come out even."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain import slots
from domain.errors import Refused
from engine.gate import OUTSIDE_PRICE_RANGE, TOO_MANY_OPEN_ORDERS, VENUE_CLOSED
from engine.rules_keeper import RulesSettings
from tests.acceptance.faults.bench import HUB, Bench, holds, until

QUICK = replace(HUB, rules=RulesSettings(interval=0.3, while_halted=0.3, pause=0.1))
ETH = "ETHUSDT"
NEAR: dict[str, Any] = {"step_percent": "0.00005", "tick": Decimal("0.01")}


@pytest.fixture
def filters(spot: Bench) -> Iterator[Callable[..., None]]:
    """Sets trading rules of ETHUSDT on spot, and gives back those from before."""
    rows = spot.venue.get("symbols")
    before = next(row["filters"] for row in rows if (row["market"], row["symbol"]) == ("spot", ETH))

    def change(**rules: Any) -> None:
        spot.venue.post("market/filters", {"market": "spot", "symbol": ETH, "filters": rules})

    yield change
    change(**before)
    spot.venue.post("market/status", {"market": "spot", "symbol": ETH, "status": "TRADING"})


def refusals(bench: Bench, *codes: int) -> list[dict[str, Any]]:
    return [line for line in bench.requests("POST", "order") if line["code"] in codes]


@pytest.mark.parametrize("money", ["1000.3", "57.638000000000005", "333.33333333"])
async def test_amounts_of_any_fineness_are_cut_to_whole_lots_and_never_refused(spot: Bench, money: str) -> None:
    spec = spot.grid(levels=3, quantity_per_level=None, total_investment=money)
    async with spot.node(spec) as up:
        spot.gap("-1.2")
        await spot.settled(up)
        assert not refusals(spot, -1013, -1111)
        assert spot.tape.trades


@pytest.mark.parametrize("quantity", ["0.30000000000000004", "1e-7", "57.638000000000005"])
async def test_a_quantity_off_the_venues_steps_is_refused_by_its_name_and_changes_nothing(
    spot: Bench, quantity: str
) -> None:
    async with spot.idle_node() as up:
        with pytest.raises(Refused, match=r"quantity_per_level.*0\.00001"):
            await up.manager.start(spot.grid(levels=1, quantity_per_level=quantity), up.hub)
        assert not up.manager.engines
        assert spot.rows("SELECT epoch FROM strategy_instances WHERE id = 1") == [{"epoch": 0}]


async def test_a_smallest_order_that_grows_meanwhile_is_known_after_one_refusal(
    spot: Bench, filters: Callable[..., None]
) -> None:
    spec = spot.grid(levels=2, symbol=ETH, quantity_per_level="0.01", capital={"USDT": "10000"})
    hub = replace(HUB, rules=RulesSettings(interval=600.0, while_halted=0.3, pause=0.05))
    async with spot.node(spec, hub=hub) as up:
        await spot.settled(up)
        filters(minimum_notional="100")
        spot.cancel_at_venue(up.live()[0])
        await until(lambda: up.hub.rules.looks > 0, "a look at the rules")
        await until(lambda: up.engine().instance.instrument.min_notional == 100, "the new rule")
        await holds(lambda: len(refusals(spot, -1013)) <= 3, "the refused order loops", 1.0)


async def test_steps_that_change_while_orders_rest_stop_new_orders_and_say_what_to_do(
    spot: Bench, filters: Callable[..., None]
) -> None:
    async with spot.node(spot.grid(levels=2, symbol=ETH, quantity_per_level="0.1"), hub=QUICK) as up:
        await spot.settled(up)
        filters(tick="1")
        await until(lambda: "reset it" in up.engine().status.last_error, "the words")
        assert ETH in up.engine().status.last_error
        tried = len(spot.requests("POST", "order"))
        spot.cancel_at_venue(up.live()[0])
        await until(lambda: VENUE_CLOSED in up.engine().status.held_back.values(), "the order held back")
        await holds(lambda: len(spot.requests("POST", "order")) == tried, "an order with wrong prices left", 0.5)
        assert any("reset it" in text for text in up.alarms())


async def test_a_fee_in_the_bought_coin_leaves_dust_that_is_counted_to_the_last_unit(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=3, quantity_per_level="0.00123")) as up:
        await spot.settled(up)
        spot.gap("-1.2")
        stored = await spot.settled(up)
        sells = [intent for intent in stored.intents.values() if intent.side == "SELL"]
        assert sells
        assert all(intent.quantity % Decimal("0.00001") == 0 for intent in sells)
        assert up.engine().instance.state[slots.DUST] > 0


async def test_fees_in_three_assets_between_the_parts_of_one_order_balance(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=1, **NEAR)) as up:
        await spot.settled(up)
        (bid,) = up.live()
        await spot.sell_into(bid, "0.004")
        await spot.settled(up)
        spot.venue.post(f"accounts/{spot.account}/settings", {"pay_fees_in_bnb": True})
        await spot.sell_into(bid, "0.004")
        await spot.settled(up)
        spot.venue.post(f"accounts/{spot.account}/settings", {"pay_fees_in_bnb": False})
        spot.gap("-0.3")
        await spot.settled(up)
        spot.gap("1.5")
        stored = await spot.settled(up)
        assert {fill.fee_asset for fill in stored.fills.values()} == {"BTC", "BNB", "USDT"}


async def test_a_remainder_too_small_to_sell_becomes_dust_and_the_cycle_goes_on(spot: Bench) -> None:
    # Just above the venue's smallest order of 5 USDT; a lot less, after the fee, is below it.
    lots = int(5 / spot.price() / Decimal("0.00001")) + 1
    async with spot.node(spot.grid(levels=1, quantity_per_level=lots * Decimal("0.00001"), **NEAR)) as up:
        await spot.settled(up)
        spot.gap("-0.5")
        await spot.settled(up)
        assert not refusals(spot, -1013)
        assert up.engine().status.state == "running"


async def test_a_market_order_gives_its_reservation_back_to_the_last_unit(spot: Bench) -> None:
    price = spot.price().quantize(Decimal(1))
    async with spot.node(
        spot.grid(levels=1, lower_price=price + 100, upper_price=price + 200, split_at_start=True)
    ) as up:
        await spot.settled(up)
        engine = up.engine()
        view = engine.books.view(engine.instance, 0)
        assert view.free_quote == engine.books.ledger.balance("cash:1", "USDT")


async def test_levels_beyond_the_venues_price_range_wait_until_the_market_is_nearer(
    spot: Bench, filters: Callable[..., None]
) -> None:
    filters(percent_down="0.9", percent_up="1.1")
    async with spot.node(spot.grid(levels=4, step_percent="4", symbol=ETH, quantity_per_level="0.1")) as up:
        await spot.settled(up)
        assert list(up.engine().status.held_back.values()) == [OUTSIDE_PRICE_RANGE] * 2
        assert len(spot.resting_names()) == 2
        assert not refusals(spot, -1013)
        filters(percent_down="0.2", percent_up="5")
        await up.hub.rules.look(up.hub.sweep_now)
        await until(lambda: len(spot.resting_names()) == 4, "the levels that waited")
        await spot.settled(up)


async def test_more_levels_than_the_venue_lets_rest_work_nearest_first(
    spot: Bench, filters: Callable[..., None]
) -> None:
    filters(maximum_orders=10)
    async with spot.node(spot.grid(levels=15, symbol=ETH, quantity_per_level="0.1")) as up:
        await spot.settled(up)
        assert len(spot.resting_names()) == 10
        assert set(up.engine().status.held_back.values()) == {TOO_MANY_OPEN_ORDERS}
        assert not refusals(spot, -1013)
        prices = sorted((Decimal(row["price"]) for row in spot.resting()), reverse=True)
        wished = sorted({order.ticks for order in up.live()}, reverse=True)
        assert len(prices) == len(wished)
        nearest = up.engine().instance.law.prices[::-1][1:11]
        assert wished == list(nearest), "the farthest work and nearer ones wait"


async def test_a_delisted_symbol_stops_its_strategy_and_no_other(spot: Bench, filters: Callable[..., None]) -> None:
    del filters  # its end lists the symbol again
    one = spot.grid(levels=2, symbol=ETH, quantity_per_level="0.1", number=1, capital={"USDT": "10000"})
    two = spot.grid(levels=1, number=2, capital={"USDT": "10000"})
    async with spot.node(one, two, hub=QUICK) as up:
        await spot.settled(up)
        spot.venue.post("market/delist", {"market": "spot", "symbol": ETH})
        await until(lambda: "is closed at the venue" in up.engine(1).status.last_error, "the words")
        assert "sell by hand what it still holds" in up.engine(1).status.last_error
        await until(lambda: set(up.engine(1).status.held_back.values()) == {VENUE_CLOSED}, "the orders held back")
        tried = len(refusals(spot, -1013))
        await holds(lambda: len(refusals(spot, -1013)) == tried, "a loop of refused orders", 0.7)
        spot.gap("-0.7")
        await until(lambda: len(up.engine(2).instance.orders) > 0, "the other strategy")
        await spot.settled(up)
        assert up.engine(2).status.last_error == ""
