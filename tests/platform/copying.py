"""What a person does to copy, as the API's rows have it, and what the venue's tape says came of it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlmodel import col, select

from core.redis_names import DOORBELL, FOLLOW, MASTER
from db.models import (
    FollowRelationship,
    FollowTarget,
    Master,
    MasterSignal,
    OrderRow,
    StrategyInstance,
    StrategyState,
    TrackingError,
    TradeLog,
    VirtualPosition,
)
from db.queries import following, masters
from db.queries.masters import Published
from tests.platform.world import World, now, until

SYMBOL = "BTCUSDT"
FUTURES = "binance_futures"


def keys(count: int) -> list[tuple[str, str]]:
    """Keys and secrets of so many accounts at the venue."""
    return [(f"key-{n}-of-copying", f"secret-{n}-of-copying") for n in range(1, count + 1)]


def options(count: int, funds: dict[int, str] | None = None, symbols: str = "BTCUSDT,ETHUSDT") -> list[str]:
    """A venue with so many accounts, of ample funds unless told otherwise by their place."""
    made = ["--market", "generated:7", "--symbols", symbols, "--speed", "1", "--lift-limits"]
    for place, (key, secret) in enumerate(keys(count), 1):
        made += ["--account", f"{key}:{secret}:{(funds or {}).get(place, 'USDT=5000000')}"]
    return made


def add_master(world: World, kind: str = "manual", **more: Any) -> int:
    """Somebody to follow."""
    row = Master(
        owner_id=world.user, name=f"master {secrets.token_hex(4)}", kind=kind, venue=FUTURES, created_at=now(),
        updated_at=now(), **more,
    )  # fmt: skip
    return world.do(lambda unit: masters.add(unit, row)).id or 0


def follow(world: World, account: int, master: int, ratio: str = "1", **terms: Any) -> int:
    """An account follows a master."""
    row = FollowRelationship(
        owner_id=world.user, account_id=account, master_id=master, mode=terms.pop("mode", "fixed_ratio"),
        ratio=Decimal(ratio), desired_state="following", created_at=now(), updated_at=now(), **terms,
    )  # fmt: skip
    number = world.do(lambda unit: following.add(unit, row, now())).id or 0
    world.redis.publish(DOORBELL, f"{FOLLOW}{account}")
    return number


def change(world: World, relationship: int, **terms: Any) -> None:
    """Edit a relationship as the API does."""

    def work(unit: Any) -> int:
        row = following.hold(unit, relationship, world.user)
        for name, value in terms.items():
            setattr(row, name, value)
        row.revision, row.updated_at = row.revision + 1, now()
        return row.account_id

    world.redis.publish(DOORBELL, f"{FOLLOW}{world.do(work)}")


def hold(world: World, master: int, quantity: str, symbol: str = SYMBOL, *, ring: bool = True, **more: Any) -> None:
    """The position of a master that is entered by hand."""

    def work(unit: Any) -> None:
        row = masters.hold(unit, master, world.user)
        told = Published(symbol, Decimal(quantity), more.pop("signal_at", now()), "manual", **more)
        masters.publish(unit, row, told, now())

    world.do(work)
    if ring:
        world.redis.publish(DOORBELL, f"{MASTER}{master}")


def position(world: World, place: int, symbol: str = SYMBOL) -> Decimal:
    """What the venue says the account of this place holds; the first opened is 1."""
    rows = world.venue.get(f"positions?account={place}")
    return sum((Decimal(row["quantity"]) for row in rows if row["symbol"] == symbol), Decimal(0))


def wait_for(world: World, wanted: dict[int, str], symbol: str = SYMBOL, seconds: float = 180) -> None:
    """Until every account holds exactly this."""
    try:
        until(
            lambda: all(position(world, place, symbol) == Decimal(held) for place, held in wanted.items()),
            f"positions {wanted}", seconds,
        )  # fmt: skip
    except AssertionError as error:
        held = {place: str(position(world, place, symbol)) for place in wanted}
        logs = "\n".join(worker.log[-6000:] for worker in world.workers.values())
        raise AssertionError(f"{error}; they are {held}\n{logs}") from None


def relationship(world: World, number: int) -> FollowRelationship:
    """The relationship's row."""
    found = world.do(lambda unit: unit.session.get(FollowRelationship, number))
    assert found is not None
    return found


def logs(world: World, number: int) -> Sequence[TradeLog]:
    """What was recorded of a relationship, oldest first."""
    mine = select(TradeLog).where(col(TradeLog.relationship_id) == number).order_by(col(TradeLog.id))
    return world.do(lambda unit: unit.session.exec(mine).all())


def wait_for_log(world: World, number: int, status: str) -> TradeLog:
    """The newest record of a relationship, once it has come to this."""

    def has_come() -> bool:
        found = logs(world, number)
        return bool(found) and found[-1].status == status

    until(has_come, f"a record that is {status}", 180)
    return logs(world, number)[-1]


def has_ended(world: World, version: int, count: int) -> bool:
    """Whether so many relationships have copied a version to the end."""
    mine = select(TradeLog.id).where(col(TradeLog.master_version) == version, col(TradeLog.status) == "success")
    return len(world.do(lambda unit: unit.session.exec(mine).all())) == count


def virtual(world: World, number: int, symbol: str = SYMBOL) -> VirtualPosition | None:
    """What a relationship holds, as it is kept."""
    return world.do(lambda unit: unit.session.get(VirtualPosition, (number, symbol)))


def target(world: World, account: int, symbol: str = SYMBOL) -> FollowTarget | None:
    """What an account is to hold, as it is kept."""
    return world.do(lambda unit: unit.session.get(FollowTarget, (account, symbol)))


def instance(world: World, account: int) -> int:
    """The instance that trades for an account's relationships."""
    mine = select(StrategyInstance.id).where(
        col(StrategyInstance.account_id) == account, col(StrategyInstance.strategy_type) == "copy"
    )
    until(lambda: world.do(lambda unit: unit.session.exec(mine).first()) is not None, "an instance that copies")
    return world.do(lambda unit: unit.session.exec(mine).one()) or 0


def orders(world: World) -> list[dict[str, Any]]:
    """Every order that the venue took, by its tape."""
    return [line for line in world.venue.tape("order") if line["execution"] == "NEW"]


def sent(world: World, instance: int) -> int:
    """How many orders of an instance were journaled, hence may have been sent."""
    mine = select(OrderRow).where(col(OrderRow.strategy_instance_id) == instance)
    return world.do(lambda unit: len(unit.session.exec(mine).all()))


def steps(world: World, instance: int) -> int:
    """How many steps of an instance were journaled."""
    found = world.do(lambda unit: unit.session.get(StrategyState, instance))
    return found.version if found is not None else 0


def version(world: World, master: int) -> int:
    """The newest version that was published."""
    return world.do(lambda unit: masters.hold(unit, master, world.user)).version


def signals(world: World, master: int) -> Sequence[MasterSignal]:
    """Everything a master has published."""
    return world.do(lambda unit: masters.signals_since(unit, master, 0))


def tracking(world: World, number: int) -> Sequence[TrackingError]:
    """The tracking-error ledger of a relationship."""
    mine = select(TrackingError).where(col(TrackingError.relationship_id) == number)
    return world.do(lambda unit: unit.session.exec(mine).all())
